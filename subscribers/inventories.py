"""The software that a subscriber has in use, as an SBOM or a table tells it: read, and held against what was known.

`read(path)` takes CycloneDX, SPDX or CSV, also packed (.gz .bz2 .xz .zip with one file), recognised by content. A
file that cannot be understood is refused as a whole, with line or JSON path; a version or CPE that cannot be parsed
is kept as text (`components.repair`). Only vendor, product, version, CPE and purl are read.
"""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from msgspec import Raw, Struct, field

from ingest import archives
from ingest.archives import ArchiveError, Limits
from normalize import products
from subscribers import Software, SubscriberError, cyclonedx, inventory_tables, spdx
from subscribers.bounds import LARGEST, MOST_PRODUCTS, decoded

LIMITS = Limits(max_bytes=LARGEST, max_unpacked=2 * LARGEST, max_members=10)
_TAGS = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*SPDXVersion:")


class Listing(NamedTuple):
    """What a file holds: each line of software once, in its order."""

    source: Literal["sbom", "csv"]
    software: tuple[Software, ...]


class Difference(NamedTuple):
    """What an inventory says otherwise than the one before it."""

    added: tuple[Software, ...]
    removed: tuple[Software, ...]
    changed: tuple[tuple[Software, Software], ...]
    """One product, then and now."""


def read(path: Path) -> Listing:
    """What a file holds. Raises SubscriberError, also for a file that cannot be read."""
    try:
        if not path.is_file():
            raise SubscriberError("no such file: check its name")
        if path.stat().st_size > LARGEST:
            raise SubscriberError(f"larger than {archives.amount(LARGEST)}: split the file")
        data = path.read_bytes()
    except OSError as error:
        raise SubscriberError(f"the file cannot be read ({error.strerror}): check its name and rights") from None
    return parse(data)


def parse(data: bytes) -> Listing:
    """What a file's bytes hold. Raises SubscriberError with line or JSON path."""
    if archives.kind_of(data[:8]) is not None:
        data = _unpacked(data)
    source, found = _recognised(data)
    software: dict[Software, None] = {}
    for one in found:
        software[one] = None
        if len(software) > MOST_PRODUCTS:
            raise SubscriberError(f"more than {MOST_PRODUCTS} different products: split the file, and name each part")
    if not software:
        raise SubscriberError("it names no software: nothing was changed; check that this is the right file")
    return Listing(source, tuple(software))


def difference(before: Sequence[Software], after: Sequence[Software]) -> Difference:
    """What was added, what went, and what has another version."""
    gone, come = dict.fromkeys(before), dict.fromkeys(after)
    for one in [one for one in gone if one in come]:
        del gone[one], come[one]
    waiting: dict[tuple[str, ...], list[Software]] = {}
    for one in gone:
        waiting.setdefault(_product(one), []).append(one)
    added: list[Software] = []
    changed: list[tuple[Software, Software]] = []
    for one in come:
        earlier = waiting.get(_product(one))
        if earlier:
            changed.append((earlier.pop(0), one))
        else:
            added.append(one)
    left = {one for each in waiting.values() for one in each}
    return Difference(tuple(added), tuple(one for one in gone if one in left), tuple(changed))


def _product(one: Software) -> tuple[str, ...]:
    """What lines of one product have in common, whatever their version."""
    if one.purl and (purl := products.purl_parts(one.purl)):
        return "purl", *purl[:2]
    if one.product:
        return "name", *products.plain_key(one.vendor, one.product)
    if one.cpe and (cpe := products.cpe_parts(one.cpe)):
        return "name", *products.plain_key(cpe[0], cpe[1])
    return "text", one.cpe or one.purl or ""


class _Head(Struct):
    bom: str | None = field(default=None, name="bomFormat")
    cyclonedx: str | int | float | None = field(default=None, name="specVersion")
    spdx: str | None = field(default=None, name="spdxVersion")
    context: Raw = field(default=Raw(), name="@context")
    wrapped: "_Head | None" = field(default=None, name="sbom")


def _recognised(data: bytes) -> tuple[Literal["sbom", "csv"], Iterator[Software]]:
    plain = data.decode("utf-16").encode() if data[:2] in (b"\xff\xfe", b"\xfe\xff") and _even(data) else data
    plain = plain.removeprefix(b"\xef\xbb\xbf")
    start = plain.lstrip()[:1]
    if start == b"<":
        return "sbom", cyclonedx.from_xml(data)
    if start in (b"{", b"["):
        return "sbom", _json(plain)
    if _TAGS.match(plain[: 1 << 16].decode("utf-8", "replace")):
        try:
            return "sbom", spdx.from_tags(plain.decode())
        except UnicodeDecodeError:
            raise SubscriberError("line 1: text that is not UTF-8: save the file as UTF-8") from None
    return "csv", inventory_tables.read(data)


def _even(data: bytes) -> bool:
    """Does a file that begins as UTF-16 go on so?"""
    try:
        data.decode("utf-16")
    except UnicodeDecodeError:
        raise SubscriberError("line 1: text that is not UTF-16, as which it begins: save it as UTF-8") from None
    return True


def _json(data: bytes) -> Iterator[Software]:
    head = decoded(data, _Head)
    if head.spdx is not None:
        if not head.spdx.startswith("SPDX-2"):
            raise SubscriberError("$.spdxVersion: a version that is not read: give SPDX 2.2, 2.3 or 3.0")
        return spdx.from_json(data)
    if head.context and b"spdx.org/rdf/3" in data:
        return spdx.from_graph(data)
    if head.bom == "CycloneDX" or (head.bom is None and head.cyclonedx is not None):
        if not str(head.cyclonedx or "1.").startswith("1."):
            raise SubscriberError("$.specVersion: a version that is not read: give CycloneDX 1.2 to 1.6")
        return cyclonedx.from_json(data)
    if head.wrapped is not None and (head.wrapped.spdx or "").startswith("SPDX-2"):
        return spdx.from_json(data, wrapped=True)
    raise SubscriberError("$: JSON that is no SBOM: give CycloneDX (`bomFormat`) or SPDX (`spdxVersion`, `@context`)")


def _unpacked(data: bytes) -> bytes:
    stream = io.BytesIO(data)
    if archives.kind_of(data[:8]) == "zip" and archives.is_document(stream, LIMITS):
        raise SubscriberError("a spreadsheet or the like: save it as CSV, and give that")
    try:
        found = [each() for each in archives.members(stream, len(data), LIMITS)]
    except ArchiveError as error:
        raise SubscriberError(f"{error}: unpack it, and give one file") from None
    if len(found) != 1:
        raise SubscriberError(f"an archive of {len(found)} files: give them one by one, each with a name (--as)")
    if found[0].error:
        raise SubscriberError(f"what is packed is not read ({found[0].error}): unpack it, and give the file itself")
    return found[0].body
