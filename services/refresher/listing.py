"""The pages that a full pass reads: one ahead, and gone on with where they were left.

Most lists go on after a marker, the id of the last object so far. On a living cloud that object may
be gone by then, which most services answer with 400 or 404 (some lists go on all the same: Nova's
servers, Cinder's volume types): the list then goes on after one before it, and only when none of
those is left does it begin anew.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import structlog

from services.refresher.objects import Objects, Page
from services.refresher.refusals import refuses_the_marker
from services.refresher.resources.model import Resource
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable
from shared.openstack.paging import Paging, Params
from shared.store.passes import Place

T = TypeVar("T")

_TIMES_ANEW = 2

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ListedPage:
    """One page, and where the pass stands when it is written."""

    page: Page
    place: Place
    anew: bool = False
    """The pass has begun anew with this page: what it counted before is void."""


class _Lost(Exception):
    """None of the markers is known to the service any more."""

    def __init__(self, refusal: CloudRefused) -> None:
        super().__init__(str(refusal))
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Listing:
    """All lists of one kind, from a place on."""

    objects: Objects
    resource: Resource
    clock: Clock

    async def pages(self, place: Place) -> AsyncGenerator[ListedPage, None]:
        """Yield the pages from `place` on; raises CloudRefused and CloudUnavailable."""
        anew = False
        for times in range(_TIMES_ANEW + 1):
            try:
                async for page, reached in self._from(place):
                    yield ListedPage(page, reached, anew)
                    anew = False
            except _Lost as lost:
                if times == _TIMES_ANEW:
                    raise lost.refusal from lost
                log.info("full_pass_anew", kind=self.resource.kind, reason=str(lost))
                place, anew = Place(self.clock.now()), True
            else:
                return

    async def _from(self, place: Place) -> AsyncGenerator[tuple[Page, Place], None]:
        lists = self.resource.full_lists
        for number in range(place.list, len(lists)):
            markers = place.markers if number == place.list else ()
            async for page, reached in self._list(lists[number], markers):
                yield page, Place(place.began_at, number, reached)

    async def _list(
        self, params: Params, markers: tuple[str, ...]
    ) -> AsyncGenerator[tuple[Page, tuple[str, ...]], None]:
        """Yield the pages of one list after `markers`, and the markers after each page."""
        asked = (*self.resource.list_params, *params)
        while True:
            after = (("marker", markers[0]),) if markers else ()
            try:
                async for page in self.objects.pages(self.resource, (*asked, *after)):
                    markers = _markers(self.resource, page) or markers
                    yield page, markers
            except CloudRefused as refusal:
                if not markers or not refuses_the_marker(refusal):
                    raise
                markers = markers[1:]
                if not markers:
                    raise _Lost(refusal) from refusal
            else:
                return


def _markers(resource: Resource, page: Page) -> tuple[str, ...]:
    """Return ids to go on after: the last, and from there back in steps that double.

    None for a kind whose list is not asked for in pages, goes on at an offset, is many lists,
    or whose ids are ours.
    """
    if "limit" not in dict(resource.list_params) or resource.below is not None:
        return ()
    if resource.paging is Paging.OFFSET or resource.own_project:
        return ()
    ids: Sequence[str] = [str(resource.id_of(item)) for item in page.items]
    return tuple(ids[-(1 << step)] for step in range(len(ids).bit_length()))


async def one_ahead(pages: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """Yield what `pages` does, the next being read while the caller works on this one."""

    async def read() -> T | None:
        return await anext(pages, None)

    following = asyncio.create_task(read())
    try:
        while (page := await following) is not None:
            following = asyncio.create_task(read())
            yield page
    finally:
        following.cancel()
        # Whoever leaves early has no use for the page after the last, nor for its error.
        with suppress(asyncio.CancelledError, CloudRefused, CloudUnavailable):
            await following
