"""Rules on a real PostgreSQL: with the event or not at all, and once, by several processors."""

import asyncio
from datetime import timedelta

import pytest

from services.processor.rules.looking import Guard
from services.processor.rules.state import KeyState
from services.processor.rules.verdicts import Outcome
from shared.errors import Unstorable
from shared.event import Flavour, Occasion
from shared.store.database import Database
from shared.store.rules import RuleStates
from shared.store.timeline import Timeline, TimelineFilter
from tests.support.events import NOON, event, numbered, server
from tests.support.rules import rules
from tests.support.ruling import Ruled, fired, fired_events

EACH = "- name: each\n  match: {types: compute.instance.power_off.end}"


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


async def test_a_firing_is_stored_with_its_event_and_its_actions(database: Database) -> None:
    await Ruled(database, rules(EACH)).write([event("a", payload={"instance_id": "x"})])

    assert await fired(database) == [("each", "", "a")]
    (told,) = await fired_events(database)
    assert told["id"] == "a"
    assert await database.fetch_value("select count(*) from actions") == 1


async def test_an_event_delivered_again_fires_once(database: Database) -> None:
    ruled = Ruled(database, rules(EACH + "\n  throttle: {most: 5, within: 1h}"))
    await ruled.write(numbered(3))
    await ruled.write(numbered(3))

    assert len(await fired(database)) == 3
    row = await database.fetch_row("select state from rule_states where key = ''")
    assert row is not None
    assert len(KeyState.load(row["state"]).fired) == 3, "the second delivery changed nothing"


async def test_nothing_is_fired_when_the_event_cannot_be_stored(database: Database) -> None:
    ruled = Ruled(database, rules(EACH + "\n  cooldown: 1h"))
    with pytest.raises(Unstorable):
        await ruled.write([event("good"), event("poison", name="a\x00b")])

    assert await fired(database) == []
    assert await database.fetch_value("select count(*) from rule_states") == 0


async def test_a_missing_end_fires_when_its_time_has_come(database: Database) -> None:
    ruled = Ruled(
        database,
        rules(
            "- name: endless\n  match: {types: a.start}\n"
            "  without: {types: a.end, within: 10m, grace: 1m}"
        ),
    )
    await ruled.tick(NOON)
    starts = [
        event(name, type="a.start", canonical="a.start", subjects=(server(name),), payload={"n": 1})
        for name in ("ends", "hangs")
    ]
    await ruled.write(starts, NOON)
    end = event("end", type="a.end", canonical="a.end", subjects=(server("ends"),))
    await ruled.write([end._replace(time=NOON + after(60))], NOON + after(60))

    for seconds in range(0, 660, 4):
        assert await ruled.tick(NOON + after(seconds)) == [], seconds
    (said,) = await ruled.tick(NOON + after(660))

    assert (said.outcome, said.event.id) == (Outcome.FIRED, "hangs")
    assert said.at == NOON + after(600)
    assert await fired(database) == [("endless", "cloud=prod subject=server/hangs", "hangs")]
    (told,) = await fired_events(database)
    assert told["data"]["payload"] == {"n": 1}  # type: ignore[index]
    assert await ruled.tick(NOON + after(664)) == []


async def test_an_end_that_waits_while_no_processor_runs_is_no_alarm(database: Database) -> None:
    ruled = Ruled(
        database, rules("- name: e\n  match: {types: s}\n  without: {types: t, within: 1m}")
    )
    await ruled.tick(NOON)
    await ruled.write([event("s", type="s", canonical="s")], NOON)
    # Half an hour without any processor; then the end is read before the first tick.
    back = NOON + after(1800)
    end = event("t", type="t", canonical="t", time=NOON + after(30))
    await ruled.write([end], back)

    assert await ruled.tick(back) == []
    assert await ruled.tick(back + after(4)) == []
    assert await fired(database) == []


async def test_processors_at_a_time_neither_deadlock_nor_exceed_a_throttle(
    database: Database,
) -> None:
    ruled = Ruled(
        database,
        rules(
            EACH + "\n  key: subject\n  throttle: {most: 3, within: 1h}\n"
            "- name: all\n  match: {types: '*'}\n  throttle: {most: 7, within: 1h}"
        ),
    )
    events = [
        item._replace(subjects=(server(f"s{number % 5}"),))
        for number, item in enumerate(numbered(400))
    ]
    # Each batch is delivered to two processors, in opposite orders of its keys.
    batches = [events[first : first + 20] for first in range(0, 400, 20)]
    async with asyncio.TaskGroup() as group:
        for batch in batches:
            group.create_task(ruled.write(batch))
            group.create_task(ruled.write(list(reversed(batch))))

    found = [name for name, _, _ in await fired(database)]
    assert (found.count("each"), found.count("all")) == (15, 7)


