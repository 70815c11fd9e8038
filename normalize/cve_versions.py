"""Version entries of a CVE 5 record -> ranges. Clause: CVE JSON 5.1 "affected", "versions", "changes".

An entry is a point or an interval with a status; `changes` flip the status inside it, often on parallel branches
(hotfixes), where only the hull of what is affected can be told. The hull is taken: too wide alerts one too many, too
narrow is silence. Of what is safe it is the other way round: up to where it first becomes affected.
"""

import re
from collections.abc import Sequence
from functools import cmp_to_key, partial
from itertools import combinations
from typing import Any, Literal

from packageurl import PackageURL

from normalize import Affected, Bound, Range, products, ranges, schemes, versions
from normalize.lenient import Json, Parts, clean

Status = Literal["affected", "not-affected", "unknown"]
_STATUS: dict[str, Status] = {"affected": "affected", "unaffected": "not-affected", "unknown": "unknown"}
_START = frozenset({"", "0", "0.0", "0.0.0", "unspecified", "n/a", "-", "*", "all", "all versions"})
"""As a lower bound: from the beginning."""
_ALL = frozenset({"*", "all", "all versions"})
_HASHES = frozenset({"git", "commit", "hash"})
"""Types of versions that have no order."""
_COLLECTIONS = {
    "pkg.go.dev": "golang", "npmjs": "npm", "pypi.org": "pypi", "pypi.python.org": "pypi", "crates.io": "cargo",
    "rubygems.org": "gem", "nuget.org": "nuget", "packagist.org": "composer", "maven": "maven",
}  # fmt: skip
_Read = tuple[Status, str, Sequence[Range]]
"""Status, text as stated, exact reading."""
_End = tuple[Bound, str] | None


def affected(vendor: str, product: str, entry: Json, path: str, parts: Parts) -> list[Affected]:
    """One Affected for each status: all ranges that can be read, and one for those that cannot."""
    purl = _purl(entry)
    make = partial(Affected, vendor, product, cpe=_cpe(entry), purl=purl)
    default = _STATUS.get(str(entry.get("defaultStatus", "")), "unknown")
    listed = [version for version, _ in parts.objects(entry, "versions", path)]
    plain = [version for version in listed if version.get("versionType") not in _HASHES] or listed
    scheme = products.scheme_of(purl) or _scheme(listed)
    every = [each for version in plain for each in _version(version, scheme)]
    if default == "affected":
        every += _others(every)
    found: dict[tuple[Status, bool], tuple[list[str], list[Range]]] = {}
    for status, text, read in every:
        texts, alternatives = found.setdefault((status, bool(read)), ([], []))
        texts.append(text)
        alternatives += read
    made = [
        make(versions=", ".join(dict.fromkeys(texts)), ranges=tuple(dict.fromkeys(alternatives)), status=status)
        for (status, _), (texts, alternatives) in found.items()
    ]
    return made or [make(status=default if listed or default != "unknown" else "affected")]


def _scheme(listed: list[Json]) -> str:
    """The one scheme that its versions state; of entries that state none (`custom`) it is the same product."""
    stated = {schemes.scheme(str(version.get("versionType") or "")) for version in listed} - {""}
    return stated.pop() if len(stated) == 1 else ""


def hashes_only(entry: Json) -> bool:
    """Does it state its versions as commits alone?"""
    listed = entry.get("versions")
    types = [each.get("versionType") for each in (listed if isinstance(listed, list) else ()) if isinstance(each, dict)]
    return bool(types) and all(kind in _HASHES for kind in types)


def _others(listed: list[_Read]) -> list[_Read]:
    """What `defaultStatus: affected` adds: what lies between the versions that are listed as something else.

    Where none is, the default speaks against what is listed: *possibly*.
    """
    if not listed:
        return []
    but = [each for each in listed if each[0] != "affected"]
    if not but:
        return [("affected", "other versions", ())]
    between = _between([each for _, _, read in but for each in read]) if all(read for _, _, read in but) else None
    if between == []:
        return []
    text = "all but " + ", ".join(dict.fromkeys(text for _, text, _ in but))
    return [("affected", text, between or ())]


def _between(taken: list[Range]) -> list[Range] | None:
    """Every version that is in none of these intervals; None: their order is not certain."""
    intervals = [_ends(each) for each in taken]
    limits = [end[1] for interval in intervals for end in interval if end is not None]
    if any(bound == "!=" for each in taken for bound, _ in each.constraints):
        return None
    scheme = taken[0].scheme if taken else ""
    if any(versions.compare(one, other, scheme) is None for one, other in combinations(limits, 2)):
        return None
    compared = partial(_compared, scheme)
    free: list[Range] = []
    reached: _End = None
    for lower, upper in sorted(intervals, key=cmp_to_key(partial(_by_start, scheme))):
        if lower is not None and (reached is None or compared(reached[1], lower[1]) < 0):
            before = (_OPPOSITE[lower[0]], lower[1])
            free.append(Range((before,) if reached is None else (reached, before), scheme))
        if upper is None:
            return free
        if reached is None or compared(reached[1], upper[1]) < 0:
            reached = (_OPPOSITE[upper[0]], upper[1])
    return [*free, Range(() if reached is None else (reached,), scheme)]


def _ends(interval: Range) -> tuple[_End, _End]:
    """Its lower and its upper bound; None: it has none."""
    ends: dict[str, _End] = {bound[0]: (bound, limit) for bound, limit in interval.constraints}
    point = next((limit for bound, limit in interval.constraints if bound == "="), None)
    return ((">=", point), ("<=", point)) if point is not None else (ends.get(">"), ends.get("<"))


