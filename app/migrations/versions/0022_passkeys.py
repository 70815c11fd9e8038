"""The portal: passkeys, when a second factor was last shown, and whom a link is about"""

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "portal_passkeys",
        sa.Column("id", sa.String(length=64), nullable=False, comment="SHA-256 of the credential id"),
        sa.Column("subscriber", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False, comment="as its owner calls it"),
        sa.Column("credential", sa.LargeBinary(), nullable=False, comment="attested credential data (WebAuthn 6.5.2)"),
        sa.Column("counter", sa.BigInteger(), nullable=False, comment="the signature counter that was last seen"),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_passkeys")),
    )
    op.create_index(op.f("ix_portal_passkeys_subscriber"), "portal_passkeys", ["subscriber"], unique=False)
    shown = "when the second factor was last shown"
    op.add_column("portal_sessions", sa.Column("shown_at", Instant(), nullable=True, comment=shown))
    about = "whom it is about, if that is known"
    op.add_column(
        "portal_links",
        sa.Column("subscriber", sa.String(length=100), nullable=False, server_default="", comment=about),
    )
