"""What changes without a word, whatever services are asked to tell: only full passes find it."""

from services.simulator.notification import Operation
from services.simulator.objects import Item, NetworkAgent
from services.simulator.operations import extras
from services.simulator.payloads.times import micro
from services.simulator.world import World


def fill_balancer(world: World, balancer: Item) -> Operation:
    """Put a listener, a pool and all that below a load balancer: Octavia tells of none of it."""
    extras.make_tree(world, balancer)
    yield from ()


def empty_balancer(world: World, balancer: Item) -> Operation:
    """Remove everything below a load balancer."""
    extras.drop_tree(world, balancer)
    yield from ()


def fill_container(world: World, container: Item) -> Operation:
    """Put an object into a container."""
    body = container.body
    body |= {
        "count": body["count"] + 1,
        "bytes": body["bytes"] + 1024,
        "last_modified": micro(world.now),
    }
    yield from ()


def switch_agent(agent: NetworkAgent) -> Operation:
    """Let an agent die, or come back."""
    agent.alive = not agent.alive
    yield from ()
