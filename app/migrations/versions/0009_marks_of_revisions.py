"""Each revision of the registry has a mark, so that a saved index is never followed from another registry's revision"""

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    table = op.create_table(
        "subscriber_revisions",
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False, comment="random: tells it from one of a restored backup"),
        sa.Column("at", Instant(length=27), nullable=False),
        sa.PrimaryKeyConstraint("revision", name=op.f("pk_subscriber_revisions")),
    )
    connection = op.get_bind()
    current = connection.scalar(sa.text("SELECT value FROM subscriber_counters WHERE name = 'revision'"))
    if current:
        op.bulk_insert(table, [{"revision": current, "mark": secrets.randbits(62), "at": datetime.now(UTC)}])
