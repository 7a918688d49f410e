"""Ironic: nodes and their ports. There is no filter for several ids."""

from services.refresher.resources.model import Object, Resource, no_status, text_of, without
from shared.openstack.paging import Params
from shared.resource import Kind

_MICROVERSION = (1, 72)
_PAGE: Params = (("detail", "true"), ("limit", "1000"))
# What drivers keep for themselves, credentials and images among it, and what is only addresses.
_INTERNAL = (
    "driver_info",
    "driver_internal_info",
    "instance_info",
    "links",
    "network_data",
    "portgroups",
    "ports",
    "states",
    "volume",
)


def uuid_of(item: Object) -> str | None:
    """Return the id, which Ironic calls `uuid`."""
    return text_of(item, "uuid")


RESOURCES = (
    Resource(
        kind=Kind.NODE,
        service_type="baremetal",
        path="nodes",
        collection="nodes",
        item_path="nodes",
        item_key=None,
        list_params=_PAGE,
        list_all_from=20,
        id_of=uuid_of,
        project_field="owner",
        shape=without(*_INTERNAL),
        status=lambda node: text_of(node, "provision_state"),
        microversion=_MICROVERSION,
    ),
    Resource(
        kind=Kind.BAREMETAL_PORT,
        service_type="baremetal",
        path="ports",
        collection="ports",
        item_path="ports",
        item_key=None,
        list_params=_PAGE,
        list_all_from=20,
        filters=frozenset({"node_uuid"}),
        repeats=False,
        id_of=uuid_of,
        name_field="address",
        project_field=None,
        shape=without("links", "internal_info"),
        status=no_status,
        microversion=_MICROVERSION,
    ),
)
