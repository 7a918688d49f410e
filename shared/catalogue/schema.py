"""The shape of a catalogue file, checked by pydantic. The reference of its fields stands here.

A file describes the event types of one service. Where something stands in a payload is given as
one path, a list of paths (the first that holds something wins) or, by flavour, as
`{legacy: ..., versioned: ..., cadf: ..., traits: ...}`; without a flavour it means legacy.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from shared.catalogue.model import SUBJECT
from shared.catalogue.paths import problem_of
from shared.event import Action, Flavour, Level, Phase
from shared.target import BY_ID


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _by_flavour(value: Any) -> Any:
    return {Flavour.LEGACY.value: value} if isinstance(value, str | list) else value


def _checked_path(path: str) -> str:
    problem = problem_of(path)
    if problem:
        raise ValueError(f"{path!r}: {problem}")
    return path


def _as_refresh(value: Any) -> Any:
    if value == SUBJECT:
        return {"from": SUBJECT}
    return {"kind": value, "from": value} if isinstance(value, str) else value


def _one_text(path: str) -> str:
    if "*" in path.split("/"):
        raise ValueError(f"{path!r}: * gives many, this is one text; 0 takes the first item")
    return path


Strings = Annotated[list[str], BeforeValidator(_as_list)]
Path = Annotated[str, BeforeValidator(_checked_path)]
PathList = Annotated[list[Path], BeforeValidator(_as_list)]
TextList = Annotated[list[Annotated[Path, AfterValidator(_one_text)]], BeforeValidator(_as_list)]
FlavouredPaths = Annotated[dict[Flavour, PathList], BeforeValidator(_by_flavour)]
FlavouredTexts = Annotated[dict[Flavour, TextList], BeforeValidator(_by_flavour)]


def _one_star(name: str) -> str:
    if name.count("*") > 1:
        raise ValueError(f"{name!r}: only one * can stand in the name of a twin")
    return name


TypeName = Annotated[str, AfterValidator(_one_star)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RelatedFields(_Strict):
    """Another object that the payload names; `when` it begins with `starts`, if given."""

    kind: str
    id: FlavouredPaths
    when: FlavouredPaths = Field(default_factory=dict)
    starts: str = ""


class RefreshFields(_Strict):
    """What to read again: `subject`, the kind of a related object, or these fields.

    `by` is a list filter of the API that takes the id of `from`; `by: kind` reads the whole kind.
    `missing` says what to do when the event does not name `from`: read the whole `kind`, which is
    what happens for the subject anyway, or `nothing`, which is what happens for all others.
    """

    kind: str = ""
    by: str = BY_ID
    source: str = Field(SUBJECT, alias="from")
    missing: Literal["", "kind", "nothing"] = ""


class KindFrom(_Strict):
    """The payload names the kind of its subject: at `paths`, one of `names`."""

    paths: FlavouredTexts
    names: dict[str, str]


class EventFields(_Strict):
    """What can be said of an event type; shapes, defaults and events have these in common."""

    kind: str | None = None
    kind_from: KindFrom | None = None
    id: FlavouredPaths | None = None
    name: FlavouredTexts | None = None
    project: FlavouredTexts | None = None
    user: FlavouredTexts | None = None
    request_id: FlavouredTexts | None = None
    host: FlavouredTexts | None = None
    zone: FlavouredTexts | None = None
    state: FlavouredTexts | None = None
    old_state: FlavouredTexts | None = None
    related: list[RelatedFields] | None = None
    action: Action | None = None
    phase: Phase | None = None
    category: str | None = None
    refresh: list[Annotated[RefreshFields, BeforeValidator(_as_refresh)]] | None = None
    refresh_at_start: bool | None = None
    complete: PathList | None = None


class EventsOfTypes(EventFields):
    """One readable line of the catalogue: what holds for all of `types`.

    `{a,b}` in a type stands for either, `*` for any text. `shape` names the shape to start from.
    `each` repeats the line, with `$word` replaced everywhere in it by the word's value.
    """

    types: Strings
    shape: str | None = None
    each: list[dict[str, str]] = [{}]


class ShownAs(_Strict):
    """How `types` show on a timeline."""

    types: Strings
    category: str | None = None
    level: Level | None = None


class CatalogueFile(_Strict):
    """One file of the catalogue.

    `twins` gives a type that has several names the one it is known by: other name -> canonical
    name, where a `*` in both stands for the same text.
    """

    service: str = "unknown"
    publishers: list[str] = Field(default_factory=list)
    namespace: str | None = None
    versioned_only: bool = False
    defaults: EventFields = EventFields()
    shapes: dict[str, EventFields] = Field(default_factory=dict)
    twins: dict[TypeName, TypeName] = Field(default_factory=dict)
    events: list[EventsOfTypes] = Field(default_factory=list)
    timeline: list[ShownAs] = Field(default_factory=list)
