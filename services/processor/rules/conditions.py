"""Conditions: expressions in CEL over one event, compiled once and bounded in what they can cost.

The language is Google's Common Expression Language. What could take more than time proportional
to the length of the condition times the size of the event is refused when the file is read:
`map` and `filter` (which copy), a macro within a macro, and long expressions. Regular expressions
run in linear time. So no condition can hold up the loop, and there is no limit in seconds, which
would make two runs over one history differ.
"""

import difflib
import re
from dataclasses import dataclass, field
from typing import Any

import cel
import structlog

from services.processor.rules.comparing import Comparison, comparisons
from shared.event import Event

LONGEST = 2000
"""Letters of a condition."""

FIELDS = (
    "id", "cloud", "type", "canonical", "time", "service", "publisher", "priority", "flavour",
    "action", "phase", "category", "level", "known", "subject", "related", "name", "project",
    "user", "request_id", "host", "zone", "old_state", "state", "synthetic", "occasion",
)  # fmt: skip
"""What `event.` knows; what the service sent is `payload`."""

_FUNCTIONS = frozenset(
    {"size", "contains", "startsWith", "endsWith", "matches", "string", "int", "uint", "double"}
    | {"timestamp", "duration", "min", "max"}
)
_MACROS = frozenset({"all", "exists", "exists_one"})
_COPYING = frozenset({"map", "filter"})
_TOKEN = re.compile(
    r"""
      (?P<text>[rRbB]{0,2}(?:'{3}.*?'{3}|"{3}.*?"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
    | (?P<comment>//[^\n]*)
    | \.\s*(?P<call>[A-Za-z_]\w*)\s*\((?P<bare>\s*[A-Za-z_]\w*\s*,)?
    | (?P<open>[(\[{]) | (?P<close>[)\]}])
    | (?P<word>[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*\b(?!\s*\())?)
    """,
    re.VERBOSE | re.DOTALL,
)
_LITERAL = re.compile(r"\s*[rR]?(?:'[^'\n]*'|\"[^\"\n]*\")\s*\)")
_IN_BRACKETS = re.compile(r"""\s*\[\s*(?P<quote>['"])(?P<key>[^'"\\\n]*)(?P=quote)\s*\]""")
_REPEATED = re.compile(r"\{\d")
_PLACE = re.compile(r"<input>:(\d+):(\d+): (.*)")
_SAID_BY_PARSER = re.compile(r"^Syntax error: ")

log = structlog.get_logger(__name__)


EVERYTHING = frozenset({"*"})
"""Of the payload, where a condition does not say which keys."""


class WrongCondition(ValueError):
    """A condition that cannot be used; `line` and `column` (from 1) lead into its text."""

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class ConditionFailed(Exception):
    """A condition gave no answer for an event: a key is missing there, types do not fit."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition."""

    source: str
    fields: frozenset[str] = field(compare=False)
    """The fields of the event that it reads."""
    payload: frozenset[str] = field(compare=False)
    """What it reads of the payload: keys of its outermost mapping, or EVERYTHING."""
    one_of: tuple[Comparison, ...] = field(compare=False)
    """One of these must hold, or it is false; none: CEL alone can tell."""
    program: cel.Program = field(compare=False, repr=False)

    def holds(self, view: "View") -> bool:
        """Return its answer; raises ConditionFailed, saying why, where it has none."""
        if self.one_of and not view.agrees(self.one_of):
            return False
        try:
            answer = self.program.execute(view.context())
        except (RuntimeError, ValueError, TypeError, LookupError, ArithmeticError) as error:
            raise ConditionFailed(_reason(error)) from error
        if not isinstance(answer, bool):
            raise ConditionFailed(f"its value is {answer!r}, neither true nor false")
        return answer


class View:
    """One event as conditions see it, made when the first of them looks, for all of them."""

    __slots__ = ("_context", "_event", "_fields", "_payload")

    def __init__(self, event: Event, fields: frozenset[str], payload: frozenset[str]) -> None:
        self._event = event
        self._fields = fields
        self._payload = payload
        self._context: cel.Context | None = None

    def agrees(self, one_of: tuple[Comparison, ...]) -> bool:
        """Tell whether one of these comparisons holds."""
        for name, text in one_of:  # noqa: SIM110 - any() takes twice as long
            if getattr(self._event, name) == text:
                return True
        return False

    def context(self) -> cel.Context:
        """Return the variables `event` and `payload`, converted once."""
        if self._context is None:
            values = {name: _value(self._event, name) for name in self._fields}
            variables: dict[str, Any] = {"event": values}
            if self._payload:
                variables["payload"] = self._parts()
            self._context = cel.Context(variables)
        return self._context

    def _parts(self) -> Any:
        """Return what is read of the payload: converting the whole takes most of the time."""
        whole = self._event.payload
        if self._payload >= EVERYTHING or not isinstance(whole, dict):
            return whole
        return {key: whole[key] for key in self._payload if key in whole}


