"""What OpenStack changes without telling: pure, over the data in `silence.yaml`."""

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from shared.snapshot import ChangeKind


class Silent(BaseModel):
    """One thing that no notification tells."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str | None = None
    """None: any."""
    changes: tuple[ChangeKind, ...] = ()
    """Empty: any."""
    fields: tuple[str, ...] = ()
    """Of updates; empty: all."""
    where: Mapping[str, str | None] = {}
    """Fields of the object and how their values begin; None: they are empty."""
    why: str

    def covers(
        self, kind: str, change: ChangeKind, field: str | None, object_: Mapping[str, Any]
    ) -> bool:
        """Whether this says of one difference of an object that no event tells it."""
        return (
            self.kind in {None, kind}
            and (not self.changes or change in self.changes)
            and (not self.fields or field in self.fields)
            and all(_begins(object_.get(name), begins) for name, begins in self.where.items())
        )


def _begins(value: Any, begins: str | None) -> bool:
    text = "" if value is None else str(value)
    return not text if begins is None else text.startswith(begins)


class Silence(BaseModel):
    """All of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    companions: frozenset[str]
    """Fields that change along with others, and say nothing by themselves."""
    silent: tuple[Silent, ...]

    @property
    def asked_for(self) -> list[str]:
        """The fields of an object that `covers` looks at."""
        return sorted({name for silent in self.silent for name in silent.where})

    def why(
        self, kind: str, change: ChangeKind, field: str | None, object_: Mapping[str, Any]
    ) -> str | None:
        """Return why no event tells of this difference; None when one should have."""
        return next(
            (each.why for each in self.silent if each.covers(kind, change, field, object_)), None
        )


@cache
def silence() -> Silence:
    """Return what comes with osevents; reads it once."""
    text = (resources.files("shared.catalogue") / "silence.yaml").read_text(encoding="utf-8")
    return Silence.model_validate(yaml.safe_load(text))
