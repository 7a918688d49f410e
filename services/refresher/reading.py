"""Makes planned reads, and the lists of full passes, through one cloud's API.

Only two things say that an object is gone: a 404 to a read of that very object (`says_gone`), and
the object itself (`Resource.life`). An id that a list leaves out is asked for alone; every other
failure is handed back, and leaves the inventory as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from services.refresher.findings import Findings, Listed, says_gone
from services.refresher.planner import C, Form, Read, halves, singles
from services.refresher.resources.port import Object, Resource
from shared.clock import Clock
from shared.errors import CloudRefused, CloudUnavailable
from shared.openstack.client import CloudClient
from shared.openstack.paging import Params
from shared.snapshot import Cause
from shared.target import BY_ID

_NOT_UNDERSTOOD = 400
_TOO_LONG = frozenset({413, 414, 431})


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, and when its read began."""

    items: Sequence[Object]
    observed_at: datetime


class _FilterIgnored(Exception):
    """The list holds what was not asked for, so that what it lacks means nothing."""


class Reader:
    """Reads the objects of one cloud."""

    def __init__(self, client: CloudClient, *, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._no_id_lists: set[str] = set()

    async def has(self, resource: Resource) -> bool:
        """Whether the cloud has the service; raises CloudUnavailable when that cannot be told."""
        return await self._client.endpoint(resource.service_type) is not None

    async def pages(self, resource: Resource, params: Params) -> AsyncIterator[Page]:
        """Yield the pages of a list; raises CloudRefused and CloudUnavailable."""
        pages = self._client.pages(
            resource.service_type,
            resource.path,
            resource.collection,
            params,
            microversion=await self._microversion(resource),
        )
        observed_at = self._clock.now()
        async for items in pages:
            if not all(isinstance(item.get("id"), str) for item in items):
                raise CloudUnavailable(f"the list of {resource.path} holds objects without an id")
            yield Page(items, observed_at)
            observed_at = self._clock.now()

    async def read(self, read: Read[C]) -> Findings[C]:
        """Return what became of every claim of `read`; what the cloud refuses is told in there."""
        try:
            return await self._attempt(read)
        except _FilterIgnored:
            self._no_id_lists.add(read.resource.kind)
        except CloudUnavailable as error:
            return self._failed(read, error)
        except CloudRefused as error:
            if error.status in _TOO_LONG and len(read.keys) > 1:
                return await self._all(halves(read))
            if error.status != _NOT_UNDERSTOOD or not _lists_ids(read):
                return self._failed(read, error)
            self._no_id_lists.add(read.resource.kind)
        return await self._all(singles(read.resource, read.claims))

    async def _attempt(self, read: Read[C]) -> Findings[C]:
        if read.form is Form.SINGLE:
            return await self._single(read)
        if read.by != BY_ID:
            return await self._related(read)
        if _lists_ids(read) and read.resource.kind in self._no_id_lists:
            return await self._all(singles(read.resource, read.claims))
        return await self._several(read)

    async def _single(self, read: Read[C]) -> Findings[C]:
        resource, id_ = read.resource, read.keys[0]
        findings: Findings[C] = Findings(self._client.name)
        cause = Cause.parse(read.claims[-1].target.cause)
        observed_at = self._clock.now()
        try:
            reply = await self._client.get(
                resource.service_type,
                f"{resource.item_path}/{quote(id_, safe='')}",
                microversion=await self._microversion(resource),
            )
            findings.note(resource, _object(resource, id_, reply), cause, at=observed_at)
        except CloudRefused as error:
            if not says_gone(error, id_):
                raise
            findings.miss(resource, id_, cause, at=observed_at)
        findings.settled += read.claims
        return findings

    async def _several(self, read: Read[C]) -> Findings[C]:
        """Read ids with one list; those that it leaves out are asked for one by one."""
        findings: Findings[C] = Findings(self._client.name)
        claims = {claim.target.key: claim for claim in read.claims}
        params = read.params if read.form is Form.FILTER else read.resource.list_params
        left = set(claims)
        async for page in self.pages(read.resource, params):
            for item in page.items:
                id_ = str(item.get("id"))
                if id_ not in claims:
                    if read.form is Form.FILTER:
                        raise _FilterIgnored
                elif id_ in left:
                    left.remove(id_)
                    self._settle(findings, read.resource, claims[id_], item, at=page.observed_at)
        missing = [claims[id_] for id_ in sorted(left)]
        findings.add(await self._all(singles(read.resource, missing)))
        return findings

    async def _related(self, read: Read[C]) -> Findings[C]:
        """Read all objects with some values of a field."""
        findings: Findings[C] = Findings(self._client.name)
        causes = {claim.target.key: Cause.parse(claim.target.cause) for claim in read.claims}
        first = next(iter(causes.values()))
        began = self._clock.now()
        async for page in self.pages(read.resource, read.params):
            for item in page.items:
                cause = causes.get(str(item.get(read.by)), first)
                findings.note(read.resource, item, cause, at=page.observed_at)
        findings.lists.append(Listed(read.resource.kind, read.by, read.keys, began, first))
        findings.settled += read.claims
        return findings

    async def _all(self, reads: Sequence[Read[C]]) -> Findings[C]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.read(read)) for read in reads]
        findings: Findings[C] = Findings(self._client.name)
        for task in tasks:
            findings.add(task.result())
        return findings

    def _settle(
        self, findings: Findings[C], resource: Resource, claim: C, item: Object, *, at: datetime
    ) -> None:
        try:
            findings.note(resource, item, Cause.parse(claim.target.cause), at=at)
        except CloudUnavailable as error:
            findings.fail([claim], error)
        else:
            findings.settled.append(claim)

    def _failed(self, read: Read[C], error: CloudRefused | CloudUnavailable) -> Findings[C]:
        findings: Findings[C] = Findings(self._client.name)
        findings.fail(read.claims, error)
        return findings

    async def _microversion(self, resource: Resource) -> str | None:
        if resource.microversion is None:
            return None
        endpoint = await self._client.endpoint(resource.service_type)
        newest = endpoint.max_microversion if endpoint else None
        wanted = resource.microversion if newest is None else min(resource.microversion, newest)
        return ".".join(map(str, wanted))


def _lists_ids(read: Read[C]) -> bool:
    return read.form is Form.FILTER and read.by == BY_ID


def _object(resource: Resource, id_: str, reply: Any) -> Object:
    item = reply
    if resource.item_key is not None and isinstance(reply, dict):
        item = reply.get(resource.item_key)
    if not isinstance(item, dict) or str(item.get("id")) != id_:
        raise CloudUnavailable(f"the reply to a read of {resource.kind} {id_} is not that object")
    return item
