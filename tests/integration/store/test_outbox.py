"""The outbox: firings and their actions, stored once with the event."""

from datetime import timedelta
from types import MappingProxyType

import pytest

from shared.dead_letter import DeadLetter
from shared.errors import Unstorable
from shared.firing import ActionSpec
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.outbox import ClaimedAction, Outbox, put, receiver_of
from tests.support.events import NOON, event
from tests.support.firings import firing, webhook

LEASE = timedelta(seconds=10)


async def counts(database: Database) -> tuple[int, int]:
    row = await database.fetch_row(
        "select (select count(*) from firings) as firings,"
        " (select count(*) from actions) as actions"
    )
    assert row is not None
    return row["firings"], row["actions"]


async def test_a_firing_that_comes_again_is_stored_once_with_its_actions(
    database: Database,
) -> None:
    fired = firing(ActionSpec("log", {}), ActionSpec("note", {"text": "seen"}))

    for expected_new in (1, 0):
        async with database.transaction() as connection:
            assert await put(connection, [fired, fired], now=NOON) == expected_new

    assert await counts(database) == (1, 2)


async def test_a_transaction_that_fails_leaves_nothing_behind(database: Database) -> None:
    async def crash() -> None:
        async with database.transaction() as connection:
            await put(connection, [firing()], now=NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await crash()

    assert await counts(database) == (0, 0)


async def test_settings_may_be_frozen_as_rules_hold_them(database: Database) -> None:
    frozen = MappingProxyType({"url": "https://a", "secrets": ("env:A",)})

    async with database.transaction() as connection:
        await put(connection, [firing(ActionSpec("webhook", frozen))], now=NOON)

    settings = await database.fetch_value("select settings->'secrets'->>0 from actions")
    assert settings == "env:A"


async def test_settings_that_are_not_json_are_refused_by_name(database: Database) -> None:
    with pytest.raises(Unstorable, match="rule 'servers off'"):
        async with database.transaction() as connection:
            await put(connection, [firing(ActionSpec("log", {"text": NOON.tzinfo}))], now=NOON)


async def test_two_rules_of_one_event_are_two_firings(database: Database) -> None:
    async with database.transaction() as connection:
        new = await put(
            connection,
            [firing(rule="a"), firing(rule="b"), firing(rule="a", about=event("other"))],
            now=NOON,
        )

    assert new == 3


@pytest.mark.parametrize(
    ("spec", "receiver"),
    [
        (webhook("https://user:word@hooks.example.com:8443/a?b=c"), "webhook https://hooks.example.com:8443"),
        (webhook("env:SLACK"), "webhook env:SLACK"),
        (webhook("https://[broken"), "webhook https://[broken"),
        (ActionSpec("publish", {"exchange": "tickets"}), "publish tickets"),
        (ActionSpec("python", {"function": "a.b:c"}), "python a.b:c"),
        (ActionSpec("log", {}), "log"),
    ],
)  # fmt: skip
def test_a_receiver_is_the_kind_and_where_it_goes(spec: ActionSpec, receiver: str) -> None:
    assert receiver_of(spec) == receiver


async def stored(database: Database, *rules: str) -> Outbox:
    async with database.transaction() as connection:
        await put(connection, [firing(rule=rule) for rule in rules], now=NOON)
    return Outbox(database)


async def take_one(outbox: Outbox) -> ClaimedAction:
    [claimed] = await outbox.claim({"log": 1}, worker="me", now=NOON, lease=LEASE)
    return claimed


async def test_what_has_ended_is_forgotten_with_its_age_and_what_waits_never(
    database: Database,
) -> None:
    outbox = await stored(database, "a", "b")
    await outbox.done(await take_one(outbox), "logged", now=NOON)

    assert await outbox.purge(NOON) == 0
    assert await outbox.purge(NOON + LEASE) == 1
    assert await counts(database) == (1, 1)
    [waiting] = await outbox.waiting()
    assert (waiting.receiver, waiting.count, waiting.failing, waiting.oldest) == (
        "log", 1, 0, NOON,
    )  # fmt: skip


async def test_an_action_that_failed_counts_as_failing_and_is_due_when_told(
    database: Database,
) -> None:
    outbox = await stored(database, "a")
    await outbox.retry(await take_one(outbox), "HTTP 503 \x00", due_at=NOON + LEASE)

    assert await outbox.claim({"log": 1}, worker="me", now=NOON, lease=LEASE) == []
    [waiting] = await outbox.waiting()
    assert (waiting.count, waiting.failing) == (1, 1)
    [again] = await outbox.claim({"log": 1}, worker="me", now=NOON + LEASE, lease=LEASE)
    assert (again.tries, again.since) == (1, NOON)


async def test_giving_up_and_its_dead_letter_are_one(database: Database) -> None:
    outbox, letters = await stored(database, "a"), DeadLetters(database)
    lost = await take_one(outbox)
    [ours] = await outbox.claim({"log": 1}, worker="b", now=NOON + LEASE, lease=LEASE)
    letter = DeadLetter("action", "HTTP 410", "prod", b"{}", NOON)

    await outbox.give_up(lost, "HTTP 410", letter, now=NOON)
    assert await letters.find() == []
    await outbox.give_up(ours, "HTTP 410", letter, now=NOON)
    assert [kept.letter for kept in await letters.find()] == [letter]
    [state] = await outbox.of_event("prod", "event-1")
    assert (state.state, state.result, state.ended_at) == ("dead", "HTTP 410", NOON)


async def test_only_a_dead_action_is_revived(database: Database) -> None:
    outbox = await stored(database, "a")
    await outbox.done(await take_one(outbox), "logged", now=NOON)

    await outbox.revive(firing(rule="a"), 0, now=NOON)

    [state] = await outbox.of_event("prod", "event-1")
    assert state.state == "done"
