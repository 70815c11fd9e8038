"""An item that analysts write themselves: Markdown with a TOML head, through the same door and to the same desk.

    +++
    title = "Phishing uit naam van de Belastingdienst"
    tlp = "GREEN"
    +++
    What it is, in Markdown.

What it is known by is its `id`, else the file's name: composed again, it is a new version of the same.
"""

import hashlib
import re
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from msgspec import Struct

from app import door
from app.service import Service
from config import ConfigError
from config.toml import Toml
from ingest import OWN, RawDocument
from normalize import (
    Affected,
    Draft,
    Facts,
    Level,
    Normalized,
    NormalizeError,
    Observable,
    Urgency,
    authored,
    places,
    ranges,
)
from normalize.lenient import web_addresses
from normalize.misp_objects import pattern
from normalize.sectors import parse
from normalize.stix import new_id
from normalize.tables import look
from tlp import Label
from tlp.markings import STIX_ID
from triage import TriageError, decide, inbox, lint

_FENCE = re.compile(r"\+\+\+[ \t]*\r?\n(.*?\r?\n|)\+\+\+[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_CVE = re.compile(r"CVE-\d{4}-\d{4,19}", re.IGNORECASE)
_COUNTRY = re.compile(r"[A-Z]{2}")
_STIX = {"ipv4": "ipv4-addr", "ipv6": "ipv6-addr", "cidr": "ipv4-addr", "domain": "domain-name", "url": "url",
         "email": "email-addr", "mac": "mac-addr"}  # fmt: skip
_PLACES = frozenset(("ipv4", "ipv6", "cidr", "asn", "domain"))


class Product(Struct, frozen=True, forbid_unknown_fields=True):
    """`[[affected]]`"""

    product: str
    vendor: str = ""
    versions: str = ""
    """As advisories write them: `<7.2.8`, `>=7.0.0|<7.2.8`. Empty: not known which."""


class Head(Struct, frozen=True, forbid_unknown_fields=True):
    """Between the lines of `+++`."""

    title: str
    tlp: Label = Label.AMBER
    urgency: Urgency | None = None
    kind: Literal["advisory", "report", "news"] | None = None
    id: str = ""
    language: Literal["nl", "en"] = "nl"
    sectors: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    cves: tuple[str, ...] = ()
    affected: tuple[Product, ...] = ()
    networks: tuple[str, ...] = ()
    """Whose systems it concerns: addresses, prefixes, AS numbers, domains."""
    indicators: tuple[str, ...] = ()
    """Of the attacker: addresses, domains, web addresses, hashes."""
    remedies: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    exploited: bool | None = None
    kans: Level | None = None
    schade: Level | None = None
    cvss: float | None = None


class Composed(Struct, frozen=True):
    """What became of it."""

    item: str
    effect: str
    state: str
    holds: tuple[str, ...]
    lint: tuple[str, ...]
    """What is hard to read in it."""


def compose(service: Service, file: Path, by: str, os_user: str) -> Composed:
    """Bring a file that an analyst wrote through the door; the analyst's word on urgency goes with it, in one
    transaction. Raises ConfigError with file, line and key, TriageError."""
    decide.may(service.settings.main.desk, by)
    head, text, toml = read(file)
    now, source = service.clock(), service.settings.source(OWN)
    key = head.id or file.stem
    statement = service.guard.key(OWN, key)
    with service.reading() as connection:
        _, created = inbox.lies_in(connection, statement) or ("", now)
    draft = _draft(head, text, toml, key, created, now, source.name)
    # Not known by its content alone: what was written before and is written again is a version too.
    content = f"{key}\0{now.isoformat()}\0{toml.text}\0{text}".encode()
    told = hashlib.blake2b(content, key=service.keys.derive("documents"), digest_size=32)
    document = RawDocument(source, b"", "composed.md", now, key=told.hexdigest())
    passed = door.guarded(service, document, lambda _: Normalized("composed", (draft,)))
    if not passed.items:
        reasons = "; ".join(f"{each.reason} {each.path}".strip() for each in passed.refused)
        raise TriageError(f"{file}: the guard refused it: {reasons}")
    with service.transaction() as connection:
        tally = door.lay_down(service, connection, document, passed)
        item, _ = next(((each, now) for each in tally.items), None) or inbox.lies_in(connection, statement) or ("", now)
        row = inbox.row(connection, item)
        effect = next(effect for effect, count in tally.effects.items() if count)
        if head.urgency not in (None, row.urgency):
            inbox.set_state(connection, item, row.state, now, urgency=head.urgency)
        inbox.note(connection, item, row.version, now, by, "compose", effect, os_user)
    written = passed.items[0][0]
    return Composed(item, effect, row.state, written.statements[0].holds, tuple(lint.own(written)))


def read(file: Path) -> tuple[Head, str, Toml]:
    """Head, text, and where its keys stand. Raises ConfigError."""
    try:
        whole = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{file} cannot be read as UTF-8 text: check its name, permissions and encoding") from None
    found = _FENCE.match(whole)
    if found is None:
        raise ConfigError(f"{file}:1: no head: begin with a line +++, then title = '...', then a line +++")
    toml = Toml(file, found[1], above=1)
    head = toml.read(Head)
    if not head.title.strip():
        raise _wrong(toml, "title", "empty; say in one line what it is")
    return head, whole[found.end() :].strip(), toml


def _wrong(toml: Toml, key: str, reason: str) -> ConfigError:
    return ConfigError(f"{toml.path}:{toml.line(key)}: {key}: {reason}")


def _draft(head: Head, text: str, toml: Toml, key: str, created: datetime, now: datetime, publisher: str) -> Draft:
    facts = _facts(head, toml)
    if (references := web_addresses(list(head.references))) != head.references:
        raise _wrong(toml, "references", "not a web address; write https://...")
    kind = head.kind or ("advisory" if facts.cves or facts.affected else "report")
    objects = authored.report(
        source=OWN,
        key=key,
        publisher=publisher,
        title=head.title,
        summary=text,
        language=head.language,
        created=created,
        modified=now,
        references=references,
        cves=facts.cves,
        remedies=dict.fromkeys(facts.remedies, facts.cves),
        affected=facts.affected,
        label=head.tlp,
    )
    objects = (*objects, *_indicators(facts, key, head.title, created, now, head.tlp))
    return Draft(kind, key, head.title.strip(), text, head.language, facts, objects, references, head.tlp)


def _facts(head: Head, toml: Toml) -> Facts:
    wrong = partial(_wrong, toml)
    if any(not _CVE.fullmatch(cve) for cve in head.cves):
        raise wrong("cves", "not a CVE id; write CVE-2026-0001")
    if any(not _COUNTRY.fullmatch(country) for country in head.countries):
        raise wrong("countries", "not a country; write two capitals: NL")
    if not all(map(places.region, head.regions)):
        raise wrong("regions", "not a region; write NL-NB (ISO 3166-2) or a part of the world, as western-europe")
    if head.cvss is not None and not 0 <= head.cvss <= 10:
        raise wrong("cvss", "not a score; write a number from 0 to 10")
    try:
        sectors = tuple(map(parse, head.sectors))
    except NormalizeError as error:
        raise wrong("sectors", str(error)) from None
    products = tuple(
        Affected(each.vendor, each.product, each.versions, ranges.read(each.versions, each.product))
        for each in head.affected
    )
    seen = [_value(text, "networks", "victim", wrong) for text in head.networks]
    seen += [_value(text, "indicators", "attacker", wrong) for text in head.indicators]
    return Facts(
        cves=tuple(cve.upper() for cve in head.cves),
        affected=products,
        sectors=sectors,
        countries=head.countries,
        regions=tuple(filter(None, map(places.region, head.regions))),
        observables=tuple(seen),
        kans=head.kans,
        schade=head.schade,
        cvss=head.cvss,
        exploited=head.exploited,
        remedies=head.remedies,
    )


def _value(text: str, key: str, role: Literal["attacker", "victim"], wrong: Any) -> Observable:
    """An address or name as matching compares it; what it is for decides whose it is."""
    found = look(text)
    if found is None or (key == "networks" and found.type not in _PLACES) or found.type in ("file", "username"):
        wanted = "an address, prefix, AS number or domain" if key == "networks" else "an address, domain, URL or hash"
        raise wrong(key, f"one of them is not {wanted}")
    evidence = "indicator-type:malicious-activity indicates" if role == "attacker" else "composed:network"
    return Observable(found.type, found.value, role, evidence, port=found.port, detail=found.detail)


def _indicators(
    facts: Facts, key: str, title: str, created: datetime, now: datetime, label: Label
) -> list[dict[str, Any]]:
    """An indicator for each of the attacker's values, known by its place in the list (an id made of a value is one),
    and the campaign that all of them indicate: by that the guard knows whose values they are."""

    def sdo(kind: str, *seed: str, **more: Any) -> dict[str, Any]:
        made = {"type": kind, "spec_version": "2.1", "id": new_id(kind, OWN, key, *seed), **more}
        times = {"created": authored.timestamp(created), "modified": authored.timestamp(now)}
        return made | times | {"object_marking_refs": [STIX_ID[label]]}

    campaign = sdo("campaign", name=title)
    made = []
    for number, each in enumerate(one for one in facts.observables if one.role == "attacker"):
        found = sdo(
            "indicator",
            str(number),
            indicator_types=["malicious-activity"],
            pattern=pattern(_observed(each), {}),
            pattern_type="stix",
            valid_from=authored.timestamp(created),
        )
        ends = {"source_ref": found["id"], "target_ref": campaign["id"]}
        made += [found, sdo("relationship", str(number), relationship_type="indicates", **ends)]
    return [campaign, *made] if made else []


def _observed(each: Observable) -> dict[str, Any]:
    """What a pattern looks for."""
    if each.type == "hash":
        return {"type": "file", "hashes": {each.detail["algorithm"]: each.value}}
    if each.type == "asn":
        return {"type": "autonomous-system", "number": int(each.value[2:])}
    return {"type": "ipv6-addr" if each.type == "cidr" and ":" in each.value else _STIX[each.type], "value": each.value}
