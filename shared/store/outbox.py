"""The outbox: firings and their actions, stored with the event that caused them.

`put` runs in the transaction that writes the timeline, so that a crash neither loses nor repeats a
firing. Actions are kept for good until they are done or dead.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from shared.codec import encode
from shared.errors import Unstorable
from shared.firing import ActionSpec, Firing
from shared.store.database import Connection, columns
from shared.store.statements import statements

_SQL = statements("outbox")
_ADDRESSES = ("url", "exchange", "function")
"""Settings that say where an action goes, the first one that is there."""


async def put(connection: Connection, firings: Sequence[Firing], *, now: datetime) -> int:
    """Store firings with their actions, due at once; return how many were not there already.

    To be called within a transaction, whose end decides. The same firing (`Firing.id`) is stored
    once, whoever comes with it again, and its actions run once. Raises Unstorable when PostgreSQL
    cannot hold one of them.
    """
    unique = {firing.id: firing for firing in firings}
    rows = [_firing_row(unique[id_]) for id_ in sorted(unique)]
    if not rows:
        return 0
    new: list[UUID] = [
        row["id"] for row in await connection.fetch(_SQL["put_firings"], *columns(rows, 7), now)
    ]
    actions = [row for id_ in new for row in _action_rows(unique[id_])]
    if actions:
        await connection.execute(_SQL["put_actions"], *columns(actions, 5), now)
    return len(new)


def receiver_of(spec: ActionSpec) -> str:
    """Name whom an action is for: its kind, with the host, exchange or function that it goes to.

    Of a URL only scheme, host and port count, as they stand in the settings: a reference to a
    secret is not followed here.
    """
    for name in _ADDRESSES:
        address = spec.settings.get(name)
        if isinstance(address, str):
            return f"{spec.kind} {_origin(address)}"
    return spec.kind


def _origin(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:  # a bracket without its twin, say: the kind's own check has told so
        return address
    # The user part may hold a password.
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else address


def _firing_row(firing: Firing) -> tuple[object, ...]:
    event = firing.event
    return (firing.id, firing.rule, firing.key, event.cloud, event.id, encode(event), firing.at)


def _action_rows(firing: Firing) -> list[tuple[object, ...]]:
    return [
        (firing.id, position, spec.kind, _json(firing, spec.settings), receiver_of(spec))
        for position, spec in enumerate(firing.actions)
    ]


def _json(firing: Firing, settings: Mapping[str, Any]) -> str:
    try:
        return orjson.dumps(settings, default=_plain).decode()
    except TypeError as error:
        raise Unstorable(f"the actions of rule {firing.rule!r} are not JSON: {error}") from error


def _plain(value: object) -> object:
    """Return a frozen mapping or list, as rules may hold their settings, in JSON's own types."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, tuple | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
