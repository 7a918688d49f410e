"""The configuration of a running service: taken over when it changes and can be used."""

from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.cli.running import reloading
from services.cli.running.reloading import Reloading, ReloadMetrics
from shared.errors import Misconfigured, Problem
from shared.runtime.settings import Settings, load_settings

ONE = "clouds: [{name: one}]\n"
TWO = "clouds: [{name: one}, {name: two}]\n"


class Watched:
    """A configuration file, and what the service was told of it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.registry = CollectorRegistry()
        self.commanded: list[list[str]] = []
        self.refuse: Problem | None = None
        path.write_text(ONE)
        self.reloading = Reloading(
            path=path,
            environ={},
            settings=load_settings(path, {}),
            command=self._take,
            metrics=ReloadMetrics(self.registry),
        )

    def _take(self, settings: Settings) -> None:
        if self.refuse is not None:
            raise Misconfigured([self.refuse])
        self.commanded.append([cloud.name for cloud in settings.clouds])

    def look_twice(self) -> None:
        """Look as often as it takes to see that nobody is writing."""
        self.reloading.look(asked=False)
        self.reloading.look(asked=False)

    def figure(self, name: str) -> float | None:
        return self.registry.get_sample_value(f"osevents_configuration_{name}")


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    # Whether clouds.yaml has the clouds is another test's matter.
    monkeypatch.setattr(reloading, "check_clouds", lambda _clouds: None)
    return Watched(tmp_path / "osevents.yaml")


def test_a_file_that_did_not_change_is_left_alone(watched: Watched) -> None:
    watched.reloading.look(asked=False)

    assert watched.commanded == []


def test_a_changed_file_is_taken_over_once(watched: Watched) -> None:
    watched.path.write_text(TWO)

    watched.look_twice()
    watched.look_twice()

    assert watched.commanded == [["one", "two"]]
    assert watched.figure("reloads_total") == 1


@pytest.mark.parametrize("half", ["", "clouds: []\n", "clouds:\n"])
def test_a_file_that_is_being_written_is_not_taken_over(watched: Watched, half: str) -> None:
    for content in (half, TWO):
        watched.path.write_text(content)
        watched.reloading.look(asked=False)
    watched.reloading.look(asked=False)

    assert watched.commanded == [["one", "two"]]


def test_a_signal_takes_it_over_although_it_did_not_change(watched: Watched) -> None:
    watched.reloading.look(asked=True)

    assert watched.commanded == [["one"]]


@pytest.mark.parametrize("broken", ["clouds: [", "clouds: [{nmae: one}]\n", "colour: red\n"])
def test_a_file_that_cannot_be_used_leaves_the_last_one_in_force(
    watched: Watched, broken: str
) -> None:
    watched.path.write_text(broken)
    watched.look_twice()

    assert watched.commanded == []
    assert watched.figure("valid") == 0
    assert [cloud.name for cloud in watched.reloading.settings.clouds] == ["one"]

    watched.path.write_text(TWO)
    watched.look_twice()
    assert watched.figure("valid") == 1


def test_a_file_that_is_gone_for_a_moment_is_no_empty_configuration(watched: Watched) -> None:
    watched.path.unlink()
    watched.look_twice()

    assert watched.commanded == []
    assert watched.figure("valid") == 0


def test_what_the_service_refuses_counts_as_unusable(watched: Watched) -> None:
    watched.refuse = Problem("clouds[two].source", "is amqp, but no broker is given")
    watched.path.write_text(TWO)
    watched.look_twice()

    assert watched.figure("valid") == 0


def test_what_needs_a_restart_is_named() -> None:
    before, after = Settings(), Settings.model_validate({"log": {"level": "debug"}})

    assert reloading.needing_restart(before, after) == ["log"]
