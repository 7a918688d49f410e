"""What it means for us that an API refused a read, or broke down over it. Pure."""

from http import HTTPStatus

from services.refresher.planner import C, Form, Read
from services.refresher.resources.model import Resource
from shared.errors import CloudRefused, CloudUnavailable
from shared.openstack.paging import Params
from shared.target import BY_ID

_TOO_LONG = frozenset(
    {
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.REQUEST_URI_TOO_LONG,
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    }
)
_MARKER_GONE = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND})
# The operator can mend these: credentials, roles, a proxy.
_MAY_BE_MENDED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_SHORT_QUERY = 1500
"""Bytes that every server and proxy takes: a failure with a shorter query is not its length's."""


def is_final(error: CloudRefused | CloudUnavailable) -> bool:
    """Whether the same read will be refused for ever, whatever anybody does."""
    return isinstance(error, CloudRefused) and error.status not in _MAY_BE_MENDED


def forbids(error: CloudRefused | CloudUnavailable) -> bool:
    """Whether it is our credentials that may not: that is about us, and not about the object."""
    return error.status == HTTPStatus.FORBIDDEN


def is_internal_error(error: CloudUnavailable) -> bool:
    """Whether the service itself broke down over the read; a proxy says so with another status."""
    return error.status == HTTPStatus.INTERNAL_SERVER_ERROR


def refuses_params(error: CloudRefused, params: Params) -> bool:
    """Whether a list is refused for some of its parameters; a 400 can be about something else."""
    named = any(name in error.detail for name, _ in params)
    return forbids(error) or (error.status == HTTPStatus.BAD_REQUEST and named)


def refuses_the_marker(error: CloudRefused) -> bool:
    """Whether a list that is asked to go on after an object does not know that object any more."""
    return error.status in _MARKER_GONE


def says_gone(error: CloudRefused, resource: Resource, id_: str) -> bool:
    """Whether a refused read of the object `id_` means that it does not exist.

    Nearly every service names it then ("Instance <id> could not be found."). A 404 that does not
    comes from a proxy, from an unknown path, or from Neutron's policy ("The resource could not be
    found."), and says nothing about the object. Manila says just that, as JSON and nothing else;
    about an unknown path it has a page.
    """
    if error.status != HTTPStatus.NOT_FOUND:
        return False
    named = any(name in error.detail for name in resource.named_by(id_))
    return named or (resource.unnamed is not None and error.detail == resource.unnamed)


def may_be_shortened(read: Read[C], error: CloudRefused | CloudUnavailable) -> bool:
    """Whether half as many keys may be answered; a short 400 or 502 is about something else."""
    if read.form is not Form.FILTER or len(read.keys) < 2:  # noqa: PLR2004 - one has no half
        return False
    if error.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.BAD_GATEWAY):
        return read.query_bytes > _SHORT_QUERY
    return error.status in _TOO_LONG


def refuses_ids(read: Read[C], error: CloudRefused | CloudUnavailable) -> bool:
    """Whether the list cannot be asked for ids, so that they have to be read one by one."""
    return error.status == HTTPStatus.BAD_REQUEST and lists_ids(read)


def refuses_the_filter(read: Read[C], error: CloudRefused | CloudUnavailable) -> bool:
    """Whether the list cannot be asked for this field, so that all of it has to be read.

    Cinder without its `resource_filters.json` has no filters for members.
    """
    if read.form is not Form.FILTER or read.by == BY_ID or read.resource.below is not None:
        return False
    named = isinstance(error, CloudRefused) and read.by in error.detail
    return error.status == HTTPStatus.BAD_REQUEST and named


def nothing_has_it(read: Read[C], error: CloudRefused) -> bool:
    """Whether a list is refused since what it is filtered by is gone (the node of Ironic's ports).

    It is empty, then; what is known to stand in it is asked for by id, as after any list.
    """
    asked = read.form is Form.FILTER and len(read.keys) == 1
    return asked and error.status == HTTPStatus.NOT_FOUND and read.keys[0] in error.detail


def lists_ids(read: Read[C]) -> bool:
    """Whether a list is asked for certain ids, or for those among what changed."""
    return read.form is Form.SINCE or (read.form is Form.FILTER and read.by == BY_ID)
