"""Whether a part of a service (a cell of Nova) is down, as a list of the service tells.

Two kinds of answers mean nothing then: lists that leave out what is in that part without a word,
and a 500 to reads of what is, or may be, in there.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from services.refresher.findings import WHOLE_AGAIN_SECONDS
from services.refresher.refusals import forbids, is_internal_error
from services.refresher.resources.model import Resource
from shared.clock import Clock
from shared.errors import CloudInPart, CloudRefused, CloudUnavailable

_WHOLE_AGAIN = timedelta(seconds=WHOLE_AGAIN_SECONDS)


class Parts:
    """Of one cloud, as one copy learnt it."""

    def __init__(
        self, comes_in_part: Callable[[Resource], Awaitable[bool]], *, clock: Clock
    ) -> None:
        self._comes_in_part = comes_in_part
        self._clock = clock
        self._down: dict[str, datetime] = {}
        """When a part was last found down, by service type."""

    async def vouch(self, resource: Resource, by: Resource) -> bool:
        """Raise CloudInPart where a list of `resource`, read before this, lacks what lives.

        Return whether that could be told: who may not read the list `by` cannot tell. Raises
        CloudRefused and CloudUnavailable where that breaks down.
        """
        try:
            down = await self._look(by)
        except CloudRefused as error:
            if not forbids(error):
                raise
            return False
        if down:
            where = f"in a part of {by.service_type} that is down"
            raise _in_part(f"{resource.path} lacks what is {where}")
        return True

    async def explain(self, resource: Resource, error: CloudUnavailable) -> None:
        """Raise CloudInPart where a read broke down since a part of the service is down."""
        by = resource.broken_as_told_by
        if by is not None and is_internal_error(error) and await self._is_down(by):
            raise _in_part(f"a part of {by.service_type} is down: {error}") from error

    async def _is_down(self, by: Resource) -> bool:
        """Ask, but not again for what was found down lately."""
        known = self._down.get(by.service_type)
        age = _WHOLE_AGAIN * 2 if known is None else self._clock.now() - known
        if age < _WHOLE_AGAIN:
            return True
        try:
            return await self._look(by)
        except CloudRefused:
            return False
        except CloudUnavailable:
            # Such breakdowns make the whole service be left alone: then nobody can be asked.
            return age < _WHOLE_AGAIN * 2

    async def _look(self, by: Resource) -> bool:
        down = await self._comes_in_part(by)
        if down:
            self._down[by.service_type] = self._clock.now()
        else:
            self._down.pop(by.service_type, None)
        return down


def _in_part(message: str) -> CloudInPart:
    return CloudInPart(message, retry_after_seconds=WHOLE_AGAIN_SECONDS)
