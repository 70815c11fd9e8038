"""What analysts write for an edition of the digests, and who approves it."""

from collections.abc import Sequence
from datetime import date

import sqlalchemy as sa

from app.observe import log
from app.service import Service
from dispatch import DispatchError, editions, editorials
from dispatch.editions import Edition
from dispatch.editorials import Editorial
from pii_guard import journal
from pii_guard.detect import SUSPECT, Span, scan
from tlp import Label
from triage import decide, inbox


def write(
    service: Service, edition: Edition, day: date, text: str, label: Label, language: str, first: Sequence[str], by: str
) -> list[str]:
    """Lay down an introduction and an order; what in it may be somebody's name, in words. Raises DispatchError.

    Personal data in it is refused: the position is told, never the value.
    """
    found = scan(text)
    sure = [_where(text, each) for each in found if each.confidence >= SUSPECT]
    if sure:
        raise DispatchError(f"the introduction holds personal data ({', '.join(sure)}): take it out")
    decide.may(service.settings.main.desk, by)
    with service.transaction() as connection:
        identifier = _open(connection, edition, day)
        for item in first:
            inbox.row(connection, item)
        editorials.put(connection, identifier, text.strip(), label, language, first, by, service.clock())
        _account(service, connection, identifier, "write")
    return [_where(text, each) for each in found]


def _where(text: str, span: Span) -> str:
    return f"{span.category} in line {text.count(chr(10), 0, span.start) + 1}"


def approve(service: Service, edition: Edition, day: date, mark: str, by: str) -> None:
    """The second pair of eyes. Raises DispatchError."""
    decide.may(service.settings.main.desk, by)
    with service.transaction() as connection:
        identifier = _open(connection, edition, day)
        editorials.approve(connection, identifier, mark, by)
        _account(service, connection, identifier, "approve")


def written(service: Service, edition: Edition, day: date) -> Editorial | None:
    """What there is for an edition."""
    with service.reading() as connection:
        return editorials.get(connection, editions.edition_id(edition, day))


def _open(connection: sa.Connection, edition: Edition, day: date) -> str:
    identifier = editions.edition_id(edition, day)
    if editions.find(connection, identifier) is not None:
        raise DispatchError(f"{identifier} was made already: what it holds is on its way")
    return identifier


def _account(service: Service, connection: sa.Connection, edition: str, act: str) -> None:
    entry = journal.Entry("decided", edition, {"act": f"editorial {act}", "by": "person"})
    journal.append(connection, [entry], key=service.keys.derive("journal"), at=service.clock())
    log.info("editorial", edition=edition, act=act)
