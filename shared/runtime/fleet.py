"""A fleet: named workers that join, change and leave while the others go on."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Work = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until its event is set, and finishes what is in hand. Heals its own troubles: what it raises
ends the whole fleet."""


@dataclass(frozen=True, slots=True)
class Member:
    """One worker: what it was made from, and its work."""

    made_from: object
    """Compared with `==`: a member of that name that was made from the same goes on undisturbed."""
    work: Work


@dataclass(frozen=True, slots=True)
class _Running:
    member: Member
    stop: asyncio.Event
    task: asyncio.Task[None]


class Fleet:
    """Runs the members that are wanted; `command` says at any time which these are."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self._wanted = dict(members)
        self._commanded = asyncio.Event()
        self._running: dict[str, _Running] = {}

    def command(self, members: Mapping[str, Member]) -> None:
        """Run these from now on. Who is not among them, or was made from something else, ends."""
        self._wanted = dict(members)
        self._commanded.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Run the fleet until `stop` is set; every member ends its work in hand."""
        stopping = asyncio.ensure_future(stop.wait())
        try:
            async with asyncio.TaskGroup() as group:
                while not stop.is_set():
                    self._commanded.clear()
                    self._reconcile(group)
                    await self._until_commanded(stopping)
                for running in self._running.values():
                    running.stop.set()
        finally:
            stopping.cancel()

    async def _until_commanded(self, stopping: "asyncio.Future[Literal[True]]") -> None:
        commanded = asyncio.ensure_future(self._commanded.wait())
        try:
            await asyncio.wait((commanded, stopping), return_when=asyncio.FIRST_COMPLETED)
        finally:
            commanded.cancel()

    def _reconcile(self, group: asyncio.TaskGroup) -> None:
        for name in self._running.keys() - self._wanted.keys():
            self._running[name].stop.set()
        for name, member in self._wanted.items():
            before = self._running.get(name)
            if before is not None:
                if before.member.made_from == member.made_from and not before.stop.is_set():
                    continue
                before.stop.set()
            stop = asyncio.Event()
            work = _after(before.task if before else None, member.work, stop)
            self._running[name] = _Running(member, stop, group.create_task(work, name=name))
        # Who left may come back while its work in hand goes on, so it is remembered until its end.
        ended = [
            name
            for name, running in self._running.items()
            if name not in self._wanted and running.task.done()
        ]
        for name in ended:
            del self._running[name]


async def _after(before: "asyncio.Task[None] | None", work: Work, stop: asyncio.Event) -> None:
    """Work when the predecessor of that name has ended: two would disturb each other."""
    if before is not None:
        await asyncio.wait({before})
    if not stop.is_set():
        await work(stop)
