"""The door's end: a Draft becomes an Item, or is Refused. Nothing else in the system makes an Item.

`seal` and `restore` let an Item lie in a database and come back: each statement carries a keyed seal, so that what
was not let through by a guard with this key cannot be read back as if it were. What is gated lies in its vault.
"""

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Raw

from ingest import Source
from normalize import Draft, Facts, Kind, identity
from normalize.collector import paused
from pii_guard import GuardError, Item, Refused, Statement, erasing, expiry, facts
from pii_guard.blocks import Blocks
from pii_guard.marks import Marks
from pii_guard.patterns import Patterns
from pii_guard.policy import Policy
from pii_guard.redact import names_in, rewrite
from pii_guard.roles import of_bundle
from pii_guard.sought import Sought
from pii_guard.values import Eraser
from pii_guard.vault import Vault, month_of
from tlp import Label, strictest
from tlp.markings import of_stix

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})?").fullmatch
_MAC_SIZE = 32
SEAL = 2 * _MAC_SIZE
"""Length of the seal with which a stored statement begins."""
_VARIANT = dict(zip("0123456789abcdef", "89ab" * 4, strict=True))
_encode = msgspec.json.encode
_decode_statement = msgspec.json.Decoder(Statement).decode
_decode_objects = msgspec.json.Decoder(list[dict[str, Any]]).decode
_KIND_WORDS: dict[str, dict[Kind, str]] = {
    "nl": {
        "advisory": "Beveiligingsadvies",
        "report": "Dreigingsrapport",
        "indicators": "Indicatoren",
        "exposure": "Kwetsbare of blootgestelde systemen",
        "news": "Nieuwsbericht",
        "facts": "Kwetsbaarheid",
    },
    "en": {
        "advisory": "Security advisory",
        "report": "Threat report",
        "indicators": "Indicators",
        "exposure": "Vulnerable or exposed systems",
        "news": "News story",
        "facts": "Vulnerability",
    },
}
_WITHHELD = {"nl": "[tekst weggelaten: geen grondslag]", "en": "[text withheld: no legal basis]"}


