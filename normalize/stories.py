"""What feeds and newsletters share: plain text out of markup, addresses without trackers, a story as a draft.

Nothing active stays: elements, scripts, styles, comments and pictures (of which some only tell that a mail was opened)
go, and addresses lose what tells who followed them.
"""

import hashlib
import html
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import nh3

from ingest import Source
from normalize import Draft, Facts, NormalizeError, authored
from normalize.lenient import clean, cves_in, web_addresses
from tlp import Label, markings

MOST_MARKS = 100_000
"""`<` and `&lt;` in one document: parsers of markup take up to 0.1 ms for each."""
MOST_BYTES = 8 << 20
MOST_TEXT = 20_000
_MOST_LINKS = 50
_LONGEST_LINK = 2000
_DEEPEST = 400
_MOST_IN_ONE = 20_000
"""Elements in one another, and in one text: what the sanitizer takes for each grows with how many there are."""
# Possessive (`*+`): what was read once is not tried again shorter, so that markup without an end takes linear time.
_BREAK = re.compile(r"<(?:br\s*+/?|/(?:p|div|li|h[1-6]|tr|blockquote|pre))\s*+>", re.IGNORECASE)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*+)([^<>]*+)>")
_VOID = frozenset(
    ("br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr")
)
_LINK = re.compile(r"""href\s*=\s*["']?(https?://[^\s"'<>]{1,2000})""", re.IGNORECASE)
_TRACKS = re.compile(
    r"(?:utm_|mc_|hsa_|pk_|piwik_|mtm_|vero_|oly_|__s$|_hs|fbclid|gclid|msclkid|igshid|ml_|mkt_tok|trk|spm$|cmpid|ncid|s_cid|"
    r"(?:email|e-?mail|subscriber|recipient|contact|member|user)(?:_?id|hash)?$)",
    re.IGNORECASE,
)
_SENT_ON = ("url", "u", "target", "redirect", "redirect_url", "dest", "destination", "link", "to", "q")
_COUNTS = re.compile(
    r"(?:^|\.)(?:clicks?|trk|track(?:ing|er)?|links?|email|mail|mailing|e|t|r|ct|go|url\d+|nieuwsbrief|newsletter)\d*\.|"
    r"(?:sendgrid|list-manage|mailchi|mailgun|sparkpost|awstrack|hubspot|mandrillapp|mlsend|laposta|safelinks)",
    re.IGNORECASE,
)
_OPAQUE = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{24,}={0,2}|[0-9a-f]{16,}", re.IGNORECASE)


def bounded(body: bytes) -> None:
    """Refuse what is larger than feeds and letters are, before a parser sees it."""
    if len(body) > MOST_BYTES:
        raise NormalizeError(f"larger than {MOST_BYTES >> 20} MiB: no feed of stories is", stage="shape")
    if body.count(b"<") + body.count(b"&lt;") > MOST_MARKS:
        raise NormalizeError("more markup than any feed of stories has", stage="shape")


def plain(markup: str) -> str:
    """Plain text: no element, no script, no style; paragraphs as lines. Empty when it is all markup."""
    if too_much(markup):
        return ""
    text = html.unescape(nh3.clean(_BREAK.sub("\n", markup), tags=set()))
    lines = (" ".join(line.split()) for line in text.split("\n"))
    return clean("\n".join(line for line in lines if line))


def too_much(markup: str) -> bool:
    """Has it more elements, or more of them open at once, than any page has?"""
    if markup.count("<") > _MOST_IN_ONE:
        return True
    depth = 0
    for end, name, rest in _TAG.findall(markup):
        if name.lower() in _VOID or rest.endswith("/"):
            continue
        depth = max(depth - 1, 0) if end else depth + 1
        if depth > _DEEPEST:
            return True
    return False


def links_in(markup: str) -> Iterator[str]:
    """The addresses that markup refers to."""
    return (html.unescape(url) for url in _LINK.findall(markup))


def shorn(url: str) -> str:
    """An address without what tells who followed it; empty: there is nothing else in it, or it is longer than any is.

    One that only leads to another is that other, where it says which.
    """
    if len(url) > _LONGEST_LINK:
        return ""
    for _ in range(3):
        try:
            parts = urlsplit(url.strip())
            pairs = parse_qsl(parts.query, keep_blank_values=True)
            host = (parts.hostname or "").lower()
        except ValueError:
            return ""
        if parts.scheme.lower() not in ("http", "https") or not host:
            return ""
        beyond = _beyond(parts.path, pairs) if _COUNTS.search(host) else ""
        if not beyond:
            break
        url = beyond
    kept = [(name, value) for name, value in pairs if not _TRACKS.match(name) and "@" not in value]
    if _COUNTS.search(host) and (_OPAQUE.search(parts.path) or any(_OPAQUE.search(value) for _, value in kept)):
        return ""
    netloc = parts.netloc.rpartition("@")[2]
    query = parts.query if len(kept) == len(pairs) else urlencode(kept)
    return urlunsplit(
        (parts.scheme.lower(), netloc, parts.path, query, "" if "@" in parts.fragment else parts.fragment)
    )


def _beyond(path: str, pairs: list[tuple[str, str]]) -> str:
    """Where a counting address leads to, if it stands in it."""
    for name, value in pairs:
        if name.lower() in _SENT_ON and value.startswith(("http://", "https://")):
            return value
    found = re.search(r"https?:(?:/|%2f){1,2}[^/].*", path, re.IGNORECASE)
    return re.sub(r"^(https?:)/+", r"\1//", unquote(found[0]).partition("/1/")[0]) if found else ""


def story(
    title: str,
    summary: str,
    *,
    key: str,
    links: Iterable[str],
    language: str,
    when: datetime | None,
    label: Label | None,
    source: Source,
    received_at: datetime,
    doubts: tuple[str, ...] = (),
) -> Draft:
    """A news draft. `key`: what its publisher calls it; empty: its address, else what it tells."""
    summary = summary[:MOST_TEXT]
    references = web_addresses([url for link in links if (url := shorn(link))])[:_MOST_LINKS]
    told = hashlib.sha256(f"{title}\n{summary}".encode("utf-8", "replace")).hexdigest()
    key = key or (references[0] if references else f"story/{told}")
    label = markings.of_text(f"{title}\n{summary}") if label is None else label
    cves = cves_in(title, summary)
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
    return Draft(
        "news", key, title, summary, language, Facts(cves=cves), objects, references, label, doubts, source_time=when
    )
