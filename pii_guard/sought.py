"""One person's value, looked for in whatever is stored: in texts in any of its written forms, and in data.

Exact where `pii_guard.detect` has to guess: the value is known. An address is found within a prefix too.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError
from typing import Any
from urllib.parse import unquote

import phonenumbers

from pii_guard import Category, GuardError
from pii_guard.forms import Type, normalised

_DOT = r"(?:\.|\[\.\]?|\.\]|\(\.\)|\{\.\}|\s?[\[({]\s?(?:dot|punt)\s?[\])}]\s?)"
_AT = r"(?:@|＠|\s?[\[({<]\s?(?:@|at|apenstaartje)\s?[\])}>]\s?|%40|&#64;)"
_BETWEEN = r"[\s().\-/]{0,3}"
_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff]")
_IPV6 = re.compile(
    r"(?<![\w:])(?:[0-9a-f]{0,4}(?:\[:\]|:)){2,7}(?:[0-9a-f]{1,4}|\d{1,3}(?:\.\d{1,3}){3})?(?![\w:])", re.I
)
_PREFIXES = re.compile(r"(?<![0-9a-f:.])[0-9a-f:.]{3,45}+/\d{1,3}", re.IGNORECASE)
_PREFIX = _PREFIXES.fullmatch
_ONE_HOME = {4: 32, 6: 64}
"""Prefixes of this length or longer are one connection's: its holder's as much as the address is."""
_LEAST = {"name": 4, "username": 3}
"""Shorter ones would stand in every other text."""
CATEGORY: dict[Type, Category] = {
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "email": "email",
    "phone": "phone",
    "name": "name",
    "iban": "iban",
    "bsn": "bsn",
    "username": "username",
    "url": "url-personal",
    "domain": "url-personal",
    "mac": "mac",
    "plate": "plate",
}
"""What the register calls a value of each type."""


class Sought:
    """What is looked for. Never shown: `type` is all that may be told of it."""

    __slots__ = ("_candidates", "_network", "_same", "normal", "type")

    def __init__(self, kind: Type, value: str) -> None:
        """Raises GuardError, without the value, when it is none of its type."""
        normal = normalised(kind, value)
        if normal is None:
            raise GuardError(f"that is no {kind}: write it out whole, or choose another type")
        if kind in ("ipv4", "ipv6") and "/" in normal:
            raise GuardError("that is a prefix: look for one address")
        if len(normal) < _LEAST.get(kind, 0):
            raise GuardError(f"a {kind} of fewer than {_LEAST[kind]} characters could be anybody's: write it out whole")
        self.type, self.normal = kind, normal
        self._network = _network(normal) if kind in ("ipv4", "ipv6") else None
        self._candidates, self._same = _matcher(kind, normal)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where it stands in a text, in order; the whole of a text that holds it only as a reader or a server sees
        it."""
        same = self._same
        found = [match.span() for match in self._candidates.finditer(text) if same is None or same(match.group())]
        if not found and any(self._is_in(each) for each in _otherwise(text)):
            found = [(0, len(text))]
        return found

    def is_in(self, text: str) -> bool:
        """Does a text hold it, or a prefix that is as good as it?"""
        return bool(self.spans(text)) or self.covers(text) == "same"

    def covers(self, text: str) -> str:
        """Is a whole text a prefix that an address lies in? `same`: of one connection; `wide`: of more; empty: no."""
        if self._network is None or not _PREFIX(text):
            return ""
        network = _network(text)
        if network is None or network.version != self._network.version or not self._network.subnet_of(network):  # type: ignore[arg-type]
            return ""
        return "same" if network.prefixlen >= _ONE_HOME[network.version] else "wide"

    def places(self, value: Any, path: str = "") -> Iterator[tuple[str, str]]:
        """Where data hold it: JSON Pointer, and `same` or `wide`."""
        if isinstance(value, str):
            if covers := self.covers(value):
                yield path, covers
            elif self.spans(value):
                yield path, "same"
        elif isinstance(value, dict):
            for key, each in value.items():
                yield from self.places(each, f"{path}/{key}")
        elif isinstance(value, (list, tuple)):
            for each in value:
                yield from self.places(each, f"{path}/*")
        elif isinstance(value, int) and not isinstance(value, bool) and self.spans(str(value)):
            yield path, "same"

    def may_be_in(self, texts: Iterable[str]) -> bool:
        """Could one of many texts hold it? They are looked through as one: False is sure, and quick."""
        text = "\n".join(texts)
        if self._is_in(text) or any(map(self._is_in, _otherwise(text))):
            return True
        return self._network is not None and "/" in text and any(map(self.covers, _PREFIXES.findall(text)))

    def holds(self, value: Any) -> bool:
        """Do data hold it itself?"""
        return any(how == "same" for _, how in self.places(value))

    def out_of(self, text: str, instead: str) -> str:
        """The text with other words in its place."""
        made, end = [], 0
        for start, stop in self.spans(text):
            made.append(text[end:start] + instead)
            end = stop
        return "".join((*made, text[end:]))

    def _is_in(self, text: str) -> bool:
        return any(self._same is None or self._same(match.group()) for match in self._candidates.finditer(text))


