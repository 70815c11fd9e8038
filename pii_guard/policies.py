"""Every policy that ever decided here, by its hash: what let an old statement in can be read again."""

from datetime import datetime
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.columns import Instant, metadata
from pii_guard.policy import Policy
from pii_guard.policy_file import again

policies = sa.Table(
    "policies",
    metadata,
    sa.Column("hash", sa.String(64), primary_key=True, comment="SHA-256 of content"),
    sa.Column("since", Instant, nullable=False, comment="when it was first in use here"),
    sa.Column("content", sa.LargeBinary, nullable=False, comment="legal.toml as JSON, without comments"),
)


def known(connection: sa.Connection, policy: Policy) -> bool:
    """Is it on record?"""
    return connection.scalar(sa.select(policies.c.hash).where(policies.c.hash == policy.hash)) is not None


def keep(connection: sa.Connection, policy: Policy, now: datetime) -> None:
    """Put a policy on record, once."""
    row = {"hash": policy.hash, "since": now, "content": policy.content}
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(insert(policies).values(row).on_conflict_do_nothing())


def earlier(connection: sa.Connection, digest: str) -> Policy | None:
    """A policy that was in use, by its hash; None: it is not on record."""
    content = connection.scalar(sa.select(policies.c.content).where(policies.c.hash == digest))
    return None if content is None else _read(bytes(content))


@lru_cache(maxsize=64)
def _read(content: bytes) -> Policy:
    return again(content, "legal.toml (as it was)")
