"""What administrators do to projects. Keystone sends CADF, without a context."""

from services.simulator.notification import Actor, Deed, Notification, Operation, Request
from services.simulator.objects import Project
from services.simulator.payloads.keystone import PUBLISHER, cadf_payload
from services.simulator.world import World

EXCHANGE = "keystone"


def create_project(world: World, request: Request, name: str) -> Deed[Project]:
    """Create a project; its default security group waits for its first network call."""
    project = world.projects.add(Project(world.hex_id(), name))
    caller = request.actor
    world.owners[project.id] = Actor(
        caller.user_id, caller.user_name, project.id, name, admin=caller.admin
    )
    yield _say(world, request, "created", project)
    return project


def rename_project(world: World, request: Request, project: Project, name: str) -> Operation:
    """Give a project another name."""
    project.name = name
    yield _say(world, request, "updated", project)


def delete_project(world: World, request: Request, project: Project) -> Operation:
    """Delete a project; what it owned elsewhere would stay behind."""
    world.projects.remove(project.id)
    del world.owners[project.id]
    yield _say(world, request, "deleted", project)


def _say(world: World, request: Request, action: str, project: Project) -> Notification:
    payload = cadf_payload(world, request, kind="project", action=action, id_=project.id)
    return world.notification(EXCHANGE, PUBLISHER, f"identity.project.{action}", payload, {})
