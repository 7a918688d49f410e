"""Glance: images. Community images are only listed when asked for, hidden ones in a second list."""

from collections.abc import Sequence

from services.refresher.resources.port import Life, Object, Resource
from shared.openstack.paging import Params
from shared.resource import Kind


def by_ids(ids: Sequence[str]) -> Params:
    """Ask for the images with any of `ids`."""
    return (("id", "in:" + ",".join(ids)),)


def image_life(image: Object) -> Life:
    """Read the status; `pending_delete` is gone for everybody but the scrubber."""
    return Life.GONE if image.get("status") in ("deleted", "pending_delete") else Life.LIVING


def image_is_settling(image: Object) -> bool:
    """Whether the data is on its way: Glance still says so when it tells that it has arrived."""
    return image.get("status") in ("saving", "importing")


RESOURCES = (
    Resource(
        kind=Kind.IMAGE,
        service_type="image",
        path="images",
        collection="images",
        item_path="images",
        item_key=None,
        list_params=(("visibility", "all"), ("limit", "1000")),
        full_lists=((), (("os_hidden", "true"),)),
        ids_filter=by_ids,
        project_field="owner",
        life=image_life,
        settling=image_is_settling,
    ),
)
