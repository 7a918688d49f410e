import pytest

from shared.catalogue.load import builtin
from shared.event import Action, Level, Phase


@pytest.mark.parametrize(
    ("misnamed", "right"),
    [
        ("compute.instance.resume", "compute.instance.resume.end"),
        ("compute.instance.suspend", "compute.instance.suspend.end"),
        ("servergroup.addmemeber", "servergroup.addmember"),
        ("compute.instance.power_off.end", "instance.power_off.end"),
        ("aggregate.addhost.end", "aggregate.add_host.end"),
        ("servergroup.create", "server_group.create"),
    ],
)
def test_right_names_and_versioned_twins_show_alike(misnamed: str, right: str) -> None:
    first, second = builtin().lookup(misnamed), builtin().lookup(right)

    assert (first.category, first.level) == (second.category, second.level)


@pytest.mark.parametrize(
    ("event_type", "canonical"),
    [
        ("instance.create.end", "compute.instance.create.end"),
        ("compute.instance.create.end", "compute.instance.create.end"),
        ("instance.resize_finish.start", "compute.instance.finish_resize.start"),
        ("instance.live_migration_post_dest.end", "compute.instance.live_migration.post.dest.end"),
        ("instance.volume_attach.end", "compute.instance.volume.attach"),
        ("aggregate.add_host.end", "aggregate.addhost.end"),
        ("server_group.add_member", "servergroup.addmember"),
        ("compute_task.build_instances.error", "compute_task.build_instances"),
        ("dns.domain.create", "dns.zone.create"),
        ("port.create.end", "port.create.end"),
        ("unheard.of", "unheard.of"),
    ],
)
def test_twins_go_by_one_canonical_name(event_type: str, canonical: str) -> None:
    assert builtin().lookup(event_type).canonical == canonical


@pytest.mark.parametrize(
    ("event_type", "action", "phase"),
    [
        ("port.create.start", Action.CREATE, Phase.START),
        ("identity.user.deleted", Action.DELETE, Phase.END),
        ("volume.attach.end", Action.UPDATE, Phase.END),
        ("instance.create.error", Action.CREATE, Phase.ERROR),
        ("compute.instance.exists", Action.NONE, Phase.END),
        ("backup.createprogress", Action.UPDATE, Phase.PROGRESS),
        ("aggregate.cache_images.progress", Action.NONE, Phase.PROGRESS),
        ("keypair.import.end", Action.CREATE, Phase.END),
        ("task.failure", Action.UPDATE, Phase.ERROR),
        ("router.interface.delete", Action.UPDATE, Phase.END),
        ("image.member.create", Action.UPDATE, Phase.END),
        ("attach_volume", Action.UPDATE, Phase.ERROR),
        ("compute_task.build_instances", Action.UPDATE, Phase.ERROR),
        ("alarm.creation", Action.CREATE, Phase.END),
    ],
)
def test_action_and_phase_are_told(event_type: str, action: Action, phase: Phase) -> None:
    entry = builtin().lookup(event_type)

    assert (entry.action, entry.phase, entry.known) == (action, phase, True)


@pytest.mark.parametrize(
    ("service", "kind"), [(None, "segment"), ("network", "segment"), ("instance-ha", "ha_segment")]
)
def test_a_name_that_two_services_use_goes_by_the_service(service: str | None, kind: str) -> None:
    assert builtin().lookup("segment.create.end", service).kind == kind


@pytest.mark.parametrize(
    ("event_type", "kind"),
    [
        ("network.create.end", "network"),
        ("network.floating_ip.allocate", "floating_ip"),
        ("volume.usage", "volume"),
        ("port.update.end", "port"),
        ("baremetal.port.update.end", "baremetal_port"),
        ("router.interface.create", "router"),
        ("snapshot.update.end", "snapshot"),
        ("compute.instance.snapshot.end", "server"),
        ("identity.OS-TRUST:trust.created", "trust"),
    ],
)
def test_the_more_exact_pattern_wins(event_type: str, kind: str) -> None:
    assert builtin().lookup(event_type).kind == kind


def test_an_unknown_type_is_guessed() -> None:
    entry = builtin().lookup("gadget.create.error")

    assert (entry.known, entry.kind, entry.service) == (False, "gadget", "unknown")
    assert (entry.action, entry.phase, entry.level) == (
        Action.CREATE,
        Phase.ERROR,
        Level.CRITICAL,
    )


def test_unknown_types_without_end_do_not_fill_the_memory() -> None:
    catalogue = builtin()
    for number in range(10_050):
        catalogue.lookup(f"function_{number}")

    assert len(catalogue._entries) <= 10_000


def test_every_rule_of_a_refreshed_kind_says_where_the_id_stands() -> None:
    core = {"server", "port", "network", "subnet", "router", "security_group", "volume", "image"}
    without = {rule.pattern for rule in builtin().rules if rule.kind in core and not rule.id}

    assert without == set()


@pytest.mark.parametrize(
    ("publisher", "service"),
    [
        ("network.ctl1", "network"),
        ("nova-compute:host1", "compute"),
        ("image.localhost", "image"),
        ("", "unknown"),
        ("nobody.host", "unknown"),
    ],
)
def test_a_publisher_names_its_service(publisher: str, service: str) -> None:
    assert builtin().service_of_publisher(publisher) == service
