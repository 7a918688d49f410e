"""What the services are put together of."""

from pathlib import Path

import pytest

from services.cli.composition import catalogue_of
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
