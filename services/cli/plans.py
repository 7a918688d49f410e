"""From settings to what the services take: which source each cloud is read through, and how."""

from contextlib import AbstractAsyncContextManager
from datetime import datetime
from random import Random

from services.catcher.cloud import WatchedCloud
from services.catcher.filters import TypeFilter, wanted_exchanges
from services.catcher.plans import AMQPPlan, EventsAPIPlan, Plan
from services.catcher.sources.amqp import routing_keys
from services.catcher.sources.amqp_queue import Subscription
from services.catcher.sources.ceilometer import Ceilometer
from services.catcher.sources.events_api import Dialect
from services.catcher.sources.panko import Panko
from services.catcher.sources.webhook_listener import WebhookListener
from services.cli.webhooks import check_webhooks, webhook_plan
from shared.amqp.transport_url import parse_transport_url
from shared.clock import Clock
from shared.errors import Misconfigured, Problem
from shared.openstack.breaker import BreakerRule
from shared.openstack.client import CloudClient, Limits
from shared.openstack.cloud import load_cloud
from shared.runtime.sections import CloudSettings
from shared.runtime.settings import Settings

EVENTS_APIS: dict[str, Dialect] = {"panko": Panko(), "ceilometer": Ceilometer()}


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


def plans_for(
    cloud: CloudSettings, listener: WebhookListener, *, clock: Clock, random: Random
) -> list[Plan]:
    """Return how to read `cloud`: each broker when there is one, otherwise its Events API.

    `listener` is the one of all clouds whose events are posted.
    """
    if cloud.source == "webhook":
        return [webhook_plan(cloud, listener)]
    if cloud.source in EVENTS_APIS or not cloud.amqp.transports:
        return [
            EventsAPIPlan(
                cloud=cloud.name,
                open_api=lambda: client_of(cloud, clock=clock, random=random),
                dialect=EVENTS_APIS.get(cloud.source, Panko()),
                poll_interval=cloud.poll_interval,
                history=cloud.history != "skip",
                history_since=cloud.history if isinstance(cloud.history, datetime) else None,
            )
        ]
    transports = [parse_transport_url(url.reveal()) for url in cloud.amqp.transports]
    several = len(transports) > 1
    return [
        AMQPPlan(
            cloud.name,
            transport.address(),
            subscription_of(cloud, place=str(transport) if several else None),
        )
        for transport in transports
    ]


def watched_cloud(
    cloud: CloudSettings, listener: WebhookListener, *, clock: Clock, random: Random
) -> WatchedCloud:
    """Return by which ways the catcher may read a cloud, the preferred first."""
    return WatchedCloud.reading(
        cloud.name,
        cloud.source,
        *plans_for(cloud, listener, clock=clock, random=random),
        wanted=filter_of(cloud),
        made_from=cloud,
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
