"""What mature recipients load into their own systems: a STIX 2.1 bundle and a CSV. Nobody else gets attachments."""

import csv
import io
from uuid import UUID, uuid5

import msgspec

from dispatch import View
from dispatch.mail import Attachment
from dispatch.view import fingerprint
from normalize import Observable

_NAMESPACE = UUID("6d0c1f0e-6d2b-5f5c-9a64-0a3b7a1d8b57")
_COLUMNS = ("tlp", "item", "type", "value", "role", "port", "protocol", "asn", "country", "seen", "since")


def attachments(view: View) -> tuple[Attachment, ...]:
    """STIX if the view has objects besides markings, CSV if it has observables."""
    found = []
    if any(obj["type"] != "marking-definition" for obj in view.objects):
        found.append(Attachment(f"{view.item}.json", "application/stix+json;version=2.1", stix(view)))
    if view.observables:
        found.append(Attachment(f"{view.item}.csv", "text/csv; charset=utf-8; header=present", table(view)))
    return tuple(found)


def stix(view: View) -> bytes:
    """The view's objects as a bundle; the same view makes the same bytes."""
    identifier = uuid5(_NAMESPACE, fingerprint(view))
    return msgspec.json.encode({"type": "bundle", "id": f"bundle--{identifier}", "objects": view.objects})


def table(view: View) -> bytes:
    """One row for each observable (RFC 4180, UTF-8). A cell that a spreadsheet would run is prefixed by `'`."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    since = view.days.since if view.days else (None,) * len(view.observables)
    for row, day in zip(view.observables, since, strict=True):
        cells = (str(view.label), view.item, *_cells(row), "" if day is None else day.isoformat())
        writer.writerow([neutral(cell) for cell in cells])
    return out.getvalue().encode()


def _cells(row: Observable) -> tuple[str, ...]:
    optional = (row.port, row.protocol, row.asn, row.country, row.seen and row.seen.isoformat())
    return row.type, row.value, row.role, *("" if cell is None else str(cell) for cell in optional)


def neutral(cell: str) -> str:
    """Formula injection: cells that begin with = + - @, tab or carriage return (OWASP); NUL never."""
    clean = cell.replace("\0", "")
    return f"'{clean}" if clean.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else clean
