"""Watches one cloud: chooses the best of its sources that works, reads it, and reconsiders.

With one candidate there is nothing to choose, and its trouble is only shown. With several (`source:
auto`) the chosen one is left when nothing has come through it for a while because of trouble, or
when a better one answers again. There is never a silent nothing: a cloud without a working source
has a state that says why.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from services.catcher.choosing import Answer, Choice, better, choose
from services.catcher.cloud import Candidate, Fill, WatchedCloud
from services.catcher.listening import Listener, saved_of
from services.catcher.reader import BACKOFF, Desk, PlanReader
from services.catcher.state import CloudState
from shared.retrying import until_it_works
from shared.waiting import pause

FILLING = "filling"
"""By which way comes what another way missed."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long to bear with what."""

    look: timedelta = timedelta(seconds=1)
    """Between two looks at the sources that are read."""
    trouble: timedelta = timedelta(seconds=15)
    """A source that has been in trouble for so long is given up when there are others."""
    nothing: timedelta = timedelta(seconds=15)
    """When no source works, they are all asked again so soon."""
    better: timedelta = timedelta(seconds=60)
    """While a lesser source is read, the better ones are asked so often."""
    distrust: timedelta = timedelta(minutes=3)
    """Who answers when asked and fails when read is not tried again before."""


