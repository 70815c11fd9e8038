"""CPE applicability statements -> affected products: `cpeApplicability` of CVE 5.1.1, `configurations` of the NVD.

A match that is `vulnerable` is a product with its versions; the others are what it has to run on or with: constraints
`on` and `off` of its ranges, which hold or not for a profile that lists the platform. Firmware on its own device is
that firmware. Of what is negated itself no version is certain. The attributes of a CPE that tell more than its name
(edition, target software) stay in the product's CPE.
Source: CVE JSON 5.1.1 and NVD API 2.0 schemas; NISTIR 7698 (applicability language).
"""

import re
from collections.abc import Iterable, Iterator
from itertools import product
from math import prod
from typing import Any, NamedTuple

import msgspec

from normalize import Affected, Bound, Range, cpe, products, ranges
from normalize.lenient import Json, Parts, clean

_BOUNDS = {
    "versionStartIncluding": ">=",
    "versionStartExcluding": ">",
    "versionEndIncluding": "<=",
    "versionEndExcluding": "<",
}


_MOST = 60
"""Ranges of one match; with more platforms than that it is *possibly* affected, whatever they are."""
_Platforms = tuple[tuple[Bound, str], ...]
"""Constraints of which one has to hold."""


class _Match(NamedTuple):
    """A CPE with versions."""

    kind: str
    """a, o or h."""
    vendor: str
    product: str
    cpe: str
    """Of the product, without its version."""
    stated: str
    """As it stands there."""
    text: str
    ranges: tuple[Range, ...]
    vulnerable: bool


def affected(statements: Iterable[tuple[Json, str]], parts: Parts) -> list[Affected]:
    """One Affected for each product, and for how sure it is: all ranges that can be read, or those that cannot."""
    found: dict[tuple[str, str, str, bool, bool], tuple[list[str], list[Range]]] = {}
    for match, platforms, negated in (each for one, path in statements for each in _statement(one, path, parts)):
        text = f"all but {match.text or 'any'}" if negated else match.text
        sure = not negated and prod(map(len, platforms)) * len(match.ranges) <= _MOST
        read = () if negated else _upon(match.ranges, platforms) if sure else match.ranges
        key = (match.vendor, match.product, match.cpe, sure, bool(read))
        texts, alternatives = found.setdefault(key, ([], []))
        texts += [text] if text else []
        alternatives += read
    return [
        Affected(
            vendor.replace("_", " "),
            name.replace("_", " "),
            versions=", ".join(dict.fromkeys(texts)),
            ranges=tuple(dict.fromkeys(alternatives)),
            cpe=stated,
            status="affected" if sure else "unknown",
        )
        for (vendor, name, stated, sure, _), (texts, alternatives) in found.items()
    ]


def _upon(read: Iterable[Range], platforms: list[_Platforms]) -> tuple[Range, ...]:
    """The ranges, on every choice of platforms."""
    return tuple(
        msgspec.structs.replace(each, constraints=(*each.constraints, *dict.fromkeys(chosen)))
        for each in read
        for chosen in product(*platforms)
    )


def _statement(statement: Json, path: str, parts: Parts) -> Iterator[tuple[_Match, list[_Platforms], bool]]:
    """The vulnerable matches of one statement: what has to be there beside each, and is it negated?"""
    nodes = [
        (
            node,
            [
                match
                for each, inside in parts.objects(node, "cpeMatch", where)
                if (match := _match(each, inside, parts))
            ],
        )
        for node, where in parts.objects(statement, "nodes", path)
    ]
    together = _says(statement, "operator", "AND")
    for node, matches in nodes:
        others = [each for each in nodes if together and each[0] is not node]
        negated = _true(statement.get("negate")) != _true(node.get("negate"))
        for match in matches:
            if match.vulnerable:
                beside = [(node, [each]) for each in matches if _says(node, "operator", "AND") and each is not match]
                yield match, [*_platforms(match, [*others, *beside])], negated


def _platforms(match: _Match, nodes: Iterable[tuple[Json, list[_Match]]]) -> Iterator[_Platforms]:
    """What has to be there, or not, in conjunction; of each one of the alternatives."""
    for node, matches in nodes:
        negated = _true(node.get("negate"))
        bound: Bound = "off" if negated else "on"
        stated: list[tuple[Bound, str]] = [(bound, _text(each)) for each in matches]
        if not negated and any(_own(match, each) for each in matches):
            continue
        if negated == _says(node, "operator", "AND"):  # one of them; of a negation De Morgan turns it round
            yield tuple(stated)
        else:
            yield from ((each,) for each in stated)


def _text(match: _Match) -> str:
    """A platform as a constraint states it."""
    bounded = match.ranges if len(match.ranges) == 1 and match.stated == match.cpe else ()
    limits = "|".join(f"{bound}{limit}" for bound, limit in bounded[0].constraints) if bounded else ""
    return f"{match.stated} {limits}".strip()


def _match(entry: Json, path: str, parts: Parts) -> _Match | None:
    criteria = parts.text(entry, "criteria", path)
    named = products.cpe_parts(criteria) if criteria.startswith("cpe:2.3:") else None
    if named is None:
        parts.note("not a CPE 2.3 name of a product", f"{path}/criteria")
        return None
    vendor, name, version = named
    fields = re.findall(r"(?:\\.|[^\\:])+", criteria)
    stated = [
        (sign, re.sub(r"\\(.)", r"\1", clean(str(entry[key])))) for key, sign in _BOUNDS.items() if entry.get(key)
    ]
    text = " ".join(f"{sign} {limit}" for sign, limit in stated) or version
    read: tuple[Range, ...] = ()
    if stated:
        read = _within([f"{sign}{limit}" for sign, limit in stated])
    elif version:
        read = ranges.read(version)
    elif fields[5:6] == [cpe.ANY]:
        read, text = (ranges.EVERY,), "all versions"
    whole = ":".join((*fields[:5], cpe.ANY, *fields[6:13], *"*" * (13 - max(len(fields), 6))))
    vulnerable = entry.get("vulnerable") is None or _true(entry["vulnerable"])
    return _Match(fields[2], vendor, name, whole, criteria, text, read, vulnerable)


def _within(stated: list[str]) -> tuple[Range, ...]:
    """Between these bounds; nothing when one of them cannot be read exactly."""
    read = [ranges.read(each) for each in stated]
    if not all(len(each) == 1 for each in read):
        return ()
    return (Range(tuple(bound for (each,) in read for bound in each.constraints)),)


def _own(match: _Match, beside: _Match) -> bool:
    """Is the other one the device that this firmware is named for? `r1_firmware` runs on nothing but `r1`."""
    device = beside.kind == "h" and not beside.vulnerable
    return match.kind == "o" and device and (match.vendor, match.product.removesuffix("_firmware")) == beside[1:3]


def _says(thing: Json, key: str, value: str) -> bool:
    return str(thing.get(key, "")).upper() == value


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
