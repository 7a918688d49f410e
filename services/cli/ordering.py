"""Stopping in order: first who brings in, then who works off."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.cli.composition import Service
from shared.waiting import pause


async def run_in_order(
    producer: Service,
    consumers: Sequence[Service],
    stop: asyncio.Event,
    duration: timedelta | None = None,
) -> None:
    """Run all until `stop` is set, or for `duration`; then stop the producer before the consumers.

    On the in-process bus the producer's last batch waits for the consumers' acknowledgements, so
    they have to outlive it.
    """
    producer_stop, consumers_stop = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        producing = group.create_task(producer.run(producer_stop), name="producer")
        for consumer in consumers:
            group.create_task(consumer.run(consumers_stop), name=type(consumer).__name__)
        if duration is None:
            await stop.wait()
        else:
            await pause(duration, stop)
            stop.set()
        producer_stop.set()
        await producing
        consumers_stop.set()
