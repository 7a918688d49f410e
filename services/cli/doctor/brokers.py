"""OpenStack's RabbitMQ, asked host by host: TCP, TLS, login, virtual host, permissions, exchanges.

Nothing is changed there but a queue `<ours>.doctor`, that is made and deleted again.
"""

import asyncio
import shlex
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from services.catcher.sources.amqp_queue import Subscription
from services.cli.doctor.findings import Finding, Probe, failed, ok, warning
from services.cli.doctor.permissions import add_user, bound_queue, set_permissions
from shared.amqp.session import Depth, Session, open_session
from shared.amqp.transport_url import Host, Transport
from shared.errors import BusUnavailable

CONNECT_SECONDS = 10.0
_LIVES = timedelta(minutes=1)
_CERTIFICATE_MENDS = {
    "hostname mismatch": "use the name in the certificate, or"
    " ssl_enforce_hostname_verification=false",
    "IP address mismatch": "use the name in the certificate, or"
    " ssl_enforce_hostname_verification=false",
    "certificate verify failed": "set ssl_ca_file to the authority that issued the broker's"
    " certificate",
    "certificate required": "the broker wants a client certificate: set ssl_cert_file and"
    " ssl_key_file",
}


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen on a broker, by somebody who is logged in."""

    refused: tuple[str, ...]
    """The broker's words for what we may not do with our own queue."""
    unbound: Mapping[str, str]
    """Exchanges that cannot be bound, and why."""
    other_arguments: str | None
    """The broker's words when our queue is there and is not as the settings want it."""
    depth: Depth | None
    """Of our queue; None when there is none yet."""
    services_queues: Mapping[str, Depth]
    """The queues that the services' publishers make: named like the routing keys."""


def probes(cloud: str, transports: Sequence[Transport], wanted: Subscription) -> Iterator[Probe]:
    """Yield what to ask of each host of each transport."""
    for transport in transports:
        for host in transport.hosts:
            alone = replace(transport, hosts=(host,))
            about = f"broker {cloud} {alone}"
            work = partial(_asked, about, alone, wanted)
            yield Probe(about, "login", work, "look at the broker's log")


async def _asked(about: str, transport: Transport, wanted: Subscription) -> list[Finding]:
    host = transport.hosts[0]
    reached = await _reached(about, transport, host)
    if reached.state == "failed":
        return [reached]
    try:
        async with open_session(transport.address(), name="osevents doctor") as session:
            looked = await _look(session, wanted)
    except BusUnavailable as error:
        return [reached, refused_login(about, transport, host, wanted, str(error))]
    logged_in = ok(about, "login", f"as {host.user} to virtual host {transport.virtual_host}")
    return [reached, logged_in, *judged(about, transport, wanted, looked)]


async def _reached(about: str, transport: Transport, host: Host) -> Finding:
    """Open a connection and say nothing; tells TCP from TLS."""
    tls = transport.tls.context() if transport.tls is not None else None
    check = "TCP" if tls is None else "TLS"
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            _, writer = await asyncio.open_connection(host.name, host.port, ssl=tls)
            writer.close()
    except ssl.SSLError as error:
        return failed(about, check, str(error), _tls_mend(str(error)))
    except (OSError, TimeoutError) as error:
        says = str(error) or f"no answer within {CONNECT_SECONDS:g} s"
        mend = f"is the broker running, and is {host.port} its port (5672, with TLS 5671)?"
        return failed(about, "TCP", says, mend)
    if transport.tls is not None and transport.tls.ca_file is None:
        says = "the broker's certificate is not checked"
        return warning(about, check, says, "add ssl_ca_file to the transport's options")
    return ok(about, check, "the port answers" if tls is None else "certificate and name are right")


async def _look(session: Session, wanted: Subscription) -> Looked:
    trial = f"{wanted.queue}.doctor"
    refused = await session.try_queue(trial, lives=_LIVES)
    unbound: dict[str, str] = {}
    if await session.depth_of(trial) is not None:
        for exchange, keys in wanted.keys_of.items():
            problem = await session.bind_foreign(trial, exchange, keys)
            if problem is not None:
                unbound[exchange] = problem
        await session.delete_own(trial)
    depth = await session.depth_of(wanted.queue)
    other_arguments = None
    if depth is not None and not refused:
        # Declared as the catcher does; of a queue that is there this changes nothing.
        other_arguments = await session.declare_own(wanted.queue, wanted.arguments)
    queues = {key: await session.depth_of(key) for key in wanted.routing_keys}
    return Looked(
        refused=tuple(refused),
        unbound=unbound,
        other_arguments=other_arguments,
        depth=depth,
        services_queues={key: depth for key, depth in queues.items() if depth is not None},
    )


