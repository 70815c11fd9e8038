"""Runs migrations on the connection that app.database hands over; `make migration` writes a new one."""

from typing import Any, Literal

from alembic import context

from app.database import tables
from ingest.columns import Instant


def render(kind: str, obj: Any, where: Any) -> str | Literal[False]:
    """How our own column type is written in a migration."""
    if kind == "type" and isinstance(obj, Instant):
        where.imports.add("from ingest.columns import Instant")
        return "Instant()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables(),
    render_as_batch=False,
    render_item=render,
)
context.run_migrations()
