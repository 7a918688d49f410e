"""The objects that a read of something below them has to go through: a stack, for its resources."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.refresher.objects import Objects
from services.refresher.planner import C, Read
from services.refresher.refusals import says_gone
from services.refresher.resources.model import Below, Life, Object, Resource
from shared.errors import CloudRefused
from shared.target import BY_ID


@dataclass(frozen=True, slots=True)
class Parents:
    """Whose lists hold what a read asks for."""

    shown: Sequence[Object]
    """Those that live, as much of them as is needed to ask for their lists."""
    hidden: frozenset[str] = frozenset()
    """Ids of those that may live, and that we are not shown."""


async def parents_of(read: Read[C], below: Below, objects: Objects) -> Parents:
    """Return what the objects that `read` asks for are below.

    Raises CloudRefused and CloudUnavailable.
    """
    if read.by in below.through:
        return Parents(
            [
                parent
                for key in read.keys
                async for page in objects.pages(
                    below.parent, (*below.parent.list_params, (read.by, key))
                )
                for parent in page.items
            ]
        )
    ids = dict.fromkeys(key if read.by != BY_ID else key.partition("/")[0] for key in read.keys)
    if below.by_id:
        return Parents([{"id": id_} for id_ in ids])
    return await _looked_for(below.parent, list(ids), objects)


async def _looked_for(resource: Resource, ids: Sequence[str], objects: Objects) -> Parents:
    """Look for some objects; of what a list leaves out, single reads decide."""
    shown: list[Object] = []
    if resource.redirects and resource.ids_filter is not None:
        params = (*resource.list_params, *resource.ids_filter(ids))
        shown = [
            item
            async for page in objects.pages(resource, params)
            for item in page.items
            if resource.id_of(item) in ids and resource.life(item) is Life.LIVING
        ]
    hidden: set[str] = set()
    for id_ in sorted(set(ids) - {str(resource.id_of(item)) for item in shown}):
        try:
            item = await objects.one(resource, id_)
        except CloudRefused as error:
            if not says_gone(error, resource, id_):
                raise
            if not await objects.sees_all(resource):
                hidden.add(id_)
        else:
            if resource.life(item) is Life.LIVING:
                shown.append(item)
    return Parents(shown, frozenset(hidden))
