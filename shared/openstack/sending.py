"""One try of a call, within what one cloud may be asked: rooms, turns, and services left alone."""

from collections import Counter
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp

from shared.backoff import Backoff
from shared.clock import Clock
from shared.errors import CloudLeftAlone, CloudRefused, CloudUnavailable
from shared.openstack.breaker import Breaker, BreakerRule, Opened
from shared.openstack.call import Call, parsed, redirected
from shared.openstack.gate import Gate
from shared.openstack.replies import detail_of, is_transient, retry_after_seconds
from shared.openstack.session import Token

_SHORTEST_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one cloud is asked of."""

    attempts: int = 4
    """Of one call, the first included; renewing a token is not one."""
    backoff: Backoff = field(default_factory=Backoff)
    longest_wait_seconds: float = 15.0
    """A longer Retry-After is not sat out here: the caller gets CloudUnavailable and decides."""
    concurrency: int = 8
    """Calls at once to one service."""
    calls_per_second: float | None = None
    """To one service; None for as fast as it answers."""
    breaker: BreakerRule = field(default_factory=BreakerRule)
    body_bytes: int = 64 * 1024 * 1024
    """A longer reply is not read to its end."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How one service is asked at this moment."""

    calls: int
    """Sent so far; retries count."""
    under_way: int
    waiting: int
    """For room, for their turn, or because the service asked us to wait."""
    opened: Opened | None
    """The circuit, when the service kept failing and is left alone."""


class Sender:
    """Sends calls to one cloud; each service has its own gate and its own breaker."""

    def __init__(
        self, cloud: str, http: aiohttp.ClientSession, *, clock: Clock, limits: Limits
    ) -> None:
        self.calls: Counter[str] = Counter()
        """Requests sent, by service type; retries count."""
        self._cloud = cloud
        self._http = http
        self._clock = clock
        self._limits = limits
        self._gates: dict[str, Gate] = {}
        self._breakers: dict[str, Breaker] = {}

    def budgets(self) -> dict[str, Budget]:
        """Return how each service is asked at this moment, by service type."""
        return {
            name: Budget(self.calls[name], gate.inside, gate.waiting, self._breaker(name).opened)
            for name, gate in self._gates.items()
        }

    async def send(self, call: Call, token: Token) -> Any:
        """Return what came back: JSON, or the body as it is, as `call` wants it.

        Raises CloudUnavailable, CloudLeftAlone (nobody was asked) and CloudRefused.
        """
        gate, breaker = self._gate(call.service_type), self._breaker(call.service_type)
        async with gate.passage():
            self._admit(call, breaker)
            try:
                reply = await self._send(call, token, gate)
            except CloudUnavailable as error:
                if error.status == HTTPStatus.TOO_MANY_REQUESTS:
                    breaker.worked()
                else:
                    breaker.failed(str(error), self._clock.now())
                raise
            except CloudRefused:
                breaker.worked()
                raise
            except BaseException:
                breaker.abandoned()
                raise
            breaker.worked()
            return reply

    def _admit(self, call: Call, breaker: Breaker) -> None:
        now = self._clock.now()
        if breaker.admit(now) or breaker.opened is None:
            return
        wait = max((breaker.opened.look_at - now).total_seconds(), _SHORTEST_LOOK_SECONDS)
        message = (
            f"{call.service_type} of cloud {self._cloud} is left alone since "
            f"{breaker.opened.since:%H:%M:%S}: {breaker.opened.reason}"
        )
        raise CloudLeftAlone(message, retry_after_seconds=wait)

    async def _send(self, call: Call, token: Token, gate: Gate) -> Any:
        self.calls[call.service_type] += 1
        try:
            async with self._http.get(
                call.url, headers={**call.headers, **token.headers}, allow_redirects=False
            ) as reply:
                body = await self._body(call, reply)
        except (aiohttp.ClientError, TimeoutError) as error:
            reason = str(error) or type(error).__name__
            raise CloudUnavailable(f"{call}: {reason}") from error
        if reply.status == HTTPStatus.OK:
            return parsed(call, body) if call.parse else body
        elsewhere = redirected(call, reply.status, reply.headers.get("Location"))
        if elsewhere is not None:
            return await self._send(elsewhere, token, gate)
        raise self._refusal(call, reply, body, gate)

    async def _body(self, call: Call, reply: aiohttp.ClientResponse) -> bytes:
        chunks: list[bytes] = []
        room = self._limits.body_bytes
        async for chunk in reply.content.iter_any():
            room -= len(chunk)
            if room < 0:
                message = f"{call}: the reply is longer than {self._limits.body_bytes} bytes"
                raise CloudRefused(message, status=reply.status)
            chunks.append(chunk)
        return b"".join(chunks)

    def _refusal(
        self, call: Call, reply: aiohttp.ClientResponse, body: bytes, gate: Gate
    ) -> CloudRefused | CloudUnavailable:
        detail = detail_of(body)
        message = f"{call} of cloud {self._cloud}: {reply.status} {detail}".rstrip()
        wait = retry_after_seconds(reply.headers.get("Retry-After"), now=self._clock.now())
        if not is_transient(reply.status, told_to_wait=wait is not None):
            return CloudRefused(message, status=reply.status, detail=detail)
        if wait is not None:
            gate.hold(min(wait, self._limits.longest_wait_seconds))
        return CloudUnavailable(message, retry_after_seconds=wait, status=reply.status)

    def _breaker(self, service_type: str) -> Breaker:
        if service_type not in self._breakers:
            self._breakers[service_type] = Breaker(self._limits.breaker)
        return self._breakers[service_type]

    def _gate(self, service_type: str) -> Gate:
        if service_type not in self._gates:
            self._gates[service_type] = Gate(
                concurrency=self._limits.concurrency,
                calls_per_second=self._limits.calls_per_second,
            )
        return self._gates[service_type]
