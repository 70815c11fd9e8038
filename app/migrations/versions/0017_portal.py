"""The portal: links, sessions, forms that were sent, second factors; and who has which mail address"""

import json

import sqlalchemy as sa
from alembic import op

from ingest.columns import Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "portal_links",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("wanted", sa.LargeBinary(), nullable=False, comment="JSON: address as typed, SignUp or null"),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_links")),
    )
    op.create_index(op.f("ix_portal_links_address"), "portal_links", ["address"], unique=False)
    op.create_index(op.f("ix_portal_links_until"), "portal_links", ["until"], unique=False)
    op.create_table(
        "portal_sessions",
        sa.Column("id", sa.String(length=64), nullable=False, comment="SHA-256 of 256 random bits"),
        sa.Column("subscriber", sa.String(length=100), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False, comment="the second factor was shown, or there is none"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_sessions")),
    )
    op.create_index(op.f("ix_portal_sessions_subscriber"), "portal_sessions", ["subscriber"], unique=False)
    op.create_index(op.f("ix_portal_sessions_until"), "portal_sessions", ["until"], unique=False)
    op.create_table(
        "portal_forms",
        sa.Column("id", sa.String(length=32), nullable=False, comment="of a token that was used"),
        sa.Column("until", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_portal_forms")),
    )
    op.create_index(op.f("ix_portal_forms_until"), "portal_forms", ["until"], unique=False)
    op.create_table(
        "portal_factors",
        sa.Column("subscriber", sa.String(length=100), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False, comment="sealed"),
        sa.Column(
            "paper", sa.LargeBinary(), nullable=False, comment="JSON: keyed hashes of codes that were not used yet"
        ),
        sa.Column("step", sa.BigInteger(), nullable=False, comment="the last one whose code was taken"),
        sa.Column("wrong", sa.Integer(), nullable=False, comment="codes in a row"),
        sa.Column("wrong_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("subscriber", name=op.f("pk_portal_factors")),
    )
    op.create_table(
        "subscriber_addresses",
        sa.Column("address", sa.String(length=400), nullable=False, comment="in small letters"),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("address", "number", name=op.f("pk_subscriber_addresses")),
    )
    op.create_index(op.f("ix_subscriber_addresses_number"), "subscriber_addresses", ["number"], unique=False)
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """The addresses of who is subscribed already."""
    people = sa.table("subscribers", sa.column("number"), sa.column("data"), sa.column("removed_at"))
    to = sa.table("subscriber_addresses", sa.column("address"), sa.column("number"))
    last = 0
    while True:
        query = sa.select(people.c.number, people.c.data).where(people.c.number > last, people.c.removed_at.is_(None))
        found = connection.execute(query.order_by(people.c.number).limit(5000)).all()
        rows = [
            {"address": address, "number": row.number}
            for row in found
            for address in sorted(
                {
                    each["address"].strip().casefold()
                    for each in json.loads(row.data).get("contacts", ())
                    if each["type"] == "email"
                }
            )
        ]
        if rows:
            connection.execute(to.insert(), rows)
        if not found:
            return
        last = found[-1].number
