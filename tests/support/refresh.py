"""Builders for tests of the refresher: targets, claims, and Neutron-like lists."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from shared.target import BY_ID, Target
from tests.support.events import NOON


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claim as the planner sees one."""

    target: Target
    asked_at: datetime = NOON


def target(kind: str = "port", key: str = "p1", by: str = BY_ID, **different: str) -> Target:
    """Ask for a port, unless told otherwise."""
    fields = {"cloud": "prod", "cause": f"event-of-{key}", "why": "subject of a test"}
    return Target(kind=kind, by=by, key=key, **fields | different)


def claims(kind: str, *keys: str, by: str = BY_ID, at: datetime = NOON) -> list[Claimed]:
    """Claim targets of one kind, asked for `at` a time."""
    return [Claimed(target(kind, key, by), at) for key in keys]


class Table:
    """A Neutron collection: lists with repeated filters, single objects, 404 in Neutron's words."""

    def __init__(self, collection: str, item: str, objects: Iterable[Mapping[str, Any]]) -> None:
        self.collection = collection
        self.item = item
        self.objects = {str(one["id"]): dict(one) for one in objects}
        self.hidden: set[str] = set()
        """Left out of lists, as a read that met a page boundary would."""

    async def list(self, request: web.Request) -> web.StreamResponse:
        """Answer a list; all filters must match, any value of a repeated one."""
        fields = set(request.query) - {"limit", "marker"}
        found = [
            one
            for id_, one in sorted(self.objects.items())
            if id_ not in self.hidden
            and all(str(one.get(field)) in request.query.getall(field) for field in fields)
        ]
        return web.json_response({self.collection: found})

    async def show(self, request: web.Request) -> web.StreamResponse:
        """Answer one object by the end of the path."""
        id_ = request.path.rpartition("/")[2]
        if id_ not in self.objects:
            body = {"NeutronError": {"message": f"{self.item} {id_} could not be found."}}
            return web.json_response(body, status=404)
        return web.json_response({self.item: self.objects[id_]})
