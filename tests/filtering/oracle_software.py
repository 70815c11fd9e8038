"""Rule 2 of whom it concerns, plainly: a line of a profile against what a statement says of a product.

Written from domain-rules.md and the specifications it names, and imports types alone. Orders are not worked out: they
are looked up in ladders, versions in rising order as each scheme's own text puts them.
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple
from urllib.parse import unquote

from filtering import Confidence
from normalize import Affected
from subscribers import Software

LADDERS = {
    # semver.org 11; build metadata does not count (10)
    "npm": "1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-beta 1.0.0-beta.2 1.0.0-beta.11 1.0.0-rc.1 "
    "1.0.0|1.0.0+build.5 1.0.1 1.2.0 1.10.0 2.0.0",
    # PEP 440, Summary of permitted suffixes and relative ordering
    "pypi": "1.0.dev456 1.0a1 1.0a2.dev456 1.0a12 1.0b1.dev456 1.0b2 1.0b2.post345 1.0rc1 1.0|1.0.0 1.0.post456 "
    "1.1.dev1 1.1 1!0.5",
    # deb-version(7): `~` before the end, numbers as numbers, an epoch before all
    "deb": "1.0~beta1~svn1245-1 1.0~beta1-1 1.0-1 1.0-1+deb12u1 1.0-2 1.0.1-1 1.10-1 1:0.9-1",
    # RPM's own, as in rpm-version(7)
    "rpm": "1.0~rc1-1 1.0-1 1.0-2 1.0.1-1 1.10-1 1:0.9-1",
    # Maven, ComparableVersion
    "maven": "1-alpha-1 1-beta-1 1-milestone-1 1-rc-1 1-SNAPSHOT 1|1.0|1-ga 1-sp-1 1.1 1.10 2",
    # As the vendors number
    "fortios": "7.0.12 7.2|7.2.0 7.2.3 7.2.10 7.4 7.4.1",
    "mivoice": "15.0.1.13010-1 15.0.1.13012-1 15.0.1.13900-1 15.0.2",
    "netscaler adc": "13.1-49.15 14.1-4.42 14.1-8.50 14.1-12.30 14.1-12.35",
    "planner": "V2022.4 V2023.1 V2024.3|2024.3 V2025.1",
    "windows 10": "10.0.17763.6414 10.0.19045.3803 10.0.19045.5371",
    "junos": "21.2R3-S7 21.4R3 21.4R3-S5 22.1R1 22.1R1-S2",
    "asa": "9.14(4)23 9.16(4) 9.16(4)55 9.18(2)",
    "pan os": "10.2.9 10.2.9-h1 10.2.9-h9 10.2.10 11.0.0 11.1.2-h3",
    "portal": "7.9 8.0 8.1 9.0",
    "openssl": "1.1.1v 1.1.1w 3.0.2 3.0.11 3.2.0",
}
"""Package type or product -> its versions, lowest first; `|` between those that are equal."""
RUNGS = {
    kind: {version: at for at, rung in enumerate(ladder.split()) for version in rung.split("|")}
    for kind, ladder in LADDERS.items()
}
DISTRIBUTIONS = ("deb", "rpm")
ALIASES = {("citrix", "netscaler"): ("citrix", "netscaler adc")}
"""The one alias that the tests use."""
ANY, NA = "*", "-"
CERTAINTY: dict[Confidence | None, int] = {None: 0, "possible": 1, "likely": 2, "exact": 3}
Maybe = bool | None
"""None: it cannot be told."""


class Cpe(NamedTuple):
    """A CPE 2.3 name; the tests' have no escapes."""

    part: str
    vendor: str
    product: str
    version: str
    update: str
    edition: str
    language: str
    sw_edition: str
    target_sw: str
    target_hw: str
    other: str


def cpe_of(text: str) -> Cpe:
    return Cpe(*text.removeprefix("cpe:2.3:").split(":"))


class Thing(NamedTuple):
    """What a line or an entry says that it is."""

    names: frozenset[tuple[str, str]]
    purl: str
    version: str | None
    cpe: Cpe | None


