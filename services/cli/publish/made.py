"""A synthetic notification, ready for either side of the catcher. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from services.catcher.decoding.notification import Notification
from shared.catalogue.catalogue import Catalogue
from shared.event import Flavour

MARK = "osevents_synthetic"
"""In the request context; the catcher makes `synthetic` of it."""

_EXCHANGES = {
    "compute": "nova",
    "network": "neutron",
    "block-storage": "cinder",
    "image": "glance",
    "identity": "keystone",
    "orchestration": "heat",
    "baremetal": "ironic",
    "load-balancer": "octavia",
    "shared-file-system": "manila",
    "dns": "designate",
    "container-infrastructure-management": "magnum",
    "database": "trove",
    "data-processing": "sahara",
    "alarm": "aodh",
    "infra-optim": "watcher",
    "instance-ha": "masakari",
    "middleware": "swift",
    "meter": "ceilometer",
}
"""Each service's default `control_exchange`; the others use oslo.messaging's own, `openstack`."""
_VERSIONED_TOPICS = {"baremetal": "ironic_versioned_notifications"}


@dataclass(frozen=True, slots=True)
class Made:
    """What one would see of a service, and on which exchange and topic."""

    notification: Notification
    exchange: str
    topic: str

    @property
    def routing_key(self) -> str:
        """`<topic>.<priority>`, as oslo.messaging publishes it."""
        return f"{self.topic}.{self.notification.priority}"

    def message(self) -> dict[str, Any]:
        """Return the notification as oslo.messaging would have it, without its envelope."""
        notification = self.notification
        return {
            "message_id": notification.message_id,
            "publisher_id": notification.publisher_id,
            "event_type": notification.event_type,
            "priority": notification.priority.upper(),
            "timestamp": notification.timestamp,
            "payload": notification.payload,
            **{f"_context_{key}": value for key, value in notification.context.items()},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """Makes a notification of now, with a new id and the mark, out of what was there."""

    random: Random
    keep_ids: bool = False
    keep_times: bool = False

    def __call__(self, notification: Notification, *, now: datetime) -> Notification:
        """Return the notification as it is to be sent at `now`."""
        return notification._replace(
            message_id=notification.message_id if self.keep_ids else new_id(self.random),
            timestamp=notification.timestamp if self.keep_times else spelled(now),
            context={**notification.context, MARK: True},
        )


def placed(notification: Notification, catalogue: Catalogue) -> Made:
    """Return where the service that a notification is of would send it by default."""
    service = catalogue.lookup(
        notification.event_type, catalogue.service_of_namespace(notification.namespace)
    ).service
    versioned = notification.flavour is Flavour.VERSIONED
    topic = _VERSIONED_TOPICS.get(service, "versioned_notifications")
    return Made(
        notification, _EXCHANGES.get(service, "openstack"), topic if versioned else "notifications"
    )


Timed = tuple[timedelta, Made]
"""When after the beginning, in the story's own time, and what."""


def at_once(made: Iterator[Made]) -> Iterator[Timed]:
    """Give things that have no time of their own the time 0."""
    return ((timedelta(), each) for each in made)


def new_id(random: Random) -> str:
    """Return a new UUID, version 4."""
    return str(UUID(int=random.getrandbits(128), version=4))


def spelled(time: datetime) -> str:
    """Return a time as oslo.messaging spells it: naive UTC with a blank."""
    return str(time.astimezone(UTC).replace(tzinfo=None))


def context_of(values: Mapping[str, str]) -> dict[str, str]:
    """Return the part of `values` that a request context can say."""
    names = {"project": "project_id", "user": "user_id", "request_id": "request_id"}
    return {key: values[name] for name, key in names.items() if name in values}
