"""Which subscribers have which mail address: so that who shows that an address is his can be found by it."""

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from ingest.columns import metadata
from subscribers import Contact
from subscribers.own import normal

_CHUNK = 500
table = sa.Table(
    "subscriber_addresses",
    metadata,
    sa.Column("address", sa.String(400), primary_key=True, comment="in small letters"),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False, index=True),
)


def put(conn: sa.Connection, added: Iterable[tuple[int, Iterable[Contact]]]) -> None:
    """The addresses of these subscribers, by number, that have none here."""
    rows = [
        {"address": address, "number": number}
        for number, contacts in added
        for address in sorted({normal(each.address) for each in contacts if each.type == "email"})
    ]
    if rows:
        conn.execute(table.insert(), rows)


def drop(conn: sa.Connection, numbers: Collection[int]) -> None:
    """Forget the addresses of these."""
    gone = sorted(numbers)
    for start in range(0, len(gone), _CHUNK):
        conn.execute(table.delete().where(table.c.number.in_(gone[start : start + _CHUNK])))


def holders(conn: sa.Connection, address: str) -> list[int]:
    """Numbers of who has it."""
    return list(conn.scalars(sa.select(table.c.number).where(table.c.address == normal(address))))
