"""What it means for a read that an API refused it, or broke down over it. Pure."""

from services.refresher.planner import C, Form, Read
from services.refresher.resources.model import Resource
from shared.errors import CloudRefused, CloudUnavailable
from shared.target import BY_ID

_NOT_FOUND = 404
_NOT_UNDERSTOOD = 400
_BAD_GATEWAY = 502
_TOO_LONG = frozenset({413, 414, 431})
_SHORT_QUERY = 1500
"""Bytes that every server and proxy takes: a failure with a shorter query is not its length's."""


def says_gone(error: CloudRefused, resource: Resource, id_: str) -> bool:
    """Whether a refused read of the object `id_` means that it does not exist.

    Nearly every service names it then ("Instance <id> could not be found."). A 404 that does not
    comes from a proxy, from an unknown path, or from Neutron's policy ("The resource could not be
    found."), and says nothing about the object. Manila says just that, as JSON and nothing else;
    about an unknown path it has a page.
    """
    if error.status != _NOT_FOUND:
        return False
    named = any(name in error.detail for name in resource.named_by(id_))
    return named or (resource.unnamed is not None and error.detail == resource.unnamed)


def may_be_shortened(read: Read[C], error: CloudRefused | CloudUnavailable) -> bool:
    """Whether half as many keys may be answered; a short 400 or 502 is about something else."""
    if read.form is not Form.FILTER or len(read.keys) < 2:  # noqa: PLR2004 - one has no half
        return False
    if error.status in (_NOT_UNDERSTOOD, _BAD_GATEWAY):
        return read.query_bytes > _SHORT_QUERY
    return error.status in _TOO_LONG


def refuses_ids(read: Read[C], error: CloudRefused | CloudUnavailable) -> bool:
    """Whether the list cannot be asked for ids, so that they have to be read one by one."""
    return error.status == _NOT_UNDERSTOOD and lists_ids(read)


def refuses_the_filter(read: Read[C], error: CloudRefused | CloudUnavailable) -> bool:
    """Whether the list cannot be asked for this field, so that all of it has to be read.

    Cinder without its `resource_filters.json` has no filters for members.
    """
    if read.form is not Form.FILTER or read.by == BY_ID or read.resource.below is not None:
        return False
    named = isinstance(error, CloudRefused) and read.by in error.detail
    return error.status == _NOT_UNDERSTOOD and named


def nothing_has_it(read: Read[C], error: CloudRefused) -> bool:
    """Whether a list is refused since what it is filtered by is gone (the node of Ironic's ports).

    It is empty, then; what is known to stand in it is asked for by id, as after any list.
    """
    asked = read.form is Form.FILTER and len(read.keys) == 1
    return asked and error.status == _NOT_FOUND and read.keys[0] in error.detail


def lists_ids(read: Read[C]) -> bool:
    """Whether a list is asked for certain ids, or for those among what changed."""
    return read.form is Form.SINCE or (read.form is Form.FILTER and read.by == BY_ID)
