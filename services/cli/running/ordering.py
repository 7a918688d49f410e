"""Stopping in order: first who brings in, then who works off."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.cli.running.composition import Service
from shared.waiting import pause


async def run_in_order(
    producers: Sequence[Service],
    consumers: Sequence[Service],
    stop: asyncio.Event,
    duration: timedelta | None = None,
) -> None:
    """Run all until `stop` is set, or for `duration`; then stop the producers before the consumers.

    On the in-process bus a producer's last batch waits for the consumers' acknowledgements, so
    they have to outlive it.
    """
    producer_stop, consumers_stop = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        producing = [
            group.create_task(producer.run(producer_stop), name=type(producer).__name__)
            for producer in producers
        ]
        for consumer in consumers:
            group.create_task(consumer.run(consumers_stop), name=type(consumer).__name__)
        if duration is None:
            await stop.wait()
        else:
            await pause(duration, stop)
            stop.set()
        producer_stop.set()
        await asyncio.wait(producing)
        consumers_stop.set()
