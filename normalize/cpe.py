"""CPE names taken apart, and how far one holds another (NISTIR 7695, names; NISTIR 7696, matching).

A value is without escapes and case; `*` (ANY) and `-` (NA) stand alone. A wildcard within a value is a sign of its own.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

ANY: Final = "*"
NA: Final = "-"
_MANY, _ONE = "\x02", "\x01"
_FIELD = re.compile(r"((?:\\.|[^\\:])*)(?::|$)", re.DOTALL)
_SIGN = re.compile(r"\\(.)|([*?])", re.DOTALL)
_SIGNS = {"*": _MANY, "?": _ONE}


class Cpe(NamedTuple):
    """The eleven attributes of a name."""

    part: str
    vendor: str
    product: str
    version: str = ANY
    update: str = ANY
    edition: str = ANY
    language: str = ANY
    sw_edition: str = ANY
    target_sw: str = ANY
    target_hw: str = ANY
    other: str = ANY

    @property
    def traits(self) -> str:
        """What tells it from others of its name, but for its version, in short: `s`, `h`, `s:*:*:*:*:wordpress`."""
        kind = "h" if self.part == "h" else "s"
        return re.sub(r"(?::\*)+$", "", ":".join((kind, *(value.replace(":", "\\") for value in self[4:]))))


@lru_cache(maxsize=65536)
def read(text: str) -> Cpe | None:
    """A CPE 2.3 string (NISTIR 7695, 6.2) or CPE 2.2 URI (6.1) of whatever length; None: it is neither."""
    if text.startswith("cpe:2.3:"):
        fields = [_unbound(part) for part in _FIELD.findall(text[8:])]
    elif text.startswith("cpe:/"):
        fields = [_unbound_uri(part) for part in text[5:].split(":")]
        edition = fields[5] if len(fields) > 5 else ""
        if edition.startswith("~") and edition.count("~") == 5:  # packed: 6.1.2.1.2
            fields = [*fields[:5], *_packed(edition.split("~")[1:], fields[6:7])]
    else:
        return None
    fields = [part or ANY for part in fields][:11]
    if len(fields) < 3 or fields[0] not in ("a", "o", "h", ANY):
        return None
    return Cpe(*fields)


def _packed(values: list[str], language: list[str]) -> list[str]:
    edition, *rest = values
    return [edition, *(language or [ANY]), *rest]


def _unbound(part: str) -> str:
    return _SIGN.sub(lambda sign: sign[1] or _SIGNS[sign[2]], part).casefold() if part not in (ANY, NA) else part


def _unbound_uri(part: str) -> str:
    return unquote(part).casefold()  # %01 and %02 are the wildcards


def holds(source: str, target: str) -> bool | None:
    """Does one value hold the other? None: it may (a subset of what the other leaves open). NISTIR 7696, table 6-2."""
    if source in (ANY, target):
        return True
    if target == ANY or (_wild(target) and source != NA):
        return None
    if NA in (source, target):
        return False
    return bool(_wild(source) and _pattern(source).fullmatch(target))


def traits_hold(source: str, target: str) -> bool | None:
    """Does what has these traits hold what has those, updates aside? An empty text states none.

    Updates belong to versions. Hardware and software of one name are two things.
    """
    if not source:
        return True
    mine, theirs = source.split(":"), target.split(":")
    if target and (mine[0] == "h") != (theirs[0] == "h"):
        return False
    width = max(len(mine), len(theirs))
    padded = [[*traits, *[ANY] * (width - len(traits))][2:] for traits in (mine, theirs)]
    answers = [holds(one, other) for one, other in zip(*padded, strict=True)]
    return False if False in answers else None if None in answers else True


def update_of(traits: str) -> str:
    """The update among the traits."""
    return (*traits.split(":"), ANY)[1] if traits else ANY


def _wild(value: str) -> bool:
    return _MANY in value or _ONE in value


@lru_cache(maxsize=1024)
def _pattern(value: str) -> re.Pattern[str]:
    """`?` stands for one sign or, at the edge, none; `*` for any number (NISTIR 7695, 5.3.2)."""
    signs = {_MANY: ".*", _ONE: ".?"}
    return re.compile("".join(signs.get(sign) or re.escape(sign) for sign in value), re.DOTALL)
