"""The exception tree. A branch says what the caller does, not where the error came from.

    OseventsError
    ├── Transient                 wait, then try again
    │   ├── BusUnavailable        the message bus did not take or hand over messages
    │   ├── StoreUnavailable      PostgreSQL cannot be reached
    │   └── CloudUnavailable      an OpenStack API is down, slow, or asks us to wait
    │       ├── CloudLeftAlone    it kept failing, so that it is not asked for now
    │       └── CloudInPart       it cannot reach a part of itself, and shows less
    ├── Permanent                 trying again cannot help; keep it as a dead letter
    │   ├── UnreadableNotification   a source handed over something that is no notification
    │   ├── UnreadableEvent       a message on the bus is no event of ours
    │   ├── Unstorable            a value that PostgreSQL cannot hold (a NUL character, ...)
    │   └── CloudRefused          an OpenStack API said no (400, 403, ...)
    ├── Misconfigured             the operator must change something; the process ends with 2
    └── EndedByItself             what has to run for ever ended: a defect of ours

Messages name the thing, the value and, where there is one, the way out.
"""

from dataclasses import dataclass


class OseventsError(Exception):
    """Everything osevents raises on purpose."""


class Transient(OseventsError):
    """It may work later: retry with backoff."""


class BusUnavailable(Transient):
    """The bus did not confirm, or cannot be reached; what was sent may arrive twice."""


class StoreUnavailable(Transient):
    """PostgreSQL cannot be reached or ended the connection; nothing was committed."""


class CloudUnavailable(Transient):
    """An OpenStack API cannot serve us now; `retry_after_seconds` when it said for how long.

    `status` is the HTTP status, None where there was no answer.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after_seconds: float | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds
        self.status = status


class CloudLeftAlone(CloudUnavailable):
    """The service kept failing; nobody was asked, and nobody is before `retry_after_seconds`."""


class CloudInPart(CloudUnavailable):
    """The service cannot reach a part of itself (a cell of Nova), and shows less than there is."""


class Permanent(OseventsError):
    """It will never work: make it a dead letter with this reason."""


class UnreadableNotification(Permanent):
    """What a source handed over is not a notification; the message says what is wrong with it."""


class UnreadableEvent(Permanent):
    """A message on the bus is not one of our events."""


class Unstorable(Permanent):
    """PostgreSQL cannot hold a value: a NUL character, an absurd date, a key of many kilobytes."""


class CloudRefused(Permanent):
    """An OpenStack API refused the request; `status` is the HTTP status, `detail` its own words."""

    def __init__(self, message: str, *, status: int, detail: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with the configuration: where, what, and how to mend it."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class Misconfigured(OseventsError):
    """The configuration cannot be used; `problems` lists everything found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class EndedByItself(OseventsError):
    """Something that has to run until it is told to stop ended before; a defect of ours."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} ended although nobody asked it to; this is a bug in osevents")
