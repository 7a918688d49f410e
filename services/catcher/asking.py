"""Asking a source whether it could be read, before anybody reads it: for choosing among several.

Nothing is made or changed by it. What answers here may fail all the same when it is read; the watch
over the cloud takes that for its answer then.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from services.catcher.choosing import Answer
from services.catcher.plans import AMQPPlan, EventsAPIPlan
from services.catcher.sources.events_api import Reader
from shared.amqp.session import Session, open_session
from shared.errors import BusUnavailable, CloudRefused, CloudUnavailable, Misconfigured

DEADLINE = timedelta(seconds=10)


async def ask_brokers(plans: Sequence[AMQPPlan], deadline: timedelta = DEADLINE) -> Answer:
    """Ask all of a cloud's brokers; one that answers is enough to have something to read."""
    async with asyncio.TaskGroup() as group:
        asked = [group.create_task(_ask_broker(plan, deadline)) for plan in plans]
    answers = [task.result() for task in asked]
    works = [answer for answer in answers if answer.works]
    told = "; ".join(dict.fromkeys(answer.why for answer in works or answers))
    return Answer(works=bool(works), why=told)


async def ask_events_api(plan: EventsAPIPlan, deadline: timedelta = DEADLINE) -> Answer:
    """Ask an Events API: it must be in Keystone's catalogue *and* answer, and show us events."""
    name = plan.dialect.name
    try:
        async with asyncio.timeout(deadline.total_seconds()), plan.open_api() as api:
            await Reader(api, plan.dialect, cloud=plan.cloud).get_acquainted()
    except TimeoutError:
        return Answer(works=False, why=f"no answer within {deadline.total_seconds():.0f} s")
    except (CloudRefused, CloudUnavailable, Misconfigured) as error:
        # Misconfigured: clouds.yaml is read anew, and may just be written.
        return Answer(works=False, why=str(error))
    return Answer(works=True, why=f"{name} answers")


async def _ask_broker(plan: AMQPPlan, deadline: timedelta) -> Answer:
    try:
        async with (
            asyncio.timeout(deadline.total_seconds()),
            open_session(plan.address, name="osevents asks") as session,
        ):
            return await _look_around(session, plan)
    except TimeoutError:
        return Answer(works=False, why=f"no answer within {deadline.total_seconds():.0f} s")
    except BusUnavailable as error:
        return Answer(works=False, why=str(error))


async def _look_around(session: Session, plan: AMQPPlan) -> Answer:
    """Tell whether an exchange that we want can be bound to our queue, where that is there yet."""
    queue = plan.subscription.queue
    if await session.waiting_in(queue) is None:
        return Answer(works=True, why="the broker lets us in")
    refusals: dict[str, str] = {}
    for exchange, keys in plan.subscription.keys_of.items():
        refusal = await session.bind_foreign(queue, exchange, keys)
        if refusal is None:
            return Answer(works=True, why=f"the broker lets us in, and binds {exchange}")
        refusals[exchange] = refusal
    told = ", ".join(f"{exchange} ({why})" for exchange, why in refusals.items())
    return Answer(works=False, why=f"none of the exchanges can be bound: {told}")
