"""Nova: servers. No filter takes several ids: few are read one by one, more by `changes-since`.

One such list holds all servers that changed since then, those deleted meanwhile, too. Attaching a
volume or an address moves no `updated_at`: what the list leaves out is read alone.
"""

from services.refresher.resources.port import Life, Object, Payload, Resource
from services.refresher.resources.server_payload import server_is_passing, server_told
from shared.resource import Kind

_LIVES = {
    # Between `shutdown.end` and `delete.end` a read can still find the server, as DELETED.
    "DELETED": Life.GONE,
    # Since 2.69, all that Nova knows of a server in a cell that is down.
    "UNKNOWN": Life.UNSURE,
}


def server_life(server: Object) -> Life:
    """Read the status; SOFT_DELETED is living, since it can be restored until it is reclaimed."""
    return _LIVES.get(str(server.get("status")), Life.LIVING)


RESOURCES = (
    Resource(
        kind=Kind.SERVER,
        service_type="compute",
        path="servers/detail",
        collection="servers",
        item_path="servers",
        item_key="server",
        list_params=(("all_tenants", "1"), ("limit", "1000")),
        project_field="tenant_id",
        life=server_life,
        # From 2.71 on, single servers have fields that the list has not, and would seem to change.
        microversion=(2, 70),
        payload=Payload(fields=server_told, passing=server_is_passing),
    ),
)
