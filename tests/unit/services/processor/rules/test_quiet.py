from datetime import datetime

import pytest

from services.processor.rules.quiet import is_quiet
from tests.support.rules import rules


@pytest.mark.parametrize(
    ("hours", "moment", "quiet"),
    [
        ('{from: "09:00", to: "17:00"}', "2026-11-23T09:00Z", True),
        ('{from: "09:00", to: "17:00"}', "2026-11-23T17:00Z", False),
        ('{from: 22:30, to: "06:00"}', "2026-11-23T22:30Z", True),
        ('{from: 22:30, to: "06:00"}', "2026-11-24T05:59Z", True),
        ('{from: 22:30, to: "06:00"}', "2026-11-24T06:00Z", False),
        # Berlin is an hour ahead in winter, two in summer.
        ('{from: 22:00, to: "06:00", zone: Europe/Berlin}', "2026-11-23T21:00Z", True),
        ('{from: 22:00, to: "06:00", zone: Europe/Berlin}', "2026-07-23T20:00Z", True),
        ('{from: 22:00, to: "06:00", zone: Europe/Berlin}', "2026-11-23T20:00Z", False),
        # Friday night lasts until Saturday morning, wherever the day of the week changes.
        ('{from: 22:00, to: "06:00", days: [fri]}', "2026-11-28T05:00Z", True),
        ('{from: 22:00, to: "06:00", days: [fri]}', "2026-11-27T05:00Z", False),
        ('{from: "00:00", to: "00:00", days: [sat, sun]}', "2026-11-28T12:00Z", True),
        ('{from: "00:00", to: "00:00", days: [sat, sun]}', "2026-11-30T00:00Z", False),
    ],
)
def test_quiet_hours_go_by_the_clock_of_their_zone(hours: str, moment: str, *, quiet: bool) -> None:
    (rule,) = rules(f"- name: a\n  quiet: [{hours}]").rules

    assert is_quiet(rule.quiet, datetime.fromisoformat(moment)) is quiet