class CloudWatch:
    """One cloud under watch; `state` says at any time how it stands."""

    def __init__(self, cloud: WatchedCloud, desk: Desk, patience: Patience) -> None:
        self.readers: Sequence[PlanReader] = ()
        """Of the source that is read."""
        self.listener: Listener | None = None
        """What is heard of the cloud; None until it is known what was heard before."""
        self._cloud = cloud
        self._desk = desk
        self._patience = patience
        self._choice = Choice(None, "no source was asked yet")
        self._distrusted: dict[str, tuple[datetime, str]] = {}
        """Until when which candidate is not tried again, and why."""

    @property
    def state(self) -> CloudState:
        """How it stands now."""
        listener, now = self.listener, self._desk.clock.now()
        return CloudState(
            source=self._choice.source,
            why=self._choice.why,
            trouble=self._choice.why if self._choice.source is None else self._trouble(),
            last=listener.last if listener else None,
            silent_for=listener.silent_for(now) if listener else None,
            missed_since=listener.missed_since if listener else None,
        )

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set; what is in hand then is finished."""
        self.listener = listener = await self._listen()
        while not stop.is_set():
            self._decide(await self._ask(self._cloud.candidates))
            chosen = next(
                (each for each in self._cloud.candidates if each.name == self._choice.source), None
            )
            if chosen is None:
                await pause(self._patience.nothing, stop)
            else:
                await self._read(chosen, listener, stop)

    async def remember(self) -> None:
        """Keep what was learnt of the cloud's rhythm; raises StoreUnavailable.

        Copies that read at once learn together. Where one reads at a time, the others follow it.
        """
        if self.listener is None:
            return
        if not self._stands_by:
            await self.listener.share(self._desk.database, now=self._desk.clock.now())
            return
        saved = await saved_of(self._desk.database, self._cloud.name)
        if saved is not None and self._stands_by:
            self.listener.learn(saved)

    @property
    def _stands_by(self) -> bool:
        return bool(self.readers) and all(reader.standby for reader in self.readers)

    async def _listen(self) -> Listener:
        desk, name = self._desk, self._cloud.name
        return await until_it_works(
            lambda: Listener.restored(desk.database, name, now=desk.clock.now()),
            backoff=BACKOFF,
            random=desk.random,
            on_failure=lambda error, attempt: log.warning(
                "watch_waits", cloud=name, reason=str(error), attempt=attempt
            ),
        )

    async def _ask(self, candidates: Sequence[Candidate]) -> Mapping[str, Answer]:
        """Ask candidates at the same time; a single one is not asked: it is what there is."""
        if len(self._cloud.candidates) == 1:
            return {candidates[0].name: Answer(works=True, why="the source that is configured")}
        async with asyncio.TaskGroup() as group:
            asked = {
                each.name: group.create_task(each.ask(), name=f"ask {each.name}")
                for each in candidates
            }
        return {name: self._trusted(name, task.result()) for name, task in asked.items()}

    def _trusted(self, name: str, answer: Answer) -> Answer:
        until, why = self._distrusted.get(name, (None, ""))
        if until is None or until <= self._desk.clock.now():
            return answer
        return Answer(works=False, why=f"failed when read: {why}")

    def _decide(self, answers: Mapping[str, Answer]) -> None:
        choice = choose([each.name for each in self._cloud.candidates], answers)
        if choice != self._choice:
            tell = log.info if choice.source else log.error
            tell("source_chosen", cloud=self._cloud.name, source=choice.source, why=choice.why)
        self._choice = choice

    async def _read(self, chosen: Candidate, listener: Listener, stop: asyncio.Event) -> None:
        """Read a source until there is reason to reconsider, or `stop` is set."""
        leave = asyncio.Event()
        self.readers = [
            PlanReader(
                plan,
                way=chosen.name,
                wanted=self._cloud.wanted,
                desk=self._desk,
                listener=listener,
            )
            for plan in chosen.plans
        ]
        async with asyncio.TaskGroup() as group:
            for reader in self.readers:
                group.create_task(reader.run(leave), name=f"read {self._cloud.name}")
            if (fill := self._fill_beside(chosen)) is not None:
                group.create_task(
                    self._keep_filling(fill, listener, leave), name=f"fill {self._cloud.name}"
                )
            await self._until_reconsidered(chosen, listener, stop)
            leave.set()
        self.readers = ()

    def _fill_beside(self, chosen: Candidate) -> Fill | None:
        """Return how to read what the chosen source missed; one that polls misses nothing."""
        if chosen.fill is not None:
            return None
        return next((each.fill for each in self._cloud.candidates if each.fill is not None), None)

    async def _keep_filling(self, fill: Fill, listener: Listener, leave: asyncio.Event) -> None:
        """Whenever something was missed, read it from the source that kept it."""
        while not leave.is_set():
            if listener.missed_since is not None:
                gaps, since = listener.gaps, listener.missed_since
                log.info("filling", cloud=self._cloud.name, since=since.isoformat())
                reader = PlanReader(
                    fill(since),
                    way=FILLING,
                    wanted=self._cloud.wanted,
                    desk=self._desk,
                    listener=listener,
                )
                await reader.run(leave)
                if reader.ended:
                    listener.filled(gaps)
            await pause(self._patience.look, leave)

    async def _until_reconsidered(
        self, chosen: Candidate, listener: Listener, stop: asyncio.Event
    ) -> None:
        clock, patience = self._desk.clock, self._patience
        well_at = asked_at = clock.now()
        while not stop.is_set():
            await pause(patience.look, stop)
            trouble, now = self._trouble(), clock.now()
            if trouble is None:
                well_at = now
            if len(self._cloud.candidates) == 1:
                continue
            if trouble is not None and now - well_at >= patience.trouble:
                self._distrusted[chosen.name] = (now + patience.distrust, trouble)
                listener.missed(now)
                return
            if now - asked_at >= patience.better:
                asked_at = now
                if await self._better_answers(chosen):
                    return

    async def _better_answers(self, chosen: Candidate) -> bool:
        names = better([each.name for each in self._cloud.candidates], than=chosen.name)
        candidates = [each for each in self._cloud.candidates if each.name in names]
        answers = await self._ask(candidates) if candidates else {}
        return any(answer.works for answer in answers.values())

    def _trouble(self) -> str | None:
        """Why nothing can arrive; None while something can, from one of the brokers at least."""
        troubles = [reader.trouble for reader in self.readers]
        told = [trouble for trouble in troubles if trouble is not None]
        return "; ".join(dict.fromkeys(told)) if troubles and len(told) == len(troubles) else None
