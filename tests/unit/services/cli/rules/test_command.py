from pathlib import Path

import pytest

from services.processor.rules.load import builtin_names
from tests.support.command_line import call
from tests.support.notifications import bare, legacy_nova


def test_rules_that_are_right_are_counted(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(
        "rules:\n"
        "  - {name: a, actions: [log: ]}\n"
        "  - {name: b, enabled: false, actions: [log: {text: 'saw {{ event.type }}'}]}\n"
    )

    outcome = call("rules", "check", str(tmp_path))

    assert (outcome.code, outcome.out) == (0, "2 rules, nothing wrong, 1 disabled\n")


def test_everything_wrong_is_told_with_its_place_one_line_each(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(
        "rules:\n"
        "  - {name: a, condition: 'event.stat == 1', actions: [log: {levl: info}]}\n"
        "  - {name: a, once: 1h, actions: [webhook: {}]}\n"
    )

    outcome = call("rules", "check", str(tmp_path))

    assert outcome.code == 2
    lines = outcome.err.replace(str(tmp_path), "DIR").splitlines()
    assert [line.partition(" rules[")[0] for line in lines] == [
        "osevents: DIR/a.yaml:2:27",
        "osevents: DIR/a.yaml:2:55",
        "osevents: DIR/a.yaml:3:15",
        "osevents: DIR/a.yaml:3:35",
    ]


def test_the_rules_of_the_configuration_are_checked(tmp_path: Path) -> None:
    config = tmp_path / "osevents.yaml"
    config.write_text("rules: builtin:manageiq\n")

    assert call("rules", "check", "--config", str(config)).out == "11 rules, nothing wrong\n"


def test_without_rules_the_way_out_is_told() -> None:
    outcome = call("rules", "check")
    assert outcome.code == 2
    assert "name a directory, a file or builtin:NAME" in outcome.err


@pytest.mark.parametrize("name", builtin_names())
def test_a_shipped_file_can_be_written_into_ones_own_directory(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.yaml").write_text(call("rules", "show", name).out)

    assert call("rules", "check", str(tmp_path)).code == 0


def test_the_shipped_files_are_listed() -> None:
    assert call("rules", "show").out == "builtin:day-one\nbuiltin:manageiq\n"
    assert call("rules", "show", "nosuch").code == 2


def test_explain_names_the_rules_that_match_a_notification(tmp_path: Path) -> None:
    file = tmp_path / "notifications.jsonl"
    file.write_bytes(bare(legacy_nova("compute.instance.create.end", state="error")))

    (row,) = call("explain", str(file), "--rules", "builtin:day-one", "--format", "json").rows

    assert row["rules"] == [
        {"rule": "instance-in-error", "as": "trigger"},
        {"rule": "host-loses-servers", "as": "trigger"},
        {"rule": "build-without-end", "as": "partner"},
    ]
    assert call("explain", str(file), "--format", "json").rows[0]["rules"] == []
