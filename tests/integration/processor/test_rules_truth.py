"""`rules test` over what the database holds says what really fired, whatever came in between."""

from collections import Counter
from datetime import timedelta

from hypothesis import HealthCheck, given, settings

from services.processor.rules.looking import Guard
from services.processor.rules.past import go_through
from services.processor.rules.verdicts import Outcome
from shared.store.database import Database
from tests.support.events import NOON, event
from tests.support.rule_life import Arrival, Life, Tick, every_kind, lives
from tests.support.ruling import Ruled, fired

RULES = every_kind()
TABLES = "events, event_ids, rule_states, rule_clock, firings, actions"


@given(life=lives(most_events=30))
@settings(max_examples=6, suppress_health_check=[*HealthCheck])
async def test_a_dry_run_over_the_timeline_says_what_is_in_the_outbox(
    database: Database, life: Life
) -> None:
    await database.execute(f"truncate {TABLES}")
    ruled = Ruled(database, RULES)
    really = []
    last = NOON
    for step in life.steps:
        last = max(last, step.now)
        if isinstance(step, Arrival):
            really += await ruled.write(step.events, step.now)
        elif isinstance(step, Tick):
            really += await ruled.tick(step.now)

    tried = []
    async for verdicts in go_through(database, RULES, Guard(), since=NOON, now=last):
        tried += verdicts

    assert Counter((each.rule, each.event, each.outcome, each.at, each.key) for each in tried) == (
        Counter((each.rule, each.event, each.outcome, each.at, each.key) for each in really)
    )
    assert sorted(
        (each.rule, each.key, each.event.id) for each in tried if each.outcome is Outcome.FIRED
    ) == await fired(database)


async def test_limits_begin_before_the_time_that_is_asked_for(database: Database) -> None:
    ruled = Ruled(database, RULES)
    life = [(second, f"e{second}") for second in (0, 30, 60, 90)]
    for second, name in life:
        moment = NOON + timedelta(seconds=second)
        item = event(name, type="alarm", canonical="alarm", time=moment)
        await ruled.write([item], moment)

    said = [
        each
        async for verdicts in go_through(
            database, RULES, Guard(), since=NOON + timedelta(seconds=60), now=NOON
        )
        for each in verdicts
        if each.rule == "throttled" and each.at >= NOON + timedelta(seconds=60)
    ]

    assert [each.outcome for each in said] == [Outcome.THROTTLE, Outcome.THROTTLE]
