"""Whom of a large audience the outbox holds no rows for yet"""

import sqlalchemy as sa
from alembic import op

import ingest.columns

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "fanout",
        sa.Column("item", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("at", ingest.columns.Instant(length=27), nullable=False, comment="when it was released"),
        sa.Column("waiting", sa.LargeBinary(), nullable=False, comment="numbers of subscribers, a bitmap"),
        sa.PrimaryKeyConstraint("item", name=op.f("pk_fanout")),
    )
