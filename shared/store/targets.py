"""The queue of targets: one row per key however many events ask, shared by copies through leases.

A target is ready one merge window after its first ask, and due one batch window later: until then
it goes along when another of its kind is read. Further asks never push it later, so that a busy
object is read once a window and still read every window. A claim is a lease: the targets of a copy
that died fall due again when it ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from shared.resource import ResourceRef
from shared.store.database import Database, columns
from shared.store.statements import statements
from shared.target import BY_ID, Target

_SQL = statements("targets")
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class ClaimedTarget:
    """A target that is ours until the lease ends."""

    target: Target
    asked_at: datetime
    """The first ask that this claim answers."""
    attempts: int
    """How often it failed so far."""
    claim: int
    """Number of the claim, unique for ever."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The unanswered targets of one kind."""

    cloud: str
    kind: str
    count: int
    claimed: int
    """How many of them somebody is at."""
    failing: int
    """How many of them failed at least once."""
    oldest: datetime
    """When the oldest was asked for."""


class TargetQueue:
    """Asks for targets and hands them out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(
        self,
        targets: Sequence[Target],
        *,
        now: datetime,
        merge_window: timedelta,
        batch_window: timedelta = _NONE,
        hold: timedelta = _NONE,
        release: bool = False,
    ) -> None:
        """Note that `targets` must be read again, `merge_window` after the first ask of each.

        They may wait `batch_window` longer for company. With a `hold` they are held back for that
        long, whoever asks for them meanwhile; a hold in force is never prolonged, and `release`
        ends it.
        """
        latest = {(item.cloud, item.kind, item.by, item.key): item for item in targets}
        rows = [(*key, latest[key].cause, latest[key].why) for key in sorted(latest)]
        if rows:
            ready_at = now + max(merge_window, hold)
            held_until = now + hold if hold else None
            times = (now, ready_at, ready_at + batch_window, held_until)
            await self._database.execute(_SQL["ask"], *columns(rows, 6), *times, release)

    async def claim(
        self,
        *,
        cloud: str,
        worker: str,
        most: int,
        now: datetime,
        lease: timedelta,
        kinds: Sequence[str] | None = None,
    ) -> list[ClaimedTarget]:
        """Take up to `most` targets, all of one kind and one `by`, the longest waiting first.

        With `kinds` only of those. Empty when nothing is due that no other copy is taking at this
        moment.
        """
        rows = await self._database.fetch(
            _SQL["claim"],
            cloud,
            now,
            most,
            worker,
            now + lease,
            None if kinds is None else list(kinds),
        )
        return _claimed(rows)

    async def claim_found(
        self,
        found: Mapping[ResourceRef, datetime],
        *,
        cloud: str,
        worker: str,
        now: datetime,
        lease: timedelta,
    ) -> list[ClaimedTarget]:
        """Take the targets, due or not, of objects of `cloud` that reads found anyway.

        `found` says when each of those reads began: what was asked for later is left to another.
        """
        if not found:
            return []
        rows = [(ref.kind, ref.id, found[ref]) for ref in sorted(found)]
        return _claimed(
            await self._database.fetch(
                _SQL["claim_found"], cloud, *columns(rows, 3), worker, now + lease
            )
        )

    async def renew(
        self, claimed: Sequence[ClaimedTarget], *, now: datetime, lease: timedelta
    ) -> int:
        """Extend the lease, and return how many of `claimed` are still ours."""
        return await self._answer("renew", claimed, now + lease)

    async def finish(self, claimed: Sequence[ClaimedTarget]) -> None:
        """Remove what was answered; what was asked for again meanwhile waits for its new window.

        Claims that we lost to another copy are left alone, here as in `retry` and `give_up`.
        """
        if not claimed:
            return
        claims = [item.claim for item in claimed]
        async with self._database.transaction() as connection:
            await connection.execute(_SQL["lock"], claims)
            await connection.execute(_SQL["remove"], claims)
            await connection.execute(_SQL["reopen"], claims)

    async def retry(
        self,
        claimed: Sequence[ClaimedTarget],
        *,
        due_at: datetime,
        error: str,
        tried: bool = True,
    ) -> None:
        """Give back what failed for now: due again at `due_at`, whoever asks before then.

        Not `tried` is what nobody was asked for: it keeps its budget.
        """
        await self._answer("retry", claimed, due_at, error, int(tried))

    async def give_up(self, claimed: Sequence[ClaimedTarget]) -> None:
        """Remove what can never be answered; a newer ask still gets its chance."""
        await self.finish(claimed)

    async def drop(self, gone: Sequence[ResourceRef]) -> int:
        """Forget the targets of objects that are gone, unless somebody is at them; return how many.

        Reading them would only find what is known: a 404.
        """
        rows = [(ref.cloud, ref.kind, BY_ID, ref.id) for ref in sorted(set(gone))]
        return await self._database.execute(_SQL["drop"], *columns(rows, 4))

    async def waiting(self) -> list[Waiting]:
        """Return what is not answered yet, by cloud and kind."""
        return [Waiting(**dict(row)) for row in await self._database.fetch(_SQL["waiting"])]

    async def _answer(
        self, statement: str, claimed: Sequence[ClaimedTarget], *arguments: object
    ) -> int:
        """Lock what is still ours of `claimed`, run a statement on it, and return how many."""
        if not claimed:
            return 0
        claims = [item.claim for item in claimed]
        async with self._database.transaction() as connection:
            ours = await connection.fetch(_SQL["lock"], claims)
            await connection.execute(_SQL[statement], claims, *arguments)
        return len(ours)


def _claimed(rows: Sequence[asyncpg.Record]) -> list[ClaimedTarget]:
    """Return the claims that a statement gives, the longest waiting first."""
    claimed = [
        ClaimedTarget(
            Target(row["cloud"], row["kind"], row["by"], row["key"], row["cause"], row["why"]),
            row["asked_at"],
            row["attempts"],
            row["claim"],
        )
        for row in rows
    ]
    return sorted(claimed, key=lambda item: (item.asked_at, item.target.key))
