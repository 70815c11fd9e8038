"""Newsletters by mail: text/html and text/plain, one news draft a story.

Where a letter has headings, or titles that are links, each is a story with the text and the link below it; a letter
without such parts is one story, named after its subject. Greetings, footers, ways to unsubscribe, pictures and what
counts readers are left out, as are sender and recipients. A mail that was not sent to a list may be one person's to
another: a person has to look first.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec import Struct, field

from ingest import Source
from ingest.messages import Letter, MessageError, letter
from normalize import Draft, Normalized, NormalizeError
from normalize.lenient import clean
from normalize.letters import LONGEST_TITLE, Block, is_title, of_html, of_plain
from normalize.stories import bounded, story
from tlp import markings

_MOST_STORIES = 200
_LEAVE = re.compile(
    r"afmelden|uitschrijven|afmeldlink|unsubscribe|opt[- ]?out|abonnement (?:opzeggen|wijzigen|aanpassen)|"
    r"voorkeuren (?:wijzigen|aanpassen)|(?:manage|update) (?:your |my )?(?:preferences|subscription|profile)|"
    r"[uj]e? ontvangt de(?:ze|rgelijke)|you(?: are|'re|’re) receiving|you received this|was sent to|"
    r"is verzonden (?:aan|naar)",
    re.IGNORECASE,
)
_AROUND = re.compile(
    r"privacy(?:verklaring|beleid| statement| policy)|disclaimer|colofon|copyright|©|all rights reserved|follow us|"
    r"volg ons|alle rechten voorbehouden|forward (?:this|to a friend)|stuur .{0,20}door|"
    r"(?:bekijk|lees|view|read).{0,30}(?:online|browser|webversie|web version)|webversie|inhoudsopgave|"
    r"in this (?:issue|edition)|in deze (?:editie|nieuwsbrief)",
    re.IGNORECASE,
)
_GREETS = re.compile(
    r"(?:beste|geachte|hallo|hoi|goede(?:morgen|middag|dag)|dear|hi|hello)\b[^.!?\n]{0,60}[,!]?$", re.IGNORECASE
)
_PARTS_WITH = re.compile(
    r"(?:(?:met )?(?:vriendelijke|hartelijke) groet|(?:kind |best )?regards|groet(?:en|jes)?)\b",
    re.IGNORECASE,
)
_MORE = re.compile(r"(?:lees|read|meer|more|bekijk|view|open|klik|click|naar|ga|download|>|»|→)", re.IGNORECASE)
_REPLIES = re.compile(r"^(?:(?:re|fw|fwd|antw|doorst)\s*:\s*)+", re.IGNORECASE)


class _Told(Struct):
    title: str
    text: list[str] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One draft for each story of a mail. NormalizeError: it is none, or has no text."""
    try:
        mail = letter(body)
    except MessageError as error:
        raise NormalizeError(str(error)) from None
    if mail.attached:
        raise NormalizeError("a mail with attachments that came as one document; a file or a mailbox opens it")
    bounded(mail.html.encode("utf-8", "replace") + mail.plain.encode("utf-8", "replace"))
    if not mail.html and mail.plain.lstrip()[:1] in ("{", "[", "<"):
        raise NormalizeError("a mail whose text is data; have the source attach it as a file")
    told = _told(mail)
    when = _when(mail.date)
    label = markings.of_text(f"{mail.subject}\n{mail.plain}\n{' '.join(part for each in told for part in each.text)}")
    made: dict[str, Draft] = {}
    for each in told[:_MOST_STORIES]:
        draft = story(
            each.title,
            "\n".join(each.text),
            key="",
            links=_addresses(each),
            language=mail.language or source.language,
            when=when,
            label=label,
            source=source,
            received_at=received_at,
            doubts=() if mail.listed else ("not-from-a-list",),
        )
        made.setdefault(draft.key, draft)
    if not made:
        raise NormalizeError("a mail without a story")
    return Normalized("rss", tuple(made.values()))