def texts_in(value: Any) -> Iterator[str]:
    """All texts in data, numbers as texts too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts_in(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from texts_in(each)
    elif isinstance(value, int):
        yield str(value)


def _otherwise(text: str) -> Iterator[str]:
    """A text as others see it: without what does not show, in common letters, percent-decoded."""
    if not text.isascii():
        yield unicodedata.normalize("NFKC", _UNSEEN.sub("", text)).casefold()
    if "%" in text:
        yield unquote(text)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return (IPv6Network if ":" in text else IPv4Network)(text, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


_Same = Callable[[str], bool] | None


def _matcher(kind: Type, normal: str) -> tuple[re.Pattern[str], _Same]:
    """What to look at in a text, and what decides whether it is the value; None: the pattern alone does."""
    if kind == "ipv6":
        return _IPV6, lambda found: normalised("ipv6", found) == normal
    return re.compile(_PATTERNS[kind](normal), re.IGNORECASE), None


def _ipv4(normal: str) -> str:
    """Also in host names: `ec2-198-51-100-7`."""
    octets = normal.split(".")
    return rf"(?<![\d])(?<!\d[.-])(?:{_DOT.join(octets)}|{'[-_]'.join(octets)})(?!\d)(?!\.\d)"


def _dotted(host: str) -> str:
    """A host name, defanged or not, in ASCII or in its own letters."""
    forms = {host, _shown(host)}
    return "(?:" + "|".join(_DOT.join(map(re.escape, form.split("."))) for form in sorted(forms)) + ")"


def _shown(host: str) -> str:
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        return host


def _email(normal: str) -> str:
    local, _, host = normal.rpartition("@")
    return rf"(?<![\w+-])(?<!\w[.]){re.escape(local)}{_AT}{_dotted(host)}(?![\w-])(?!\.\w)"


def _domain(normal: str) -> str:
    """And the hosts below it."""
    return rf"(?<![\w.-])(?:[\w-]{{1,63}}{_DOT}){{0,8}}{_dotted(normal)}(?![\w-])(?!\.\w)"


def _url(normal: str) -> str:
    host, slash, path = normal.partition("/")
    start = r"(?:[a-z][a-z0-9+.-]{1,20}\[?:\]?)?//(?:[^\s/@]{1,256}@)?"
    if slash:
        start = rf"(?:{start}|(?<![\w.@-]))"
    where = re.escape(host) if host.startswith("[") else _dotted(host)
    tail = re.escape(slash + path)
    return rf"{start}{where}(?::\d{{1,5}})?{tail}/?(?:[?#][^\s\"'<>]*|(?=[.,;:)\]}}]*(?:[\s\"'<>]|$)))"


def _phone(normal: str) -> str:
    number = phonenumbers.parse(normal)
    national = _BETWEEN.join(phonenumbers.national_significant_number(number))
    code = _BETWEEN.join(str(number.country_code))
    return rf"(?<!\d)(?:(?:\+|00)?{_BETWEEN}{code}{_BETWEEN}(?:0{_BETWEEN})?|0{_BETWEEN}){national}(?!\d)"


def _apart(between: str) -> Callable[[str], str]:
    """Letters and digits, with separators between any two of them."""
    return lambda normal: rf"(?<![^\W_]){between.join(normal)}(?![^\W_])"


def _words(normal: str) -> str:
    whole = r"[\s_]{1,4}".join(map(re.escape, normal.split()))
    return rf"(?<!\w){whole}(?!\w)"


def _bsn(normal: str) -> str:
    """Nine digits, or eight where the first is a nought."""
    first = "0?" if normal[0] == "0" else normal[0]
    digits = r"[\s.-]?".join((first, *normal[1:]))
    return rf"(?<!\w){digits}(?!\w)"


_PATTERNS: dict[Type, Callable[[str], str]] = {
    "ipv4": _ipv4,
    "email": _email,
    "domain": _domain,
    "url": _url,
    "phone": _phone,
    "iban": _apart(r"[\s.-]?"),
    "plate": _apart(r"[\s.-]?"),
    "bsn": _bsn,
    "mac": _apart(r"[-:. ]?"),
    "name": _words,
    "username": _words,
}
