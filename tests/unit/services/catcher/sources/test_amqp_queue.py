"""How our own queue may have lost messages, found out from what can be seen of it."""

from dataclasses import replace
from datetime import timedelta

from services.catcher.sources.amqp_queue import Overflow, Subscription, absence

WANTED = Subscription(
    queue="osevents.prod",
    exchanges=("nova", "ceilometer"),
    routing_keys=("notifications.info",),
    queue_length=100,
    queue_expires=timedelta(days=7),
    rebind_interval=timedelta(seconds=30),
    prefetch=10,
)


def test_arguments_that_are_not_asked_for_are_not_sent() -> None:
    assert WANTED.arguments == {
        "x-max-length": 100,
        "x-overflow": "drop-head",
        "x-expires": 604_800_000,
    }


def test_further_bindings_join_those_of_the_exchange() -> None:
    more = replace(WANTED, bindings=(("ceilometer", "event.sample"), ("other", "key")))

    assert more.keys_of == {
        "nova": ("notifications.info",),
        "ceilometer": ("notifications.info", "event.sample"),
        "other": ("key",),
    }


def test_an_overflow_is_told_when_it_begins_and_when_it_is_over() -> None:
    overflow = Overflow(WANTED)

    told = [overflow.look(waiting, None) for waiting in (0, 99, 100, 100, 95, 89, 99, 100)]

    assert [bool(reason) for reason in told] == [0, 0, 1, 0, 0, 1, 0, 1]
    assert "is full (100 messages)" in str(told[2])
    assert "was full until now" in str(told[5])


def test_bytes_are_judged_by_the_mean_of_the_bodies_so_far() -> None:
    overflow = Overflow(replace(WANTED, queue_bytes=30_000))

    assert overflow.look(10, None) is None
    assert overflow.look(10, 2_900.0) is None
    assert "is full (10 messages)" in str(overflow.look(10, 3_000.0))


def test_a_queue_that_is_gone_and_one_that_never_was_are_told_apart() -> None:
    assert "it is new, was deleted or expired" in str(absence(WANTED, None, None))
    gone = str(absence(WANTED, None, timedelta(days=8)))
    assert "was deleted or has expired; it was last read 8d ago" in gone


def test_an_absence_longer_than_messages_live_is_a_gap() -> None:
    mortal = replace(WANTED, queue_ttl=timedelta(hours=1))

    assert "nobody read queue osevents.prod for 2h; its messages live 1h" in str(
        absence(mortal, 5, timedelta(hours=2))
    )
    assert absence(mortal, 5, timedelta(minutes=59)) is None
    assert absence(mortal, 5, None) is None
    assert absence(WANTED, 5, timedelta(days=2)) is None
