"""What each credential asked last over TAXII, and why it was refused"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("credential", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("route", sa.String(length=20), nullable=False),
        sa.Column("collection", sa.String(), nullable=True, comment="alias"),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=100), nullable=True, comment="of a refusal"),
        sa.Column("objects", sa.Integer(), nullable=True, comment="answered, or handed in"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_requests")),
    )
    op.create_index(op.f("ix_requests_at"), "requests", ["at"], unique=False)
    op.create_index("ix_requests_credential", "requests", ["credential", "id"], unique=False)
