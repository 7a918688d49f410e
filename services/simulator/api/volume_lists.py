"""Cinder beside its volumes: snapshots, backups, types, attachments."""

from collections.abc import Callable, Sequence

from services.simulator.api.answer import Refused, fault
from services.simulator.api.microversions import VOLUME
from services.simulator.api.plain import Asked, Pages, Plain, Row
from services.simulator.notification import Json
from services.simulator.objects import Attachment, Item, Volume
from services.simulator.payloads.times import micro
from services.simulator.world import World

_ATTACHMENTS_SINCE = 27
_PROJECT_OF_BACKUPS_SINCE, _USER_OF_BACKUPS_SINCE, _USER_OF_SNAPSHOTS_SINCE = 18, 56, 41


def _bad_request(message: str) -> Refused:
    return fault("badRequest", 400, message)


def _forbidden(rule: str) -> Refused:
    return fault("forbidden", 403, f"Policy doesn't allow {rule} to be performed.")


def _not_found(what: str) -> Callable[[str], Refused]:
    return lambda id_: fault("itemNotFound", 404, f"{what} {id_} could not be found.")


def _items(kind: str, shown: Callable[[Item, int], Json]) -> Callable[[Asked], Sequence[Row]]:
    """Return the rows of a kind, newest first."""

    def rows(asked: Asked) -> Sequence[Row]:
        _check_project(asked)
        return [
            Row(item.id, item.project_id or None, shown(item, asked.minor))
            for item in reversed(asked.world.table(kind))
        ]

    return rows


def _check_project(asked: Asked) -> None:
    """Refuse a URL whose project is not the token's, as Cinder does."""
    if asked.request.match_info["project_id"] != asked.actor.project_id:
        raise _bad_request("Malformed request url")


def snapshot_body(item: Item, minor: int) -> Json:
    """Return a snapshot."""
    body = dict(item.body)
    if minor < _USER_OF_SNAPSHOTS_SINCE:
        del body["user_id"]
    return body


def backup_body(item: Item, minor: int) -> Json:
    """Return a backup; whose it is shows only from 3.18 on."""
    body = dict(item.body)
    if minor < _PROJECT_OF_BACKUPS_SINCE:
        del body["os-backup-project-attr:project_id"]
    if minor < _USER_OF_BACKUPS_SINCE:
        del body["user_id"]
    return body


def volume_type_body(item: Item, _: int) -> Json:
    """Return a volume type."""
    return dict(item.body)


def attachment_body(volume: Volume, attachment: Attachment) -> Json:
    """Return an attachment, with the credentials of the storage in it."""
    return {
        "id": attachment.id,
        "status": "attached",
        "instance": attachment.server_id,
        "volume_id": volume.id,
        "attached_at": micro(attachment.attached_at),
        "detached_at": "",
        "attach_mode": "rw",
        "connection_info": {
            "driver_volume_type": "rbd",
            "auth_method": "CHAP",
            "auth_password": attachment.id[:12],
        },
    }


def attachments(world: World) -> list[tuple[Volume, Attachment]]:
    """Return every attachment with its volume."""
    return [(volume, each) for volume in world.volumes for each in volume.attachments]


def _attachment_rows(asked: Asked) -> Sequence[Row]:
    _check_project(asked)
    return [
        Row(each.id, volume.project_id, attachment_body(volume, each))
        for volume, each in attachments(asked.world)
    ]


def _means_private_too(text: str | None) -> bool:
    return text == "None"


COLLECTIONS = (
    Plain(
        path="/volume/v3/{project_id}/snapshots",
        detail="detail",
        name="snapshots",
        item="snapshot",
        rows=_items("snapshot", snapshot_body),
        pages=Pages.LINKS,
        all_projects="all_tenants",
        filters={"volume_id": "volume_id", "status": "status", "name": "name"},
        microversions=VOLUME,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Snapshot"),
    ),
    Plain(
        path="/volume/v3/{project_id}/backups",
        detail="detail",
        name="backups",
        item="backup",
        rows=_items("backup", backup_body),
        pages=Pages.LINKS,
        # The singular is Cinder's own.
        links="backup_links",
        all_projects="all_tenants",
        filters={"volume_id": "volume_id", "status": "status", "name": "name"},
        microversions=VOLUME,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Backup"),
    ),
    Plain(
        path="/volume/v3/{project_id}/types",
        name="volume_types",
        item="volume_type",
        rows=_items("volume_type", volume_type_body),
        pages=Pages.LINKS,
        links="volume_type_links",
        all_projects="is_public",
        means_all=_means_private_too,
        microversions=VOLUME,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=_not_found("Volume type"),
    ),
    Plain(
        path="/volume/v3/{project_id}/attachments",
        detail="detail",
        name="attachments",
        item="attachment",
        rows=_attachment_rows,
        pages=Pages.MARKER,
        all_projects="all_tenants",
        filters={"volume_id": "volume_id", "instance_id": "instance"},
        microversions=VOLUME,
        since=_ATTACHMENTS_SINCE,
        bad_request=_bad_request,
        forbidden=_forbidden,
        not_found=lambda id_: fault(
            "itemNotFound", 404, f"Volume attachment could not be found with filter: {id_}."
        ),
    ),
)
