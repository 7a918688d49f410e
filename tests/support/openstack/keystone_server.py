"""The real Keystone, served by the Python of `.deps/keystone`, which has nothing of ours.

Called with the directory of its database and keys (install.py prepares one); prints the port.
"""

import socketserver
import sys
from pathlib import Path
from wsgiref import simple_server

from keystone.server import wsgi


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


def main(home: str) -> None:
    """Serve until somebody ends this process; OS_KEYSTONE_CONFIG_DIR is `home`, too."""
    Path(home, "keystone.conf").write_text(
        f"""
[DEFAULT]
log_file = {home}/keystone.out
[database]
connection = sqlite:///{home}/keystone.db
[fernet_tokens]
key_repository = {home}/keys
[fernet_receipts]
key_repository = {home}/keys
[credential]
key_repository = {home}/keys
[cache]
enabled = false
"""
    )
    del sys.argv[1:]  # Keystone would read them
    application = wsgi.initialize_public_application()
    server = simple_server.make_server(
        "127.0.0.1",
        0,
        application,
        server_class=_Server,
        handler_class=_Quiet,
    )
    print(server.server_port, flush=True)
    server.serve_forever()


main(*sys.argv[1:])
