"""What a subscriber hands in over the web: through the door as its files go, with a verdict on each of its objects."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app import door, pipeline
from app.door import Passed
from app.service import Service
from ingest import CONTRIBUTED, RawDocument, Unreadable
from ingest.opening import document_key
from normalize import Draft, Normalized
from tlp.markings import KNOWN
from web import Verdict

_UNUSED = "shape: no threat by itself, and no threat in this envelope refers to it"


def contribute(service: Service, subscriber: str, body: bytes, objects: Sequence[Any]) -> list[Verdict]:
    """Bring an envelope through the door; what became of each of its objects, in order.

    The same envelope again is the same document: nothing changes.
    """
    source = service.settings.source(f"{CONTRIBUTED}{subscriber}")
    key = document_key(service.keys.derive("documents"), source.id, body)
    crossing = _Crossing()
    document = RawDocument(source, body, "taxii", service.clock(), "stix", key)
    tally = pipeline.admit(service, document, crossing.guarded)
    if tally.mistake:
        return [Verdict(taken=False, message=f"parse: {tally.mistake}")] * len(objects)
    return crossing.verdicts(service, source.id, objects)


@dataclass
class _Crossing:
    """One envelope on its way through the door: remembers which object became part of which draft."""

    drafts: Sequence[Draft] = ()
    passed: Passed = field(default_factory=lambda: Passed((), (), (), ()))

    def guarded(self, service: Service, document: RawDocument) -> Passed:
        """As `door.guarded`."""

        def read(document: RawDocument) -> Normalized:
            found = door.read(document)
            self.drafts = found.drafts
            return door.nameless(service, document.source, found)

        self.passed = door.guarded(service, document, read)
        return self.passed

    def verdicts(self, service: Service, source: str, objects: Sequence[Any]) -> list[Verdict]:
        """Taken in is what became part of a draft that passed. Of the others the reason stands with the object itself,
        or with the envelope."""
        statements = {item.statements[0].key: item.statements[0] for item, _ in self.passed.items}
        taken: dict[str, dict[str, None]] = {}
        for draft in self.drafts:
            said = statements.get(service.guard.key(source, draft.key))
            if said is not None:
                holds = dict.fromkeys(f"guard: an analyst looks first ({hold})" for hold in said.holds)
                for obj in draft.objects:
                    taken.setdefault(obj["id"], {}).update(holds)
        told = [each for each in self.passed.refused if not each.reason.startswith("held: ")]
        own: dict[str, list[str]] = {}
        for each in told:
            own.setdefault("/".join(each.path.split("/")[:3]), []).append(_said(each))
        whole = next((_said(each) for each in told if not statements or not each.path.startswith("/objects/")), _UNUSED)
        return [_verdict(obj, taken, own.get(f"/objects/{at}", []), whole) for at, obj in enumerate(objects)]


def _verdict(obj: Any, taken: dict[str, dict[str, None]], own: list[str], whole: str) -> Verdict:
    identifier = obj.get("id") if isinstance(obj, dict) else None
    if not isinstance(identifier, str):
        return Verdict(taken=False, message="; ".join(own) or whole)
    if identifier in taken:
        return Verdict(taken=True, message="; ".join([*own, *taken[identifier]]))
    if identifier in KNOWN and taken:  # the definition of a TLP label: everybody has it
        return Verdict(taken=True)
    return Verdict(taken=False, message="; ".join(own) or whole)


def _said(refused: Unreadable) -> str:
    return f"{refused.stage}: {refused.reason}" + (f", at {refused.path}" if refused.path else "")
