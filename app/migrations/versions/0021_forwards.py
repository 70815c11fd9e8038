"""How many read what partnerships pass on; what the charts of an edition show"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "forward_readers",
        sa.Column("delivery", sa.String(length=32), nullable=False, comment="the message that was passed on"),
        sa.Column("reader", sa.String(length=32), nullable=False, comment="hash of a random number that the page gave"),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("delivery", "reader", name=op.f("pk_forward_readers")),
    )
    op.create_index(op.f("ix_forward_readers_at"), "forward_readers", ["at"], unique=False)
    comment = "what a chart shows of it, JSON; null: made before there were charts"
    op.add_column("edition_contents", sa.Column("tally", sa.LargeBinary(), nullable=True, comment=comment))
