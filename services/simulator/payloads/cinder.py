"""What Cinder's notifications say of a volume (captured from Cinder 29)."""

from services.simulator.notification import Json
from services.simulator.objects import Attachment, Volume
from services.simulator.payloads.times import micro, offset
from services.simulator.world import World

VOLUME_TYPE_ID = "eda0a82f-3434-4595-a540-16ab654a1310"
"""The one volume type; notifications show its id, the API its name."""
VOLUME_TYPE_NAME = "ceph"


def publisher(volume: Volume) -> str:
    """Return the publisher: the back end's host without its pool."""
    return f"volume.{volume.host.partition('#')[0]}"


def volume_payload(world: World, volume: Volume) -> Json:  # noqa: ARG001 -- as the other builders
    """Return the payload of `volume.*`; it has no previous status, and metadata is rows."""
    return {
        "tenant_id": volume.project_id,
        "host": volume.host,
        "user_id": volume.user_id,
        "availability_zone": "nova",
        "volume_id": volume.id,
        "volume_type": VOLUME_TYPE_ID,
        "display_name": volume.name,
        "launched_at": offset(volume.launched_at) or "",
        "created_at": offset(volume.created_at),
        "status": volume.status,
        "snapshot_id": None,
        "size": volume.size_gib,
        "replication_status": None,
        "replication_extended_status": None,
        "replication_driver_data": None,
        "metadata": [{"key": key, "value": value} for key, value in volume.metadata.items()],
        "volume_attachment": [_attachment_row(volume, each) for each in volume.attachments],
    }


def _attachment_row(volume: Volume, attachment: Attachment) -> Json:
    """Return a raw row of the attachments table; `connection_info` may hold CHAP secrets."""
    return {
        "id": attachment.id,
        "volume_id": volume.id,
        "instance_uuid": attachment.server_id,
        "attached_host": attachment.host,
        "mountpoint": attachment.device,
        "attach_time": micro(attachment.attached_at),
        "detach_time": None,
        "attach_status": "attached",
        "attach_mode": "rw",
        "connection_info": {
            "driver_volume_type": "iscsi",
            "auth_method": "CHAP",
            "auth_username": volume.id[:8],
            "auth_password": attachment.id[:12],
        },
        "connector": {"host": attachment.host, "multipath": False},
        "deleted_at": None,
        "deleted": False,
        "created_at": micro(attachment.attached_at),
        "updated_at": None,
    }
