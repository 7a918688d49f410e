"""The configuration of osevents: one YAML file, overridden by the environment, checked once.

`load_settings` finds everything that is wrong before it complains. Only composition roots call
it; the parts are given the values they need, never this object.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from shared.errors import Misconfigured, Problem
from shared.runtime.document import Document, read_document
from shared.runtime.overrides import apply_overrides, variable_name, variables_for
from shared.runtime.problems import Places, problems_of
from shared.runtime.sections import (
    ActionSettings,
    BusSettings,
    CloudSettings,
    DatabaseSettings,
    HTTPSettings,
    ListenerSettings,
    LogSettings,
    OwnSettings,
    RetentionSettings,
    Section,
    Strings,
)
from shared.runtime.values import PositiveDuration


class Settings(Section):
    """The whole configuration of all services."""

    database: DatabaseSettings = DatabaseSettings()
    bus: BusSettings = BusSettings()
    clouds: tuple[CloudSettings, ...] = ()
    rules: Strings = ()
    """Directories of YAML files, single files, or `builtin:NAME`; one of them, or a list. They are
    read again when they change. Absent: no rules."""
    own: OwnSettings = OwnSettings()
    catalogue: tuple[str, ...] = ()
    """YAML files that add event types to the built-in catalogue, or say other things of them."""
    actions: ActionSettings = ActionSettings()
    retention: RetentionSettings = RetentionSettings()
    http: HTTPSettings = HTTPSettings()
    webhook: ListenerSettings = ListenerSettings()
    log: LogSettings = LogSettings()
    simulator: dict[str, Any] = Field(default_factory=dict)
    """Checked by the simulator itself, see `services.simulator.settings`."""
    heartbeat_interval: PositiveDuration = timedelta(seconds=10)
    """Between two heartbeats of each cloud, which show that the way to every consumer is open."""
    drain_timeout: PositiveDuration = timedelta(seconds=20)
    """How long a service may finish what it has in hand after SIGTERM; Kubernetes gives 30 s."""

    def cloud(self, name: str) -> CloudSettings | None:
        """Return the cloud of that name."""
        return next((cloud for cloud in self.clouds if cloud.name == name), None)


def load_settings(
    path: Path | None, environ: Mapping[str, str], *, require: Collection[str] = ()
) -> Settings:
    """Return the settings of the file at `path` (None: no file), overridden from `environ`.

    `require` names what this service cannot do without, such as "database.url". Raises
    Misconfigured with everything that is wrong, each problem at its line or variable.
    """
    document = read_document(path)
    overrides = apply_overrides(document.value, environ)
    places = Places(document, overrides)
    problems = [*document.problems, *overrides.problems]
    settings = None
    try:
        settings = Settings.model_validate(overrides.value)
    except ValidationError as error:
        problems += problems_of(error, Settings, places)
    else:
        problems += _twins(settings, places)
    tried = {problem.place for problem in overrides.problems}
    problems += [
        _needed(name, document)
        for name in require
        if not _is_given(overrides.value, name) and tried.isdisjoint(variables_for(name))
    ]
    if problems or settings is None:
        raise Misconfigured(problems)
    return settings


def _twins(settings: Settings, places: Places) -> list[Problem]:
    """Two clouds of one name would share checkpoints and rows."""
    seen: dict[str, int] = {}
    problems = []
    for index, cloud in enumerate(settings.clouds):
        if cloud.name in seen:
            message = f"{cloud.name!r} is the name of clouds[{seen[cloud.name]}] already"
            problems.append(Problem(places.of(("clouds", index, "name")), message))
        seen.setdefault(cloud.name, index)
    return problems


def _is_given(value: object, name: str) -> bool:
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return bool(value)


def _needed(name: str, document: Document) -> Problem:
    variable = variable_name(name)
    if document.name is None:
        return Problem(variable, f"is needed; set it, or {name} in a configuration file")
    return Problem(document.name, f"{name} is needed; add it, or set {variable}")
