"""Whether hosts have the time that the database has, by which osevents goes: pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from services.cli.doctor.findings import Finding, ok, warning
from services.cli.running.timekeeping import ERROR, OFFSET, is_off
from shared.runtime.durations import format_duration
from shared.store.status import Heartbeat

MEND = (
    "have NTP keep both (timedatectl, chronyc tracking); osevents goes by the database's, but for"
    " the times in logs"
)


def host_finding(ahead: timedelta, error_seconds: float) -> Finding:
    """Judge the clock of the host that the doctor runs on, `ahead` of the database's."""
    if is_off(ahead, error_seconds):
        return warning("database", "clock", f"this host's is {_said(ahead)} it", MEND)
    return ok("database", "clock", "as this host's")


def copies_findings(heartbeats: Sequence[Heartbeat]) -> Iterator[Finding]:
    """Judge the clocks of the hosts that services run on; silent about those that are right."""
    for beat in heartbeats:
        if beat.cloud is not None or OFFSET not in beat.figures:
            continue  # the second: a copy of an earlier version
        ahead = timedelta(seconds=beat.figures[OFFSET])
        if is_off(ahead, beat.figures[ERROR]):
            says = f"the clock of its host is {_said(ahead)} the database's"
            yield warning("services", f"{beat.service} {beat.instance}", says, MEND)


def _said(ahead: timedelta) -> str:
    return f"{format_duration(abs(ahead))} {'ahead of' if ahead > timedelta() else 'behind'}"
