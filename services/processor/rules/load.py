"""From rule files to rules. Every mistake is told with file, line and column, all at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from services.processor.rules.compiling import rule_of
from services.processor.rules.conditions import Condition, WrongCondition, compiled
from services.processor.rules.index import RuleSet
from services.processor.rules.model import Rule
from services.processor.rules.places import RuleDocument, read_rules
from services.processor.rules.schema import PARTNERS, RuleFile
from shared.errors import Misconfigured, Problem
from shared.firing import ActionSpec
from shared.runtime.document import Location
from shared.runtime.problems import problems_of

BUILTIN = "builtin:"
_SUFFIXES = (".yaml", ".yml")
_POSITION = re.compile(r":(\d+):(\d+)(?: |$)")
_LARGEST = 5_000_000
"""Bytes of one file; a thousand rules take a fifth of that."""


class ActionChecks(Protocol):
    """What is needed of a kind of action to check a rule."""

    def check(self, settings: Mapping[str, Any], place: str) -> list[Problem]:
        """Return everything that is wrong with `settings`, each problem at its place."""
        ...


Kinds = Mapping[str, ActionChecks]
"""The kinds of actions by name."""


def builtin_names() -> list[str]:
    """Return the names of the rule files that come with osevents."""
    return sorted(name.removesuffix(".yaml") for name, _ in _builtin_files())


def builtin_text(name: str) -> str | None:
    """Return the text of a rule file that comes with osevents; None when there is none so named."""
    return next((text for file, text in _builtin_files() if file == f"{name}.yaml"), None)


def read_sources(sources: Sequence[str]) -> list[tuple[str, str]]:
    """Return name and text of every file of `sources`: directories, files, `builtin:NAME`.

    In a directory these are the `*.yaml` and `*.yml` in it, sorted; hidden ones and those in
    folders below are passed over. Raises Misconfigured for everything that cannot be read.
    """
    problems: list[Problem] = []
    texts: list[tuple[str, str]] = []
    for source in sources:
        try:
            texts += _builtin(source) if source.startswith(BUILTIN) else _files(Path(source))
        except Misconfigured as error:
            problems += error.problems
    if problems:
        raise Misconfigured(problems)
    return texts


def load_rules(texts: Sequence[tuple[str, str]], kinds: Kinds) -> RuleSet:
    """Return the rules in `texts` (name, content); raises Misconfigured with every problem."""
    problems: list[Problem] = []
    rules: list[Rule] = []
    for name, text in texts:
        try:
            rules += _rules_in(text, name, kinds)
        except Misconfigured as error:
            problems += error.problems
    problems += _namesakes(rules)
    if problems:
        raise Misconfigured(problems)
    return RuleSet(rules, digest=digest_of(texts))


def digest_of(texts: Sequence[tuple[str, str]]) -> str:
    """Return what changes when a file or its name does."""
    digest = sha256()
    for part in (part for text in texts for part in text):
        data = part.encode(errors="surrogatepass")
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()[:12]


def _rules_in(text: str, name: str, kinds: Kinds) -> list[Rule]:
    document = read_rules(text, name)
    problems = [Problem(document.of(place), "is given twice") for place in document.twice]
    content = {"rules": ()} if document.value is None else document.value
    # Conditions and actions are checked whatever else is wrong, so that all is told at once.
    conditions = _conditions(document, problems)
    actions = _actions(document, kinds, problems)
    try:
        file = RuleFile.model_validate(content)
    except ValidationError as error:
        problems += problems_of(error, RuleFile, document)
        raise Misconfigured(sorted(problems, key=_line_and_column)) from error
    if problems:
        raise Misconfigured(sorted(problems, key=_line_and_column))
    return [
        rule_of(
            fields,
            conditions.get(index, {}),
            actions[index],
            document.of(("rules", index)).partition(" ")[0],
        )
        for index, fields in enumerate(file.rules)
    ]


def _line_and_column(problem: Problem) -> tuple[int, ...]:
    found = _POSITION.search(problem.place)
    return tuple(map(int, found.groups())) if found else ()


def _raw_rules(document: RuleDocument) -> Iterator[tuple[int, dict[Any, Any]]]:
    """Yield what looks like a rule, with its place in the list."""
    rules = document.value.get("rules") if isinstance(document.value, dict) else None
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(rule, dict):
            yield index, rule


def _conditions(document: RuleDocument, problems: list[Problem]) -> dict[int, dict[str, Condition]]:
    """Return the compiled conditions of each rule: its own under "", its partner's by its name."""
    found: dict[int, dict[str, Condition]] = {}
    for index, rule in _raw_rules(document):
        for name in ("", *PARTNERS):
            holder = rule.get(name) if name else rule
            text = holder.get("condition") if isinstance(holder, dict) else None
            if not isinstance(text, str):
                continue
            location: Location = ("rules", index, *((name,) if name else ()), "condition")
            try:
                found.setdefault(index, {})[name] = compiled(text)
            except WrongCondition as error:
                where = document.inside(location, error.line, error.column)
                problems.append(Problem(where, str(error)))
    return found


