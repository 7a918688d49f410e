"""A world of a few servers, and what an operation in it sends."""

from random import Random

import pytest

from services.simulator.dialect import Dialect
from services.simulator.notification import Request
from services.simulator.objects import Network, Server
from services.simulator.population import populate
from services.simulator.world import World
from tests.support.events import NOON


@pytest.fixture
def world() -> World:
    world = World(Random(3), NOON, Dialect(legacy=True, versioned=True))
    populate(world, 20)
    return world


@pytest.fixture
def request_by_demo(world: World) -> Request:
    demo = next(user for user in world.users if user.name == "demo")
    return world.request(world.actor(demo.id))


@pytest.fixture
def demo_network(world: World, request_by_demo: Request) -> Network:
    project = world.projects[request_by_demo.actor.project_id]
    assert project.main_network_id is not None
    return world.networks[project.main_network_id]


@pytest.fixture
def demo_server(world: World, request_by_demo: Request) -> Server:
    return next(
        server
        for server in world.servers
        if server.project_id == request_by_demo.actor.project_id and server.vm_state == "active"
    )
