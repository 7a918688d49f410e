"""The life itself: which operation begins when, and how far those in flight have come.

Pure: time is the number of seconds since the life's origin, and whoever drives it says how far to
go. The order of things depends on the seed alone, not on how often or how late it is driven.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import accumulate

from services.simulator.life.bystander_choices import BYSTANDERS
from services.simulator.life.choice import Choice
from services.simulator.life.compute_choices import COMPUTE
from services.simulator.life.identity_choices import NAMED, USERS
from services.simulator.life.list_choices import LISTS
from services.simulator.life.network_choices import NETWORK
from services.simulator.life.other_choices import OTHER
from services.simulator.life.service_choices import SERVICES
from services.simulator.notification import Aside, Notification, Operation, Pause
from services.simulator.world import World

STANDARD_LIFE: tuple[Choice, ...] = (
    *COMPUTE,
    *NETWORK,
    *OTHER,
    *LISTS,
    *USERS,
    *SERVICES,
    *NAMED,
    *BYSTANDERS,
)
_WEIGHTS = tuple(accumulate(choice.weight for choice in STANDARD_LIFE))
_TRIES = 20
_USUAL_NOTIFICATIONS = 6.7
"""Notifications for each operation, as long as too few were counted to know better."""
_COUNTED_AS = 100


@dataclass(frozen=True, slots=True)
class Rate:
    """How much happens: operations a second, or notifications a second."""

    operations: float = 0
    notifications: float = 0


class Life:
    """A cloud that changes. `pace` multiplies the duration of operations."""

    def __init__(self, world: World, *, origin: datetime, pace: float) -> None:
        self.world = world
        self.origin = origin
        self.pace = pace
        self.elapsed = 0.0
        self.operations: Counter[str] = Counter()
        self.notifications: Counter[str] = Counter()
        self.sent = 0
        self._rate = Rate()
        self._until: int | None = None
        self._next_start: float | None = None
        self._in_flight: list[tuple[float, int, Operation]] = []
        self._sequence = 0

    @property
    def beginning(self) -> bool:
        """Whether new operations begin."""
        return self._next_start is not None

    @property
    def in_flight(self) -> int:
        """How many operations have begun and not ended."""
        return len(self._in_flight)

    def start(self, rate: Rate, *, notifications: int | None = None) -> None:
        """Begin operations at `rate`, until that many more notifications were sent, if given.

        What is in flight then is finished, so a few more are sent.
        """
        self._rate = rate
        self._until = None if notifications is None else self.sent + notifications
        quiet = not (rate.operations or rate.notifications)
        self._next_start = None if quiet else self.elapsed

    def stop(self) -> None:
        """Begin nothing any more; what is in flight goes on to its end."""
        self._next_start = None

    def rest(self, now: datetime) -> None:
        """Let time pass until `now` without consequences, where nothing was due anyway."""
        if self.due() is None:
            self.origin = now - timedelta(seconds=self.elapsed)
            self.world.now = now

    def due(self) -> float | None:
        """Return when the next thing happens, in seconds; None when nothing is going to."""
        step = self._in_flight[0][0] if self._in_flight else None
        if step is None or self._next_start is None:
            return self._next_start if step is None else step
        return min(step, self._next_start)

    def begin(self, name: str) -> bool:
        """Begin one operation of this name now; False when there is nothing to do it to.

        Raises KeyError when the life knows no such operation.
        """
        return self.undertake({each.name: each for each in STANDARD_LIFE}[name])

    def undertake(self, choice: Choice) -> bool:
        """Begin this now, standard or not; False when there is nothing to do it to."""
        return any(self._try(choice) for _ in range(_TRIES))

    def advance(self, elapsed: float) -> Iterator[Notification]:
        """Let everything happen that is due by `elapsed`; yields notifications as they are sent."""
        while (due := self.due()) is not None and due <= elapsed:
            self.elapsed = due
            self.world.now = self.origin + timedelta(seconds=due)
            if self._next_start is not None and self._next_start <= due:
                self._begin_any()
                self._next_start = due + self._interval()
                if self._until is not None and self.sent >= self._until:
                    self.stop()
            else:
                _, _, operation = heappop(self._in_flight)
                yield from self._advance(operation)
        self.elapsed = max(self.elapsed, elapsed)

    def finish(self) -> Iterator[Notification]:
        """Begin nothing any more, and let what is in flight end at once: no time passes."""
        self.stop()
        while self._in_flight:
            _, _, operation = heappop(self._in_flight)
            yield from self._advance(operation)

    def _advance(self, operation: Operation) -> Iterator[Notification]:
        for step in operation:
            if isinstance(step, Pause):
                self._push(self.elapsed + step.seconds * self.pace, operation)
                return
            if isinstance(step, Aside):
                self._push(self.elapsed, step.operation)
                continue
            self.sent += 1
            self.notifications[step.event_type] += 1
            yield step

    def _push(self, due: float, operation: Operation) -> None:
        self._sequence += 1
        heappush(self._in_flight, (due, self._sequence, operation))

    def _begin_any(self) -> None:
        for _ in range(_TRIES):
            chosen = self.world.random.choices(STANDARD_LIFE, cum_weights=_WEIGHTS)[0]
            if self._try(chosen):
                return

    def _try(self, choice: Choice) -> bool:
        operation = choice.begin(self.world)
        if operation is None:
            return False
        self.operations[choice.name] += 1
        self._push(self.elapsed, operation)
        return True

    def _interval(self) -> float:
        operations = self._rate.operations
        if not operations:
            counted = self.sent + _USUAL_NOTIFICATIONS * _COUNTED_AS
            each = counted / (self.operations.total() + _COUNTED_AS)
            operations = self._rate.notifications / each
        return self.world.random.expovariate(operations)
