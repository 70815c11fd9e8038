"""What a firm fills in about itself: read and checked field by field, and as its form shows it again."""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple, get_args

from dispatch import wording
from normalize import NormalizeError, Urgency, sectors
from subscribers import Profile, Quiet, Said, Size, Software
from subscribers.checks import FieldError, incoming, software
from subscribers.importing import software as parts
from subscribers.own import KINDS
from subscribers.wire import ChannelIn, Line, QuietIn, SoftwareIn
from web.portal_frame import Fields, first

REGIONS = {
    "NL-DR": "Drenthe", "NL-FL": "Flevoland", "NL-FR": "Fryslân", "NL-GE": "Gelderland", "NL-GR": "Groningen",
    "NL-LI": "Limburg", "NL-NB": "Noord-Brabant", "NL-NH": "Noord-Holland", "NL-OV": "Overijssel", "NL-UT": "Utrecht",
    "NL-ZE": "Zeeland", "NL-ZH": "Zuid-Holland",
}  # fmt: skip
"""ISO 3166-2:NL."""
SIZES: tuple[Size, ...] = get_args(Size)
URGENCIES: tuple[Urgency, ...] = ("info", "this-week", "today")
EDITIONS = ("monday", "friday")
MOST = 200
"""Lines of software that somebody types."""
_VERSION = re.compile(r"v?\d[\w.+:-]*", re.ASCII)
_KVK = re.compile(r"\d{8}", re.ASCII)


class Filled(NamedTuple):
    """What was filled in, as far as it can be understood; and the names of fields that cannot."""

    name: str
    address: str
    said: Said
    software: tuple[Software, ...]
    opt_out: tuple[str, ...]
    wrong: tuple[str, ...]


def read(given: Fields, *, profile: bool) -> Filled:
    """A form. `profile`: of who is subscribed, without name and address."""
    wrong: list[str] = []
    name, address = first(given, "name"), first(given, "address")
    if not profile:
        wrong += [] if is_name(name) else ["name"]
        wrong += [] if is_address(address) else ["address"]
    kvk = first(given, "kvk").replace(" ", "")
    if kvk and not _KVK.fullmatch(kvk):
        wrong.append("kvk")
    codes = _sectors(first(given, "section"), first(given, "codes"))
    if codes is None:
        wrong.append("codes")
    region = first(given, "region")
    lines = _lines(first(given, "software"))
    if lines is None:
        wrong.append("software")
    start, end = first(given, "from"), first(given, "to")
    quiet = QuietIn(start, end) if start or end else None
    if quiet is not None and not _checks(quiet=quiet):
        wrong.append("quiet")
        quiet = None
    size, urgency = first(given, "size"), first(given, "urgency")
    said = Said(
        sectors=codes or (),
        size=size if size in SIZES else "mkb",
        region=region if region in REGIONS else "",
        language="en" if first(given, "language") == "en" else "nl",
        min_urgency=urgency if urgency in URGENCIES else "info",
        quiet=quiet and Quiet(quiet.start, quiet.end),
        digest=tuple(each for each in EDITIONS if each in given.get("digest", ())),  # type: ignore[misc]
        kvk=kvk,
        paused=first(given, "paused") == "yes",
    )
    kinds = tuple(each for each in KINDS if each not in given.get("kind", ()))
    products = tuple(
        dict.fromkeys(line.strip()[:300] for line in first(given, "products").splitlines() if line.strip())
    )
    return Filled(name, address, said, lines or (), (*kinds, *products[:MOST]), tuple(wrong))


def values(said: Said, lines: Sequence[Software], opt_out: Sequence[str] = ()) -> dict[str, Any]:
    """A profile as its form shows it."""
    section = next((each for each in said.sectors if re.fullmatch("SBI:[A-U]", each)), "")
    return {
        "name": "", "address": "", "kvk": said.kvk, "section": section.removeprefix("SBI:"),
        "codes": ", ".join(each.removeprefix("SBI:") for each in said.sectors if each != section),
        "size": said.size, "region": said.region, "language": said.language, "urgency": said.min_urgency,
        "from": said.quiet.start if said.quiet else "", "to": said.quiet.end if said.quiet else "",
        "digest": said.digest, "paused": said.paused, "software": "\n".join(map(line, lines)),
        "kind": [each for each in KINDS if each not in opt_out],
        "products": "\n".join(each for each in opt_out if each not in KINDS),
    }  # fmt: skip


def again(given: Fields, *, profile: bool) -> dict[str, Any]:
    """A form as it was filled in, to be corrected."""
    filled = read(given, profile=profile)
    shown = values(filled.said, filled.software, filled.opt_out)
    typed = {name: first(given, name) for name in shown if name not in ("digest", "kind", "paused")}
    return shown | typed


def is_name(text: str) -> bool:
    """What a firm can be called?"""
    return _checks(name=text)


def is_address(text: str) -> bool:
    """One mail address, and nothing else?"""
    return _checks(channels=(ChannelIn("email", address=text),))


def choices(tongue: str) -> dict[str, Any]:
    """What a form lets choose from."""
    return {
        "sections": dict(wording.words(tongue)["sector"]), "regions": REGIONS, "sizes": SIZES, "urgencies": URGENCIES,
        "editions": EDITIONS, "kinds": KINDS,
    }  # fmt: skip


def stated(profile: Profile, said: Said | None, language: str, digest: Sequence[str]) -> Said:
    """What a subscriber said of itself; where it said nothing, what the operator knows, to be looked at."""
    if said is not None:
        return said
    return Said(
        sectors=profile.sectors, size=profile.size, region=profile.region, language="en" if language == "en" else "nl",
        min_urgency=profile.min_urgency, quiet=profile.quiet,
        digest=tuple(each for each in EDITIONS if each in digest),  # type: ignore[misc]
    )  # fmt: skip


def line(one: Software) -> str:
    """A line of software as people type it."""
    if one.cpe or one.purl:
        return one.cpe or one.purl or ""
    if not one.vendor and " " not in one.product:
        return f"{one.product} {one.version or ''}".strip()
    return "|".join((one.vendor, one.product, *([one.version] if one.version else [])))


def _lines(text: str) -> tuple[Software, ...] | None:
    """A product a line: `leverancier|product|versie`, a CPE, a purl, or in words. None: one cannot be read."""
    typed = [each.strip() for each in text.splitlines() if each.strip()]
    if len(typed) > MOST:
        return None
    try:
        return tuple(dict.fromkeys(software("software", _product(each)) for each in typed))
    except (FieldError, ValueError):
        return None


def _product(text: str) -> Software:
    if "|" in text or text.startswith(("cpe:", "pkg:")):
        return SoftwareIn(**parts(text))
    words = text.split()
    version = words.pop() if len(words) > 1 and _VERSION.fullmatch(words[-1]) else None
    vendor, product = (words[0], " ".join(words[1:])) if len(words) > 1 else ("", words[0])
    return Software(vendor, product, version)


def _sectors(section: str, typed: str) -> tuple[str, ...] | None:
    """Codes of a section from the list and of what was typed. None: something of it is no code."""
    found = [section] if section else []
    found += [each for each in re.split(r"[\s,;]+", typed) if each]
    try:
        return tuple(dict.fromkeys(sectors.parse(each if ":" in each else f"SBI:{each}") for each in found))
    except NormalizeError:
        return None


def _checks(**fields: Any) -> bool:
    """Would the registry take it?"""
    try:
        incoming(Line(**({"id": "x", "name": "x"} | fields)))
    except FieldError:
        return False
    return True
