"""Heat: stacks and their resources.

`global_tenant` is denied to everybody by default: then only the stacks of our own project are seen.
A stack by its id alone is answered with a redirect, and shows more than a list does, of which only
what lists show is kept; a deleted one is shown, as deleted, as long as Heat remembers it.
"""

import re
from typing import Any
from urllib.parse import quote

from services.refresher.resources.model import (
    Address,
    Below,
    Life,
    Object,
    Resource,
    repeated_ids,
    text_of,
    without,
)
from shared.resource import Kind

_FIELDS = (
    "id",
    "stack_name",
    "description",
    "stack_status",
    "stack_status_reason",
    "creation_time",
    "updated_time",
    "stack_owner",
    "stack_user_project_id",
    "parent",
    "tags",
)
# What a single read says of a template that describes nothing; lists have an empty text.
_NO_DESCRIPTION = "No description"
_PROJECT_IN_LINK = re.compile(r"/v1/([^/]+)/stacks/")


def stack_life(stack: Object) -> Life:
    """Read the status."""
    return Life.GONE if stack.get("stack_status") == "DELETE_COMPLETE" else Life.LIVING


def stack_shape(stack: Object) -> Object:
    """Return what lists tell, as they tell it, and the project, which stands in the link alone."""
    shaped: dict[str, Any] = {key: stack.get(key) for key in _FIELDS}
    if shaped["description"] == _NO_DESCRIPTION:
        shaped["description"] = ""
    # Likewise an empty list where lists have null.
    shaped["tags"] = shaped["tags"] or None
    links = stack.get("links")
    hrefs = [str(link.get("href")) for link in links or () if isinstance(link, dict)]
    found = [match[1] for href in hrefs if (match := _PROJECT_IN_LINK.search(href))]
    shaped["project"] = found[0] if found else stack.get("project")
    return shaped


def resources_of(stack: Object) -> Address:
    """Return where the resources of a stack are listed: it needs both its names."""
    name, id_ = (quote(str(stack[key]), safe="") for key in ("stack_name", "id"))
    return Address(f"stacks/{name}/{id_}/resources")


def resource_id(item: Object) -> str | None:
    """Return `<stack id>/<name>`: a name is unique in its stack only."""
    stack, name = text_of(item, "stack_id"), text_of(item, "resource_name")
    return f"{stack}/{name}" if stack and name else None


STACK = Resource(
    kind=Kind.STACK,
    service_type="orchestration",
    path="stacks",
    collection="stacks",
    item_path="stacks",
    item_key="stack",
    list_params=(("show_nested", "true"), ("limit", "1000")),
    wider=(("global_tenant", "true"),),
    ids_filter=repeated_ids,
    redirects=True,
    name_field="stack_name",
    project_field="project",
    shape=stack_shape,
    status=lambda item: text_of(item, "stack_status"),
    life=stack_life,
)
RESOURCES = (
    STACK,
    Resource(
        kind=Kind.STACK_RESOURCE,
        service_type="orchestration",
        path="resources",
        collection="resources",
        item_path=None,
        item_key=None,
        filters=frozenset({"stack_id"}),
        repeats=False,
        below=Below(parent=STACK, field="stack_id", address=resources_of, by_id=False),
        id_of=resource_id,
        name_field="resource_name",
        project_field=None,
        shape=without("links"),
        status=lambda item: text_of(item, "resource_status"),
    ),
)
