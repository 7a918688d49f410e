"""A lean server shaped like Panko, and enough of a Keystone: `events_server COUNT PORT`.

Its events are made as they are asked for, from their numbers, so that it is not what a benchmark
measures. They are a hundred a second, each with the whole notification in it, as `store_raw` keeps.
"""

import sys
from datetime import UTC, datetime, timedelta

from aiohttp import web

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(milliseconds=10)
_EVENT = (
    '{"message_id":"00000000-0000-4000-8000-%012d","event_type":"%s","generated":"%s",'
    '"traits":[{"name":"instance_id","type":"string","value":"server-%d"},'
    '{"name":"memory_mb","type":"integer","value":"512"},'
    '{"name":"project_id","type":"string","value":"project-1"}],'
    '"raw":{"ctxt":{"request_id":"req-%d","project_id":"project-1","user_id":"user-1"},'
    '"publisher_id":"compute.host-%d","event_type":"%s","metadata":{"timestamp":"%s"},'
    '"payload":{"instance_id":"server-%d","display_name":"vm-%d","tenant_id":"project-1",'
    '"user_id":"user-1","state":"active","old_state":"building","memory_mb":512,"vcpus":1,'
    '"disk_gb":1,"instance_type":"m1.tiny","host":"host-%d","availability_zone":"nova",'
    '"image_meta":{"base_image_ref":"image-1","min_disk":"1"},"metadata":{}}}}'
)
_TYPES = (
    "compute.instance.create.start",
    "compute.instance.create.end",
    "compute.instance.update",
    "compute.instance.delete.end",
)


class Events:
    """So many events, by number."""

    def __init__(self, count: int) -> None:
        self.served = 0
        self._count = count

    async def listed(self, request: web.Request) -> web.Response:
        """Answer GET /v2/events as Panko does."""
        asked = request.query
        fields = asked.getall("q.field", [])
        values = dict(zip(fields, asked.getall("q.value", []), strict=True))
        low, high = 0, self._count
        if "start_timestamp" in values:
            low = max(0, -((FIRST - _time(values["start_timestamp"])) // STEP))
        if "end_timestamp" in values:
            high = min(high, (_time(values["end_timestamp"]) - FIRST) // STEP + 1)
        if "marker" in asked:
            low = max(low, int(asked["marker"].rpartition("-")[2]) + 1)
        limit = int(asked["limit"])
        numbers = range(low, min(high, low + limit))
        if asked.get("sort") == "generated:desc":
            numbers = range(max(low, high - limit), high)[::-1]
        if "end_timestamp" in values:
            # Only history has an end; news are asked for again and again.
            self.served += len(numbers)
        body = "[" + ",".join(map(_event, numbers)) + "]"
        return web.Response(text=body, content_type="application/json")

    async def count(self, _: web.Request) -> web.Response:
        """Answer how many events of history were given away."""
        return web.json_response(self.served)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _event(number: int) -> str:
    time = (FIRST + number * STEP).replace(tzinfo=None).isoformat()
    kind, server = _TYPES[number % 4], number // 4
    host = server % 50
    return _EVENT % (
        *(number, kind, time, server, number),
        *(host, kind, time, server, server, host),
    )


async def issue_token(request: web.Request) -> web.Response:
    """Let everybody in."""
    now = datetime.now(UTC)
    endpoint = {
        "id": "endpoint",
        "interface": "public",
        "region": "RegionOne",
        "region_id": "RegionOne",
        "url": f"{request.url.origin()}/event/v2",
    }
    token = {
        "methods": ["password"],
        "user": {"id": "user-1", "name": "admin", "domain": {"id": "default", "name": "Default"}},
        "issued_at": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}",
        "expires_at": f"{now + timedelta(hours=8):%Y-%m-%dT%H:%M:%S.%fZ}",
        "project": {
            "id": "project-1",
            "name": "admin",
            "domain": {"id": "default", "name": "Default"},
        },
        "roles": [{"id": "admin", "name": "admin"}],
        "catalog": [{"id": "s", "type": "event", "name": "panko", "endpoints": [endpoint]}],
    }
    return web.json_response({"token": token}, status=201, headers={"X-Subject-Token": "token"})


async def main(count: int) -> web.Application:
    """Return the application; aiohttp runs it."""
    events, app = Events(count), web.Application()
    app.router.add_post("/v3/auth/tokens", issue_token)
    app.router.add_get("/event/v2/events", events.listed)
    app.router.add_get("/served", events.count)
    return app


if __name__ == "__main__":
    web.run_app(
        main(int(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), access_log=None, print=None
    )
