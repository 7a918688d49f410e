"""From settings to what the services take: which source each cloud is read through, and how."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from functools import partial
from random import Random

from services.catcher.asking import ask_brokers, ask_events_api
from services.catcher.cloud import Candidate, WatchedCloud
from services.catcher.filters import TypeFilter, wanted_exchanges
from services.catcher.plans import AMQPPlan, EventsAPIPlan, MissedPlan
from services.catcher.sources.amqp import routing_keys
from services.catcher.sources.amqp_queue import Subscription
from services.catcher.sources.ceilometer import Ceilometer
from services.catcher.sources.events_api import Dialect
from services.catcher.sources.panko import Panko
from services.catcher.sources.webhook_listener import WebhookListener
from services.cli.running.webhooks import check_webhooks, webhook_plan
from shared.amqp.transport_url import parse_transport_url
from shared.clock import Clock
from shared.errors import Misconfigured, Problem
from shared.openstack.breaker import BreakerRule
from shared.openstack.client import CloudClient
from shared.openstack.cloud import load_cloud
from shared.openstack.sending import Limits
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings


def check_clouds(settings: Settings) -> None:
    """Raise Misconfigured with everything that would keep a cloud from being read."""
    problems: list[Problem] = [*check_webhooks(settings)]
    for cloud in settings.clouds:
        place = f"clouds[{cloud.name}]"
        if cloud.source == "amqp" and not cloud.amqp.transports:
            problems.append(
                Problem(f"{place}.amqp.transports", "source is amqp, but no broker is given")
            )
        for index, url in enumerate(cloud.amqp.transports):
            try:
                parse_transport_url(url.reveal()).address()
            except OSError as error:
                message = f"its TLS files cannot be used: {error}"
                problems.append(Problem(f"{place}.amqp.transports[{index}]", message))
        try:
            load_cloud(cloud.name)
        except Misconfigured as error:
            problems += error.problems
    if problems:
        raise Misconfigured(problems)


def watched_cloud(
    cloud: CloudSettings, listener: WebhookListener, *, clock: Clock, random: Random
) -> WatchedCloud:
    """Return by which ways the catcher may read a cloud, the preferred first.

    `listener` is the one of all clouds whose events are posted.
    """
    ways = {
        "amqp": lambda: _by_broker(cloud),
        "panko": lambda: _by_events_api(cloud, Panko(), clock=clock, random=random),
        "ceilometer": lambda: _by_events_api(cloud, Ceilometer(), clock=clock, random=random),
    }
    if cloud.source == "webhook":
        return WatchedCloud.reading(
            cloud.name,
            "webhook",
            webhook_plan(cloud, listener),
            wanted=filter_of(cloud),
            made_from=cloud,
        )
    if cloud.source != "auto":
        wanted: list[str] = [cloud.source]
    elif cloud.amqp.transports:
        wanted = ["amqp", "panko", "ceilometer"]
    else:
        wanted = ["panko", "ceilometer"]
    return WatchedCloud(
        name=cloud.name,
        candidates=tuple(ways[name]() for name in wanted),
        wanted=filter_of(cloud),
        made_from=cloud,
    )


def _by_broker(cloud: CloudSettings) -> Candidate:
    transports = [parse_transport_url(url.reveal()) for url in cloud.amqp.transports]
    several = len(transports) > 1
    plans = tuple(
        AMQPPlan(
            cloud.name,
            transport.address(),
            subscription_of(cloud, place=str(transport) if several else None),
        )
        for transport in transports
    )
    return Candidate(name="amqp", plans=plans, ask=partial(ask_brokers, plans))


def _by_events_api(
    cloud: CloudSettings, dialect: Dialect, *, clock: Clock, random: Random
) -> Candidate:
    plan = EventsAPIPlan(
        cloud=cloud.name,
        open_api=lambda: client_of(cloud, clock=clock, random=random),
        dialect=dialect,
        poll_interval=cloud.poll_interval,
        history=cloud.history != "skip",
        history_since=cloud.history if isinstance(cloud.history, datetime) else None,
    )
    return Candidate(
        name=dialect.name,
        plans=(plan,),
        ask=partial(ask_events_api, plan),
        fill=partial(MissedPlan, plan),
    )


def filter_of(cloud: CloudSettings) -> TypeFilter:
    """Return which types of `cloud` are dropped."""
    return TypeFilter(drop=cloud.filters.drop, keep=cloud.filters.keep)


def client_of(
    cloud: CloudSettings, *, clock: Clock, random: Random
) -> AbstractAsyncContextManager[CloudClient]:
    """Return the client of a cloud's APIs, within the budget that its settings give."""
    refresh = cloud.refresh
    limits = Limits(
        concurrency=refresh.concurrency,
        calls_per_second=refresh.calls_per_second,
        breaker=BreakerRule(failures=refresh.breaker_failures, pause=refresh.breaker_pause),
    )
    return CloudClient.open(load_cloud(cloud.name), clock=clock, random=random, limits=limits)


def subscription_of(cloud: CloudSettings, *, place: str | None = None) -> Subscription:
    """Return what is read of each of the cloud's brokers; `place` tells them apart."""
    amqp = cloud.amqp
    return Subscription(
        queue=cloud.queue_name,
        exchanges=wanted_exchanges(amqp.exchanges, filter_of(cloud)),
        routing_keys=routing_keys(amqp.topics, amqp.priorities),
        queue_length=amqp.queue_length,
        queue_bytes=amqp.queue_bytes,
        queue_ttl=amqp.queue_ttl,
        queue_type=amqp.queue_type,
        queue_expires=amqp.queue_expires,
        bindings=amqp.bindings,
        rebind_interval=amqp.rebind_interval,
        fail_back=amqp.fail_back_interval,
        prefetch=amqp.prefetch,
        place=place,
    )
