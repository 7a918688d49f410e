"""How the places for actions are shared among receivers, so that none is in another's way; pure.

A receiver has so many places at once, and one that fails has a single one until it works again: a
receiver that is down, and lets every try wait for its deadline, holds one place, not all of them;
and however many are down, half of the places are left to those that work. Where there are more
receivers than places, those served longest ago come first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

FAILURES = 3
"""After so many failures in a row a receiver has one place."""


@dataclass(slots=True)
class Places:
    """Who has how many of the places, and how each receiver does."""

    at_once: int
    """Places in all."""
    per_receiver: int
    taken: Counter[str] = field(default_factory=Counter)
    _failures: Counter[str] = field(default_factory=Counter)
    _served: dict[str, int] = field(default_factory=dict)
    _turn: int = 0

    @property
    def room(self) -> int:
        """How many more actions may be in hand."""
        return self.at_once - self.taken.total()

    def shares(self, due: Sequence[str]) -> dict[str, int]:
        """Return how many actions of each receiver to take now, one after the other in turns."""
        room = self.room
        order = sorted(due, key=lambda receiver: (self._served.get(receiver, 0), receiver))
        down = [receiver for receiver in order if self._is_down(receiver)]
        passed_over = set(down[max(0, self._room_for_those_down()) :])
        shares: Counter[str] = Counter()
        while room > 0:
            open_ = [
                receiver
                for receiver in order
                if receiver not in passed_over and shares[receiver] < self._most(receiver)
            ][:room]
            if not open_:
                break
            shares.update(open_)
            room -= len(open_)
        return dict(shares)

    def take(self, receiver: str) -> None:
        """Give a place to an action."""
        self._turn += 1
        self._served[receiver] = self._turn
        self.taken[receiver] += 1

    def leave(self, receiver: str) -> None:
        """Take the place of an action back."""
        self.taken[receiver] -= 1
        if self.taken[receiver] <= 0:
            del self.taken[receiver]

    def worked(self, receiver: str) -> None:
        """Note that a receiver took an action."""
        self._failures.pop(receiver, None)

    def failed(self, receiver: str) -> None:
        """Note that a receiver did not."""
        self._failures[receiver] += 1

    def forget(self, waiting: Sequence[str]) -> None:
        """Forget receivers for whom nothing waits any more."""
        for known in (self._failures, self._served):
            for receiver in set(known) - set(waiting) - set(self.taken):
                del known[receiver]

    def _is_down(self, receiver: str) -> bool:
        return self._failures[receiver] >= FAILURES

    def _room_for_those_down(self) -> int:
        held = sum(places for receiver, places in self.taken.items() if self._is_down(receiver))
        return max(1, self.at_once // 2) - held

    def _most(self, receiver: str) -> int:
        places = 1 if self._is_down(receiver) else self.per_receiver
        return max(0, places - self.taken[receiver])
