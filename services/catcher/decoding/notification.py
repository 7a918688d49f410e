"""A notification: what a source handed over, opened but not interpreted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """One notification of a service, the same whatever wrapping it came in."""

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
    context: Mapping[str, Any] = field(default_factory=dict)
    """CONTEXT_KEYS -> value, where sent."""
    flavour: Flavour = Flavour.LEGACY
    namespace: str = ""
    """Whose versioned object the payload is (`nova`); empty for other flavours."""
