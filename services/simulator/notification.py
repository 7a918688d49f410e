"""A notification as a service hands it to oslo.messaging, and the request that caused it."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

Json = dict[str, Any]

NOTIFICATIONS = "notifications"
VERSIONED = "versioned_notifications"


@dataclass(frozen=True, slots=True)
class Notification:
    """A message for `<topic>.<priority>` of a service's exchange; `message` is the inner object."""

    exchange: str
    topic: str
    message: Json

    @property
    def event_type(self) -> str:
        """The notification's event type."""
        return str(self.message["event_type"])


@dataclass(frozen=True, slots=True)
class Pause:
    """Time that passes inside an operation, in seconds, while the APIs show what is so far."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Aside:
    """What goes on by itself, and holds nothing and nobody up."""

    operation: "Operation"


Step = Notification | Pause | Aside
T = TypeVar("T")
Deed = Generator[Step, None, T]
"""Like an operation, with a result."""
Operation = Deed[None]
"""Something done to the cloud: changes the world as it is advanced, and yields what follows."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who calls an API, in which project."""

    user_id: str
    user_name: str
    project_id: str
    project_name: str
    admin: bool = False

    @property
    def roles(self) -> list[str]:
        """Role names of the token, implied ones included."""
        return ["admin", "member", "reader"] if self.admin else ["member", "reader"]


@dataclass(frozen=True, slots=True)
class Request:
    """One API request: what oslo.context flattens into `_context_*`."""

    id: str
    actor: Actor

    def context(self, now: datetime) -> Json:
        """Return the `_context_*` keys that oslo.context gives every service.

        Since oslo.messaging 14.7 (2024.1) the token is redacted to null.
        """
        actor = self.actor
        return {
            "_context_auth_token": None,
            "_context_domain": None,
            "_context_global_request_id": None,
            "_context_is_admin": actor.admin,
            "_context_is_admin_project": True,
            "_context_project": actor.project_id,
            "_context_project_domain": "default",
            "_context_project_id": actor.project_id,
            "_context_project_name": actor.project_name,
            "_context_read_only": False,
            "_context_request_id": self.id,
            "_context_resource_uuid": None,
            "_context_roles": actor.roles,
            "_context_show_deleted": False,
            "_context_system_scope": None,
            "_context_timestamp": now.isoformat()[:26],
            "_context_user": actor.user_id,
            "_context_user_domain": "default",
            "_context_user_id": actor.user_id,
            "_context_user_identity": f"{actor.user_id} {actor.project_id} - default default",
            "_context_user_name": actor.user_name,
        }
