"""By what a server knows that nothing has changed in what it serves"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    comment = "of all collections; only the first one's counts"
    op.add_column("collections", sa.Column("revision", sa.BigInteger(), nullable=True, comment=comment))
