"""How long to wait before trying again: exponential, capped, with full jitter.

Full jitter (a uniform draw between zero and the exponential bound) keeps many copies that failed
together from coming back together.
"""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Backoff:
    """A policy; `delay_seconds` is a pure function of the attempt and the random source."""

    first_seconds: float = 0.2
    factor: float = 2.0
    longest_seconds: float = 30.0

    def delay_seconds(self, attempt: int, random: Random) -> float:
        """Return the wait before retry number `attempt` (1 is the first retry).

        Never negative, never above `longest_seconds`; at least a twentieth of the bound, so that a
        retry loop cannot spin.
        """
        # 2 ** 64 seconds is beyond any cap; the limit keeps the power finite for endless loops.
        bound = min(self.longest_seconds, self.first_seconds * self.factor ** min(attempt - 1, 64))
        return random.uniform(bound / 20, bound)
