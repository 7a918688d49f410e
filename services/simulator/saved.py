"""A simulated cloud over a restart: its world, life, events and dice, in one file.

The file is written when the simulator stops in order, and taken away before its life goes on: a
cloud that went on twice from one moment would give the same ids to different things. After a kill
there is none, then, and a new cloud begins.

Nothing but the classes named here is ever made of a file, whoever wrote it.
"""

import io
import os
import pickle
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import structlog

from services.simulator import objects
from services.simulator.dialect import Dialect
from services.simulator.events import Event
from services.simulator.life.life import Life, Rate
from services.simulator.notification import Actor
from services.simulator.table import Table
from services.simulator.world import World

SCHEMA = 4
"""Raise it whenever one of KEPT gets other fields; a test notices."""
_MAGIC = b"osevents-simulator"
_UNREADABLE = (
    pickle.UnpicklingError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    TypeError,
    ValueError,
)
"""What unpickling raises, by its documentation and by what was seen."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Saved:
    """What goes on after a restart. Tokens do not: their owners ask for new ones."""

    life: Life
    """At rest, with nothing in flight; its world, and in it the generator, come along."""
    events: tuple[Event, ...]


KEPT: tuple[type[Any], ...] = (
    Saved,
    World,
    Life,
    Rate,
    Table,
    Dialect,
    Actor,
    Event,
    *(
        each
        for each in vars(objects).values()
        if isinstance(each, type) and each.__module__ == objects.__name__
    ),
)
"""Our own classes that a file may hold."""
_PYTHONS: tuple[type[Any], ...] = (Counter, Random, datetime, timedelta, timezone)


@dataclass(frozen=True, slots=True)
class StateFile:
    """Where one simulated cloud is saved."""

    path: Path

    def load(self) -> Saved | None:
        """Return what was saved; None, saying why in the log, when there is nothing to go on."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("simulator_state_ignored", path=str(self.path), reason=str(error))
            return None
        try:
            return _read(content)
        except _UNREADABLE as error:
            log.warning("simulator_state_ignored", path=str(self.path), reason=str(error))
            return None

    def save(self, saved: Saved) -> None:
        """Write `saved`, readable by its owner alone, whole or not at all; the log says if not."""
        text = pickle.dumps(saved, protocol=pickle.HIGHEST_PROTOCOL)
        try:
            self._write(_header(text) + text)
        except OSError as error:
            log.warning("simulator_state_not_saved", path=str(self.path), reason=str(error))

    def _write(self, content: bytes) -> None:
        new = self.path.with_name(f"{self.path.name}.new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
            file.write(content)
        new.replace(self.path)

    def forget(self) -> None:
        """Take the file away: from now on what it tells is the past."""
        self.path.unlink(missing_ok=True)


class _Unpickler(pickle.Unpickler):
    """Makes only what a saved cloud consists of."""

    def find_class(self, module: str, name: str) -> type[Any]:
        """Return one of the classes that are allowed; raises UnpicklingError for any other."""
        found = _ALLOWED.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a simulated cloud")
        return found


_ALLOWED = {(each.__module__, each.__qualname__): each for each in (*KEPT, *_PYTHONS)}


def _header(text: bytes) -> bytes:
    return b"%s %d %s\n" % (_MAGIC, SCHEMA, sha256(text).hexdigest().encode())


def _read(content: bytes) -> Saved:
    header, newline, text = content.partition(b"\n")
    words = header.split(b" ")
    if not newline or words[0] != _MAGIC:
        raise ValueError("this is no saved simulated cloud")
    if words[1:2] != [b"%d" % SCHEMA]:
        raise ValueError(f"it has the schema of another version; this one reads {SCHEMA}")
    if header + newline != _header(text):
        raise ValueError("it is damaged: its digest differs")
    saved = _Unpickler(io.BytesIO(text)).load()
    if not isinstance(saved, Saved):
        raise TypeError(f"it holds {type(saved).__name__}, not a simulated cloud")
    return saved
