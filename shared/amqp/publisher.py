"""Publish with confirms, many at a time, over a session that is opened when it is needed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from pamqp import commands as spec

from shared.amqp.address import Address
from shared.amqp.consumer import Prepare
from shared.amqp.session import MessageTooLarge, Session, open_session
from shared.errors import BusUnavailable


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to publish."""

    exchange: str
    routing_key: str
    body: bytes
    properties: spec.Basic.Properties


class ConfirmedPublisher:
    """The publishing end; get one from `open_publisher`. Calls take turns, so order is kept."""

    def __init__(self, address: Address, prepare: Prepare, *, name: str) -> None:
        self._address = address
        self._prepare = prepare
        self._name = name
        self._session: Session | None = None
        self._stack = AsyncExitStack()
        self._turn = asyncio.Lock()

    async def publish(self, messages: Sequence[Outgoing]) -> None:
        """Publish all of `messages` in order and return when all confirms arrived.

        Raises BusUnavailable when any is missing; the session is given up then, and the next call
        opens another. MessageTooLarge when that is because of a message of which no broker with
        such a limit will ever take more.
        """
        failure: BaseException | None = None
        async with self._turn:
            session = await self._open()
            try:
                async with asyncio.TaskGroup() as group:
                    for message in messages:
                        group.create_task(_send(session, message))
            except* BusUnavailable as failures:
                failure = _telling(failures)
                await self.close()
        if isinstance(failure, MessageTooLarge):
            raise failure
        if failure is not None:
            raise BusUnavailable(f"not all messages were confirmed: {failure}") from failure

    async def waiting_in(self, queue: str) -> int:
        """Return how many messages wait in `queue`, 0 when it does not exist.

        Raises BusUnavailable.
        """
        async with self._turn:
            session = await self._open()
        return await session.waiting_in(queue) or 0

    async def close(self) -> None:
        """Close the session, if there is one."""
        self._session = None
        await self._stack.aclose()

    async def _open(self) -> Session:
        if self._session is not None and not self._session.closed.is_set():
            return self._session
        await self.close()
        session = await self._stack.enter_async_context(
            open_session(self._address, name=f"osevents {self._name}")
        )
        try:
            await self._prepare(session)
        except BusUnavailable:
            await self.close()
            raise
        self._session = session
        return session


def _telling(failures: BaseExceptionGroup[BusUnavailable]) -> BaseException:
    """Return the failure that says most: of all that fail with a channel, one is the reason."""
    too_large = (one for one in failures.exceptions if isinstance(one, MessageTooLarge))
    return next(too_large, failures.exceptions[0])


async def _send(session: Session, message: Outgoing) -> None:
    await session.publish(message.exchange, message.routing_key, message.body, message.properties)


@asynccontextmanager
async def open_publisher(
    address: Address, prepare: Prepare, *, name: str
) -> AsyncIterator[ConfirmedPublisher]:
    """Give a publisher whose session is closed when the context is left."""
    publisher = ConfirmedPublisher(address, prepare, name=name)
    try:
        yield publisher
    finally:
        await publisher.close()
