"""Deliveries that go with the message of another"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    comment = "the delivery with whose message it goes; null: its own"
    op.add_column("deliveries", sa.Column("leader", sa.String(32), nullable=True, comment=comment))
    op.create_index("ix_deliveries_leader", "deliveries", ["leader"])
    op.create_index("ix_deliveries_subscriber", "deliveries", ["subscriber"])
