"""Values that an encoding hides: escapes (URL, HTML, JSON, C, quoted-printable, UTF-7), base64, hexadecimal.

What is written otherwise is read as it is meant, and what is found in it stands where it was written. Encodings may
lie in one another, to a depth; every reading is as large as what it was made of, or smaller.
"""

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from pii_guard.quick import Quick
from pii_guard.span import SUSPECT, Span

_DEEPEST = 3
_LONGEST = 1 << 20
"""Of one piece of base64 or hexadecimal, no more is read."""
_SHORTEST = 10
_LINE_END = re.compile(r"(?:\\{1,2}r)?\\{1,2}[nrtbs]").fullmatch
_VALUE = r"(?=[+(]?\d|[A-Z]{2}\d\d|[0-9a-fA-F]{1,4}:)"
"""The start of a number or an address, to which the letter of an escape before it seems to belong."""
_ESCAPE = Quick(
    r"%(?:25)*(?:[0-9A-Fa-f]{2}(?:%(?:25)*[0-9A-Fa-f]{2})*|u[0-9A-Fa-f]{4}(?:%u[0-9A-Fa-f]{4})*)"
    r"|&(?:#[0-9]{1,7};?|#[xX][0-9a-fA-F]{1,6};?|[a-zA-Z]{2,12};)"
    rf"|(?:\\{{1,2}}r)?\\{{1,2}}[nrtbs]{_VALUE}|\x1b\[[0-9;]{{0,12}}[A-Za-z]|#01[0-57]{_VALUE}|\^[IJM]{_VALUE}"
    rf"|=(?:3D|0A|09|0D=0A|A0|C2=A0){_VALUE}"
    r"|\\\\?(?:u[0-9a-fA-F]{4}(?:\\{1,2}u[0-9a-fA-F]{4})*|x[0-9a-fA-F]{2}(?:\\{1,2}x[0-9a-fA-F]{2})*"
    r"|[0-7]{3}(?:\\{1,2}[0-7]{3})*|U[0-9a-fA-F]{8}|u\{[0-9a-fA-F]{1,6}\}|(?<=[\w:]\\)[:@_](?=[\w\\:])|/)"
    r"|(?:\n(?<=[\d-]\n)|\r\n(?<=[\d-]\r\n))(?:> ?)+(?=[\d(])|=2B(?=\d)"
    r"|=(?<=\w=)(?:40(?=[A-Za-z])|(?:2E|2D|5F|2B|3A|3D|2F|5C|C[23]=[89AB][0-9A-F]|E2=80=[89AB][0-9A-F])(?=[\w.=@]))"
    r"|=(?:[0-9A-F]{2}(?:=[0-9A-F]{2}){2,}|\r?\n)|\+[A-Za-z0-9/]{2,400}-"
)
_ESCAPES = re.compile(r"[%&\\\r\n=+#^\x1b]").search
"""One of these begins each."""
_OF_BASE64 = bytes(
    c if chr(c).isascii() and (chr(c).isalnum() or chr(c) in "+/") else 43 if c == 45 else 47 if c == 95 else 32
    for c in range(256)
)
"""The alphabet of base64, the one for URLs as the other; whatever else as a blank."""
_HEXADECIMAL = re.compile(rb"(?:0x|\\x)?((?:(?:[2-7][0-9a-fA-F]|0[9aAdD])(?:00)?){7,})").fullmatch
_HUMP = re.compile(rb"[a-z][0-9+/]*[A-Z]|[A-Z][0-9][A-Z].*[a-z]").search
_PIECE = Quick(
    rf"(?<![A-Za-z0-9+/_-])(?=[A-Za-z0-9+/_-]{{{_SHORTEST}}})[A-Za-z0-9+/_-]*?"
    r"(?:[a-z][0-9+/_-]*[A-Z]|[A-Z][0-9][A-Z]|(?:(?:[2-7][0-9a-fA-F]|0[9aAdD])(?:00)?){7})[A-Za-z0-9+/_-]*"
)
"""A run in which there is a hump, or enough hexadecimal."""
_WRAPPED = Quick(r"(?<![A-Za-z0-9+/])(?:[A-Za-z0-9+/]{40,}\r?\n[ \t]*){1,20000}[A-Za-z0-9+/]*={0,2}")
_LINE = 40
"""The least of a line of base64 that goes on in the next."""
_PAIRS = Quick(r"[0-9a-fA-F](?<![\w:-].)[0-9a-fA-F](?:[ :-][0-9a-fA-F]{2}){7,}(?![\w:-])")
"""Hexadecimal in pairs, longer than an address of hardware."""
_READABLE = re.compile(r"[\t\n\r\x20-\x7e\xa0-\uffff\U00010000-\U0010ffff]*").fullmatch
_MOST_STRICT = ("bsn", "credential")

