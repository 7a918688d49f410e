"""Full passes: asked for, claimed by one copy at a time through a lease, and what they found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import asyncpg

from shared.errors import Unstorable
from shared.store.database import Database
from shared.store.statements import statements

_SQL = statements("passes")


class PassState(StrEnum):
    """Where a full pass stands."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    ABSENT = "absent"
    """The cloud does not have the kind."""

    @property
    def over(self) -> bool:
        """Whether nothing more comes of it."""
        return self not in (PassState.WAITING, PassState.RUNNING)


@dataclass(frozen=True, slots=True)
class PassFigures:
    """What a pass did so far."""

    pages: int = 0
    seen: int = 0
    created: int = 0
    changed: int = 0
    vanished: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """How far a pass has come, for whoever goes on with it."""

    began_at: datetime
    """When its first page was asked for: what was not seen since then is missing."""
    list: int = 0
    """Which of the kind's lists is under way."""
    markers: tuple[str, ...] = ()
    """Ids after which that list may go on, the last first; empty: from its beginning."""


@dataclass(frozen=True, slots=True)
class FullPass:
    """One full pass of one kind in one cloud."""

    id: UUID
    cloud: str
    kind: str
    asked_by: str
    """What made us: `start`, `schedule`, `gap`, `return`, `request`, or the id of an event."""
    state: PassState
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    claimed_by: str | None
    claimed_until: datetime | None
    figures: PassFigures
    error: str | None
    first: bool
    """Whether none of the kind was done before: what it finds is news, not drift."""
    place: Place | None
    """None before it is claimed for the first time."""
    failed_at: datetime | None = None
    """When it last failed, of one that is gone on with."""


class FullPasses:
    """Asks for full passes and hands them out; of one kind one waits and one runs at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(
        self, cloud: str, kind: str, *, pass_id: UUID, asked_by: str, now: datetime
    ) -> UUID:
        """Ask for a pass; return the id of the waiting one, which may have been there before.

        It will begin after this, also where it waited to be gone on with.
        """
        row = (pass_id, cloud, kind, asked_by, now)
        return UUID(str(await self._database.fetch_value(_SQL["ask"], *row)))

    async def claim(
        self, *, cloud: str, worker: str, now: datetime, lease: timedelta
    ) -> FullPass | None:
        """Take the next pass of `cloud`, for `lease`; None when there is none to do.

        A pass whose worker died is handed out again, to be gone on with from its `place`.
        """
        row = await self._database.fetch_row(_SQL["claim"], cloud, now, worker, now + lease)
        return _full_pass(row) if row else None

    async def progress(
        self,
        claimed: FullPass,
        figures: PassFigures,
        place: Place,
        *,
        now: datetime,
        lease: timedelta,
    ) -> bool:
        """Note how far it is and extend the lease; False when the pass is no longer ours."""
        touched = await self._database.execute(
            _SQL["progress"],
            claimed.id,
            claimed.claimed_by,
            *_columns(figures),
            now + lease,
            claimed.started_at,
            place.began_at,
            place.list,
            list(place.markers),
        )
        return touched == 1

    async def extend(self, claimed: FullPass, *, until: datetime) -> bool:
        """Move the end of the lease; False when the pass is no longer ours."""
        touched = await self._database.execute(
            _SQL["extend"], claimed.id, claimed.claimed_by, until, claimed.started_at
        )
        return touched == 1

    async def release(self, worker: str, *, now: datetime) -> None:
        """Let others go on at once with what `worker` has in hand: it stops."""
        await self._database.execute(_SQL["release"], worker, now)

    async def finish(
        self,
        claimed: FullPass,
        figures: PassFigures,
        *,
        now: datetime,
        state: PassState = PassState.DONE,
        error: str | None = None,
    ) -> bool:
        """End the pass in `state`, with the reason; False when it is no longer ours."""
        touched = await self._database.execute(
            _SQL["finish"],
            claimed.id,
            claimed.claimed_by,
            state,
            now,
            error,
            *_columns(figures),
            claimed.started_at,
        )
        return touched == 1

    async def go_on(self, failed: FullPass) -> bool:
        """Hand a failed pass out again, to be gone on with from its `place`.

        False when that was done already, or when another of its kind was asked for since.
        """
        try:
            return await self._database.execute(_SQL["go_on"], failed.id) == 1
        except Unstorable:
            # One asked for at this very moment waits: of each kind only one may.
            return False

    async def latest(self) -> list[FullPass]:
        """Return the latest pass of each cloud and kind."""
        return [_full_pass(row) for row in await self._database.fetch(_SQL["latest"])]

    async def latest_done(self) -> list[FullPass]:
        """Return the latest pass of each cloud and kind that was made to its end."""
        return [_full_pass(row) for row in await self._database.fetch(_SQL["latest_done"])]

    async def some(self, ids: Sequence[UUID]) -> list[FullPass]:
        """Return the passes with these ids, as far as they are remembered, by cloud and kind."""
        return [_full_pass(row) for row in await self._database.fetch(_SQL["some"], list(ids))]

    async def purge(self, before: datetime) -> int:
        """Forget passes that ended before a moment, except the latest of each kind."""
        return await self._database.execute(_SQL["purge"], before)


def _columns(figures: PassFigures) -> tuple[int, ...]:
    return (figures.pages, figures.seen, figures.created, figures.changed, figures.vanished)


def _full_pass(row: asyncpg.Record) -> FullPass:
    return FullPass(
        id=UUID(str(row["id"])),
        cloud=row["cloud"],
        kind=row["kind"],
        asked_by=row["asked_by"],
        state=PassState(row["state"]),
        asked_at=row["asked_at"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        claimed_by=row["claimed_by"],
        claimed_until=row["claimed_until"],
        figures=PassFigures(
            row["pages"], row["seen"], row["created"], row["changed"], row["vanished"]
        ),
        error=row["error"],
        first=row["first"],
        place=Place(row["began_at"], row["list"], tuple(row["markers"]))
        if row["began_at"]
        else None,
        failed_at=row["failed_at"],
    )
