"""A MISP attribute as it stands: type, value, times, sightings, and what is said of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from normalize.lenient import Json, Parts, clean, moment
from normalize.misp_context import NOTHING, Context, read
from normalize.misp_types import VICTIM, WAYS
from tlp import Label, tags

_LAST = 4102444800
"""2100-01-01."""
_VICTIM_WORDS = ("victim", "target", "recipient")


class Attribute(Struct, frozen=True):
    """One attribute, read."""

    type: str
    way: str
    value: str
    path: str
    category: str = ""
    relation: str = ""
    """What it is within its object."""
    uuid: str = ""
    comment: str = ""
    to_ids: bool = False
    changed: datetime | None = None
    first: datetime | None = None
    last: datetime | None = None
    seen: tuple[datetime, ...] = ()
    """Sightings."""
    refuted: bool = False
    """More often reported as a false positive than seen."""
    until: datetime | None = None
    """Expired then."""
    narrow: bool = False
    """For fewer eyes than its event."""
    evidence: frozenset[str] = frozenset()
    context: Context = NOTHING


def attribute(each: Json, path: str, parts: Parts, named: Mapping[str, Label] = tags.NAMED) -> Attribute | None:
    """One attribute; None: it is not for us (deleted, internal, of persons), or cannot be read (noted)."""
    if left_out(each) or each.get("category") == "Internal reference":
        return None
    kind, value = parts.text(each, "type", path), _value(each.get("value"))
    way = WAYS.get(kind)
    if way is None or not value:
        if way is None:
            parts.note("an attribute of a type that is not known" if kind else "an attribute without a type", path)
        elif way not in ("personal", "nothing"):
            parts.note("an attribute without a value", path)
        return None
    if way == "personal":
        return None
    relation = parts.text(each, "object_relation", path).lower()
    seen, refuted, until = _sightings(each, path, parts)
    evidence = {"victim"} if any(word in relation for word in _VICTIM_WORDS) else set()
    first, last = moment(each.get("first_seen")), moment(each.get("last_seen"))
    return Attribute(
        type=kind,
        way=way,
        value=value,
        path=path,
        category=parts.text(each, "category", path),
        relation=relation,
        uuid=parts.text(each, "uuid", path).lower(),
        comment=parts.text(each, "comment", path),
        to_ids=is_true(each.get("to_ids")),
        changed=at(each.get("timestamp")),
        first=first,
        last=max(first, last) if first and last else last,
        seen=seen,
        refuted=refuted,
        until=until,
        narrow=is_narrow(each),
        evidence=frozenset(evidence | ({VICTIM[kind]} if kind in VICTIM else set())),
        context=within(read(each, parts, path, named), narrow=is_narrow(each)),
    )


def is_narrow(part: Json) -> bool:
    """Is it for one organisation, or for those of a sharing group?"""
    return str(part.get("distribution")) in ("0", "4")


def within(context: Context, *, narrow: bool) -> Context:
    """The same, at least as strict as a part that is for fewer than the whole."""
    return replace(context, label=max(context.label or Label.CLEAR, Label.AMBER_STRICT)) if narrow else context


def joined(told: list[Attribute]) -> Attribute:
    """The attributes of one file as one: wanted if one is, refuted if those that are wanted all are."""
    wanted = [one for one in told if one.to_ids]
    return replace(
        (wanted or told)[0],
        comment=next((one.comment for one in told if one.comment), ""),
        refuted=all(one.refuted for one in wanted or told),
        seen=tuple(when for one in told for when in one.seen),
        first=min((one.first for one in told if one.first), default=None),
        last=max((one.last for one in told if one.last), default=None),
        evidence=frozenset(token for one in told for token in one.evidence | one.context.evidence),
        context=replace(
            NOTHING,
            label=max((one.context.label for one in told if one.context.label), default=None),
            known=tuple(dict.fromkeys(known for one in told for known in one.context.known)),
        ),
    )


def evidence_of(one: Attribute) -> set[str]:
    """Whose its value is, in the guard's words."""
    return {*one.evidence, *one.context.evidence, *(("misp:to-ids",) if one.to_ids else ())}


def left_out(part: Json) -> bool:
    """Was it deleted? MISP gives such parts as soft-deleted."""
    return is_true(part.get("deleted"))


def is_true(value: Any) -> bool:
    """MISP writes true, 1 and "1"."""
    return value is True or value in (1, "1", "true", "True")


def at(value: Any) -> datetime | None:
    """A moment as MISP writes it, seconds as text; None: none, or one that cannot be."""
    try:
        seconds = float(value) if isinstance(value, str | int | float) else 0.0
    except ValueError:
        return None
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LAST else None


def _value(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return clean(str(value))


def _sightings(each: Json, path: str, parts: Parts) -> tuple[tuple[datetime, ...], bool, datetime | None]:
    """When it was seen; whether more reported it as a false positive; when it expired."""
    seen: list[datetime] = []
    refuted, until = 0, None
    for sighting, _ in parts.objects(each, "Sighting", path):
        kind, when = str(sighting.get("type", "0")), at(sighting.get("date_sighting"))
        if kind == "1":
            refuted += 1
        elif kind == "2":
            until = when
        elif when:
            seen.append(when)
    return tuple(seen), refuted > len(seen), until