def compiled(source: str) -> Condition:
    """Return the condition that `source` writes; raises WrongCondition at the first mistake."""
    if len(source) > LONGEST:
        raise WrongCondition(f"has {len(source)} letters, more than the {LONGEST} that are allowed")
    try:
        program = cel.compile(source)
    except ValueError as error:
        raise _not_cel(str(error)) from error
    bound, fields, payload = _scan(source)
    named = {name for name in program.functions() if name[0] not in "_!@-"}
    for name in sorted(named - _FUNCTIONS):
        known = ", ".join(sorted({*_FUNCTIONS, *_MACROS, "has"}))
        raise _at(source, name, f"there is no function {name}(); there are {known}")
    variables = set(program.variables())
    for name in sorted(variables - bound - {"event", "payload"}):
        way = f"; did you mean event.{name}?" if name in FIELDS else ""
        raise _at(source, name, f"there is no {name!r}, only event and payload{way}")
    return Condition(source, fields, payload, comparisons(source), program)


def _scan(source: str) -> tuple[set[str], frozenset[str], frozenset[str]]:
    """Return what macros bind, and what is read of event and payload; refuse what may cost."""
    bound: set[str] = set()
    fields: set[str] = set()
    payload: set[str] = set()
    everything = False
    depth, macro_depth = 0, 0
    for token in _TOKEN.finditer(source):
        if token["open"]:
            depth += 1
        elif token["close"]:
            macro_depth = 0 if depth == macro_depth else macro_depth
            depth -= 1
        elif token["call"]:
            depth += 1
            _refuse_costly(source, token, within_macro=macro_depth > 0)
            if token["call"] in _MACROS:
                macro_depth = depth
                bound.add((token["bare"] or "").strip(" ,\t\n"))
        elif token["word"]:
            first, _, name = "".join(token["word"].split()).partition(".")
            if first == "event" and name:
                fields.add(_known_field(source, token.start("word"), name))
            everything = everything or (first == "event" and not name)
            if first == "payload":
                payload.add(name or _key_after(source, token.end()))
    return bound, frozenset(FIELDS if everything else fields), frozenset(payload)


def _key_after(source: str, end: int) -> str:
    found = _IN_BRACKETS.match(source, end)
    return found["key"] if found else "*"


def _refuse_costly(source: str, token: re.Match[str], *, within_macro: bool) -> None:
    name, offset = token["call"], token.start("call")
    if name in _COPYING:
        message = f"{name}() is not possible here, it copies; use exists or all"
        raise _at_offset(source, offset, message)
    if name in _MACROS and within_macro:
        message = f"{name}() stands within another macro; that could take too long"
        raise _at_offset(source, offset, message)
    if name == "matches":
        pattern = _LITERAL.match(source, token.end())
        if pattern is None:
            message = "matches() takes one text in quotes: no event brings its own pattern"
            raise _at_offset(source, offset, message)
        if len(_REPEATED.findall(pattern[0])) > 1:
            message = "the pattern of matches() has several {n}; one is possible"
            raise _at_offset(source, offset, message)


def _known_field(source: str, offset: int, name: str) -> str:
    if name in FIELDS:
        return name
    near = difflib.get_close_matches(name, FIELDS, n=1)
    way = f"did you mean event.{near[0]}?" if near else f"there are {', '.join(FIELDS)}"
    raise _at_offset(source, offset, f"there is no event.{name}; {way}")


def _value(event: Event, name: str) -> Any:
    if name == "subject":
        return event.subject._asdict() if event.subject else None
    if name == "related":
        return [ref._asdict() for ref in event.related]
    return getattr(event, name)


def _reason(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]!r} in it" if error.args else "something is missing"
    return " ".join(str(error).partition(". ")[0].split())


def _not_cel(told: str) -> WrongCondition:
    found = _PLACE.search(told)
    if found is None:
        return WrongCondition(f"is not CEL: {told}")
    message = _SAID_BY_PARSER.sub("", found[3])
    # The list of everything that might have stood there instead helps nobody.
    message = message.partition(" expecting {")[0].replace("'<EOF>'", "the end of it")
    return WrongCondition(f"is not CEL: {message}", line=int(found[1]), column=int(found[2]))


def _at(source: str, name: str, message: str) -> WrongCondition:
    found = re.search(rf"\b{re.escape(name)}\b", source)
    return _at_offset(source, found.start() if found else 0, message)


def _at_offset(source: str, offset: int, message: str) -> WrongCondition:
    before = source[:offset]
    line = before.count("\n") + 1
    return WrongCondition(message, line=line, column=offset - (before.rfind("\n") + 1) + 1)
