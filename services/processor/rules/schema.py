"""The shape of a rule file, checked by pydantic; docs/reference/rules.md explains the fields."""

import itertools
import re
from datetime import time, timedelta
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from services.processor.rules.model import KEY_FIELDS, LONGEST_GRACE
from shared.event import Occasion
from shared.runtime.sections import Section
from shared.runtime.values import Duration, PositiveDuration

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_BRACES = re.compile(r"\{([^{}]*)\}")
_MOST_TYPES = 1000
_MOST_EVENTS = 1000
LONGEST = timedelta(days=30)
"""Of every window: state is kept for as long."""


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no name; use up to 100 letters, digits, - _ and .")
    return text


def _written_out(patterns: tuple[str, ...]) -> tuple[str, ...]:
    """Return the patterns with `a.{b,c}` written out as `a.b` and `a.c`."""
    written: list[str] = []
    for pattern in patterns:
        parts = _BRACES.split(pattern)
        choices = [part.split(",") if odd % 2 else [part] for odd, part in enumerate(parts)]
        for choice in itertools.product(*choices):
            written.append("".join(choice).replace(" ", ""))
            if len(written) > _MOST_TYPES:
                raise ValueError(f"these are more than {_MOST_TYPES} types; use *")
    if not all(written):
        raise ValueError("a type must not be empty; * means any")
    return tuple(written)


def _bounded(span: timedelta) -> timedelta:
    if span > LONGEST:
        raise ValueError("is too long; 30d is the longest")
    return span


def _grace(span: timedelta) -> timedelta:
    if span > LONGEST_GRACE:
        raise ValueError("is too long; 1h is the longest")
    return span


def _time(value: Any) -> time:
    # YAML 1.1 reads a bare 22:30 as a number to the base of 60.
    text = f"{value // 60:02d}:{value % 60:02d}" if type(value) is int else str(value)
    try:
        return time.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{value!r} is no time of day; write '22:30'") from None


def _zone(value: Any) -> ZoneInfo:
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{value!r} is no time zone; write for example Europe/Berlin or UTC"
        raise ValueError(message) from None


Words = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]
TypePatterns = Annotated[Words, AfterValidator(_written_out)]
Window = Annotated[PositiveDuration, AfterValidator(_bounded)]
Grace = Annotated[Duration, AfterValidator(_grace)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class MatchFields(Section):
    """Which events: all that is given must hold, of several values one."""

    types: TypePatterns = ("*",)
    category: Words | None = None
    level: Annotated[
        tuple[Literal["critical", "warning", "detail"], ...] | None, BeforeValidator(_as_list)
    ] = None
    cloud: Words | None = None
    project: Words | None = None
    user: Words | None = None
    host: Words | None = None
    service: Words | None = None
    kind: Words | None = None


class PartnerFields(MatchFields):
    """The other event of a correlation."""

    condition: str | None = None
    within: Window
    grace: Grace = timedelta(minutes=1)


class CountFields(Section):
    """Several events within a window."""

    events: Annotated[int, Field(gt=1, le=_MOST_EVENTS)]
    within: Window


class ThrottleFields(Section):
    """A limit of firings."""

    most: Annotated[int, Field(gt=0, le=_MOST_EVENTS)]
    within: Window


class QuietFields(Section):
    """Hours without firings."""

    start: Annotated[Any, AfterValidator(_time)] = Field(alias="from")
    end: Annotated[Any, AfterValidator(_time)] = Field(alias="to")
    zone: Annotated[Any, AfterValidator(_zone)] = Field(default="UTC", validate_default=True)
    days: Annotated[tuple[Day, ...], BeforeValidator(_as_list), Field(min_length=1)] = DAYS


class RuleFields(Section):
    """One rule."""

    name: Annotated[str, AfterValidator(_name)]
    description: str = ""
    match: MatchFields = MatchFields()
    condition: str | None = None
    key: Annotated[
        tuple[Literal[KEY_FIELDS], ...] | None,  # type: ignore[valid-type] # the names, once
        BeforeValidator(_as_list),
    ] = None
    without: PartnerFields | None = None
    after: PartnerFields | None = None
    count: CountFields | None = None
    silence: Window | None = None
    throttle: ThrottleFields | None = None
    once_per: Window | None = None
    cooldown: Window | None = None
    quiet: tuple[QuietFields, ...] = ()
    enabled: bool = True
    dry_run: bool = False
    synthetic: bool = False
    own: bool = False
    each_form: bool = False
    occasions: Annotated[
        tuple[Occasion, ...], BeforeValidator(_as_list), Field(min_length=1)
    ] = (Occasion.NEWS,)  # fmt: skip
    actions: Annotated[tuple[dict[str, Any], ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _one_correlation(self) -> Self:
        given = [name for name in CORRELATIONS if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}; a rule can have one of them")
        return self


PARTNERS = ("without", "after")
"""The correlations that name another event."""
CORRELATIONS = (*PARTNERS, "count", "silence")


class RuleFile(Section):
    """One file."""

    rules: tuple[RuleFields, ...]
