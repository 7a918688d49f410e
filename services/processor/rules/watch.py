"""Keeps the rules in force as their files say; a broken file leaves those before it standing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from services.processor.rules.engine import Rulebook
from services.processor.rules.load import BUILTIN, Kinds, digest_of, load_rules, read_sources
from services.processor.rules.metrics import RuleMetrics
from shared.clock import Clock
from shared.errors import Misconfigured, Transient
from shared.store.database import Database
from shared.store.status import Heartbeats
from shared.waiting import pause

INTERVAL = timedelta(seconds=1)
SERVICE = "rules"
"""Under which name the state of the files is told to `osevents status`."""
PROBLEMS_SHOWN = 5
_TELL_EVERY = 5
_Signature = tuple[tuple[str, int, int, int], ...]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Watcher:
    """Reads the files of rules again when they change."""

    sources: Sequence[str]
    kinds: Kinds
    book: Rulebook
    metrics: RuleMetrics
    database: Database
    clock: Clock
    instance: str
    problems: tuple[str, ...] = ()
    """What is wrong with the files as they are now; the rules in force are older then."""
    _seen: _Signature | None = field(default=None, init=False)
    _read: str = field(default="", init=False)

    async def run(self, stop: asyncio.Event) -> None:
        """Look every second until `stop` is set."""
        self.metrics.loaded.set(len(self.book.rules))
        self._read = self.book.rules.digest
        rounds = 0
        while not stop.is_set():
            await self.look()
            if self.sources and rounds % _TELL_EVERY == 0:
                await self._tell()
            rounds += 1
            await pause(INTERVAL, stop)

    async def look(self) -> None:
        """Look once, and take over what changed."""
        signature = await asyncio.to_thread(_signature, self.sources)
        if signature == self._seen:
            return
        self._seen = signature
        try:
            texts = await asyncio.to_thread(read_sources, self.sources)
            digest = digest_of(texts)
            if digest == self._read:
                return
            rules = await asyncio.to_thread(load_rules, texts, self.kinds)
        except Misconfigured as error:
            self._broken(error)
            return
        self._read = digest
        self.book.rules = rules
        self.problems = ()
        self.metrics.loaded.set(len(rules))
        self.metrics.broken.set(0)
        log.info("rules_loaded", rules=len(rules), digest=digest)

    def _broken(self, error: Misconfigured) -> None:
        self._read = ""  # so that the old text, when it is put back, is news
        self.problems = tuple(str(problem) for problem in error.problems)
        self.metrics.broken.set(1)
        self.metrics.load_failures.inc()
        log.error(
            "rules_broken",
            problems=len(self.problems),
            first=self.problems[:PROBLEMS_SHOWN],
            in_force=len(self.book.rules),
        )

    async def _tell(self) -> None:
        figures = {
            "loaded": len(self.book.rules),
            "digest": self.book.rules.digest,
            "problems": self.problems[:PROBLEMS_SHOWN],
        }
        try:
            await Heartbeats(self.database).report(
                SERVICE, self.instance, figures, now=self.clock.now()
            )
        except Transient as error:
            log.warning("rules_state_not_told", reason=str(error))


def _signature(sources: Sequence[str]) -> _Signature:
    """Return what changes when a file comes, goes or is written; cheaper than reading them."""
    found = []
    for source in sources:
        if source.startswith(BUILTIN):
            continue
        path = Path(source)
        try:
            files = sorted(path.iterdir()) if path.is_dir() else [path]
        except OSError:
            files = [path]
        for file in files:
            try:
                stat = file.stat()
            except OSError:
                found.append((str(file), 0, 0, 0))
            else:
                found.append((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)
