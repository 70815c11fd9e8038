"""How much of an SBOM or table is read at most, and JSON within that. Beyond it a file is refused as a whole.

A document is unpacked within the bounds of `ingest.archives`; what it then holds is bounded here. Of JSON and XML
only the fields that are asked for are made into objects.
"""

from typing import TypeVar

import msgspec

from subscribers import SubscriberError

LARGEST = 64 << 20
"""Bytes of one document, unpacked."""
MOST_OBJECTS = 2_000_000
"""Braces that open in a JSON document: what it can make of memory before it has been counted."""
MOST_VALUES = 5_000_000
"""Commas of a JSON document, lines of a text, cells of a table: likewise."""
MOST_COMPONENTS = 200_000
MOST_PRODUCTS = 20_000
"""Different lines of software in one inventory."""
DEEPEST = 50
"""Components within components."""

T = TypeVar("T")


class Count:
    """Counts components; too many are refused where that shows, before anything is made of them."""

    def __init__(self) -> None:
        self._seen = 0

    def add(self, more: int, where: str) -> None:
        """So many more."""
        self._seen += more
        if self._seen > MOST_COMPONENTS:
            raise SubscriberError(f"{where}: more than {MOST_COMPONENTS} components: split the file")


def bounded(text: str, sign: str) -> None:
    """Refuse a text in which that sign, which ends a line or cell, stands more often than is read."""
    if text.count(sign) > MOST_VALUES:
        raise SubscriberError(f"line 1: more than {MOST_VALUES} lines or cells: split the file")


def decoded(data: bytes, kind: type[T]) -> T:
    """JSON as that type, other fields passed over. Raises SubscriberError with JSON path or line, never a value."""
    if data.count(b"{") > MOST_OBJECTS or data.count(b",") > MOST_VALUES:
        raise SubscriberError(f"$: more than {MOST_OBJECTS} objects or {MOST_VALUES} values: split the file")
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        said, _, path = str(error).partition(" - at ")
        raise SubscriberError(f"{path.strip('`') or '$'}: {_plainly(said)}") from None
    except msgspec.DecodeError as error:
        at = str(error).rpartition("(byte ")[2].rstrip(")")
        line = data[: int(at)].count(b"\n") + 1 if at.isdigit() else data.count(b"\n") + 1
        raise SubscriberError(f"line {line}: not readable as JSON: export the file anew") from None
    except UnicodeDecodeError:
        raise SubscriberError("$: text that is not UTF-8: save the file as UTF-8") from None
    except RecursionError:
        raise SubscriberError("$: nested deeper than is read: no SBOM needs that") from None


def _plainly(said: str) -> str:
    """The types of `Expected .., got ..` in words, never a value."""
    return said.replace("`", "").replace("Expected", "expected", 1) if "Expected" in said else "of another type"
