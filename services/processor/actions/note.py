"""`note`: a sentence on the timeline, beside the event that fired."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from services.processor.actions.checking import Template, problems_with, settings_of
from services.processor.actions.history import NOTE, event_about
from services.processor.actions.port import ActionCall, Done, Outcome, Run, Tools
from services.processor.actions.templates import render
from shared.clock import Clock
from shared.errors import Problem
from shared.event import Level
from shared.runtime.sections import Section
from shared.store.timeline import Timeline


class NoteSettings(Section):
    """What a rule notes."""

    text: Template
    level: Level = Level.WARNING
    """How prominent it is on the timeline."""


class Note:
    """See `services.processor.actions.port.ActionKind`."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """See the port."""
        return problems_with(NoteSettings, settings, place)

    @asynccontextmanager
    async def open(self, tools: Tools) -> AsyncIterator[Run]:
        """See the port."""
        yield _Writer(Timeline(tools.database), tools.clock).note


@dataclass(frozen=True, slots=True)
class _Writer:
    timeline: Timeline
    clock: Clock

    async def note(self, call: ActionCall) -> Outcome:
        settings = settings_of(NoteSettings, call.settings)
        text = render(settings.text, call.firing, call.idempotency_key)
        now = self.clock.now()
        event = event_about(
            call.firing,
            NOTE,
            identity=call.idempotency_key,  # once, however often it is tried
            level=settings.level,
            now=now,
            payload={"message": text},
        )
        await self.timeline.append([event], recorded_at=now)
        return Done("noted")
