"""The composition roots: from settings and open resources to each service, ready to run.

`osevents up` and the single services are put together by the same functions; they differ only in
which bus and which database they are given.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

import structlog
from prometheus_client import CollectorRegistry

from services.catcher.cloud import WatchedCloud
from services.catcher.metrics import CatcherMetrics
from services.catcher.reader import Desk
from services.catcher.service import Catcher
from services.catcher.sources.webhook_listener import WebhookListener
from services.cli.running.plans import client_of, watched_cloud
from services.cli.running.rereading import rereading
from services.processor.actions.kinds import known_kinds
from services.processor.actions.metrics import ActionMetrics
from services.processor.actions.port import Tools
from services.processor.actions.schedule import Patience
from services.processor.actions.worker import ActionWorker, Effort
from services.processor.metrics import ProcessorMetrics
from services.processor.retention import TimelineLimits
from services.processor.returning import Returner
from services.processor.rules.load import load_rules, read_sources
from services.processor.rules.looking import Guard
from services.processor.rules.metrics import RuleMetrics
from services.processor.rules.work import RuleWork
from services.processor.service import Processor
from services.refresher.consume import Windows
from services.refresher.metrics import RefresherMetrics
from services.refresher.service import RefreshedCloud, Refresher
from shared.backoff import Backoff
from shared.bus.port import Bus
from shared.catalogue.catalogue import Catalogue
from shared.catalogue.load import load
from shared.clock import Clock
from shared.errors import Misconfigured, Problem, Transient
from shared.openstack.cloud import load_cloud
from shared.runtime.durations import format_duration
from shared.runtime.figures import figures_of
from shared.runtime.settings import Settings
from shared.store.database import Database
from shared.store.dead_letters import DeadLetters
from shared.store.outbox import Outbox
from shared.store.status import Heartbeats
from shared.store.targets import TargetQueue
from shared.waiting import pause

HEARTBEAT_INTERVAL = timedelta(seconds=2)

log = structlog.get_logger(__name__)


class Service(Protocol):
    """What runs until it is told to stop."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is in hand and return."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What every service of one process shares."""

    settings: Settings
    bus: Bus
    database: Database
    registry: CollectorRegistry
    clock: Clock
    random: Random
    instance: str
    """Names this process among all copies."""
    listener: WebhookListener
    """Where events are posted to, for whichever clouds want that; closed while none does."""


def catalogue_of(settings: Settings) -> Catalogue:
    """Return the catalogue with the user's files on top; raises Misconfigured."""
    return load([Path(name) for name in settings.catalogue])


def catcher(parts: Parts) -> Catcher:
    """Put the catcher together."""
    return Catcher(
        clouds=watched_clouds(parts, parts.settings),
        desk=Desk(
            bus=parts.bus,
            database=parts.database,
            catalogue=catalogue_of(parts.settings),
            clock=parts.clock,
            random=parts.random,
            metrics=CatcherMetrics(parts.registry),
        ),
        instance=parts.instance,
        heartbeat_interval=parts.settings.heartbeat_interval,
    )


def watched_clouds(parts: Parts, settings: Settings) -> list[WatchedCloud]:
    """Return the clouds that the catcher is to watch."""
    return [
        watched_cloud(cloud, parts.listener, clock=parts.clock, random=parts.random)
        for cloud in settings.clouds
    ]


def processor(parts: Parts) -> Processor:
    """Put the processor together."""
    metrics = ProcessorMetrics(parts.registry)
    return Processor(
        bus=parts.bus,
        database=parts.database,
        retention=parts.settings.retention.events,
        clock=parts.clock,
        random=parts.random,
        metrics=metrics,
        limits=timeline_limits(parts.settings),
        rules=rule_work(parts),
        history=parts.settings.retention.changes,
        beside=(action_worker(parts), returner(parts, metrics)),
    )


def rule_work(parts: Parts) -> RuleWork:
    """Put together what decides by rules; raises Misconfigured for broken files."""
    settings, kinds = parts.settings, known_kinds()
    return RuleWork.of(
        load_rules(read_sources(settings.rules), kinds),
        guard_of(settings),
        sources=settings.rules,
        kinds=kinds,
        database=parts.database,
        clock=parts.clock,
        metrics=RuleMetrics(parts.registry),
        instance=parts.instance,
    )


def guard_of(settings: Settings) -> Guard:
    """Return how to tell what osevents caused itself."""
    return Guard.of(settings.own.users, settings.own.requests)


