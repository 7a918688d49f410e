"""Tests that belong together stay in one worker: pytest-xdist drops groups without a word."""

import pytest


@pytest.mark.xdist_group("together")
def test_a_group_reaches_who_hands_out_the_tests(request: pytest.FixtureRequest) -> None:
    grouping = getattr(request.config.option, "loadgroup", False)

    assert not grouping or request.node.nodeid.endswith("@together")
