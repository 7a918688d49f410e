"""What the services are put together of."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.cli.running.composition import catalogue_of, timeline_limits
from shared.catalogue.load import builtin
from shared.errors import Misconfigured
from shared.runtime.settings import Settings


def test_the_services_use_the_users_catalogue(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("service: mine\nevents: [{types: my.event, kind: thing, id: id}]\n")

    known = catalogue_of(Settings(catalogue=(str(file),)))

    assert known.lookup("my.event").service == "mine"
    assert known.lookup("port.update.end").service == "network"


def test_without_one_they_use_the_built_in_catalogue() -> None:
    assert catalogue_of(Settings()) is builtin()


def test_a_mistake_in_it_keeps_them_from_starting(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("service: mine\nevents:\n- {types: my.event, knd: thing}\n")

    with pytest.raises(Misconfigured, match=r"mine\.yaml:3"):
        catalogue_of(Settings(catalogue=(str(file),)))


def test_what_cannot_be_kept_for_less_long_is_told_at_once() -> None:
    settings = Settings.model_validate(
        {"retention": {"events": "30d", "categories": {"netwrok": "3d", "power": "60d"}}}
    )

    with pytest.raises(Misconfigured) as raised:
        timeline_limits(settings)

    unknown, longer = map(str, raised.value.problems)
    assert unknown.startswith("retention.categories.netwrok: there is no such category; the")
    assert "network, " in unknown
    assert "retention.categories.power: is longer than retention.events (30d)" in longer


def test_limits_are_taken_from_the_settings() -> None:
    settings = Settings.model_validate(
        {"retention": {"categories": {"network": "3d"}, "size": "1MB"}}
    )

    limits = timeline_limits(settings)

    assert limits.categories == {"network": timedelta(days=3)}
    assert limits.most_bytes == 10**6
