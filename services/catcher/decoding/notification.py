"""A notification: what a source handed over, opened but not interpreted."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from shared.event import Flavour

CONTEXT_KEYS = (
    "request_id",
    "project_id",
    "project",
    "tenant_id",
    "tenant",
    "user_id",
    "user",
    "osevents_synthetic",
)
"""All that is taken from a request context; the rest (tokens, roles, catalogues) stays behind."""


class Notification(NamedTuple):
    """One notification of a service, the same whatever wrapping it came in.

    A named tuple, because it is made for every message and costs half of a frozen dataclass.
    """

    message_id: str
    """As sent; derived from the content where none was sent, so that a redelivery has the same."""
    event_type: str
    publisher_id: str
    """Empty where none was sent (Octavia sends null)."""
    priority: str
    """Lower case."""
    timestamp: str
    """As sent; empty where none was."""
    payload: Any
    """Any JSON value; for Panko's events without `raw` an object of trait name -> value."""
    context: Mapping[str, Any]
    """CONTEXT_KEYS -> value, where sent."""
    flavour: Flavour
    namespace: str = ""
    """Whose versioned object the payload is (`nova`); empty for other flavours."""


def outcome_of(notification: Notification) -> str | None:
    """Return what CADF tells of how it ended: success, failure, pending; None elsewhere."""
    payload = notification.payload
    outcome = payload.get("outcome") if isinstance(payload, Mapping) else None
    return outcome if isinstance(outcome, str) else None
