"""Hashes that can be tried lie sealed, those of messages are keyed by month"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    with op.batch_alter_table("subjects") as table:
        table.add_column(sa.Column("source", sa.String(length=100), nullable=False, server_default=""))
        month = sa.Column("month", sa.String(length=7), nullable=False, server_default="", comment=_MONTH)
        table.add_column(month)
        table.add_column(sa.Column("size", sa.Integer(), nullable=False, server_default="0", comment="how many hashes"))
        hashes = "keyed hashes of 16 bytes, in order, sealed"
        table.alter_column("hashes", existing_type=sa.LargeBinary(), existing_nullable=False, comment=hashes)
    op.execute("UPDATE subjects SET size = length(hashes) / 16")
    with op.batch_alter_table("subjects") as table:
        for name in ("source", "month", "size"):
            table.alter_column(name, server_default=None)
    with op.batch_alter_table("exposures") as table:  # what was known is not sealed, and here is no key
        table.drop_column("known")
        known = "keyed hash of each, sealed; null: some were taken out"
        table.add_column(sa.Column("known", sa.LargeBinary(), nullable=True, comment=known))
    with op.batch_alter_table("ledger") as table:
        table.drop_column("sha256")
        table.add_column(sa.Column("digest", sa.String(length=64), nullable=True, comment="keyed hash of the message"))
    op.execute("UPDATE ledger SET view = NULL")
    with op.batch_alter_table("deliveries") as table:
        digest = "keyed hash of the message, for the ledger"
        table.add_column(sa.Column("digest", sa.String(length=64), nullable=True, comment=digest))
        message = "as the caller seals it; null: none, or it was settled"
        table.alter_column("message", existing_type=sa.LargeBinary(), existing_nullable=True, comment=message)
    op.execute("UPDATE deliveries SET message = NULL, view = NULL")  # what waits is made anew


_MONTH = "of receipt: whose key seals the hashes"
