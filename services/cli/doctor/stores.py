"""Our own database and bus, and whether events flow."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from services.cli.doctor.clocks import copies_findings, host_finding
from services.cli.doctor.findings import Finding, failed, ok, warning
from shared.amqp.address import Address
from shared.amqp.session import open_session
from shared.bus.rabbitmq import declare_topology
from shared.clock import Clock
from shared.errors import BusUnavailable, Misconfigured
from shared.followed_clock import Ticks
from shared.runtime.durations import format_duration
from shared.secret import SecretURL
from shared.store.database import Database
from shared.store.migrations import check
from shared.store.server_time import follow
from shared.store.status import Heartbeat, Heartbeats
from shared.store.summary import Summary

OLDEST_POSTGRESQL = 140_000
ALIVE = timedelta(seconds=15)
LATELY = timedelta(hours=24)
SERVICES = ("catcher", "processor", "refresher")

OpenDatabase = Callable[[], AbstractAsyncContextManager[Database]]


async def database_findings(
    open_database: OpenDatabase, host: Clock, ticks: Ticks
) -> list[Finding]:
    """Ask the database how it is, and whether it has the time of this host."""
    async with open_database() as database:
        version = await Summary(database).server_version()
        clock = await follow(database, ticks)
        ahead = host.now() - clock.now()
        found = [version_finding(version), host_finding(ahead, clock.error_seconds)]
        try:
            await check(database)
        except Misconfigured as error:
            mend = "run osevents migrate, with the version that is to run"
            return [*found, failed("database", "schema", str(error), mend)]
    return [*found, ok("database", "schema", "at this version")]


async def flow_findings(
    open_database: OpenDatabase, clouds: Sequence[str], ticks: Ticks
) -> list[Finding]:
    """Ask the database which services live, and what came of each cloud."""
    async with open_database() as database:
        now = (await follow(database, ticks)).now()
        heartbeats = await Heartbeats(database).latest(now - ALIVE)
        newest = await Summary(database).newest(now - LATELY)
    return [
        *services(heartbeats),
        *copies_findings(heartbeats),
        *flow(clouds, heartbeats, newest, now),
    ]


def version_finding(version: int) -> Finding:
    """Judge PostgreSQL's version, given as 140011 for 14.11."""
    says = f"PostgreSQL {version // 10_000}.{version % 10_000}"
    if version < OLDEST_POSTGRESQL:
        return failed("database", "version", says, "use PostgreSQL 14 or later")
    return ok("database", "version", says)


def services(heartbeats: Sequence[Heartbeat]) -> Iterator[Finding]:
    """Tell which services live."""
    copies: defaultdict[str, int] = defaultdict(int)
    for heartbeat in heartbeats:
        if heartbeat.cloud is None:
            copies[heartbeat.service] += 1
    for service in SERVICES:
        count = copies[service] + copies["up"]
        if count:
            yield ok("services", service, f"{count} alive")
        else:
            yield warning("services", service, "none is alive", f"start osevents {service}")


def flow(
    clouds: Sequence[str],
    heartbeats: Sequence[Heartbeat],
    newest: Mapping[tuple[str, str], datetime],
    now: datetime,
) -> Iterator[Finding]:
    """Tell for each cloud what its catcher says, and how old each service's newest event is."""
    troubles = {
        heartbeat.cloud: str(heartbeat.figures["trouble"])
        for heartbeat in heartbeats
        if heartbeat.cloud is not None and heartbeat.figures.get("trouble")
    }
    for cloud in clouds:
        about = f"cloud {cloud}"
        if cloud in troubles:
            yield failed(about, "source", troubles[cloud], "see the findings about its source")
        ages = {
            service: now - time
            for (name, service), time in sorted(newest.items())
            if name == cloud and service != "osevents"
        }
        if ages:
            told = (f"{service} {_said(age)}" for service, age in ages.items())
            yield ok(about, "newest events", f"ago: {', '.join(told)}")
        else:
            yield warning(
                about,
                "newest events",
                f"none within {format_duration(LATELY)}",
                "change something in the cloud, a tag of a server say, and look with osevents"
                " events; do its services send?",
            )


async def bus_findings(url: SecretURL) -> list[Finding]:
    """Connect to the bus and declare on it what every service declares."""
    async with open_session(Address.parse(url.reveal()), name="osevents doctor") as session:
        found = [ok("bus", "connection", f"to {session.host}")]
        try:
            await declare_topology(session)
        except BusUnavailable as error:
            mend = (
                "the user of bus.url must be allowed everything in its virtual host (rabbitmqctl"
                " set_permissions -p VHOST USER '.*' '.*' '.*'); a queue with other arguments has"
                " to be emptied and deleted"
            )
            return [*found, failed("bus", "declaring", str(error), mend)]
    return [*found, ok("bus", "declaring", "exchanges and queues are as this version wants them")]


def _said(age: timedelta) -> str:
    return format_duration(timedelta(seconds=max(0, int(age.total_seconds()))))
