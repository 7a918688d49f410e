"""A receiver of webhooks in a process of its own, that fails as real ones do; notes all it gets.

`python -m tests.support.receiver_process PORT LOG SEED SHARE`: that share of the requests, 0 to 1,
is refused with 503 or ends with a broken connection, as if the receiver had died before or after it
took the event. Each is one line of LOG, a JSON object, written before the answer.
"""

import asyncio
import hashlib
import json
import os
import sys
from random import Random

from aiohttp import web


class Unreliable:
    """Answers by chance."""

    def __init__(self, log: int, random: Random, share: float) -> None:
        self._share = share
        self._log = log
        self._random = random

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Note a request and answer it, or not."""
        body = await request.read()
        fails = self._random.random() < self._share
        how = self._random.choice(("refused", "broken", "broken after all")) if fails else "taken"
        self._note(request, body, how)
        if how == "refused":
            return web.Response(status=503, text="not now", headers={"Retry-After": "0"})
        if how != "taken":
            # The sender cannot know whether we have it.
            assert request.transport is not None
            request.transport.abort()
        return web.Response(status=204)

    def _note(self, request: web.Request, body: bytes, how: str) -> None:
        line = {
            "key": request.headers["webhook-id"],
            "event": json.loads(body)["id"],
            "body": hashlib.sha256(body).hexdigest(),
            "how": how,
        }
        os.write(self._log, json.dumps(line).encode() + b"\n")


async def main(port: int, log: str, seed: int, share: float) -> None:
    """Serve until killed."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    unreliable = Unreliable(descriptor, Random(seed), share)
    application = web.Application()
    application.router.add_post("/", unreliable.handle)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    print("ready", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])))
