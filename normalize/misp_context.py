"""What MISP says around its values: tags and galaxies -> labels, doubts, actors, malware, sectors, places.

Galaxy clusters mostly come as tags alone (`misp-galaxy:threat-actor="Sofacy"`), so tags are what is read; a cluster
that comes with its description adds nothing that is about this event. What an actor did elsewhere, to whom
(`cfr-target-category`), says nothing of whom this event concerns, and is left where it is.
"""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from normalize import places, sectors
from normalize.lenient import Json, Parts, cves_in
from normalize.stix import new_id
from tlp import Label, tags

Object = dict[str, Any]

_GALAXY = re.compile(r'misp-galaxy:([^=]+)="(.+)"', re.DOTALL).fullmatch
_CREDIBILITY = re.compile(r'admiralty-scale:information-credibility="([1-5])"', re.IGNORECASE).fullmatch
_CONFIDENCE = {"1": 90, "2": 70, "3": 50, "4": 30, "5": 10}
"""STIX 2.1 appendix A: the Admiralty scale as confidence; 6 (cannot be judged) is none."""
_CIIP = re.compile(r'dhs-ciip-sectors:[\w-]+="([\w -]+)"', re.IGNORECASE).fullmatch
_ATTACK = re.compile(r"(.+?) - ([A-Z]{1,3}\d{4}(?:\.\d{3})?)").fullmatch
_VICTIMS = ("sinkhole", "compromised", "victim")

_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("threat-actor", "microsoft-activity-group", "360net-threat-actor"), "threat-actor"),
    **dict.fromkeys(("intrusion-set", "tidal-groups"), "intrusion-set"),
    **dict.fromkeys(
        ("malware", "malpedia", "ransomware", "banker", "botnet", "rat", "stealer", "backdoor", "android"), "malware"
    ),
    **dict.fromkeys(("cryptominers", "tidal-software"), "malware"),
    **dict.fromkeys(("tool", "exploit-kit", "tds"), "tool"),
    **dict.fromkeys(("attack-pattern", "tidal-technique"), "attack-pattern"),
    **dict.fromkeys(("course-of-action", "preventive-measure"), "course-of-action"),
    "campaign": "campaign",
}
"""Galaxy, without MITRE's prefixes -> the STIX type of its clusters."""
_MITRE = re.compile(r"mitre-(?:(?:enterprise|mobile|pre|ics)-(?:attack-)?)?")
SINCE = "2024-01-01T00:00:00.000Z"
"""`created` of what belongs to no single event, and has the same content in all of them."""


class Context(Struct, frozen=True):
    """What the tags of an event, or of one of its attributes, say."""

    label: Label | None = None
    doubts: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    """Other tags, as they stand."""
    known: tuple[tuple[str, str], ...] = ()
    """Actors, malware, tools, techniques: (STIX type, name)."""
    sectors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    confidence: int | None = None
    evidence: frozenset[str] = frozenset()
    """Words for a victim among the tags, as the guard's evidence."""


NOTHING = Context()


def read(holder: Json, parts: Parts, path: str, named: Mapping[str, Label] = tags.NAMED) -> Context:
    """The context that an event or attribute carries: its tags, and its galaxies as tags. `named`: labels in other
    namespaces than TLP's own."""
    if not any(name in holder for name in ("Tag", "EventTag", "Galaxy")):
        return NOTHING
    return of_tags(tuple(dict.fromkeys((*_tags(holder, parts, path), *_clusters(holder, parts, path)))), named)


