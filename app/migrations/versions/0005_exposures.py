"""What the systems of an exposure report are known again by, from one day to the next"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "exposures",
        sa.Column("statement", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("report", sa.String(length=64), nullable=False, comment="its type, as the source calls it"),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("systems", sa.Integer(), nullable=False, comment="how many"),
        sa.Column(
            "known",
            sa.LargeBinary(),
            nullable=True,
            comment="keyed hash of each; null: some were taken out, and are known no more",
        ),
        sa.ForeignKeyConstraint(["statement"], ["statements.key"], name=op.f("fk_exposures_statement_statements")),
        sa.PrimaryKeyConstraint("statement", name=op.f("pk_exposures")),
    )
    op.create_index("ix_exposures_series", "exposures", ["source", "report", "day"], unique=False)
