"""Swift: the containers of our own project; those of others need the reseller's role.

A container has no id but its name, unique in its project, and nothing that could be read of it
alone but headers. Swift sends no notifications.
"""

from services.refresher.resources.model import Object, Resource, no_status, text_of
from shared.openstack.paging import Paging
from shared.resource import Kind


def container_id(item: Object) -> str | None:
    """Return `<project id>/<name>`."""
    project, name = text_of(item, "project_id"), text_of(item, "name")
    return f"{project}/{name}" if project and name else None


RESOURCES = (
    Resource(
        kind=Kind.CONTAINER,
        service_type="object-store",
        path="",
        collection="",
        item_path=None,
        item_key=None,
        list_params=(("format", "json"), ("limit", "10000")),
        paging=Paging.MARKER,
        own_project=True,
        id_of=container_id,
        status=no_status,
    ),
)
