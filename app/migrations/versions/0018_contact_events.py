"""What is known of an address: that mail to it came back, that its reader wants no more"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "contact_events",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("contact", sa.String(length=64), nullable=False, comment="keyed hash of the address"),
        sa.Column("subscriber", sa.String(length=255), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False, comment="of what was returned: 5.1.1"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_events")),
    )
    op.create_index(op.f("ix_contact_events_at"), "contact_events", ["at"], unique=False)
    op.create_index(op.f("ix_contact_events_contact"), "contact_events", ["contact"], unique=False)
