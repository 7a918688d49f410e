"""deploy/compose.yaml starts what osevents has, as osevents takes it."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.checking import checked
from tests.support.dockerfile import environment_of_the_image
from tests.support.pods import Process

DEPLOY = Path(__file__).parents[3] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def ours() -> Mapping[str, Any]:
    """Return the services of the compose file that run our image."""
    return {
        name: one
        for name, one in COMPOSE["services"].items()
        if one["image"].startswith("osevents:")
    }


def mounted(service: Mapping[str, Any]) -> dict[str, Path]:
    """Return the file behind each mounted path, as the defaults of the variables have it."""
    found = {}
    for volume in service.get("volumes", ()):
        given, inside, mode = volume.replace(":-", "\0").split(":")
        assert mode == "ro"
        found[inside] = DEPLOY / given.partition("\0")[2].removesuffix("}")
    return found


def test_every_service_of_the_compose_file_takes_its_arguments_and_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, service in ours().items():
        files = {inside: str(path) for inside, path in mounted(service).items()}
        process = Process(
            name,
            tuple(files.get(each, each) for each in shlex.split(service["command"])),
            environment_of_the_image()
            | {key: files.get(text, text) for key, text in service["environment"].items()},
            {},
            container={},
            pod={},
        )
        assert checked(process, monkeypatch).database.url is not None, name


def test_the_files_that_the_compose_file_mounts_are_there() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_file(), source
    for service in ours().values():
        assert all(path.is_file() for path in mounted(service).values())


def test_the_compose_file_starts_things_in_order_and_gives_them_time() -> None:
    for name, service in COMPOSE["services"].items():
        for other, wanted in service.get("depends_on", {}).items():
            assert other in COMPOSE["services"], name
            if wanted["condition"] == "service_healthy":
                assert "healthcheck" in COMPOSE["services"][other]
    for name in ("catcher", "processor", "refresher"):
        assert ours()[name]["depends_on"]["migrate"] == {
            "condition": "service_completed_successfully"
        }
        assert ours()[name]["stop_grace_period"] == "60s"
        assert ours()[name]["read_only"] is True
