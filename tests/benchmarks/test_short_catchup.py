"""The short form of the catch-up: that it loads everything once; how fast is not judged here."""

import pytest

from tests.benchmarks import catchup

pytestmark = [pytest.mark.acceptance, pytest.mark.rabbitmq, pytest.mark.timeout(600)]


async def test_history_is_loaded_once_although_the_catcher_is_killed() -> None:
    result = await catchup.catch_up(20_000)

    assert result.rows == 20_000
    # The page that was in hand.
    assert 0 <= result.reread <= 1000
    assert "timeline rows" in "\n".join(catchup.report(result))
