"""What Glance's notifications say of an image (captured from Glance 33)."""

from services.simulator.notification import Json
from services.simulator.objects import Image
from services.simulator.payloads.times import zulu, zulu_or_none

PUBLISHER = "image.localhost"
"""Glance's default; it says nothing about the host."""


def image_payload(image: Image, *, status: str | None = None) -> Json:
    """Return the payload of `image.*`; `status` where it runs ahead of what the API shows."""
    return {
        "id": image.id,
        "name": image.name,
        "status": status or image.status,
        "created_at": zulu(image.created_at),
        "updated_at": zulu(image.updated_at),
        "min_disk": 0,
        "min_ram": 0,
        "protected": False,
        "checksum": image.checksum,
        "owner": image.project_id,
        "disk_format": "qcow2",
        "container_format": "bare",
        "size": image.size_bytes,
        "virtual_size": None,
        "is_public": image.visibility == "public",
        "visibility": image.visibility,
        "properties": dict(image.properties),
        "tags": [],
        "deleted": image.deleted_at is not None,
        "deleted_at": zulu_or_none(image.deleted_at),
    }
