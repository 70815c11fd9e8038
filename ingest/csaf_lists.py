"""What CSAF providers list, and how (CSAF 2.0 section 7.1): provider-metadata.json, ROLIE feeds, changes.csv, index.txt
and directory listings. Pure functions: bytes -> documents that are listed. What cannot be read is told part by part.
"""

import csv
import html
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

import msgspec

from tlp import Label, UnknownMarkingError
from tlp.markings import of_word

HASHES = ("sha512", "sha256")
"""Those that are looked for beside a document, the better first."""
_LINK = re.compile(r"""\bhref\s*=\s*["']([^"'<>]{1,2000})["']""", re.IGNORECASE)


class ListError(Exception):
    """A list that is none. The message is the reason, without what stands in it."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A document that a provider lists."""

    url: str
    at: datetime | None
    """When it last changed; None: the list does not tell."""
    hashes: tuple[str, ...]
    """Where its hash may lie, the better first."""
    signature: str
    label: Label | None = None
    """Of the list it stands in."""


@dataclass(frozen=True, slots=True)
class Flaw:
    """A part of a list that cannot be read: a JSON Pointer, or `row N`."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Provider:
    """provider-metadata.json."""

    feeds: tuple[tuple[str, Label | None], ...]
    """ROLIE feeds with their labels."""
    folders: tuple[tuple[str, Label | None], ...]
    """Directories, which end in a slash."""
    keys: tuple[tuple[str, str], ...]
    """Its public OpenPGP keys: where each lies, and its fingerprint (empty: not stated)."""


def provider(body: bytes, base: str) -> Provider:
    """What a provider offers. `base`: where the metadata came from. Raises ListError."""
    whole = _json(body)
    if "feed" in whole:  # not a provider's metadata, but a feed itself
        return Provider(((base, None),), (), ())
    feeds: list[tuple[str, Label | None]] = []
    folders: list[tuple[str, Label | None]] = []
    for each in _dicts(whole.get("distributions")):
        rolie = each.get("rolie")
        for feed in _dicts(rolie.get("feeds") if isinstance(rolie, dict) else None):
            if url := _address(base, feed.get("url")):
                feeds.append((url, _label(feed.get("tlp_label"))))
        folder = each.get("directory")  # CSAF 2.1; in 2.0 it is directory_url
        newer = folder if isinstance(folder, dict) else {}
        if url := _address(base, newer.get("url") or each.get("directory_url")):
            folders.append((url.rstrip("/") + "/", _label(newer.get("tlp_label"))))
    if not feeds and not folders:
        raise ListError("names neither feeds nor directories: check url, or ask the provider")
    keys = [
        (url, str(each.get("fingerprint") or ""))
        for each in _dicts(whole.get("public_openpgp_keys"))
        if (url := _address(base, each.get("url")))
    ]
    return Provider(tuple(feeds), tuple(folders), tuple(keys))


def rolie(body: bytes, base: str, label: Label | None) -> tuple[list[Listed], list[Flaw]]:
    """The entries of a ROLIE feed (RFC 8322 as JSON). Raises ListError."""
    feed = _json(body).get("feed")
    entries = feed.get("entry", []) if isinstance(feed, dict) else None
    if not isinstance(entries, list):
        raise ListError("is no ROLIE feed: check url, or ask the provider")
    found, flaws = [], []
    for number, entry in enumerate(entries):
        read = _entry(entry, base, label) if isinstance(entry, dict) else None
        if read is None:
            flaws.append(Flaw(f"/feed/entry/{number}", "names no document"))
        else:
            found.append(read)
    return found, flaws


def changes(body: bytes, base: str, label: Label | None) -> tuple[list[Listed], list[Flaw]]:
    """changes.csv: a path and a time a row. Raises ListError for what is no such list."""
    found, flaws = [], []
    try:
        for number, row in enumerate(csv.reader(io.StringIO(_text(body)), strict=True), 1):
            if not row:
                continue
            at = _time(row[1]) if len(row) > 1 else None
            if at is None or (read := _beside(base, row[0], at, label)) is None:
                flaws.append(Flaw(f"row {number}", "not a path and a time"))
            else:
                found.append(read)
    except csv.Error:
        raise ListError("is no list of paths and times") from None
    if flaws and not found:
        raise ListError("is no list of paths and times")
    return found, flaws


def index(body: bytes, base: str, label: Label | None) -> list[Listed]:
    """index.txt: a path a line."""
    read = (_beside(base, line.strip(), None, label) for line in _text(body).splitlines())
    return [each for each in read if each is not None]


def listing(body: bytes, base: str, label: Label | None) -> tuple[list[Listed], list[str]]:
    """A directory listing as web servers make them: documents, and folders of years."""
    links = (html.unescape(link) for link in _LINK.findall(_text(body)))
    inside = [url for url in (_address(base, link) for link in links) if url.startswith(base)]
    found = [_beside(base, url, None, label) for url in inside]
    years = {url for url in inside if re.fullmatch(r"[0-9]{4}/", url[len(base) :])}
    return [each for each in found if each is not None], sorted(years)


def _entry(entry: dict[str, Any], base: str, label: Label | None) -> Listed | None:
    links: dict[str, list[str]] = {}
    for link in _dicts(entry.get("link")):
        kind = link.get("rel", link.get("ref"))  # a large provider writes `ref`
        if isinstance(kind, str) and (url := _address(base, link.get("href"))):
            links.setdefault(kind, []).append(url)
    content = entry.get("content")
    url = _address(base, content.get("src") if isinstance(content, dict) else None) or next(
        iter(links.get("self", ())), ""
    )
    if not url:
        return None
    hashes = sorted((each for each in links.get("hash", ()) if kind_of_hash(each)), key=_rank)
    signature = next(iter(links.get("signature", ())), "")
    return Listed(url, _time(entry.get("updated")), tuple(hashes), signature, label)


def kind_of_hash(url: str) -> str:
    """sha512, sha256, or empty."""
    return next((kind for kind in HASHES if urlsplit(url).path.endswith(f".{kind}")), "")


def _rank(url: str) -> int:
    return HASHES.index(kind_of_hash(url))


def _beside(base: str, path: str, at: datetime | None, label: Label | None) -> Listed | None:
    """A document of a directory: hashes and signature lie beside it."""
    url = _address(base, path)
    if not url or not urlsplit(url).path.endswith(".json"):
        return None
    return Listed(url, at, tuple(f"{url}.{kind}" for kind in HASHES), f"{url}.asc", label)


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ListError("is no JSON object: check url, or ask the provider")
    return found


def _text(body: bytes) -> str:
    return body.decode("utf-8-sig", errors="replace")


def _dicts(value: Any) -> Iterable[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _address(base: str, reference: Any) -> str:
    """The whole address; empty: it is none."""
    if not isinstance(reference, str) or not reference.strip():
        return ""
    try:
        url = urljoin(base, reference.strip())
        return url if urlsplit(url).scheme in ("https", "http") else ""
    except ValueError:
        return ""


def _time(value: Any) -> datetime | None:
    try:
        read = datetime.fromisoformat(value)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _label(word: Any) -> Label | None:
    """What an unknown word means nobody knows: the strictest."""
    if word is None or word == "UNLABELED":
        return None
    try:
        return of_word(str(word))
    except UnknownMarkingError:
        return Label.RED
