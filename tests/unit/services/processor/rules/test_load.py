from pathlib import Path

import pytest

from services.processor.rules.load import load_rules, read_sources
from shared.errors import Misconfigured
from tests.support.rules import KINDS, problems, rules


def test_every_mistake_of_a_file_is_told_with_line_and_column() -> None:
    assert problems(
        """
        rules:
          - name: a b
            match: {types: "compute.instance.*", levl: critical}
            condition: event.state == "x" && evnt.y
            key: subjct
            actions: [log: ]
          - name: b
            condition: |
              event.state == "x"
                && event.nam == "y"
            without: {types: x, within: 90d}
            quiet: [{from: 22:30, to: "06:00", zone: Europe/Berln, days: [mo]}]
            actions: [{log: {wrong: 1}}, {nosuch: }, {log: , other: }]
            name: c
        """
    ) == [
        "rules.yaml:2:5 rules[0].name: 'a b' is no name; use up to 100 letters, digits, - _ and .",
        "rules.yaml:3:42 rules[0].match.levl: is no setting; did you mean level?",
        "rules.yaml:4:38 rules[0].condition: there is no 'evnt', only event and payload",
        (
            "rules.yaml:5:5 rules[0].key[0]: must be 'cloud', 'type', 'category', 'level',"
            " 'service', 'project', 'user', 'host', 'zone', 'name', 'request_id', 'subject' or"
            " 'kind', not 'subjct'"
        ),
        "rules.yaml:10:12 rules[1].condition: there is no event.nam; did you mean event.name?",
        "rules.yaml:11:25 rules[1].without.within: is too long; 30d is the longest",
        (
            "rules.yaml:12:40 rules[1].quiet[0].zone: 'Europe/Berln' is no time zone; write for"
            " example Europe/Berlin or UTC"
        ),
        (
            "rules.yaml:12:67 rules[1].quiet[0].days[0]: must be 'mon', 'tue', 'wed', 'thu', 'fri',"
            " 'sat' or 'sun', not 'mo'"
        ),
        "rules.yaml:13:15 rules[1].actions[0] wrong: is wrong",
        "rules.yaml:13:34 rules[1].actions[1]: there is no action 'nosuch'; there are log",
        (
            "rules.yaml:13:46 rules[1].actions[2]: is not one kind with its settings; write"
            " `- log:` or `- webhook: {url: ...}`"
        ),
        "rules.yaml:14:5 rules[1].name: is given twice",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [", "rules.yaml:2:1: is not YAML: did not find expected node content"),
        ("- a", "rules.yaml:1:1: must be a mapping of settings"),
        ("rules:\n  - {name: a}", "rules.yaml:2:5 rules[0].actions: is missing"),
        ("rules: []\nruls: []", "rules.yaml:2:1 ruls: is no setting; did you mean rules?"),
        (
            "rules:\n  - {name: a, silence: 1h, count: {events: 2, within: 1h}, actions: [log: ]}",
            "rules.yaml:2:5 rules[0]: has count and silence; a rule can have one of them",
        ),
        (
            "rules:\n  - {name: a, once_per: 0s, actions: [log: ]}",
            "rules.yaml:2:15 rules[0].once_per: 0 is not possible here; write for example 20s",
        ),
        (
            "rules:\n  - {name: a, actions: [log: ]}\n  - {name: a, actions: [log: ]}",
            "rules.yaml:3:5 name: 'a' is the name of the rule at rules.yaml:2:5 already",
        ),
        (
            "rules:\n- name: a\n  condition: >-\n    true\n    && event.b\n  actions: [log: ]",
            "rules.yaml:5:8 rules[0].condition: there is no event.b;",
        ),
    ],
)
def test_a_mistake_is_told_with_the_way_out(text: str, told: str) -> None:
    assert [problem.startswith(told) for problem in problems(text)] == [True], problems(text)


def test_a_rule_is_read_as_it_stands() -> None:
    (rule,) = rules(
        """
        - name: a
          match: {types: ["compute.instance.{create,delete}.end", "volume.*"], level: critical}
          throttle: {most: 5, within: 10m}
        """
    ).rules

    assert rule.match.types.exact == {
        "compute.instance.create.end",
        "compute.instance.delete.end",
    }
    assert rule.match.types.has("volume.create.end")
    assert not rule.match.types.has("snapshot.create.end")
    assert rule.key == ()
    assert [action.kind for action in rule.actions] == ["log"]


def test_what_two_events_must_agree_in_is_the_object_by_default() -> None:
    (rule,) = rules("- name: a\n  without: {types: b, within: 1m}").rules
    assert rule.key == ("subject",)


def test_a_directory_is_read_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yml", ".hidden.yaml", "notes.txt"):
        (tmp_path / name).write_text("rules: []")
    (tmp_path / "folder.yaml").mkdir()

    names = [Path(name).name for name, _ in read_sources([str(tmp_path)])]

    assert names == ["a.yml", "b.yaml"]


def test_everything_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\xff")

    with pytest.raises(Misconfigured) as raised:
        read_sources([str(tmp_path), str(tmp_path / "nosuch"), "builtin:nosuch"])

    told = [str(problem).replace(f"{tmp_path}/", "") for problem in raised.value.problems]
    assert told == [
        "a.yaml: is not UTF-8 text (byte 0)",
        "nosuch: cannot be read: No such file or directory",
        "rules: there is no builtin:nosuch; there are builtin:day-one, builtin:manageiq",
    ]


def test_an_empty_file_holds_no_rules() -> None:
    assert len(load_rules([("a.yaml", "# none yet\n")], KINDS)) == 0


def test_state_is_forgotten_when_its_meaning_changes_and_not_before() -> None:
    def digest(text: str) -> str:
        return rules(text).rules[0].digest

    before = digest("- name: a\n  count: {events: 3, within: 1h}")
    assert digest("- name: a\n  description: x\n  count: {events: 3, within: 1h}") == before
    assert digest("- name: a\n  count: {events: 4, within: 1h}") != before