class Guard:
    """One policy, one key and one vault. Thread-safe: holds nothing of any draft."""

    __slots__ = ("_key", "policy", "vault")

    def __init__(self, policy: Policy, key: bytes, vault: Vault | None = None) -> None:
        self.policy = policy
        self.vault = vault or Vault()
        self._key = hashlib.blake2b(key, digest_size=32, person=b"oktt-guard").digest()

    def admit(self, draft: Draft, source: Source, received_at: datetime, marks: Marks | None = None) -> Item | Refused:
        """Decide on every value of a draft, rewrite what has to be, and let the rest through.

        The date of receipt decides which regime holds. Never raises for what a draft holds. `marks`: where keyed
        hashes of what was decided on go, as far as the regime has a basis for them.
        """
        with paused():
            return self._admitted(draft, source, received_at, marks)

    def _admitted(self, draft: Draft, source: Source, received_at: datetime, marks: Marks | None) -> Item | Refused:
        regime = self.policy.regime(source, received_at)
        patterns = Patterns(draft.readings)
        blocks = Blocks(draft.objects)
        roles = of_bundle(blocks, patterns.compared)
        if draft.objects:
            facts.witness(roles, draft.facts.observables)
        eraser = Eraser(self.policy.rulings(regime, source), roles, language=draft.language, public=source.public)
        if marks is not None:
            marks.under(self.policy, regime)
            eraser.marks = marks
        eraser.know_names(names_in(blocks))
        objects = rewrite(blocks, eraser, self._renamer(regime, source), patterns)
        kept = facts.guarded(draft.facts, eraser)
        title, summary = _words(draft, kept, eraser)
        references = tuple(url for each in draft.references if (url := eraser.reference(each, "/references/*")))
        findings = eraser.ledger.findings()
        if eraser.ledger.refused is not None:
            category, path = eraser.ledger.refused
            return Refused("policy", f"regime {regime} refuses documents with {category}", path, findings)
        label, doubts = _label(draft, source)
        holds = {*draft.doubts, *doubts, *(["suspect-text"] if eraser.ledger.suspect else [])}
        statement = Statement(
            key=self.key(source.id, draft.key) + ("" if draft.layer is None else f"/{draft.layer.rank}"),
            source=source.id,
            kind=draft.kind,
            title=title,
            summary=summary,
            language=draft.language if _LANGUAGE(draft.language) else "en",
            facts=kept,
            objects=Raw(_encode(objects)),
            references=references,
            label=label,
            holds=tuple(sorted(holds)),
            findings=findings,
            regime=regime,
            policy=self.policy.hash,
            source_time=draft.source_time,
            received_at=received_at,
            meaning=self._meaning(draft.kind, label, kept),
            reliability=source.reliability,
        )
        return Item(statement.key, 1, (statement,))

    def reguard(self, statement: Statement, source: Source, now: datetime) -> Statement | None:
        """A stored statement without what has outlived its retention, or what the policy no longer allows.

        None: nothing changes. Key, label, holds, receipt and meaning stay: it is no news. The findings say what went.
        Closed rows are not opened; what the vault's record still holds of those that go, `Vault.trimmed` takes out.
        """
        ruled = expiry.rulings(self.policy, statement, source, now)
        if ruled is None:
            return None
        rulings, prose = ruled
        objects = _decode_objects(statement.objects)
        blocks = Blocks(objects)
        roles = of_bundle(blocks, Patterns().compared)
        facts.tell(roles, statement.facts.observables)
        eraser = Eraser(rulings, roles, language=statement.language, public=prose)
        eraser.know_names(names_in(blocks))
        made = rewrite(blocks, eraser, self._renamer(expiry.regime_of(self.policy, statement, source), source))
        rest = facts.guarded(msgspec.structs.replace(statement.facts, observables=()), eraser)
        rows = facts.still_kept(statement.facts.observables, eraser, closed=bool(statement.vault))
        kept = msgspec.structs.replace(rest, observables=rows)
        title, summary = _words(statement, kept, eraser)
        references = tuple(url for each in statement.references if (url := eraser.reference(each, "/references/*")))
        again = msgspec.structs.replace(
            statement,
            title=title,
            summary=summary,
            facts=kept,
            objects=statement.objects if made == objects else Raw(_encode(made)),
            references=references,
        )
        if again == statement:
            return None
        found = eraser.ledger.findings()
        return msgspec.structs.replace(again, findings=expiry.findings(statement.findings, found))

    def erase(self, statement: Statement, source: Source, sought: Sought) -> Statement | None:
        """A stored statement, opened, without one person's value; None: it does not hold it."""
        regime = expiry.regime_of(self.policy, statement, source)
        return erasing.without(statement, sought, self._renamer(regime, source))

    def key(self, source: str, draft_key: str) -> str:
        """The key of what a source says under a natural key, in every version of it."""
        return self._digest(b"statement", source, draft_key)[:32]

    def meaning(self, statement: Statement) -> str:
        """What a stored statement means by the rules of today: those it was let in under may have been others."""
        return self._meaning(statement.kind, statement.label, statement.facts, statement.gated)

    def _meaning(self, kind: Kind, label: Label, kept: Facts, gated: str = "") -> str:
        """Keyed: a plain hash over a few addresses can be found by trying them all."""
        said = identity.meaning(kind, label, kept)
        return self._digest(b"meaning", said, gated) if gated else self._digest(b"meaning", said)

    def named(self, statement: Statement, before: Statement | None, *, same: bool) -> Statement:
        """A statement as it was admitted, with the name of what it says that is gated: that of the one before it, if it
        says the `same`; else another one. The name is made of key, receipt and what was before, never of values."""
        if not any(row.own for row in statement.facts.observables):
            return statement
        last = "" if before is None else before.gated
        gated = last if same else self._digest(b"gated", statement.key, statement.received_at.isoformat(), last)[:16]
        meaning = self._meaning(statement.kind, statement.label, statement.facts, gated)
        return msgspec.structs.replace(statement, gated=gated, meaning=meaning)

    def contents(self, statement: Statement) -> tuple[str, ...]:
        """Hashes by which an admitted statement is known when it comes again under another id: for storage. Of what is
        gated one by the key of each month of which there is one, so that each dies with its key."""
        gated = identity.gated(statement.facts.observables)
        if not gated:
            return (statement.meaning,)
        said = "\0".join((statement.meaning, *sorted(gated)))
        return self.vault.fingerprints(statement.source, month_of(statement.received_at), said)

    def seal(self, statement: Statement) -> bytes:
        """The statement for storage, closed: 64 hexadecimal digits of MAC, then JSON."""
        body = _encode(self.vault.closed(statement))
        return self._mac(body) + body

    def rewrapped(self, sealed: bytes) -> bytes | None:
        """A sealed statement whose record lies under the newest key of its month; None: it does, or has none."""
        statement = self._open("", sealed)
        made = self.vault.rewrapped(statement.source, month_of(statement.received_at), statement.vault)
        return None if made is None else self.seal(msgspec.structs.replace(statement, vault=made))

    def restore(
        self,
        id: str,  # noqa: A002
        version: int,
        statements: Sequence[bytes],
        facts: Sequence[bytes] = (),
        *,
        fresh: tuple[Statement, bytes] | None = None,
    ) -> Item:
        """An Item from sealed statements. Raises GuardError when a seal is broken or there is no statement.

        `fresh`: a statement that this guard sealed a moment ago, which need not be opened to know what is in it.
        """
        if not statements:
            raise GuardError(f"item {id}: no statement is stored for version {version}: restore it from a backup")

        def opened(sealed: bytes) -> Statement:
            return fresh[0] if fresh is not None and sealed == fresh[1] else self._open(id, sealed)

        own = sorted(map(opened, statements), key=lambda s: (s.received_at, s.key))
        return Item(id, version, tuple(own), tuple(map(opened, facts)))

    def keyed(self, purpose: bytes, text: str) -> str:
        """A hash for storage, 64 hexadecimal digits: a plain one over a few values can be found by trying them all.

        `purpose`: at most 16 bytes; two purposes never share a hash.
        """
        return self._digest(purpose, text)

    def _open(self, item: str, sealed: bytes) -> Statement:
        mac, body = sealed[:SEAL], sealed[SEAL:]
        if not hmac.compare_digest(mac, self._mac(body)):
            raise GuardError(
                f"item {item}: the seal of a stored statement is broken (changed outside OKTT, or another key): "
                "check [keys] in oktt.toml, or restore the database from a backup"
            )
        return _decode_statement(body)

    def _mac(self, body: bytes) -> bytes:
        return hashlib.blake2b(body, key=self._key, digest_size=_MAC_SIZE, person=b"oktt-seal").hexdigest().encode()

    def _digest(self, purpose: bytes, *parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=32, person=purpose).hexdigest()

    def _renamer(self, regime: str, source: Source) -> Any:
        """Old id -> new id of its type. Keyed by source, regime and policy: other content never shares an id."""
        base = hashlib.blake2b(
            f"{source.id}\0{regime}\0{self.policy.hash}\0".encode(), key=self._key, digest_size=16, person=b"oktt-id"
        )

        def rename(old: str) -> str:
            mine = base.copy()
            mine.update(old.encode("utf-8", "surrogatepass"))
            h = mine.hexdigest()
            # A UUID of version 4 (RFC 9562 5.4): a 4 at its place, and 10 as the variant's two bits.
            return f"{old.partition('--')[0]}--{h[:8]}-{h[8:12]}-4{h[13:16]}-{_VARIANT[h[16]]}{h[17:20]}-{h[20:]}"

        return rename