def refused_login(
    about: str, transport: Transport, host: Host, wanted: Subscription, says: str
) -> Finding:
    """Return why nobody could log in, and the commands that mend it."""
    permissions = set_permissions(wanted, user=host.user, virtual_host=transport.virtual_host)
    if "virtual host" in says:
        mend = (
            "is it the name behind the last / of the transport URL (rabbitmqctl list_vhosts)?"
            f" If so: {permissions}"
        )
    elif "certificate" in says or "SSL" in says:
        mend = _tls_mend(says)
    else:
        mend = f"{add_user(host.user)} && {permissions}"
    return failed(about, "login", says, mend)


def judged(
    about: str, transport: Transport, wanted: Subscription, looked: Looked
) -> Iterator[Finding]:
    """Yield what follows from what was seen."""
    command = set_permissions(
        wanted, user=transport.hosts[0].user, virtual_host=transport.virtual_host
    )
    if looked.refused:
        yield failed(about, "permissions", "; ".join(looked.refused), command)
    else:
        yield ok(about, "permissions", f"may declare, bind and read {wanted.queue}")
        yield from _exchanges(about, command, wanted, looked)
    yield from _own_queue(about, transport, wanted, looked)
    yield from _services_queues(about, transport, looked)


def _exchanges(about: str, command: str, wanted: Subscription, looked: Looked) -> Iterator[Finding]:
    forbidden = sorted(name for name, why in looked.unbound.items() if "not permitted" in why)
    absent = sorted(set(looked.unbound) - set(forbidden))
    bound = [name for name in wanted.keys_of if name not in looked.unbound]
    if forbidden:
        yield failed(about, "exchanges", f"may not read {', '.join(forbidden)}", command)
    if bound:
        says = f"can be read: {', '.join(bound)}"
        yield ok(about, "exchanges", says + (f"; absent: {', '.join(absent)}" if absent else ""))
    elif not forbidden:
        mend = (
            "do the services send ([oslo_messaging_notifications] driver = messagingv2), and to"
            " this virtual host? See amqp.exchanges"
        )
        yield failed(about, "exchanges", f"none of these is there: {', '.join(absent)}", mend)


def _own_queue(
    about: str, transport: Transport, wanted: Subscription, looked: Looked
) -> Iterator[Finding]:
    queue, depth = wanted.queue, looked.depth
    if looked.other_arguments is not None:
        mend = (
            "stop the catchers, rabbitmqctl delete_queue"
            f" -p {transport.virtual_host} {queue}, start them; until then it is read as it is"
        )
        yield warning(about, "queue", looked.other_arguments, mend)
    if depth is None:
        mend = "start osevents catcher, which makes it"
        yield warning(about, "queue", f"there is no {queue} yet", mend)
    elif not depth.consumers:
        says = f"{queue} holds {depth.messages} messages, and nobody reads it"
        yield warning(about, "queue", says, "start osevents catcher")
    elif depth.messages >= wanted.queue_length:
        says = f"{queue} is full ({depth.messages} messages): the oldest are dropped"
        yield failed(about, "queue", says, "start more catchers, or look why the bus takes nothing")
    else:
        says = f"{queue} holds {depth.messages} messages, {depth.consumers} read it"
        yield ok(about, "queue", says)


def _services_queues(about: str, transport: Transport, looked: Looked) -> Iterator[Finding]:
    """Warn of queues that publishers made and nobody reads: they grow until the disk is full.

    Unless a policy bounds them, which AMQP does not tell.
    """
    for queue, depth in looked.services_queues.items():
        if depth.messages and not depth.consumers:
            says = (
                f"{queue} holds {depth.messages} messages, and nobody reads it: it grows for ever,"
                " unless a policy bounds it, which we cannot see"
            )
            virtual_host = shlex.quote(transport.virtual_host)
            mend = (
                f"if rabbitmqctl list_policies -p {virtual_host} has none for it:"
                f" {bound_queue(queue, virtual_host=transport.virtual_host)}"
            )
            yield warning(about, "queues of the services", says, mend)


def _tls_mend(says: str) -> str:
    for words, mend in _CERTIFICATE_MENDS.items():
        if words in says:
            return mend
    return "does the port speak TLS, and do the ssl_ options fit the broker's?"
