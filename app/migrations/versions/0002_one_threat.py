"""one threat: keys lead to statements, not to items; shared indicators; what people told apart"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "leads",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("statement", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["statement"], ["statements.key"], name=op.f("fk_leads_statement_statements")),
        sa.PrimaryKeyConstraint("key", "statement", name=op.f("pk_leads")),
    )
    op.create_index(op.f("ix_leads_statement"), "leads", ["statement"], unique=False)
    # Of which statement a key is was not kept: it leads to all of its item.
    op.execute(
        "INSERT INTO leads (key, statement) SELECT merge_keys.key, statements.key FROM merge_keys "
        "JOIN statements ON statements.item = merge_keys.item"
    )
    op.drop_table("merge_keys")
    op.create_table(
        "indicators",
        sa.Column("value", sa.LargeBinary(length=16), nullable=False, comment="keyed hash"),
        sa.Column("statement", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["statement"], ["statements.key"], name=op.f("fk_indicators_statement_statements")),
        sa.PrimaryKeyConstraint("value", "statement", name=op.f("pk_indicators")),
    )
    op.create_index(op.f("ix_indicators_statement"), "indicators", ["statement"], unique=False)
    op.create_table(
        "apart",
        sa.Column("one", sa.String(length=40), nullable=False, comment="the lesser id"),
        sa.Column("other", sa.String(length=40), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(["one"], ["items.id"], name=op.f("fk_apart_one_items")),
        sa.ForeignKeyConstraint(["other"], ["items.id"], name=op.f("fk_apart_other_items")),
        sa.PrimaryKeyConstraint("one", "other", name=op.f("pk_apart")),
    )
    op.create_index(op.f("ix_apart_other"), "apart", ["other"], unique=False)
    op.add_column(
        "items",
        sa.Column("split_from", sa.String(length=40), nullable=True, comment="the item that a person split it from"),
    )
    op.add_column(
        "statements",
        sa.Column("origin", sa.String(length=40), nullable=True, comment="the item it lay in before that was taken in"),
    )
    op.add_column(
        "statements",
        sa.Column(
            "as_of",
            Instant(),
            nullable=True,
            comment="the latest of its source's own times; null: what arrives last holds",
        ),
    )
