"""When to look again for exchanges that are not there. Pure.

Every look at an absent exchange is a line in the log of a broker that is not ours, and most clouds
lack most of the exchanges that we know of.
"""

_HURRIED_LOOKS = 60
_MOST_ROUNDS = 10


class Absences:
    """Remembers which exchanges are absent, and since how many rounds.

    What never was is looked for ever less often, every tenth round at least. What was there before
    will be back: it is looked for every second for a minute, then every round.
    """

    def __init__(self) -> None:
        self._round = 0
        self._misses: dict[str, int] = {}
        self._next_round: dict[str, int] = {}
        self._hurried_looks: dict[str, int] = {}
        """Left of each exchange that was lost."""

    def begin_round(self) -> None:
        """Begin another round of looking at everything."""
        self._round += 1

    def due(self, exchange: str) -> bool:
        """Tell whether to look at an exchange in this round."""
        return self._round >= self._next_round.get(exchange, 0)

    def hurried(self) -> frozenset[str]:
        """Return the lost exchanges to look at now, between two rounds; counts as a look."""
        looking = frozenset(name for name, left in self._hurried_looks.items() if left > 0)
        for name in looking:
            self._hurried_looks[name] -= 1
        return looking

    def missed(self, exchange: str, *, was_there: bool) -> None:
        """Note that an exchange is absent; `was_there` when it was not the last time."""
        if was_there:
            self._hurried_looks[exchange] = _HURRIED_LOOKS
        if exchange in self._hurried_looks:
            self._next_round[exchange] = self._round + 1
            return
        misses = self._misses[exchange] = self._misses.get(exchange, 0) + 1
        self._next_round[exchange] = self._round + min(2 ** min(misses - 1, 10), _MOST_ROUNDS)

    def found(self, exchange: str) -> None:
        """Note that an exchange is there."""
        for known in (self._misses, self._next_round, self._hurried_looks):
            known.pop(exchange, None)
