"""Our own queue on OpenStack's broker: how it is declared, and how it may have lost messages.

A bounded queue loses by design: beyond its length or bytes the broker drops the oldest, beyond its
time to live each one, and the whole queue when nobody reads it for too long. Nobody tells us, so we
find out: by looking at it once a second, and by remembering when it was last read.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from shared.runtime.durations import format_duration

_NO_DELIVERY_LIMIT = 1_000_000
"""RabbitMQ 4 drops what a quorum queue delivered 20 times; crashes are no reason for that."""
_STILL_FULL = 0.9


@dataclass(frozen=True, slots=True)
class Subscription:
    """What we read of one broker and virtual host."""

    queue: str
    """Our own queue, e.g. `osevents.prod`."""
    exchanges: tuple[str, ...]
    """Each service's `control_exchange`; those that do not exist are looked for again."""
    routing_keys: tuple[str, ...]
    """`<topic>.<priority>`; exact, since `notifications.*` would pull in `sample` (metering)."""
    queue_length: int
    """Messages kept while we are away; beyond, the broker drops the oldest: a gap."""
    queue_expires: timedelta
    """The broker deletes the queue after this long without a consumer."""
    rebind_interval: timedelta
    prefetch: int
    queue_bytes: int | None = None
    """The same limit as `queue_length`, in bytes of bodies."""
    queue_ttl: timedelta | None = None
    """The broker drops a message that waited longer."""
    queue_type: Literal["classic", "quorum"] = "classic"
    bindings: tuple[tuple[str, str], ...] = ()
    """Further (exchange, routing key) pairs."""
    fail_back: timedelta | None = None
    """How often to look whether a preferred host is well again."""

    place: str | None = None
    """Which broker this is, where a cloud has several: each has a queue of that name."""

    @property
    def name(self) -> str:
        """What the source is called."""
        return self.queue if self.place is None else f"{self.queue}@{self.place}"

    @property
    def arguments(self) -> dict[str, Any]:
        """Return the queue's arguments; all valid for every RabbitMQ 3 and 4 of its type."""
        arguments: dict[str, Any] = {
            "x-max-length": self.queue_length,
            "x-overflow": "drop-head",
            "x-expires": _milliseconds(self.queue_expires),
        }
        if self.queue_bytes is not None:
            arguments["x-max-length-bytes"] = self.queue_bytes
        if self.queue_ttl is not None:
            arguments["x-message-ttl"] = _milliseconds(self.queue_ttl)
        if self.queue_type == "quorum":
            arguments |= {"x-queue-type": "quorum", "x-delivery-limit": _NO_DELIVERY_LIMIT}
        return arguments

    @property
    def keys_of(self) -> dict[str, tuple[str, ...]]:
        """Return the routing keys to bind by exchange."""
        keys = dict.fromkeys(self.exchanges, self.routing_keys)
        for exchange, key in self.bindings:
            keys[exchange] = (*keys.get(exchange, ()), key)
        return keys


class Overflow:
    """Whether the queue is full, from what is seen of it. Pure.

    A full queue is told twice: when it is found full, and when it no longer is, since what was
    dropped in between must be repaired, too.
    """

    def __init__(self, subscription: Subscription) -> None:
        self.full = False
        self._queue = subscription.queue
        self._length = subscription.queue_length
        self._bytes = subscription.queue_bytes

    def look(self, waiting: int, mean_bytes: float | None) -> str | None:
        """Return what to report of a queue in which `waiting` messages wait, None: nothing new.

        `mean_bytes` is the mean size of bodies so far. AMQP tells no bytes of a queue, so the limit
        in bytes is judged by it.
        """
        share = waiting / self._length
        if self._bytes is not None and mean_bytes is not None:
            share = max(share, waiting * mean_bytes / self._bytes)
        if not self.full and share >= 1:
            self.full = True
            return f"queue {self._queue} is full ({waiting} messages): the broker drops the oldest"
        if self.full and share < _STILL_FULL:
            self.full = False
            return f"queue {self._queue} was full until now; the oldest messages were dropped"
        return None


def absence(subscription: Subscription, waiting: int | None, ago: timedelta | None) -> str | None:
    """Return why our absence lost messages, None when it did not.

    `waiting` is None when there is no queue; `ago` is how long nobody has read it, as far as known.
    """
    queue = subscription.queue
    if waiting is None:
        if ago is None:
            return f"queue {queue} did not exist: it is new, was deleted or expired"
        return (
            f"queue {queue} did not exist: it was deleted or has expired; it was last read"
            f" {_said(ago)} ago"
        )
    if subscription.queue_ttl is not None and ago is not None and ago > subscription.queue_ttl:
        return (
            f"nobody read queue {queue} for {_said(ago)}; its messages live"
            f" {_said(subscription.queue_ttl)}"
        )
    return None


def _said(duration: timedelta) -> str:
    return format_duration(timedelta(seconds=int(duration.total_seconds())))


def _milliseconds(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
