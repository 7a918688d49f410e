"""Publish with confirms, many at a time, over a session that is opened when it is needed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from shared.amqp.address import Address
from shared.amqp.consumer import Prepare
from shared.amqp.failures import MessageTooLarge
from shared.amqp.session import Outgoing, Session, open_session
from shared.errors import BusUnavailable


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
        async with self._turn:
            session = await self._open()
            try:
                await session.publish(messages)
            except BusUnavailable as failure:
                await self.close()
                if isinstance(failure, MessageTooLarge):
                    raise
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
