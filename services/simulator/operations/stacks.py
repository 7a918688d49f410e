"""What users do to stacks: Heat makes real objects for them, and tells of the stack alone."""

from services.simulator.notification import Json, Notification, Operation, Pause, Request
from services.simulator.objects import Item
from services.simulator.operations.identities import GROUP, create_named, delete_named
from services.simulator.operations.neutron_lists import create_qos_policy, delete_qos_policy
from services.simulator.payloads.times import zulu
from services.simulator.world import World

STACK, RESOURCE = "stack", "stack_resource"
EXCHANGE = "heat"
_PUBLISHER = "orchestration.ctl1"
_DELETED_KEPT = 1000


def make_stack(world: World, request: Request, name: str, *, parent: Item | None = None) -> Item:
    """Add a stack without resources, in progress; says nothing."""
    id_ = world.uuid()
    body = {
        "id": id_,
        "stack_name": name,
        "description": "" if parent else "a limit and some people",
        "stack_status": "CREATE_IN_PROGRESS",
        "stack_status_reason": "Stack CREATE started",
        "creation_time": zulu(world.now),
        "updated_time": None,
        "deletion_time": None,
        "stack_owner": None,
        "parent": parent.id if parent else None,
        "stack_user_project_id": world.hex_id(),
        "tags": None,
    }
    return world.table(STACK).add(Item(id_, request.actor.project_id, body))


def make_resource(world: World, stack: Item, name: str, type_: str, physical_id: str) -> Item:
    """Add a resource of a stack; says nothing."""
    body = {
        "stack_id": stack.id,
        "resource_name": name,
        "logical_resource_id": name,
        "physical_resource_id": physical_id,
        "resource_type": type_,
        "resource_status": "CREATE_COMPLETE",
        "resource_status_reason": "state changed",
        "creation_time": zulu(world.now),
        "updated_time": zulu(world.now),
        "required_by": [],
        "links": [],
    }
    return world.table(RESOURCE).add(Item(f"{stack.id}/{name}", stack.project_id, body))


def resources_of(world: World, stack: Item) -> list[Item]:
    """Return the resources of a stack."""
    return [each for each in world.table(RESOURCE) if each.body["stack_id"] == stack.id]


def complete(world: World, stack: Item, action: str) -> None:
    """Note that something done to a stack is done; says nothing."""
    stack.body["stack_status"] = f"{action}_COMPLETE"
    stack.body["stack_status_reason"] = f"Stack {action} completed successfully"
    if action != "CREATE":
        stack.body["updated_time"] = zulu(world.now)


def create_stack(world: World, request: Request, name: str) -> Operation:
    """Create a stack of a QoS policy and a group."""
    stack = make_stack(world, request, name)
    yield _say(world, request, stack, "create.start")
    policy = yield from create_qos_policy(world, request, f"{name}-limit")
    make_resource(world, stack, "limit", "OS::Neutron::QoSPolicy", policy.id)
    group = yield from create_named(world, request, GROUP, f"{name}-people")
    make_resource(world, stack, "people", "OS::Keystone::Group", group.id)
    yield Pause(0.2)
    complete(world, stack, "CREATE")
    yield _say(world, request, stack, "create.end")


def update_stack(world: World, request: Request, stack: Item) -> Operation:
    """Update a stack, which changes nothing in it but its state and time."""
    stack.body["stack_status"] = "UPDATE_IN_PROGRESS"
    stack.body["stack_status_reason"] = "Stack UPDATE started"
    yield _say(world, request, stack, "update.start")
    yield Pause(0.3)
    complete(world, stack, "UPDATE")
    yield _say(world, request, stack, "update.end")


def delete_stack(world: World, request: Request, stack: Item) -> Operation:
    """Delete a stack and what is left of its objects; Heat shows it on, as deleted."""
    stack.body["stack_status"] = "DELETE_IN_PROGRESS"
    yield _say(world, request, stack, "delete.start")
    for resource in resources_of(world, stack):
        physical = resource.body["physical_resource_id"]
        if physical in world.qos_policies:
            yield from delete_qos_policy(world, request, world.qos_policies[physical])
        if physical in world.table(GROUP):
            yield from delete_named(world, request, GROUP, world.table(GROUP)[physical])
        world.table(RESOURCE).remove(resource.id)
    complete(world, stack, "DELETE")
    stack.body["deletion_time"] = zulu(world.now)
    world.deleted_stacks[stack.id] = world.table(STACK).remove(stack.id)
    while len(world.deleted_stacks) > _DELETED_KEPT:
        del world.deleted_stacks[next(iter(world.deleted_stacks))]
    yield _say(world, request, stack, "delete.end")


def _say(world: World, request: Request, stack: Item, action: str) -> Notification:
    body, actor = stack.body, request.actor
    payload: Json = {
        "tenant_id": stack.project_id,
        # The user's name, as Heat has it since ever.
        "user_id": actor.user_name,
        "user_identity": actor.user_id,
        "username": actor.user_name,
        "stack_identity": stack.id,
        "stack_name": body["stack_name"],
        "state": body["stack_status"],
        "state_reason": body["stack_status_reason"],
        "create_at": body["creation_time"],
        "description": body["description"],
        "updated_at": body["updated_time"],
        "tags": body["tags"],
    }
    event_type = f"orchestration.stack.{action}"
    context = request.context(world.now)
    return world.notification(EXCHANGE, _PUBLISHER, event_type, payload, context)
