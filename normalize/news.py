"""News feeds: RSS 0.9x to 2.0, RDF and Atom, one draft a story; newsletters are read by normalize/newsletter.py.

Feeds are badly formed more often than not, so feedparser reads them; it is given bytes in memory and fetches nothing.
Active content is taken out: titles and texts become plain text, addresses become references. Authors are left out.
"""

import contextlib
import io
import re
from calendar import timegm
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from xml.parsers import expat

import feedparser

from ingest import Source
from ingest.messages import is_message
from normalize import Draft, Normalized, NormalizeError, newsletter
from normalize.lenient import Parts, clean, web_addresses
from normalize.stories import MOST_TEXT, bounded, links_in, plain, story, too_much

_ROOT = re.compile(rb"<(?:[a-z][\w-]*:)?(?:rss|rdf|feed)[\s>]", re.IGNORECASE)
_WRONG = re.compile(
    rb"""\A([^>]{0,80}?)\sencoding\s*=\s*["'](?:(?:utf-?16|utf-?32|ucs-?[24])[a-z-]*|idna|punycode|[a-z_-]*escape)["']""",
    re.IGNORECASE,
)
"""Said to be of two bytes a sign, which it is not where none is zero; or in what is no encoding but to Python, which
takes time for it that grows with the square of the text."""
_MOST_ATTRIBUTES = 500
_DATES = ("published", "updated", "created")


def sniff(head: bytes) -> bool:
    """Is the root element that of a feed?"""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        head = head.decode("utf-16", "ignore").encode()
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return start[:1] == b"<" and _ROOT.search(start) is not None


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One draft for each story. NormalizeError: this is no feed."""
    if is_message(body):
        return newsletter.drafts(body, source, received_at)
    bounded(body)
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
    if b"\0" not in body[:200]:
        body = _WRONG.sub(rb"\1", body, count=1)
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
    if too_much(markup):
        parts.note("text with more markup than is read", where)
    summary = plain(markup)[:MOST_TEXT]
    title = " ".join(plain(_text(entry.get("title"))).split()) or " ".join(summary.split())[:100]
    link = _text(entry.get("link"))
    if not title:
        parts.note("a story without title and text", where)
        return None
    own = web_addresses([link, *(_text(item.get("href")) for item in entry.get("links", ()))])
    return story(
        title,
        summary,
        key=clean(_text(entry.get("id"))) or link,
        links=(*own, *links_in(markup)),
        language=language,
        when=_moment(entry, parts, where),
        label=None,
        source=source,
        received_at=received_at,
    )


def _markup(entry: Any) -> Iterator[str]:
    yield _text(entry.get("summary"))
    for content in entry.get("content", ()):
        yield _text(content.get("value"))


def _text(value: Any) -> str:
    return clean(value) if isinstance(value, str) else ""


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
