"""What the doctor found: a finding for each question, with the way out. And how probes are run.

A probe is a coroutine that asks one thing of the world and returns findings. None hides another:
each has a deadline, and whatever it raises becomes a finding of its own.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.errors import Misconfigured, OseventsError

DEADLINE_SECONDS = 30.0


class State(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"
    """It works, and something limits it."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to one question."""

    about: str
    """`database`, `bus`, `cloud prod`, `broker prod rabbit1:5672/`, ..."""
    check: str
    state: State
    says: str
    """What is so, on one line."""
    mend: str = ""
    """What to do about it, on one line; empty when it is all right."""

    def row(self) -> dict[str, Any]:
        """Return the finding as it is printed."""
        return {
            "about": self.about,
            "check": self.check,
            "state": self.state.value,
            "says": self.says,
            "mend": self.mend,
        }


def ok(about: str, check: str, says: str) -> Finding:
    """Return that all is well."""
    return Finding(about, check, State.OK, says)


def warning(about: str, check: str, says: str, mend: str) -> Finding:
    """Return that something limits it."""
    return Finding(about, check, State.WARNING, says, mend)


def failed(about: str, check: str, says: str, mend: str) -> Finding:
    """Return that it does not work."""
    return Finding(about, check, State.FAILED, says, mend)


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to ask of the world, and what to say when it cannot be asked."""

    about: str
    check: str
    work: Callable[[], Awaitable[Sequence[Finding]]]
    mend: str
    """When it fails in a way that the probe itself does not know."""


async def findings_of(
    probes: Sequence[Probe], *, seconds: float = DEADLINE_SECONDS
) -> list[Finding]:
    """Run all probes side by side; return what they found, in the order of the probes."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_found(probe, seconds), name=probe.about) for probe in probes]
    return [finding for task in tasks for finding in task.result()]


async def _found(probe: Probe, seconds: float) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(seconds):
            return await probe.work()
    except TimeoutError:
        says = f"no answer within {seconds:g} s"
    except Misconfigured as error:
        return [
            failed(probe.about, probe.check, str(problem), probe.mend) for problem in error.problems
        ]
    except OseventsError as error:
        says = str(error)
    except Exception as error:  # noqa: BLE001 - a bug in one probe must not hide the others
        says = f"a bug in osevents: {type(error).__name__} {error}"
    return [failed(probe.about, probe.check, " ".join(says.split()), probe.mend)]
