"""The configuration while a service runs: read again when it changes, or on SIGHUP.

Only the clouds can change under a running service: they are added, changed and removed without
stopping the others. Whatever else differs is said to need a restart. A configuration that cannot
be used leaves the last good one in force, says what is wrong, and shows as a metric.
"""

import asyncio
import hashlib
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge

from services.cli.running.composition import Parts
from services.cli.running.plans import check_clouds
from shared.errors import Misconfigured
from shared.runtime.settings import Settings, load_settings
from shared.waiting import pause

LOOK_EVERY = timedelta(seconds=2)

log = structlog.get_logger(__name__)


class ReloadMetrics:
    """What reloading counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.valid = Gauge(
            "osevents_configuration_valid",
            "1 while the configuration file can be used; else the last good one is in force.",
            registry=registry,
        )
        self.valid.set(1)
        self.reloads = Counter(
            "osevents_configuration_reloads",
            "Changes of the configuration that were taken over.",
            registry=registry,
        )


@dataclass(kw_only=True)
class Reloading:
    """Watches the configuration file of one process."""

    path: Path
    environ: Mapping[str, str]
    settings: Settings
    """What is in force."""
    command: Callable[[Settings], None]
    """Takes over new settings; what it raises as Misconfigured is wrong with them."""
    metrics: ReloadMetrics
    _digest: str = field(init=False)
    """Of the content that was looked into last."""
    _seen: str = field(init=False)
    """Of the content that was there at the last look."""

    def __post_init__(self) -> None:
        self._digest = self._seen = digest_of(self.path)

    async def run(self, stop: asyncio.Event) -> None:
        """Watch until `stop` is set."""
        hung_up = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, hung_up.set)
        try:
            while not stop.is_set():
                self.look(asked=hung_up.is_set())
                hung_up.clear()
                await pause(LOOK_EVERY, stop)
        finally:
            loop.remove_signal_handler(signal.SIGHUP)

    def look(self, *, asked: bool) -> None:
        """Take over the file when it has changed, or in any case when `asked`.

        A change counts once two looks saw the same: an editor that writes in place leaves the file
        empty for a moment, which would be a configuration without any cloud.
        """
        digest = digest_of(self.path)
        settled, self._seen = digest == self._seen, digest
        if not asked and (digest == self._digest or not settled):
            return
        self._digest = digest
        try:
            settings = load_settings(self.path, self.environ)
            check_clouds(settings)
            self.command(settings)
        except Misconfigured as error:
            self.metrics.valid.set(0)
            for problem in error.problems:
                log.warning("configuration_refused", problem=str(problem))
            return
        for name in needing_restart(self.settings, settings):
            log.warning("configuration_needs_restart", setting=name)
        log.info("configuration_taken_over", clouds=[cloud.name for cloud in settings.clouds])
        self.settings = settings
        self.metrics.valid.set(1)
        self.metrics.reloads.inc()


def watched_configuration(
    parts: Parts, config: Path, commands: Sequence[Callable[[Settings], None]]
) -> Reloading:
    """Return the watch over a process' configuration file, whose services take it by `commands`."""

    def command(settings: Settings) -> None:
        for each in commands:
            each(settings)

    return Reloading(
        path=config,
        environ=os.environ,
        settings=parts.settings,
        command=command,
        metrics=ReloadMetrics(parts.registry),
    )


def digest_of(path: Path) -> str:
    """Return what tells one content of the file from another; empty while it cannot be read.

    Not the time of the file: Kubernetes swaps links to directories, editors rename.
    """
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def needing_restart(before: Settings, after: Settings) -> list[str]:
    """Return the sections that differ and are read at the start only."""
    return [
        name
        for name in Settings.model_fields
        if name != "clouds" and getattr(before, name) != getattr(after, name)
    ]
