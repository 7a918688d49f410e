"""How Panko 1 to 10 wants to be asked; see `services.catcher.sources.events_api.Dialect`.

Differences by release: `all_tenants` came with 4 (Queens; before, an administrator sees their own
project's events and those without one), and exactly 4.0.0 compares times with `eq` only (which
means "at or after" there all the same); Panko 1 (Newton) knows no `marker` and no `sort`, and is
asked as Ceilometer is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from services.catcher.sources.events_api import Dialect, Params, Reader, condition, spelled
from services.catcher.sources.sweep import EARLIEST, MarkerSweep, Query, Sweep, WindowSweep, time_of
from shared.errors import CloudRefused, CloudUnavailable

_REDIRECTS = frozenset(
    {
        HTTPStatus.MOVED_PERMANENTLY,
        HTTPStatus.FOUND,
        HTTPStatus.TEMPORARY_REDIRECT,
        HTTPStatus.PERMANENT_REDIRECT,
    }
)


@dataclass(frozen=True, slots=True)
class Panko:
    """Panko, as new as nothing has shown otherwise."""

    all_tenants: bool = True
    only_eq: bool = False
    pages: bool = True
    """Whether it knows `marker` and `sort`."""

    name = "panko"
    service_type = "event"
    can_limit = True

    @property
    def can_sort(self) -> bool:
        """See `Dialect`."""
        return self.pages

    def sweep(self, since: datetime | None, until: datetime | None) -> Sweep:
        """See `Dialect`."""
        if self.pages:
            return MarkerSweep(since, until)
        return WindowSweep(since or EARLIEST, until)

    def restored(self, saved: Mapping[str, Any], until: datetime | None) -> Sweep:
        """See `Dialect`."""
        since = time_of(saved["since"])
        if self.pages:
            reached = time_of(saved.get("reached"))
            return MarkerSweep(since, until, saved.get("after"), reached)
        return self.sweep(since, until)

    def params(self, query: Query, *, newest_first: bool = False) -> Params:
        """See `Dialect`. Without `limit` it would give 100; it takes any number."""
        params: Params = (("limit", str(query.limit)),)
        if self.all_tenants:
            params += condition("all_tenants", "eq", "True", "string")
        params += times(query, only_eq=self.only_eq)
        if newest_first:
            params += (("sort", "generated:desc"),)
        if query.after is not None:
            params += (("marker", query.after),)
        return params

    def learnt(self, refusal: CloudRefused | CloudUnavailable) -> Dialect | None:
        """See `Dialect`."""
        if wants_eq(refusal) and not self.only_eq:
            return replace(self, only_eq=True)
        if self.pages and unknown(refusal, "sort"):
            return replace(self, pages=False, all_tenants=False)
        return None

    def way_out(self, refusal: CloudRefused) -> str:
        """See `Dialect`."""
        return common_way_out(refusal)

    async def acquainted(self, reader: Reader) -> Dialect:
        """See `Dialect`.

        An empty list with `all_tenants` may mean three things: there are no events; the caller is
        no administrator, so that it was taken for the name of a trait; the release takes it for
        one. The types of events, shown to administrators only, tell them apart.
        """
        if self.pages:
            await reader.newest()  # which releases refuse that cannot do it
        known = reader.dialect
        if await reader.oldest() is not None or not isinstance(known, Panko):
            return known
        if not known.all_tenants:
            return known
        try:
            types = await reader.get("/event_types")
        except CloudRefused as refusal:
            if refusal.status not in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                raise
            raise CloudRefused(
                f"Panko of cloud {reader.cloud} shows no events because our user is no "
                "administrator there: give it the role `admin` in its project, or name another "
                "one in clouds.yaml",
                status=refusal.status,
            ) from refusal
        # One may have come in between.
        if not types or await reader.oldest() is not None:
            return known
        return replace(known, all_tenants=False)


def times(query: Query, *, only_eq: bool) -> Params:
    """Return the conditions on the time as every release since Kilo calls them."""
    params: Params = ()
    if query.since is not None:
        op = "eq" if only_eq else "ge"
        params += condition("start_timestamp", op, spelled(query.since), "datetime")
    if query.until is not None:
        op = "eq" if only_eq else "le"
        params += condition("end_timestamp", op, spelled(query.until), "datetime")
    return params


def wants_eq(refusal: CloudRefused | CloudUnavailable) -> bool:
    """Tell whether the release compares times with `eq` only: Mitaka, and Panko 4.0.0."""
    return "Only `eq'" in str(refusal)


def unknown(refusal: CloudRefused | CloudUnavailable, parameter: str) -> bool:
    """Tell whether the release does not know a parameter; WSME's words."""
    return f'Unknown argument: "{parameter}"' in str(refusal)


def common_way_out(refusal: CloudRefused) -> str:
    """Return what can be done about refusals that all releases share; empty: nothing known."""
    if refusal.status == HTTPStatus.FORBIDDEN:
        return (
            "events are shown to project-scoped users only; give this cloud's entry in clouds.yaml "
            "a project (`project_name`) and no `system_scope`"
        )
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        return "the service does not accept Keystone's token; look at its [keystone_authtoken]"
    if refusal.status in _REDIRECTS:
        return "this service sends its clients on to Panko; use `source: panko`"
    return ""
