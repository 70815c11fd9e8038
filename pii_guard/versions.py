"""Four numbers with dots: an address, or the version of something? What stands around them decides."""

import re
from collections.abc import Iterator
from itertools import islice

from pii_guard.words import WORDS

_WORDS = WORDS["versions"]
"""Behind these, with nothing but numbers and joining words in between, stands a version."""
_JOINING = WORDS["joining"]
_SECTIONS = WORDS["sections"]
_ADDRESSES = WORDS["addresses"]
_FROM = WORDS["from"]
_TOKENS = re.compile(r"[^,:'\"(|=\[\]{};]+").findall
_NUMERIC = re.compile(r"[<>=v~^]*\d[\w.*-]*|[<>=~^-]+").fullmatch
_TEN = 10
_HOSTED = WORDS["hosted"]
"""What runs at an address as often as it has a version."""
_QUOTED = re.compile(r"(?:^|\n)[> \t]{0,8}>[ \t]?\Z").search
_FIELD = re.compile(r"(?:ip|addr|src|dst|host)\w*==\Z").search
"""Of a filter: `ip.src==`."""
_SETTING = re.compile(r"(?:Address|I[Pp]|Host|Name|From|Server|Gateway|Peer|Client|Via|To|Src|Dst) \Z").search
"""As programs call a setting: `ListenAddress `."""
_COMPARED = re.compile(r"(?<![-=\w>\"/])[<>]=? ?$").search
_PACKAGE = re.compile(r"(?:cpe:\S{1,60}:|pkg:\S{1,60}@|vers:\S{1,60}/|/v/|(?<!/)/[a-z][\w-]{1,40}:)$").search
"""The last: an image of a container, with its tag."""
_EQUALS = re.compile(r"(?:[=~]=|[?&]v(?:er\w{0,5})?=)$").search
_URL_PATH = re.compile(r"://\S{1,60}/$").search
_PRODUCT = re.compile(
    r"(?<![\w/.])(?:[A-Z][a-z][A-Za-z-]*|[a-z][a-z-]{2,})/$|(?:OS|System) $|(?<!\w)[A-Z][a-z]+[A-Z][a-z]+ $"
).search
"""`Chrome/`, `FortiOS `, `NetWeaver `."""
_AFTER = re.compile(
    r"\s*(?:and|en|or|of)\s+(?:earlier|later|lower|higher|older|newer|below|above|prior|ouder|lager|hoger|nieuwer|"
    r"eerder|before|up|"
    r"previous|all)\b|\s*(?:t/m|through|thru|tot en met)\s+v?\d|-[a-z]|\s*\((?:build|sha\d|hash|md5|\d{4}-\d\d|"
    r"\d\d-\d\d-\d{4}|"
    r"lts|stable|esr|major|minor|release)"
    r"|\s+(?:lost|verhelpt|fixes|resolves|klaar|build|release|patch|is not supported|is niet|bevat|contains|added|"
    r"fixed|gb\b|mb\b)"
    r"|\+(?!\d)|\s*\|\s*v?\d{1,2}(?:\.\d{1,2}){2}(?:\.\d{1,4}){0,2}\s*(?:\||$)|"
    r"[a-z]|/\d+\.\d+\.\d|\s*(?:->|→|naar|to) (?:\d{1,2}\.){2}"
).match
_AFTER_TEN = re.compile(
    r"\s*(?:and|en|or|of)\s+(?:earlier|later|lower|higher|older|newer|below|above|prior|ouder|lager|hoger|nieuwer|"
    r"eerder|before|up|previous)\b|\s*\((?:build|sha\d|hash|md5|lts|stable|esr|major|minor|release)"
    r"|\s+(?:lost|verhelpt|fixes|resolves|build|release|patch|is not supported|bevat|contains|gb\b|mb\b)"
    r"|-(?:rc|beta|alpha|snapshot|ga|sp|p\d|r\d|h\d|build|release|el\d|final|\d+ubuntu)|[a-z]"
).match
"""Of what begins with ten, as addresses at home do, only words say that it is a version."""
_PORT = re.compile(r":\d{1,5}\b|/(?:[89]|[12]\d|3[0-2])(?![\d.])|[\])>#]|\(\d{1,5}\)|\s*(?:->|port\b|poort\b)").match
_CELLS = re.compile(r"[;|\t]|,\S|\S {2,}\S").search
_BUILD = re.compile(
    r"(?<![\w.])\d{1,4}(?:\.\d{1,4}){1,2}\.(?:\d{4,6}|[3-9]\d\d)(?![\w.])|(?<![\w.])\d{1,4}(?:\.\d{1,5}){4}(?![\w.])"
).search
"""What is surely a version: a number that no address has, or a fifth one."""
_ARTIFACT = re.compile(r"(?<!\bip)[A-Za-z]-$").search
"""`foo-service-2.11.0.201`."""
_FILE = re.compile(r"\.(?:msi|exe|zip|deb|rpm|tar|jar|dll|pkg|dmg|apk|iso|bin|nupkg|whl|tgz|gz|7z|cab|img)\b").match
_FOLDER = re.compile(r"\w\\{1,4}$").search
"""Of a program: that of a server begins with two strokes."""
_AGENT = re.compile(r"user-agent:?[^\n]*[\s/]$|\boids?\b[^\n]*[\s,]$").search
_PARTS_OF_THREE = re.compile(r"[<>=v~^]*\d{1,3}\.\d{1,4}\.\d{1,5}").fullmatch
_ROW = re.compile(r"[ \t]?(?:>|->|[,;/|&]|en|and|of|or|\.\.|-|–|to|t/m|tot(?: en met)?|through)[ \t]?").fullmatch
_FAR = 80
_SMALL = 30
_LARGEST, _LARGE = 99, 149
"""What begins with more is an address, where the word for a version stands at a distance, or tells only of what."""
_SAID = {
    *("v", "ver", "vers", "version", "versie", "versions", "versies"),
    *("build", "builds", "release", "rel", "firmware"),
}
_CALLED = ("version", "versionid", "versie", "-build")
_WORDS_BEFORE = 7