def returner(parts: Parts, metrics: ProcessorMetrics) -> Returner:
    """Put together what sends dead letters back."""
    return Returner(
        letters=DeadLetters(parts.database),
        outbox=Outbox(parts.database),
        targets=TargetQueue(parts.database),
        bus=parts.bus,
        reread=rereading(catalogue_of(parts.settings)),
        clock=parts.clock,
        metrics=metrics,
    )


def timeline_limits(settings: Settings) -> TimelineLimits:
    """Return what of the timeline goes early; raises Misconfigured with all that cannot be."""
    kept, catalogue = settings.retention, catalogue_of(settings)
    told = {entry.category for entry in catalogue.entries()}
    known = sorted(told | {rule.category for rule in catalogue.timeline if rule.category})
    problems = [
        Problem(
            f"retention.categories.{name}",
            f"there is no such category; the categories: {', '.join(known)}",
        )
        for name in kept.categories
        if name not in known
    ] + [
        Problem(
            f"retention.categories.{name}",
            f"is longer than retention.events ({format_duration(kept.events)}), after which whole"
            " weeks are dropped; make that longer, or this shorter",
        )
        for name, duration in kept.categories.items()
        if duration > kept.events
    ]
    if problems:
        raise Misconfigured(problems)
    return TimelineLimits(kept.categories, kept.size)


def action_worker(parts: Parts) -> ActionWorker:
    """Put together what runs the actions of rules; raises Misconfigured for a broken package."""
    settings, bus_url = parts.settings.actions, parts.settings.bus.url
    backoff = Backoff(
        settings.retry_first.total_seconds(), 3.0, settings.retry_longest.total_seconds()
    )
    return ActionWorker(
        worker=parts.instance,
        kinds=known_kinds(),
        tools=Tools(
            database=parts.database,
            clock=parts.clock,
            bus_url=None if bus_url is None else bus_url.reveal(),
            allow_networks=settings.allow_networks,
        ),
        clock=parts.clock,
        random=parts.random,
        metrics=ActionMetrics(parts.registry),
        effort=Effort(
            at_once=settings.at_once,
            per_receiver=settings.per_receiver,
            patience=Patience(backoff, settings.retry_for),
        ),
    )


def refresher(parts: Parts) -> Refresher:
    """Put the refresher together."""
    return Refresher(
        bus=parts.bus,
        database=parts.database,
        clouds=refreshed_clouds(parts, parts.settings),
        catalogue=catalogue_of(parts.settings),
        instance=parts.instance,
        clock=parts.clock,
        random=parts.random,
        metrics=RefresherMetrics(parts.registry),
    )


def refreshed_clouds(parts: Parts, settings: Settings) -> dict[str, RefreshedCloud]:
    """Return the clouds that the refresher is to keep fresh.

    Raises Misconfigured for one whose certificates cannot be read: once it is commanded, that would
    end the refreshing of all.
    """
    for cloud in settings.clouds:
        load_cloud(cloud.name).ssl_context()
    return {
        cloud.name: RefreshedCloud(
            open_client=partial(client_of, cloud, clock=parts.clock, random=parts.random),
            windows=Windows(
                merge=cloud.refresh.merge_window,
                batch=cloud.refresh.batch_window,
                create=cloud.refresh.create_delay,
                history=cloud.refresh.history,
                synthetic=cloud.refresh.synthetic,
                second_look=cloud.refresh.second_look,
            ),
            full_pass_interval=cloud.refresh.full_pass_interval,
            sees_all_projects=cloud.refresh.sees_all_projects,
            made_from=cloud,
        )
        for cloud in settings.clouds
    }


@dataclass(slots=True)
class Heart:
    """Says regularly in the database that this process lives, and what it counts."""

    parts: Parts
    service: str
    trouble: str | None = "not asked yet"
    """Why the database did not take the last beat."""

    async def run(self, stop: asyncio.Event) -> None:
        """Beat until `stop` is set; a database that is away is somebody else's trouble."""
        heartbeats = Heartbeats(self.parts.database)
        while not stop.is_set():
            try:
                await heartbeats.report(
                    self.service,
                    self.parts.instance,
                    figures_of(self.parts.registry),
                    now=self.parts.clock.now(),
                )
            except Transient as error:
                self.trouble = str(error)
                log.warning("heartbeat_failed", reason=self.trouble)
            else:
                self.trouble = None
            await pause(HEARTBEAT_INTERVAL, stop)
