"""The real Panko API, served by the Python of `.deps/panko`, which has nothing of ours.

Called with the file of its configuration and a file of events, one JSON object a line, which are
recorded before it listens; prints the port. The pipeline is the stock one, with the real
keystonemiddleware.
"""

import json
import socketserver
import sys
from datetime import datetime
from pathlib import Path
from wsgiref import simple_server

from panko import service, storage
from panko.api import app
from panko.storage import models

_TYPES = {"string": 1, "integer": 2, "float": 3, "datetime": 4}
_BATCH = 500


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True

    def server_bind(self) -> None:
        """Bind, without looking for this machine's name in the DNS."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])
        self.setup_environ()


class _Quiet(simple_server.WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are the client's to tell of."""


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
    server = simple_server.make_server(
        "127.0.0.1", 0, app.load_app(conf, "panko"), server_class=_Server, handler_class=_Quiet
    )
    print(server.server_port, flush=True)
    server.serve_forever()


main(*sys.argv[1:])
