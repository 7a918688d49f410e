"""Events that Ceilometer's `http(s)://` publisher posts, as a source.

Ceilometer waits five seconds for the answer and drops what was answered with an error, so a 2xx is
the acknowledgement: it is given when the bus has confirmed. What is not confirmed in time is
answered with 503 and stays in hand all the same, since nobody would send it again. What there is no
room for is lost, and so is what was posted while nobody listened: both are gaps.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from services.catcher.decoding.notification import Notification
from services.catcher.sources.last_read import LastRead
from services.catcher.sources.port import Handover, OnGap, Unreadable
from shared.event import Occasion
from shared.runtime.durations import format_duration
from shared.waiting import beside

NOTE_INTERVAL = timedelta(seconds=5)
UNNOTICED = timedelta(seconds=15)
"""An absence this short is a restart of ours, during which little can have been posted."""


class Outcome(StrEnum):
    """What became of a request."""

    TAKEN = "taken"
    """The bus has confirmed its events."""
    LATE = "late"
    """Not confirmed in time; its events are still in hand."""
    NO_ROOM = "no_room"
    """Too much is in hand already; its events are lost."""
    LEAVING = "leaving"
    """It came when we were about to stop; its events are lost, if no other copy gets them."""


@dataclass(eq=False, slots=True)
class _Post:
    items: tuple[Notification | Unreadable, ...]
    size: int
    confirmed: asyncio.Event = field(default_factory=asyncio.Event)


class WebhookSource:
    """See `services.catcher.sources.port.Source`; `post` is the other end."""

    name = "webhook"
    occasion = Occasion.NEWS

    def __init__(
        self, *, on_gap: OnGap, last_read: LastRead, room_bytes: int, answer_within: timedelta
    ) -> None:
        self.refusal: str | None = None
        """Why the last request could not be used; None when it could."""
        self._on_gap = on_gap
        self._last_read = last_read
        self._room_bytes = room_bytes
        self._answer_within = answer_within
        self._posts: deque[_Post] = deque()
        self._arrived = asyncio.Event()
        self._in_hand_bytes = 0
        self._turned_away = 0
        self._left = False

    @property
    def trouble(self) -> str | None:
        """See the port. That nobody posts is no trouble that could be seen from here."""
        return self.refusal and f"the last request was refused: {self.refusal}"

    async def post(self, items: tuple[Notification | Unreadable, ...], size: int) -> Outcome:
        """Take the events of a request of `size` bytes, and say what became of them in time."""
        if self._left:
            self.turn_away()
            return Outcome.LEAVING
        if self._in_hand_bytes + size > self._room_bytes and self._in_hand_bytes:
            self.turn_away()
            return Outcome.NO_ROOM
        post = _Post(items, size)
        self._posts.append(post)
        self._in_hand_bytes += size
        self._arrived.set()
        try:
            async with asyncio.timeout(self._answer_within.total_seconds()):
                await post.confirmed.wait()
        except TimeoutError:
            return Outcome.LATE
        return Outcome.TAKEN

    def turn_away(self) -> None:
        """Note that a request was lost, for want of room or time."""
        self._turned_away += 1

    async def receive(self, *, most: int, wait: timedelta) -> Handover:  # noqa: ARG002
        """See the port; requests come whole, and one that came is waiting for its answer."""
        await self._tell_turned_away("the bus did not take what had come before")
        await self._arrived.wait()
        taken: list[_Post] = []
        count = 0
        while self._posts and (not taken or count + len(self._posts[0].items) <= most):
            taken.append(self._posts.popleft())
            count += len(taken[-1].items)
        if not self._posts:
            self._arrived.clear()
        return _handed_over(taken)

    async def done(self, handover: Handover) -> None:
        """See the port."""
        assert isinstance(handover.token, list)
        for post in handover.token:
            self._in_hand_bytes -= post.size
            post.confirmed.set()

    def leave(self) -> Handover | None:
        """See the port; who posted has been told already, or will be, that we have it."""
        self._left = True
        posts = list(self._posts)
        self._posts.clear()
        return _handed_over(posts) if posts else None

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Remember, until the context is left, that somebody listens; report when nobody did.

        Leave it when nothing can be posted any more.
        """
        ago = await self._last_read.ago()
        if ago is not None and ago > UNNOTICED:
            seconds = timedelta(seconds=int(ago.total_seconds()))
            await self._on_gap(
                f"nobody listened for {format_duration(seconds)}; what was posted is lost"
            )
        async with beside(**{"noting that the webhook listens": self._keep_noting()}):
            yield
        await self._tell_turned_away("they came when this copy was about to stop")

    async def _tell_turned_away(self, why: str) -> None:
        if self._turned_away:
            turned_away = self._turned_away
            await self._on_gap(
                f"{turned_away} requests were answered with 503, since {why};"
                " Ceilometer does not send them again"
            )
            self._turned_away -= turned_away

    async def _keep_noting(self) -> None:
        while True:
            await self._last_read.note()
            await asyncio.sleep(NOTE_INTERVAL.total_seconds())


def _handed_over(posts: list[_Post]) -> Handover:
    return Handover(tuple(item for post in posts for item in post.items), posts)
