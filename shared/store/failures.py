"""What the driver's errors mean to us: wait, give the value up, or call the operator.

Errors that none of these describe are defects of ours, and pass through untouched.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from shared.errors import Misconfigured, Problem, StoreUnavailable, Unstorable
from shared.secret import mask

_WAIT = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # shutting down, starting up, cancelled by a time limit
    asyncpg.TransactionRollbackError,  # deadlock, serialization
    asyncpg.InsufficientResourcesError,  # connections, memory, disk
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,  # we still talk to the old primary after a fail-over
    asyncpg.InterfaceError,  # the connection or the pool is closed
    # What asyncpg says of a connection on which the server has just said goodbye, and which is not
    # closed yet: "cannot switch to state 12; another operation (2) is in progress".
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
_UNSTORABLE = (
    asyncpg.DataError,
    asyncpg.ProgramLimitExceededError,  # a key longer than an index entry may be
    asyncpg.IntegrityConstraintViolationError,
)
_OPERATOR = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
)
_SCHEMA = (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError)


@contextmanager
def translated(server: str = "PostgreSQL") -> Iterator[None]:
    """Turn the driver's errors, raised inside, into ours; the cause is kept.

    `server` is how they call it.
    """
    try:
        yield
    except _UNSTORABLE as error:
        raise Unstorable(f"PostgreSQL cannot hold a value: {_told(error)}") from error
    except _SCHEMA as error:
        problem = Problem("database", f"{error}; run `osevents migrate`")
        raise Misconfigured([problem]) from error
    except _OPERATOR as error:
        problem = Problem("database.url", f"{server} refuses us: {_told(error)}")
        raise Misconfigured([problem]) from error
    except _WAIT as error:
        if isinstance(error, ValueError):
            # asyncpg's own DataError, found before sending, is an InterfaceError and a ValueError.
            raise Unstorable(f"PostgreSQL cannot hold a value: {error}") from error
        raise StoreUnavailable(f"{server} does not serve us now: {_told(error)}") from error


@contextmanager
def connecting(url: str) -> Iterator[None]:
    """As `translated`, while a connection to `url` is made: the errors name the server."""
    with translated(f"PostgreSQL at {mask(url)}"):
        try:
            yield
        except asyncpg.ClientConfigurationError as error:
            raise Misconfigured([Problem("database.url", f"{mask(url)}: {error}")]) from error


def _told(error: BaseException) -> str:
    """Return the error in one line, its class included: a TimeoutError has no text of its own."""
    detail = getattr(error, "detail", None)
    text = " ".join(str(part) for part in (error, detail) if part)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
