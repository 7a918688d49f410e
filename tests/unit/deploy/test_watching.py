"""The dashboard and the alerts ask for what services serve, and every alert says the way out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.cli.main import COMMANDS
from tests.support.metrics import series
from tests.support.promql import asked

ROOT = Path(__file__).parents[3]
DASHBOARD = json.loads((ROOT / "deploy" / "dashboards" / "osevents.json").read_text())
RULES = yaml.safe_load((ROOT / "deploy" / "alerts" / "osevents.yaml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"]]
PAGE = "docs/how-to/answer-alerts.md"
SERIES = series()
VARIABLES = {"$__rate_interval": "5m", "$cloud": ".*"}
"""What Grafana puts in."""


def questions() -> Iterator[tuple[str, str, str]]:
    """Yield title, expression and legend of everything that the dashboard asks."""
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression, target["legendFormat"]


def check(expression: str) -> frozenset[str]:
    """Check that every series is there with its labels; return those that the answer has."""
    found = asked(expression)
    assert found, expression
    for one in found:
        assert one.name in SERIES, one.name
        assert one.matched | one.grouped <= SERIES[one.name], one
    return frozenset.union(*(one.grouped for one in found))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_what_there_is_and_tells_it(alert: dict[str, Any]) -> None:
    labels = check(alert["expr"])
    told = " ".join(alert["annotations"].values())

    assert set(re.findall(r"\$labels\.(\w+)", told)) <= labels
    assert alert["labels"]["severity"] in {"critical", "warning", "info"}
    assert set(alert["annotations"]) == {"summary", "description", "runbook"}
    assert alert["annotations"]["runbook"] == f"{PAGE}#{alert['alert'].lower()}"


def test_every_alert_has_its_section_and_every_section_its_alert() -> None:
    sections = re.findall(r"^## (\w+)$", (ROOT / PAGE).read_text(), re.MULTILINE)

    assert sections == [alert["alert"] for alert in ALERTS]


def test_the_commands_that_alerts_send_people_to_exist() -> None:
    told = (ROOT / PAGE).read_text() + json.dumps(RULES) + json.dumps(DASHBOARD)
    named = set(re.findall(r"\bosevents ([a-z]+)\b(?! of| stands)", told))

    assert named <= {*COMMANDS, "says"}


@pytest.mark.parametrize(("title", "expression", "legend"), list(questions()))
def test_a_panel_asks_for_what_there_is(title: str, expression: str, legend: str) -> None:
    labels = check(expression)

    assert set(re.findall(r"\{\{(\w+)\}\}", legend)) == labels - {"le"}, title


def test_panels_have_a_place_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)


def test_the_choice_of_clouds_asks_for_what_there_is() -> None:
    for variable in DASHBOARD["templating"]["list"]:
        for name, label in re.findall(r"label_values\((\w+), (\w+)\)", json.dumps(variable)):
            assert label in SERIES[name]
