"""Handelingsperspectief: what the reader can do about it, from reusable course-of-action blocks (`triage.catalogue`).

What was seen at the reader (an exposure) chooses before the products an item names, and those before its theme.
"""

import functools
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from normalize import Affected, Kind, Urgency
from normalize.products import name_key
from subscribers import Profile
from triage import TriageError
from triage.catalogue import HEADLINE, Block, Language, Principle, Register, load

LONGEST = 80
"""Characters of a product's or vendor's name that can stand in a sentence."""
ZONE = ZoneInfo("Europe/Amsterdam")
_PREFIX = re.compile(r"^(?:scan6?|open|accessible|vulnerable|event[46]|population6?|exposed|report)-")
_SUFFIX = re.compile(r"-(?:tcp|udp|ipv6)$")
_MARK = re.compile(r"(T\d{4}|CAPEC-\d+|CWE-\d+)(?:\.\d{3})?")
"""A technique of ATT&CK, perhaps a sub-technique, a pattern of CAPEC, a weakness of CWE."""
_WORDS = re.compile(r"[^\W_]+")
_SEEN, _NAMED, _BROAD, _TITLE = 1_000_000, 3_000, 1_000, 20
"""Weight of an exposure, of a product by name, of one by its vendor alone, of a word of the title; a mark weighs 1."""
FEW = 16
"""Marks up to which they say what an item is about. One with more is a catalogue: everything stands in it."""


@dataclass(frozen=True, slots=True)
class Advice:
    """What one register reads, in one language."""

    block: str
    """Id of the block it comes from."""
    specific: bool
    """By exposure, product or theme, not merely by kind."""
    headline: str
    """Action first, for the subject: `FortiGate: zet beheer via internet uit`."""
    risk: str
    """What can happen, in two sentences."""
    steps: tuple[str, ...]
    detection: tuple[str, ...]
    time_needed: str
    self_check: str
    if_you_cannot: str
    forward_text: str
    """To forward to whoever manages the systems."""
    principles: tuple[Principle, ...]
    """Which of the five basic principles it serves."""
    version: str
    """Hash of the block's text in all languages and registers: what an approval is bound to."""


@dataclass(frozen=True, slots=True)
class About:
    """What an item is about, as far as that chooses its advice."""

    kind: Kind
    exposure: str | None = None
    affected: Sequence[Affected] = ()
    title: str = ""
    marks: Collection[str] = ()
    """Ids of techniques and weaknesses, and types of malware, of its STIX objects (`marks_of`)."""


def steps(about: About, register: Register, language: Language) -> Advice:
    """The advice for an item. Always answers: a generic block exists for every kind that is an item."""
    block = choose(about)
    words = block.words(language)
    text = words.text(register)
    say = functools.partial(
        words.say, product=_product(block, about.affected, language), title=about.title or about.kind
    )
    return Advice(
        block.id,
        not block.generic,
        _headline(words.headline, say, language),
        say(words.risk),
        tuple(map(say, text.steps)),
        tuple(map(say, text.detection)),
        say(text.time),
        say(text.check),
        say(text.cannot),
        say(text.forward),
        block.principles,
        block.version,
    )


def choose(about: About) -> Block:
    """The block that names most of what the item is about; of equals the first id. TriageError: kind `facts`."""
    catalogue = load()
    weights = Counter({name: 0 for name, block in catalogue.items() if about.kind in block.kinds and not block.generic})
    for vendor, product in {name_key(each.vendor, each.product) for each in about.affected if _counts(each)}:
        for name in _makers().get(vendor, ()):
            weights[name] += _hit(_products(name), (vendor, product)) if name in weights else 0
    key = exposure_key(about.exposure or "")
    said = f"-{'-'.join(_WORDS.findall(about.title.casefold()))}-"
    marks = frozenset(mark.casefold() for mark in about.marks) if len(about.marks) <= FEW else frozenset()
    for name in weights:
        block = catalogue[name]
        weights[name] += _seen(block, key) if key and block.exposures else 0
        weights[name] += _themes(block, said, marks) if block.themes else 0
    best = min(((-weight, name) for name, weight in weights.items()), default=(0, ""))
    found = catalogue.get(best[1] if best[0] < 0 else f"generic-{about.kind}")
    if found is None:
        raise TriageError(f"{about.kind} has no course of action: it is no item of its own")
    return found


