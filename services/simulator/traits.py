"""The traits that Ceilometer's stock event definitions take from a notification.

Checked by running Ceilometer 27: values are always strings, cut at 255 characters, sorted by name.
Many events get no `resource_id`: everything of security groups, router interfaces, the `.start` of
Neutron's creates and deletes, `image.prepare` and `image.activate`, the scheduler's.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from services.simulator.notification import Json

Trait = tuple[str, str, str]
"""Name, type, value."""
_LONGEST_TEXT = 255
_NETWORK = ("network.", "subnet.", "port.", "router.", "floatingip.")
_IMAGES = frozenset({"image.create", "image.update", "image.upload", "image.delete"})
_VOLUMES = ("volume.create", "volume.delete", "volume.resize", "volume.attach", "volume.detach")
_IDENTITIES = ("identity.project.", "identity.user.", "identity.group.", "identity.role.")
_INSTANCE_TEXTS = (
    "cell_name",
    "display_name",
    "instance_flavor_id",
    "instance_id",
    "instance_type",
    "instance_type_id",
    "state",
    "tenant_id",
    "user_id",
)
_INSTANCE_NUMBERS = ("disk_gb", "ephemeral_gb", "memory_mb", "root_gb", "vcpus")


def traits_of(message: Json) -> list[Trait]:
    """Return the traits of a notification, sorted by name; what is empty or null has none."""
    found: dict[str, tuple[str, Any]] = _defaults(message)
    event_type: str = message["event_type"]
    for prefixes, definition in _DEFINITIONS:
        if event_type.startswith(prefixes):
            found |= definition(message)
            break
    return sorted(
        (name, kind, _text(kind, value))
        for name, (kind, value) in found.items()
        if value is not None and (value != "" or kind == "string")
    )


def _text(kind: str, value: Any) -> str:
    if kind == "datetime":
        moment = datetime.fromisoformat(value)
        return (
            (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()
        )
    return str(value)[:_LONGEST_TEXT]


def _defaults(message: Json) -> dict[str, tuple[str, Any]]:
    payload = message["payload"]
    project = payload.get("tenant_id") or message.get("_context_project_id")
    return {
        "service": ("string", message["publisher_id"]),
        "request_id": ("string", message.get("_context_request_id")),
        "project_id": ("string", project),
        "tenant_id": ("string", project),
        "user_id": ("string", payload.get("user_id") or message.get("_context_user_id")),
    }


def _instance(message: Json) -> dict[str, tuple[str, Any]]:
    payload, (service, _, host) = message["payload"], message["publisher_id"].partition(".")
    traits: dict[str, tuple[str, Any]] = {
        name: ("string", payload.get(name)) for name in _INSTANCE_TEXTS
    }
    traits |= {name: ("integer", payload.get(name)) for name in _INSTANCE_NUMBERS}
    traits |= {
        "resource_id": ("string", payload.get("instance_id")),
        "service": ("string", service),
        "host": ("string", host),
        "os_architecture": ("string", payload.get("architecture")),
        "launched_at": ("datetime", payload.get("launched_at")),
        "deleted_at": ("datetime", payload.get("deleted_at")),
    }
    if message["event_type"] == "compute.instance.create.end":
        traits["availability_zone"] = ("string", payload.get("availability_zone"))
    if message["event_type"] == "compute.instance.update":
        traits["old_state"] = ("string", payload.get("old_state"))
    return traits


def _network(message: Json) -> dict[str, tuple[str, Any]]:
    """Read the project from the context's tenant_id, which neutron-lib 4 no longer sends."""
    payload, event_type = message["payload"], message["event_type"]
    kind = event_type.partition(".")[0]
    shown = payload.get(kind) or {}
    return {
        "user_id": ("string", message.get("_context_user_id")),
        "project_id": ("string", message.get("_context_tenant_id")),
        "name": ("string", shown.get("name") or None),
        "resource_id": ("string", shown.get("id") or payload.get("id")),
    }


def _volume(message: Json) -> dict[str, tuple[str, Any]]:
    payload = message["payload"]
    return {
        "user_id": ("string", payload["user_id"]),
        "project_id": ("string", payload["tenant_id"]),
        "availability_zone": ("string", payload["availability_zone"]),
        "display_name": ("string", payload["display_name"]),
        "status": ("string", payload["status"]),
        "created_at": ("datetime", payload["created_at"]),
        "resource_id": ("string", payload["volume_id"]),
        "host": ("string", payload["host"]),
        "size": ("integer", payload["size"]),
        "type": ("string", payload["volume_type"]),
    }


def _snapshot(message: Json) -> dict[str, tuple[str, Any]]:
    payload = message["payload"]
    return {
        "user_id": ("string", payload["user_id"]),
        "project_id": ("string", payload["tenant_id"]),
        "availability_zone": ("string", payload["availability_zone"]),
        "display_name": ("string", payload["display_name"]),
        "status": ("string", payload["status"]),
        "created_at": ("datetime", payload["created_at"]),
        "resource_id": ("string", payload["snapshot_id"]),
        "volume_id": ("string", payload["volume_id"]),
    }


def _stack(message: Json) -> dict[str, tuple[str, Any]]:
    payload = message["payload"]
    return {
        "user_id": ("string", message.get("_context_user_id")),
        "project_id": ("string", payload["tenant_id"]),
        "resource_id": ("string", payload["stack_identity"]),
    }


def _share(message: Json) -> dict[str, tuple[str, Any]]:
    payload = message["payload"]
    texts = ("name", "proto", "status", "host", "availability_zone", "is_public", "share_id")
    return {name: ("string", payload[name]) for name in texts} | {
        "size": ("integer", payload["size"])
    }


def _balancer(message: Json) -> dict[str, tuple[str, Any]]:
    """Read no id: the stock definitions have none."""
    payload = message["payload"]
    return {name: ("string", payload.get(name)) for name in ("name", "description", "project_id")}


def _image(message: Json) -> dict[str, tuple[str, Any]]:
    """Take the owner for both the project and, as the stock definitions do, the user."""
    payload = message["payload"]
    if message["event_type"] not in _IMAGES:
        return {}
    return {
        "project_id": ("string", payload["owner"]),
        "user_id": ("string", payload["owner"]),
        "resource_id": ("string", payload["id"]),
        "name": ("string", payload["name"]),
        "status": ("string", payload["status"]),
        "created_at": ("datetime", payload["created_at"]),
        "deleted_at": ("datetime", payload["deleted_at"]),
        "size": ("integer", payload["size"]),
    }


def _identity(message: Json) -> dict[str, tuple[str, Any]]:
    payload = message["payload"]
    return {
        "resource_id": ("string", payload["resource_info"]),
        "initiator_id": ("string", payload["initiator"]["id"]),
        "project_id": ("string", payload["initiator"]["project_id"]),
    }


_DEFINITIONS: tuple[tuple[tuple[str, ...], Callable[[Json], dict[str, tuple[str, Any]]]], ...] = (
    (("compute.instance.",), _instance),
    (_NETWORK, _network),
    (_VOLUMES, _volume),
    (("image.",), _image),
    (_IDENTITIES, _identity),
    (("snapshot.",), _snapshot),
    (("orchestration.stack.",), _stack),
    (("share.",), _share),
    (("octavia.loadbalancer.",), _balancer),
)
