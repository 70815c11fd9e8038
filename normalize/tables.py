"""Tables whose layout nobody stated: which sign parts the columns, which line names them, what is a comment.

And what a value is by the look of it: an address, a name, a hash, however it was made harmless to click on.
"""

import csv
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from msgspec import Struct

from normalize import Observable, ObservableType
from normalize.lenient import moment
from normalize.stix_facts import Key, address

Row = tuple[int, list[str]]
"""Line number and cells."""
_SIGNS = (",", ";", "\t", "|")
_WHOLE = "\x1f"
"""No sign at all: one column."""
_SAMPLE = 60
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})")
_EMAIL = re.compile(r"[^\s@:/]{1,64}@([^\s@:/]{4,253})")
_PORTED = re.compile(r"\[?([0-9a-f:.]+)\]?:(\d{1,5})|\[([0-9a-f:]+)\]", re.IGNORECASE)
_ASN = re.compile(r"as ?(\d{1,10})", re.IGNORECASE)
_RULER = re.compile(r"\s*+(?:\|\s*+)?:?-{3,}+:?\s*+\|")
"""Below the head of a table in Markdown, which is a page for people."""
_EPOCH = re.compile(r"1\d{9}(?:\d{3})?(?:\.\d+)?")
_ALGORITHMS: Mapping[int, str] = {32: "MD5", 40: "SHA-1", 64: "SHA-256", 96: "SHA-384", 128: "SHA-512"}
_FILES = frozenset(
    (
        *("exe", "dll", "doc", "docx", "docm", "xls", "xlsx", "xlsm", "ppt", "pptx", "pdf", "js", "jse", "vbs", "vbe"),
        *(
            "ps1",
            "bat",
            "cmd",
            "scr",
            "lnk",
            "jar",
            "txt",
            "dat",
            "bin",
            "tmp",
            "msi",
            "iso",
            "img",
            "rar",
            "7z",
            "hta",
        ),
        *("php", "asp", "aspx", "jsp", "html", "htm", "xml", "json", "png", "jpg", "gif", "sys", "cpl", "ocx", "apk"),
    )
)
"""Ends of file names, which would be top-level domains otherwise."""
_DEFANGED = (("hxxp", "http"), ("[:]//", "://"), ("[://]", "://"), ("[.]", "."), ("(.)", "."), ("{.}", "."),
             ("[dot]", "."), ("(dot)", "."), ("[@]", "@"), ("[at]", "@"), ("(at)", "@"), ("\\.", "."))  # fmt: skip


class Table(Struct):
    """How a table is laid out."""

    sign: str
    names: tuple[str, ...]
    """Of its columns, in small letters with `_`; empty: nothing names them."""
    header: int
    """The number of the line that names them; 0: none."""


def layout(lines: Sequence[str], known: Callable[[str], bool]) -> Table | None:
    """How these first lines are a table. `known`: is this the name of a column? None: they are none."""
    sample = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not is_comment(line)]
    if not sample or any(_RULER.match(line) for _, line in sample):
        return None
    above = [(n, line.lstrip("#; /").strip()) for n, line in enumerate(lines, 1) if n < sample[0][0] and line.strip()]
    best: tuple[tuple[int, float, int], Table] | None = None
    for rank, sign in enumerate((*_SIGNS, _WHOLE)):
        rows = [cells(line, sign) for _, line in sample[:_SAMPLE]]
        width, count = Counter(map(len, rows)).most_common(1)[0]
        if sign != _WHOLE and width < 2:
            continue
        names, header = _named(above[-1:], sample[0], sign, known)
        hits = sum(map(known, names))
        score = (hits, count / len(rows) if sign != _WHOLE else 0.0, -rank)
        if best is None or score > best[0]:
            best = score, Table(sign, names, header)
    assert best is not None
    return best[1]


def _named(
    above: Sequence[tuple[int, str]], first: tuple[int, str], sign: str, known: Callable[[str], bool]
) -> tuple[tuple[str, ...], int]:
    """The line that names the columns: the first, unless a value stands in it, or the comment above it."""
    for number, line, least in ((*first, 1), *((n, text, 2) for n, text in above)):
        names = tuple(re.sub(r"[\s.-]+", "_", cell.strip().lower()) for cell in cells(line, sign))
        if sum(map(known, names)) >= least and not any(look(cell) for cell in cells(line, sign)):
            return names, number
    return (), 0


def rows(lines: Iterator[str], table: Table, refuse: Callable[[str, int], None]) -> Iterator[Row]:
    """The rows below the header, with the number of the line at which each ends."""
    reader = csv.reader(_without_comments(lines, table), delimiter=table.sign, skipinitialspace=True)
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error:
            refuse("not readable as a row", reader.line_num)
            continue
        if any(cell.strip() for cell in row) and reader.line_num != table.header:
            yield reader.line_num, [cell.strip() for cell in row]


