"""The commands and settings in the manifests and the image are ones that osevents takes."""

from pathlib import Path

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from shared.runtime.health import serve_health
from shared.runtime.settings import load_settings
from tests.support.checking import checked
from tests.support.dockerfile import environment_of_the_image, last_stage
from tests.support.kustomize import render
from tests.support.pods import Process, processes

DEPLOY = Path(__file__).parents[3] / "deploy"
OVERLAYS = ("simulated", "example")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def with_rules_moved(process: Process, directory: Path) -> Process:
    """Return a process whose files, and the rules that its configuration names, are below."""
    moved = process.below(directory)
    for path, text in process.files.items():
        if path.endswith("/osevents.yaml"):
            there = directory / path.removeprefix("/")
            there.write_text(text.replace("/etc/osevents/", f"{there.parent}/"))
    return moved


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_process_of_an_overlay_takes_its_arguments_settings_and_files(
    overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [*processes(render(DEPLOY / "kubernetes" / "overlays" / overlay))]
    settings = {
        process.container["name"]: checked(
            with_rules_moved(process, tmp_path / process.workload), monkeypatch
        )
        for process in found
    }

    assert settings.keys() >= {"migrate", "catcher", "processor", "refresher"}
    for name in ("catcher", "processor", "refresher"):
        assert settings[name].database.url is not None
        assert settings[name].log.format == "json"
    assert settings["catcher"].clouds[0].amqp.transports, "the catcher reads OpenStack's broker"


async def test_the_probes_ask_for_what_services_serve() -> None:
    paths = {
        process.container[probe]["httpGet"]["path"]
        for process in processes(render(DEPLOY / "kubernetes" / "base"))
        for probe in PROBES
        if probe in process.container
    }
    answers = {}
    async with (
        serve_health(host="127.0.0.1", port=0, checks={}, registry=CollectorRegistry()) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        for path in paths:
            async with session.get(path) as answer:
                answers[path] = answer.status

    assert answers == {"/healthz": 200, "/readyz": 200}


def test_the_image_starts_osevents_as_nobody_in_particular() -> None:
    told = dict(last_stage())

    assert told["ENTRYPOINT"] == '["osevents"]'
    assert all(part.isdecimal() and int(part) > 0 for part in told["USER"].split(":"))
    assert load_settings(None, environment_of_the_image()).http.host == "0.0.0.0"
