"""Reading what others wrote, part by part: what cannot be read is noted and costs only itself.

A `Parts` walks a decoded JSON document. Each accessor gives the type it promises; another type there becomes a Problem
with the JSON Pointer of the part, and an empty value. Paths are made of keys we know, so they tell nothing.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from normalize import NormalizeError, Problem

_BOM = b"\xef\xbb\xbf"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_CVE = re.compile(r"\bCVE-(?:19|20)\d\d-\d{4,19}\b", re.IGNORECASE)
_MOST_PROBLEMS = 100
Json = Mapping[str, Any]


def decode(body: bytes) -> Any:
    """JSON, with or without a byte order mark. NormalizeError names the stage; never the content."""
    try:
        return msgspec.json.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise NormalizeError("not readable as JSON") from None


def cves_in(*texts: str) -> tuple[str, ...]:
    """CVE ids named in texts, in capitals, in the order they first occur."""
    return tuple(dict.fromkeys(found.group(0).upper() for text in texts for found in _CVE.finditer(text)))


def clean(text: str) -> str:
    """Without control characters (PostgreSQL refuses NUL), trimmed."""
    return _CONTROL.sub("", text).strip()


def moment(text: Any) -> datetime | None:
    """An RFC 3339 time, or what comes close: a date alone, no zone (read as UTC). None: it cannot be read."""
    if not isinstance(text, str):
        return None
    try:
        read = datetime.fromisoformat(text.strip().replace("z", "Z"))
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def web_addresses(texts: Sequence[str]) -> tuple[str, ...]:
    """Those that are http or https addresses without spaces, each once, in order."""
    return tuple(
        dict.fromkeys(text for text in texts if text.startswith(("http://", "https://")) and not re.search(r"\s", text))
    )


class Parts:
    """Accessors that note what is not as promised. `problems` grows while the document is read."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, reason: str, path: str) -> None:
        """A part was refused. Past a hundred only the last says so."""
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem("parse", reason, path))
        elif len(self.problems) == _MOST_PROBLEMS:
            self.problems.append(Problem("parse", "more parts could not be read"))

    def object(self, parent: Json, key: str, path: str = "") -> Json:
        """The object at `key`; empty when it is absent, or is something else (noted)."""
        return self._of(dict, parent, key, path) or {}

    def objects(self, parent: Json, key: str, path: str = "") -> Iterator[tuple[Json, str]]:
        """The objects in the list at `key`, each with its path; what is not an object is noted."""
        for index, value in enumerate(self._of(list, parent, key, path) or ()):
            where = f"{path}/{key}/{index}"
            if isinstance(value, dict):
                yield value, where
            else:
                self.note("an object was expected", where)

    def text(self, parent: Json, key: str, path: str = "") -> str:
        """The text at `key`; empty when it is absent, or is something else (noted)."""
        return clean(self._of(str, parent, key, path) or "")

    def texts(self, parent: Json, key: str, path: str = "") -> Iterator[str]:
        """The texts in the list at `key`."""
        for index, value in enumerate(self._of(list, parent, key, path) or ()):
            if isinstance(value, str):
                yield clean(value)
            else:
                self.note("text was expected", f"{path}/{key}/{index}")

    def _of(self, kind: type, parent: Json, key: str, path: str) -> Any:
        value = parent.get(key)
        if value is None or isinstance(value, kind):
            return value
        names: dict[type, str] = {dict: "an object", list: "a list", str: "text"}
        self.note(f"{names[kind]} was expected", f"{path}/{key}")
        return None
