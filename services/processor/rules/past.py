"""Goes through the timeline as the rules did, and says what they said, or would have said."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from services.processor.rules.engine import STOPPED, running_of
from services.processor.rules.index import RuleSet
from services.processor.rules.looking import Guard, unmatched
from services.processor.rules.state import Running, micros
from services.processor.rules.trial import Trial
from services.processor.rules.verdicts import Verdict
from shared.event import Event
from shared.store.database import Database
from shared.store.rule_history import Decided, RuleHistory
from shared.store.rules import RuleClock

LATEST = timedelta(days=2)
"""How far ahead of our clock a believable event may be dated."""


async def go_through(
    database: Database, rules: RuleSet, guard: Guard, *, since: datetime, now: datetime
) -> AsyncIterator[list[Verdict]]:
    """Yield what the rules say of the events that happened since a moment, in order, and at `now`.

    They begin to look earlier, by the memory of the rules, so that counts and limits are what
    they would have been; leave out what was said before `since`, if it is not wanted.
    """
    running = await _running(database)
    trial = Trial(rules, guard, running)
    together: list[Event] = []
    at: datetime | None = None
    history = RuleHistory(database).between(since - rules.memory, now + LATEST)
    async for part in history:
        for decided in part:
            if decided.at != at and at is not None:
                yield trial.events(together, micros(at))
                together = []
            at = decided.at
            together.append(decided.event)
    if at is not None:
        yield trial.events(together, micros(at))
    yield trial.end(_until(running, now))


async def verdicts_on(
    database: Database, rules: RuleSet, guard: Guard, asked: Decided, *, now: datetime
) -> list[Verdict]:
    """Return what the rules said of one event, with what its waits came to later."""
    event = asked.event
    looking = rules.looking_at(event)
    names = {rule.name for rule in (*looking.triggers, *looking.partners)}
    concerned = RuleSet([rule for rule in rules.rules if rule.name in names])
    until = min(now, asked.at + concerned.memory)
    said = []
    async for verdicts in go_through(database, concerned, guard, since=event.time, now=until):
        said += [each for each in verdicts if each.event == (event.cloud, event.id)]
    return [*said, *unmatched(concerned, event)]


async def _running(database: Database) -> Running:
    async with database.connection() as connection:
        return running_of(await RuleClock.stretches(connection))


def _until(running: Running, now: datetime) -> int:
    """Return until when waits can have ended: while no processor ran, none did."""
    if not running.stretches:
        return micros(now)
    return min(micros(now), running.stretches[-1][1] - micros(STOPPED))
