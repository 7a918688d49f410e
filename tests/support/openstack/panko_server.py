"""The real Panko API, served by the Python of `.deps/panko`, which has nothing of ours.

Called with the file of its configuration and a file of events, one JSON object a line, which are
recorded before it listens; prints the port. The pipeline is the stock one, with the real
keystonemiddleware.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

from panko import service, storage
from panko.api import app
from panko.storage import models

from tests.support.openstack.serving import serve

_TYPES = {"string": 1, "integer": 2, "float": 3, "datetime": 4}
_BATCH = 500


def _model(event: dict) -> models.Event:  # type: ignore[type-arg]
    traits = [
        models.Trait(
            name,
            _TYPES[kind],
            models.Trait.convert_value(_TYPES[kind], value),
        )
        for name, kind, value in event["traits"]
    ]
    generated = datetime.fromisoformat(event["generated"])
    return models.Event(event["message_id"], event["event_type"], generated, traits, event["raw"])


def main(config: str, events: str) -> None:
    """Record and serve until somebody ends this process."""
    conf = service.prepare_service(argv=["panko-api"], config_files=[config])
    connection = storage.get_connection_from_config(conf)
    connection.upgrade()
    batch = []
    with Path(events).open() as lines:
        for line in lines:
            batch.append(_model(json.loads(line)))
            if len(batch) == _BATCH:
                connection.record_events(batch)
                batch.clear()
    connection.record_events(batch)
    serve(app.load_app(conf, "panko"))


if __name__ == "__main__":
    main(*sys.argv[1:])
