"""What is wrong with the settings of the webhook is found before anything listens."""

from pathlib import Path
from typing import Any

import pytest

from services.cli.running.webhooks import check_webhooks, tls_of
from shared.errors import Misconfigured
from shared.runtime.sections import ListenerSettings
from shared.runtime.settings import Settings
from tests.support.tls import make_certificates


def problems(*clouds: dict[str, Any], **listener: Any) -> list[str]:
    settings = Settings.model_validate(
        {"clouds": [{"source": "webhook", **cloud} for cloud in clouds], "webhook": listener}
    )
    return [str(problem) for problem in check_webhooks(settings)]


def test_a_password_is_enough() -> None:
    assert problems({"name": "prod", "webhook": {"user": "ceilometer", "password": "x"}}) == []


def test_a_webhook_for_everybody_is_refused() -> None:
    [problem] = problems({"name": "prod"})

    assert problem.startswith("clouds[prod].webhook.password: is needed, or anybody could post")


def test_two_clouds_need_two_paths() -> None:
    with_password = {"password": "x", "path": "/events"}
    [problem] = problems(
        {"name": "one", "webhook": with_password}, {"name": "two", "webhook": with_password}
    )

    assert problem == "clouds[two].webhook.path: /events is that of cloud one already"


def test_tls_files_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    cloud = {"name": "prod", "webhook": {"password": "x"}}
    absent = str(tmp_path / "absent.pem")

    [problem] = problems(cloud, certificate=absent)
    assert problem.startswith(f"webhook.certificate: {absent} cannot be used")
    [problem] = problems(cloud, client_ca=absent)
    assert problem.startswith("webhook.certificate: is needed with")


def test_an_authority_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path)
    wanted = ListenerSettings(certificate=str(certificates.server), client_ca=str(tmp_path / "no"))

    with pytest.raises(Misconfigured, match=r"webhook\.client_ca: .*no cannot be used"):
        tls_of(wanted)


def test_a_listener_without_webhooks_is_not_looked_at() -> None:
    settings = Settings.model_validate({"clouds": [{"name": "prod", "source": "panko"}]})

    assert list(check_webhooks(settings)) == []
