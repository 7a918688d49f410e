"""The real Manila API, without the services that make shares: they stay as they were asked for."""

from pathlib import Path

from tests.support.openstack.service import ENVIRONMENT, Sections, Service


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {
            "transport_url": "fake://",
            "state_path": str(home),
            "log_file": f"{home}/manila.out",
            "host": "controller",
            "auth_strategy": "keystone",
            "api_paste_config": f"{ENVIRONMENT}/etc/manila/api-paste.ini",
        },
        "database": {"connection": f"sqlite:///{home}/manila.db"},
        "oslo_concurrency": {"lock_path": f"{home}/locks"},
    }


SERVICE = Service(
    name="manila",
    application="manila.wsgi.api",
    config=_config,
    file="manila.conf",
    environment={},
    arguments=("--config-file", "{file}"),
    preparation=(("python", "-m", "tests.support.openstack.manila_tables", "{home}/manila.db"),),
)
