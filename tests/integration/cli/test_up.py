"""`osevents up --simulate` and a second terminal: started, looked at, stopped, started again."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.command_line import Outcome, call, end_of, start
from tests.support.simulated import SERVED

pytestmark = [pytest.mark.timeout(900), pytest.mark.xdist_group("osevents up")]

START_SECONDS = 180
NO_PORT = {"OSEVENTS_HTTP__PORT": "off"}


@dataclass(frozen=True, slots=True)
class Terminal:
    """A second terminal on one data directory."""

    data: Path

    def call(self, *arguments: str) -> Outcome:
        return call(*arguments, "--data", str(self.data))

    def rows(self, *arguments: str) -> list[dict[str, Any]]:
        return self.call(*arguments, "--format", "json").rows

    def ids(self, kind: str) -> set[str]:
        return {row["id"] for row in self.rows("inventory", kind, "--most", "10000")}

    def events(self) -> set[str]:
        return {row["id"] for row in self.rows("events", "--most", "10000")}

    def until(self, wanted: str, *arguments: str) -> None:
        """Ask again and again until `wanted` is in the answer."""
        deadline = time.monotonic() + START_SECONDS
        outcome = None
        while time.monotonic() < deadline:
            outcome = self.call(*arguments)
            if wanted in outcome.out:
                return
        raise AssertionError(f"{wanted!r} did not appear: {outcome}")

    def until_everything_was_listed(self) -> None:
        """Ask until each kind had its first full pass."""
        deadline = time.monotonic() + START_SECONDS
        told: list[dict[str, Any]] = []
        while time.monotonic() < deadline:
            told = [row for row in self.rows("status") if row["what"].startswith("full pass of")]
            if len(told) == len(SERVED) and all("done" in row["value"] for row in told):
                return
        raise AssertionError(f"not everything was listed: {told}")


@dataclass(frozen=True, slots=True)
class Story:
    """What was seen over two runs on one directory."""

    terminal: Terminal
    during: dict[str, Outcome]
    published: Outcome
    second_up: Outcome
    first: Outcome
    servers_before: set[str]
    events_before: set[str]
    second: Outcome


LOOKS: dict[str, tuple[str, ...]] = {
    "events": ("events",),
    "events as JSON": ("events", "--format", "json"),
    "inventory": ("inventory", "server"),
    "status": ("status",),
    "refresh": ("refresh", "port", "--full"),
}


PUBLISH = (
    "publish",
    "compute.instance.create.error",
    "--field",
    "id=synthetic-1",
    "--cloud",
    "simulated",
)


@contextmanager
def up(data: Path) -> Iterator["subprocess.Popen[str]"]:
    """Run `osevents up --simulate`; whatever the test does, it ends."""
    process = start("up", "--simulate", "--data", str(data), environment=NO_PORT)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """A directory that the embedded database, which runs as another user, can reach."""
    directory = Path(tempfile.mkdtemp(prefix="osevents-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def story(data: Path) -> Story:
    """Start it, look, interrupt it, look again, start it for some seconds."""
    terminal = Terminal(data)
    with up(data) as process:
        while not (data / "postgres" / "postmaster.pid").exists():
            assert process.poll() is None, process.communicate()
        terminal.until("compute.instance", "events")
        terminal.until_everything_was_listed()
        during = {name: terminal.call(*arguments) for name, arguments in LOOKS.items()}
        published = end_of(start(*PUBLISH, "--data", str(data)))
        terminal.until("synthetic-1", "events", "--type", "compute.instance.create.error")
        second_up = call("up", "--simulate", "--data", str(data))
        process.send_signal(signal.SIGINT)
        first = end_of(process)
    servers, events = terminal.ids("server"), terminal.events()
    again = start("up", "--simulate", "--data", str(data), "--for", "5s", environment=NO_PORT)
    return Story(
        terminal=terminal,
        during=during,
        published=published,
        second_up=second_up,
        first=first,
        servers_before=servers,
        events_before=events,
        second=end_of(again),
    )


@pytest.mark.parametrize("look", LOOKS)
def test_a_second_terminal_works_while_it_runs(story: Story, look: str) -> None:
    outcome = story.during[look]

    assert outcome.code == 0
    # Where a page ended is said beside it.
    assert outcome.err == "" or outcome.err.startswith("there may be more: --after ")
    assert len(outcome.out.splitlines()) > 1


def test_a_second_terminal_reaches_the_bus_within_it(story: Story) -> None:
    assert (story.published.code, story.published.err) == (0, "")
    assert story.published.out.startswith("1 synthetic event published to bus")


def test_a_second_one_on_the_same_directory_is_refused(story: Story) -> None:
    assert story.second_up.code == 2
    [line] = story.second_up.err.splitlines()
    assert "is in use by another `osevents up` (process " in line


def test_an_interrupt_stops_it_in_order_with_a_summary(story: Story) -> None:
    assert (story.first.code, story.first.err) == (0, "")
    summary = story.first.out[story.first.out.rindex("\nran ") :]
    for fact in ("caught", "timeline", "refreshed", "API", "dead letters  0", "inventory"):
        assert f"\n{fact}" in summary


def test_a_second_terminal_works_after_it_ended(story: Story) -> None:
    assert story.events_before
    assert len(story.servers_before) > 10


def test_time_being_up_is_an_ordinary_end(story: Story) -> None:
    assert (story.second.code, story.second.err) == (0, "")
    assert "\nran 0:0" in story.second.out


def test_the_second_run_goes_on_with_the_same_cloud(story: Story) -> None:
    after = story.terminal.ids("server")

    # A few come and go within seconds.
    assert len(story.servers_before & after) >= len(story.servers_before) - 5
    assert story.events_before <= story.terminal.events()


def test_what_the_second_run_tells_is_new(story: Story) -> None:
    [timeline] = [x for x in story.second.out.splitlines() if x.startswith("timeline  ")]
    words = timeline.split()
    rows, duplicates = int(words[1]), int(words[3])

    assert rows > 0
    assert rows == len(story.terminal.events()) - len(story.events_before)
    assert duplicates <= len(story.events_before), "at most what is read again on purpose"


def test_the_second_run_finds_little_to_repair(story: Story) -> None:
    """A port becomes ACTIVE without any event, so a pass may find a few such; no more than that.

    Of kinds that have next to nothing that is one or two objects.
    """
    passes = [x for x in story.terminal.rows("status") if x["what"].startswith("full pass of")]

    assert len(passes) == len(SERVED)
    for full_pass in passes:
        drift = re.search(r"(\d+) seen, drift (\d+)", full_pass["value"])
        assert drift is None or int(drift[2]) <= max(2, 0.2 * int(drift[1])), full_pass


def test_what_was_saved_is_for_its_owner_alone(story: Story) -> None:
    for name in ("simulator.state", "clouds.yaml"):
        assert (story.terminal.data / name).stat().st_mode & 0o077 == 0


def test_a_killed_cloud_is_followed_by_another_one() -> None:
    directory = Path(tempfile.mkdtemp(prefix="osevents-"))
    terminal = Terminal(directory)
    try:
        with up(directory) as process:
            while not (directory / "postgres" / "postmaster.pid").exists():
                assert process.poll() is None, process.communicate()
            terminal.until("compute.instance", "events")
            terminal.until_everything_was_listed()
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        servers, events = terminal.ids("server"), terminal.events()
        with up(directory):
            deadline = time.monotonic() + START_SECONDS
            while terminal.ids("server") & servers or not terminal.events() - events:
                assert time.monotonic() < deadline, "the old cloud is still in the inventory"
        assert terminal.ids("server")
        assert terminal.events() > events
    finally:
        shutil.rmtree(directory, ignore_errors=True)
