"""The door: nothing of a document is written anywhere before the guard has decided (docs/decisions/003)."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from typing import Any

import sqlalchemy as sa
from msgspec import structs

from app import releasing
from app.observe import log, place
from app.service import Service
from ingest import CONTRIBUTED, RawDocument, Source, Unreadable, cursors
from normalize import Draft, Normalized, NormalizeError, identity
from normalize.anonymous import anonymous
from normalize.read import normalize
from pii_guard import Finding, GuardError, Item, Refused, Scores, epss, journal
from pii_guard.marks import Marks
from pii_guard.vault import month_of
from subscribers import Subscriber, SubscriberError, registry
from triage import documents, inbox, merging, scores


@dataclass(slots=True)
class Tally:
    """What became of documents: the counts that `oktt ingest` prints."""

    documents: int = 0
    effects: Counter[str] = field(default_factory=Counter)
    held: int = 0
    refused: int = 0
    scores: int = 0
    """EPSS scores that were read."""
    findings: dict[str, Counter[str]] = field(default_factory=dict)
    items: set[str] = field(default_factory=set)
    unexpected: Counter[str] = field(default_factory=Counter)
    """Documents that were read in a format which their source does not give."""
    mistake: str = ""
    """Of ours, in words: a document that another version has to see again."""

    def add(self, other: "Tally") -> None:
        """Sum up."""
        self.documents += other.documents
        self.effects += other.effects
        self.held += other.held
        self.refused += other.refused
        self.scores += other.scores
        self.items |= other.items
        self.mistake = self.mistake or other.mistake
        self.unexpected += other.unexpected
        for category, actions in other.findings.items():
            self.findings.setdefault(category, Counter()).update(actions)

    def find(self, findings: Sequence[Finding]) -> None:
        """Count findings by category and action."""
        for each in findings:
            self.findings.setdefault(each.category, Counter())[each.action] += each.count

    def summary(self, seconds: float) -> dict[str, Any]:
        """The line of contract.md."""
        effects = {name: self.effects[name] for name in ("new", "updated", "unchanged", "merged")}
        counts = {"documents": self.documents, **effects, "held": self.held, "refused": self.refused}
        findings = {category: dict(actions) for category, actions in sorted(self.findings.items())}
        more = {"scores": self.scores, "unexpected": dict(self.unexpected), "seconds": round(seconds, 3)}
        return {**counts, "findings": findings, **more}


@dataclass(frozen=True, slots=True)
class Passed:
    """What the guard let through of one document, with merge keys, and what was refused on the way."""

    items: tuple[tuple[Item, tuple[str, ...]], ...]
    refused: tuple[Unreadable, ...]
    findings: tuple[Finding, ...]
    register: tuple[journal.Entry, ...]
    format: str = ""
    """What it was read as; empty: it could not be read."""
    scores: Scores = field(default_factory=Scores)


def guarded(
    service: Service, document: RawDocument, reads: Callable[[RawDocument], Normalized] | None = None
) -> Passed:
    """Normalise (with `reads`: by that) and guard, in memory. What a document holds is refused, and raises nothing."""
    origin = document.origin
    try:
        normalized = _read(service, document) if reads is None else reads(document)
    except NormalizeError as error:
        return Passed((), (Unreadable(origin, error.stage, error.reason, error.path),), (), ())
    refused = [Unreadable(origin, each.stage, each.reason, each.path) for each in normalized.problems]
    items: list[tuple[Item, tuple[str, ...]]] = []
    findings: list[Finding] = []
    register: list[journal.Entry] = []
    whole: Item | Refused | None = None
    for draft in normalized.drafts:
        if draft.layer is not None and isinstance(whole, Refused):
            continue  # what is refused whole is refused in part
        marks = Marks(service.keys.derive("subjects"))
        answer = service.guard.admit(draft, document.source, document.received_at, marks)
        whole = answer if draft.layer is None else whole
        if isinstance(answer, Refused):
            refused.append(Unreadable(origin, answer.stage, answer.reason, answer.path))
            findings += answer.findings
            register.append(journal.refused(answer, document.key, document.source.id))
            continue
        (statement,) = answer.statements
        if draft.layer is None:  # a layer repeats what the whole says
            refused += [Unreadable(origin, "guard", f"held: {hold}") for hold in statement.holds]
            findings += statement.findings
        register += journal.admitted(answer, marks)
        keys = _merge_keys(service, draft, answer)
        items.append((answer, keys if draft.layer is None else keys[:1]))
    scored = epss.admit(normalized.scores, document.source)
    if isinstance(scored, Refused):
        refused.append(Unreadable(origin, scored.stage, scored.reason, scored.path))
        scored = Scores()
    return Passed(tuple(items), tuple(refused), tuple(findings), tuple(register), normalized.format, scored)


def _read(service: Service, document: RawDocument) -> Normalized:
    return nameless(service, document.source, read(document))


def read(document: RawDocument) -> Normalized:
    """What a document says. Ids that are made of a contribution name no contributor: they can be guessed and tried."""
    if document.source.contributed:
        document = replace(document, source=replace(document.source, id="subscriber"))
    return normalize(document)


def nameless(service: Service, source: Source, found: Normalized) -> Normalized:
    """The same; of a contribution, without who handed it in."""
    if not source.contributed:
        return found
    who = contributor(service, source)
    names, profile = (who.name, who.id), who.profile
    drafts = (anonymous(draft, names, profile.domains, profile.networks) for draft in found.drafts)
    return structs.replace(found, drafts=tuple(drafts))


def contributor(service: Service, source: Source) -> Subscriber:
    """The subscriber whose contributions a source is. Raises SubscriberError when there is none (any more)."""
    identifier = source.id.removeprefix(CONTRIBUTED)
    with service.reading() as connection:
        found = registry.get(connection, identifier)
    if found is None:
        raise SubscriberError(f"there is no subscriber {identifier}: `oktt subscribers list` lists them")
    return found


def lay_down(service: Service, connection: sa.Connection, document: RawDocument, passed: Passed) -> Tally:
    """One transaction: items, refusals, the register, the source's standing."""
    now, source = service.clock(), document.source.id
    newest = max((said for item, _ in passed.items if (said := item.statements[0].source_time)), default=None)
    cursors.record_document(connection, source, now, newest)
    tally = Tally(documents=1)
    if passed.format and not document.source.gives(passed.format):
        tally.unexpected[passed.format] += 1
    inbox.alone(connection)
    before = documents.known(connection, document.key, passed.refused)
    if before is not None and not _came_back(service, connection, document, passed):
        tally.effects["unchanged"] = before
        return tally
    tally.find(passed.findings)
    admitted = 0
    for item, admission in _admitted(service, connection, passed, now):
        layer = "/" in admission.key
        admitted += not layer
        tally.effects[admission.effect] += not layer
        tally.held += admission.held and not layer
        if admission.effect != "unchanged" and (said := item.statements[0].source_time):
            service.metrics.late("received", said, now)
        if admission.item is not None:
            tally.items.add(admission.item)
            releasing.took_in(connection, admission.item, admission.took, now)
    tally.scores = scores.keep(connection, passed.scores)
    holds = sum(each.reason.startswith("held: ") for each in passed.refused)
    tally.refused = len(passed.refused) - holds
    documents.record(connection, document.key, source, now, admitted, passed.refused)
    register = service.keys.derive("journal")
    journal.append(connection, passed.register, key=register, at=now, vault=service.vault)
    _tell(service, document, tally)
    return tally


