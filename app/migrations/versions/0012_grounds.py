"""On what it rests that a prepared message may leave"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    comment = "on what it rests that it may leave, JSON; null: it was settled"
    op.add_column("deliveries", sa.Column("grounds", sa.LargeBinary(), nullable=True, comment=comment))
