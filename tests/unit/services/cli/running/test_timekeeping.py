"""The clock of a process: kept by the database's, with a word about the host's."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from services.cli.running.timekeeping import ClockMetrics, Timekeeper, is_off
from shared.errors import StoreUnavailable
from shared.followed_clock import FollowedClock, Sample
from tests.support.clocks import FixedClock
from tests.support.events import NOON

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


class Kept:
    """A timekeeper whose database says what a test wants, and whose ticks stand still."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.told: timedelta | None = timedelta()
        """What the database says, from noon; None: it is away."""
        self.tick = 0.0
        self.host = FixedClock()
        self.keeper = Timekeeper(
            ask=self.answers,
            clock=FollowedClock(lambda: self.tick, Sample(0, 0, NOON)),
            host=self.host,
            metrics=ClockMetrics(self.registry),
        )

    async def answers(self) -> Sequence[Sample]:
        if self.told is None:
            raise StoreUnavailable("away")
        return [Sample(self.tick, self.tick, NOON + self.told)]

    async def beat(self) -> list[str]:
        """Ask once, and return what was logged."""
        with capture_logs() as logs:
            await self.keeper.keep()
            self.keeper.tell()
        return [line["event"] for line in logs]

    def figure(self, name: str) -> float:
        value = self.registry.get_sample_value(f"osevents_clock_{name}_seconds")
        assert value is not None
        return value


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def test_a_host_that_keeps_the_time_is_nothing_to_talk_about(kept: Kept) -> None:
    assert await kept.beat() == []
    assert kept.figure("offset") == 0


async def test_a_host_whose_clock_is_off_is_told_once_and_so_is_its_mending(kept: Kept) -> None:
    kept.host.advance(HOUR)
    assert await kept.beat() == ["host_clock_is_off"]
    assert await kept.beat() == []
    assert kept.figure("offset") == 3600
    assert kept.keeper.clock.now() == NOON
    kept.host.advance(-HOUR)
    assert await kept.beat() == ["host_clock_is_right_again"]


async def test_while_the_database_is_away_the_clock_goes_on_and_knows_less(kept: Kept) -> None:
    await kept.beat()
    certain = kept.figure("error")
    kept.told, kept.tick = None, 60.0
    kept.host.advance(60 * SECOND)
    assert await kept.beat() == ["clock_goes_on_alone"]
    assert await kept.beat() == []
    assert kept.keeper.clock.now() == NOON + 60 * SECOND
    assert kept.figure("error") > certain
    kept.told = 60 * SECOND
    assert await kept.beat() == []
    assert kept.figure("error") == certain


async def test_a_database_whose_clock_was_set_is_followed_and_told(kept: Kept) -> None:
    kept.told = HOUR
    assert await kept.beat() == ["database_clock_was_set", "host_clock_is_off"]
    assert kept.keeper.clock.now() == NOON + HOUR


@pytest.mark.parametrize(
    ("ahead", "error", "off"),
    [
        (2 * SECOND, 0.1, True),
        (-2 * SECOND, 0.1, True),
        (SECOND / 2, 0.1, False),
        (2 * SECOND, 1.5, False),
    ],
)
def test_a_clock_is_off_only_when_that_is_certain(
    ahead: timedelta,
    error: float,
    off: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    assert is_off(ahead, error) is off
