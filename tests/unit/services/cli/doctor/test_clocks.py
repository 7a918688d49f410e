from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.cli.doctor.clocks import copies_findings, host_finding
from services.cli.running.timekeeping import ERROR, OFFSET
from shared.store.status import Heartbeat
from tests.support.events import NOON


def beat(instance: str, figures: Mapping[str, float | str], cloud: str | None = None) -> Heartbeat:
    return Heartbeat("refresher", instance, cloud, NOON, figures)


@pytest.mark.parametrize(
    ("ahead", "says"),
    [
        (timedelta(hours=2, seconds=3), "this host's is 2h3s ahead of it"),
        (-timedelta(seconds=90), "this host's is 1m30s behind it"),
    ],
)
def test_a_host_with_another_time_is_told_how_far_it_is_off(ahead: timedelta, says: str) -> None:
    found = host_finding(ahead, 0.01)
    assert (found.state.value, found.says) == ("warning", says)
    assert "NTP" in found.mend


def test_a_difference_that_the_way_to_the_database_explains_is_none() -> None:
    assert host_finding(timedelta(milliseconds=900), 0.01).state.value == "ok"
    assert host_finding(timedelta(seconds=5), 4.5).state.value == "ok"


def test_copies_whose_hosts_are_off_are_named() -> None:
    found = list(
        copies_findings(
            [
                beat("wrong", {OFFSET: -7200.0, ERROR: 0.01}),
                beat("right", {OFFSET: 0.002, ERROR: 0.01}),
                beat("of an earlier version", {}),
                beat("wrong", {"source": "amqp"}, "prod"),
            ]
        )
    )
    assert [(one.check, one.state.value, one.says) for one in found] == [
        ("refresher wrong", "warning", "the clock of its host is 2h behind the database's")
    ]
