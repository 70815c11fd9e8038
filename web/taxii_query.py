"""What a TAXII request asks for: filters, limit and page (TAXII 2.1 3.4), or why it cannot be answered."""

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from dispatch.pages import Filters

FIELDS = frozenset({"match[id]", "match[type]", "match[version]", "match[spec_version]"})
"""That objects are matched on (3.4.1)."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", re.ASCII)


class TaxiiError(Exception):
    """What is answered with an error resource (3.6.1). Title and description hold no value of the request."""

    def __init__(
        self, status: int, title: str, description: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title)
        self.status, self.title, self.description, self.headers = status, title, description, dict(headers or {})


class Query(NamedTuple):
    """What a page is asked for."""

    filters: Filters
    limit: int | None
    after: int
    """The row that the page before ended with."""


@lru_cache(1000)
def read_query(
    query: bytes, fields: frozenset[str], object_id: str | None, versions: tuple[Literal["all"], ...]
) -> Query:
    """A query string, on one object (None: all). Read once: clients ask the same again and again."""
    asked = parameters(parse_qsl(query.decode("latin-1"), keep_blank_values=True), fields)
    return Query(read_filters(asked, object_id, versions), read_limit(asked.get("limit")), read_next(asked.get("next")))


def parameters(items: Iterable[tuple[str, str]], fields: Collection[str]) -> dict[str, str]:
    """Query parameters by name. One that occurs twice, and a field of TAXII's that this resource does not match on
    (5.6), is refused; fields and parameters that are not TAXII's are left alone (3.4)."""
    found: dict[str, str] = {}
    for name, value in items:
        if name not in {*fields, "added_after", "limit", "next"}:
            if name in FIELDS or (name.startswith("match[") and not name.endswith("]")):
                raise TaxiiError(400, "Unknown filter", "This resource does not match on that field")
            continue
        if name in found:
            raise TaxiiError(400, "Filter given twice", f"{name} may occur once; separate values by commas")
        found[name] = value
    return found


def read_filters(asked: Mapping[str, str], object_id: str | None, versions: tuple[Literal["all"], ...]) -> Filters:
    """TAXII 2.1 3.4. Raises TaxiiError 400 naming the parameter."""
    added_after = asked.get("added_after")
    return Filters(
        ids=_values(asked, "match[id]") if object_id is None else (object_id,),
        types=_values(asked, "match[type]"),
        versions=versions or _versions(asked),
        spec_versions=_values(asked, "match[spec_version]"),
        added_after=None if added_after is None else _time("added_after", added_after),
    )


def _values(asked: Mapping[str, str], name: str) -> tuple[str, ...]:
    if name not in asked:
        return ()
    values = tuple(value.strip() for value in asked[name].split(","))
    if not all(values) or len(values) > 500 or "\0" in asked[name]:
        raise TaxiiError(400, "Bad filter", f"{name}: 1 to 500 values, separated by commas")
    return values


def _versions(asked: Mapping[str, str]) -> tuple[Literal["last", "first", "all"] | datetime, ...]:
    values = _values(asked, "match[version]") or ("last",)
    if "all" in values and len(values) > 1:
        raise TaxiiError(400, "Bad filter", "match[version]: all stands alone")
    versions = tuple(_version(value) for value in values)
    if len(set(versions)) < len(versions):
        raise TaxiiError(400, "Bad filter", "match[version]: each version may occur once")
    return versions


def _version(value: str) -> Literal["last", "first", "all"] | datetime:
    match value:
        case "last" | "first" | "all":
            return value
    return _time("match[version]", value)


def _time(name: str, value: str) -> datetime:
    """A TAXII timestamp. Digits beyond microseconds fall away: with "strictly after" that changes no answer."""
    try:
        if _TIME.fullmatch(value):
            return datetime.fromisoformat(value[:26].rstrip("Z")).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise TaxiiError(400, "Bad timestamp", f"{name}: RFC 3339 in UTC, as in 2026-03-02T06:30:00.000000Z")


def read_limit(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,17}", value, re.ASCII):
        raise TaxiiError(400, "Bad limit", "limit: a whole number above 0")
    return int(value)


def read_next(token: str | None) -> int:
    """The row that a `next` stands for. Opaque to clients: only what we gave comes back."""
    if token is None:
        return 0
    try:
        text = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        text = ""
    if not re.fullmatch(r"after:[1-9][0-9]{0,17}", text, re.ASCII):
        raise TaxiiError(400, "Bad next", "next: the value of the page before, unchanged")
    return int(text.removeprefix("after:"))


def next_token(seq: int) -> str:
    return base64.urlsafe_b64encode(f"after:{seq}".encode()).rstrip(b"=").decode()
