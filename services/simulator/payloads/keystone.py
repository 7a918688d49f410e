"""What Keystone's CADF notifications say (the default format since Ocata)."""

from services.simulator.notification import Json, Request
from services.simulator.payloads.times import cadf
from services.simulator.world import World

PUBLISHER = "identity.ctl1"
_OBSERVER_ID = "2c1f0c4b8b6d4b2b9b0f7f6f6e1c2d3a"


def cadf_payload(world: World, request: Request, *, kind: str, action: str, id_: str) -> Json:
    """Return the CADF event for `identity.<kind>.<action>`; the project is the actor's, not its."""
    actor = request.actor
    return {
        "typeURI": "http://schemas.dmtf.org/cloud/audit/1.0/event",
        "eventType": "activity",
        "id": world.uuid(),
        "eventTime": cadf(world.now),
        "action": f"{action}.{kind}",
        "outcome": "success",
        "observer": {"id": _OBSERVER_ID, "typeURI": "service/security"},
        "initiator": {
            "id": actor.user_id,
            "typeURI": "service/security/account/user",
            "host": {"address": "192.0.2.10", "agent": "openstacksdk/4.5.0"},
            "user_id": actor.user_id,
            "project_id": actor.project_id,
            "request_id": request.id,
            "username": actor.user_name,
            "name": actor.user_name,
        },
        "target": {"id": id_, "typeURI": f"data/security/{kind}"},
        "resource_info": id_,
    }