async def test_two_ticks_at_a_time_end_a_wait_once(database: Database) -> None:
    ruled = Ruled(
        database, rules("- name: e\n  match: {types: s}\n  without: {types: t, within: 1m}")
    )
    starts = [
        event(f"s{n}", type="s", canonical="s", subjects=(server(f"s{n}"),)) for n in range(250)
    ]
    await ruled.write(starts)
    now = NOON + after(300)
    async with asyncio.TaskGroup() as group:
        ticks = [group.create_task(ruled.tick(now)) for _ in range(3)]
    ended = [said for tick in ticks for said in tick.result()] + await ruled.tick(now + after(1))

    assert len(ended) == 250
    assert len(await fired(database)) == 250


async def test_both_forms_of_a_fact_fire_once(database: Database) -> None:
    ruled = Ruled(database, rules(EACH))
    legacy = event("legacy")
    versioned = event(
        "versioned",
        type="instance.power_off.end",
        flavour=Flavour.VERSIONED,
        time=NOON + after(0.2),
    )
    await ruled.write([versioned], NOON + after(1))
    await ruled.write([legacy], NOON + after(20))
    assert await fired(database) == [("each", "", "versioned")]

    again = [
        item._replace(id=f"{item.id}-2", time=item.time + after(3)) for item in (legacy, versioned)
    ]
    await ruled.write(again, NOON + after(30))
    assert len(await fired(database)) == 2, "three seconds later it is another fact"


async def test_what_we_caused_and_what_is_old_or_made_up_stays_silent(database: Database) -> None:
    text = EACH + "\n  each_form: true"
    guard = Guard.of(["us"], ["req-ours-*"])
    ruled = Ruled(database, rules(text), guard)
    item = event()
    said = await ruled.write(
        [
            item._replace(id="1", user="us"),
            item._replace(id="2", request_id="req-ours-5"),
            item._replace(id="3", synthetic=True),
            item._replace(id="4", occasion=Occasion.HISTORY),
            item._replace(id="5", user="them", request_id="req-5"),
        ]
    )

    assert [each.outcome for each in said] == [
        Outcome.OWN,
        Outcome.OWN,
        Outcome.SYNTHETIC,
        Outcome.OCCASION,
        Outcome.FIRED,
    ]


async def test_a_replay_fires_only_rules_that_ask_for_it_and_once(database: Database) -> None:
    await Ruled(database, rules("- name: old\n  match: {types: nothing}")).write([event("a")])
    replayed = event("a", occasion=Occasion.REPLAY)
    ruled = Ruled(
        database,
        rules(EACH + "\n" + EACH.replace("each", "asks") + "\n  occasions: [replay]"),
    )
    await ruled.write([replayed])
    await ruled.write([replayed])

    assert await fired(database) == [("asks", "", "a")]
    assert len(await Timeline(database).find(TimelineFilter())) == 1


async def test_state_that_makes_no_difference_is_forgotten(database: Database) -> None:
    ruled = Ruled(
        database,
        rules(
            EACH + "\n  cooldown: 2h\n"
            "- name: e\n  match: {types: s}\n  without: {types: t, within: 5h}"
        ),
    )
    await ruled.write([event("a", flavour=Flavour.CADF), event("s", type="s", canonical="s")])
    states = RuleStates(database)

    assert await states.forget(NOON + after(7000)) == 0
    assert await states.forget(NOON + after(7300)) == 1
    assert (await states.counts()).waiting == 1


async def test_a_rule_that_means_something_else_starts_from_nothing(database: Database) -> None:
    def counting(events: int) -> Ruled:
        text = f"{EACH}\n  count: {{events: {events}, within: 1h}}\n  each_form: true"
        return Ruled(database, rules(text))

    await counting(3).write(numbered(2))
    said = await counting(4).write(numbered(2, first=2))

    assert [each.detail for each in said] == ["1 of 4", "2 of 4"]