def _admitted(
    service: Service, connection: sa.Connection, passed: Passed, now: datetime
) -> Iterator[tuple[Item, merging.Admission]]:
    """What became of each draft, and of its layers after it."""
    guard, at = service.guard, 0
    while at < len(passed.items):
        item, keys = passed.items[at]
        made = merging.admit(connection, guard, item, keys, now)
        at, whole, layers = at + 1, made[0].key if made else "", []
        while at < len(passed.items) and "/" in passed.items[at][0].id:
            part, keys = passed.items[at]
            layers += merging.admit(connection, guard, part, keys, now, whole=whole)
            at += 1
        if whole and passed.format == "stix":  # the others have none
            layers += merging.retire(connection, guard, item, [each.key for each in layers], now, whole=whole)
        yield from ((item, each) for each in (*made, *layers))


def _came_back(service: Service, connection: sa.Connection, document: RawDocument, passed: Passed) -> bool:
    """Is it a list that became again what it was before? What its address gives now is what holds. A file may be read
    again long after a later one of its name."""
    if not document.series or document.source.kind != "http":
        return False
    said = (item.statements[0] for item, _ in passed.items)
    return any(inbox.stands(connection, service.guard, each) is False for each in said if each.kind == "indicators")


def unreadable(service: Service, source: str, found: Unreadable, document: str = "") -> Tally:
    """Note what could not even be fetched (a broken archive, a file without permission), or a document, by its key."""
    key = (
        document
        or hashlib.blake2b(
            f"{source}\0{found.origin}\0{found.stage}\0{found.reason}\0{found.path}".encode(),
            key=service.keys.derive("documents"),
            digest_size=32,
        ).hexdigest()
    )
    with service.transaction() as connection:
        documents.record(connection, key, source, service.clock(), 0, [found])
    log.info("refused", source=source, origin=found.origin, stage=found.stage, reason=found.reason)
    return Tally(documents=1, refused=1)


