"""What users do to snapshots and backups of volumes."""

from services.simulator.notification import Deed, Json, Notification, Operation, Pause, Request
from services.simulator.objects import Item, Volume
from services.simulator.payloads.cinder import publisher
from services.simulator.payloads.times import micro
from services.simulator.world import World

SNAPSHOT, BACKUP = "snapshot", "backup"
_BACKUP_HOST = "cinder-bak-1"


def snapshots_of(world: World, volume: Volume) -> list[Item]:
    """Return the snapshots of a volume, which cannot be deleted while it has some."""
    return [item for item in world.table(SNAPSHOT) if item.body["volume_id"] == volume.id]


def make_snapshot(world: World, request: Request, volume: Volume, name: str) -> Item:
    """Add a snapshot in state `creating`; says nothing."""
    id_ = world.uuid()
    body: Json = {
        "id": id_,
        "name": name,
        "description": None,
        "volume_id": volume.id,
        "status": "creating",
        "size": volume.size_gib,
        "metadata": {},
        "created_at": micro(world.now),
        "updated_at": None,
        "user_id": request.actor.user_id,
        "os-extended-snapshot-attributes:progress": "0%",
        "os-extended-snapshot-attributes:project_id": volume.project_id,
    }
    return world.table(SNAPSHOT).add(Item(id_, volume.project_id, body))


def finish_snapshot(world: World, snapshot: Item) -> None:
    """Make a snapshot available; says nothing."""
    snapshot.body |= {
        "status": "available",
        "updated_at": micro(world.now),
        "os-extended-snapshot-attributes:progress": "100%",
    }


def create_snapshot(world: World, request: Request, volume: Volume, name: str) -> Deed[Item]:
    """Take a snapshot of a volume."""
    snapshot = make_snapshot(world, request, volume, name)
    yield _say_snapshot(world, request, volume, snapshot, "create.start")
    yield Pause(0.3)
    finish_snapshot(world, snapshot)
    yield _say_snapshot(world, request, volume, snapshot, "create.end")
    return snapshot


def delete_snapshot(world: World, request: Request, volume: Volume, snapshot: Item) -> Operation:
    """Delete a snapshot."""
    snapshot.body["status"] = "deleting"
    yield _say_snapshot(world, request, volume, snapshot, "delete.start")
    yield Pause(0.2)
    world.table(SNAPSHOT).remove(snapshot.id)
    yield _say_snapshot(world, request, volume, snapshot, "delete.end")


def make_backup(world: World, request: Request, volume: Volume, name: str) -> Item:
    """Add a backup in state `creating`; says nothing."""
    id_ = world.uuid()
    body: Json = {
        "id": id_,
        "name": name,
        "description": None,
        "volume_id": volume.id,
        "snapshot_id": None,
        "status": "creating",
        "size": volume.size_gib,
        "object_count": 0,
        "container": "backups",
        "availability_zone": "nova",
        "created_at": micro(world.now),
        "updated_at": None,
        "fail_reason": None,
        "is_incremental": False,
        "has_dependent_backups": False,
        "os-backup-project-attr:project_id": volume.project_id,
        "user_id": request.actor.user_id,
    }
    return world.table(BACKUP).add(Item(id_, volume.project_id, body))


def finish_backup(world: World, backup: Item) -> None:
    """Make a backup available; says nothing."""
    backup.body |= {"status": "available", "updated_at": micro(world.now), "object_count": 22}


def create_backup(world: World, request: Request, volume: Volume, name: str) -> Deed[Item]:
    """Back a volume up, which is `backing-up` meanwhile without a word of its own."""
    before = volume.status
    volume.status, volume.updated_at = "backing-up", world.now
    backup = make_backup(world, request, volume, name)
    yield _say_backup(world, request, backup, "create.start")
    yield Pause(0.3)
    yield _say_backup(world, request, backup, "createprogress")
    yield Pause(0.3)
    volume.status, volume.updated_at = before, world.now
    finish_backup(world, backup)
    yield _say_backup(world, request, backup, "create.end")
    return backup


def delete_backup(world: World, request: Request, backup: Item) -> Operation:
    """Delete a backup, whose volume may be gone by then."""
    backup.body["status"] = "deleting"
    yield _say_backup(world, request, backup, "delete.start")
    yield Pause(0.2)
    world.table(BACKUP).remove(backup.id)
    yield _say_backup(world, request, backup, "delete.end")


def _say_snapshot(
    world: World, request: Request, volume: Volume, snapshot: Item, action: str
) -> Notification:
    body = snapshot.body
    payload: Json = {
        "tenant_id": snapshot.project_id,
        "user_id": body["user_id"],
        "availability_zone": "nova",
        "volume_id": body["volume_id"],
        "volume_size": body["size"],
        "snapshot_id": snapshot.id,
        "display_name": body["name"],
        "created_at": offset_of(body["created_at"]),
        "status": body["status"],
        "deleted": "",
        "metadata": "{}",
    }
    sender = publisher(volume).replace("volume.", "snapshot.", 1)
    return _say(world, request, sender, f"snapshot.{action}", payload)


def _say_backup(world: World, request: Request, backup: Item, action: str) -> Notification:
    body = backup.body
    payload: Json = {
        "tenant_id": backup.project_id,
        "user_id": body["user_id"],
        "availability_zone": "nova",
        "backup_id": backup.id,
        "host": _BACKUP_HOST,
        "display_name": body["name"],
        "created_at": offset_of(body["created_at"]),
        "status": body["status"],
        "volume_id": body["volume_id"],
        "size": body["size"],
        "service_metadata": None,
        "service": "cinder.backup.drivers.ceph.CephBackupDriver",
        "fail_reason": None,
        "parent_id": None,
        "num_dependent_backups": 0,
        "snapshot_id": None,
    }
    return _say(world, request, f"backup.{_BACKUP_HOST}", f"backup.{action}", payload)


def offset_of(column: str) -> str:
    """Spell a time of a database column as Cinder's notifications do."""
    return f"{column[:19]}+00:00"


def _say(
    world: World, request: Request, sender: str, event_type: str, payload: Json
) -> Notification:
    exchange = world.dialect.cinder_exchange
    return world.notification(exchange, sender, event_type, payload, request.context(world.now))
