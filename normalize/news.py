"""News feeds: RSS 0.9x to 2.0, RDF and Atom, one draft a story.

Feeds are badly formed more often than not, so feedparser reads them; it is given bytes in memory and fetches nothing.
Active content is taken out: titles and texts become plain text, addresses become references. Authors are left out.
"""

import contextlib
import hashlib
import html
import io
import re
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.parsers import expat

import feedparser
import nh3

from ingest import Source
from normalize import Draft, Facts, Normalized, NormalizeError, authored
from normalize.lenient import Parts, clean, cves_in, web_addresses
from tlp import markings

_ROOT = re.compile(rb"<(?:[a-z][\w-]*:)?(?:rss|rdf|feed)[\s>]", re.IGNORECASE)
_BREAK = re.compile(r"<(?:br\s*/?|/(?:p|div|li|h[1-6]|tr|blockquote|pre))\s*>", re.IGNORECASE)
_LINK = re.compile(r"""href\s*=\s*["']?(https?://[^\s"'<>]{1,2000})""", re.IGNORECASE)
_MOST_TEXT = 20_000
_MOST_LINKS = 50
_MOST_ATTRIBUTES = 500
_DATES = ("published", "updated", "created")


def sniff(head: bytes) -> bool:
    """Is the root element that of a feed?"""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "ignore").encode()
    plain = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return plain[:1] == b"<" and _ROOT.search(plain) is not None


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One draft for each story. NormalizeError: this is no feed."""
    feed = _parse(body)
    if not feed.get("version") and not feed.get("entries"):
        raise NormalizeError("not a feed that can be read")
    parts = Parts()
    if feed.get("bozo"):
        parts.note("not well-formed; what could be read was read", "")
    language = _text(feed.get("feed", {}).get("language")).partition("-")[0].lower() or source.language
    made: dict[str, Draft] = {}
    for number, entry in enumerate(feed.get("entries", ()), 1):
        draft = _story(entry, language, source, received_at, parts, f"entry {number}")
        if draft is not None:
            made.setdefault(draft.key, draft)
    if not made:
        parts.note("a feed without stories", "")
    return Normalized("rss", tuple(made.values()), tuple(parts.problems))


def _parse(body: bytes) -> Any:
    """What feedparser makes of it. A stream, because it would open bytes as a file of that name."""
    _few_attributes(body)
    try:
        return feedparser.parse(io.BytesIO(body))
    except Exception:  # whatever hostile markup makes of somebody else's parser, the document is what is wrong
        raise NormalizeError("not a feed that can be read") from None


def _few_attributes(body: bytes) -> None:
    """Refuse an element with thousands of attributes, for which feedparser takes time that grows with their square.

    Encodings with one byte a sign, and UTF-8, read alike as Latin-1 as far as markup goes. What is not well-formed is
    read up to there, as feedparser's strict parser does.
    """
    parser = expat.ParserCreate(None if b"\0" in body[:64] else "iso-8859-1")

    def start(_: str, attributes: list[str]) -> None:
        if len(attributes) > 2 * _MOST_ATTRIBUTES:
            raise NormalizeError("an element with more attributes than any feed has", stage="shape")

    parser.ordered_attributes = True
    parser.StartElementHandler = start
    with contextlib.suppress(expat.ExpatError):
        parser.Parse(body, True)


def _story(entry: Any, language: str, source: Source, received_at: datetime, parts: Parts, where: str) -> Draft | None:
    markup = max(_markup(entry), key=len, default="")
    summary = _plain(markup)[:_MOST_TEXT]
    title = " ".join(_plain(_text(entry.get("title"))).split()) or " ".join(summary.split())[:100]
    link = _text(entry.get("link"))
    if not title:
        parts.note("a story without title and text", where)
        return None
    own = web_addresses([link, *(_text(item.get("href")) for item in entry.get("links", ()))])
    references = web_addresses([*own, *(html.unescape(url) for url in _LINK.findall(markup))])[:_MOST_LINKS]
    told = hashlib.sha256(f"{title}\n{summary}".encode("utf-8", "replace")).hexdigest()
    key = clean(_text(entry.get("id"))) or link or f"story/{told}"
    when = _moment(entry, parts, where)
    cves = cves_in(title, summary)
    label = markings.of_text(f"{title}\n{summary}")
    objects = authored.report(
        source=source.id,
        key=key,
        publisher=source.name,
        title=title,
        summary=summary,
        language=language,
        created=when or received_at,
        modified=when or received_at,
        references=references,
        cves=cves,
        label=label,
        types=("threat-report",),
    )
    return Draft("news", key, title, summary, language, Facts(cves=cves), objects, references, label, source_time=when)


def _markup(entry: Any) -> Iterator[str]:
    yield _text(entry.get("summary"))
    for content in entry.get("content", ()):
        yield _text(content.get("value"))


def _text(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""


def _plain(markup: str) -> str:
    """Plain text: no element, no script, no style; paragraphs as lines."""
    text = html.unescape(nh3.clean(_BREAK.sub("\n", markup), tags=set()))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return clean("\n".join(line for line in lines if line))


def _moment(entry: Any, parts: Parts, where: str) -> datetime | None:
    """The first date that can be read: published, updated, created."""
    stated = False
    for name in _DATES:
        if not dict.__contains__(entry, name):  # feedparser's own `in` and `get` guess one date from another
            continue
        stated = True
        read = dict.get(entry, f"{name}_parsed")
        try:
            if read:
                return datetime.fromtimestamp(timegm(read), UTC)
            return parsedate_to_datetime(_text(dict.get(entry, name))).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError, OSError):
            continue
    if stated:
        parts.note("a date that cannot be read", where)
    return None
