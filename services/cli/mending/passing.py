"""Waits for full passes that were asked for, and says how far they are meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import click

from services.cli.output import Format, print_rows
from shared.clock import Clock
from shared.errors import OseventsError
from shared.store.database import Database
from shared.store.passes import FullPass, FullPasses, PassState
from shared.store.status import Heartbeats

PASS_COLUMNS = (
    "cloud", "kind", "state", "pages", "seen", "created", "changed", "vanished", "seconds", "error",
)  # fmt: skip
LOOK_EVERY = timedelta(milliseconds=250)
TELL_EVERY = timedelta(seconds=2)
ALIVE = timedelta(seconds=15)
"""A copy that has been silent for longer is taken for gone."""
_WORKERS = frozenset({"refresher", "up"})
_SHOWN_AT_ONCE = 4


class PassesNotMade(OseventsError):
    """Full passes that were waited for failed, or nobody is there to make them."""


async def wait_for(
    database: Database, ids: Sequence[UUID], format_: Format, *, clock: Clock
) -> None:
    """Return when all passes are over and printed; raises PassesNotMade when some are not done."""
    began = clock.now()
    told_at = began
    while True:
        passes = await FullPasses(database).some(ids)
        if all(each.state.over for each in passes):
            break
        now = clock.now()
        await _check_somebody_works(database, now)
        if now - told_at >= TELL_EVERY:
            told_at = now
            click.echo(progress(passes, now - began), err=True)
        await asyncio.sleep(LOOK_EVERY.total_seconds())
    print_rows([pass_row(each) for each in passes], PASS_COLUMNS, format_)
    failed = [f"{each.kind} of {each.cloud}" for each in passes if each.state is PassState.FAILED]
    if failed:
        raise PassesNotMade(
            f"{len(failed)} of {len(passes)} full passes failed: {', '.join(failed)};"
            " they are tried again in a minute"
        )


def progress(passes: Sequence[FullPass], running: timedelta) -> str:
    """Return in one line how far the passes are."""
    seconds = running.total_seconds()
    seen = sum(each.figures.seen for each in passes)
    over = Counter(each.state.over for each in passes)[True]
    under_way = [each for each in passes if each.state is PassState.RUNNING]
    kinds = [
        f"{each.kind} {each.figures.seen} in {each.figures.pages} pages"
        for each in under_way[:_SHOWN_AT_ONCE]
    ]
    if under_way[_SHOWN_AT_ONCE:]:
        kinds.append("...")
    return (
        f"{seconds:.0f} s  {over} of {len(passes)} passes over, {seen} objects"
        f" ({seen / seconds:.0f}/s)  {', '.join(kinds) or 'waiting for a refresher'}"
    )


def pass_row(each: FullPass) -> dict[str, Any]:
    """Return a pass as it is printed."""
    took = each.finished_at - each.place.began_at if each.finished_at and each.place else None
    return {
        "cloud": each.cloud,
        "kind": each.kind,
        "state": each.state,
        **asdict(each.figures),
        "seconds": took.total_seconds() if took else None,
        "error": each.error,
        "id": each.id,
    }


async def _check_somebody_works(database: Database, now: datetime) -> None:
    beats = await Heartbeats(database).latest(now - ALIVE)
    if not any(beat.service in _WORKERS for beat in beats):
        raise PassesNotMade(
            "no refresher is running: the full passes wait until one is"
            " (`osevents refresher` or `osevents up`); --no-wait asks without waiting"
        )
