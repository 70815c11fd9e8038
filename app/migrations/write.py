"""Write a new migration from what the tables declare: `make migration NAME="..."`; read it before you commit."""

import sys

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from app.database import MIGRATIONS, connect, upgrade

if __name__ == "__main__":
    engine: sa.Engine = connect("sqlite://")
    upgrade(engine)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        number = len(list((MIGRATIONS / "versions").glob("*.py"))) + 1
        command.revision(config, sys.argv[1], autogenerate=True, rev_id=f"{number:04d}")
