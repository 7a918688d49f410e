"""A 500 is explained by a part of the service that is down, and by nothing else."""

from datetime import timedelta

import pytest

from services.refresher.parts import Parts
from services.refresher.resources import ALL
from services.refresher.resources.model import Resource
from shared.errors import CloudInPart, CloudLeftAlone, CloudRefused, CloudUnavailable
from tests.support.clocks import FixedClock

BROKEN = CloudUnavailable("GET os-hypervisors/h: 500 DBConnectionError", status=500)
HYPERVISOR, VOLUME = ALL["hypervisor"], ALL["volume"]
MINUTES = timedelta(minutes=1)


class Services:
    """The list of compute services, as a test wants it."""

    def __init__(self) -> None:
        self.in_part: bool | Exception = True
        self.asked = 0
        self.clock = FixedClock()
        self.parts = Parts(self.come_in_part, clock=self.clock)

    async def come_in_part(self, resource: Resource) -> bool:
        assert resource.kind == "compute_service"
        self.asked += 1
        if isinstance(self.in_part, Exception):
            raise self.in_part
        return self.in_part

    async def explain(self, error: CloudUnavailable = BROKEN) -> bool:
        """Tell whether a failed read of a hypervisor is explained."""
        try:
            await self.parts.explain(HYPERVISOR, error)
        except CloudInPart as explained:
            return str(error) in str(explained)
        return False


@pytest.fixture
def services() -> Services:
    return Services()


async def test_a_500_is_explained_by_a_list_that_comes_in_part(services: Services) -> None:
    assert await services.explain()


@pytest.mark.parametrize(
    "answer",
    [
        False,
        CloudRefused("403", status=403),
        CloudRefused("404", status=404),
        CloudUnavailable("503", status=503),
        CloudLeftAlone("left alone"),
    ],
)
async def test_nothing_else_explains_it(services: Services, *, answer: bool | Exception) -> None:
    services.in_part = answer
    assert not await services.explain()


@pytest.mark.parametrize("status", [None, 429, 502, 503, 504])
async def test_other_breakdowns_ask_nobody(services: Services, status: int | None) -> None:
    assert not await services.explain(CloudUnavailable("down", status=status))
    assert services.asked == 0


async def test_neither_does_a_500_of_a_kind_that_it_does_not_concern(services: Services) -> None:
    await services.parts.explain(VOLUME, BROKEN)
    assert services.asked == 0


async def test_many_reads_cost_one_list_until_it_may_be_whole_again(services: Services) -> None:
    assert [await services.explain() for _ in range(3)] == [True, True, True]
    assert services.asked == 1
    services.clock.advance(5 * MINUTES)
    services.in_part = False
    assert not await services.explain()
    assert services.asked == 2


async def test_where_nobody_can_be_asked_the_last_answer_holds_for_a_while(
    services: Services,
) -> None:
    await services.explain()
    services.in_part = CloudLeftAlone("left alone")
    services.clock.advance(9 * MINUTES)
    assert await services.explain()
    services.clock.advance(MINUTES)
    assert not await services.explain()
