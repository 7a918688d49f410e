"""Makes planned reads through one cloud's API, and says what became of every claim.

Only two things say that an object is gone: a 404 to a read of that very object (`says_gone`) where
our credentials would be shown it (`Objects.sees_all`), and the object itself (`Resource.life`). An
id that a list leaves out is asked for alone; where the API has no such read, a list of everything,
read to its end and not empty, has to do. Every other failure is handed back, and leaves the
inventory as it is.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from services.refresher.findings import WHOLE_AGAIN_SECONDS, Findings, Listed
from services.refresher.learning import Lessons
from services.refresher.objects import Objects, Page
from services.refresher.parents import Parents, parents_of
from services.refresher.planner import C, Form, Read, halves, reads_of, singles
from services.refresher.refusals import (
    lists_ids,
    may_be_shortened,
    nothing_has_it,
    refuses_ids,
    refuses_the_filter,
    says_gone,
)
from services.refresher.resources.model import Object, Resource
from shared.clock import Clock
from shared.errors import CloudInPart, CloudRefused, CloudUnavailable
from shared.openstack.client import CloudClient
from shared.resource import ResourceRef
from shared.snapshot import Cause
from shared.target import BY_ID


class _FilterIgnored(Exception):
    """The list holds what was not asked for, so that what it lacks means nothing."""


class Reader:
    """Reads the objects of one cloud."""

    def __init__(
        self, client: CloudClient, *, clock: Clock, sees_all_projects: bool = False
    ) -> None:
        self.lessons = Lessons()
        self.objects = Objects(
            client, self.lessons, clock=clock, sees_all_projects=sees_all_projects
        )
        self._cloud = client.name
        self._clock = clock

    async def read(self, read: Read[C]) -> Findings[C]:
        """Return what became of every claim of `read`; what the cloud refuses is told in there."""
        try:
            return await self._attempt(read)
        except _FilterIgnored:
            self.lessons.no_id_lists.add(read.resource.kind)
        except (CloudRefused, CloudUnavailable) as error:
            if may_be_shortened(read, error):
                self.lessons.rooms[read.resource.service_type].failed(read.query_bytes)
                return await self._all(halves(read, self.lessons))
            if refuses_the_filter(read, error):
                self.lessons.no_filters.add((read.resource.kind, read.by))
                return await self._all(reads_of(read.resource, read.by, read.claims, self.lessons))
            if not refuses_ids(read, error):
                return self._failed(read, error)
            self.lessons.no_id_lists.add(read.resource.kind)
        return await self._all(singles(read.resource, read.claims))

    async def _attempt(self, read: Read[C]) -> Findings[C]:
        if read.form is Form.SINGLE:
            return await self._single(read)
        if read.by != BY_ID:
            return await self._related(read)
        if lists_ids(read) and read.resource.kind in self.lessons.no_id_lists:
            return await self._all(singles(read.resource, read.claims))
        return await self._several(read)

    async def _single(self, read: Read[C]) -> Findings[C]:
        resource, id_ = read.resource, read.keys[0]
        findings: Findings[C] = Findings(self._cloud)
        cause = Cause.parse(read.claims[-1].target.cause)
        observed_at = self._clock.now()
        try:
            item = await self.objects.one(resource, id_)
        except CloudRefused as error:
            if not says_gone(error, resource, id_):
                self.objects.refused(resource, error, alone=True)
                raise
            if await self.objects.sees_all(resource):
                findings.miss(resource, id_, cause, at=observed_at)
            else:
                findings.doubt(resource, id_, cause, at=observed_at)
            findings.settled += read.claims
        else:
            self.objects.permits.worked(resource.kind, self._clock.now())
            self._settle(findings, resource, read.claims, item, at=observed_at)
        return findings

    async def _several(self, read: Read[C]) -> Findings[C]:
        """Read ids with one list; those that it leaves out are asked for one by one."""
        findings: Findings[C] = Findings(self._cloud)
        claims = {claim.target.key: claim for claim in read.claims}
        left = set(claims)
        began, seen, in_part = self._clock.now(), 0, False
        below = read.resource.below
        pages, hidden = await self._asked(read)
        async for page in pages:
            seen, in_part = seen + len(page.items), in_part or page.in_part
            for item in page.items:
                id_ = str(read.resource.id_of(item))
                if id_ not in claims:
                    if read.form is Form.FILTER:
                        raise _FilterIgnored
                    findings.show(read.resource, item, at=page.observed_at, noted=False)
                elif id_ in left:
                    left.remove(id_)
                    self._settle(findings, read.resource, [claims[id_]], item, at=page.observed_at)
        self._learn(read, shown=len(claims) - len(left))
        missing = [claims[id_] for id_ in sorted(left)]
        if read.resource.item_path is not None:
            findings.add(await self._all(singles(read.resource, missing)))
        elif in_part:
            message = (
                f"{read.resource.path} is shown in part only, without {', '.join(sorted(left))}"
            )
            findings.wait(missing, CloudInPart(message, retry_after_seconds=WHOLE_AGAIN_SECONDS))
        elif seen or below is not None:
            for claim in missing:
                cause, key = Cause.parse(claim.target.cause), claim.target.key
                note = findings.doubt if key.partition("/")[0] in hidden else findings.miss
                note(read.resource, key, cause, at=began)
            findings.settled += missing
        else:
            message = f"the list of {read.resource.path} is empty, which tells nothing of its parts"
            findings.fail(missing, CloudUnavailable(message))
        return findings

    async def _related(self, read: Read[C]) -> Findings[C]:
        """Read all objects with some values of a field."""
        findings: Findings[C] = Findings(self._cloud)
        causes = {claim.target.key: Cause.parse(claim.target.cause) for claim in read.claims}
        first = next(iter(causes.values()))
        began = self._clock.now()
        pages, _ = await self._asked(read)
        async for page in pages:
            for item in page.items:
                cause = causes.get(str(item.get(read.by)), first)
                wanted = read.form is Form.FILTER or str(item.get(read.by)) in causes
                if wanted:
                    findings.note(read.resource, item, cause, at=page.observed_at)
                findings.show(read.resource, item, at=page.observed_at, noted=wanted)
        self._learn(read, shown=len(read.keys))
        below = read.resource.below
        if below is None or read.by == below.field:
            findings.lists.append(Listed(read.resource.kind, read.by, read.keys, began, first))
        findings.settled += read.claims
        return findings

    async def _asked(self, read: Read[C]) -> tuple[AsyncIterator[Page], frozenset[str]]:
        """Return the pages that hold what `read` asks for, and the ids of parents that are hidden.

        Nothing is known of what is below those: they may live, and we are not shown them.
        """
        below = read.resource.below
        if below is None:
            return self._listed(read), frozenset()
        parents = await parents_of(read, below, self.objects)
        return self._below(read.resource, parents), parents.hidden

    async def _listed(self, read: Read[C]) -> AsyncIterator[Page]:
        """Yield the pages of a list; one that is refused since what it is of is gone is empty."""
        try:
            async for page in self.objects.pages(read.resource, read.params):
                yield page
        except CloudRefused as error:
            if not nothing_has_it(read, error):
                raise

    async def _below(self, resource: Resource, parents: Parents) -> AsyncIterator[Page]:
        for parent in parents.shown:
            async for page in self.objects.children(resource, parent, resource.list_params):
                yield page

    def _learn(self, read: Read[C], *, shown: int) -> None:
        if read.form is Form.FILTER:
            room = self.lessons.rooms[read.resource.service_type]
            room.worked(len(read.keys), read.query_bytes)
        elif read.form is Form.SINCE:
            self.lessons.saw(read.resource.kind, wanted=len(read.keys), shown=shown)

    async def _all(self, reads: Sequence[Read[C]]) -> Findings[C]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.read(read)) for read in reads]
        findings: Findings[C] = Findings(self._cloud)
        for task in tasks:
            findings.add(task.result())
        return findings

    def _settle(
        self,
        findings: Findings[C],
        resource: Resource,
        claims: Sequence[C],
        item: Object,
        *,
        at: datetime,
    ) -> None:
        """Answer claims by the object that they ask for."""
        target = claims[-1].target
        try:
            findings.note(resource, item, Cause.parse(target.cause), at=at)
        except CloudInPart as error:
            findings.seen[ResourceRef(self._cloud, resource.kind, target.key)] = at
            findings.wait(claims, error)
        else:
            findings.settled += claims

    def _failed(self, read: Read[C], error: CloudRefused | CloudUnavailable) -> Findings[C]:
        findings: Findings[C] = Findings(self._cloud)
        if isinstance(error, CloudInPart):
            findings.wait(read.claims, error)
        else:
            findings.fail(read.claims, error)
        return findings
