"""The life: the same for the same seed, always whole, at the rate asked for."""

from datetime import timedelta
from random import Random
from typing import get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.dialect import Dialect
from services.simulator.life.life import STANDARD_LIFE, Life, Rate
from services.simulator.notification import Notification
from services.simulator.population import populate
from services.simulator.settings import Service
from services.simulator.world import World
from tests.support.events import NOON


def a_life(seed: int, *, servers: int = 30, pace: float = 1) -> Life:
    world = World(Random(seed), NOON, Dialect())
    world.offered = frozenset(get_args(Service))
    populate(world, servers)
    return Life(world, origin=NOON, pace=pace)


def lived(seed: int, stops: list[float], *, servers: int = 30) -> tuple[Life, list[Notification]]:
    life = a_life(seed, servers=servers)
    life.start(Rate(operations=20))
    return life, [each for stop in stops for each in life.advance(stop)]


def assert_whole(world: World) -> None:
    """Assert that everything that is referred to exists, and knows of it."""
    assert_ports_whole(world)
    assert_floating_ips_whole(world)
    for subnet in world.subnets:
        assert subnet.id in world.networks[subnet.network_id].subnet_ids
    for volume in world.volumes:
        assert all(volume.id in world.servers[a.server_id].volume_ids for a in volume.attachments)
    for server in world.servers:
        assert all(id_ in world.volumes for id_ in server.volume_ids)
        assert server.flavor_id in world.flavors
        assert server.project_id in world.projects
    for group in world.security_groups:
        assert group.project_id in world.projects
        assert all(world.rules[id_].group_id == group.id for id_ in group.rule_ids)
    assert len(world.rules) == sum(len(group.rule_ids) for group in world.security_groups)


def assert_ports_whole(world: World) -> None:
    for port in world.ports:
        network = world.networks[port.network_id]
        assert all(subnet in network.subnet_ids for subnet, _ in port.fixed_ips)
        assert all(group in world.security_groups for group in port.security_group_ids)
        if port.device_owner == "compute:nova":
            assert port.device_id in world.servers
        if port.device_owner in {"network:router_interface", "network:router_gateway"}:
            assert port.device_id in world.routers
        if port.device_owner == "network:floatingip":
            assert world.floating_ips[port.device_id].own_port_id == port.id
    addresses = [fixed for port in world.ports for fixed in port.fixed_ips]
    assert len(addresses) == len(set(addresses))


def assert_floating_ips_whole(world: World) -> None:
    for floating in world.floating_ips:
        if floating.port_id is not None:
            assert world.floating_ip_of[floating.port_id] == floating.id
            assert floating.port_id in world.ports
    assert len(world.floating_ip_of) == sum(f.port_id is not None for f in world.floating_ips)


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32), seconds=st.floats(0.1, 20))
def test_at_any_moment_everything_referred_to_exists(seed: int, seconds: float) -> None:
    life, _ = lived(seed, [seconds])
    assert_whole(life.world)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**32))
def test_no_two_notifications_have_the_same_message_id_or_time(seed: int) -> None:
    _, sent = lived(seed, [10])
    assert len({each.message["message_id"] for each in sent}) == len(sent)
    stamps = [each.message["timestamp"] for each in sent]
    assert len(set(stamps)) == len(stamps)


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32), stops=st.lists(st.floats(0, 5), max_size=5))
def test_the_same_seed_is_the_same_life_however_often_it_is_driven(
    seed: int, stops: list[float]
) -> None:
    _, once = lived(seed, [5])
    _, often = lived(seed, [*sorted(stops), 5])
    assert [orjson.dumps(each.message) for each in once] == [
        orjson.dumps(each.message) for each in often
    ]


def test_another_seed_is_another_life() -> None:
    first, second = lived(1, [5])[1], lived(2, [5])[1]
    assert first[0].message["message_id"] != second[0].message["message_id"]


def test_everything_in_the_mix_happens_and_the_number_of_servers_stays_level() -> None:
    life, _ = lived(11, [200], servers=60)
    assert set(life.operations) == {choice.name for choice in STANDARD_LIFE if choice.weight}
    assert 50 <= len(life.world.servers) <= 70


def test_the_flavors_between_which_a_server_is_resized_are_held() -> None:
    life = a_life(5)
    assert life.begin("resize server")
    list(life.advance(life.elapsed))
    assert sum(life.world.held[flavor.id] for flavor in life.world.flavors) == 2
    assert list(life.finish())
    assert not life.world.held


def test_a_life_asked_for_notifications_ends_with_nothing_in_flight() -> None:
    life = a_life(4)
    life.start(Rate(operations=50), notifications=500)
    sent = list(life.advance(3600))
    assert 500 <= len(sent) < 700
    assert (life.beginning, life.in_flight, life.due()) == (False, 0, None)
    assert not life.world.held


def test_a_rate_in_notifications_is_kept_within_a_tenth() -> None:
    life = a_life(6, servers=500)
    life.start(Rate(notifications=300))
    list(life.advance(10))
    begun = len(list(life.advance(40)))
    assert begun == pytest.approx(300 * 30, rel=0.1)


def test_a_stopped_life_finishes_what_it_began() -> None:
    life = a_life(7)
    life.start(Rate(operations=30))
    list(life.advance(2))
    life.stop()
    begun = life.operations.total()
    list(life.advance(60))
    assert (life.operations.total(), life.in_flight) == (begun, 0)


def test_one_operation_can_be_begun_by_name() -> None:
    life = a_life(8, pace=0)
    assert life.begin("boot server")
    sent = [each.event_type for each in life.advance(0)]
    assert sent[-1] == "compute.instance.create.end"


def test_an_unknown_operation_is_refused() -> None:
    with pytest.raises(KeyError):
        a_life(9).begin("paint server")


def test_a_life_at_rest_does_not_fall_behind() -> None:
    life = a_life(10, pace=0)
    later = NOON + timedelta(hours=1)
    life.rest(later)
    assert life.begin("boot server")
    first = next(life.advance(0))
    assert first.message["timestamp"].startswith("2026-11-23 13:00:00")
    newest = next(reversed(life.world.servers))
    assert newest.created_at == later
