"""(Released, Permit) -> View: what one reader may see of an item. The only way to something that can be sent.

A view is made of the permitted statements alone, source names included, so that a stricter contribution neither
silences nor shows through a wider one. Of what the guard gated (`Observable.own`) a view shows what `gated` says that
this reader gets (pii_guard.disclosure); the rest is a number.
"""

import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from itertools import zip_longest
from typing import Any

import msgspec

from dispatch import DispatchError, View
from dispatch.pseudonyms import pseudonyms
from dispatch.sightings import sightings
from filtering import Explanation, Reason
from normalize import Facts, Observable, Urgency
from normalize.identity import combine, kind_of
from pii_guard import Item, Statement, fullest
from pii_guard.disclosure import Disclosed
from tlp import Label, Permit
from tlp.markings import STIX_ID, definition
from triage import Released

CONTRIBUTOR = {"nl": "een abonnee", "en": "a subscriber"}
"""How a source stands that has no name of its own to show: a subscriber that contributed."""
_NOTHING = Disclosed()
_LABELS = {identifier: label for label, identifier in STIX_ID.items()}
_FIELDS = tuple(each.name for each in fields(View) if each.name != "shared")
_OWN = tuple(name for name in _FIELDS if name in ("reader", "reasons", "days"))
"""In what views that are otherwise the same may differ."""


class Parts:
    """What all readers of one item version share: decoded objects, common observables, combined facts.

    Made once for a Released, so that composing for thousands of readers does not walk 40,000 rows for each.
    """

    def __init__(self, released: Released) -> None:
        self.released = released
        self._combined: dict[frozenset[str], Facts] = {}

    @functools.cached_property
    def general(self) -> dict[str, tuple[Observable, ...]]:
        """Per statement: the observables that everyone within the label may see."""
        return {each.key: tuple(o for o in each.facts.observables if not o.own) for each in self._all()}

    @functools.cached_property
    def objects(self) -> dict[str, tuple[dict[str, Any], ...]]:
        """Per statement: its guarded STIX objects. Shared between views: never to be changed."""
        decode = msgspec.json.Decoder(tuple[dict[str, Any], ...]).decode
        return {each.key: decode(each.objects) for each in self._all()}

    def combined(self, statements: Sequence[Statement]) -> Facts:
        """The facts of these statements without observables; withdrawn is what every source of it withdrew."""
        keys = frozenset(each.key for each in statements)
        if keys not in self._combined:
            bare = [msgspec.structs.replace(each.facts, observables=()) for each in statements]
            withdrawn = all(each.facts.withdrawn for each in statements if each.kind != "facts")
            self._combined[keys] = msgspec.structs.replace(combine(bare), withdrawn=withdrawn)
        return self._combined[keys]

    def _all(self) -> tuple[Statement, ...]:
        return self.released.item.statements + self.released.item.facts


def compose(
    released: Released,
    permit: Permit,
    *,
    reader: str,
    sources: Mapping[str, str],
    explanation: Explanation | None,
    urgency: Urgency,
    language: str = "nl",
    grades: Mapping[str, str] | None = None,
    gated: Mapping[str, Disclosed] | None = None,
    parts: Parts | None = None,
) -> View:
    """The view of `reader`, under `permit`. Nothing that is passed in is changed.

    `gated`: statement key -> what this reader gets of its gated rows; without it, nothing. `sources` maps source ids
    to shown names, `grades` to Admiralty grades. Title and summary are those of the first visible statement: in the
    reader's language if there is one, then of the most reliable source, then the earliest.
    Raises DispatchError when the permit shows no statement of the item itself (facts alone are nobody's alert),
    ValueError when permit or parts belong to another reader or item.
    """
    parts = parts or Parts(released)
    if permit.reader != reader or parts.released is not released:
        raise ValueError("a permit or parts of another reader or item")
    item, grades = released.item, grades or {}
    told, facts = _permitted(item, permit)
    if not told:
        raise DispatchError(f"{item.id}: {reader} may see no statement of it; ask tlp.enforce for the item's own")
    told.sort(key=lambda each: _preference(each, language, grades))
    best, visible = told[0], [*told, *facts]
    label = max(permit.label, released.label or permit.label)
    gated = gated or {}
    seen = {each.key: (*gated.get(each.key, _NOTHING).own, *parts.general[each.key]) for each in visible}
    veiled = tuple(row for each in visible for row in gated.get(each.key, _NOTHING).veiled)
    combined = parts.combined(visible)
    graded = _graded(visible, sources, grades, language)
    return View(
        item=item.id,
        version=item.version,
        kind=kind_of(each.kind for each in told),
        title=best.title,
        summary=best.summary,
        label=label,
        urgency=urgency,
        reader=reader,
        sources=tuple(graded),
        cves=combined.cves,
        affected=combined.affected,
        sectors=combined.sectors,
        observables=_union(seen.values()),
        remedies=_remedies(told, language),
        references=tuple(dict.fromkeys(url for each in visible for url in each.references)),
        kans=combined.kans,
        schade=combined.schade,
        cvss=combined.cvss,
        epss=combined.epss,
        exploited=combined.exploited,
        exposure=combined.exposure,
        withdrawn=combined.withdrawn,
        source_time=best.source_time,
        received_at=best.received_at,
        reasons=() if explanation is None else matched(explanation),
        objects=(
            *_objects(visible, seen, label, released, reader, parts),
            *pseudonyms(veiled, item.id, reader, label, best.received_at),
        ),
        statements=frozenset(each.key for each in visible),
        language=best.language,
        grades=tuple(graded.values()),
        others=sum(len(each.facts.observables) - len(seen[each.key]) for each in visible),
        veiled=veiled,
    )


