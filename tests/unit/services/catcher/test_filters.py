"""What filters drop, and what they never do."""

import pytest

from services.catcher.filters import PASS_ALL, TypeFilter, wanted_exchanges
from shared.runtime.sections import FilterSettings

DEFAULT = TypeFilter(drop=FilterSettings().drop, keep=FilterSettings().keep)


@pytest.mark.parametrize(
    ("event_type", "pattern"),
    [
        ("identity.authenticate", "identity.authenticate"),
        ("scheduler.select_destinations.end", "scheduler.*"),
        ("compute.instance.exists", "*.exists"),
        ("volume.exists", "*.exists"),
        ("dns.zone.exists", "*.exists"),
        ("capacity.pool", "capacity.*"),
        ("image.send", "image.send"),
        ("objectstore.http.request", "objectstore.http.request"),
        ("audit.http.response", "audit.http.*"),
    ],
)
def test_floods_are_dropped_by_default_under_the_pattern_that_did_it(
    event_type: str, pattern: str
) -> None:
    assert DEFAULT.dropped_by(event_type, "info") == pattern


@pytest.mark.parametrize(
    "event_type",
    [
        "compute.instance.update",
        "instance.update",
        "compute.instance.delete.end",
        "port.delete.end",
        "identity.project.deleted",
        "identity.authenticated",
        "image.sending",
        "exists",
        "osevents.gap",
        "of.a.service.nobody.knows",
    ],
)
def test_what_changes_something_is_wanted_by_default(event_type: str) -> None:
    assert DEFAULT.dropped_by(event_type, "info") is None


@pytest.mark.parametrize("priority", ["error", "critical"])
def test_errors_are_never_dropped(priority: str) -> None:
    assert DEFAULT.dropped_by("scheduler.create_volume", priority) is None
    assert DEFAULT.dropped_by("scheduler.create_volume", "info") == "scheduler.*"


def test_refused_logins_are_errors_although_keystone_tells_them_at_info() -> None:
    assert DEFAULT.dropped_by("identity.authenticate", "info", "failure") is None
    assert DEFAULT.dropped_by("identity.authenticate", "info", "success") == "identity.authenticate"
    assert DEFAULT.dropped_by("audit.http.response", "info", "failure") == "audit.http.*"


@pytest.mark.parametrize(
    "event_type", ["compute.instance.update", "compute.instance.delete.end", "osevents.gap"]
)
def test_the_only_sign_of_a_change_is_dropped_only_by_its_name(event_type: str) -> None:
    wildcards = TypeFilter(drop=("compute.*", "*.update", "*.end", "osevents*"))
    named = TypeFilter(drop=("compute.*", event_type))

    assert wildcards.dropped_by(event_type, "info") is None
    assert wildcards.dropped_by("compute.instance.create.end", "info") == "compute.*"
    assert named.dropped_by(event_type, "info") == event_type


def test_keep_wins_over_drop() -> None:
    wanted = TypeFilter(drop=("scheduler.*",), keep=("scheduler.select_destinations.*",))

    assert wanted.dropped_by("scheduler.select_destinations.end", "info") is None
    assert wanted.dropped_by("scheduler.run_instance.end", "info") == "scheduler.*"


def test_signs_of_regular_expressions_mean_themselves() -> None:
    assert TypeFilter(drop=("a.b",)).dropped_by("axb", "info") is None


def test_what_is_remembered_of_types_is_bounded() -> None:
    wanted = TypeFilter(drop=("capacity.*",))

    answers = {wanted.dropped_by(f"capacity.{number}", "info") for number in range(25_000)}

    assert answers == {"capacity.*"}
    assert len(wanted._remembered) <= 10_000


def test_an_exchange_that_carries_only_what_is_dropped_is_not_bound() -> None:
    exchanges = ("nova", "swift")

    assert wanted_exchanges(exchanges, DEFAULT) == ("nova",)
    assert wanted_exchanges(exchanges, PASS_ALL) == exchanges
