"""Cinder: volumes, snapshots, backups, volume types, attachments.

Admins may ask for a list of volumes by ids, written as a Python list. That form is not documented:
the readers check that the reply holds nothing else. The other kinds have no such filter.
"""

from collections.abc import Sequence

from services.refresher.resources.model import Object, Resource, Shown, no_status, without
from shared.openstack.paging import Paging, Params
from shared.resource import Kind

_PAGE: Params = (("limit", "1000"),)
_ALL: Params = (("all_tenants", "1"),)
_MICROVERSION = (3, 65)
_LIST_ALL_FROM = 50
ATTACHED = "attached"
"""The status of an attachment that works; a volume shows no others."""
OF_VOLUME = "volume_id"


def by_ids(ids: Sequence[str]) -> Params:
    """Ask for the volumes with any of `ids`."""
    return (("id", "[" + ",".join(f"'{id_}'" for id_ in ids) + "]"),)


def attachments_of(volume: Object) -> frozenset[str]:
    """Return the ids of what a volume is attached by (`cinder/api/v3/views/volumes.py`)."""
    shown = volume.get("attachments")
    return frozenset(str(one.get("attachment_id")) for one in shown or ())


ATTACHMENT = Resource(
    kind=Kind.ATTACHMENT,
    service_type="block-storage",
    path="attachments/detail",
    collection="attachments",
    item_path="attachments",
    item_key="attachment",
    list_params=_PAGE,
    wider=_ALL,
    wider_ignored=True,
    paging=Paging.MARKER,
    filters=frozenset({OF_VOLUME}),
    repeats=False,
    list_all_from=_LIST_ALL_FROM,
    project_field=None,
    # It holds the credentials of the storage.
    shape=without("connection_info"),
    microversion=_MICROVERSION,
    oldest=(3, 27),
)
RESOURCES = (
    Resource(
        kind=Kind.VOLUME,
        service_type="block-storage",
        path="volumes/detail",
        collection="volumes",
        item_path="volumes",
        item_key="volume",
        list_params=_PAGE,
        wider=_ALL,
        wider_ignored=True,
        private=True,
        ids_filter=by_ids,
        project_field="os-vol-tenant-attr:tenant_id",
        microversion=_MICROVERSION,
        urgent=True,
        shows=Shown(kind=Kind.ATTACHMENT, field=OF_VOLUME, ids=attachments_of),
    ),
    Resource(
        kind=Kind.SNAPSHOT,
        service_type="block-storage",
        path="snapshots/detail",
        collection="snapshots",
        item_path="snapshots",
        item_key="snapshot",
        list_params=_PAGE,
        wider=_ALL,
        wider_ignored=True,
        private=True,
        filters=frozenset({"volume_id"}),
        repeats=False,
        list_all_from=_LIST_ALL_FROM,
        project_field="os-extended-snapshot-attributes:project_id",
        microversion=_MICROVERSION,
    ),
    Resource(
        kind=Kind.BACKUP,
        service_type="block-storage",
        path="backups/detail",
        collection="backups",
        item_path="backups",
        item_key="backup",
        list_params=_PAGE,
        wider=_ALL,
        wider_ignored=True,
        private=True,
        filters=frozenset({"volume_id"}),
        repeats=False,
        list_all_from=_LIST_ALL_FROM,
        project_field="os-backup-project-attr:project_id",
        microversion=_MICROVERSION,
    ),
    Resource(
        kind=Kind.VOLUME_TYPE,
        service_type="block-storage",
        path="types",
        collection="volume_types",
        item_path="types",
        item_key="volume_type",
        list_params=_PAGE,
        # None is the word that means public and private ones; where `resource_filters.json` is not
        # installed, members are refused it.
        wider=(("is_public", "None"),),
        wider_ignored=True,
        list_all_from=5,
        project_field=None,
        status=no_status,
        microversion=_MICROVERSION,
    ),
    ATTACHMENT,
)
