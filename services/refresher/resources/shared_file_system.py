"""Manila: shares. There is no filter for several ids; pages go on at an offset."""

from services.refresher.resources.model import Resource, without
from shared.openstack.paging import Paging
from shared.resource import Kind

RESOURCES = (
    Resource(
        kind=Kind.SHARE,
        service_type="shared-file-system",
        path="shares/detail",
        collection="shares",
        item_path="shares",
        item_key="share",
        list_params=(("all_tenants", "1"), ("limit", "1000")),
        paging=Paging.OFFSET,
        list_all_from=20,
        unnamed="The resource could not be found.",
        shape=without("links"),
        microversion=(2, 60),
    ),
)
