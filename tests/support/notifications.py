"""Builders of notifications as OpenStack sends them, each with the one difference in view."""

import json
from datetime import UTC, datetime
from typing import Any

from services.catcher.decoding.envelope import from_panko, open_envelope
from services.catcher.decoding.normalise import normalise
from shared.catalogue.load import builtin
from shared.event import Event

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
PROJECT, USER = "9f1c5a3f5f594b9f9f6e6f2e3a1d7c10", "3ee72fcd74aa4439bb07fa69f1bc7169"
REQUEST = "req-2f2f1b6e-7a44-4f0a-8d3c-0d1f2e3a4b5c"


def message(event_type: str, payload: Any, **different: Any) -> dict[str, Any]:
    """Make the inner object of an oslo.messaging notification."""
    return {
        "message_id": "2b2b83bf-5461-5a38-9940-aa7ee962d279",
        "publisher_id": "service.host1",
        "event_type": event_type,
        "priority": "INFO",
        "timestamp": "2026-11-23 11:59:58.388453",
        "payload": payload,
        "_unique_id": "1afb4283660f410c802af4d5992a39f2",
        "_context_request_id": REQUEST,
        "_context_project_id": PROJECT,
        "_context_user_id": USER,
        "_context_auth_token": "gAAAAAB-a-live-token",
    } | different


def legacy_nova(event_type: str, **payload: Any) -> dict[str, Any]:
    """Make a legacy notification of server-1."""
    told = {
        "instance_id": "server-1",
        "tenant_id": PROJECT,
        "user_id": USER,
        "display_name": "web-1",
        "host": "compute-1",
        "availability_zone": "nova",
        "state": "active",
        "image_meta": {"base_image_ref": "image-1"},
    }
    return message(event_type, told | payload, publisher_id="compute.compute-1")


def versioned(event_type: str, data: dict[str, Any], namespace: str = "nova") -> dict[str, Any]:
    """Make a notification whose payload is a versioned object."""
    payload = {
        f"{namespace}_object.name": "SomePayload",
        f"{namespace}_object.namespace": namespace,
        f"{namespace}_object.version": "1.8",
        f"{namespace}_object.data": data,
    }
    return message(event_type, payload, publisher_id=f"{namespace}-compute:compute-1")


def versioned_nova(event_type: str, **data: Any) -> dict[str, Any]:
    """Make a versioned notification of server-1."""
    told = {
        "uuid": "server-1",
        "tenant_id": PROJECT,
        "user_id": USER,
        "display_name": "web-1",
        "host": "compute-1",
        "availability_zone": "nova",
        "state": "active",
        "image_uuid": "image-1",
    }
    return versioned(event_type, told | data)


def neutron(event_type: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Make a notification of Neutron's API."""
    return message(event_type, payload, publisher_id="network.ctl1")


def port(id_: str = "port-1", **different: Any) -> dict[str, Any]:
    """Make a port of server-1 as Neutron's API shows it."""
    return {
        "id": id_,
        "name": "",
        "network_id": "network-1",
        "project_id": PROJECT,
        "device_id": "server-1",
        "device_owner": "compute:nova",
        "fixed_ips": [{"subnet_id": "subnet-1", "ip_address": "10.0.0.65"}],
        "status": "DOWN",
        "revision_number": 3,
    } | different


def cinder_volume(event_type: str, **payload: Any) -> dict[str, Any]:
    """Make a notification of volume-1."""
    told = {
        "volume_id": "volume-1",
        "tenant_id": PROJECT,
        "user_id": USER,
        "host": "cinder-vol-1@ceph#ceph",
        "display_name": "data",
        "status": "available",
        "volume_attachment": [],
    }
    return message(event_type, told | payload, publisher_id="volume.cinder-vol-1@ceph")


def attachment(**different: Any) -> dict[str, Any]:
    """Make a raw attachment row of volume-1 to server-1, CHAP password included."""
    return {
        "instance_uuid": "server-1",
        "attached_host": "compute-1",
        "connection_info": {"data": {"auth_password": "chap-secret"}},
        "connector": {"initiator": "iqn.1994-05.com.example"},
    } | different


def glance_image(event_type: str, payload: Any = None, **different: Any) -> dict[str, Any]:
    """Make a notification of image-1: Glance sends no context."""
    told = {"id": "image-1", "name": "cirros", "owner": PROJECT, "status": "active"}
    made = message(event_type, payload or told, publisher_id="image.localhost", **different)
    return {key: value for key, value in made.items() if not key.startswith("_context")}


def keystone_basic(event_type: str, resource: str = "project-1") -> dict[str, Any]:
    """Make a notification of Keystone in the basic format."""
    return message(event_type, {"resource_info": resource}, publisher_id="identity.ctl1")


def keystone_cadf(event_type: str, **payload: Any) -> dict[str, Any]:
    """Make a notification of Keystone in the CADF format, about project-1."""
    told = {
        "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
        "eventType": "activity",
        "outcome": "success",
        "initiator": {
            "id": "c9f76d3c31e142af9291de2935bde98a",
            "user_id": USER,
            "project_id": PROJECT,
            "request_id": REQUEST,
            "host": {"address": "192.0.2.10"},
        },
        "target": {"id": "project-1", "typeURI": "data/security/project"},
        "resource_info": "project-1",
    }
    return message(event_type, told | payload, publisher_id="identity.ctl1")


def panko(event_type: str, **traits: str) -> dict[str, Any]:
    """Make an event of Panko's API; every value is a string there."""
    told = {"service": "compute", "request_id": REQUEST, "project_id": PROJECT} | traits
    return {
        "message_id": "6f02408d-d5b1-50cf-8b6a-167839cceb9d",
        "event_type": event_type,
        "generated": "2026-11-23T11:59:58.388453",
        "traits": [{"name": k, "type": "string", "value": v} for k, v in told.items()],
        "raw": {},
    }


def bare(content: Any) -> bytes:
    """Return the body that driver `messaging` sends."""
    return json.dumps(content).encode()


def envelope(content: Any, version: Any = "2.0") -> bytes:
    """Return the body that driver `messagingv2` sends."""
    return bare({"oslo.version": version, "oslo.message": json.dumps(content)})


def event_of(content: dict[str, Any], **different: Any) -> Event:
    """Return the event of a message or a Panko event, received at NOON in the cloud `prod`."""
    opened = from_panko(content) if "traits" in content else open_envelope(envelope(content))
    arguments: dict[str, Any] = {"cloud": "prod", "received_at": NOON, "catalogue": builtin()}
    return normalise(opened, **(arguments | different))