def _label(draft: Draft, source: Source) -> tuple[Label, tuple[str, ...]]:
    """The strictest of what the draft and its objects carry; only what carries none gets the source's."""
    marked, doubts = of_stix(draft.objects) if draft.objects else (None, ())
    found = [label for label in (draft.label, marked) if label is not None]
    return (strictest(found) if found else source.tlp), doubts


def _words(draft: Draft | Statement, kept: Facts, eraser: Eraser) -> tuple[str, str]:
    """Title and summary; where prose may not stay, what the facts say instead."""
    if not eraser.wordless:
        return eraser.text(draft.title, "/title"), eraser.text(draft.summary, "/summary")
    eraser.prose(draft.title, "/title")
    language = "nl" if draft.language.startswith("nl") else "en"
    names = dict.fromkeys(f"{product.vendor} {product.product}".strip() for product in kept.affected)
    subject = [*list(names)[:3], *([f"({', '.join(kept.cves[:5])})"] if kept.cves else [])]
    if not subject and kept.exposure:
        subject = [kept.exposure]
    title = _KIND_WORDS[language][draft.kind] + (f": {' '.join(subject)}" if subject else "")
    if not draft.summary:
        return title, ""
    eraser.prose(draft.summary, "/summary")
    return title, _WITHHELD[language]
