"""Running operations: with their objects held, or to the end at once."""

from collections.abc import Iterable
from datetime import timedelta

from services.simulator.notification import Aside, Deed, Notification, Operation, Pause
from services.simulator.world import World


def holding(world: World, ids: Iterable[str], operation: Operation) -> Operation:
    """Run `operation` with `ids` held, so that no other operation picks or deletes them."""
    held = tuple(ids)
    world.held.update(held)
    try:
        yield from operation
    finally:
        for id_ in held:
            world.held[id_] -= 1
            if not world.held[id_]:
                del world.held[id_]


def perform(world: World, operation: Deed[object]) -> list[Notification]:
    """Run an operation to its end at once, the world's time advancing, and return what was sent.

    What goes on by itself does so afterwards.
    """
    sent, aside = [], []
    for step in operation:
        if isinstance(step, Pause):
            world.now += timedelta(seconds=step.seconds)
        elif isinstance(step, Aside):
            aside.append(step.operation)
        else:
            sent.append(step)
    for each in aside:
        sent += perform(world, each)
    return sent
