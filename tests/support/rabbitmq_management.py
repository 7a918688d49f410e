"""What tests ask of a broker beside AMQP: its management API, as the user guest.

Statistics are off in test nodes (they cost CPU and lag by seconds), so nothing here counts
messages: declare the queue passively over AMQP for that.
"""

import base64
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

_SECONDS = 30.0


class Management:
    """Blocking calls of a few milliseconds; safe from any thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        token = base64.b64encode(b"guest:guest").decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}

    def create_vhost(self, name: str, *, user: str, password: str) -> None:
        """Make vhost `name` and a `user` who may do everything in it."""
        self._call("PUT", f"vhosts/{quote(name, '')}")
        self._call("PUT", f"users/{quote(user, '')}", {"password": password, "tags": ""})
        for who in (user, "guest"):
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            self._call("PUT", f"permissions/{quote(name, '')}/{quote(who, '')}", everything)

    def delete_vhost(self, name: str, *, user: str) -> None:
        """Remove vhost `name` with everything in it, and `user`."""
        self._call("DELETE", f"vhosts/{quote(name, '')}")
        self._call("DELETE", f"users/{quote(user, '')}")

    def permit(self, vhost: str, user: str, *, configure: str, write: str, read: str) -> None:
        """Let `user` do only what the patterns match; `rabbitmqctl set_permissions` does this."""
        permissions = {"configure": configure, "write": write, "read": read}
        self._call("PUT", f"permissions/{quote(vhost, '')}/{quote(user, '')}", permissions)

    def close_connections(self, *, user: str) -> int:
        """Close the connections of `user`; return how many there were."""
        path = f"connections/username/{quote(user, '')}"
        found = len(self._call("GET", path))
        self._call("DELETE", path)
        return found

    def queues(self, vhost: str) -> list[str]:
        """Return the names of the queues of `vhost`, sorted."""
        found = self._call("GET", f"queues/{quote(vhost, '')}?disable_stats=true")
        return sorted(queue["name"] for queue in found)

    def delete_queue(self, vhost: str, queue: str) -> None:
        """Delete `queue`, in use or not, empty or not."""
        self._call("DELETE", f"queues/{quote(vhost, '')}/{quote(queue, '')}")

    def bindings(self, vhost: str, queue: str) -> set[tuple[str, str]]:
        """Return the (exchange, routing key) pairs bound to `queue`, without the default one."""
        found = self._call("GET", f"queues/{quote(vhost, '')}/{quote(queue, '')}/bindings")
        return {(item["source"], item["routing_key"]) for item in found if item["source"]}

    def answers(self) -> bool:
        """Say whether this API is up."""
        try:
            self._call("GET", "whoami")
        except OSError:
            return False
        return True

    def _call(self, method: str, path: str, body: object = None) -> Any:
        """Return the JSON answer; raise with the broker's words when it refuses."""
        data = None if body is None else json.dumps(body).encode()
        url = f"{self._url}/{path}"
        request = urllib.request.Request(url, data, self._headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_SECONDS) as answer:
                content = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                words = error.read().decode(errors="replace")
            raise RuntimeError(f"{method} {url}: {error.code} {words}") from error
        return json.loads(content) if content else None
