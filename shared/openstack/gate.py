"""How fast one service may be asked: calls at once, calls a second, and its own Retry-After."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Lets calls through, at most `concurrency` at once and `calls_per_second` (None: any)."""

    def __init__(self, *, concurrency: int, calls_per_second: float | None) -> None:
        self.inside = 0
        """Calls under way."""
        self.waiting = 0
        """Calls that wait for room or for their turn."""
        self._room = asyncio.Semaphore(concurrency)
        self._spacing_seconds = 1 / calls_per_second if calls_per_second else 0.0
        self._next_turn = 0.0

    @asynccontextmanager
    async def passage(self) -> AsyncIterator[None]:
        """Wait for room and for the turn; the room is held until the block ends."""
        async with self._turn():
            self.inside += 1
            try:
                yield
            finally:
                self.inside -= 1

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        self.waiting += 1
        try:
            await self._room.acquire()
        finally:
            self.waiting -= 1
        try:
            now = asyncio.get_running_loop().time()
            turn = max(now, self._next_turn)
            self._next_turn = turn + self._spacing_seconds
            if turn > now:
                self.waiting += 1
                try:
                    await asyncio.sleep(turn - now)
                finally:
                    self.waiting -= 1
            yield
        finally:
            self._room.release()

    def hold(self, seconds: float) -> None:
        """Let nobody start for `seconds`: the service asked everybody to wait, not one caller."""
        until = asyncio.get_running_loop().time() + seconds
        self._next_turn = max(self._next_turn, until)
