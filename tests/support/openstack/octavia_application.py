"""The application of a real Octavia, with what its database wants that is a SQLite file.

Octavia always says how long to wait for a connection; SQLAlchemy refuses that for such files.
"""

from octavia.wsgi.api import application
from oslo_config import cfg

__all__ = ["application"]

cfg.CONF.set_override("pool_timeout", None, group="database")
