"""What the parts of one simulator share: the world, its life, its events, its misbehaviour."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from services.simulator.events import EventStore
from services.simulator.life.life import Life
from services.simulator.notifiers import MisbehavingNotifier
from services.simulator.settings import Misbehaviour, SimulatorSettings
from services.simulator.tokens import Tokens
from services.simulator.world import World
from shared.clock import Clock


@dataclass(slots=True)
class State:
    """Everything that the APIs read and the control calls change."""

    settings: SimulatorSettings
    clock: Clock
    random: Random
    """For misbehaviour only, so that it does not disturb the life of the world."""
    world: World
    life: Life
    events: EventStore
    tokens: Tokens
    notifier: MisbehavingNotifier
    misbehaviour: Misbehaviour
    wake: Callable[[], None]
    """Tells whoever drives the life that something new is due."""
    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many calls each service got, by method and kind of path."""

    def misbehave(self, misbehaviour: Misbehaviour) -> None:
        """From now on, misbehave like this."""
        self.misbehaviour = misbehaviour
        self.notifier.behaviour = misbehaviour.notifications
        self.events.misbehaviour = misbehaviour.events
