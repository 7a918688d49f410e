import asyncio

from shared.openstack.gate import Gate


async def test_no_more_than_the_allowed_number_pass_at_once() -> None:
    gate = Gate(concurrency=3, calls_per_second=None)
    inside = most = 0

    async def call() -> None:
        nonlocal inside, most
        async with gate.passage():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async with asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(call())
    assert most == 3


async def test_calls_are_spaced_to_the_rate() -> None:
    gate = Gate(concurrency=10, calls_per_second=100)
    loop = asyncio.get_running_loop()
    times: list[float] = []

    async def call() -> None:
        async with gate.passage():
            times.append(loop.time())

    began = loop.time()
    async with asyncio.TaskGroup() as group:
        for _ in range(6):
            group.create_task(call())
    assert max(times) - began >= 0.05


async def test_what_one_caller_was_told_holds_up_all() -> None:
    gate = Gate(concurrency=10, calls_per_second=None)
    loop = asyncio.get_running_loop()
    gate.hold(0.05)
    began = loop.time()
    async with gate.passage():
        assert loop.time() - began >= 0.05
