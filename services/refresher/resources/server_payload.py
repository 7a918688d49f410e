"""What Nova's notifications tell of a server, in the words of its API.

Only what is the same in both: no addresses (the API has more to say), no flavor, of volumes only
which one goes (all are told when the configuration says so), no zone (asked for in the one, where
it runs in the other).
The status is derived as Nova's API derives it (`nova/api/openstack/common.py`, `_STATE_MAP`).
"""

from collections.abc import Mapping
from typing import Any

from services.refresher.resources.model import Object
from shared.catalogue.paths import unwrapped
from shared.event import Event, Flavour

_RESIZE = {
    "resize_prep": "RESIZE",
    "resize_migrating": "RESIZE",
    "resize_migrated": "RESIZE",
    "resize_finish": "RESIZE",
}
_REBUILD = {
    "rebuilding": "REBUILD",
    "rebuild_block_device_mapping": "REBUILD",
    "rebuild_spawning": "REBUILD",
}
_HARD_REBOOT = {
    "rebooting_hard": "HARD_REBOOT",
    "reboot_pending_hard": "HARD_REBOOT",
    "reboot_started_hard": "HARD_REBOOT",
}
_MIGRATING = {"migrating": "MIGRATING"}
_STATUS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "active": (
        "ACTIVE",
        {
            "rebooting": "REBOOT",
            "reboot_pending": "REBOOT",
            "reboot_started": "REBOOT",
            "updating_password": "PASSWORD",
            **_HARD_REBOOT,
            **_REBUILD,
            **_MIGRATING,
            **_RESIZE,
        },
    ),
    "building": ("BUILD", {}),
    "stopped": ("SHUTOFF", {**_RESIZE, **_REBUILD}),
    "resized": ("VERIFY_RESIZE", {"resize_reverting": "REVERT_RESIZE"}),
    "paused": ("PAUSED", _MIGRATING),
    "suspended": ("SUSPENDED", {}),
    "rescued": ("RESCUE", {}),
    "error": ("ERROR", _REBUILD),
    "shelved": ("SHELVED", {}),
    "shelved_offloaded": ("SHELVED_OFFLOADED", {}),
    "soft-delete": ("SOFT_DELETED", {}),
}
_POWER = {"pending": 0, "running": 1, "paused": 3, "shutdown": 4, "crashed": 6, "suspended": 7}
_TASK = "OS-EXT-STS:task_state"
_HOST, _NODE = "OS-EXT-SRV-ATTR:host", "OS-EXT-SRV-ATTR:hypervisor_hostname"
SERVER_FOR_ADMINS = frozenset({_HOST, _NODE})
"""What the API shows to nobody else (`os_compute_api:os-extended-server-attributes`)."""
_VOLUMES = "os-extended-volumes:volumes_attached"
_DETACH = "compute.instance.volume.detach"


def server_told(event: Event) -> Object | None:
    """Return what a payload of `instance.*` or `compute.instance.*` tells for certain.

    None when it tells no state that the API would show, as of a server that is deleted.
    """
    versioned = event.flavour is Flavour.VERSIONED
    payload = unwrapped(event.payload)
    state = payload.get("state")
    if not isinstance(state, str) or state not in _STATUS:
        return None
    task = _text(payload.get("task_state" if versioned else "state_description"))
    usual, by_task = _STATUS[state]
    told = {
        "name": payload.get("display_name"),
        "status": by_task.get(task or "", usual),
        "tenant_id": payload.get("tenant_id"),
        "user_id": payload.get("user_id"),
        "metadata": payload.get("metadata"),
    }
    found: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
    found["OS-EXT-STS:vm_state"] = state
    found[_TASK] = task
    found[_HOST] = _text(payload.get("host"))
    found[_NODE] = _text(payload.get("node"))
    return found | (_versioned_only(payload) if versioned else {})


def server_gone(event: Event) -> Mapping[str, frozenset[str]]:
    """Return the volume that a server lost, by the field that lists it."""
    volume = unwrapped(event.payload).get("volume_id")
    if event.canonical != _DETACH or not isinstance(volume, str):
        return {}
    return {_VOLUMES: frozenset({volume})}


def server_is_passing(server: Object) -> bool:
    """Whether a task runs: its end is told by another event."""
    return server.get(_TASK) is not None


def _versioned_only(payload: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    power = _POWER.get(str(payload.get("power_state")))
    if power is not None:
        found["OS-EXT-STS:power_state"] = power
    if isinstance(payload.get("locked"), bool):
        found["locked"] = payload["locked"]
    return found


def _text(value: object) -> str | None:
    """Return a text; Nova's legacy payloads have an empty one where its API has null."""
    return value if isinstance(value, str) and value else None
