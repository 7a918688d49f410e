"""What users do to security groups and their rules."""

from services.simulator.notification import Deed, Operation, Request
from services.simulator.objects import SecurityGroup, SecurityGroupRule
from services.simulator.operations.neutron import Neutron
from services.simulator.world import World


def make_group(world: World, project_id: str, name: str) -> SecurityGroup:
    """Add a security group with the two egress rules it is born with; says nothing."""
    world.default_group(project_id)
    group = world.security_groups.add(
        SecurityGroup(world.uuid(), name, project_id, world.now, world.now, revision=1)
    )
    world.new_rule(group, direction="egress")
    return group


def create_group(world: World, request: Request, name: str) -> Deed[SecurityGroup]:
    """Create a security group; the rules it is born with are announced by nobody."""
    return (
        yield from Neutron(world, request).create(
            "security_group",
            {"name": name, "description": ""},
            lambda: make_group(world, request.actor.project_id, name),
        )
    )


def rename_group(world: World, request: Request, group: SecurityGroup, name: str) -> Operation:
    """Give a security group another name."""

    def change() -> None:
        group.name = name

    yield from Neutron(world, request).update("security_group", group, {"name": name}, change)


def delete_group(world: World, request: Request, group: SecurityGroup) -> Operation:
    """Delete a security group that no port uses; its rules go along silently."""

    def drop() -> None:
        for rule_id in group.rule_ids:
            world.rules.remove(rule_id)
        world.security_groups.remove(group.id)

    yield from Neutron(world, request).delete("security_group", group, drop)


def create_rule(
    world: World, request: Request, group: SecurityGroup, port: int
) -> Deed[SecurityGroupRule]:
    """Let TCP traffic to `port` in; the group's own revision rises silently."""

    def make() -> SecurityGroupRule:
        world.touch(group)
        return world.new_rule(group, port=port)

    asked = {
        "security_group_id": group.id,
        "direction": "ingress",
        "protocol": "tcp",
        "port_range_min": port,
        "port_range_max": port,
    }
    return (yield from Neutron(world, request).create("security_group_rule", asked, make))


def delete_rule(world: World, request: Request, rule: SecurityGroupRule) -> Operation:
    """Delete a rule; the group's own revision rises silently."""

    def drop() -> None:
        group = world.security_groups[rule.group_id]
        group.rule_ids.remove(rule.id)
        world.rules.remove(rule.id)
        world.touch(group)

    yield from Neutron(world, request).delete("security_group_rule", rule, drop)