def of_tags(names: Sequence[str], named: Mapping[str, Label] = tags.NAMED) -> Context:
    """What tags say by themselves."""
    label, doubts = tags.read((name for name in names if not _GALAXY(name)), named)
    known: list[tuple[str, str]] = []
    words: list[str] = []
    found: list[str] = []
    where: list[str] = []
    regions: list[str] = []
    cves: list[str] = []
    confidence = None
    for name in names:
        if galaxy := _GALAXY(name):
            kind, value = galaxy[1].strip().lower(), galaxy[2]
            if kind == "sector":
                found += sectors.of_words(value)
            elif kind in ("target-information", "country"):
                where += country(value)
            elif kind == "region" and (part := places.region(value)):
                regions.append(part)
            elif of_type := _TYPES.get(_MITRE.sub("", kind, count=1)):
                known.append((of_type, value.strip()))
            elif kind == "branded-vulnerability":
                cves += cves_in(value)
            continue
        if tags.is_label(name, named):
            continue
        if credibility := _CREDIBILITY(name):
            confidence = _CONFIDENCE[credibility[1]]
        elif aimed := _CIIP(name):
            found += sectors.of_words(aimed[1].replace("-", " "))
        cves += cves_in(name)
        words.append(name)
    return Context(
        label=label,
        doubts=doubts,
        words=tuple(words),
        known=tuple(dict.fromkeys(known)),
        sectors=tuple(sorted(set(found))),
        countries=tuple(sorted(set(where))),
        regions=tuple(sorted(set(regions))),
        cves=tuple(dict.fromkeys(cves)),
        confidence=confidence,
        evidence=frozenset(word for name in names for word in _VICTIMS if word in name.lower()),
    )


def cluster(of_type: str, name: str) -> Object:
    """The object that an actor, a malware or a technique is, the same in every event that names it."""
    made: Object = {
        "type": of_type,
        "spec_version": "2.1",
        "id": new_id(of_type, name.casefold()),
        "created": SINCE,
        "modified": SINCE,
        "name": name,
    }
    if attack := _ATTACK(name):
        made["name"] = attack[1]
        made["external_references"] = [{"source_name": "mitre-attack", "external_id": attack[2]}]
    if of_type == "malware":
        made["is_family"] = True
    return made


def target(codes: Sequence[str]) -> Object | None:
    """Whom it is aimed at, as a class of organisations."""
    named = [code.removeprefix("STIX:") for code in codes if code.startswith("STIX:")]
    if not named:
        return None
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": new_id("identity", "sectors", *named),
        "created": SINCE,
        "modified": SINCE,
        "name": ", ".join(named),
        "identity_class": "class",
        "sectors": named,
    }


def place(name: str) -> Object:
    """A country or part of the world that it is aimed at."""
    return {
        "type": "location",
        "spec_version": "2.1",
        "id": new_id("location", name),
        "created": SINCE,
        "modified": SINCE,
        "region" if places.countries_in(name) else "country": name,
    }


def _tags(holder: Json, parts: Parts, path: str) -> Iterator[str]:
    for tag, where in parts.objects(holder, "Tag", path):
        if name := parts.text(tag, "name", where):
            yield name
    for tagged, where in parts.objects(holder, "EventTag", path):  # answers of MISP's index
        if name := parts.text(parts.object(tagged, "Tag", where), "name", where):
            yield name


def _clusters(holder: Json, parts: Parts, path: str) -> Iterator[str]:
    """Clusters under their galaxies, as the tags that they are as well."""
    for galaxy, where in parts.objects(holder, "Galaxy", path):
        kind = parts.text(galaxy, "type", where)
        for each, at in parts.objects(galaxy, "GalaxyCluster", where):
            value, own = parts.text(each, "value", at), parts.text(each, "type", at)
            if value and (own or kind):
                yield f'misp-galaxy:{own or kind}="{value}"'


def country(value: str) -> Iterable[str]:
    """`Netherlands`, `netherlands`, `NL` -> NL (ISO 3166-1 alpha-2); none, where it names none."""
    code = _countries().get(value.strip().casefold())
    return (code,) if code else ()


@functools.cache
def _countries() -> Mapping[str, str]:
    """English names of countries, and their codes."""
    from babel import Locale  # slow to import, and seldom needed

    named = Locale("en").territories.items()
    codes = {name.casefold(): code for code, name in named if len(code) == 2 and code not in _NO_COUNTRIES}
    return codes | {code.casefold(): code for code in codes.values()} | _SPELLED


_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
_SPELLED = {
    "united states of america": "US",
    "russian federation": "RU",
    "czech republic": "CZ",
    "hong kong": "HK",
    "turkey": "TR",
    "korea (republic of)": "KR",
    "viet nam": "VN",
}
"""Names of galaxies that are not the current English ones."""
