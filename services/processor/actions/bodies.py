"""What an action sends: the event as a CloudEvent, or the text of a template; pure."""

import orjson

from services.processor.actions.port import ActionCall
from services.processor.actions.templates import render
from shared.codec import SINGLE, encode
from shared.errors import Permanent

JSON = "application/json"


def body_of(call: ActionCall, template: str | None, content_type: str) -> tuple[bytes, str]:
    """Return body and content type: the same bytes at every try of one action.

    `content_type` is that of the template's text; one that says JSON must be JSON. Raises Permanent
    when the template cannot show this event.
    """
    if template is None:
        return encode(call.firing.event), SINGLE
    body = render(template, call.firing, call.idempotency_key).encode(errors="replace")
    if "json" in content_type:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise Permanent(f"the template makes no JSON of this event: {error}") from error
    return body, content_type
