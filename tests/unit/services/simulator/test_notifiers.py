"""The notifier that misbehaves does it as often as told, and says so."""

import asyncio
from itertools import pairwise
from random import Random

from services.simulator.amqp import encode, gives_up
from services.simulator.notification import Json
from services.simulator.notifiers import FanOut, MisbehavingNotifier
from services.simulator.settings import NotificationMisbehaviour


class Recording:
    """Remembers what it was sent."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.got = asyncio.Event()

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        assert (exchange, topic) == ("nova", "notifications")
        self.sent.append(message["n"])
        self.got.set()


async def sent_through(count: int = 200, **behaviour: float) -> tuple[list[int], dict[str, int]]:
    recording = Recording()
    async with MisbehavingNotifier(recording, Random(1)) as notifier:
        notifier.behaviour = NotificationMisbehaviour(**behaviour)
        for n in range(count):
            await notifier.send("nova", "notifications", {"n": n})
    return recording.sent, dict(notifier.counts)


async def test_it_changes_nothing_when_it_behaves() -> None:
    assert (await sent_through())[0] == list(range(200))


async def test_lost_notifications_are_missing_and_counted() -> None:
    sent, counts = await sent_through(lost=0.3)
    assert len(sent) == 200 - counts["lost"]
    assert counts["lost"] > 30


async def test_duplicates_come_right_after_the_first() -> None:
    sent, counts = await sent_through(duplicated=0.3)
    assert len(sent) == 200 + counts["duplicated"]
    assert sent == sorted(sent)


async def test_reordered_notifications_come_after_the_next_one_and_none_is_missing() -> None:
    sent, counts = await sent_through(reordered=0.3)
    assert sorted(sent) == list(range(200))
    assert sum(later < earlier for earlier, later in pairwise(sent)) > 0
    assert counts["reordered"] > 30


async def test_late_notifications_arrive_by_themselves() -> None:
    recording = Recording()
    async with asyncio.timeout(60), MisbehavingNotifier(recording, Random(1)) as notifier:
        notifier.behaviour = NotificationMisbehaviour(late=1, late_by=0.01)
        await notifier.send("nova", "notifications", {"n": 1})
        assert not recording.sent
        await recording.got.wait()
    assert recording.sent == [1]


async def test_what_is_late_is_sent_at_the_end_instead_of_being_lost() -> None:
    sent, counts = await sent_through(late=0.5, late_by=3600)
    assert sorted(sent) == list(range(200))
    assert counts["late"] > 60


async def test_a_fan_out_sends_to_everyone() -> None:
    first, second = Recording(), Recording()
    await FanOut([first, second]).send("nova", "notifications", {"n": 5})
    assert first.sent == second.sent == [5]


def test_the_v2_envelope_holds_the_message_as_a_string_and_v1_is_bare() -> None:
    message = {"n": 1}
    v2 = b'{"oslo.version":"2.0","oslo.message":"{\\"n\\":1}"}'
    assert encode(message, "messagingv2") == v2
    assert encode(message, "messaging") == b'{"n":1}'


def test_a_service_gives_up_by_the_time_in_which_the_broker_was_away() -> None:
    def lost(at: float, now: float, after: float | None = 6.0) -> bool:
        return gives_up(at, away_since=100.0, now=now, after=after)

    assert not lost(at=10.0, now=106.0), "it was under way before, and waited 6 s"
    assert lost(at=10.0, now=106.1)
    assert not lost(at=105.0, now=111.0)
    assert lost(at=105.0, now=111.1)
    assert not lost(at=10.0, now=10_000.0, after=None)
