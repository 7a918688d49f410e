"""What the driver's errors mean to us."""

import asyncpg
import pytest

from shared.errors import Misconfigured, OseventsError, StoreUnavailable, Unstorable
from shared.store.failures import translated


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (asyncpg.ConnectionDoesNotExistError("gone"), StoreUnavailable),
        (asyncpg.AdminShutdownError("stopping"), StoreUnavailable),
        (asyncpg.CannotConnectNowError("starting"), StoreUnavailable),
        (asyncpg.QueryCanceledError("too slow"), StoreUnavailable),
        (asyncpg.DeadlockDetectedError("deadlock"), StoreUnavailable),
        (asyncpg.SerializationError("conflict"), StoreUnavailable),
        (asyncpg.TooManyConnectionsError("full"), StoreUnavailable),
        (asyncpg.DiskFullError("full"), StoreUnavailable),
        (asyncpg.ReadOnlySQLTransactionError("replica"), StoreUnavailable),
        (asyncpg.InterfaceError("the pool is closed"), StoreUnavailable),
        (ConnectionRefusedError("refused"), StoreUnavailable),
        (TimeoutError(), StoreUnavailable),
        (asyncpg.UntranslatableCharacterError("NUL"), Unstorable),
        (asyncpg.ProgramLimitExceededError("index row too long"), Unstorable),
        (asyncpg.NotNullViolationError("null"), Unstorable),
        (asyncpg.exceptions._base.DataError("half a surrogate pair"), Unstorable),
        (asyncpg.UndefinedTableError("no table"), Misconfigured),
        (asyncpg.InvalidPasswordError("wrong"), Misconfigured),
        (asyncpg.InvalidCatalogNameError("no database"), Misconfigured),
    ],
)
def test_an_error_of_the_driver_says_what_to_do(
    error: Exception, meaning: type[OseventsError]
) -> None:
    with pytest.raises(meaning) as caught, translated():
        raise error

    assert caught.value.__cause__ is error
    assert str(caught.value).strip().endswith(str(error) or type(error).__name__) or (
        meaning is Misconfigured
    )


def test_a_missing_table_names_the_way_out() -> None:
    with pytest.raises(Misconfigured, match="osevents migrate"), translated():
        raise asyncpg.UndefinedTableError('relation "events" does not exist')


def test_a_defect_of_ours_passes_through() -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError), translated():
        raise asyncpg.PostgresSyntaxError("syntax error")
