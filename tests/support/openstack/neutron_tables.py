"""Makes the tables of a real Neutron as its own tests do, since SQLite cannot do its migrations.

What those fill in are the rules that every security group begins with.

Run as a module by the Python of .deps with the address of the database.
"""

import sys

import sqlalchemy
from neutron.db.migration.models import head
from neutron.db.models.securitygroup_default_rules import SecurityGroupDefaultRule
from oslo_utils.uuidutils import generate_uuid
from sqlalchemy.orm import Session


def main(address: str) -> None:
    """Make all of them."""
    engine = sqlalchemy.create_engine(address)
    head.get_metadata().create_all(engine)
    with Session(engine) as session, session.begin():
        for ethertype in ("IPv4", "IPv6"):
            for direction, remote in (("egress", None), ("ingress", "PARENT")):
                rule = SecurityGroupDefaultRule(
                    id=generate_uuid(),
                    direction=direction,
                    ethertype=ethertype,
                    remote_group_id=remote,
                    used_in_default_sg=True,
                    used_in_non_default_sg=direction == "egress",
                )
                session.add(rule)


if __name__ == "__main__":
    main(*sys.argv[1:])
