"""The real Panko, as a process; `make openstack` installs it."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.openstack.processes import process, python_of
from tests.support.openstack.real import PASSWORD, Keystone

HERE = Path(__file__).parent


@contextmanager
def real_panko(
    directory: Path, keystone: Keystone, database_url: str, events: Sequence[dict[str, Any]]
) -> Iterator[str]:
    """Run a Panko over a PostgreSQL database, with these events recorded; yield its address.

    An event is message_id, event_type, generated (ISO, naive), traits (name, type, value) and raw.
    """
    recorded = directory / "events.jsonl"
    recorded.write_text("".join(json.dumps(event) + "\n" for event in events))
    config = directory / "panko.conf"
    pipeline = (HERE / "api_paste.ini").read_text()
    (directory / "api_paste.ini").write_text(pipeline.replace("PANKO_CONF", str(config)))
    url = database_url.replace("postgresql://", "postgresql+psycopg2://")
    config.write_text(
        f"""
        [DEFAULT]
        api_paste_config = {directory}/api_paste.ini
        log_file = {directory}/panko.out
        [database]
        connection = {url}
        max_retries = 0
        [keystone_authtoken]
        auth_type = password
        auth_url = {keystone.url}/v3
        www_authenticate_uri = {keystone.url}/v3
        username = admin
        password = {PASSWORD}
        project_name = admin
        user_domain_id = default
        project_domain_id = default
        """.replace("        ", "")
    )
    module = ["-m", "tests.support.openstack.panko_server"]
    command = [python_of("panko"), *module, str(config), str(recorded)]
    environment = os.environ | {"PYTHONWARNINGS": "ignore"}
    with process(command, directory / "panko.log", environment) as address:
        yield address
