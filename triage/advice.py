"""Handelingsperspectief: what the reader can do about it, from reusable course-of-action blocks.

A block (`blocks/*.toml`) is written in Dutch and English for three registers: zzp (3 steps, 120 words, plain B1
Dutch), mkb (5, 220) and mature (8 and detection, 450). A block may build on a base and fill in its `{words}`. Every
kind of item has a generic block, so that nothing is unreleasable for want of text; a block that names the item's
product or exposure replaces it. The catalogue is checked as a whole when it is loaded.
"""

import functools
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from normalize import Affected, Kind, Urgency
from normalize.products import name_key
from subscribers import Profile
from triage import TriageError

Register = Literal["zzp", "mkb", "mature"]
Language = Literal["nl", "en"]

BLOCKS = Path(__file__).parent / "blocks"
STEPS: dict[Register, int] = {"zzp": 3, "mkb": 5, "mature": 8}
WORDS: dict[Register, int] = {"zzp": 120, "mkb": 220, "mature": 450}
"""Most words a reader gets to read: steps, detection, self-check and way out, without the text to forward."""
HEADLINE = 40
"""Most characters of a headline, so that a subject has room for it beside level and id."""
LONGEST = 80
"""Characters of a product's or vendor's name that can stand in a sentence."""
ZONE = ZoneInfo("Europe/Amsterdam")
_SLOT = re.compile(r"\{([a-z_]+)\}")
_SLOTS = frozenset({"product", "title"})
"""Filled in for each item; every other word in braces is the block's own."""
_PREFIX = re.compile(r"^(?:scan6?|open|accessible|vulnerable|event[46]|population6?|exposed|report)-")
_SUFFIX = re.compile(r"-(?:tcp|udp|ipv6)$")


@dataclass(frozen=True, slots=True)
class Advice:
    """What one register reads, in one language."""

    block: str
    """Id of the block it comes from."""
    specific: bool
    """By product or exposure, not merely by kind."""
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
    principles: tuple[str, ...]
    """Which of the five basic principles it serves: risks, behaviour, systems, access, incidents."""
    version: str
    """Hash of the block's text in all languages and registers: what an approval is bound to."""


class _Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    time: str
    steps: tuple[str, ...]
    check: str
    cannot: str
    forward: str
    detection: tuple[str, ...] = ()

    def read(self) -> tuple[str, ...]:
        return (self.time, *self.steps, *self.detection, self.check, self.cannot)


