"""The bus: how events reach every consumer group, at least once.

Two implementations, `shared.bus.rabbitmq` and `shared.bus.memory`, pass `tests/conformance`.
Each consumer *group* sees every event; the copies within a group share them.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from shared.dead_letter import DeadLetter
from shared.event import Event


@dataclass(frozen=True, slots=True)
class Batch:
    """What `receive` handed over: events in the order of delivery, and a token for the answer."""

    events: tuple[Event, ...]
    token: object


class Publisher(Protocol):
    """What a producer of events needs."""

    async def publish(self, events: Sequence[Event]) -> None:
        """Hand over `events`; return when the bus has taken responsibility for all of them.

        Events of one routing key (`<cloud>.<type>`) from one publisher are delivered in the order
        given; between keys no order is promised. While the bus is full it blocks or raises, so
        that whoever publishes waits (back-pressure). Raises BusUnavailable when any of them was
        not confirmed: some may have been taken, so a retry makes duplicates, which consumers must
        expect.
        """
        ...

    async def dead_letter(self, letters: Sequence[DeadLetter]) -> None:
        """Keep `letters` for the operator; same promise as `publish`."""
        ...

    async def backlog(self) -> int:
        """Return about how many messages wait for the group that is furthest behind.

        What its consumers have received is not counted: 0 means that whatever is published now is
        received next. For those who can wait (history) not to be in the way of those who cannot.
        Raises BusUnavailable.
        """
        ...


class DirectPublisher(Publisher, Protocol):
    """What those need who also send again what was published before."""

    async def publish_to(self, group: str, events: Sequence[Event]) -> None:
        """Hand over `events` to one group of consumers, past all others; else as `publish`.

        For what only that group has to see: a dead letter sent back, a replay. Raises
        BusUnavailable when nobody has heard of the group.
        """
        ...


class Subscription(Protocol):
    """One copy's share of a consumer group's events.

    There is no way to hand a batch back and get it again: who cannot commit for now waits and
    tries again with the batch in hand, and who leaves gives back what was not acknowledged.
    """

    async def receive(self, *, most: int, wait: timedelta) -> Batch:
        """Return the next events: at least one, about `most` at most.

        Blocks until there is one, then up to `wait` for more. What cannot be read as an event is
        made a dead letter here and never shows up. Connection trouble is healed inside; a batch
        from before a reconnect is delivered again, to this copy or another. Cancelling loses
        nothing.
        """
        ...

    async def acknowledge(self, batch: Batch) -> None:
        """Say that the effects of `batch` are committed; its events are not delivered again.

        An answer to a batch from before a reconnect is ignored: it will be redelivered.
        """
        ...


class DeadLetterSubscription(Protocol):
    """The dead letters of the whole bus, read by one group (the processor)."""

    async def receive(self, *, most: int, wait: timedelta) -> "DeadLetterBatch":
        """Return the next dead letters; same promise as `Subscription.receive`."""
        ...

    async def acknowledge(self, batch: "DeadLetterBatch") -> None:
        """Say that `batch` is stored."""
        ...


@dataclass(frozen=True, slots=True)
class DeadLetterBatch:
    """Dead letters in the order of delivery, and a token for the answer."""

    letters: tuple[DeadLetter, ...]
    token: object


class Bus(DirectPublisher, Protocol):
    """Both ends; whoever composes a service opens it and hands the parts their end."""

    @property
    def trouble(self) -> str | None:
        """Why a subscription gets nothing at present; None while all of them can.

        Without any subscription: why what was published last was not taken.
        """
        ...

    def subscribe(self, group: str) -> AbstractAsyncContextManager[Subscription]:
        """Join consumer group `group`; leaving gives back what was not acknowledged."""
        ...

    def dead_letters(self) -> AbstractAsyncContextManager[DeadLetterSubscription]:
        """Join the group that stores dead letters."""
        ...
