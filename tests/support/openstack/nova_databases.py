"""Makes the databases of a real Nova, as `nova-manage` would in seven commands of five seconds.

Run as a module by the Python of .deps with the file of its configuration. The cells are told apart
by the names of their files, so that a copy of the directory is a Nova of its own.
"""

import shutil
import sys

from nova import config, context, objects
from nova.db import migration

CELL0 = "00000000-0000-0000-0000-000000000000"
_CELLS = (
    (CELL0, "cell0", "none:///", "_cell0"),
    ("11111111-1111-4111-8111-111111111111", "cell1", "fake://", ""),
    ("22222222-2222-4222-8222-222222222222", "cell2", "fake://", "_cell2"),
)


def main(file: str) -> None:
    """Make all of them."""
    config.parse_args(["nova-manage", "--config-file", file])
    objects.register_all()
    migration.db_sync(database="api")
    migration.db_sync(database="main")
    main_database = config.CONF.database.connection.removeprefix("sqlite:///")
    for id_, name, transport, suffix in _CELLS:
        objects.CellMapping(
            context.get_admin_context(),
            uuid=id_,
            name=name,
            transport_url=transport,
            database_connection="sqlite:////{path}" + suffix,
        ).create()
        if suffix:
            shutil.copy(main_database, main_database + suffix)


if __name__ == "__main__":
    main(*sys.argv[1:])
