"""The blocks of advice as they stand in `blocks/*.toml`: read, put on their base, and checked as a whole.

A block is found by what an item names: its exposure, its products, or its theme (a word of the title, or the id of a
technique or weakness in its STIX). Every kind of item has a generic block, so nothing is unreleasable for want of text.
"""

import functools
import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from normalize import Kind
from triage import TriageError

Register = Literal["zzp", "mkb", "mature"]
Language = Literal["nl", "en"]
Principle = Literal["risks", "behaviour", "systems", "access", "incidents"]
"""The five basic principles of NCSC and DTC."""

BLOCKS = Path(__file__).parent / "blocks"
STEPS: dict[Register, int] = {"zzp": 3, "mkb": 5, "mature": 8}
WORDS: dict[Register, int] = {"zzp": 120, "mkb": 220, "mature": 450}
"""Most words a reader gets to read: steps, detection, self-check and way out, without the text to forward."""
HEADLINE = 40
"""Most characters of a headline, so that a subject has room for it beside level and id."""
_SLOT = re.compile(r"\{([a-z_]+)\}")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one register reads in one language."""

    time: str
    steps: tuple[str, ...]
    check: str
    cannot: str
    forward: str
    """For whoever manages the systems: not counted as what the reader reads."""
    detection: tuple[str, ...] = ()

    def read(self) -> tuple[str, ...]:
        """All that the reader reads of it."""
        return (self.time, *self.steps, *self.detection, self.check, self.cannot)


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A block in one language."""

    headline: str
    """Action first, for the subject: `FortiGate: zet beheer via internet uit`."""
    risk: str
    """What can happen, in two sentences."""
    zzp: Text
    mkb: Text
    mature: Text
    words: dict[str, str] = {}

    def say(self, text: str, product: str, title: str) -> str:
        """A text with the block's own words filled in, then those of an item, which are never read again."""
        return fill(fill(text, self.words), {"product": product, "title": title})

    def text(self, register: Register) -> Text:
        """What that register reads."""
        found: Text = getattr(self, register)
        return found


class Block(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One block, its base worked in."""

    id: str
    kinds: tuple[Kind, ...]
    nl: Words
    en: Words
    principles: tuple[Principle, ...]
    products: tuple[str, ...] = ()
    """`Vendor/Product`, or `Vendor/*` for all that no other block names."""
    exposures: tuple[str, ...] = ()
    """Keys (`advice.exposure_key`); one that ends in `*` is a beginning."""
    themes: tuple[str, ...] = ()
    """Words of a title (`phishing`, `supply-chain`), ids of techniques or weaknesses (`T1566`, `CWE-798`), types of
    malware."""
    abstract: bool = False
    base: str = ""
    sources: tuple[str, ...] = ()
    """Addresses of what its facts were compared with, those of its base too; empty: not compared with anything yet."""
    checked: date | None = None
    """When that was."""

    @property
    def version(self) -> str:
        """Content hash; any change of text makes another. To check it again changes no text."""
        said = msgspec.structs.replace(self, sources=(), checked=None)
        return hashlib.sha256(msgspec.json.encode(said, order="deterministic")).hexdigest()[:16]

    @property
    def generic(self) -> bool:
        """Of a kind of item, not of what it is about."""
        return self.id.startswith("generic-")

    def words(self, language: Language) -> Words:
        """It in one language."""
        return self.nl if language == "nl" else self.en


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
    blocks = {name: _block(name, raw) for name in raw if not raw[name].get("abstract")}
    for block in blocks.values():
        for fault in faults(block):
            raise TriageError(f"{block.id}.toml: {fault}")
    for kind in get_args(Kind):
        if kind != "facts" and f"generic-{kind}" not in blocks:
            raise TriageError(f"generic-{kind}.toml is missing: every kind has generic steps")
    return blocks


def faults(block: Block) -> Iterable[str]:
    """What makes a block unfit for use: too many steps or words, an empty text, a word that nothing fills in."""
    if bool(block.sources) != bool(block.checked):
        yield "sources and the day on which they were checked go together"
    for language in get_args(Language):
        words = block.words(language)
        parts = [words.headline, words.risk]
        for register in get_args(Register):
            text = words.text(register)
            parts += [*text.read(), text.forward]
            for fault in _faults(words, text, register):
                yield f"{language}.{register}: {fault}"
        said = [words.say(part, "Product", "Title") for part in parts]
        if unknown := {slot for part in said for slot in _SLOT.findall(part)}:
            yield f"{language}: unknown words in braces: {', '.join(sorted(unknown))}"
        if not all(part.strip() for part in said):
            yield f"{language}: an empty text"
        if len(said[0]) > HEADLINE:
            yield f"{language}: a headline of more than {HEADLINE} characters"


def fill(text: str, slots: Mapping[str, str]) -> str:
    """Words in braces replaced, once: what is filled in is never read again."""
    return _SLOT.sub(lambda found: slots.get(found[1], found[0]), text)


def _faults(words: Words, text: Text, register: Register) -> Iterable[str]:
    if len(text.steps) != STEPS[register]:
        yield f"{len(text.steps)} steps, not {STEPS[register]}"
    count = sum(len(words.say(part, "Product", "Title").split()) for part in text.read())
    if count > WORDS[register]:
        yield f"{count} words, more than {WORDS[register]}"
    if register == "mature" and not text.detection:
        yield "no detection"


def _block(name: str, raw: Mapping[str, dict[str, Any]]) -> Block:
    data = raw[name]
    if base := data.get("base"):
        if base not in raw:
            raise TriageError(f"{name}.toml: base {base} does not exist")
        inherited = {key: value for key, value in raw[base].items() if key not in ("abstract", "base")}
        data = _merged(inherited, data) | {"sources": [*data.get("sources", ()), *inherited.get("sources", ())]}
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
