"""Version entries of a CVE 5 record -> ranges. Clause: CVE JSON 5.1 "affected", "versions", "changes".

An entry is a point or an interval with a status; `changes` flip the status inside it, often on parallel branches
(hotfixes), where only the hull of what is affected can be told. The hull is taken: too wide alerts one too many, too
narrow is silence.
"""

from collections.abc import Sequence
from functools import cmp_to_key, partial
from typing import Any, Literal

from packageurl import PackageURL

from normalize import Affected, Bound, Range, products, versions
from normalize.lenient import Json, Parts, clean

Status = Literal["affected", "not-affected", "unknown"]
_STATUS: dict[str, Status] = {"affected": "affected", "unaffected": "not-affected", "unknown": "unknown"}
_START = frozenset({"", "0", "0.0", "0.0.0", "unspecified", "n/a", "-", "*"})
"""As a lower bound: from the beginning."""
_ALL = frozenset({"*", "all", "all versions"})
_COLLECTIONS = {
    "pkg.go.dev": "golang", "npmjs": "npm", "pypi.org": "pypi", "pypi.python.org": "pypi", "crates.io": "cargo",
    "rubygems.org": "gem", "nuget.org": "nuget", "packagist.org": "composer", "maven": "maven",
}  # fmt: skip


def affected(vendor: str, product: str, entry: Json, path: str, parts: Parts) -> list[Affected]:
    """One Affected for each status: all ranges that can be read, and one for those that cannot."""
    make = partial(Affected, vendor, product, cpe=_cpe(entry), purl=_purl(entry))
    default = _STATUS.get(str(entry.get("defaultStatus", "")), "unknown")
    listed = [version for version, _ in parts.objects(entry, "versions", path)]
    plain = [version for version in listed if version.get("versionType") != "git"] or listed
    found: dict[tuple[Status, bool], tuple[list[str], list[Range]]] = {}
    for version in plain:
        for status, text, read in _version(version):
            texts, ranges = found.setdefault((status, bool(read)), ([], []))
            texts.append(text)
            ranges += read
    made = [
        make(versions=", ".join(dict.fromkeys(texts)), ranges=tuple(dict.fromkeys(ranges)), status=status)
        for (status, _), (texts, ranges) in found.items()
    ]
    if default == "affected" and not any(status == "affected" for status, _ in found):
        but = ", ".join(text for product in made for text in (product.versions,) if text)
        made.insert(0, make(versions=f"all but {but}" if but else ""))
    if not made:
        status = default if listed or default != "unknown" else "affected"
        made.append(make(status=status))
    return made


def _version(entry: Json) -> list[tuple[Status, str, Sequence[Range]]]:
    """Status, text as stated and exact reading of one entry; two when its status changes to affected inside."""
    status = _STATUS.get(str(entry.get("status", "")), "unknown")
    start, kind = clean(str(entry.get("version") or "")), str(entry.get("versionType") or "")
    upper = next(((sign, clean(str(entry[key]))) for key, sign in _UPPERS if entry.get(key)), None)
    if upper is None:
        if status == "affected" and _changes(entry, "unaffected"):
            return [(status, f"{start} and later", _hull(start, None, entry))]
        return [(status, start, () if kind == "git" else products.ranges(start))]
    text = f"{start} {upper[0]} {upper[1]}" if start.lower() not in _START else f"{upper[0]} {upper[1]}"
    if kind == "git":
        return [(status, text, ())]
    if kind == "patch":
        words = "lessThan" if upper[0] == "<" else "lessThan ="
        return [(status, text, products.ranges(f"{start} {words} {upper[1]} type patch"))]
    whole: list[tuple[Status, str, Sequence[Range]]] = [(status, text, _hull(start, upper, entry))]
    flips = _changes(entry, "affected")
    if status != "affected" and flips:
        first = flips[0]
        whole.append(("affected", f"{first} and later", _hull(first, None, entry)))
    return whole


_UPPERS: tuple[tuple[str, Bound], ...] = (("lessThan", "<"), ("lessThanOrEqual", "<="))


def _hull(start: str, upper: tuple[Bound, str] | None, entry: Json) -> tuple[Range, ...]:
    """From the start to the upper bound; without one, to the last change to unaffected."""
    constraints: list[tuple[Bound, str]] = []
    if start.lower() not in _START:
        constraints.append((">=", start.removesuffix(".*").removesuffix(".x")))
    if upper is None or upper[1] in _ALL:
        ends = _changes(entry, "unaffected")
        if ends:
            constraints.append(("<", ends[-1]))
    else:
        constraints.append(_below(*upper))
    readable = all(versions.key(limit) is not None for _, limit in constraints)
    return (Range(tuple(constraints)),) if readable else ()


def _below(sign: Bound, limit: str) -> tuple[Bound, str]:
    """`<= 7.2.*` is everything before 7.3."""
    branch = products.ranges(limit) if limit.endswith((".*", ".x")) else ()
    return branch[0].constraints[-1] if branch else (sign, limit)


def _changes(entry: Json, to: str) -> list[str]:
    """Where the status changes to that, in order of version (as listed, where the order is not certain)."""
    listed: Any = entry.get("changes")
    found = [
        clean(str(change.get("at") or ""))
        for change in (listed if isinstance(listed, list) else ())
        if isinstance(change, dict) and change.get("status") == to
    ]
    return sorted((at for at in found if at), key=cmp_to_key(_compared))


def _compared(one: str, other: str) -> int:
    return versions.compare(one, other) or 0


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
