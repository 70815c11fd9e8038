"""Column types and the one MetaData of every table; it lives in the lowest room that owns a table.

Tables are created by the migrations in app/migrations; a test holds them against this metadata.
"""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Instant(sa.types.TypeDecorator[datetime]):
    """A moment, as RFC 3339 UTC text with microseconds: sorts as time does, alike on SQLite and PostgreSQL."""

    impl = sa.String(27)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:  # noqa: ARG002
        """Aware datetimes only: a naive one is a programming error (ValueError)."""
        return None if value is None else instant_text(value)

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:  # noqa: ARG002
        """Always in UTC."""
        return None if value is None else datetime.fromisoformat(value)


def instant_text(moment: datetime) -> str:
    """`2026-03-02T06:30:00.000000Z`."""
    if moment.tzinfo is None:
        raise ValueError("a time without zone")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
