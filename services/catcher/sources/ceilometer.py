"""How the Events API of Ceilometer, Juno to Newton, wants to be asked.

See `services.catcher.sources.events_api.Dialect`. It is Panko's ancestor, without `marker`, `sort`
and `all_tenants`. By release: Icehouse and Juno call the times `start_time` and `end_time`; they
and Kilo know no `limit` and give everything at once, to administrators only; since Liberty tenants
get their own events and administrators those of their project and of none; Mitaka compares with
`eq` only (and means "at or after"). Newton, and what is left in Ocata, may redirect to Panko.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from services.catcher.sources.events_api import Dialect, Params, Reader, condition, spelled
from services.catcher.sources.panko import common_way_out, times, unknown, wants_eq
from services.catcher.sources.sweep import EARLIEST, Query, Sweep, WindowSweep, time_of
from shared.errors import CloudRefused, CloudUnavailable

_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
_NEVER = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ceilometer:
    """Ceilometer, as new as nothing has shown otherwise."""

    can_limit: bool = True
    only_eq: bool = False
    old_names: bool = False
    """`start_time` instead of `start_timestamp`."""

    name = "ceilometer"
    service_type = "metering"
    can_sort = False

    def sweep(self, since: datetime | None, until: datetime | None) -> Sweep:
        """See `Dialect`."""
        return WindowSweep(since or EARLIEST, until)

    def restored(self, saved: Mapping[str, Any], until: datetime | None) -> Sweep:
        """See `Dialect`."""
        return self.sweep(time_of(saved["since"]), until)

    def params(self, query: Query, *, newest_first: bool = False) -> Params:
        """See `Dialect`."""
        assert not newest_first, "it cannot sort"
        limit: Params = (("limit", str(query.limit)),) if self.can_limit else ()
        if not self.old_names:
            return limit + times(query, only_eq=self.only_eq)
        params = limit
        if query.since is not None:
            params += condition("start_time", "eq", spelled(query.since), "datetime")
        if query.until is not None:
            params += condition("end_time", "eq", spelled(query.until), "datetime")
        return params

    def learnt(self, refusal: CloudRefused | CloudUnavailable) -> Dialect | None:
        """See `Dialect`."""
        if wants_eq(refusal) and not self.only_eq:
            return replace(self, only_eq=True)
        if unknown(refusal, "limit") and self.can_limit:
            return replace(self, can_limit=False)
        return None

    def way_out(self, refusal: CloudRefused) -> str:
        """See `Dialect`."""
        if refusal.status in _GONE:
            return (
                "this Ceilometer serves no events (since Ocata they are Panko's); "
                "use `source: panko`, or `amqp`"
            )
        if refusal.status == HTTPStatus.UNAUTHORIZED:
            return (
                "before Liberty it shows events to administrators only: give our user the role "
                "`admin` in its project"
            )
        return common_way_out(refusal)

    async def acquainted(self, reader: Reader) -> Dialect:
        """See `Dialect`.

        Juno takes `start_timestamp` for the name of a trait, and gives an empty list without a
        word. Kilo fails to read a time that is none; Juno compares it with a trait that nothing
        has.
        """
        await reader.page(Query(_NEVER, None, 1))
        learnt = reader.dialect
        if learnt.can_limit or not isinstance(learnt, Ceilometer):
            return learnt
        try:
            await reader.get("/events", condition("start_timestamp", "eq", "no time", "string"))
        except (CloudRefused, CloudUnavailable):
            return learnt
        return replace(learnt, old_names=True)
