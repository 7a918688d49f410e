"""The settings of actions: what every kind's have in common, and how what is wrong is told."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, ValidationError

from services.processor.actions.references import check_references, is_reference
from services.processor.actions.templates import check_template
from shared.errors import Permanent, Problem
from shared.runtime.document import Location, show
from shared.runtime.durations import format_duration
from shared.runtime.problems import problems_of
from shared.runtime.sections import Section
from shared.runtime.values import PositiveDuration

_Settings = TypeVar("_Settings", bound=Section)


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError(
            "a secret does not stand in a rule; write env:NAME or file:PATH for where it stands"
        )
    return text


Reference = Annotated[str, AfterValidator(_reference)]
"""`env:NAME` or `file:PATH`."""
Referring = Annotated[str, AfterValidator(check_references)]
"""Text that may hold `${env:NAME}` and `${file:PATH}`."""


def _bounded(deadline: timedelta) -> timedelta:
    if deadline > LONGEST_DEADLINE:
        raise ValueError(
            f"{format_duration(deadline)} is too long for one try;"
            f" at most {format_duration(LONGEST_DEADLINE)}"
        )
    return deadline


LONGEST_DEADLINE = timedelta(minutes=5)
"""A receiver that takes longer should answer that it has it, and work afterwards."""
Deadline = Annotated[PositiveDuration, AfterValidator(_bounded)]
"""For one try."""
Template = Annotated[str, AfterValidator(check_template)]
"""Jinja2, see `services.processor.actions.templates`."""


@dataclass(frozen=True, slots=True)
class _Within:
    """Places of settings within one action."""

    place: str

    def of(self, location: Location) -> str:
        return f"{self.place} {show(location)}".strip()


def problems_with(model: type[Section], settings: Mapping[str, Any], place: str) -> list[Problem]:
    """Return what keeps `settings` from being a `model`."""
    try:
        model.model_validate(dict(settings))
    except ValidationError as error:
        return problems_of(error, model, _Within(place))
    return []


def settings_of(model: type[_Settings], settings: Mapping[str, Any]) -> _Settings:
    """Return stored settings as their `model`; Permanent when a newer version refuses them."""
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        told = "; ".join(str(problem) for problem in problems_of(error, model, _Within("")))
        raise Permanent(f"the settings of the action cannot be used: {told}") from error
