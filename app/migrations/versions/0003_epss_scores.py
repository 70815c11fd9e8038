"""EPSS scores, one row a CVE"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_table(
        "scores",
        sa.Column("cve", sa.String(length=30), nullable=False),
        sa.Column("epss", sa.Float(), nullable=False, comment="0 to 1"),
        sa.Column(
            "day", sa.String(length=10), nullable=False, comment="ISO 8601; empty: not stated, so older than any"
        ),
        sa.PrimaryKeyConstraint("cve", name=op.f("pk_scores")),
    )
