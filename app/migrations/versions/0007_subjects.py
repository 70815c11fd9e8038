"""By what a person is looked up, beside the register"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "subjects",
        sa.Column("entry", sa.BigInteger(), autoincrement=False, nullable=False, comment="journal.seq"),
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False, comment="0, 1, 2, ..."),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("regime", sa.String(length=40), nullable=False),
        sa.Column("category", sa.String(length=16), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False, comment="keyed hashes of 16 bytes, in order"),
        sa.Column("mac", sa.LargeBinary(length=16), nullable=False, comment="of all the others"),
        sa.PrimaryKeyConstraint("entry", "part", name=op.f("pk_subjects")),
    )
    op.create_index(op.f("ix_subjects_at"), "subjects", ["at"], unique=False)
