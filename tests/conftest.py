"""What every test can use: databases, brokers, and how hypothesis searches."""

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.postgres", "tests.support.rabbitmq", "tests.support.tls"]

# Time says more about the machine than about the code, so hypothesis never judges by it. The suite
# must give the same answer twice; `--hypothesis-profile=search` looks for news instead.
settings.register_profile(
    "same",
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "search", settings.get_profile("same"), derandomize=False, max_examples=2000
)
settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep what starts many processes in one worker, so that they do not starve each other."""
    for item in items:
        if item.get_closest_marker("acceptance"):
            item.add_marker(pytest.mark.xdist_group("acceptance"))
