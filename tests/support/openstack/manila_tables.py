"""Makes the database of a real Manila, whose migrations SQLite refuses: for the Python of .deps."""

import sys

from manila.db.sqlalchemy import models
from sqlalchemy import create_engine

if __name__ == "__main__":
    models.BASE.metadata.create_all(create_engine(f"sqlite:///{sys.argv[1]}"))
