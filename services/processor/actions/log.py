"""`log`: a line in the processor's own log."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

import structlog

from services.processor.actions.checking import Template, problems_with, settings_of
from services.processor.actions.port import ActionCall, Done, Outcome, Run, Tools
from services.processor.actions.templates import render
from shared.errors import Problem
from shared.runtime.sections import Section

log = structlog.get_logger(__name__)


class LogSettings(Section):
    """What a rule has logged."""

    level: Literal["info", "warning", "error"] = "info"
    text: Template | None = None
    """Absent: only the fields, which are always there."""


class Log:
    """See `services.processor.actions.port.ActionKind`."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """See the port."""
        return problems_with(LogSettings, settings, place)

    @asynccontextmanager
    async def open(self, tools: Tools) -> AsyncIterator[Run]:  # noqa: ARG002 - it needs none
        """See the port."""
        yield write


async def write(call: ActionCall) -> Outcome:
    """Log one firing."""
    settings = settings_of(LogSettings, call.settings)
    firing, event = call.firing, call.firing.event
    text = render(settings.text, firing, call.idempotency_key) if settings.text else None
    getattr(log, settings.level)(
        "rule_fired",
        rule=firing.rule,
        key=firing.key,
        cloud=event.cloud,
        type=event.type,
        subject=str(event.subject) if event.subject else None,
        event_id=event.id,
        idempotency_key=call.idempotency_key,
        **({"text": text} if text is not None else {}),
    )
    return Done("logged")
