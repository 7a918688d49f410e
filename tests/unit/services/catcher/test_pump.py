import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from random import Random

import orjson
from prometheus_client import CollectorRegistry

from services.catcher.decoding.envelope import open_envelope
from services.catcher.filters import TypeFilter
from services.catcher.metrics import CatcherMetrics
from services.catcher.pump import Pump
from services.catcher.sources.port import Handover, Unreadable
from shared.backoff import Backoff
from shared.catalogue.load import builtin
from shared.dead_letter import DeadLetter
from shared.errors import BusUnavailable
from shared.event import Event, Occasion
from shared.runtime.sections import FilterSettings
from tests.support.clocks import FixedClock
from tests.support.events import ids
from tests.support.waiting import eventually


class ListSource:
    """Hands over what it was given, and notes what was done."""

    name = "list"
    trouble = None
    occasion = Occasion.NEWS

    def __init__(self, handovers: list[Handover], journal: list[str]) -> None:
        self.rest: Handover | None = None
        self._handovers = handovers
        self._journal = journal

    async def receive(self, *, most: int, wait: timedelta) -> Handover:  # noqa: ARG002
        if not self._handovers:
            await asyncio.Event().wait()
        return self._handovers.pop(0)

    async def done(self, handover: Handover) -> None:
        self._journal.append(f"done {handover.token}")

    def leave(self) -> Handover | None:
        return self.rest


class JournalBus:
    """Takes everything, after as many failures as told."""

    def __init__(self, journal: list[str], failures: int = 0) -> None:
        self.letters: list[DeadLetter] = []
        self._journal = journal
        self._failures = failures

    async def backlog(self) -> int:
        return 0

    async def publish(self, events: Sequence[Event]) -> None:
        if self._failures:
            self._failures -= 1
            self._journal.append("refused")
            raise BusUnavailable("no confirm")
        self._journal.append(f"published {' '.join(ids(events))}")

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        self.letters.extend(letters)


def handover(*message_ids: str, unreadable: tuple[Unreadable, ...] = ()) -> Handover:
    bodies = [
        {"message_id": id_, "event_type": "volume.create.end", "payload": {"volume_id": "v"}}
        for id_ in message_ids
    ]
    opened = tuple(open_envelope(orjson.dumps(body)) for body in bodies)
    return Handover((*opened, *unreadable), token=message_ids[0])


def pump(source: ListSource, bus: JournalBus) -> Pump:
    return Pump(
        cloud="prod",
        source=source,
        bus=bus,
        catalogue=builtin(),
        clock=FixedClock(),
        random=Random(1),
        metrics=CatcherMetrics(CollectorRegistry()),
        backoff=Backoff(first_seconds=0.001, longest_seconds=0.001),
    )


async def test_the_source_is_told_only_after_the_bus_confirmed() -> None:
    journal: list[str] = []
    item = handover("one", "two")
    bus = JournalBus(journal, failures=2)

    await pump(ListSource([], journal), bus).move(item)

    assert journal == ["refused", "refused", "published one two", "done one"]


async def test_what_cannot_be_read_dies_alone_with_its_reason() -> None:
    journal: list[str] = []
    bus = JournalBus(journal)

    await pump(ListSource([], journal), bus).move(
        handover("one", unreadable=(Unreadable(b"\xff", "not JSON"),))
    )

    assert journal == ["published one", "done one"]
    assert [(letter.origin, letter.reason, letter.body) for letter in bus.letters] == [
        ("catcher", "not JSON", b"\xff")
    ]


async def test_a_dead_letter_holds_no_secret_of_what_could_not_be_read() -> None:
    bus = JournalBus([])
    unreadable = Unreadable(b'{"auth_token": "s3cr3t"}', "the keys are {'auth_token': 's3cr3t'}")

    await pump(ListSource([], []), bus).move(handover("one", unreadable=(unreadable,)))

    (letter,) = bus.letters
    assert letter.body == b'{"auth_token":"[removed]"}'
    assert "s3cr3t" not in letter.reason


async def test_what_a_filter_drops_is_counted_and_done() -> None:
    journal: list[str] = []
    dropping = replace(
        pump(ListSource([], journal), JournalBus(journal)),
        filter=TypeFilter(drop=("volume.create.*",)),
    )

    await dropping.move(handover("one", "two"))

    assert journal == ["published ", "done one"]
    counted = dropping.metrics.caught.filtered.labels("prod", "volume.create.*")
    assert counted._value.get() == 2


async def test_a_refused_login_is_kept_among_those_that_are_dropped() -> None:
    journal: list[str] = []
    logins = [
        {
            "message_id": outcome,
            "event_type": "identity.authenticate",
            "priority": "INFO",
            "payload": {"typeURI": "event", "outcome": outcome, "initiator": {"user_id": "u"}},
        }
        for outcome in ("success", "failure", "success")
    ]
    items = tuple(open_envelope(orjson.dumps(body)) for body in logins)
    dropping = replace(
        pump(ListSource([], journal), JournalBus(journal)),
        filter=TypeFilter(drop=FilterSettings().drop),
    )

    await dropping.move(Handover(items, token="logins"))

    assert journal == ["published failure", "done logins"]


async def test_stopping_lets_the_handover_in_hand_finish() -> None:
    journal: list[str] = []
    stop = asyncio.Event()
    source = ListSource([handover("one"), handover("two")], journal)
    running = asyncio.create_task(pump(source, JournalBus(journal)).run(stop))

    async def both_done() -> bool:
        return "done two" in journal

    await eventually(both_done, what="both handovers are done")
    stop.set()
    await running

    assert journal == ["published one", "done one", "published two", "done two"]


async def test_what_the_source_would_not_hand_over_again_reaches_the_bus_before_we_leave() -> None:
    journal: list[str] = []
    source = ListSource([], journal)
    source.rest = handover("one", "two")
    stop = asyncio.Event()
    stop.set()

    await pump(source, JournalBus(journal, failures=1)).run(stop)

    assert journal == ["refused", "published one two", "done one"]


async def test_an_event_belongs_to_the_cloud_of_its_source() -> None:
    journal: list[str] = []

    events, _, _ = pump(ListSource([], journal), JournalBus(journal)).sort(
        handover("one"), FixedClock().now()
    )

    assert [(event.cloud, str(event.subject)) for event in events] == [("prod", "volume/v")]
