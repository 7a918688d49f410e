"""What the doctor concludes from what it saw. Nothing here asks anybody."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.catcher.sources.amqp_queue import Subscription
from services.cli.doctor.brokers import Looked, judged, refused_login
from services.cli.doctor.clouds import role_finding
from services.cli.doctor.findings import Finding
from services.cli.doctor.permissions import bound_queue, set_permissions
from services.cli.doctor.stores import flow, services, version_finding
from shared.amqp.session import Depth
from shared.amqp.transport_url import parse_transport_url
from shared.store.status import Heartbeat
from tests.support.events import NOON

WANTED = Subscription(
    queue="osevents.prod",
    exchanges=("nova", "neutron"),
    routing_keys=("notifications.info",),
    queue_length=100,
    queue_expires=timedelta(days=7),
    rebind_interval=timedelta(seconds=30),
    prefetch=10,
)
TRANSPORT = parse_transport_url("rabbit://watcher:hush@one:5672/")
SET = (
    r"rabbitmqctl set_permissions -p / watcher '^osevents\.prod(\..*)?$'"
    r" '^osevents\.prod(\..*)?$' '^(osevents\.prod(\..*)?|nova|neutron)$'"
)
WELL = Looked(
    refused=(),
    unbound={},
    other_arguments=None,
    depth=Depth(3, 1),
    services_queues={"notifications.info": Depth(0, 1)},
)


def told(looked: Looked) -> dict[str, tuple[str, str, str]]:
    found = judged("broker", TRANSPORT, WANTED, looked)
    return {one.check: (one.state.value, one.says, one.mend) for one in found}


def states(looked: Looked) -> dict[str, str]:
    return {check: state for check, (state, _, _) in told(looked).items()}


def test_a_broker_without_fault_has_none() -> None:
    assert states(WELL) == {"permissions": "ok", "exchanges": "ok", "queue": "ok"}


def test_the_least_permissions_name_what_is_read() -> None:
    assert set_permissions(WANTED, user="watcher", virtual_host="/") == SET
    more = replace(WANTED, bindings=(("ceilometer", "event.sample"),))
    assert "neutron|ceilometer)$" in set_permissions(more, user="watcher", virtual_host="/")


def test_a_refusal_of_our_queue_is_mended_by_the_permissions() -> None:
    assert told(replace(WELL, refused=("ACCESS_REFUSED",)))["permissions"] == (
        "failed",
        "ACCESS_REFUSED",
        SET,
    )


def test_an_exchange_that_may_not_be_read_is_mended_by_the_permissions() -> None:
    found = judged("broker", TRANSPORT, WANTED, replace(WELL, unbound={"nova": "not permitted: x"}))
    exchanges = [(one.state.value, one.says) for one in found if one.check == "exchanges"]

    assert exchanges == [("failed", "may not read nova"), ("ok", "can be read: neutron")]


def test_absent_exchanges_are_told_and_matter_only_when_all_are() -> None:
    absent = "there is no such exchange (yet)"
    some = told(replace(WELL, unbound={"nova": absent}))["exchanges"]
    none = told(replace(WELL, unbound={"nova": absent, "neutron": absent}))["exchanges"]

    assert some == ("ok", "can be read: neutron; absent: nova", "")
    assert none[0] == "failed"
    assert "driver = messagingv2" in none[2]


@pytest.mark.parametrize(
    ("depth", "state", "words"),
    [
        (None, "warning", "there is no osevents.prod yet"),
        (Depth(5, 0), "warning", "holds 5 messages, and nobody reads it"),
        (Depth(100, 1), "failed", "is full (100 messages)"),
    ],
)
def test_our_queue_is_judged(depth: Depth | None, state: str, words: str) -> None:
    found = told(replace(WELL, depth=depth))["queue"]

    assert found[0] == state
    assert words in found[1]


def test_other_arguments_are_told_with_the_way_out() -> None:
    found = list(judged("b", TRANSPORT, WANTED, replace(WELL, other_arguments="inequivalent")))

    [warned] = [one for one in found if one.state.value == "warning"]
    assert warned.says == "inequivalent"
    assert "rabbitmqctl delete_queue -p / osevents.prod" in warned.mend


def test_a_queue_of_the_services_that_nobody_reads_gets_a_policy_unless_it_has_one() -> None:
    alone = replace(WELL, services_queues={"notifications.info": Depth(7, 0)})

    state, says, mend = told(alone)["queues of the services"]

    assert state == "warning"
    assert says == (
        "notifications.info holds 7 messages, and nobody reads it: it grows for ever, unless a"
        " policy bounds it, which we cannot see"
    )
    assert mend.endswith(bound_queue("notifications.info", virtual_host="/"))
    assert mend == (
        "if rabbitmqctl list_policies -p / has none for it:"
        " rabbitmqctl set_policy -p / --apply-to queues bounded-notifications.info"
        r""" '^notifications\.info$' '{"max-length":10000}'"""
    )


@pytest.mark.parametrize(
    ("says", "mend"),
    [
        ("the virtual host is not there, or ...", "rabbitmqctl list_vhosts"),
        ("the virtual host is not there, or our user may not use it", f"If so: {SET}"),
        ("ACCESS_REFUSED - Login was refused", f"rabbitmqctl add_user watcher && {SET}"),
        ("SSL: certificate verify failed", "ssl_ca_file"),
    ],
)
def test_a_refused_login_is_mended_by_what_it_says(says: str, mend: str) -> None:
    found = refused_login("broker", TRANSPORT, TRANSPORT.hosts[0], WANTED, says)

    assert mend in found.mend
    assert "hush" not in str(found)


def test_postgresql_before_14_is_too_old() -> None:
    assert version_finding(130_011).state.value == "failed"
    assert version_finding(140_011).says == "PostgreSQL 14.11"


def beat(service: str, cloud: str | None = None, **figures: object) -> Heartbeat:
    return Heartbeat(service, "one", cloud, NOON, figures)


def test_a_service_that_does_not_live_is_told() -> None:
    assert [one.state.value for one in services([beat("up")])] == ["ok", "ok", "ok"]
    alone = {one.check: one.state.value for one in services([beat("catcher")])}
    assert alone == {"catcher": "ok", "processor": "warning", "refresher": "warning"}


def test_what_a_cloud_tells_is_judged() -> None:
    newest = {("prod", "compute"): NOON - timedelta(minutes=2), ("prod", "osevents"): NOON}
    beats = [beat("catcher", "prod", trouble=None), beat("catcher", "test", trouble="deaf")]

    found: list[Finding] = list(flow(["prod", "test"], beats, newest, NOON))

    assert [(one.about, one.check, one.state.value) for one in found] == [
        ("cloud prod", "newest events", "ok"),
        ("cloud test", "source", "failed"),
        ("cloud test", "newest events", "warning"),
    ]
    assert found[0].says == "ago: compute 2m"
    assert found[1].says == "deaf"


def test_who_is_no_admin_is_told_what_that_limits() -> None:
    assert role_finding("cloud", ["reader", "Admin"]).state.value == "ok"
    limited = role_finding("cloud", ["member"])
    assert limited.state.value == "warning"
    assert "only one project is seen" in limited.says
