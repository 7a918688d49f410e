"""Random lives of events and rules: what arrives where and when, for properties about rules."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st

from services.processor.rules.index import RuleSet
from shared.event import Event, Flavour, Occasion
from tests.support.events import NOON, event, server
from tests.support.rules import rules

TYPES = ("work.start", "work.end", "alarm")

EVERY_KIND = """
- name: each
  match: {types: alarm}
- name: throttled
  match: {types: alarm}
  key: subject
  throttle: {most: 2, within: 3m}
- name: once
  match: {types: "work.*"}
  once_per: 5m
- name: cooling
  match: {types: "*"}
  key: [subject, host]
  cooldown: 2m
- name: counted
  match: {types: alarm}
  count: {events: 3, within: 4m}
  cooldown: 1m
- name: counted-by-object
  match: {types: ["alarm", "work.end"]}
  key: subject
  count: {events: 2, within: 2m}
- name: endless
  match: {types: work.start}
  without: {types: work.end, within: 3m, grace: 30s}
- name: endless-limited
  match: {types: work.start}
  condition: event.host != null
  without: {types: work.end, within: 1m, grace: 0s}
  throttle: {most: 1, within: 5m}
- name: alarm-after-start
  match: {types: alarm}
  after: {types: work.start, within: 2m, grace: 20s}
- name: recurring
  match: {types: alarm}
  key: []
  without: {types: alarm, within: 4m, grace: 10s}
- name: news
  match: {types: alarm}
  silence: 3m
- name: quiet
  match: {types: alarm}
  quiet: [{from: "12:05", to: "12:10"}]
- name: dry
  match: {types: alarm}
  dry_run: true
  cooldown: 2m
- name: tests-too
  match: {types: alarm}
  synthetic: true
  occasions: [news, history]
  each_form: true
- name: erring
  match: {types: alarm}
  condition: payload.size > 3
"""
"""One rule of each kind, with windows that the lives below cross."""


def every_kind() -> RuleSet:
    """Return one rule of each kind."""
    return rules(EVERY_KIND)


@dataclass(frozen=True)
class Arrival:
    """Events that one processor takes up together, by its own clock."""

    events: tuple[Event, ...]
    now: datetime


@dataclass(frozen=True)
class Tick:
    """One processor says that the clock runs."""

    now: datetime


@dataclass
class Life:
    """What happens, in the order of the commits."""

    steps: list[Arrival | Tick] = field(default_factory=list)

    @property
    def events(self) -> list[Event]:
        """Return all events."""
        return [item for step in self.steps if isinstance(step, Arrival) for item in step.events]


_SECONDS = st.integers(0, 900)


@st.composite
def lives(draw: st.DrawFn, *, most_events: int = 40) -> Life:
    """Make a life: events late and out of order, skewed clocks, pauses without any processor."""
    happened = [
        _event(draw, number) for number in range(draw(st.integers(1, most_events), label="events"))
    ]
    # Delivered late by up to a few minutes, so that the order of arrival is another.
    arrivals = sorted(
        (item.time + timedelta(seconds=draw(st.sampled_from((0, 0, 1, 45, 200)))), item.id, item)
        for item in happened
    )
    life = Life()
    now = NOON
    waiting: list[Event] = []
    for due, _, item in arrivals:
        now = _ticks_until(draw, life, now, due)
        waiting.append(item)
        if draw(st.booleans()):
            continue  # taken up together with the next
        life.steps.append(Arrival(tuple(waiting), now + _skew(draw)))
        waiting = []
    if waiting:
        life.steps.append(Arrival(tuple(waiting), now))
    _ticks_until(draw, life, now, now + timedelta(seconds=draw(_SECONDS)))
    return life


def _ticks_until(draw: st.DrawFn, life: Life, now: datetime, due: datetime) -> datetime:
    """Let the clock of the rules run until `due`, or stand still for a while of it."""
    if due <= now:
        return now
    runs = draw(st.sampled_from(("runs", "runs", "stands", "starts late")))
    if runs == "runs":
        _run(life, now, due)
    elif runs == "starts late":
        _run(life, now + (due - now) / 2, due)
    return due


def _run(life: Life, now: datetime, until: datetime) -> None:
    while now < until:
        life.steps.append(Tick(now))
        now += timedelta(seconds=4)


def _skew(draw: st.DrawFn) -> timedelta:
    return timedelta(milliseconds=draw(st.sampled_from((0, 0, -800, 300))))


def _event(draw: st.DrawFn, number: int) -> Event:
    type_ = draw(st.sampled_from(TYPES))
    return event(
        f"event-{number}",
        type=type_,
        canonical=type_,
        time=NOON + timedelta(seconds=draw(_SECONDS)),
        subjects=draw(st.sampled_from(((server("a"),), (server("b"),), ()))),
        host=draw(st.sampled_from((None, "h1", "h2"))),
        flavour=draw(st.sampled_from((Flavour.LEGACY, Flavour.LEGACY, Flavour.VERSIONED))),
        synthetic=draw(st.sampled_from((False, False, False, True))),
        occasion=draw(st.sampled_from((Occasion.NEWS, Occasion.NEWS, Occasion.HISTORY))),
        payload=draw(st.sampled_from((None, {}, {"size": 1}, {"size": 5}))),
    )


def chosen(all_rules: RuleSet, names: Sequence[str]) -> RuleSet:
    """Return some of the rules."""
    return RuleSet([rule for rule in all_rules.rules if rule.name in names])
