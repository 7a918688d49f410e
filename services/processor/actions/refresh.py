"""`refresh`: what the event is about is read again, as `osevents refresh` would ask for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from services.processor.actions.checking import problems_with, settings_of
from services.processor.actions.port import ActionCall, Done, Outcome, Run, Tools
from shared.clock import Clock
from shared.errors import Problem
from shared.firing import Firing
from shared.runtime.sections import Section
from shared.store.targets import TargetQueue
from shared.target import BY_ID, BY_KIND, Target

AT_ONCE = timedelta()


class RefreshSettings(Section):
    """What a rule asks for."""

    of: Literal["subjects", "related", "all", "nothing"] = "subjects"
    """The objects that the event is about, those that it names besides, both, or none."""
    kinds: tuple[str, ...] = ()
    """Only objects of these kinds; empty: of all."""
    full_passes: tuple[str, ...] = ()
    """Kinds of which everything is listed."""


class Refresh:
    """See `services.processor.actions.port.ActionKind`."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """See the port."""
        return problems_with(RefreshSettings, settings, place)

    @asynccontextmanager
    async def open(self, tools: Tools) -> AsyncIterator[Run]:
        """See the port."""
        yield _Asker(TargetQueue(tools.database), tools.clock).ask


@dataclass(frozen=True, slots=True)
class _Asker:
    targets: TargetQueue
    clock: Clock

    async def ask(self, call: ActionCall) -> Outcome:
        asked = targets_of(call.firing, settings_of(RefreshSettings, call.settings))
        await self.targets.ask(asked, now=self.clock.now(), merge_window=AT_ONCE)
        return Done(f"{len(asked)} asked for")


def targets_of(firing: Firing, settings: RefreshSettings) -> list[Target]:
    """Return what is to be read again for a firing."""
    event = firing.event
    why = f"rule {firing.rule}"
    refs = {
        "subjects": event.subjects,
        "related": event.related,
        "all": (*event.subjects, *event.related),
        "nothing": (),
    }[settings.of]
    objects = [
        Target(ref.cloud, ref.kind, BY_ID, ref.id, event.id, why)
        for ref in dict.fromkeys(refs)
        if not settings.kinds or ref.kind in settings.kinds
    ]
    passes = [
        Target(event.cloud, kind, BY_KIND, "", event.id, why) for kind in settings.full_passes
    ]
    return [*objects, *passes]
