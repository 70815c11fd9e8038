"""One entry of an item against one version in use: inside, outside, or not certain; and why, in words.

Beside the version count the attributes of CPE names (NISTIR 7696: what the profile leaves open is not certain) and the
platforms that the entry asks for. A platform that no line of the profile names is not certain either: profiles list
little of what runs on what. One that is listed, and only in versions that are not meant, is not there.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache

from normalize import Affected, Range, cpe, products, ranges, versions

Presence = Callable[[str], bool | None]
"""Is a platform (the text of an `on` constraint) there? None: it is not known."""
Ask = Callable[[str], bool | None]
Platforms = tuple[tuple[str, str], ...]
_LIMIT = re.compile(r"(<=|>=|!=|<|>|=)(.+)", re.DOTALL)


def unknown(_platform: str) -> bool | None:
    """Of nobody in particular: what runs on what is not known."""
    return None


class Reading:
    """One entry, ready to be asked about many versions."""

    __slots__ = ("_alternatives", "_plain", "entry", "source")

    def __init__(self, entry: Affected) -> None:
        self.entry = entry
        self.source = _traits(entry.cpe)
        scheme = products.scheme_of(entry.purl)
        self._alternatives = [
            (versions.asker(plain, scheme), plain, platforms) for plain, platforms in map(split, entry.ranges)
        ]
        simple = self.source in ("", "s") and not any(platforms for _, _, platforms in self._alternatives)
        self._plain = [ask for ask, _, _ in self._alternatives] if simple else []

    def inside(self, version: str | None, traits: str = "", present: Presence = unknown) -> bool | None:
        """Does the entry hold this version, of software with these traits? None: it cannot be told, as of no version;
        but what is of other traits, or runs where it must not, is outside in any version."""
        if self._plain and not traits:
            if version is None:
                return None
            answers = [ask(version) for ask in self._plain]
            return True if True in answers else None if None in answers else False
        held = cpe.traits_hold(self.source, _without_package(traits))
        if held is False:
            return False
        answers = [self._in(*each, version, traits, present) for each in self._alternatives] or [None]
        if True in answers:
            return held
        return None if None in answers else False

    def _in(
        self, ask: Ask, plain: Range, platforms: Platforms, version: str | None, traits: str, present: Presence
    ) -> bool | None:
        there = [_stands(bound, present(text)) for bound, text in platforms]
        if False in there:
            return False
        if version is None:
            return None
        if traits.startswith("pkg:") and plain.constraints and plain.scheme != products.scheme_of(traits):
            return None  # a distribution mends old versions: upstream's numbers say nothing of its packages
        answer = self._updated(ask, version, _without_package(traits))
        return None if answer and None in there else answer

    def _updated(self, ask: Ask, version: str, traits: str) -> bool | None:
        """In the range, where `8.0` of any update holds `8.0 update3`, and may be what `8.0 update3` is meant by."""
        answer = ask(version)
        if not self.source:
            return answer
        meant, mine = cpe.update_of(self.source), cpe.update_of(traits)
        if meant == cpe.ANY and mine not in (cpe.ANY, cpe.NA) and answer is not True:
            base = version.removesuffix(f" {mine}")
            return True if base != version and ask(base) else answer
        if meant != cpe.ANY and mine == cpe.ANY:
            if meant == cpe.NA:  # a name alone, without any update, is the release itself
                return None if answer and traits else answer
            return None if answer or ask(f"{version} {meant}") else answer
        return answer

    def uncertain(self, version: str, traits: str = "", present: Presence = unknown) -> str:
        """Why it cannot be told whether the entry holds this version, in words."""
        if not self._alternatives:
            return "cannot be compared: the item states no version that can be read"
        if cpe.traits_hold(self.source, _without_package(traits)) is None:
            said = self.entry.cpe
            return f"cannot be compared: the profile does not say which edition or platform, the item does ({said})"
        for ask, _, platforms in self._alternatives:
            missing = [text for bound, text in platforms if _stands(bound, present(text)) is None]
            if missing and self._updated(ask, version, _without_package(traits)):
                return f"depends on what it runs on: {_named(missing[0])}"
        return f"cannot be compared: {version} with {stated(self.entry)}"


def _without_package(traits: str) -> str:
    """The attributes of a CPE alone."""
    return "" if traits.startswith("pkg:") else traits


def _stands(bound: str, there: bool | None) -> bool | None:
    return there if there is None or bound == "on" else not there


@lru_cache(maxsize=16384)
def split(each: Range) -> tuple[Range, Platforms]:
    """A range without its platforms, and these."""
    plain = tuple(one for one in each.constraints if one[0] not in ("on", "off"))
    platforms = tuple(one for one in each.constraints if one[0] in ("on", "off"))
    return (Range(plain, each.scheme), platforms) if platforms else (each, ())


def platforms_of(entries: Iterable[Affected]) -> tuple[str, ...]:
    """All platforms that entries ask for, each once."""
    return tuple(dict.fromkeys(text for entry in entries for each in entry.ranges for _, text in split(each)[1]))


@lru_cache(maxsize=4096)
def platform(text: str) -> Affected:
    """A platform as an entry of its own, to be looked for like any other: `cpe:2.3:h:... >=1.0|<1.5`."""
    name, _, limits = text.partition(" ")
    bounds = tuple((found[1], found[2]) for part in limits.split("|") if (found := _LIMIT.fullmatch(part)))
    parts = products.cpe_parts(name)
    if bounds:
        read: tuple[Range, ...] = (Range(bounds),)  # type: ignore[arg-type]
    else:
        read = ranges.read(parts[2]) if parts and parts[2] else (ranges.EVERY,)
    return Affected("", "", versions=limits, ranges=read, cpe=name)


@lru_cache(maxsize=16384)
def _traits(name: str | None) -> str:
    found = cpe.read(name) if name else None
    return found.traits if found else ""


def stated(entry: Affected) -> str:
    """Its versions as the source states them; that they follow no known scheme says nothing to people."""
    return entry.versions.removeprefix("vers:unknown/") or "*"


def _named(text: str) -> str:
    """A platform as people call it."""
    name, _, limits = text.partition(" ")
    parts = products.cpe_parts(name)
    return " ".join(filter(None, (*(parts or (name,)), limits))).replace("_", " ")
