"""What a TAXII client was given, decided once more from what is stored: `oktt prove`, of a request.

The ledger holds which rows of which collection went to whom, sealed. Of each row the processing register holds as a
part of which view it was published, and on what that rested (`dispatch.grounds`); so it can be composed again, and TLP
be asked again: of when it was published, and of when it was asked for.
"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from msgspec import structs
from pyroaring import BitMap

from app.keys import MESSAGES
from app.proving import Check, Proof, Way, again, rehashed
from app.service import Service
from dispatch import joining, pages, publication
from dispatch.grounds import Published
from dispatch.pages import Row
from dispatch.publication import Collection
from dispatch.renaming import serialised
from dispatch.revocation import notice
from dispatch.sequence import before, hashed
from ingest.columns import instant_text
from pii_guard import GuardError, audit, journal
from pii_guard.vault import month_of
from subscribers import registry
from tlp import Label, Permit, strictest
from triage import inbox
from web import ledger
from web.envelopes import envelope

_LATE = timedelta(minutes=1)
"""What was published so soon after a request began may be in its answer: it looks a moment later."""
_ranges = msgspec.json.Decoder(tuple[tuple[int, int], ...]).decode


class Claim(NamedTuple):
    """An entry of the register, and which rows of an answer are its."""

    entry: Any
    published: Published
    rows: BitMap

    @property
    def name(self) -> str:
        """Of the view."""
        return f"{self.published.grounds.item} version {self.published.grounds.version}"


def marks(service: Service) -> ledger.Marks:
    """By which the request ledger shows that it was edited."""
    key = service.keys.derive("requests")

    def seal(said: bytes) -> str:
        return hashlib.blake2b(said, key=key, digest_size=32, person=b"oktt-request").hexdigest()

    return ledger.Marks(seal, lambda at, text: service.vault.fingerprint(MESSAGES, month_of(at), text))


def prove(service: Service, name: str) -> Proof | None:
    """Derive an answer again. None: there is no request of that name in the ledger."""
    with service.reading() as connection:
        row = ledger.find(connection, name)
        if row is None:
            return None
        collection = publication.find(connection, row["collection"] or "")
        checks, claims = [_sealed(service, row)], list[Claim]()
        if checks[0].ok and row["rows"] is None:
            checks.append(Check("content", True, "an answer without objects"))
        elif checks[0].ok and collection is None:
            checks.append(Check("content", None, "the collection is no more"))
        elif checks[0].ok and collection is not None:
            claims = _claims(connection, collection, row)
            checks += _page(service, connection, collection, row, claims)
        rested = [each.published.grounds for each in claims]
        label = strictest(each.label for each in rested).value if rested else ""
        rules, by = (tuple(dict.fromkeys(getattr(each, what) for each in rested)) for what in ("rule", "by"))
        return Proof(name, row["subscriber"] or "", row["collection"] or row["route"], label, rules, by, tuple(checks))


def _sealed(service: Service, row: dict[str, Any]) -> Check:
    if row["seal"] is None:
        return Check("ledger", None, "written by a version of the program that sealed nothing")
    held = marks(service).of(row) == row["seal"]
    at = instant_text(row["at"])
    return Check("ledger", held, f"{row['method']} {row['route']}, {at}" if held else "was edited since it was written")


def _page(
    service: Service, connection: sa.Connection, collection: Collection, row: dict[str, Any], claims: list[Claim]
) -> Iterator[Check]:
    ranges = _ranges(row["rows"])
    lie, wanted = pages.at(connection, collection.id, ranges), _bitmap(ranges)
    mine = collection.subscriber in (None, row["subscriber"])
    yield Check("collection", mine, collection.alias if mine else "is another subscriber's")
    yield _same(service, connection, collection, row, lie, wanted)
    yield from _unclaimed(connection, collection, row, lie, wanted - BitMap.union(BitMap(), *(c.rows for c in claims)))
    for claim in claims:
        wrong, grounds = (
            audit.trouble(connection, claim.entry, key=service.keys.derive("journal")),
            (claim.published.grounds),
        )
        if wrong:
            yield Check(f"register of {claim.name}", False, f"the entry {wrong}")
            continue
        yield _rows(service, connection, collection, claim, row["at"])
        way = Way(collection.subscriber, "taxii", grounds.label, "answer")
        yield from again(service, connection, way, grounds)
        yield _when_asked(service, connection, way, claim, row["at"])


def _same(
    service: Service,
    connection: sa.Connection,
    collection: Collection,
    row: dict[str, Any],
    lie: Sequence[Row],
    wanted: BitMap,
) -> Check:
    """What went out, made again of the rows as they lie."""
    if len(lie) < len(wanted):
        return Check("content", None, f"{len(wanted) - len(lie)} of {len(wanted)} objects lie there no more")
    body = envelope(row["route"], lie, more=row["more"])
    month, at, kept = month_of(row["at"]), row["at"], row["content"]
    same = rehashed(service, connection, month, at, hashlib.sha256(body).hexdigest(), kept)
    if same is None:
        return Check("content", None, "its hash ended with the key of its month")
    if joining.astray(connection, collection.id, _ranges(row["rows"])):
        return Check("content", False, "objects that lie joined say otherwise than their rows: they were edited")
    said = f"{len(lie)} objects: made again, it is the same" if same else "made again, it differs: a row was edited"
    return Check("content", same, said)


def _claims(connection: sa.Connection, collection: Collection, row: dict[str, Any]) -> list[Claim]:
    """Of which views the rows are, as the register says: of each row the one published last before it went out."""
    entries = list(journal.about(connection, "published", collection.id, row["at"] + _LATE))
    entries.sort(key=lambda each: (each.at > row["at"], each.seq if each.at > row["at"] else -each.seq))
    left, found = _bitmap(_ranges(row["rows"])), []
    for each in entries:
        if not left:
            break
        if each.detail is None:
            continue
        try:
            published = msgspec.json.decode(each.detail, type=Published)
        except msgspec.DecodeError:
            continue
        mine = left & _bitmap(published.rows)
        if mine:
            found.append(Claim(each, published, mine))
            left -= mine
    return found


def _unclaimed(
    connection: sa.Connection, collection: Collection, row: dict[str, Any], lie: Sequence[Row], left: BitMap
) -> Iterator[Check]:
    """What is of no view: notices of revocation, the test collection; or what nobody published."""
    if not left:
        return
    known = publication.test_bodies() if collection.alias == publication.TEST else frozenset[bytes]()
    fixed = {each.seq for each in lie if each.seq in left and (each.body in known or _is_notice(each.body))}
    if fixed:
        yield Check("fixed objects", True, f"{len(fixed)}: notices that something was taken back, or the test's")
    others = left - BitMap(fixed)
    old = others & BitMap(range(1, before(connection, collection.id) + 1))
    if old:
        yield Check("published", None, f"{len(old)} objects, by a version of the program that did not register it")
    gone = others - BitMap(each.seq for each in lie)
    if gone and journal.told(connection, ("purged", "erased"), ("retention", "data subject"), row["at"]):
        yield Check("published", None, f"{len(gone)} objects are no longer kept (retention, erasure)")
        others = others - gone
    if others := others - old:
        yield Check("published", False, f"{len(others)} objects that the register does not say were published")


def _is_notice(body: bytes) -> bool:
    """Says it that its object was taken back, and nothing else?"""
    obj = msgspec.json.decode(body)
    return obj.get("revoked") is True and serialised(notice(obj, obj["modified"])) == body


def _rows(service: Service, connection: sa.Connection, collection: Collection, claim: Claim, asked: datetime) -> Check:
    """Do the rows hold what the view said?"""
    what, published, grounds = f"objects of {claim.name}", claim.published, claim.published.grounds
    lie = pages.at(connection, collection.id, published.rows)
    if gone := _bitmap(published.rows) - BitMap(each.seq for each in lie):
        since = asked if gone & claim.rows else grounds.at  # what was in the answer was there when it was asked
        if _taken_back(connection, claim, since):
            return Check(what, None, f"{len(gone)} were taken back since; the register says why")
        return Check(what, False, f"{len(gone)} were taken out, and the register does not say so")
    same = rehashed(service, connection, grounds.month, grounds.at, hashed(each.body for each in lie), published.bodies)
    if same is None:
        return Check(what, None, "their hash ended with the key of its month")
    said = f"{len(lie)}, as they were published" if same else "were edited since they were published"
    return Check(what, same, said)


def _taken_back(connection: sa.Connection, claim: Claim, since: datetime) -> bool:
    """Does the register say since then that the item was decided anew, published anew, or lost what it held?"""
    item = claim.published.grounds.item
    if journal.told(connection, ("decided", "purged", "erased"), (item, "retention", "data subject"), since):
        return True
    later = journal.about(connection, "published", claim.entry.subject, datetime.max.replace(tzinfo=UTC))
    details = [msgspec.json.decode(each.detail) for each in later if each.seq > claim.entry.seq and each.detail]
    return any(each["grounds"]["item"] == item for each in details)


def _when_asked(service: Service, connection: sa.Connection, way: Way, claim: Claim, at: datetime) -> Check:
    """TLP at the moment of the request: by the labels and the reader of then."""
    what, grounds = f"label of {claim.name} when asked", claim.published.grounds
    grounds = structs.replace(grounds, at=at)
    if way.subscriber is not None:
        reader = registry.at(connection, way.subscriber, at)
        if reader is None:
            return Check(what, None, "the reader is no longer kept as it was then")
        clearance = reader.clearance
        grounds = structs.replace(grounds, kind=reader.profile.kind, clearance=clearance.highest, until=clearance.until)
    try:
        labels = _labels_at(service, connection, grounds.item, at)
    except GuardError:
        return Check(what, False, "what was said by then cannot be opened: it was changed")
    stood = tuple(
        structs.replace(each, label=max(each.label, labels.get(each.key, each.label))) for each in grounds.statements
    )
    permit = structs.replace(grounds, statements=stood).permit(way.reader)
    fits = isinstance(permit, Permit) and permit.visible.issuperset(claim.published.statements)
    return Check(what, fits, f"{grounds.kind} cleared to {grounds.clearance}" if fits else "TLP says otherwise by then")


def _labels_at(service: Service, connection: sa.Connection, item: str, at: datetime) -> dict[str, Label]:
    """Labels of what was said of an item up to a moment."""
    versions = inbox.versions.c
    newest = sa.select(sa.func.max(versions.version)).where(versions.item == item, versions.at <= at)
    version = connection.scalar(newest)
    found = None if version is None else inbox.earlier(connection, service.guard, item, version)
    return {} if found is None else {each.key: each.label for each in (*found.statements, *found.facts)}


def _bitmap(ranges: Sequence[tuple[int, int]]) -> BitMap:
    made = BitMap()
    for first, last in ranges:
        made.add_range(first, last + 1)
    return made