Read = Callable[[str], list[Span]]


class _Reading(NamedTuple):
    """A text as it is meant, and where each of its characters was written: [starts[i], ends[i])."""

    text: str
    starts: list[int]
    ends: list[int]


def suspected(text: str) -> bool:
    """May something be hidden here at all? Exact: where not, `hidden` finds nothing."""
    return _escaped(text) or any(True for _ in _pieces(text)) or any(True for _ in _PAIRS.finditer(text))


def _escaped(text: str) -> bool:
    return _ESCAPES(text) is not None and any(True for _ in _ESCAPE.finditer(text))


def hidden(text: str, read: Read, depth: int = _DEEPEST) -> Iterator[Span]:
    """What `read` finds in a text once it is decoded."""
    if depth == 0:
        return
    if _escaped(text):
        meant = _unescaped(text)
        if meant.text != text:
            for span in (*read(meant.text), *hidden(meant.text, read, depth - 1)):
                start, end = meant.starts[span.start], meant.ends[span.end - 1]
                written = end - start == span.end - span.start  # perhaps only what stands before it is an escape
                yield span._replace(start=start, end=end, rule=span.rule if written else _rule(span))
    for start, end, inner in _decoded(text):
        found = [*read(inner), *hidden(inner, read, depth - 1)]
        if found:
            worst = max(
                found, key=lambda each: (each.confidence >= SUSPECT, each.category in _MOST_STRICT, each.confidence)
            )
            yield worst._replace(start=start, end=end, rule=_rule(worst))


def _rule(span: Span) -> str:
    return span.rule if span.rule.endswith("-encoded") else f"{span.rule}-encoded"


def _unescaped(text: str) -> _Reading:
    made: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for match in _ESCAPE.finditer(text):
        start, end = match.span()
        value = _meaning(match.group())
        made += (text[at:start], value)
        starts += range(at, start)
        ends += range(at + 1, start + 1)
        starts += [start] * len(value)
        ends += [end] * len(value)
        at = end
    made.append(text[at:])
    starts += range(at, len(text))
    ends += range(at + 1, len(text) + 1)
    return _Reading("".join(made), starts, ends)


def _meaning(escape: str) -> str:
    """The characters that an escape stands for; itself, when it stands for none."""
    sign = escape[0]
    if sign in "\x1b#^" or _LINE_END(escape):
        return "\n"  # a colour; an end of a line or a blank as programs write them
    try:
        if sign == "&":
            return html.unescape(escape)
        if sign in "\r\n":
            return "\n"  # a line that somebody quotes goes on in the next one
        if sign == "=" and escape[1] in "\r\n":
            return ""
        if sign == "+":
            meant = escape.encode().decode("utf-7")
            return meant if _READABLE(meant) else escape
        if sign == "\\":
            return _of_backslashes(escape)
        if escape[1] == "u":
            return _of_units(escape.split("%u")[1:])
        return bytes.fromhex(re.sub(r"%(?:25(?=[0-9A-Fa-f]{2}))*|=", "", escape)).decode("utf-8", "replace")
    except (ValueError, UnicodeError):
        return escape


