"""Introductions and orders of editions"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "editorials",
        sa.Column("edition", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.Column(
            "approved_by",
            sa.String(length=100),
            nullable=True,
            comment="null: it waits for a second person, and stays out",
        ),
        sa.Column("label", sa.String(length=12), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("text", sa.Text(), nullable=False, comment="paragraphs, parted by empty lines"),
        sa.Column("first", sa.LargeBinary(), nullable=False, comment="ids of items, JSON"),
        sa.PrimaryKeyConstraint("edition", name=op.f("pk_editorials")),
    )
