"""Makes the tables of a real Octavia, whose migrations SQLite cannot do, and the words in them.

Run as a module by the Python of .deps with the address of the database.
"""

import sys

import sqlalchemy
from octavia.common import constants
from octavia.db import base_models, models
from sqlalchemy.orm import Session

_WORDS = (
    (constants.SUPPORTED_PROVISIONING_STATUSES, models.ProvisioningStatus),
    (constants.SUPPORTED_OPERATING_STATUSES, models.OperatingStatus),
    (constants.SUPPORTED_HEALTH_MONITOR_TYPES, models.HealthMonitorType),
    (constants.SUPPORTED_LB_ALGORITHMS, models.Algorithm),
    (constants.SUPPORTED_PROTOCOLS, models.Protocol),
    (constants.SUPPORTED_SP_TYPES, models.SessionPersistenceType),
    (constants.SUPPORTED_LB_TOPOLOGIES, models.LBTopology),
    (constants.SUPPORTED_L7RULE_TYPES, models.L7RuleType),
    (constants.SUPPORTED_L7RULE_COMPARE_TYPES, models.L7RuleCompareType),
    (constants.SUPPORTED_L7POLICY_ACTIONS, models.L7PolicyAction),
    (constants.SUPPORTED_CLIENT_AUTH_MODES, models.ClientAuthenticationMode),
)


def main(address: str) -> None:
    """Make all of them."""
    engine = sqlalchemy.create_engine(address)
    base_models.BASE.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add_all(model(name=word) for words, model in _WORDS for word in words)


if __name__ == "__main__":
    main(*sys.argv[1:])