def _of_backslashes(escape: str) -> str:
    """JSON's, JavaScript's, Python's and C's; signs that some programs escape too (`00\\:16`, `http:\\/\\/`)."""
    kind = escape.lstrip("\\")[0]
    if kind in "/:@_":
        return kind
    if kind.isdigit():
        return bytes(int(part, 8) for part in re.split(r"\\+", escape)[1:]).decode("utf-8", "replace")
    if kind == "U" or escape.endswith("}"):
        return chr(int(escape.lstrip("\\")[1:].strip("{}"), 16))
    parts = re.split(r"\\+[ux]", escape)[1:]
    return bytes(int(part, 16) for part in parts).decode("utf-8", "replace") if kind == "x" else _of_units(parts)


def _of_units(codes: Sequence[str]) -> str:
    """Units of UTF-16, in hexadecimal."""
    units = "".join(chr(int(code, 16)) for code in codes)
    return units.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Runs that may be base64 or hexadecimal: long enough, and no word, hash or number as people write them."""
    for match in _PIECE.finditer(text):
        word = match.group().encode().translate(_OF_BASE64)
        if _HUMP(word) or _HEXADECIMAL(word):
            yield match.span()


def _decoded(text: str) -> Iterator[tuple[int, int, str]]:
    """Start and end of each piece that is readable once it is decoded, with what it says."""
    done = 0
    for match in _PAIRS.finditer(text):
        if inner := _readable(bytes.fromhex(re.sub("[ :-]", "", match.group()))):
            yield *match.span(), inner
    pieces = list(_pieces(text))
    if "\n" in text and any(end - start >= _LINE for start, end in pieces):
        for match in _WRAPPED.finditer(text):
            lines = match.group().split()
            if sum(map(len, lines)) % 4:
                del lines[-1]  # a word behind it
            inner = _of_base64("".join(lines))
            if inner:
                done = text.rindex(lines[-1], match.start(), match.end()) + len(lines[-1])
                yield match.start(), done, inner
    for start, end in pieces:
        if start < done:
            continue
        whole = text[start:end]
        inner = _of_hexadecimal(whole) or _of_base64(whole)
        if inner:
            yield start, end + (text[end : end + 2].count("=")), inner
        elif "/" in whole:
            at = start
            for part in whole.split("/"):
                if len(part) >= _SHORTEST and (inner := _of_base64(part)):
                    yield at, at + len(part) + text[at + len(part) : at + len(part) + 2].count("="), inner
                at += len(part) + 1


def _of_hexadecimal(word: str) -> str:
    match = _HEXADECIMAL(word[:_LONGEST].encode())
    if match is None:
        return ""
    digits = match.group(1)
    return _readable(bytes.fromhex(digits[: len(digits) // 2 * 2].decode()))


def _of_base64(word: str) -> str:
    word = word[:_LONGEST].rstrip("=").replace("-", "+").replace("_", "/")
    if not _likely(word[:32]):
        return ""
    word = word[: len(word) - (len(word) % 4 == 1)]
    try:
        return _readable(base64.b64decode(word + "=" * (-len(word) % 4)))
    except (binascii.Error, ValueError):
        return ""


def _likely(head: str) -> bool:
    """Are the first bytes of it text? Most of what looks like base64 is none, and costs no more than this."""
    return bool(_readable(base64.b64decode(head[: len(head) // 4 * 4])))


def _readable(data: bytes) -> str:
    """The text that these bytes are, in UTF-8 or UTF-16; empty: they are none."""
    if data[1::2].count(0) * 2 >= len(data) - 1 and len(data) > 3:
        text = data[: len(data) // 2 * 2].decode("utf-16-le", "ignore")
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError as error:
            if error.start < len(data) - 3:
                return ""
            text = data[: error.start].decode()
    return text if _READABLE(text) else ""