class _Language(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    headline: str
    risk: str
    zzp: _Text
    mkb: _Text
    mature: _Text
    words: dict[str, str] = {}


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One block as it stands in its file, its base worked in."""

    id: str
    kinds: tuple[Kind, ...]
    nl: _Language
    en: _Language
    principles: tuple[Literal["risks", "behaviour", "systems", "access", "incidents"], ...]
    products: tuple[str, ...] = ()
    exposures: tuple[str, ...] = ()
    abstract: bool = False
    base: str = ""

    @property
    def version(self) -> str:
        """Content hash; any change of text makes another."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:16]


def steps(
    kind: Kind,
    *,
    exposure: str | None = None,
    affected: Sequence[Affected] = (),
    register: Register,
    language: Language,
    title: str = "",
) -> Advice:
    """The advice for an item. Always answers: a generic block exists for every kind that is an item."""
    block = choose(kind, exposure, affected)
    generic = block.id.startswith("generic-")
    words = block.nl if language == "nl" else block.en
    text: _Text = getattr(words, register)
    slots = {**words.words, "product": _product(block, affected, language), "title": title or kind}
    say = functools.partial(_fill, slots=slots)
    return Advice(
        block.id,
        not generic,
        say(words.headline),
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


def choose(kind: Kind, exposure: str | None, affected: Sequence[Affected]) -> Block:
    """The block that names most of what the item is about; of equals the first id. TriageError: kind `facts`."""
    catalogue, names = load(), _keys(affected)
    scores = [
        (-_hits(block, exposure, names), block.id)
        for block in catalogue.values()
        if kind in block.kinds and not block.abstract and not block.id.startswith("generic-")
    ]
    best = min(scores, default=(0, ""))
    found = catalogue.get(best[1] if best[0] < 0 else f"generic-{kind}")
    if found is None:
        raise TriageError(f"{kind} has no course of action: it is no item of its own")
    return found


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


def lint(block: Block) -> list[str]:
    """What is wrong with a block, in words an analyst can act on; empty: nothing."""
    faults: list[str] = []
    for language in get_args(Language):
        words: _Language = getattr(block, language)
        for register in get_args(Register):
            text: _Text = getattr(words, register)
            faults += [f"{language}.{register}: {fault}" for fault in _faults(text, words, register)]
    return faults


@functools.cache
def load(folder: Path = BLOCKS) -> Mapping[str, Block]:
    """Every block by id. TriageError names the file, the language and register, and what is wrong."""
    raw: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            data = tomllib.loads(path.read_text("utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise TriageError(f"{path.name}: {error}") from None
        if data.get("id") != path.stem:
            raise TriageError(f"{path.name}: id has to be the file's name, {path.stem}")
        raw[path.stem] = data
    blocks = {name: _block(name, raw) for name in raw}
    for block in blocks.values():
        if not block.abstract and (faults := lint(block)):
            raise TriageError(f"{block.id}.toml: {faults[0]}")
    for kind in get_args(Kind):
        if kind != "facts" and f"generic-{kind}" not in blocks:
            raise TriageError(f"generic-{kind}.toml is missing: every kind has generic steps")
    return blocks


def _block(name: str, raw: Mapping[str, dict[str, Any]]) -> Block:
    data = raw[name]
    if base := data.get("base"):
        if base not in raw:
            raise TriageError(f"{name}.toml: base {base} does not exist")
        inherited = {key: value for key, value in raw[base].items() if key not in ("abstract", "base")}
        data = _merged(inherited, data)
    try:
        return msgspec.convert(data, Block)
    except msgspec.ValidationError as error:
        raise TriageError(f"{name}.toml: {error}") from None


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _faults(text: _Text, words: _Language, register: Register) -> Iterable[str]:
    parts = [words.headline, words.risk, text.forward, *text.read()]
    unknown = {slot for part in parts for slot in _SLOT.findall(part)} - _SLOTS - words.words.keys()
    if unknown:
        yield f"unknown words in braces: {', '.join(sorted(unknown))}"
        return
    if len(text.steps) != STEPS[register]:
        yield f"{len(text.steps)} steps, not {STEPS[register]}"
    if not all(part.strip() for part in parts):
        yield "an empty text"
    slots = {**words.words, "product": "Product", "title": "Title"}
    if len(_fill(words.headline, slots)) > HEADLINE:
        yield f"a headline of more than {HEADLINE} characters"
    count = sum(len(_fill(part, slots).split()) for part in text.read())
    if count > WORDS[register]:
        yield f"{count} words, more than {WORDS[register]}"
    if register == "mature" and not text.detection:
        yield "no detection"


def _fill(text: str, slots: Mapping[str, str]) -> str:
    """Words in braces replaced, once: what is filled in is never read again."""
    return _SLOT.sub(lambda found: slots.get(found[1], found[0]), text)


def _hits(block: Block, exposure: str | None, names: Sequence[tuple[str, str]]) -> int:
    """How much of the item the block names. An exposure outweighs products: it says what was seen."""
    named = _product_keys(block.id)
    hits = sum(1 for name in names if _names(named, name)) if named else 0
    if exposure and block.exposures:
        key = exposure_key(exposure)
        hits += 1_000_000 * any(
            key.startswith(name[:-1]) if name.endswith("*") else key == name for name in block.exposures
        )
    return hits


def _keys(affected: Sequence[Affected]) -> list[tuple[str, str]]:
    return [name_key(each.vendor, each.product) for each in affected if each.status != "not-affected"]


def exposure_key(exposure: str) -> str:
    """`scan_rdp`, `open-rdp`, `accessible-rdp` -> `rdp`; `event4_sinkhole_http` -> `sinkhole-http`."""
    key = exposure.casefold().replace("_", "-")
    while (shorter := _SUFFIX.sub("", _PREFIX.sub("", key))) != key:
        key = shorter
    return key


def _names(named: frozenset[tuple[str, str]], name: tuple[str, str]) -> bool:
    vendor, product = name
    return any(vendor == maker and (product == thing or product.startswith(f"{thing} ")) for maker, thing in named)


@functools.cache
def _product_keys(block: str) -> frozenset[tuple[str, str]]:
    return frozenset(name_key(*entry.split("/", 1)) for entry in load()[block].products)


def _product(block: Block, affected: Sequence[Affected], language: Language) -> str:
    """What to call what it is about: the one product (of the block), else in general words."""
    named = _product_keys(block.id)
    known = [product for product in affected if product.status != "not-affected"]
    mine = [each for each in known if _names(named, name_key(each.vendor, each.product))] if named else []
    mine = mine or known
    names = list(dict.fromkeys(each.product or each.vendor for each in mine))
    if len(names) == 1 and names[0].strip() and len(names[0]) <= LONGEST:
        return names[0]
    makers = {each.vendor for each in mine if each.vendor}
    if len(makers) == 1 and len(min(makers)) <= LONGEST:
        maker = makers.pop()
        return f"software van {maker}" if language == "nl" else f"{maker} software"
    return "de genoemde software" if language == "nl" else "the software named below"