def matched(explanation: Explanation) -> tuple[Reason, ...]:
    """What of an explanation its reader is told: what matched."""
    return tuple(replace(each, because="") if each.because else each for each in explanation.reasons if each.matched)


def fingerprint(view: View) -> str:
    """SHA-256 (hexadecimal) of everything a view shows: what the ledger keeps.

    But for EPSS, which is another one every day, of whatever version of the item.
    """
    return hashlib.sha256(_encoded(view, {"reasons": view.reasons, "days": view.days})).hexdigest()


def _encoded(view: View, own: Mapping[str, object]) -> bytes:
    """JSON of its fields in order. Of readers who see the same, what they share is encoded once."""
    shared = {} if view.shared is None else view.shared
    made = shared.get("encoded") or shared.setdefault("encoded", _around(replace(view, epss=None)))
    mine = {"reader": view.reader, **own}
    values = (_json(mine[name]) for name in _OWN)
    return b"".join(part for pair in zip_longest(made, values, fillvalue=b"") for part in pair)


def _around(view: View) -> list[bytes]:
    """The same in pieces; between them stands what is its reader's own (`_OWN`)."""
    fields = (b'"%s":%s' % (name.encode(), b"\0" if name in _OWN else _json(getattr(view, name))) for name in _FIELDS)
    return (b"{%s}" % b",".join(fields)).split(b"\0")


def _json(value: object) -> bytes:
    return msgspec.json.encode(value, order="deterministic")


def content(view: View) -> str:
    """The same, of what item and reader alone decide: neither why it concerned the reader, nor how it stands beside the
    reports of other days. What changes later tells those otherwise."""
    return hashlib.sha256(_encoded(view, {"reasons": (), "days": None})).hexdigest()


def _preference(each: Statement, language: str, grades: Mapping[str, str]) -> tuple[Any, ...]:
    return each.language != language, grades.get(each.source, "F"), each.received_at, each.key


def _permitted(item: Item, permit: Permit) -> tuple[list[Statement], list[Statement]]:
    """The item's own statements that may be seen, and the CVE records that join them.

    A record joins by a CVE that perhaps only a statement out of sight names: then that one would show through it.
    """
    told = fullest(each for each in item.statements if each.key in permit.visible)
    named = {cve for each in told for cve in each.facts.cves}
    return told, [each for each in item.facts if each.key in permit.visible and named.intersection(each.facts.cves)]


def _graded(
    visible: Sequence[Statement], sources: Mapping[str, str], grades: Mapping[str, str], language: str
) -> dict[str, str]:
    """Shown name of each source -> its grade; of sources that share a name (contributors), the best."""
    nameless = CONTRIBUTOR.get(language, CONTRIBUTOR["en"])
    graded: dict[str, str] = {}
    for each in visible:
        name = sources.get(each.source, nameless)
        graded[name] = min(graded.get(name, "F"), grades.get(each.source, "F"))
    return graded


def _union(found: Iterable[tuple[Observable, ...]]) -> tuple[Observable, ...]:
    several = [part for part in found if part]
    if len(several) < 2:
        return several[0] if several else ()
    return combine([Facts(observables=part) for part in several]).observables


def _remedies(told: Sequence[Statement], language: str) -> tuple[str, ...]:
    """In the reader's language if any source has them in it, otherwise as they are."""
    readable = [each for each in told if each.language == language and each.facts.remedies] or told
    return tuple(dict.fromkeys(remedy for each in readable for remedy in each.facts.remedies))


def _objects(
    visible: Sequence[Statement],
    seen: Mapping[str, tuple[Observable, ...]],
    label: Label,
    released: Released,
    reader: str,
    parts: Parts,
) -> tuple[dict[str, Any], ...]:
    """Union by id of the statements' objects (the latest `modified` of an id), marked, with their markings.

    Where one statement has two objects of one id and time that say different things, both stand.
    """
    found: dict[str, list[dict[str, Any]]] = {}
    for each in visible:
        own: dict[str, list[dict[str, Any]]] = {}
        for obj in parts.objects[each.key]:
            _newest(own.setdefault(obj["id"], []), obj)
        for identifier, objects in own.items():
            known = found.get(identifier)
            if known is None or objects[0].get("modified", "") > known[0].get("modified", ""):
                found[identifier] = objects
        mine = [o for o in seen[each.key] if o.own]
        for obj in sightings(mine, released.item.id, reader, each.received_at):
            found.setdefault(obj["id"], [obj])
    every = [obj for objects in found.values() for obj in objects]
    marked = [_marked(obj, label, released.label) for obj in every if obj["type"] != "marking-definition"]
    used = {label} | {_LABELS[ref] for obj in marked for ref in obj["object_marking_refs"] if ref in _LABELS}
    own_labels = [definition(each) for each in sorted(used)]
    others = [o for o in every if o["type"] == "marking-definition" and o["id"] not in _LABELS]
    return (*own_labels, *others, *marked)


def _newest(known: list[dict[str, Any]], obj: dict[str, Any]) -> None:
    """Add an object to those of its id, of which the latest version stands."""
    latest, version = known[0].get("modified", "") if known else "", obj.get("modified", "")
    if version > latest:
        known.clear()
    if version >= latest and obj not in known[:8]:
        known.append(obj)


def _marked(obj: dict[str, Any], label: Label, raised: Label | None) -> dict[str, Any]:
    """The object under the view's label where it carries none; a label that an analyst raised replaces wider ones."""
    refs = obj.get("object_marking_refs") or []
    labels = [_LABELS[ref] for ref in refs if ref in _LABELS]
    if labels and (raised is None or max(labels) >= raised):
        return obj
    kept = [ref for ref in refs if ref not in _LABELS]
    return {**obj, "object_marking_refs": [*kept, STIX_ID[raised if labels and raised else label]]}
