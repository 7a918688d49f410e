"""The objects of one cloud as its APIs show them to us: lists, page by page, and single ones.

Lists are asked for as widely as our credentials may; what they do not show (other projects, what a
service cut off, what we may not read) is noted here, since it is not gone.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog

from services.refresher.catalogued import Offers
from services.refresher.learning import Lessons, Size
from services.refresher.parts import Parts
from services.refresher.permits import Permits
from services.refresher.refusals import forbids, says_gone
from services.refresher.replies import object_in, with_ids
from services.refresher.resources.model import Address, Below, Object, Resource
from services.refresher.scope import Scope
from shared.clock import Clock
from shared.errors import CloudInPart, CloudRefused, CloudUnavailable
from shared.openstack.client import CloudClient
from shared.openstack.paging import Params

log = structlog.get_logger(__name__)

_ONE: Params = (("limit", "1"),)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and when its read began."""

    items: Sequence[Object]
    observed_at: datetime
    in_part: bool = False
    """Whether the service said that there is more, which it cannot show now."""


class Objects:
    """What one cloud shows."""

    def __init__(
        self,
        client: CloudClient,
        lessons: Lessons,
        *,
        clock: Clock,
        sees_all_projects: bool = False,
    ) -> None:
        self.permits = Permits()
        self.scope = Scope(client, clock=clock, sees_all_projects=sees_all_projects)
        self.cut_off: set[str] = set()
        """Kinds whose latest list came in part: what it lacks is not seen by full passes."""
        self._client = client
        self._lessons = lessons
        self._clock = clock
        self._offers = Offers(client, clock=clock)
        self._parts = Parts(self._comes_in_part, clock=clock)
        self.absent: set[str] = set()
        """Kinds that the cloud did not have when it was asked, until a full pass is asked for."""

    @property
    def project_id(self) -> str | None:
        """The project of our credentials; None before the first token, and where there is none."""
        return self._client.project_id

    async def sees_all(self, resource: Resource) -> bool:
        """Whether a 404 says that an object is gone, and not only that we are not shown it.

        Raises CloudRefused and CloudUnavailable where that cannot be told.
        """
        if not self.scope.is_known(resource):
            async with aclosing(self._list(resource, Address(resource.path, _ONE))) as pages:
                async for _ in pages:
                    break
        return self.scope.sees_all(resource)

    async def has(self, resource: Resource) -> bool:
        """Whether the cloud has the kind; raises CloudUnavailable when that cannot be told."""
        found = await self._offers.has(resource)
        if not found:
            self.absent.add(resource.kind)
        return found

    async def one(self, resource: Resource, id_: str) -> Object:
        """Return one object, by its own address; raises CloudRefused and CloudUnavailable."""
        address = resource.address_of(id_)
        microversion = await self._offers.microversion(resource)
        try:
            reply = await self._client.get(
                resource.service_type,
                address.path,
                address.params,
                microversion=microversion,
                follow=True,
            )
        except CloudUnavailable as error:
            await self._parts.explain(resource, error)
            raise
        return object_in(reply, resource, id_)

    async def pages(self, resource: Resource, params: Params) -> AsyncIterator[Page]:
        """Yield the pages of a list; raises CloudRefused and CloudUnavailable.

        Of a kind below another these are the lists of every parent, one after the other.
        """
        if resource.vouched_for_by is not None:
            listed = [page async for page in self._list(resource, Address(resource.path, params))]
            try:
                vouched = await self._parts.vouch(resource, resource.vouched_for_by)
            except CloudInPart:
                self._note_cut(resource, cut=True)
                raise
            if vouched:
                self._note_cut(resource, cut=False)
            for page in listed:
                yield page if vouched else replace(page, in_part=True)
            return
        below = resource.below
        if below is None:
            async for page in self._list(resource, Address(resource.path, params)):
                yield page
            return
        async for parent in self._parents(resource, below):
            async for page in self.children(resource, parent, params):
                yield page

    async def _parents(self, resource: Resource, below: Below) -> AsyncIterator[Object]:
        """Yield all objects that have lists of the kind; ourselves where no users are listed."""
        try:
            async for page in self.pages(below.parent, below.parent.list_params):
                for parent in page.items:
                    yield parent
        except CloudRefused as error:
            user = self._client.user_id
            if user is None or not below.of_users or not forbids(error):
                raise
            self.scope.listed_ours(resource)
            yield {"id": user}
        else:
            self.scope.listed_all(resource)

    async def _comes_in_part(self, resource: Resource) -> bool:
        """Whether a list leaves out what it cannot show now; raises what `pages` raises."""
        return any([page.in_part async for page in self.pages(resource, resource.list_params)])

    async def children(
        self, resource: Resource, parent: Object, params: Params
    ) -> AsyncIterator[Page]:
        """Yield the list below one parent; a parent that went since it was listed has none.

        Raises what `pages` raises.
        """
        below = resource.below
        assert below is not None, "only kinds below another have lists of children"
        id_, address = str(below.parent.id_of(parent)), below.address(parent)
        listed = Address(address.path, (*address.params, *params))
        try:
            async for page in self._list(resource, listed, **{below.field: id_}):
                yield page
        except CloudRefused as error:
            if not says_gone(error, below.parent, id_):
                raise

    def refused(self, resource: Resource, error: CloudRefused, *, alone: bool) -> None:
        """Note a refusal: a 403 to a list, or to one object `alone`, tells what we may not read."""
        if forbids(error):
            now = self._clock.now()
            self.permits.refused(resource.kind, str(error), now, alone=alone)

    async def _list(
        self, resource: Resource, address: Address, **of: str
    ) -> AsyncGenerator[Page, None]:
        """Yield the pages of one list, of as many projects as we may see; `of` goes into them."""
        if self.scope.asks_widely(resource):
            wider = Address(address.path, (*address.params, *resource.wider))
            try:
                async for page in self._one_list(resource, wider, of, widely=True):
                    yield page
            except CloudRefused as error:
                if not self.scope.refuses(resource, error):
                    raise
            else:
                return
        of |= await self._own_project(resource)
        async for page in self._one_list(resource, address, of, widely=False):
            yield page

    async def _own_project(self, resource: Resource) -> dict[str, str]:
        """Return what lists of our own project leave out: which that is."""
        if not resource.own_project:
            return {}
        # The token tells it, and the endpoint is not known without one.
        await self._client.endpoint(resource.service_type)
        project = self._client.project_id
        return {resource.project_field: project} if resource.project_field and project else {}

    async def _one_list(
        self, resource: Resource, address: Address, of: Mapping[str, str], *, widely: bool
    ) -> AsyncIterator[Page]:
        pages = self._client.pages(
            resource.service_type,
            address.path,
            resource.collection,
            address.params,
            microversion=await self._offers.microversion(resource),
            paging=resource.paging,
        )
        observed_at = self._clock.now()
        page_count, object_count, in_part = 0, 0, False
        async for items in self._permitted(resource, pages, widely=widely):
            page_count, object_count = page_count + 1, object_count + len(items)
            shaped = [resource.shape({**item, **of}) for item in items]
            named = with_ids(shaped, resource, address.path)
            in_part = in_part or len(named) < len(shaped)
            self.scope.listed(resource, widely=widely)
            self.scope.showed(resource, named)
            yield Page(named, observed_at, in_part)
            observed_at = self._clock.now()
        told = (resource.service_type, resource.collection) in self._client.cut_off
        if resource.vouched_for_by is None:
            self._note_cut(resource, cut=told or in_part)
        if set(address.params) - set(resource.wider) == set(resource.list_params):
            self._lessons.sizes[resource.kind] = Size(page_count, object_count)

    def _note_cut(self, resource: Resource, *, cut: bool) -> None:
        """Tell, once, that a list comes cut off: what it lacks is only found by id."""
        if cut and resource.kind not in self.cut_off:
            log.warning("list_cut_off", cloud=self._client.name, kind=resource.kind)
            self.cut_off.add(resource.kind)
        elif not cut:
            self.cut_off.discard(resource.kind)

    async def _permitted(
        self, resource: Resource, pages: AsyncIterator[list[dict[str, Any]]], *, widely: bool
    ) -> AsyncIterator[list[dict[str, Any]]]:
        """Pass pages on, and note whether we may read them; `widely` is asking for more."""
        try:
            async for items in pages:
                self.permits.worked(resource.kind, self._clock.now())
                yield items
        except CloudRefused as error:
            if not widely:
                self.refused(resource, error, alone=False)
            raise
        except CloudUnavailable as error:
            await self._parts.explain(resource, error)
            raise
