"""Glance: images. Community images are only listed when asked for, hidden ones in a second list."""

from collections.abc import Sequence

from services.refresher.resources.model import Life, Object, Payload, Resource
from shared.event import Event
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


_SAME_IN_BOTH = (
    "name", "status", "visibility", "owner", "size", "virtual_size", "checksum", "min_disk",
    "min_ram", "protected", "disk_format", "container_format", "tags", "created_at", "updated_at",
)  # fmt: skip


def image_told(event: Event) -> Object | None:
    """Return what a payload tells in the API's own words; of its properties, those that are there.

    From Glance's `format_image_notification` and its v2 schema. At `image.upload` this is newer
    than what the API shows.
    """
    payload = event.payload
    if not payload.get("status") or payload.get("deleted"):
        return None
    properties = payload.get("properties")
    extra = properties if isinstance(properties, dict) else {}
    return {**extra, **{name: payload[name] for name in _SAME_IN_BOTH if name in payload}}


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
        # A property that was removed, hashes and `os_hidden` are not told.
        payload=Payload(fields=image_told),
    ),
)
