"""For which of its subscriber's contacts a delivery is"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    comment = "of the subscriber whose nth contact it is for; null: as of queued_at"
    op.add_column("deliveries", sa.Column("revision", sa.Integer, nullable=True, comment=comment))
