"""The outbox: firings and their actions, stored with the event that caused them.

`put` runs in the transaction that writes the timeline, so that a crash neither loses nor repeats a
firing. Processors share the actions through leases: a claim is one copy's until its lease ends, and
what a copy that died had in hand falls due again then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from shared.codec import SINGLE, decode, encode
from shared.dead_letter import DeadLetter
from shared.errors import Unstorable
from shared.firing import ActionSpec, Firing
from shared.store.database import Connection, Database, columns, rows_touched
from shared.store.dead_letters import keep_with, storable
from shared.store.statements import statements

_SQL = statements("outbox")
_ADDRESSES = ("url", "exchange", "function")
"""Settings that say where an action goes, the first one that is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedAction:
    """An action that is ours until the lease ends."""

    claim: int
    """Number of the claim, unique for ever."""
    rule: str
    key: str
    at: datetime
    event: bytes
    """The CloudEvent, as it was stored."""
    spec: ActionSpec
    position: int
    """Its number among the actions of the firing."""
    receiver: str
    since: datetime
    """When the time for its tries began."""
    stored_at: datetime
    """When the firing was stored."""
    tries: int
    """How often it was tried so far."""

    def firing(self) -> Firing:
        """Return the firing, with this action alone; raises UnreadableEvent."""
        [event] = decode(self.event, SINGLE)
        return Firing(rule=self.rule, key=self.key, event=event, at=self.at, actions=(self.spec,))


@dataclass(frozen=True, slots=True)
class WaitingActions:
    """What waits for one receiver."""

    receiver: str
    count: int
    failing: int
    """How many of them failed at least once."""
    oldest: datetime
    """Since when the oldest is to be run."""


@dataclass(frozen=True, slots=True)
class ActionState:
    """What became of one action."""

    rule: str
    at: datetime
    kind: str
    receiver: str
    state: str
    """`waiting`, `done` or `dead`."""
    tries: int
    result: str | None
    """What the latest try said."""
    due_at: datetime
    ended_at: datetime | None


class Outbox:
    """Hands actions out and takes answers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due_receivers(self, now: datetime) -> list[str]:
        """Return the receivers for whom something is due, claimed or not."""
        rows = await self._database.fetch(_SQL["due_receivers"], now)
        return [row["receiver"] for row in rows]

    async def claim(
        self, shares: Mapping[str, int], *, worker: str, now: datetime, lease: timedelta
    ) -> list[ClaimedAction]:
        """Take due actions, of each receiver at most as many as its share, the longest due first.

        Fewer when other copies are taking them at this moment.
        """
        rows = await self._database.fetch(
            _SQL["claim"], list(shares), list(shares.values()), now, worker, now + lease
        )
        return [
            ClaimedAction(
                spec=ActionSpec(row["kind"], orjson.loads(row["settings"])),
                **{
                    name: value
                    for name, value in row.items()
                    if name not in ("kind", "settings", "firing")
                },
            )
            for row in rows
        ]

    async def renew(self, claims: Sequence[int], *, now: datetime, lease: timedelta) -> set[int]:
        """Extend leases, and return the claims that are still ours."""
        rows = await self._database.fetch(_SQL["renew"], claims, now + lease)
        return {row["claim"] for row in rows}

    async def done(self, claimed: ClaimedAction, result: str, *, now: datetime) -> None:
        """Note that it had its effect; here and below, a claim that we lost is left alone."""
        await self._database.execute(_SQL["done"], claimed.claim, storable(result), now)

    async def retry(self, claimed: ClaimedAction, result: str, *, due_at: datetime) -> None:
        """Give it back: due again at `due_at`."""
        await self._database.execute(_SQL["retry"], claimed.claim, storable(result), due_at)

    async def give_up(
        self, claimed: ClaimedAction, result: str, letter: DeadLetter, *, now: datetime
    ) -> None:
        """Note that it will not be tried any more, and keep its dead letter, both or neither."""
        async with self._database.transaction() as connection:
            given_up = await connection.execute(_SQL["dead"], claimed.claim, storable(result), now)
            if rows_touched(given_up):
                await keep_with(connection, [letter])

    async def revive(self, firing: Firing, position: int, *, now: datetime) -> None:
        """Let a dead action run again, with all the time for tries before it; now, and once.

        `firing` holds that action alone. Where the outbox has forgotten it, it is stored again. An
        action that waits or is done is left as it is.
        """
        [spec] = firing.actions
        async with self._database.transaction() as connection:
            await _put(connection, [_firing_row(firing)], [], now)
            row = (*_action_row(firing, spec, position), now)
            await connection.execute(_SQL["revive"], *row)

    async def waiting(self) -> list[WaitingActions]:
        """Return what is neither done nor dead, by receiver."""
        return [WaitingActions(**dict(row)) for row in await self._database.fetch(_SQL["waiting"])]

    async def of_event(self, cloud: str, event_id: str) -> list[ActionState]:
        """Return what the firings for one event asked for, and what became of it."""
        rows = await self._database.fetch(_SQL["of_event"], cloud, event_id)
        return [ActionState(**dict(row)) for row in rows]

    async def purge(self, before: datetime) -> int:
        """Forget firings stored before a moment whose actions have ended; return how many."""
        return await self._database.execute(_SQL["purge"], before)


async def put(connection: Connection, firings: Sequence[Firing], *, now: datetime) -> int:
    """Store firings with their actions, due at once; return how many were not there already.

    To be called within a transaction, whose end decides. The same firing (`Firing.id`) is stored
    once, whoever comes with it again, and its actions run once. Raises Unstorable when PostgreSQL
    cannot hold one of them.
    """
    unique = {firing.id: firing for firing in firings}
    if not unique:
        return 0
    ordered = [unique[id_] for id_ in sorted(unique)]
    rows = [_firing_row(firing) for firing in ordered]
    return await _put(
        connection, rows, [row for each in ordered for row in _action_rows(each)], now
    )


async def _put(
    connection: Connection,
    firings: Sequence[Sequence[object]],
    actions: Sequence[Sequence[object]],
    now: datetime,
) -> int:
    """Store rows of firings, and the rows of actions that belong to new ones; count the new."""
    new = await connection.fetch(_SQL["put"], now, *columns(firings, 7), *columns(actions, 5))
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
    return [_action_row(firing, spec, position) for position, spec in enumerate(firing.actions)]


def _action_row(firing: Firing, spec: ActionSpec, position: int) -> tuple[object, ...]:
    return (firing.id, position, spec.kind, _json(firing, spec.settings), receiver_of(spec))


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
