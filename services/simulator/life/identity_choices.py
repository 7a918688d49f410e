"""What happens to users, groups and roles in the standard life."""

from services.simulator.life.choice import Choice, admin, find, name, on, somebody
from services.simulator.notification import Operation
from services.simulator.operations import identities
from services.simulator.world import World

_MOST_BYSTANDERS = 40
"""How many users, groups and roles of the life's own making there are at most."""


def _create_user(world: World) -> Operation | None:
    request = somebody(world)
    if request is None or len(world.users) > len(world.projects) + _MOST_BYSTANDERS:
        return None
    project_id = request.actor.project_id
    return identities.create_user(world, admin(world), name(world, "user"), project_id)


def _rename_user(world: World) -> Operation | None:
    user = find(world, world.users, lambda each: each.name.startswith("user-"))
    if user is None:
        return None
    operation = identities.rename_user(world, admin(world), user, name(world, "user"))
    return on(world, (user,), operation)


def _delete_user(world: World) -> Operation | None:
    user = find(world, world.users, lambda each: each.name.startswith("user-"))
    if user is None:
        return None
    return on(world, (user,), identities.delete_user(world, admin(world), user))


def _named(kind: str) -> tuple[Choice, ...]:
    def create(world: World) -> Operation | None:
        if len(world.table(kind)) > _MOST_BYSTANDERS:
            return None
        return on(world, (), identities.create_named(world, admin(world), kind, name(world, kind)))

    def rename(world: World) -> Operation | None:
        item = find(world, world.table(kind), lambda each: each.body["name"].startswith(f"{kind}-"))
        if item is None:
            return None
        operation = identities.rename_named(world, admin(world), kind, item, name(world, kind))
        return on(world, (item,), operation)

    def delete(world: World) -> Operation | None:
        item = find(world, world.table(kind), lambda each: each.body["name"].startswith(f"{kind}-"))
        if item is None:
            return None
        operation = identities.delete_named(world, admin(world), kind, item)
        return on(world, (item,), operation)

    return (
        Choice(f"create {kind}", 0.2, create),
        Choice(f"rename {kind}", 0.1, rename),
        Choice(f"delete {kind}", 0.2, delete),
    )


USERS = (
    Choice("create user", 0.3, _create_user),
    Choice("rename user", 0.2, _rename_user),
    Choice("delete user", 0.3, _delete_user),
)
NAMED = (
    *_named("group"),
    *_named("role"),
    *_named("domain"),
)
