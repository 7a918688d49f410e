"""Texts with places for what happened: Jinja2 in a sandbox, with so little of it that it is safe.

What stands in an event comes from the users of a cloud, and a template must neither run what they
wrote nor take long over it. So: no calls, no macros, no imports, no functions, the filters below,
loops over what is there (two deep), bounded length in and out. Decision 0025 says why Jinja2.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from shared.errors import Permanent
from shared.event import Event
from shared.firing import Firing

LONGEST_TEMPLATE = 64 * 2**10
LONGEST_TEXT = 2**20
"""Characters; a webhook's body of a mebibyte is a mistake."""
_DEEPEST_LOOPS = 2

NAMES = ("event", "rule", "key", "fired_at", "idempotency_key")
"""What a template can show."""
EVENT_FIELDS = (*Event._fields, "subject")
FILTERS = (
    "tojson", "default", "d", "upper", "lower", "capitalize", "title", "trim", "truncate",
    "replace", "join", "length", "count", "first", "last", "sort", "unique", "list", "items",
    "dictsort", "int", "float", "round", "string", "urlencode", "select", "reject", "selectattr",
    "rejectattr", "map",
)  # fmt: skip
_REFUSED: dict[type[nodes.Node], str] = {
    nodes.Call: "calls nothing; use a filter",
    nodes.CallBlock: "has no macros",
    nodes.Macro: "has no macros",
    nodes.Include: "includes nothing",
    nodes.Import: "imports nothing",
    nodes.FromImport: "imports nothing",
    nodes.Extends: "extends nothing",
    nodes.Block: "has no blocks",
    nodes.Mul: "multiplies nothing",
    nodes.Pow: "multiplies nothing",
    nodes.Mod: "formats with filters, not with %",
}


def check_template(text: str) -> str:
    """Return `text` when it can be rendered; ValueError says what is wrong, and in which line."""
    _compiled(text)
    return text


def render(text: str, firing: Firing, idempotency_key: str) -> str:
    """Return the text for one action of a firing: the same at every try of it.

    Raises Permanent where this event cannot be shown with this template.
    """
    try:
        return "".join(_bounded(_compiled(text).generate(_values(firing, idempotency_key))))
    except ValueError as error:
        raise Permanent(f"the template cannot be used: {error}") from error
    except (jinja2.TemplateError, ArithmeticError, LookupError, TypeError) as error:
        raise Permanent(f"the template cannot show this event: {error}") from error


def _bounded(parts: Iterator[str]) -> Iterator[str]:
    length = 0
    for part in parts:
        length += len(part)
        if length > LONGEST_TEXT:
            raise Permanent(f"the template makes more than {LONGEST_TEXT} characters of this event")
        yield part


def _values(firing: Firing, idempotency_key: str) -> Mapping[str, Any]:
    event = firing.event
    told = {name: _plain(value) for name, value in event._asdict().items()}
    return {
        "event": {**told, "subject": _plain(event.subject)},
        "rule": firing.rule,
        "key": firing.key,
        "fired_at": _plain(firing.at),
        "idempotency_key": idempotency_key,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if hasattr(value, "_asdict"):
        return value._asdict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


@lru_cache(maxsize=1000)
def _compiled(text: str) -> jinja2.Template:
    if len(text) > LONGEST_TEMPLATE:
        raise ValueError(f"it is longer than {LONGEST_TEMPLATE} characters")
    try:
        tree = _ENVIRONMENT.parse(text)
        _check_tree(tree)
        return _ENVIRONMENT.from_string(text)
    except jinja2.TemplateSyntaxError as error:
        _wrong(error.lineno, error.message or "it cannot be read")


def _check_tree(tree: nodes.Template) -> None:
    for kind, why in _REFUSED.items():
        for node in tree.find_all(kind):
            _wrong(node.lineno, f"a template of osevents {why}")
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in NAMES and name.name not in _own_names(tree):
            known = ", ".join(NAMES)
            _wrong(name.lineno, f"there is no {name.name!r}; there are {known}")
    for field in tree.find_all(nodes.Getattr):
        of_event = isinstance(field.node, nodes.Name) and field.node.name == "event"
        if of_event and field.attr not in EVENT_FIELDS:
            known = ", ".join(EVENT_FIELDS)
            _wrong(field.lineno, f"an event has no {field.attr!r}; it has {known}")
    _check_loops(tree, 0)


def _own_names(tree: nodes.Template) -> set[str]:
    """Return the names that the template gives itself, in loops and with `set`."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"}
    return own | {"loop"}


def _check_loops(node: nodes.Node, depth: int) -> None:
    if isinstance(node, nodes.For):
        depth += 1
        if depth > _DEEPEST_LOOPS or node.recursive:
            _wrong(node.lineno, f"loops are at most {_DEEPEST_LOOPS} deep")
    for child in node.iter_child_nodes():
        _check_loops(child, depth)


def _wrong(line: int, message: str) -> NoReturn:
    raise ValueError(f"line {line}: {message}")


def _environment() -> ImmutableSandboxedEnvironment:
    # A body is no HTML unless its writer says so, and escaping would damage JSON.
    environment = ImmutableSandboxedEnvironment(
        autoescape=False,
        undefined=jinja2.ChainableUndefined,
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.filters = {name: environment.filters[name] for name in FILTERS}
    return environment


_ENVIRONMENT = _environment()
