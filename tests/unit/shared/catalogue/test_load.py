from pathlib import Path

import pytest

from shared.catalogue.load import builtin, load
from shared.errors import Misconfigured
from shared.event import Action, Level, Phase
from tests.support.notifications import event_of, legacy_nova, message

EXTENSION = """\
service: gadgets
publishers: [gadgetd]
shapes:
  gadget:
    kind: gadget
    id: $thing/uid
events:
  - each: [{thing: wheel}, {thing: cog}]
    types: "gadget.$thing.{made,broken}.end"
    shape: gadget
    action: create
  - {types: compute.instance.update, kind: vm, id: instance_id}
timeline:
  - {types: "gadget.*", category: addition, level: warning}
"""


def written(folder: Path, text: str, name: str = "mine.yaml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def problems_of(*paths: Path) -> list[str]:
    with pytest.raises(Misconfigured) as caught:
        load(paths)
    return [str(problem) for problem in caught.value.problems]


def test_the_built_in_catalogue_is_read_once() -> None:
    assert builtin() is builtin()


def test_a_users_file_adds_types(tmp_path: Path) -> None:
    catalogue = load([written(tmp_path, EXTENSION)])
    event = event_of(message("gadget.cog.made.end", {"cog": {"uid": 7}}), catalogue=catalogue)

    assert str(event.subject) == "gadget/7"
    assert (event.service, event.category, event.level) == ("gadgets", "addition", Level.WARNING)
    assert (event.known, event.action, event.phase) == (True, Action.CREATE, Phase.END)


def test_a_users_file_overrides_what_is_built_in(tmp_path: Path) -> None:
    catalogue = load([written(tmp_path, EXTENSION)])
    event = event_of(legacy_nova("compute.instance.update"), catalogue=catalogue)

    assert str(event.subject) == "vm/server-1"
    assert str(event_of(legacy_nova("compute.instance.update")).subject) == "server/server-1"


def test_an_empty_file_changes_nothing(tmp_path: Path) -> None:
    assert load([written(tmp_path, "")]).rules == builtin().rules


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("service: x\nevents:\n  - kind: a\n", "mine.yaml:3: events.0.types: is missing"),
        ("service: x\nevnets: []\n", "mine.yaml:2: evnets: is no field here; did you mean events?"),
        (
            "service: x\nevents:\n  - types: a.b\n    action: explode\n",
            "mine.yaml:4: events.0.action: must be 'create', 'update', 'delete' or 'none', not 'ex",
        ),
        (
            "service: x\nevents:\n  - types: a.b\n    id: {legacy: a//b}\n",
            "mine.yaml:4: events.0.id.legacy.0: 'a//b': a step of the path is empty",
        ),
        (
            "service: x\nevents:\n  - types: a.b\n    name: a/*/b\n",
            "mine.yaml:4: events.0.name.legacy.0: 'a/*/b': * gives many, this is",
        ),
        (
            "service: x\nevents:\n  - types: a.b\n    shape: square\n",
            "mine.yaml:4: no shape 'square'; shapes here: none",
        ),
        (
            "service: x\nevents:\n  - types: a.b\n    kind: $what\n",
            "mine.yaml:3: no value for $what in {}",
        ),
        ("service: [\n", "mine.yaml:2: not YAML: "),
        ("- a\n", "mine.yaml:1: the file: must be a mapping"),
        (
            "service: x\nevents:\n  - types: a.b\n    id: {lagacy: a}\n",
            "mine.yaml:4: events.0.id.lagacy: must be 'legacy', 'versioned', 'cadf' or 'traits'",
        ),
    ],
)
def test_a_mistake_is_named_with_file_and_line(tmp_path: Path, text: str, problem: str) -> None:
    (found,) = problems_of(written(tmp_path, text))

    assert found.startswith(f"{tmp_path}/{problem}")


def test_all_mistakes_of_all_files_are_named_at_once(tmp_path: Path) -> None:
    first = written(tmp_path, "service: 1\nevents: 2\n", "first.yaml")
    second = written(tmp_path, "nonsense: 1\n", "second.yaml")
    missing = tmp_path / "missing.yaml"

    found = problems_of(first, second, missing)

    assert [text.removeprefix(f"{tmp_path}/").split(": ")[0] for text in found] == [
        "first.yaml:1",
        "first.yaml:2",
        "second.yaml:1",
        "missing.yaml",
    ]


def test_a_users_file_says_which_types_are_twins(tmp_path: Path) -> None:
    twins = 'twins: {"widget.*": "gadget.*", widget.made: gadget.created}\n'
    catalogue = load([written(tmp_path, twins)])

    assert catalogue.lookup("widget.made").canonical == "gadget.created"
    assert catalogue.lookup("widget.sold.end").canonical == "gadget.sold.end"
    assert catalogue.lookup("instance.update").canonical == "compute.instance.update"


def test_the_names_of_twins_are_checked(tmp_path: Path) -> None:
    many = written(tmp_path, 'twins:\n  "a.*.*": b.c\n', "many.yaml")
    lonely = written(tmp_path, 'twins:\n  a.b: c.d\n  b: "c.*"\n', "lonely.yaml")

    assert "many.yaml:2" in problems_of(many)[0]
    assert "only one * can stand" in problems_of(many)[0]
    assert problems_of(lonely) == [f"{lonely}:3: 'c.*' has a *, but 'b' has none for it"]
