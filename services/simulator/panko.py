"""The way of a notification into the simulator's own Panko: always there, and instantaneous."""

from services.simulator.events import EventStore
from services.simulator.notification import Json, Notification
from shared.clock import Clock


class PankoNotifier:
    """Records every notification as Ceilometer's agent would."""

    def __init__(self, events: EventStore, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    async def send(self, exchange: str, topic: str, message: Json) -> None:
        """Record it; what is not of the topic `notifications` is passed over."""
        self._events.record(Notification(exchange, topic, message), self._clock.now())
