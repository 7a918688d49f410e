"""A saved cloud: as it was, or not at all."""

import pickle
import stat
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.simulator import saved as module
from services.simulator.dialect import Dialect
from services.simulator.events import EventStore
from services.simulator.life.life import Life, Rate
from services.simulator.notification import Notification
from services.simulator.population import populate
from services.simulator.saved import KEPT, SCHEMA, Saved, StateFile
from services.simulator.world import World
from tests.support.events import NOON

SHAPES = {1: "70dfe181", 2: "48690b9e", 3: "74911d99", 4: "850058bc"}
"""Schema -> digest of the names of everything that is saved."""


@pytest.fixture
def life() -> Life:
    """A life that has just come to rest."""
    world = World(Random(5), NOON, Dialect())
    populate(world, 10)
    life = Life(world, origin=NOON, pace=1)
    life.start(Rate(operations=20))
    for _ in (*life.advance(5), *life.finish()):
        pass
    return life


@pytest.fixture
def file(tmp_path: Path) -> StateFile:
    return StateFile(tmp_path / "simulator.state")


def on(life: Life, seconds: float = 5) -> list[Notification]:
    """Let a life go on."""
    life.start(Rate(operations=20))
    return list(life.advance(life.elapsed + seconds))


def test_a_saved_life_goes_on_as_the_one_that_was_never_saved(life: Life, file: StateFile) -> None:
    file.save(Saved(life, ()))
    loaded = file.load()

    assert loaded is not None
    sent = on(loaded.life)
    assert sent
    assert [each.message for each in sent] == [each.message for each in on(life)]


def test_events_are_saved_in_their_order(life: Life, file: StateFile) -> None:
    store = EventStore(Random(1), store_raw=True, kept=1000)
    for notification in (*on(life), *life.finish()):
        store.record(notification, NOON)
    file.save(Saved(life, tuple(store.all())))
    loaded = file.load()

    assert loaded is not None
    again = EventStore(Random(1), store_raw=True, kept=1000)
    again.restore(loaded.events)
    assert again.visible(NOON) == store.visible(NOON)
    assert again.all() == store.all()


def test_the_file_is_its_owners_alone(life: Life, file: StateFile) -> None:
    file.path.with_name("simulator.state.new").write_text("left by a kill, for all to read")
    file.save(Saved(life, ()))

    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name]


def test_there_is_nothing_to_load_before_the_first_save(file: StateFile) -> None:
    with capture_logs() as logs:
        assert file.load() is None

    assert logs == []


class Foreign:
    """Something that a hostile file might want to have made."""


def _with_header(text: bytes) -> bytes:
    return module._header(text) + text


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda _: b"", "no saved simulated cloud"),
        (lambda _: b"some other file\n", "no saved simulated cloud"),
        (lambda good: good.replace(b" %d " % SCHEMA, b" 0 ", 1), "schema of another version"),
        (lambda good: good[:-100], "damaged"),
        (lambda good: good[:-1] + b"x", "damaged"),
        (lambda _: _with_header(pickle.dumps({"a": 1})), "holds dict"),
        (lambda _: _with_header(pickle.dumps(Foreign())), "Foreign is no part"),
        (lambda _: _with_header(b"cposix\nsystem\n(S'true'\ntR."), "posix.system is no part"),
        (lambda _: _with_header(b"\x80"), ""),
    ],
)
def test_what_cannot_be_loaded_is_ignored_and_the_log_says_why(
    life: Life, file: StateFile, spoil: Callable[[bytes], bytes], reason: str
) -> None:
    file.save(Saved(life, ()))
    file.path.write_bytes(spoil(file.path.read_bytes()))

    with capture_logs() as logs:
        assert file.load() is None

    [line] = logs
    assert line["event"] == "simulator_state_ignored"
    assert reason in line["reason"]


def test_a_directory_that_is_gone_costs_the_state_and_not_the_stop(life: Life) -> None:
    with capture_logs() as logs:
        StateFile(Path("/nonexistent/simulator.state")).save(Saved(life, ()))

    assert [line["event"] for line in logs] == ["simulator_state_not_saved"]


def test_the_schema_rises_with_the_shape_of_what_is_saved(life: Life) -> None:
    shape = sha256("\n".join(_names(life)).encode()).hexdigest()[:8]

    assert SHAPES.get(SCHEMA) == shape, f"raise SCHEMA, and write its shape here: {shape!r}"


def _names(life: Life) -> Iterator[str]:
    plain: dict[type[Any], object] = {
        Life: life,
        World: life.world,
        type(life.world.servers): life.world.servers,
    }
    for each in KEPT:
        if is_dataclass(each):
            names = [field.name for field in fields(each)]
        else:
            names = sorted(vars(plain[each]))
        yield f"{each.__qualname__}: {' '.join(names)}"
