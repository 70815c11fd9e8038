"""What recipients say became of a message, and which pages they asked for"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False, comment="of the item, as the message told it"),
        sa.Column("delivery", sa.String(length=32), nullable=False),
        sa.Column("answer", sa.String(length=16), nullable=False),
        sa.Column("passed_on", sa.Integer(), nullable=True, comment="to how many members a partnership passed it on"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_feedback")),
    )
    op.create_index(op.f("ix_feedback_at"), "feedback", ["at"], unique=False)
    op.create_index("ix_feedback_item", "feedback", ["item", "subscriber", "id"], unique=False)
    op.create_table(
        "opened",
        sa.Column("delivery", sa.String(length=32), nullable=False),
        sa.Column(
            "at", Instant(), nullable=False, comment="when its page was asked for first, perhaps by a mail scanner"
        ),
        sa.PrimaryKeyConstraint("delivery", name=op.f("pk_opened")),
    )
