"""Cinder: volumes. Admins may ask for a list of ids, written as a Python list.

That form is not documented: the readers check that the reply holds nothing else.
"""

from collections.abc import Sequence

from services.refresher.resources.port import Resource
from shared.openstack.paging import Params
from shared.resource import Kind


def by_ids(ids: Sequence[str]) -> Params:
    """Ask for the volumes with any of `ids`."""
    return (("id", "[" + ",".join(f"'{id_}'" for id_ in ids) + "]"),)


RESOURCES = (
    Resource(
        kind=Kind.VOLUME,
        service_type="block-storage",
        path="volumes/detail",
        collection="volumes",
        item_path="volumes",
        item_key="volume",
        list_params=(("all_tenants", "1"), ("limit", "1000")),
        ids_filter=by_ids,
        project_field="os-vol-tenant-attr:tenant_id",
        microversion=(3, 65),
    ),
)