def is_version(text: str, start: int, end: int, octets: list[int], version_end: int, address_end: int) -> bool:
    """`version_end`, `address_end`: where the last of these ended, or -1: what stands in one row is of one kind."""
    before = _of_row(text[max(0, start - 64) : start])
    if octets[:2] == [192, 168] or before.endswith("://"):
        return False
    after, lower = text[end : end + 24].lower(), before.lower()
    sign, ten = before[-1:], octets[0] == _TEN
    ported = _PORT(after) is not None and not (sign == "(" and after[:1] == ")")
    if _surely(before, lower, after, octets[0]) or (
        octets[1:] == [0, 0, 0] and octets[0] not in (10, 127) and not ported
    ):
        return True  # 120.0.0.0, as browsers write their version
    if octets[0] > _LARGE and next(_backwards(lower), "").strip(".") not in _SAID:
        return False
    kind, last = _kind_before(lower, ten=ten)
    plain = kind == "from" and not _AFTER(after)
    if kind == "address" or plain or (kind == "version" and _too_large(octets[0], last)):
        return False
    if address_end > version_end and _ROW(text[max(address_end, start - 24) : start]):
        return False
    if kind == "version" or (octets[0] <= _LARGEST and after[:1] != ">" and _compared(text, start)):
        return True
    if kind == "section" and after[:1] == ")":
        return True
    if ported or sign in ("[", "=", "@", "\t", "\\"):
        return False
    if (kind == "section" and octets[0] <= _LARGE) or (octets[0] < 60 and (_AFTER_TEN if ten else _AFTER)(after)):
        return True
    if not ten and octets[0] <= _LARGEST and sign in ("/", " ") and _PRODUCT(before) and not _SETTING(before):
        return True
    return not ten and _by_neighbours(text, start, end, octets, version_end, before, last)


def _by_neighbours(
    text: str, start: int, end: int, octets: list[int], version_end: int, before: str, last: str
) -> bool:
    """What addresses in one's own network (10.0.0.0/8) are too often, and others seldom: small, beside a version."""
    small = octets[0] <= _SMALL and max(octets[1:3]) <= 60
    named = before[-1:] == " " and last[:1].isalpha() and last not in _FROM
    if small and (named or _URL_PATH(before) or _ARTIFACT(before)):
        return True
    if version_end >= 0 and start - version_end <= _FAR and max(octets) < 100:
        return True
    line = text[text.rfind("\n", max(0, start - 200), start) + 1 : end + 100].partition("\n")[0]
    return max(octets[:3]) < 60 and _BUILD(line) is not None


def _compared(text: str, start: int) -> bool:
    """Behind a sign that compares, and quotes nothing."""
    return _COMPARED(text, max(0, start - 5), start) is not None and not _QUOTED(text, max(0, start - 12), start)


def _of_row(before: str) -> str:
    """Of the line above the first cell alone, where it is a row: the head of its last column says nothing of the next
    row's first."""
    above, line, here = before.rpartition("\n")
    cells = _CELLS(above.rpartition("\n")[2]) if line and not here.strip(" \t\"'|") else None
    return f"{cells.string[: cells.start() + 1]}\n{here}" if cells else before


def _surely(before: str, lower: str, after: str, first: int) -> bool:
    """Does what stands right beside it leave no doubt that it is a version?"""
    sign = before[-1:]
    if sign == "=" and not _FIELD(lower) and (before.endswith((">=", "<=")) or _EQUALS(before[-10:])):
        return True
    if sign in (":", "@", "/") and _PACKAGE(before):
        return True
    if first <= _LARGE and ("agent" in lower or "oid" in lower) and _AGENT(lower):
        return True
    return (
        first < _SMALL
        and first != _TEN
        and (_FILE(after) is not None or (sign == "\\" and _FOLDER(before) is not None))
    )


def _too_large(first: int, last: str) -> bool:
    return last.strip(".") not in _SAID and first > (_LARGE if last in _WORDS else _LARGEST)


def _kind_before(lower: str, *, ten: bool) -> tuple[str, str]:
    """What the words before say that the numbers are, and the last of them."""
    labelled = lower.rstrip(" \t\"'")[-1:] in (":", "=")
    last: str | None = None
    for word in islice(_backwards(lower), _WORDS_BEFORE):
        bare = word.strip(".!?<>#*`“”‘’")
        if last is None and labelled and bare in _ADDRESSES:
            return "address", word
        last = word if last is None else last
        if _PARTS_OF_THREE(bare):
            return ("" if ten and not bare.startswith("10.") else "version"), last
        if (bare in _WORDS and not (ten and bare in _HOSTED)) or bare.endswith(_CALLED):
            return "version", last
        if bare in _ADDRESSES:
            return "address", last
        if bare in _SECTIONS and bare == last.strip("(.#"):
            return "section", last
        if not (bare in _JOINING or _NUMERIC(word) or not bare or bare in _FROM):
            break
        if word.endswith((".", ";")) and not _NUMERIC(word):
            break
    return ("from" if last in _FROM else ""), last or ""


def _backwards(lower: str) -> Iterator[str]:
    """Its words from the last to the first; most often the last one decides."""
    while parts := lower.rsplit(None, 1):
        yield from (parts[-1],) if parts[-1].isalnum() else reversed(_TOKENS(parts[-1]))
        lower = parts[0] if len(parts) > 1 else ""
