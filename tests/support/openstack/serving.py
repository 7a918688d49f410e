"""Serves a real service's WSGI application by the Python of .deps, which has nothing of ours.

Run as a module with the name of one that has an `application`, a file that notifications go to (as
JSON, one a line, where the service has oslo.messaging's driver `log`), and what the application is
to see as its command line. Prints the port, and serves until somebody ends the process.
"""

import importlib
import logging
import socketserver
import sys
from typing import Any
from wsgiref import simple_server


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    request_queue_size = 64

    def server_bind(self) -> None:
        """Bind, without looking for this machine's name in the DNS."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])
        self.setup_environ()


class _Handler(simple_server.WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        """Requests are the client's to tell of."""


def serve(application: Any) -> None:
    """Serve a WSGI application on a free port, which is printed."""
    server = simple_server.make_server(
        "127.0.0.1", 0, application, server_class=_Server, handler_class=_Handler
    )
    print(server.server_port, flush=True)
    server.serve_forever()


def _record_notifications(path: str) -> None:
    notifications = logging.getLogger("oslo.messaging.notification")
    notifications.addHandler(logging.FileHandler(path, delay=True))
    notifications.setLevel(logging.INFO)
    notifications.propagate = False


def main(module: str, notifications: str, *arguments: str) -> None:
    """Serve the `application` of a module."""
    sys.argv[1:] = arguments
    _record_notifications(notifications)
    serve(importlib.import_module(module).application)


if __name__ == "__main__":
    main(*sys.argv[1:])
