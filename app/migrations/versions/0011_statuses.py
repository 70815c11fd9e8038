"""What became of what subscribers handed in over TAXII"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "statuses",
        sa.Column("id", sa.String(length=36), nullable=False, comment="random: nobody guesses it"),
        sa.Column("subscriber", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("resource", sa.LargeBinary(), nullable=False, comment="JSON, as it is served"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statuses")),
    )
    op.create_index(op.f("ix_statuses_at"), "statuses", ["at"], unique=False)
    op.create_index(op.f("ix_statuses_subscriber"), "statuses", ["subscriber"], unique=False)
