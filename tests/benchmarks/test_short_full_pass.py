"""The short form of the full pass's benchmark: that it still runs; how fast is not judged here."""

import pytest

from tests.benchmarks import full_pass

pytestmark = [pytest.mark.acceptance, pytest.mark.rabbitmq, pytest.mark.timeout(600)]


async def test_the_full_pass_reports_times_and_memory() -> None:
    result = await full_pass.full_pass(20)

    assert result.objects["server"] == 20
    assert result.objects["volume"] == 20
    assert result.objects["port"] >= 60
    assert min(result.first_seconds, result.again_seconds, *result.sdk_seconds.values()) > 0
    assert "objects/s" in "\n".join(full_pass.report(result))
