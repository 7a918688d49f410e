"""What the driver's errors mean to us."""

import asyncpg
import pytest

from shared.errors import Misconfigured, OseventsError, StoreUnavailable, Unstorable
from shared.store.failures import connecting, translated


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
        (asyncpg.InternalClientError("cannot switch to state 12"), StoreUnavailable),
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


def test_a_server_that_cannot_be_reached_is_named_without_its_password() -> None:
    with (
        pytest.raises(StoreUnavailable) as caught,
        connecting("postgresql://osevents:open-sesame@db.example.org/osevents"),
    ):
        raise OSError(-2, "Name or service not known")

    assert str(caught.value) == (
        "PostgreSQL at postgresql://osevents:***@db.example.org/osevents does not serve us now:"
        " OSError: [Errno -2] Name or service not known"
    )


def test_an_option_of_the_address_that_does_not_exist_is_a_mistake_of_the_operator() -> None:
    message = "`sslmode` parameter must be one of: disable, ..."

    with (
        pytest.raises(Misconfigured, match=r"database\.url: .*db\?sslmode=maybe: `sslmode`"),
        connecting("postgresql://db?sslmode=maybe"),
    ):
        raise asyncpg.ClientConfigurationError(message)