def thing(one: Software | Affected) -> Thing:
    """The stated version goes before that of CPE or purl."""
    names = {(one.vendor.lower(), one.product.lower().replace("-", " "))} if one.product else set()
    cpe = cpe_of(one.cpe) if one.cpe else None
    if cpe:
        names.add((cpe.vendor, cpe.product.replace("_", " ")))
    package, _, packaged = (one.purl or "").partition("@")
    version = one.version if isinstance(one, Software) else None
    if version is None and cpe and cpe.version not in (ANY, NA):
        version = cpe.version
    return Thing(frozenset(names), package, version or unquote(packaged) or None, cpe)


def filed(names: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    return {ALIASES.get(name, name) for name in names}


def best(lines: Sequence[Software], said: Sequence[Affected]) -> Confidence | None:
    """How sure it is that one of these lines is affected by what a statement says."""
    return max((verdict(line, lines, said) for line in lines), key=CERTAINTY.__getitem__, default=None)


def verdict(line: Software, lines: Sequence[Software], said: Sequence[Affected]) -> Confidence | None:
    """Version inside: exact; one of the versions missing or not to be compared: possible; by another name: likely;
    outside: no match. What is called fixed or not affected must not alert."""
    mine = thing(line)
    about = same_product(mine, said)
    held = {n: inside(mine, entry, lines) for n, entry in enumerate(about)}
    for n, entry in enumerate(about):
        safe = entry.status in ("fixed", "not-affected")
        if safe and mine.version and held[n] is True and entry.versions != "*":
            return None
    found: list[Confidence | None] = [None]
    for n, entry in enumerate(about):
        if entry.status in ("affected", "unknown") and held[n] is not False:
            sure = held[n] is True and entry.status == "affected"
            found.append(("exact" if by_its_own_name(mine, about) else "likely") if sure else "possible")
    return max(found, key=CERTAINTY.__getitem__)


def same_product(mine: Thing, said: Sequence[Affected]) -> list[Affected]:
    """The entries that speak of what the line is; entries that share a name or a purl speak of one product."""
    names, purls = filed(mine.names), {mine.purl} - {""}
    reached: list[Affected] = []
    while True:
        more = [
            entry
            for entry in said
            if entry not in reached and (filed(thing(entry).names) & names or thing(entry).purl in purls)
        ]
        if not more:
            return [entry for entry in said if entry in reached]
        reached += more
        names |= {name for entry in more for name in filed(thing(entry).names)}
        purls |= {thing(entry).purl for entry in more} - {""}


def by_its_own_name(mine: Thing, about: Sequence[Affected]) -> bool:
    theirs = [thing(entry) for entry in about]
    return any(mine.purl and mine.purl == each.purl for each in theirs) or any(
        mine.names & each.names for each in theirs
    )


def inside(mine: Thing, entry: Affected, lines: Sequence[Software]) -> Maybe:
    """Is this version of this thing what the entry means?"""
    theirs = thing(entry)
    alike = attributes(theirs.cpe, mine.cpe)
    alternatives = [
        every_of([*where(platforms, lines), bounds_hold(mine, theirs, scheme, bounds, entry)])
        for scheme, bounds, platforms in parts(entry)
    ]
    return every_of([alike, any_of(alternatives or [None])])


def every_of(answers: Iterable[Maybe]) -> Maybe:
    got = list(answers)
    return False if False in got else None if None in got else True


def any_of(answers: Iterable[Maybe]) -> Maybe:
    got = list(answers)
    return True if True in got else None if None in got else False


Bounds = list[tuple[str, str]]


def parts(entry: Affected) -> list[tuple[str, Bounds, Bounds]]:
    """Each alternative as the scheme that it states, version bounds and platforms. `vers:` is read here from the text
    (VERS: sorted constraints, in which a lower bound and the upper one after it are an interval)."""
    if entry.versions.startswith("vers:"):
        return [(entry.versions[5:].partition("/")[0], bounds, []) for bounds in vers(entry.versions)]
    return [
        (
            each.scheme,
            [(bound, limit) for bound, limit in each.constraints if bound not in ("on", "off")],
            [(bound, limit) for bound, limit in each.constraints if bound in ("on", "off")],
        )
        for each in entry.ranges
    ]


def vers(text: str) -> list[Bounds]:
    stated = text.partition("/")[2]
    if stated == "*":
        return [[]]
    found: list[Bounds] = []
    never: Bounds = []
    for constraint in stated.split("|"):
        sign = next((each for each in ("!=", "<=", ">=", "<", ">") if constraint.startswith(each)), "")
        bound = (sign or "=", unquote(constraint.removeprefix(sign)))
        if sign == "!=":
            never.append(bound)
        elif sign in ("<", "<=") and found and found[-1][-1][0] in (">", ">="):
            found[-1].append(bound)
        else:
            found.append([bound])
    return [[*each, *never] for each in found or [[]]]


def bounds_hold(mine: Thing, theirs: Thing, scheme: str, bounds: Bounds, entry: Affected) -> Maybe:
    """The package's type goes before what a record calls its versions; of no known scheme, it numbers as its vendor."""
    if mine.version is None:
        return None
    if not bounds:
        return True
    kind = type_of(theirs.purl) or {"semver": "npm"}.get(scheme, scheme)
    if type_of(mine.purl) in DISTRIBUTIONS and kind != type_of(mine.purl):
        return None  # a distribution mends old versions: upstream's numbers say nothing of its packages
    rungs = RUNGS.get(kind) or RUNGS.get(product_of(entry), {})
    updated = mine.cpe is not None and mine.cpe.update not in (ANY, NA)
    later = 0.5 if updated and theirs.cpe is None else 0  # to who names it as vendors do, 8.0 update 1 is after 8.0
    answers = [compared(rungs, mine.version, bound, limit, later) for bound, limit in bounds]
    if theirs.cpe and theirs.cpe.update not in (ANY, NA) and mine.cpe is None:
        answers.append(None)  # a name alone does not say which update
    return every_of(answers)


def type_of(purl: str) -> str:
    return purl.removeprefix("pkg:").partition("/")[0]


def product_of(entry: Affected) -> str:
    return next(product for _, product in filed(thing(entry).names))


def compared(rungs: dict[str, int], version: str, bound: str, limit: str, later: float = 0) -> Maybe:
    limit = limit.partition(" ")[0] if limit.startswith("8.0 ") else limit  # the update stands in the CPE
    one, other = rungs.get(version), rungs.get(limit)
    if one is None or other is None:
        return None
    order = (one + later > other) - (one + later < other)
    return {"=": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">": order > 0, ">=": order >= 0}[
        bound
    ]


def attributes(theirs: Cpe | None, mine: Cpe | None) -> Maybe:
    """NISTIR 7696, table 6-2: what the entry names holds what the profile names; of it is silent is open."""
    if theirs is None:
        return True
    if mine is None:
        return None if any(value != ANY for value in theirs[5:]) else True
    if "h" in (theirs.part, mine.part) and theirs.part != mine.part:
        return False
    return every_of(attribute(one, other) for one, other in zip(theirs[4:], mine[4:], strict=True))


def attribute(source: str, target: str) -> Maybe:
    if source in (ANY, target):
        return True
    if target == ANY:
        return None
    return NA not in (source, target) and fnmatchcase(target, source)


def where(platforms: Bounds, lines: Sequence[Software]) -> list[Maybe]:
    """NVD configurations: what has to be there beside the product (`on`), or must not be (`off`)."""
    there = [(bound, present(text, lines)) for bound, text in platforms]
    return [found if bound == "on" or found is None else not found for bound, found in there]


def present(text: str, lines: Sequence[Software]) -> Maybe:
    """Is it among what the profile lists? Profiles list little: what no line names may well be there."""
    name, _, limits = text.partition(" ")
    wanted = cpe_of(name)
    product = wanted.product.replace("_", " ")
    answers: list[Maybe] = []
    for mine in map(thing, lines):
        if (wanted.vendor, product) not in filed(mine.names):
            continue
        bounds = vers(f"vers:x/{limits}")[0] if limits else [("=", wanted.version)] if wanted.version != ANY else []
        at = (
            True
            if not bounds
            else None
            if mine.version is None
            else every_of(compared(RUNGS[product], mine.version, *bound) for bound in bounds)
        )
        answers.append(every_of([attributes(wanted, mine.cpe), at]))
    return any_of(answers) if answers else None
