"""Rule files that change while a processor works."""

from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from services.processor.rules.engine import Rulebook
from services.processor.rules.load import load_rules, read_sources
from services.processor.rules.looking import Guard
from services.processor.rules.metrics import RuleMetrics
from services.processor.rules.watch import Watcher
from shared.store.database import Database
from tests.support.clocks import FixedClock
from tests.support.rules import KINDS

ONE = "rules:\n  - {name: one, actions: [log: ]}\n"
TWO = ONE + "  - {name: two, actions: [log: ]}\n"
BROKEN = ONE + "  - {name: two, actons: [log: ]}\n"

Watch = Callable[[], Watcher]


@pytest.fixture
def watch(tmp_path: Path, database: Database) -> Watch:
    def make() -> Watcher:
        sources = [str(tmp_path)]
        book = Rulebook(load_rules(read_sources(sources), KINDS), Guard())
        metrics = RuleMetrics(CollectorRegistry())
        return Watcher(sources, KINDS, book, metrics, database, FixedClock(), "me")

    return make


def names(watcher: Watcher) -> list[str]:
    return [rule.name for rule in watcher.book.rules.rules]


async def test_a_file_that_changes_is_read_again(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    watcher = watch()
    await watcher.look()

    (tmp_path / "a.yaml").write_text(TWO)
    await watcher.look()
    assert names(watcher) == ["one", "two"]

    (tmp_path / "a.yaml").unlink()
    await watcher.look()
    assert names(watcher) == []


async def test_a_broken_file_leaves_the_rules_before_it_and_says_what_is_wrong(
    tmp_path: Path, watch: Watch
) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    watcher = watch()
    await watcher.look()

    (tmp_path / "a.yaml").write_text(BROKEN)
    await watcher.look()
    await watcher.look()

    assert names(watcher) == ["one"]
    assert [problem.partition("a.yaml")[2] for problem in watcher.problems] == [
        ":3:5 rules[1].actions: is missing",
        ":3:17 rules[1].actons: is no setting; did you mean actions?",
    ]
    assert watcher.metrics.broken._value.get() == 1
    assert watcher.metrics.load_failures._value.get() == 1, "told once, not every second"

    (tmp_path / "a.yaml").write_text(ONE)
    await watcher.look()
    assert watcher.problems == ()
    assert watcher.metrics.broken._value.get() == 0


async def test_a_directory_that_goes_away_leaves_the_rules(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "a.yaml").write_text(ONE)
    watcher = watch()
    await watcher.look()

    watcher.sources = [str(tmp_path / "gone")]
    await watcher.look()

    assert names(watcher) == ["one"]
    assert watcher.problems
