"""`osevents doctor`: asks everything at once, prints a finding for each question."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from random import SystemRandom
from time import monotonic

import click

from services.cli.doctor import brokers, clouds
from services.cli.doctor.findings import Finding, Probe, State, findings_of, ok, warning
from services.cli.doctor.permissions import add_user, set_permissions
from services.cli.doctor.stores import bus_findings, database_findings, flow_findings
from services.cli.doctor.webhook import webhook_findings
from services.cli.output import Format, cell, format_option, print_json
from services.cli.running.plans import client_of, subscription_of
from services.cli.running.webhooks import check_webhooks
from services.cli.stored import DATA
from shared.amqp.transport_url import Transport, parse_transport_url
from shared.clock import SystemClock
from shared.errors import Misconfigured, Problem
from shared.runtime.logs import configure_logs
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings, load_settings
from shared.store.database import Database
from shared.store.embedded import embedded_postgres

FAILED = 1


@click.command()
@click.option("--config", type=click.Path(path_type=Path), help="The configuration file.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=DATA,
    show_default=True,
    help="The data directory of `osevents up`, where the configuration names no database.",
)
@click.option(
    "--permissions",
    is_flag=True,
    help="Only print the rabbitmqctl lines for the least permissions; ask nobody.",
)
@format_option("Text for people, or one JSON object a line.")
def doctor(config: Path | None, data: Path, format_: Format, *, permissions: bool) -> int:
    """Ask whether everything is reachable, allowed and flowing; name the mend for what is not."""
    settings = load_settings(config, os.environ)
    if permissions:
        lines = list(permission_lines(settings))
        if not lines:
            raise click.UsageError(
                "no cloud has amqp.transports, so there is no broker to ask for permissions; "
                "name them in the file of --config FILE"
            )
        click.echo("\n".join(lines))
        return 0
    # What a probe meets is in its finding; the libraries' own words would only disturb.
    configure_logs(level="critical", as_json=False, service="doctor", instance=str(os.getpid()))
    findings = asyncio.run(findings_of(list(probes(settings, data))))
    if format_ is Format.JSON:
        print_json([finding.row() for finding in findings])
    else:
        for line in lines_of(findings):
            click.echo(line)
    return FAILED if any(finding.state is State.FAILED for finding in findings) else 0


def lines_of(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the findings for people: whole, since a command that is cut off mends nothing."""
    for finding in findings:
        says = cell(finding.says)
        yield f"{finding.state.value:<8} {finding.about}, {finding.check}: {says}"
        if finding.mend:
            yield f"{'':<8} -> {cell(finding.mend)}"


def probes(settings: Settings, data: Path) -> Iterator[Probe]:
    """Yield everything there is to ask with these settings; `data` is for an embedded database."""
    yield from _database_probes(settings, data)
    if settings.bus.url is None:
        yield _said(ok("bus", "connection", "no bus.url: a bus within `osevents up`"))
    else:
        mend = "does our RabbitMQ run, and are user, password and virtual host in bus.url right?"
        yield Probe("bus", "connection", partial(bus_findings, settings.bus.url), mend)
    if not settings.clouds:
        yield _said(warning("clouds", "number", "none is configured", "add one to clouds:"))
    for problem in check_webhooks(settings):
        yield Probe("webhook", "settings", partial(_complain, problem), "")
    if any(cloud.source == "webhook" for cloud in settings.clouds):
        mend = "start osevents catcher"
        yield Probe("webhook", "listener", partial(webhook_findings, settings.webhook), mend)
    for cloud in settings.clouds:
        yield from _cloud_probes(cloud)


def _database_probes(settings: Settings, data: Path) -> Iterator[Probe]:
    names = [cloud.name for cloud in settings.clouds]
    if settings.database.url is not None:
        opened = partial(_open_database, settings.database.url.reveal())
        mend = "does PostgreSQL run, and are user, password and name in database.url right?"
        asked = partial(database_findings, opened, SystemClock(), monotonic)
        yield Probe("database", "connection", asked, mend)
        flow = partial(flow_findings, opened, names, monotonic)
        yield Probe("flow", "timeline", flow, mend)
    elif (data / "postgres").is_dir():
        mend = f"see {data}/postgres"
        yield Probe("database", "connection", partial(_embedded_findings, data, names), mend)
    else:
        says = f"no database.url, and no osevents up has run in {str(data)!r}"
        mend = "osevents up makes an embedded one; say where it is with --data"
        yield _said(warning("database", "connection", says, mend))


async def _embedded_findings(data: Path, names: Sequence[str]) -> list[Finding]:
    async with embedded_postgres(data) as url:
        opened = partial(_open_database, url)
        found = await database_findings(opened, SystemClock(), monotonic)
        return [*found, *await flow_findings(opened, names, monotonic)]


def _open_database(url: str) -> AbstractAsyncContextManager[Database]:
    return Database.open(url, connections=1, application="osevents-doctor")


def permission_lines(settings: Settings) -> Iterator[str]:
    """Yield the commands for the operators of OpenStack's brokers."""
    for cloud in settings.clouds:
        for transport in _transports(cloud):
            yield f"# cloud {cloud.name}, broker {transport}"
            for user in dict.fromkeys(host.user for host in transport.hosts):
                yield add_user(user)
                yield set_permissions(
                    subscription_of(cloud), user=user, virtual_host=transport.virtual_host
                )


def _cloud_probes(cloud: CloudSettings) -> Iterator[Probe]:
    transports = _transports(cloud) if cloud.source in {"auto", "amqp"} else []
    polled = cloud.source in {"panko", "ceilometer"} or (cloud.source == "auto" and not transports)
    try:
        client = client_of(cloud, clock=SystemClock(), random=SystemRandom())
    except Misconfigured as error:
        yield from (
            Probe(
                f"cloud {cloud.name}",
                "clouds.yaml",
                partial(_complain, problem),
                "add or mend its entry",
            )
            for problem in error.problems
        )
    else:
        yield from clouds.probes(cloud.name, client, polled=polled)
    yield from brokers.probes(cloud.name, transports, subscription_of(cloud))


def _transports(cloud: CloudSettings) -> list[Transport]:
    return [parse_transport_url(url.reveal()) for url in cloud.amqp.transports]


def _said(finding: Finding) -> Probe:
    async def say() -> list[Finding]:
        return [finding]

    return Probe(finding.about, finding.check, say, finding.mend)


async def _complain(problem: Problem) -> list[Finding]:
    raise Misconfigured([problem])
