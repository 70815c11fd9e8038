"""Where live sources stand, and when sources said what they said"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("cursors") as table:
        table.add_column(
            sa.Column("position", sa.Text(), server_default="", nullable=False, comment="the reader's own words")
        )
        table.add_column(sa.Column("due_at", Instant(), comment="when a live source is read next"))
        table.add_column(
            sa.Column(
                "failures", sa.Integer(), server_default="0", nullable=False, comment="since it last got anywhere"
            )
        )
        table.add_column(
            sa.Column("last_source_time", Instant(), comment="of the newest that it said, by its own clock")
        )
    with op.batch_alter_table("statements") as table:
        table.add_column(sa.Column("source_time", Instant(), comment="when it was said, by the source's own clock"))
