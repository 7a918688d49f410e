"""Keystone: projects, users, groups, domains, roles.

There is no filter for ids, but one list of all is cheap. Before 2025.1 a list is not paged, and
`list_limit` may cut it off (`"truncated": true`): what is missing then is read by its id.
"""

from services.refresher.resources.model import Resource, enabled, no_status
from shared.resource import Kind

_LIST_ALL_FROM = 20


def _resource(kind: Kind, *, project_field: str | None = None) -> Resource:
    collection = f"{kind}s"
    return Resource(
        kind=kind,
        service_type="identity",
        path=collection,
        collection=collection,
        item_path=collection,
        item_key=str(kind),
        list_all_from=_LIST_ALL_FROM,
        project_field=project_field,
        status=no_status if kind in (Kind.GROUP, Kind.ROLE) else enabled,
    )


PROJECT = _resource(Kind.PROJECT)
USER = _resource(Kind.USER, project_field="default_project_id")

RESOURCES = (
    PROJECT,
    USER,
    _resource(Kind.GROUP),
    _resource(Kind.DOMAIN),
    _resource(Kind.ROLE),
)
