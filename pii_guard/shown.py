"""Text as a reader sees it: without characters that do not show, with digits, letters, blanks and signs as ours."""

import unicodedata

_SIGNS = {
    **dict.fromkeys(map(ord, "\u00a0\u1680\u202f\u205f\u3000"), " "),
    **dict.fromkeys(range(0x2000, 0x200B), " "),
    **dict.fromkeys((*range(0x2010, 0x2016), 0x2212), "-"),
    **dict.fromkeys(map(ord, "\u3002\uff61\u2024\u2027\u30fb"), "."),
    0x2236: ":",
    **dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0), ""),
}
"""Blanks, dashes, dots and signs as word processors and other scripts set them; letters without a form."""
_TAGS = range(0xE0020, 0xE007F)
"""Letters that no program shows, and some read (Unicode 23.9)."""


class _Table(dict[int, str]):
    """A code point -> what shows; made when it is first met."""

    def __missing__(self, code: int) -> str:
        made = self[code] = _as_shown(code)
        return made


def _as_shown(code: int) -> str:
    char = chr(code)
    if code in _SIGNS:
        return _SIGNS[code]
    if code in _TAGS:
        return chr(code - 0xE0000)
    if unicodedata.category(char) in ("Cf", "Mn"):
        return ""
    digit = unicodedata.digit(char, None)
    if digit is not None:
        return str(digit)
    plain = unicodedata.normalize("NFKC", char)
    return plain if len(plain) == 1 else char


_TABLE = _Table()


def shown(text: str) -> str:
    """The text as it shows; the very same one, where that is how it is written."""
    if text.isascii():
        return text
    seen = text.translate(_TABLE)
    return text if seen == text else seen


def written(text: str, seen: str) -> list[int] | range:
    """Where each character of what shows is written."""
    return range(len(text)) if len(seen) == len(text) else [at for at, char in enumerate(text) if _TABLE[ord(char)]]
