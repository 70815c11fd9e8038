"""What analysts add to an edition before it goes: an introduction, and which items come first.

It needs two people, as a release to many does; what only one has seen stays out. It is CLEAR or GREEN: what is stricter
is an item. The edition's own label is the strictest of it and of the items.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import sqlalchemy as sa

from dispatch import DispatchError
from ingest.columns import Instant, metadata
from tlp import Label

LABELS = (Label.CLEAR, Label.GREEN)

editorials = sa.Table(
    "editorials",
    metadata,
    sa.Column("edition", sa.String(32), primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("by", sa.String(100), nullable=False),
    sa.Column("approved_by", sa.String(100), comment="null: it waits for a second person, and stays out"),
    sa.Column("label", sa.String(12), nullable=False),
    sa.Column("language", sa.String(2), nullable=False),
    sa.Column("text", sa.Text, nullable=False, comment="paragraphs, parted by empty lines"),
    sa.Column("first", sa.LargeBinary, nullable=False, comment="ids of items, JSON"),
)
_e = editorials.c


@dataclass(frozen=True, slots=True)
class Editorial:
    """Of one edition."""

    text: str
    label: Label
    language: str
    first: tuple[str, ...]
    by: str
    approved_by: str | None

    @property
    def mark(self) -> str:
        """What an approval is bound to: whoever approves names what was read."""
        said = msgspec.json.encode([self.text, self.label.value, self.language, self.first])
        return hashlib.sha256(said).hexdigest()[:8]

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """Of the introduction; none: there is only an order."""
        return tuple(" ".join(each.split()) for each in self.text.split("\n\n") if each.strip())


def put(
    conn: sa.Connection,
    edition: str,
    text: str,
    label: Label,
    language: str,
    first: Sequence[str],
    by: str,
    at: datetime,
) -> None:
    """In place of what there was for it; it waits for a second person."""
    conn.execute(editorials.delete().where(_e.edition == edition))
    values = {"label": label.value, "language": language, "text": text, "first": msgspec.json.encode(list(first))}
    conn.execute(editorials.insert().values(edition=edition, at=at, by=by, **values))


def get(conn: sa.Connection, edition: str) -> Editorial | None:
    """Also while it waits."""
    row = conn.execute(sa.select(editorials).where(_e.edition == edition)).one_or_none()
    if row is None:
        return None
    first = msgspec.json.decode(row.first, type=tuple[str, ...])
    return Editorial(row.text, Label(row.label), row.language, first, row.by, row.approved_by)


def approve(conn: sa.Connection, edition: str, mark: str, by: str) -> None:
    """The second pair of eyes. Raises DispatchError: nothing waits, it is another text by now, or the same person."""
    found = get(conn, edition)
    if found is None or found.approved_by is not None:
        raise DispatchError(f"nothing of {edition} waits for approval: `oktt editorial` shows what there is")
    if mark != found.mark:
        raise DispatchError(f"{edition} is not what {mark} names: read it again, `oktt editorial` shows its mark")
    if " ".join(by.split()).casefold() == " ".join(found.by.split()).casefold():
        raise DispatchError(f"{edition} was written by {found.by}: approval is for somebody else")
    conn.execute(editorials.update().where(_e.edition == edition).values(approved_by=by))


def approved(conn: sa.Connection, edition: str) -> Editorial | None:
    """What the edition goes with."""
    found = get(conn, edition)
    return found if found is not None and found.approved_by is not None else None


def every(conn: sa.Connection) -> list[tuple[str, datetime, dict[str, str]]]:
    """Of each edition when it was written, and all that people wrote."""
    rows = conn.execute(sa.select(editorials).order_by(_e.edition))
    return [
        (row.edition, row.at, {"text": row.text, "by": row.by, "approved_by": row.approved_by or ""}) for row in rows
    ]


def reword(conn: sa.Connection, edition: str, text: str) -> None:
    """The same without a value that was erased; what two people decided stands."""
    conn.execute(editorials.update().where(_e.edition == edition).values(text=text))


def purge(conn: sa.Connection, before: datetime) -> int:
    """How many rows went."""
    return conn.execute(editorials.delete().where(_e.at < before)).rowcount
