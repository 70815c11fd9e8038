"""CPE applicability statements -> affected products: `cpeApplicability` of CVE 5.1.1, `configurations` of the NVD.

A match that is `vulnerable` is a product with its versions; the others are what it has to run on or with. What holds
only on a certain platform is *possibly* affected within its versions, since profiles do not say what runs on what; but
firmware on its maker's own device is that firmware. Of what is negated no version is certain.
Source: CVE JSON 5.1.1 and NVD API 2.0 schemas; NISTIR 7698 (applicability language).
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from normalize import Affected, Range, products, ranges
from normalize.lenient import Json, Parts, clean

_BOUNDS = {
    "versionStartIncluding": ">=",
    "versionStartExcluding": ">",
    "versionEndIncluding": "<=",
    "versionEndExcluding": "<",
}


class _Match(NamedTuple):
    """A CPE with versions."""

    kind: str
    """a, o or h."""
    vendor: str
    product: str
    cpe: str
    """Of the product, without its version."""
    text: str
    ranges: tuple[Range, ...]
    vulnerable: bool


def affected(statements: Iterable[tuple[Json, str]], parts: Parts) -> list[Affected]:
    """One Affected for each product, and for how sure it is: all ranges that can be read, or those that cannot."""
    found: dict[tuple[str, str, str, bool, bool], tuple[list[str], list[Range]]] = {}
    for match, sure, negated in (each for one, path in statements for each in _statement(one, path, parts)):
        text = f"all but {match.text or 'any'}" if negated else match.text
        read = () if negated else match.ranges
        key = (match.vendor, match.product, match.cpe, sure and not negated, bool(read))
        texts, alternatives = found.setdefault(key, ([], []))
        texts += [text] if text else []
        alternatives += read
    return [
        Affected(
            vendor.replace("_", " "),
            product.replace("_", " "),
            versions=", ".join(dict.fromkeys(texts)),
            ranges=tuple(dict.fromkeys(alternatives)),
            cpe=cpe,
            status="affected" if sure else "unknown",
        )
        for (vendor, product, cpe, sure, _), (texts, alternatives) in found.items()
    ]


def _statement(statement: Json, path: str, parts: Parts) -> Iterator[tuple[_Match, bool, bool]]:
    """The vulnerable matches of one statement: is it sure that they are, and are they negated?"""
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
        beside = [each for other, some in nodes if together and other is not node for each in some]
        beside += [each for each in matches if _says(node, "operator", "AND") and not each.vulnerable]
        negated = _true(statement.get("negate")) != _true(node.get("negate"))
        alone = _says(node, "operator", "AND") and len([each for each in matches if each.vulnerable]) > 1
        for match in matches:
            if match.vulnerable:
                yield match, not alone and all(_own(match, each) for each in beside), negated


def _match(entry: Json, path: str, parts: Parts) -> _Match | None:
    cpe = parts.text(entry, "criteria", path)
    named = products.cpe_parts(cpe) if cpe.startswith("cpe:2.3:") else None
    if named is None:
        parts.note("not a CPE 2.3 name of a product", f"{path}/criteria")
        return None
    vendor, product, version = named
    fields = re.split(r"(?<!\\):", cpe)
    stated = [
        (sign, re.sub(r"\\(.)", r"\1", clean(str(entry[key])))) for key, sign in _BOUNDS.items() if entry.get(key)
    ]
    text = " ".join(f"{sign} {limit}" for sign, limit in stated) or version
    read: tuple[Range, ...] = ()
    if stated:
        read = _within([f"{sign}{limit}" for sign, limit in stated])
    elif version:
        read = ranges.read(version)
    elif fields[5:6] == ["*"]:
        read, text = (ranges.EVERY,), "all versions"
    whole = ":".join((*fields[:5], *"********"))
    return _Match(
        fields[2], vendor, product, whole, text, read, entry.get("vulnerable") is None or _true(entry["vulnerable"])
    )


def _within(stated: list[str]) -> tuple[Range, ...]:
    """Between these bounds; nothing when one of them cannot be read exactly."""
    read = [ranges.read(each) for each in stated]
    if not all(len(each) == 1 for each in read):
        return ()
    return (Range(tuple(bound for (each,) in read for bound in each.constraints)),)


def _own(match: _Match, beside: _Match) -> bool:
    """Is the other one the device that this firmware is made for?"""
    return match.kind == "o" and beside.kind == "h" and not beside.vulnerable and match.vendor == beside.vendor


def _says(thing: Json, key: str, value: str) -> bool:
    return str(thing.get(key, "")).upper() == value


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
