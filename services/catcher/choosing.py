"""Which of a cloud's sources to read: the best that works. Pure.

Candidates stand in the order of preference: OpenStack's RabbitMQ tells at once and everything,
Panko what Ceilometer recorded, the Ceilometer API before it less comfortably.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Answer:
    """What asking one candidate gave."""

    works: bool
    why: str
    """In words for the operator: what answered, or what is wrong and how to mend it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The source to read, and why it is that one."""

    source: str | None
    """None: no candidate works."""
    why: str


def choose(candidates: Sequence[str], answers: Mapping[str, Answer]) -> Choice:
    """Return the first candidate that works, and what was wrong with those before it.

    A candidate without an answer was not asked, so it does not count as working.
    """
    passed: list[str] = []
    for name in candidates:
        answer = answers.get(name)
        if answer is not None and answer.works:
            return Choice(name, "; ".join([f"{name}: {answer.why}", *passed]))
        passed.append(f"{name}: {answer.why if answer else 'not asked'}")
    return Choice(None, "; ".join(passed) or "there is no source that could be asked")


def better(candidates: Sequence[str], than: str | None) -> Sequence[str]:
    """Return the candidates that are preferred to one; all when there is none."""
    return candidates[: candidates.index(than)] if than in candidates else candidates