def _without_comments(lines: Iterator[str], table: Table) -> Iterator[str]:
    """Comments as empty lines, so that lines keep their numbers. Inside of quotes there are none."""
    quoted = False
    for line in lines:
        yield "\n" if not quoted and is_comment(line) else line
        quoted ^= table.sign != _WHOLE and line.count('"') % 2 == 1


def is_comment(line: str) -> bool:
    """`#`, `;` or `//` begins one; in quotes too."""
    return line.lstrip(' \t"').startswith(("#", ";", "//"))


def cells(line: str, sign: str) -> list[str]:
    """The cells of one line."""
    try:
        return next(csv.reader([line], delimiter=sign, skipinitialspace=True), [])
    except csv.Error:
        return []


def look(text: str) -> Observable | None:
    """What a value is by the look of it; a port where one is given. None: no value that is known."""
    plain = armed(text.strip().strip("'\"<>"))
    lower = plain.lower()
    if len(plain) > 4000 or not plain:
        return None
    if len(plain) in _ALGORITHMS and re.fullmatch(r"[0-9a-f]+", lower):
        return Observable("hash", lower, detail={"algorithm": _ALGORITHMS[len(plain)]})
    if "://" in plain:
        return Observable("url", plain) if _web(plain) else None
    if found := _ASN.fullmatch(plain):
        return Observable("asn", f"AS{int(found[1])}") if int(found[1]) < 1 << 32 else None
    if found := _EMAIL.fullmatch(plain):
        return Observable("email", plain) if _DOMAIN.fullmatch(found[1].lower()) else None
    named = plain[-1].isalpha() and ":" not in plain and "-" not in plain[2:3]
    key = None if named else address("ipv4", plain) or address("mac", plain)
    if key:
        return Observable(*key)
    if found := _PORTED.fullmatch(plain):
        key = address("ipv4", found[1] or found[3])
        port = int(found[2] or 0)
        return Observable(*key, port=port or None) if key and key[0] in ("ipv4", "ipv6") and port < 65536 else None
    name = lower.rstrip(".")
    if name.rpartition(".")[2] in _FILES and not any(sign in plain for sign in "/\\ "):
        return Observable("file", plain)
    return Observable("domain", name) if _DOMAIN.fullmatch(name) else None


def several(text: str) -> tuple[list[Observable], bool]:
    """The values of one cell, and whether something in it is none: `a | b`, hashes one after another, one a line."""
    one = look(text)
    if one is not None:
        return [one], False
    pieces = [piece for piece in re.split(r"[\s,;|]+", text) if piece]
    found = [look(piece) for piece in pieces]
    values = [value for value in found if value is not None]
    if len(values) * 2 < len(pieces):  # words among which a value stands
        return [], True
    return values, len(values) < len(pieces)


def between(first: str, last: str) -> list[Key]:
    """The networks of a range of addresses; empty: it is none, or all too many."""
    try:
        start, end = ipaddress.ip_address(first.strip()), ipaddress.ip_address(last.strip())
        found = list(ipaddress.summarize_address_range(start, end))
    except (ValueError, TypeError):
        return []
    kind: ObservableType = "cidr"
    return [address("ipv4", str(network)) or (kind, str(network)) for network in found[:64]]


def armed(text: str) -> str:
    """`hxxps://evil[.]example` as it was."""
    for fang, sign in _DEFANGED:
        if fang in text.lower():
            text = re.sub(re.escape(fang), sign, text, flags=re.IGNORECASE)
    return text


def when(text: str) -> datetime | None:
    """A time as tables write it: RFC 3339 or nearly so, day first, seconds since 1970."""
    plain = text.strip()
    if _EPOCH.fullmatch(plain):
        seconds = float(plain[:10])
        return datetime.fromtimestamp(seconds, UTC)
    if found := re.fullmatch(r"(\d\d)[-/.](\d\d)[-/.](\d{4})(.*)", plain):
        plain = f"{found[3]}-{found[2]}-{found[1]}{found[4]}"
    return moment(plain.removesuffix(" UTC").replace("/", "-"))


def _web(text: str) -> bool:
    try:
        parts = urlsplit(text)
        host = re.sub(r"\.{2,}", ".", parts.hostname or "").strip(".")  # RFC 3986 3.2.2 minds no empty label
    except ValueError:
        return False
    if parts.scheme.lower() not in ("http", "https", "ftp", "tcp", "udp", "ws", "wss") or " " in text:
        return False
    return _DOMAIN.fullmatch(host) is not None or address("ipv4", host) is not None