def is_of_database(error: Exception) -> bool:
    """Is it the database that fails, and not what this document would put there?"""
    return isinstance(error, sa.exc.SQLAlchemyError) and not isinstance(
        error, (sa.exc.DataError, sa.exc.IntegrityError)
    )


def mistake(service: Service, document: RawDocument, error: Exception) -> Tally:
    """A document that our own code cannot read. Its refusal is noted once, and goes when a later version reads it."""
    found = f"{type(error).__name__} at {place(error)}: a mistake of ours; report that place, it holds no data"
    if isinstance(error, GuardError):  # says what to do, and no values
        found = str(error)
    tally = unreadable(service, document.source.id, Unreadable(document.origin, "parse", found), document.key)
    return replace(tally, mistake=found)


def succeeded(service: Service, source: str, due_at: datetime | None = None) -> None:
    """A source that was read to its end: its standing says so."""
    with service.transaction() as connection:
        cursors.record_success(connection, source, service.clock(), due_at)


def failed(service: Service, source: str, error: str, due_at: datetime | None = None) -> None:
    """A source that could not be read at all, or no further: its standing says so."""
    with service.transaction() as connection:
        cursors.record_error(connection, source, service.clock(), error, due_at)
    log.warning("source", source=source, error=error)


def _merge_keys(service: Service, draft: Draft, item: Item) -> tuple[str, ...]:
    """Merge keys of what the guard let through, keyed: they are stored, and a hash of a value is the value. One that is
    made of gated values is worth nothing any more when their key is destroyed."""
    (statement,) = item.statements
    keys = identity.merge_keys(
        statement.kind, statement.source, draft.key, statement.title, statement.facts, statement.references
    )
    secret, gated = service.keys.derive("merge"), any(row.own for row in statement.facts.observables)

    def keyed(key: str) -> tuple[str, ...]:
        if gated and key.startswith("values:"):
            return service.vault.fingerprints(statement.source, month_of(statement.received_at), key)
        return (hashlib.blake2b(key.encode(), key=secret, digest_size=32).hexdigest(),)

    return tuple(chain.from_iterable(map(keyed, keys)))


def _tell(service: Service, document: RawDocument, tally: Tally) -> None:
    source = "subscriber" if document.source.contributed else document.source.id
    outcome = "refused" if tally.refused and not tally.items else "read"
    service.metrics.documents.labels(source, outcome).inc()
    for effect, count in tally.effects.items():
        service.metrics.items.labels(effect).inc(count)
    for category, actions in tally.findings.items():
        for action, count in actions.items():
            service.metrics.findings.labels(category, action).inc(count)
    log.info(
        "document",
        source=source,
        document=document.key[:16],
        effects=dict(tally.effects),
        held=tally.held,
        refused=tally.refused,
    )
