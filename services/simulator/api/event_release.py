"""What the releases of Panko and of Ceilometer's Events API can do, and what they cannot.

From `api/controllers/v2/events.py` of Ceilometer 2014.2 to 7 and Panko 3 to 10.
"""

from dataclasses import dataclass, replace
from typing import Literal

EventRelease = Literal["panko", "panko-4.0.0", "panko-3", "newton", "mitaka", "kilo", "juno"]
_CONDITIONS = frozenset({"q.field", "q.op", "q.value", "q.type"})


@dataclass(frozen=True, slots=True)
class Release:
    """One release's ways."""

    service_type: str = "event"
    path: str = "/event"
    parameters: frozenset[str] = _CONDITIONS | {"limit", "sort", "marker"}
    all_tenants: bool = True
    """Whether administrators may ask for the events of all projects."""
    admin_only: bool = False
    start: str = "start_timestamp"
    end: str = "end_timestamp"
    start_op: str | None = "ge"
    """The one operator that `start` takes; None: any, all meaning the same."""
    end_op: str | None = "le"

    @property
    def limited(self) -> bool:
        """Whether a page ends after so many events."""
        return "limit" in self.parameters


_CEILOMETER = Release(
    service_type="metering", path="/metering", parameters=_CONDITIONS, all_tenants=False
)
_KILO = replace(_CEILOMETER, admin_only=True, start_op=None, end_op=None)
_NEWTON = replace(_CEILOMETER, parameters=_CONDITIONS | {"limit"})

RELEASES: dict[EventRelease, Release] = {
    "panko": Release(),
    "panko-4.0.0": Release(start_op="eq", end_op="eq"),
    "panko-3": Release(all_tenants=False),
    "newton": _NEWTON,
    "mitaka": replace(_NEWTON, start_op="eq", end_op="eq"),
    "kilo": _KILO,
    "juno": replace(_KILO, start="start_time", end="end_time"),
}
