"""What a TAXII request was answered, and from where on the register holds what was published"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    for name, kind, comment in (
        ("name", sa.String(length=16), "by which it can be proven"),
        ("subscriber", sa.String(), None),
        ("rows", sa.LargeBinary(), "of the collection, that were answered: from, to and with; JSON"),
        ("more", sa.Boolean(), "did more follow?"),
        ("content", sa.String(length=64), "keyed hash of the octets of the answer"),
        ("seal", sa.String(length=64), "keyed hash of all this"),
    ):
        op.add_column("requests", sa.Column(name, kind, nullable=True, comment=comment))
    comment = "rows up to it were published before the register held that"
    op.add_column("collections", sa.Column("before", sa.BigInteger(), nullable=True, comment=comment))
    op.execute("UPDATE collections SET before = last_seq")
    op.create_index(op.f("ix_requests_name"), "requests", ["name"], unique=True)