def _actions(
    document: RuleDocument, kinds: Kinds, problems: list[Problem]
) -> dict[int, tuple[ActionSpec, ...]]:
    found: dict[int, tuple[ActionSpec, ...]] = {}
    for index, rule in _raw_rules(document):
        actions = rule.get("actions")
        specs = []
        for position, action in enumerate(actions if isinstance(actions, list) else ()):
            where = document.of(("rules", index, "actions", position))
            if not isinstance(action, dict):
                continue  # the schema says so
            spec = _action(action, where, problems)
            if spec is not None:
                problems += _checked(spec, kinds, where)
                specs.append(spec)
        found[index] = tuple(specs)
    return found


def _action(action: dict[Any, Any], where: str, problems: list[Problem]) -> ActionSpec | None:
    if len(action) != 1:
        message = "is not one kind with its settings; write `- log:` or `- webhook: {url: ...}`"
        problems.append(Problem(where, message))
        return None
    ((kind, settings),) = action.items()
    if settings is not None and not isinstance(settings, dict):
        problems.append(Problem(where, f"the settings of {kind} must be a mapping"))
        return None
    return ActionSpec(str(kind), settings or {})


def _checked(spec: ActionSpec, kinds: Kinds, where: str) -> list[Problem]:
    kind = kinds.get(spec.kind)
    if kind is None:
        known = ", ".join(sorted(kinds))
        return [Problem(where, f"there is no action {spec.kind!r}; there are {known}")]
    return kind.check(spec.settings, where)


def _namesakes(rules: Sequence[Rule]) -> list[Problem]:
    """Two rules of one name would share their state."""
    first: dict[str, str] = {}
    problems = []
    for rule in rules:
        if rule.name in first:
            message = f"{rule.name!r} is the name of the rule at {first[rule.name]} already"
            problems.append(Problem(f"{rule.place} name", message))
        first.setdefault(rule.name, rule.place)
    return problems


def _builtin_files() -> list[tuple[str, str]]:
    folder = resources.files("services.processor.rules") / "data"
    return [
        (item.name, item.read_text(encoding="utf-8"))
        for item in folder.iterdir()
        if item.name.endswith(".yaml")
    ]


def _builtin(source: str) -> list[tuple[str, str]]:
    text = builtin_text(source.removeprefix(BUILTIN))
    if text is None:
        names = ", ".join(f"{BUILTIN}{name}" for name in builtin_names())
        raise Misconfigured([Problem("rules", f"there is no {source}; there are {names}")])
    return [(source, text)]


def _files(path: Path) -> list[tuple[str, str]]:
    problems: list[Problem] = []
    texts = []
    try:
        files = [path] if not path.is_dir() else sorted(_visible(path))
    except OSError as error:
        raise Misconfigured([_unreadable(path, error)]) from error
    for file in files:
        try:
            if file.stat().st_size > _LARGEST:
                problems.append(Problem(str(file), f"is larger than {_LARGEST} bytes"))
                continue
            texts.append((str(file), file.read_text(encoding="utf-8")))
        except OSError as error:
            problems.append(_unreadable(file, error))
        except UnicodeDecodeError as error:
            problems.append(Problem(str(file), f"is not UTF-8 text (byte {error.start})"))
    if problems:
        raise Misconfigured(problems)
    return texts


def _visible(folder: Path) -> list[Path]:
    # Kubernetes mounts a ConfigMap as links to a hidden folder; editors leave hidden files.
    return [
        item
        for item in folder.iterdir()
        if item.suffix in _SUFFIXES and not item.name.startswith(".") and not item.is_dir()
    ]


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(str(path), f"cannot be read: {error.strerror}")
