"""Tests that belong together stay in one worker: pytest-xdist drops groups without a word."""

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_reaches_who_hands_out_the_tests(request: pytest.FixtureRequest) -> None:
    assert is_of(request, "together")


@pytest.mark.acceptance
def test_what_starts_many_processes_is_a_group(request: pytest.FixtureRequest) -> None:
    assert is_of(request, "acceptance")


def is_of(request: pytest.FixtureRequest, group: str) -> bool:
    """Tell whether a test has its group in its name, as it has where groups are kept."""
    grouping = getattr(request.config.option, "loadgroup", False)
    return not grouping or request.node.nodeid.endswith(f"@{group}")
