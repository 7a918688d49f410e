"""Keystone: projects. There is no filter for ids, but one list of all is cheap."""

from services.refresher.resources.port import Object, Resource
from shared.resource import Kind


def project_status(project: Object) -> str | None:
    """Return `enabled` or `disabled`, which Keystone tells as a boolean."""
    enabled = project.get("enabled")
    return None if enabled is None else "enabled" if enabled else "disabled"


RESOURCES = (
    Resource(
        kind=Kind.PROJECT,
        service_type="identity",
        path="projects",
        collection="projects",
        item_path="projects",
        item_key="project",
        list_all_from=20,
        project_field=None,
        status=project_status,
    ),
)
