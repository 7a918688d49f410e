"""The outbox: firings and their actions, stored once with the event."""

from types import MappingProxyType

import pytest

from shared.errors import Unstorable
from shared.firing import ActionSpec
from shared.store.database import Database
from shared.store.outbox import put, receiver_of
from tests.support.events import NOON, event
from tests.support.firings import firing, webhook


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