_OPPOSITE: dict[Bound, Bound] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def _by_start(scheme: str, one: tuple[_End, _End], other: tuple[_End, _End]) -> int:
    if one[0] is None or other[0] is None:
        return (one[0] is not None) - (other[0] is not None)
    return _compared(scheme, one[0][1], other[0][1])


def _version(entry: Json, scheme: str) -> list[_Read]:
    """One entry; two when its status changes to affected inside."""
    status = _STATUS.get(str(entry.get("status", "")), "unknown")
    start, kind = clean(str(entry.get("version") or "")), str(entry.get("versionType") or "")
    upper = next(((sign, clean(str(entry[key]))) for key, sign in _UPPERS if entry.get(key)), None)
    if upper is None:
        if status == "affected" and _changes(entry, "unaffected", scheme):
            return [(status, f"{start} and later", _hull(start, None, entry, scheme))]
        alone = kind in _HASHES or start.lower() in ("0", "0.0", "0.0.0")  # of nothing but a beginning the end is open
        return [(status, start, () if alone else ranges.read(start, scheme=scheme))]
    text = f"{start} {upper[0]} {upper[1]}" if start.lower() not in _START else f"{upper[0]} {upper[1]}"
    if kind in _HASHES:
        return [(status, text, ())]
    if kind == "patch":
        words = "lessThan" if upper[0] == "<" else "lessThan ="
        return [(status, text, ranges.read(f"{start} {words} {upper[1]} type patch"))]
    flips = _changes(entry, "affected", scheme)
    if status == "affected" or not flips:
        return [(status, text, _hull(start, upper, entry, scheme))]
    first = flips[0]
    safe = upper if upper[1] not in _ALL and versions.compare(first, upper[1], scheme) in (0, 1) else ("<", first)
    later = _hull(first, None, entry, scheme)
    return [(status, text, _within(start, *safe, scheme)), ("affected", f"{first} and later", later)]


_UPPERS: tuple[tuple[str, Bound], ...] = (("lessThan", "<"), ("lessThanOrEqual", "<="))


def _hull(start: str, upper: tuple[Bound, str] | None, entry: Json, scheme: str) -> tuple[Range, ...]:
    """From the start to the upper bound; without one, to the last change to unaffected.

    One change to unaffected at a plain number lies on no branch: from there on all is well.
    """
    ends = _changes(entry, "unaffected", scheme)
    if upper is None or upper[1] in _ALL:
        return _within(start, "<", ends[-1] if ends else "*", scheme)
    alone = len(ends) == 1 and not _changes(entry, "affected", scheme) and _NUMBERED(ends[0])
    if alone and versions.compare(ends[0], upper[1], scheme) == -1:
        return _within(start, "<", ends[0], scheme)
    return _within(start, *upper, scheme)


_NUMBERED = re.compile(r"\d+(?:\.\d+)*").fullmatch


def _within(start: str, sign: Bound, limit: str, scheme: str) -> tuple[Range, ...]:
    """From a start to a limit; of several limits, on parallel branches (`23.4R1-S1, 23.4R2`), to the last."""
    if limit.lstrip("<= ") != limit:  # the sign stands in the limit as well
        sign, limit = ("<=" if "=" in limit[:2] else "<"), limit.lstrip("<= ")
    last = sorted((part.strip() for part in limit.split(",")), key=cmp_to_key(partial(_compared, scheme)))[-1]
    stated = [f">={start}"] if start.lower() not in _START else []
    stated += [f"{sign}{last}"] if last not in _ALL else []
    read = [ranges.read(each, scheme=scheme) for each in stated]
    if not all(len(each) == 1 for each in read):
        return ()
    return (Range(tuple(bound for (each,) in read for bound in each.constraints), scheme),)


def _changes(entry: Json, to: str, scheme: str) -> list[str]:
    """Where the status changes to that, in order of version (as listed, where the order is not certain)."""
    listed: Any = entry.get("changes")
    found = [
        clean(str(change.get("at") or ""))
        for change in (listed if isinstance(listed, list) else ())
        if isinstance(change, dict) and change.get("status") == to
    ]
    return sorted((at for at in found if at), key=cmp_to_key(partial(_compared, scheme)))


def _compared(scheme: str, one: str, other: str) -> int:
    return versions.compare(one, other, scheme) or 0


def _cpe(entry: Json) -> str | None:
    """The product's CPE; of several versions of it, the product without version."""
    listed = entry.get("cpes")
    cpes = [cpe for cpe in (listed if isinstance(listed, list) else ()) if isinstance(cpe, str)]
    known = [cpe for cpe in cpes if cpe.startswith("cpe:2.3:") and products.cpe_parts(cpe)]
    if len(known) <= 1:
        return known[0] if known else None
    part, vendor, product = known[0].split(":")[2:5]
    return f"cpe:2.3:{part}:{vendor}:{product}:*:*:*:*:*:*:*:*"


def _purl(entry: Json) -> str | None:
    stated = entry.get("packageURL")
    if isinstance(stated, str) and products.purl_parts(stated):
        return stated
    collection, name = str(entry.get("collectionURL") or ""), clean(str(entry.get("packageName") or ""))
    kind = next((kind for host, kind in _COLLECTIONS.items() if host in collection), None)
    if not kind or not name:
        return None
    namespace, _, last = name.replace(":", "/").rpartition("/")
    try:
        return PackageURL(kind, namespace or None, last).to_string()
    except ValueError:
        return None