def _told(mail: Letter) -> list[_Told]:
    """The stories of a letter: of its two forms the one in which more are found; else one, all of it."""
    html = _without_frame(of_html(mail.html)) if mail.html else []
    plain = _without_frame(of_plain(mail.plain))
    found = max(_by_headings(html), _by_titles(html), key=len)
    if len(found) < 2:
        found = _by_lines(plain)
    if len(found) >= 2:
        return found
    whole = html or plain
    text = [block.text for block in whole if block.text]
    title = clean(_REPLIES.sub("", mail.subject))[:LONGEST_TITLE] or (text[0][:100] if text else "")
    if not title or not text:
        return []
    return [_Told(title, [part for part in text if part != title], [link for block in whole for link in block.links])]


def _by_headings(blocks: Sequence[Block]) -> list[_Told]:
    """The level of headings of which there are most parts the letter; a higher one ends a story."""
    levels = Counter(block.level for block in blocks if block.level)
    if not levels:
        return []
    level, count = max(levels.items(), key=lambda pair: (pair[1], -pair[0]))
    if count < 2:
        return []
    return _cut(blocks, [block.level == level for block in blocks], [0 < block.level < level for block in blocks])


def _by_titles(blocks: Sequence[Block]) -> list[_Told]:
    """Pieces that are one link, or all bold, and long enough for a title, part the letter."""
    linked = [len(block.links) == 1 and is_title(block.text) and block.links[0][1] == block.text for block in blocks]
    bold = [is_title(block.text) and block.bold == block.text for block in blocks]
    starts = max(linked, bold, key=sum)
    return _cut(blocks, starts, [False] * len(blocks)) if sum(starts) >= 2 else []


def _by_lines(blocks: Sequence[Block]) -> list[_Told]:
    """In plain text: numbered or underlined lines, or short ones above text that ends in a link."""
    for starts in (
        [bool(block.level) for block in blocks],
        [is_title(block.text, 120) and not block.links for block in blocks],
    ):
        if sum(starts) >= 2:
            found = _cut(blocks, starts, [False] * len(blocks))
            if len(found) >= 2 and (blocks[starts.index(True)].level or all(each.links for each in found)):
                return found
    return []


def _cut(blocks: Sequence[Block], starts: Sequence[bool], ends: Sequence[bool]) -> list[_Told]:
    found: list[_Told] = []
    current: _Told | None = None
    for block, begins, stops in zip(blocks, starts, ends, strict=True):
        if begins and block.text:
            current = _Told(block.text[:LONGEST_TITLE], [], list(block.links))
            found.append(current)
        elif stops:
            current = None
        elif current is not None:
            current.text += [block.text] if block.text else []
            current.links += block.links
    return [each for each in found if each.text or each.links]


def _addresses(told: _Told) -> Iterable[str]:
    """The story's own address first: that of its title, else of "read more"."""
    of_title = [url for url, words in told.links if words == told.title]
    more = [url for url, words in told.links if _MORE.match(words)]
    rest = sorted(told.links, key=lambda link: not link[1])  # a picture's link has no words
    return [url for url in (*of_title, *more, *(url for url, _ in rest)) if not _LEAVE.search(url)]


def _without_frame(blocks: Sequence[Block]) -> list[Block]:
    """Without greetings, ways to unsubscribe, and what else stands around the stories of every edition."""
    kept = []
    signed = False
    for block in blocks:
        around = len(block.text) <= 200 and not block.level
        framed = (len(block.text) <= 400 and (_LEAVE.search(block.text) or _GREETS.match(block.text))) or (
            around and (_AROUND.search(block.text) or _PARTS_WITH.match(block.text))
        )
        if not framed and not (signed and around and len(block.text) <= 60):
            kept.append(block)
        signed = bool(around and _PARTS_WITH.match(block.text))
    return kept


def _when(date: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(date)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
