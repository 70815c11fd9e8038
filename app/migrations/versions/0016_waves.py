"""Very large audiences go in waves"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    opens = "before then none of these gets a row; null: at once"
    later = "the waves behind this one: bitmaps, as MessagePack; null: none"
    op.add_column("fanout", sa.Column("opens_at", Instant(), nullable=True, comment=opens))
    op.add_column("fanout", sa.Column("later", sa.LargeBinary(), nullable=True, comment=later))
