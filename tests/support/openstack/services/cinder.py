"""The real Cinder API, without the services that make volumes: they stay as they were asked for."""

from pathlib import Path

from tests.support.openstack.service import ENVIRONMENT, Sections, Service

_ETC = ENVIRONMENT / "etc/cinder"


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {
            "transport_url": "fake://",
            "state_path": str(home),
            "log_file": f"{home}/cinder.out",
            "host": "controller",
            "auth_strategy": "keystone",
            "api_paste_config": f"{_ETC}/api-paste.ini",
            "resource_query_filters_file": f"{_ETC}/resource_filters.json",
        },
        "database": {"connection": f"sqlite:///{home}/cinder.db"},
        "oslo_concurrency": {"lock_path": f"{home}/locks"},
        "oslo_messaging_notifications": {"driver": "log"},
    }


SERVICE = Service(
    name="cinder",
    application="cinder.wsgi.api",
    config=_config,
    file="cinder.conf",
    environment={},
    arguments=("--config-file", "{file}"),
    preparation=(("cinder-manage", "--config-file", "{file}", "db", "sync"),),
)
