"""`osevents status --drift`: what the latest full passes had to correct, and why."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from services.refresher.drift import DriftLine, DriftReport, Why, expected_types
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.load import builtin
from shared.catalogue.silence import silence
from shared.store.database import Database
from shared.store.drift import Drift
from shared.store.passes import FullPass, FullPasses
from shared.store.timeline import Timeline, TimelineFilter, TimelineRow

DRIFT_COLUMNS = (
    "cloud", "kind", "change", "field", "old", "new", "count", "why", "explanation", "examples",
)  # fmt: skip
UNDER_WAY = timedelta(seconds=5)
"""How long an event may take from its sender to the inventory, its merge window included."""


async def drift(database: Database) -> list[dict[str, Any]]:
    """Return what the latest pass of each kind corrected, as it is printed; the lost first."""
    catalogue = builtin()
    rows: list[dict[str, Any]] = []
    for full_pass in await FullPasses(database).latest_done():
        if full_pass.first:
            continue
        report = DriftReport(silence())
        found = Drift(database).corrections(
            full_pass.id, fields=silence().asked_for, under_way=UNDER_WAY
        )
        async for one in found:
            report.take(one)
        for line in report.lines():
            last = await _last_event(database, line) if line.why is Why.LOST else None
            rows.append(_row(full_pass, line, last, catalogue))
    return _the_lost_first(rows)


def _the_lost_first(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    order = list(Why)
    return sorted(rows, key=lambda row: order.index(row["why"]))


async def _last_event(database: Database, line: DriftLine) -> TimelineRow | None:
    """Return the last that was heard of the first example."""
    about = TimelineFilter(cloud=line.cloud, kind=line.kind, id=line.examples[0])
    found = await Timeline(database).find(about, most=1)
    return found[0] if found else None


def _row(
    full_pass: FullPass, line: DriftLine, last: TimelineRow | None, catalogue: Catalogue
) -> dict[str, Any]:
    missing = expected_types(catalogue, line.kind, line.change) if line.why is Why.LOST else []
    return {
        **asdict(line),
        "missing": missing,
        "last_event": {"type": last.type, "time": last.time} if last else None,
        "explanation": _explanation(line, missing, last),
        "pass": full_pass.id,
        "finished_at": full_pass.finished_at,
    }


def _explanation(line: DriftLine, missing: list[str], last: TimelineRow | None) -> str:
    if line.why is Why.SILENT:
        return line.reason or ""
    if line.why is Why.TOLD:
        return "its event was under way"
    types = " or ".join(missing) or "event"
    return f"no {types} came" + (f" after {_second(last.time)}" if last else "")


def _second(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
