"""EPSS scores of today, one row a CVE: looked up when an item is shown, so that they are there for what comes later.

They are kept beside the items, not in them. All of them change every day, and a change is none of meaning: no version,
no message, nothing that a decision rests on.
"""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from ingest.columns import metadata
from pii_guard import Scores

scores = sa.Table(
    "scores",
    metadata,
    sa.Column("cve", sa.String(30), primary_key=True),
    sa.Column("epss", sa.Float, nullable=False, comment="0 to 1"),
    sa.Column("day", sa.String(10), nullable=False, comment="ISO 8601; empty: not stated, so older than any"),
)
_CHUNK = 5_000
_OF = sa.select(scores.c.cve, scores.c.epss).where(scores.c.cve.in_(sa.bindparam("asked", expanding=True)))


def keep(connection: sa.Connection, given: Scores) -> int:
    """Keep what is no older than what is there; how many scores were given. The order of arrival does not matter."""
    insert = postgresql.insert(scores) if connection.dialect.name == "postgresql" else sqlite.insert(scores)
    changed = {"epss": insert.excluded.epss, "day": insert.excluded.day}
    newer = insert.on_conflict_do_update(
        index_elements=[scores.c.cve], set_=changed, where=insert.excluded.day >= scores.c.day
    )
    rows = [{"cve": each.cve, "epss": each.epss, "day": each.day} for each in given.rows]
    for start in range(0, len(rows), _CHUNK):
        connection.execute(newer, rows[start : start + _CHUNK])
    return len(rows)


def of(connection: sa.Connection, names: Collection[str]) -> dict[str, float]:
    """The scores of these CVEs, as far as they have one."""
    asked = sorted(set(names))
    found: dict[str, float] = {}
    for start in range(0, len(asked), 500):
        mine = connection.execute(_OF, {"asked": asked[start : start + 500]})
        found |= {each.cve: each.epss for each in mine}
    return found


def highest(known: dict[str, float], names: Collection[str], stated: float | None = None) -> float | None:
    """The highest of the scores of these CVEs and what a statement says itself."""
    found = [known[cve] for cve in names if cve in known]
    return max([*found, *([] if stated is None else [stated])], default=None)
