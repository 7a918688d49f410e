"""A target: what must be refreshed, and which event asked for it.

Targets are keys, not work items: ten thousand events of one port are one target. The refresher
reads the truth from the API when it comes to it.
"""

from dataclasses import dataclass

from shared.resource import ResourceRef

BY_ID = "id"
"""The target is the one object whose id is `key`."""
BY_KIND = "kind"
"""The target is everything of the kind (`key` is empty): a full pass of that kind."""


@dataclass(frozen=True, slots=True)
class Target:
    """What to read again.

    `by` is BY_ID, BY_KIND, or the name of a list filter of the API, as in
    (prod, port, device_id, 5f3c...): all ports of that server.
    """

    cloud: str
    kind: str
    by: str
    key: str
    cause: str
    """Who asked (the latest, when several did), as `str(Cause)` writes it: an event by its id."""
    why: str
    """A few words for people: `subject of port.update.end`."""

    @property
    def ref(self) -> ResourceRef:
        """The object itself, where `by` is BY_ID."""
        return ResourceRef(self.cloud, self.kind, self.key)
