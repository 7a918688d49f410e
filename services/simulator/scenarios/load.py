"""Reads scenarios: those that come with osevents, by name, and files of the user's."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import yaml
from pydantic import ValidationError

from services.simulator.scenarios.model import Scenario
from shared.errors import Misconfigured, Problem
from shared.runtime.document import Location, show
from shared.runtime.problems import problems_of

_SUFFIX = ".yaml"


def shipped() -> dict[str, Scenario]:
    """Return the scenarios that come with osevents, by name."""
    folder = files("services.simulator.scenarios") / "data"
    return {
        entry.name.removesuffix(_SUFFIX): parse(entry.read_text(encoding="utf-8"), entry.name)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(_SUFFIX)
    }


def load_scenario(name: str) -> Scenario:
    """Return the scenario of that name, or in the file of that name; raises Misconfigured."""
    known = shipped()
    if name in known:
        return known[name]
    try:
        text = Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not UTF-8 text"
        message = f"cannot be read as a file ({reason}), and no scenario is called so; there are: "
        raise Misconfigured([Problem(f"scenario {name}", message + ", ".join(known))]) from error
    return parse(text, name)


def parse(text: str, place: str) -> Scenario:
    """Return the scenario in `text`; raises Misconfigured with all that is wrong, and where."""
    try:
        return Scenario.model_validate(yaml.safe_load(text))
    except yaml.YAMLError as error:
        told = " ".join(str(error).split())
        raise Misconfigured([Problem(place, f"is not YAML: {told}")]) from error
    except ValidationError as error:
        raise Misconfigured(problems_of(error, Scenario, _Within(place))) from error


@dataclass(frozen=True, slots=True)
class _Within:
    """Where something stands in a scenario."""

    scenario: str

    def of(self, location: Location) -> str:
        """See `shared.runtime.problems.Placing`."""
        return ": ".join(filter(None, (self.scenario, show(location))))
