"""The real Glance, with image data in a directory."""

from pathlib import Path

from tests.support.openstack.service import ENVIRONMENT, Sections, Service


def _config(home: Path) -> Sections:
    return {
        "DEFAULT": {
            "log_file": f"{home}/glance.out",
            "transport_url": "fake://",
            "enabled_backends": "store:file",
            "node_staging_uri": f"file://{home}/staging",
        },
        "database": {"connection": f"sqlite:///{home}/glance.db"},
        "glance_store": {"default_backend": "store"},
        "store": {"filesystem_store_datadir": f"{home}/images"},
        "os_glance_staging_store": {"filesystem_store_datadir": f"{home}/staging"},
        "os_glance_tasks_store": {"filesystem_store_datadir": f"{home}/tasks"},
        "oslo_concurrency": {"lock_path": f"{home}/locks"},
        "paste_deploy": {
            "flavor": "keystone",
            "config_file": f"{ENVIRONMENT}/etc/glance/glance-api-paste.ini",
        },
    }


SERVICE = Service(
    name="glance",
    application="glance.wsgi.api",
    config=_config,
    file="glance-api.conf",
    environment={"OS_GLANCE_CONFIG_DIR": "{home}"},
    preparation=(("glance-manage", "--config-file", "{file}", "db", "sync"),),
)
