"""How fast to send many things: a steady rate, reached by a ramp. Pure."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """So many a second, after a ramp in which the rate grows evenly from nothing."""

    per_second: float
    """math.inf: as fast as they are taken."""
    ramp_seconds: float = 0

    def due_seconds(self, number: int) -> float:
        """Return how long after the beginning number `number`, counted from 0, is to be sent."""
        if math.isinf(self.per_second):
            return 0
        in_ramp = self.per_second * self.ramp_seconds / 2
        if number < in_ramp:
            return math.sqrt(2 * number * self.ramp_seconds / self.per_second)
        return self.ramp_seconds + (number - in_ramp) / self.per_second
