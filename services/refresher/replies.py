"""What a reply has to hold to be believed: the object asked for, and objects with ids. Pure."""

from collections.abc import Sequence
from typing import Any

from services.refresher.resources.model import Life, Object, Resource
from shared.errors import CloudUnavailable


def object_in(reply: Any, resource: Resource, id_: str) -> Object:
    """Return the object `id_` that a read of it gave; raises CloudUnavailable for anything else."""
    item = reply
    if resource.item_key is not None and isinstance(reply, dict):
        item = reply.get(resource.item_key)
    shaped = resource.shape(item) if isinstance(item, dict) else {}
    if resource.id_of(shaped) != id_:
        raise CloudUnavailable(f"the reply to a read of {resource.kind} {id_} is not that object")
    return shaped


def with_ids(items: Sequence[Object], resource: Resource, path: str) -> list[Object]:
    """Return the objects of a list without those of which the service knows too little for an id.

    Raises CloudUnavailable where others have none.
    """
    nameless = [item for item in items if not resource.id_of(item)]
    if any(resource.life(item) is not Life.UNSURE for item in nameless):
        raise CloudUnavailable(f"the list of {path} holds objects without an id")
    return [item for item in items if resource.id_of(item)] if nameless else list(items)
