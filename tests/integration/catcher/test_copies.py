"""Copies of the catcher that read one queue at once know together what the cloud says."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.catcher.listening import Listener, saved_of
from services.catcher.rhythm import LEARNING, Rhythm
from shared.store.database import Database
from tests.support.events import NOON, numbered

MINUTE = timedelta(minutes=1)


def listeners(number: int) -> Sequence[Listener]:
    return [Listener("prod", Rhythm(NOON)) for _ in range(number)]


async def share(database: Database, *copies: Listener) -> None:
    for each in copies:
        await each.share(database, now=NOON)


async def kept_gap(database: Database) -> str | None:
    saved = await saved_of(database, "prod")
    assert saved is not None
    gap: str | None = saved["missed_since"]
    return gap


async def test_a_copy_that_hears_little_does_not_take_the_cloud_for_silent(
    database: Database,
) -> None:
    busy, idle = listeners(2)
    idle.heard("amqp", numbered(1), NOON + MINUTE)
    for minute in range(120):
        busy.heard("amqp", numbered(1), NOON + minute * MINUTE)
    now = NOON + 120 * MINUTE
    assert now - NOON > LEARNING
    assert idle.silent_for(now) is not None

    await share(database, busy, idle)

    assert idle.silent_for(now) is None
    assert idle.last == busy.last == NOON + 119 * MINUTE


async def test_a_copy_that_hears_little_does_not_write_over_what_another_learnt(
    database: Database,
) -> None:
    busy, idle = listeners(2)
    busy.heard("amqp", numbered(1), NOON + 9 * MINUTE)
    idle.heard("amqp", numbered(1), NOON + MINUTE)
    idle.heard("panko", numbered(1), NOON + MINUTE)

    await share(database, busy, idle)

    restarted = await Listener.restored(database, "prod", now=NOON + 10 * MINUTE)
    assert restarted.last == NOON + 9 * MINUTE
    assert restarted.heard_elsewhere("panko") == NOON + 9 * MINUTE


async def test_what_one_copy_missed_is_kept_until_that_copy_has_filled_it(
    database: Database,
) -> None:
    one, two = listeners(2)
    one.heard("amqp", numbered(1), NOON + MINUTE)
    one.missed(NOON + 2 * MINUTE)
    await share(database, one, two, one, two)
    assert await kept_gap(database) == (NOON + MINUTE).isoformat()
    assert two.missed_since is None, "the other fills it"

    one.filled(one.gaps)
    await share(database, two, one, two)
    assert await kept_gap(database) is None


async def test_of_two_gaps_the_earlier_is_kept_and_none_is_forgotten(database: Database) -> None:
    one, two = listeners(2)
    for copy, minute in ((one, 1), (two, 5)):
        copy.heard("amqp", numbered(1), NOON + minute * MINUTE)
        copy.missed(NOON + 9 * MINUTE)
    await share(database, one, two, one)
    assert await kept_gap(database) == (NOON + MINUTE).isoformat()

    one.filled(one.gaps)
    await share(database, one, two)
    assert await kept_gap(database) == (NOON + 5 * MINUTE).isoformat()

    two.filled(two.gaps)
    await share(database, two, one)
    assert await kept_gap(database) is None


async def test_a_copy_that_is_started_again_fills_what_was_missed_before(
    database: Database,
) -> None:
    one, two = listeners(2)
    one.missed(NOON + MINUTE)
    await share(database, one, two)

    again = await Listener.restored(database, "prod", now=NOON + 2 * MINUTE)
    assert again.missed_since == NOON + MINUTE
    again.filled(again.gaps)
    await share(database, again, two)

    assert await kept_gap(database) is None


@pytest.mark.parametrize("first", [0, 1])
async def test_who_shares_first_makes_no_difference(database: Database, first: int) -> None:
    copies = listeners(2)
    copies[0].heard("amqp", numbered(1), NOON + MINUTE)
    copies[1].heard("amqp", numbered(1), NOON + 3 * MINUTE)

    await share(database, copies[first], copies[1 - first])

    restarted = await Listener.restored(database, "prod", now=NOON)
    assert restarted.last == NOON + 3 * MINUTE
