"""Every policy that decided, by its hash"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "policies",
        sa.Column("hash", sa.String(length=64), nullable=False, comment="SHA-256 of content"),
        sa.Column("since", Instant(), nullable=False, comment="when it was first in use here"),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="legal.toml as JSON, without comments"),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_policies")),
    )
