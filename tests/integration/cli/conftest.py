"""What the tests of commands share."""

from datetime import datetime

import pytest

from shared.clock import SystemClock


@pytest.fixture
def now() -> datetime:
    """Return when the test begins.

    Commands read the real clock, so that what is written "an hour ago" must be so for this test:
    a time of the module's import can be many minutes older.
    """
    return SystemClock().now()
