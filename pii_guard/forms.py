"""One form for each type of value by which a person is looked up, so that two ways to write it are one value."""

import re
import unicodedata
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError
from typing import Literal, get_args

import phonenumbers

Type = Literal["ipv4", "ipv6", "email", "phone", "name", "iban", "bsn", "username", "url", "domain", "mac", "plate"]
TYPES: tuple[Type, ...] = get_args(Type)

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
is_plain_ipv4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}", re.ASCII).fullmatch
_FANGS = re.compile(r"\s?[\[({]\s?(?:\.|dot|punt)\s?[\])}]\s?|\[\.|\.\]", re.IGNORECASE)
_AT = re.compile(r"\s?[\[({<]\s?(?:@|at|apenstaartje)\s?[\])}>]\s?|＠|%40|&#64;", re.IGNORECASE)
_HOST = re.compile(r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_][\w-]{1,62}|\[?[0-9a-f:.]+\]?", re.IGNORECASE).fullmatch
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]*\[?:\]?//)?(?:[^/?#@\s]*@)?([^/?#\s]+)([^?#\s]*)(?:[?#]\S*)?", re.IGNORECASE)


def prefixes(kind: Type, normal: str) -> list[str]:
    """The prefixes that an address (or a prefix) lies in, longest first."""
    network = _network(normal, kind) if kind in ("ipv4", "ipv6") else None
    if network is None:
        return []
    return [str(network.supernet(new_prefix=bits)) for bits in range(network.prefixlen - 1, 0, -1)]


def normalised(kind: Type, value: str) -> str | None:
    """The value in the one form in which it is compared; None: it is none of that type."""
    return _NORMAL[kind](value.strip())


def refanged(text: str) -> str:
    """`198[.]51[.]100[.]7` as `198.51.100.7`, `a[at]b` as `a@b`."""
    return _AT.sub("@", _FANGS.sub(".", text)).replace("[:]", ":")


def _network(value: str, kind: str) -> IPv4Network | IPv6Network | None:
    try:
        return (IPv4Network if kind == "ipv4" else IPv6Network)(value, strict=False)
    except (AddressValueError, NetmaskValueError, ValueError):
        return None


def _address(kind: str) -> Callable[[str], str | None]:
    def normal(value: str) -> str | None:
        network = _network(refanged(value).strip("[]"), kind)
        if network is None:
            return None
        return str(network.network_address) if network.prefixlen == network.max_prefixlen else str(network)

    return normal


def _folded(value: str) -> str:
    return unicodedata.normalize("NFKC", value).casefold()


def _name(value: str) -> str | None:
    return " ".join(_folded(value).split()) or None


def _username(value: str) -> str | None:
    """Without the domain of Windows before it."""
    return _name(value.rpartition("\\")[2])


def _domain(value: str) -> str | None:
    host = _folded(refanged(value)).strip(".")
    if not _HOST(host):
        return None
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError:
        return host


def _email(value: str) -> str | None:
    text = _folded(refanged(value)).removeprefix("mailto:")
    local, at, host = text.rpartition("@")
    domain = _domain(host)
    return f"{local}@{domain}" if at and local and domain and " " not in local else None


def _phone(value: str) -> str | None:
    """E.164; a number without a country is Dutch."""
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _letters(least: int, most: int) -> Callable[[str], str | None]:
    """Letters and digits alone: separators say nothing."""

    def normal(value: str) -> str | None:
        bare = "".join(filter(str.isalnum, _folded(value)))
        return bare if least <= len(bare) <= most else None

    return normal


def _mac(value: str) -> str | None:
    bare = re.sub(r"[-:. ]", "", value.lower())
    return bare if re.fullmatch(r"[0-9a-f]{12}", bare) else None


def _bsn(value: str) -> str | None:
    digits = re.sub(r"[ .-]", "", value)
    return digits.zfill(9) if re.fullmatch(r"[0-9]{8,9}", digits) else None


def _url(value: str) -> str | None:
    """Host and path: neither scheme, log-in, port nor query."""
    parsed = _URL.fullmatch(refanged(value))
    if parsed is None:
        return None
    host = parsed.group(1)
    bare = host.partition("]")[0] + "]" if host.startswith("[") else host.rpartition(":")[0] or host
    domain = _domain(bare)
    return None if domain is None else domain + parsed.group(2).rstrip("/")


_NORMAL: dict[Type, Callable[[str], str | None]] = {
    "ipv4": _address("ipv4"),
    "ipv6": _address("ipv6"),
    "email": _email,
    "phone": _phone,
    "name": _name,
    "iban": _letters(15, 34),
    "bsn": _bsn,
    "username": _username,
    "url": _url,
    "domain": _domain,
    "mac": _mac,
    "plate": _letters(4, 10),
}
