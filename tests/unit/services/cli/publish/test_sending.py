"""When synthetic notifications are sent, in what batches, and as what."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from random import Random

from services.catcher.decoding.notification import Notification
from services.cli.publish.made import MARK, Made, Stamp, Timed
from services.cli.publish.sending import MOST_AT_ONCE, Sending
from shared.event import Flavour
from shared.pacing import Pace
from tests.support.clocks import FixedClock


def made(number: int) -> Made:
    notification = Notification(
        message_id=f"m{number}",
        event_type="a.b",
        publisher_id="",
        priority="info",
        timestamp="2026-01-01 00:00:00",
        payload={},
        context={"user": "me"},
        flavour=Flavour.LEGACY,
    )
    return Made(notification, "nova", "notifications")


def story(*seconds: float) -> Iterator[Timed]:
    return ((timedelta(seconds=at), made(number)) for number, at in enumerate(seconds))


class Recorder:
    """A sink that remembers, and may do something after each batch."""

    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.batches: list[list[Made]] = []
        self._then = then

    async def send(self, batch: Sequence[Made]) -> None:
        self.batches.append(list(batch))
        self._then()

    @property
    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


def sending(
    sink: Recorder, *, pace: Pace | None = None, speed: float = 1.0, stamp: Stamp | None = None
) -> Sending:
    return Sending(
        sink=sink,
        stamp=stamp or Stamp(random=Random(1)),
        pace=pace,
        speed=speed,
        clock=FixedClock(),
        elapsed=asyncio.get_running_loop().time,
        progress=lambda _: None,
    )


async def test_what_is_due_at_once_goes_in_full_batches() -> None:
    sink = Recorder()

    sent = await sending(sink, pace=Pace(1e9)).run(story(*[0.0] * 1200), asyncio.Event())

    assert sent.notifications == 1200
    assert sink.sizes == [MOST_AT_ONCE, MOST_AT_ONCE, 200]


async def test_a_story_keeps_its_own_time_divided_by_the_speed() -> None:
    sink = Recorder()

    sent = await sending(sink, speed=1000).run(story(0, 0, 20, 40), asyncio.Event())

    assert sink.sizes == [2, 1, 1]
    assert sent.seconds >= 0.04


async def test_being_told_to_stop_ends_it_with_what_was_due_sent() -> None:
    stop = asyncio.Event()
    sink = Recorder(then=stop.set)

    sent = await sending(sink).run(story(0, 0, 3600), stop)

    assert sent.notifications == 2


async def test_each_gets_an_id_a_time_and_the_mark_of_its_own() -> None:
    sink = Recorder()

    await sending(sink).run(story(0, 0), asyncio.Event())

    ((one, two),) = sink.batches
    assert len({one.notification.message_id, two.notification.message_id, "m0", "m1"}) == 4
    assert one.notification.timestamp < two.notification.timestamp
    assert one.notification.timestamp.startswith("2026-11-23 12:00:00")
    assert one.notification.context == {"user": "me", MARK: True}


async def test_a_recordings_own_ids_and_times_can_be_kept_but_the_mark_stays() -> None:
    sink = Recorder()
    stamp = Stamp(random=Random(1), keep_ids=True, keep_times=True)

    await sending(sink, stamp=stamp).run(story(0), asyncio.Event())

    ((one,),) = sink.batches
    assert one.notification.message_id == "m0"
    assert one.notification.timestamp == "2026-01-01 00:00:00"
    assert one.notification.context[MARK] is True