def marks_of(objects: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """What STIX objects say an item is about: ids in the catalogues of ATT&CK, CAPEC and CWE, and types of malware."""
    found: set[str] = set()
    for each in objects:
        if each["type"] in ("attack-pattern", "vulnerability"):
            for reference in each.get("external_references", ()):
                if match := _MARK.fullmatch(reference.get("external_id", "")):
                    found |= {match[0], match[1]}
        elif each["type"] == "malware":
            found.update(each.get("malware_types", ()))
    return frozenset(found)


def register_of(profile: Profile) -> Register:
    """In which register an organisation is addressed."""
    if profile.maturity == "mature":
        return "mature"
    return "zzp" if profile.size == "zzp" else "mkb"


def due(urgency: Urgency, at: datetime) -> datetime | None:
    """By when to act: `today` the end of the day, after 17:00 noon tomorrow; `this-week` four working days on,
    17:00; `info` has no deadline. Dutch local time."""
    local = at.astimezone(ZONE)
    if urgency == "info":
        return None
    if urgency == "today":
        late = local.hour >= 17
        day, hour = (local.date() + timedelta(days=1), time(12)) if late else (local.date(), time(23, 59))
        return datetime.combine(day, hour, ZONE)
    day, left = local.date(), 4
    while left:
        day += timedelta(days=1)
        left -= day.isoweekday() <= 5
    return datetime.combine(day, time(17), ZONE)


def exposure_key(exposure: str) -> str:
    """`scan_rdp`, `open-rdp`, `accessible-rdp` -> `rdp`; `event4_sinkhole_http` -> `sinkhole-http`."""
    key = exposure.casefold().replace("_", "-")
    while (shorter := _SUFFIX.sub("", _PREFIX.sub("", key))) != key:
        key = shorter
    return key


def _counts(product: Affected) -> bool:
    return product.status != "not-affected"


def _seen(block: Block, key: str) -> int:
    """An exposure outweighs products: it says what was seen."""
    return _SEEN * any(key.startswith(name[:-1]) if name.endswith("*") else key == name for name in block.exposures)


def _themes(block: Block, said: str, marks: Collection[str]) -> int:
    themes = [theme.casefold() for theme in block.themes]
    return sum(_TITLE * (f"-{theme}-" in said) + (theme in marks) for theme in themes)


def _hit(named: Mapping[str, Collection[str]], name: tuple[str, str]) -> int:
    vendor, product = name
    things = named.get(vendor, ())
    if any(thing and (product == thing or product.startswith(f"{thing} ")) for thing in things):
        return _NAMED
    return _BROAD if "" in things else 0


@functools.cache
def _products(block: str) -> Mapping[str, Collection[str]]:
    """Vendor -> its products, as `name_key` has them; an empty name where all of a vendor's are meant."""
    found: dict[str, set[str]] = {}
    for entry in load()[block].products:
        vendor, _, product = entry.partition("/")
        maker, thing = name_key(vendor, product)
        found.setdefault(maker, set()).add("" if product == "*" else thing)
    return found


@functools.cache
def _makers() -> Mapping[str, Sequence[str]]:
    """Vendor -> the blocks that name anything of it."""
    found: dict[str, list[str]] = {}
    for name in load():
        for vendor in _products(name):
            found.setdefault(vendor, []).append(name)
    return found


def _headline(text: str, say: Callable[..., str], language: Language) -> str:
    """What to do is never cut off by a long name: then it goes in general words."""
    filled = say(text)
    if "{product}" in text and len(filled) > HEADLINE:
        return say(text, product="Uw software" if language == "nl" else "Your software")
    return filled


def _product(block: Block, affected: Sequence[Affected], language: Language) -> str:
    """What to call what it is about: the one product (of the block), else in general words."""
    named = _products(block.id)
    known = [product for product in affected if _counts(product)]
    mine = [each for each in known if _hit(named, name_key(each.vendor, each.product))] if named else []
    mine = mine or known
    names = list(dict.fromkeys(each.product or each.vendor for each in mine))
    if len(names) == 1 and names[0].strip() and len(names[0]) <= LONGEST:
        return names[0]
    makers = {each.vendor for each in mine if each.vendor}
    if len(makers) == 1 and len(min(makers)) <= LONGEST:
        maker = makers.pop()
        return f"software van {maker}" if language == "nl" else f"{maker} software"
    return "de genoemde software" if language == "nl" else "the software named below"
