"""What real feeds call version ranges, read exactly or not at all.

What cannot be read exactly means *possibly affected*, never silence; so where a text can mean two things (`8.0-8.4`: a
range, or build 8.4 of 8.0) it is not read. Clauses: VERS ("Version range specifier"; "How to parse and validate VERS");
Maven and NuGet intervals.
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import cmp_to_key
from itertools import combinations
from urllib.parse import unquote

import msgspec

from normalize import Bound, Range, schemes, versions

EVERY = Range()
"""No constraint: every version."""

_ALL = frozenset(
    {"*", "all", "all versions", "any", "any version", "alle", "alle versies", "all version", "every version"}
)
_NONE = frozenset(
    {"", "-", "n/a", "na", "unspecified", "unknown", "onbekend", "see references", "multiple", "various", "none"}
)
_START = frozenset({"0", "unspecified", "n/a", "-", "*"})
"""As a lower bound: from the beginning."""
_SIGNS: dict[str, Bound] = {
    "<": "<", "<=": "<=", "=<": "<=", "≤": "<=", ">": ">", ">=": ">=", "=>": ">=", "≥": ">=", "=": "=", "==": "=",
    "!=": "!=",
}  # fmt: skip
_SIGN = re.compile(r"^(<=|>=|=<|=>|==|!=|<|>|=|≤|≥)\s*(.*)$", re.DOTALL)
_SPLIT = re.compile(r"\s*(?:\|{1,2}|,|;|\band\b|&&|\s(?=[<>≤≥=!]))\s*")
_INTRO = re.compile(r"^(?:all |alle )?(?:versions?|versies?):? ", re.IGNORECASE)
_PREFIX = re.compile(r"^[A-Za-z][\w .()+-]*/\s*(?=[<>=!≤≥*\dvV])")
_WILD = re.compile(r"^(v?\d+(?:\.\d+)*)\.[x*]$", re.IGNORECASE)
_BRANCH = re.compile(r"^v?(\d+(?:\.\d+)*)(?:\.[x*]|\s+all versions|\s+alle versies)$", re.IGNORECASE)
_PATCH = re.compile(r"^(\d+(?:\.\d+)*) less ?than (=?)\s*(\S+)(?: type patch)?$", re.IGNORECASE)
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), sign)
    for pattern, sign in (
        (
            r"^(?:before|prior to|earlier than|less ?than|vóór|voor|lager dan|ouder dan) (\S.*)$",
            "<",
        ),
        (r"^(?:up to(?: and including)?|through|tot en met|t/m|less ?than ?or ?equal(?: to)?) (\S.*)$", "<="),
        (r"^(\S.*?),? (?:and|or) (?:earlier|prior|below|lower|older)(?: versions?)?$", "<="),
        (r"^(\S.*?) en (?:eerder|ouder|lager)$", "<="),
        (r"^(\S.*?),? (?:and|or) (?:later|newer|above|higher)(?: versions?)?$", ">="),
        (r"^(\S.*?) en (?:later|hoger|nieuwer)$", ">="),
        (r"^(?:from|starting with|since|vanaf) (\S+)$", ">="),
    )
)
_BETWEEN = re.compile(
    r"^(?:from |van )?(\S+)(?: (?:-|–|to|through|thru|t/m|tot en met|up to and including) | through )(\S+)$",
    re.IGNORECASE,
)
_FROM_BEFORE = re.compile(r"^(?:from |vanaf )?(\S+),? (?:(?:to )?before|prior to|tot) (\S+)$", re.IGNORECASE)
_FROM_SIGN = re.compile(r"^([^\s<>=,|;]+)\s*(<=?)\s*([^<>=,|;]+)$")
_HYPHEN = re.compile(r"^(\d+(?:\.\d+)+)-(\d+(?:\.\d+)+)$")
_INTERVAL = re.compile(r"([\[(])\s*([^\[\](),]*?)\s*(?:(,)\s*([^\[\](),]*?)\s*)?([\])])")
_PLAIN = re.compile(r"v?\d[\w.+~^:-]*+(?<![+])", re.ASCII)
_TRIPLET = re.compile(r"%(?![0-9A-Fa-f]{2})")
"""A percent sign that encodes nothing."""
_NGINX = re.compile(r"(\d+)\.(\d+)\.(\d+)\+")
_LONGEST = 400
_MOST = 60
"""Constraints in one text; sorting compares all pairs."""


def read(text: str, product: str = "", scheme: str = "") -> tuple[Range, ...]:
    """The exact reading of a version or range as stated, as alternatives; empty: it cannot be read exactly.

    `product`: a product name that may stand before the version (`FortiOS 7.4.8`). `scheme`: what orders its versions
    (`schemes.scheme`), where the text does not say so itself (`vers:deb/...`).
    """
    if scheme and _is_version(text.strip(), scheme):
        return (Range((("=", text.strip()),), scheme),)
    stated = _stated(text, product)
    if len(stated) > _LONGEST or stated.casefold() in _NONE or any(map(_is_number_sign, set(text))):
        return ()
    if stated.casefold() in _ALL:
        return (EVERY,)
    if stated.casefold().startswith("vers:"):
        return _vers(stated)
    if product.casefold() == "nginx" and (branches := _nginx(_SPLIT.split(stated))):
        return branches
    for reader in (_branch, _patch, _in_words, _hyphen, _brackets):
        found = reader(stated)
        if found is not None:
            return _readable(found, scheme)
    return _intervals(_SPLIT.split(stated), scheme)


def _is_version(text: str, scheme: str) -> bool:
    """One version of this scheme; only packages of distributions have revisions that look like the end of a range."""
    revision = scheme in schemes.PACKAGED or not (_HYPHEN.match(text) or _WILD.match(text))
    return revision and bool(_PLAIN.fullmatch(text)) and schemes.known(scheme, text)


def _is_number_sign(sign: str) -> bool:
    """`²`, `①`, `½`: a digit only after normalisation. It is a note rather than a part of a version."""
    return not sign.isdecimal() and any(map(str.isdigit, unicodedata.normalize("NFKC", sign)))


def _stated(text: str, product: str) -> str:
    stated = " ".join(unicodedata.normalize("NFKC", text).split())
    stated = _PREFIX.sub("", stated, count=1) if not stated.casefold().startswith("vers:") else stated
    if product and stated.casefold().startswith(product.casefold() + " "):
        stated = stated[len(product) :].lstrip(" :/")
    return stated if stated.casefold() in _ALL else _INTRO.sub("", stated)


def _vers(text: str) -> tuple[Range, ...]:
    """`vers:<scheme>/<constraint>|<constraint>`; a scheme that is not known has the order of vendors' numbers.

    Constraints in any order and stated twice are met, and read; so are redundant ones, which VERS says how to simplify.
    """
    name, slash, listed = text[len("vers:") :].partition("/")
    parts = [part.strip() for part in listed.split("|")]
    if parts == ["*"] and slash and name != "none":
        return (EVERY,)
    if not slash or "" in parts or "*" in parts or any(map(_TRIPLET.search, parts)):
        return ()
    signs = [_SIGN.match(part) for part in parts]
    decoded = [
        f"{found[1]}{unquote(found[2])}" if found else unquote(part) for found, part in zip(signs, parts, strict=True)
    ]
    return _intervals(dict.fromkeys(decoded), schemes.scheme(name), simplify=True)


def _nginx(parts: list[str]) -> tuple[Range, ...]:
    """`1.5.0+, 1.4.1+`: from there on in its branch; an odd one is the mainline, which goes on."""
    found = [_NGINX.fullmatch(part.strip()) for part in parts]
    made: list[Range] = []
    for one in found:
        if one is None:
            return ()
        start: tuple[Bound, str] = (">=", f"{one[1]}.{one[2]}.{one[3]}")
        odd = int(one[2]) % 2
        made.append(Range((start,) if odd else (start, ("<", f"{one[1]}.{int(one[2]) + 1}.0"))))
    return tuple(made)


def _branch(text: str) -> tuple[Range, ...] | None:
    """`7.2 all versions`, `7.2.x`: everything numbered 7.2 and something."""
    found = _BRANCH.match(text)
    return (Range(((">=", found[1]), ("<", _next(found[1])))),) if found else None


def _next(branch: str) -> str:
    """The first version after a branch: 7.3 after 7.2."""
    *before, last = branch.split(".")
    number = last.lstrip("vV")
    return ".".join((*before, f"{last.removesuffix(number)}{int(number) + 1}"))


def _patch(text: str) -> tuple[Range, ...] | None:
    """`14.1 lessThan 8.50 type patch`: builds of 14.1 before 14.1-8.50."""
    found = _PATCH.match(text)
    if not found:
        return None
    return (Range(((">=", f"{found[1]}-0"), ("<=" if found[2] else "<", f"{found[1]}-{found[3]}"))),)


def _in_words(text: str) -> tuple[Range, ...] | None:
    found = _FROM_BEFORE.match(text)
    if found:
        return (_from(found[1], ("<", found[2])),)
    found = _FROM_SIGN.match(text)
    if found:
        return (_from(found[1], (_SIGNS[found[2]], found[3].strip())),)
    for pattern, sign in _WORDS:
        found = pattern.match(text)
        if found:
            return (Range(((_bound(_SIGNS[sign], found[1])),)),)
    found = _BETWEEN.match(text)
    return (_from(found[1], ("<=", found[2])),) if found else None


def _from(start: str, upper: tuple[Bound, str]) -> Range:
    """From a version to an upper bound; `0 < 1.5` is everything before 1.5."""
    limit = _bound(*upper)
    return Range((limit,)) if start.casefold() in _START else Range((_bound(">=", start), limit))


def _hyphen(text: str) -> tuple[Range, ...] | None:
    """`0.7.52-0.8.39` is a range, `14.1-8.50` a build; where it can be either (`8.0-8.4`), neither is read."""
    found = _HYPHEN.match(text)
    if not found:
        return None
    first, last = (tuple(map(int, part.split("."))) for part in found.groups())
    if len(first) != len(last) or not first < last:
        return None
    if len(first) > 2:
        return (Range(((">=", found[1]), ("<=", found[2]))),)
    return () if last[0] - first[0] <= 2 else None


def _brackets(text: str) -> tuple[Range, ...] | None:
    """Intervals as Maven and NuGet write them: `[1.0,2.0)`, `(,1.5]`, `[1.2]`."""
    if text[:1] not in ("[", "(") or text[-1:] not in ("]", ")"):
        return None
    if _INTERVAL.sub("", text).strip(" ,"):
        return ()
    made: list[Range] = []
    for opens, lower, comma, upper, closes in _INTERVAL.findall(text):
        if not comma:
            made.append(Range((("=", lower),)))
            continue
        ends: tuple[tuple[Bound, str], ...] = (
            (">=" if opens == "[" else ">", lower),
            ("<=" if closes == "]" else "<", upper),
        )
        made.append(Range(tuple(end for end in ends if end[1])))
    return tuple(made)


def _intervals(parts: Iterable[str], scheme: str = "", *, simplify: bool = False) -> tuple[Range, ...]:
    """Constraints in ascending order, as VERS has them: a lower bound opens an interval, an upper one closes it.

    `simplify`: what lies in an open interval adds nothing (VERS, "Simplifying constraints"); otherwise it is not read.
    """
    constraints = [_constraint(part) for part in parts]
    if len(constraints) > _MOST:
        return ()
    done: list[tuple[tuple[Bound, str], ...]] = []
    lower: tuple[Bound, str] | None = None
    excluded: list[tuple[Bound, str]] = []
    for sign, limit in _ascending(constraints, scheme):
        if lower and sign in (">", ">=", "="):
            if not simplify:
                return ()
        elif sign in (">", ">="):
            lower = (sign, limit)
        elif sign in ("<", "<="):
            done.append((lower, (sign, limit)) if lower else ((sign, limit),))
            lower = None
        elif sign == "=":
            done.append((("=", limit),))
        else:
            excluded.append((sign, limit))
    if lower:
        done.append((lower,))
    if excluded and not done:
        done.append(())
    return _readable(tuple(Range((*interval, *excluded)) for interval in done), scheme)


def _constraint(text: str) -> tuple[Bound, str]:
    stated = text.strip()
    found = _SIGN.match(stated)
    if not found:
        return _bound(">=", stated[:-1]) if stated.endswith("+") else ("=", stated)
    return _bound(_SIGNS[found[1]], found[2].strip())


def _bound(sign: Bound, limit: str) -> tuple[Bound, str]:
    """A bound that names a branch: `<= 7.2.*` is `< 7.3`, `> 7.2.*` is `>= 7.3`."""
    branch = _WILD.match(limit)
    if not branch or sign not in ("<", "<=", ">", ">="):
        return sign, limit
    if sign in ("<=", ">"):
        return "<" if sign == "<=" else ">=", _next(branch[1])
    return sign, branch[1]


def _ascending(constraints: list[tuple[Bound, str]], scheme: str) -> list[tuple[Bound, str]]:
    """Sorted by version where every order is certain (`<1.5, >=1.2`), else as they stand."""

    def order(one: tuple[Bound, str], other: tuple[Bound, str]) -> int:
        return versions.compare(one[1], other[1], scheme) or 0

    certain = all(versions.compare(a, b, scheme) is not None for (_, a), (_, b) in combinations(constraints, 2))
    return sorted(constraints, key=cmp_to_key(order)) if certain else constraints


def _readable(found: tuple[Range, ...], scheme: str) -> tuple[Range, ...]:
    """All of it, or nothing when one of the limits cannot be ordered."""
    limits = [limit for alternative in found for _, limit in alternative.constraints]
    if not all(versions.readable(limit, scheme) for limit in limits):
        return ()
    return tuple(msgspec.structs.replace(each, scheme=scheme) for each in found) if scheme else found
