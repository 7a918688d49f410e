"""The bindings of our queue to OpenStack's exchanges, which are looked for again while absent.

OpenStack's exchanges are not durable by default: a broker restart deletes them, and our bindings
with them, while our queue stays. The services declare them again when they next publish, and
nothing would arrive any more, without any error. So bindings are renewed on every connect *and* on
a timer.
"""

from collections import defaultdict
from collections.abc import Collection

import structlog

from services.catcher.sources.amqp_absences import Absences
from services.catcher.sources.amqp_queue import Subscription
from shared.amqp.session import Session

log = structlog.get_logger(__name__)


class Bindings:
    """Of one queue. Every method raises BusUnavailable where the broker fails."""

    def __init__(self, subscription: Subscription) -> None:
        self.unbound: dict[str, str] = {}
        """Exchanges that we could not bind, and why."""
        self._queue = subscription.queue
        self._keys_of = subscription.keys_of
        self._absences = Absences()
        self._was_made = False

    @property
    def trouble(self) -> str | None:
        """Why nothing at all can arrive; None while something may."""
        if len(self.unbound) < len(self._keys_of):
            return None
        return "none of the exchanges can be bound: " + "; ".join(
            f"{name}: {reason}" for name, reason in sorted(self.unbound.items())
        )

    async def make(self, session: Session) -> None:
        """Bind to every exchange that there is; called on every new session."""
        await self._bind(session, self._keys_of)
        self._was_made = True

    async def renew(self, session: Session) -> list[str]:
        """Bind anew, once a round; return the exchanges that appeared since they were missed."""
        self._absences.begin_round()
        return await self._bind(session, [one for one in self._keys_of if self._absences.due(one)])

    async def find_lost(self, session: Session) -> list[str]:
        """Look between two rounds for what was there a moment ago; return what is back."""
        return await self._bind(session, self._absences.hurried())

    async def _bind(self, session: Session, exchanges: Collection[str]) -> list[str]:
        appeared: list[str] = []
        news: dict[str, list[str]] = defaultdict(list)
        for exchange, keys in self._keys_of.items():
            if exchange not in exchanges:
                continue
            problem = await session.bind_foreign(self._queue, exchange, keys)
            before = self.unbound.get(exchange)
            if problem is not None:
                self._absences.missed(exchange, was_there=self._was_made and before is None)
                self.unbound[exchange] = problem
                if problem != before:
                    news[problem].append(exchange)
            elif before is not None:
                self._absences.found(exchange)
                del self.unbound[exchange]
                appeared.append(exchange)
                log.info("exchange_bound", exchange=exchange)
        for reason, names in news.items():  # few clouds have all services
            log.warning("exchanges_not_bound", exchanges=", ".join(names), reason=reason)
        return appeared
