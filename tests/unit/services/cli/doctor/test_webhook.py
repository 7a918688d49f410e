"""Whether a catcher listens for what Ceilometer posts, as seen from beside it."""

import asyncio

from services.cli.doctor.webhook import webhook_findings
from shared.runtime.sections import ListenerSettings
from tests.support.ports import closed_port


async def test_a_listener_is_found_and_plain_http_is_warned_of() -> None:
    server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        [plain] = await webhook_findings(ListenerSettings(host="0.0.0.0", port=port))
        [secure] = await webhook_findings(ListenerSettings(port=port, certificate="a.pem"))

    assert (plain.state.value, secure.state.value) == ("warning", "ok")
    assert "in plain HTTP" in plain.says


async def test_nobody_listening_is_told() -> None:
    with closed_port() as port:
        [found] = await webhook_findings(ListenerSettings(port=port))

    assert found.state.value == "warning"
    assert "nobody listens at 127.0.0.1 port" in found.says
