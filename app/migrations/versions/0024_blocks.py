"""Published objects that follow each other, joined"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    shown = "which rows, when they were added, what they rest on"
    op.create_table(
        "published_blocks",
        sa.Column("collection", sa.String(36), nullable=False),
        sa.Column("number", sa.BigInteger, autoincrement=False, nullable=False, comment="of the hundred, from 0"),
        sa.Column("shown", sa.LargeBinary, nullable=False, comment=shown),
        sa.Column("body", sa.LargeBinary, nullable=False, comment="the objects, with commas between them"),
        sa.PrimaryKeyConstraint("collection", "number", name="pk_published_blocks"),
    )
