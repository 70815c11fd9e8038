"""Recognisers for what machines are known by: addresses of networks and of hardware. All patterns are linear."""

import re
from collections.abc import Iterator
from ipaddress import AddressValueError, IPv6Address

from pii_guard import Category
from pii_guard.detect_hardware import RARE, RARE_FOLDED, is_somebodys, macs
from pii_guard.detect_mail import DOT, DOT_APART
from pii_guard.quick import Quick
from pii_guard.span import Found, Span, folded
from pii_guard.versions import is_version

_SET_APART = r"[\"']\.[\"']|\s\.\s"
"""A dot as programs glue it, or as it is set apart so that nobody follows it by chance."""
_IPV4 = Quick(
    rf"[0-9](?:(?<![^\W_][0-9])|(?<=\bip[0-9])|(?<=\bipv4[0-9]))(?<![^.]\.[0-9])(?<![0-9]-[0-9])[0-9]{{0,2}}(?:(?:{DOT}|{_SET_APART})[0-9]{{1,3}}){{3}}"
    r"(?!\d|\.\d|-\d(?!\d{5})|\.ip6\.)"
    rf"|[0-9](?<![\w.][0-9])[0-9]{{0,2}}(?:\.[0-9]{{1,3}}){{3}}(?=\s?-\s?[0-9]{{1,3}}(?:(?:\.[0-9]{{1,3}}){{3}})"
    rf"?(?![\w.]\w))"
    r"|[0-9](?<=[0-9]-[0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?![\w-])(?!\.\d)"
    r"|[0-9](?<=[a-z]\.[0-9])[0-9]{0,2}(?:\.[0-9]{1,3}){3}(?=\.[a-z][\w-]*\.[a-z])",
    re.IGNORECASE,
)
_DOT_APART = Quick(rf"[0-9](?:{DOT_APART}|{_SET_APART})[0-9]", re.IGNORECASE)
"""Between two numbers, a dot that is not simply one."""
_PLAIN_DOTS = re.compile(r"\.(?=[0-9]{1,3}\.[0-9]{1,3}\.[0-9])").finditer
"""The first of three: a pattern that begins with a literal is looked for as fast as a word."""
_QUAD = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_FLOW = Quick(rf"(?<![\w.])(?P<a>{_QUAD})(?:\.[\w-]{{1,16}})? > (?P<b>{_QUAD})(?=\.[\w-]{{1,16}}[:,\s]|[:,]? )")
"""Both ends of a connection, as tcpdump and packet filters write them, the port behind a dot."""
_GLUED = Quick(
    r"(?<![\w.])(?=(?:\d{1,3}\.){3}\d{4})(?P<a>(?:\d{1,3}\.){3}[1-9]\d{0,2})(?P<b>[1-9]\d{0,2}(?:\.\d{1,3}){3})(?![\w.])",
    rare=RARE,
)
"""Two addresses that grew together, where what stood between them was lost."""
_RANGE_END = re.compile(r"[ \t]?-[ \t]?([0-9]{1,3})(?!\w|\.\w)")
_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_WHOLE_IPV4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}").fullmatch
_DASHED_IPV4 = Quick(
    r"[0-9](?<![0-9][0-9])(?<![0-9]{2}[-_.][0-9])(?<![-_.][0-9][-_.][0-9])[0-9]{0,2}(?:(?:-[0-9]{1,3}){3}|"
    r"(?:_[0-9]{1,3}){3})"
    r"(?=(?:-[a-z][a-z0-9-]{0,60})?\.[a-z])"
    r"|[0-9](?<=\bip-[0-9])[0-9]{0,2}(?:-[0-9]{1,3}){3}(?![\w-])",
    re.IGNORECASE,
    rare=RARE,
)
"""An address in a host name: `ec2-198-51-100-7.compute.example`."""
_NUMBERS = re.compile(r"\d+").findall
_PLAIN = re.compile(r"[0-9.]+").fullmatch
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF:[](){}")
_COLONS_OF_SIX = Quick(r":[\])}]?[\[({]?:|(?:[0-9a-fA-F]{1,4}[\[({]?:[\])}]?){7}", rare=RARE)
"""What every IPv6 address has: two colons side by side, or seven numbers with one."""
_COLONS_OF_EIGHT = 7
_COLONS = re.compile(r"[0-9a-fA-F:\[({][0-9a-fA-F:\[\](){}.]{2,80}+")
"""A run in which an IPv6 address may stand."""
_SIX = (
    r"(?:[0-9a-fA-F]{0,4}(?:[\[({]:{1,2}[\])}]|:)){2,8}(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{1,4}|\d{5})?"
    r"(?![^\W_]|:[0-9a-fA-F:])"
)
_IPV6 = re.compile(rf"(?<![^\W_])(?<!:){_SIX}")
_IPV6_GLUED = re.compile(_SIX)
_IPV6_HERE = re.compile(_SIX).match
_IPV6_INNER = re.compile(rf"(?<=:)(?=(?:2[0-9a-fA-F]{{3}}|[fF][cdCDeE][0-9a-fA-F]{{2}}):){_SIX}")
"""Behind a clock or a name that ends in colons: `12:01:33:2001:db8::5`."""
_PORT = re.compile(r".*::?[0-9a-fA-F]+:\d{5}").fullmatch
"""With a port behind it: no part of an address has five digits."""
_EUI64 = re.compile(r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){7}").fullmatch
_REVERSED = Quick(r"(?<![\w.])((?:[0-9a-f]\.){11,31}[0-9a-f])\.ip6\.arpa")
_DASHED_IPV6 = (
    (
        ".ipv6-literal",
        Quick(r"(?<![\w-])(?P<host>(?:[0-9a-f]{1,4}-{1,2}){1,7}[0-9a-f]{1,4})(?:s[\da-z]{1,9})?\.ipv6-literal"),
    ),
    ("-", Quick(r"(?<![\w-])(?P<host>[0-9a-f]{4}(?:-[0-9a-f]{4}){7})(?![\w-])", rare=RARE_FOLDED)),
    (
        "--",
        Quick(
            r"(?<![\w-])(?P<host>(?:2[0-9a-f]{3}|f[cde][0-9a-f]{2})(?=-[0-9a-f-]{0,30}--)(?:-{1,2}[0-9a-f]{1,4}){2,6})"
            r"(?![\w-])"
        ),
    ),
)
"""As Windows writes it in a path, and as host names hold it."""
_MASKED_IPV6 = Quick(
    r"(?<![\w:])(?:2[0-9a-f]{3}|f[cd][0-9a-f]{2})(?::[0-9a-f]{1,4}){2,6}(?:(?::{1,3}(?:x{1,4}|\*{1,4}(?!\w)))+(?!\w)"
    r"|:{0,3}(?=\[(?:x|re|ge|an|we|\.|…|\*)|…|\.\.\.|/(?:48|56|60|64|128)\b))",
    rare=RARE_FOLDED,
)
"""A network of which the rest was blotted out: at home it names the house."""
_COLON_APART = Quick(r"[0-9a-f](?: ::? ?|::? )[0-9a-f]")
_SPACED_IPV6 = Quick(
    r"(?<![\w:])(?:2[0-9a-f]{3}|f[cde][0-9a-f]{2})(?:(?: ?:){1,2} ?[0-9a-f]{1,4}(?![0-9a-z])){2,7}(?<=[0-9a-f])(?! ?:)"
)
"""Set apart so that nobody follows it by chance."""


def addresses(text: str) -> Found:
    """IPv4 addresses, defanged ones too, that are no version."""
    version_end = address_end = -1
    for flow in _FLOW.finditer(text) if " > " in text else ():
        for side in ("a", "b"):
            if max(octets := list(map(int, _NUMBERS(flow.group(side))))) < 256 and 0 < octets[0] < 224:
                yield Span("ipv4", *flow.span(side), 0.9, "ipv4-flow")
    for glued in _GLUED.finditer(text):
        if max(map(int, (*glued.group("a").split("."), *glued.group("b").split(".")))) < 256:
            yield Span("ipv4", *glued.span(), 0.9, "ipv4-glued")
    for match in (*_quads(text), *_DASHED_IPV4.finditer(text)):
        start, end = match.span()
        plain = _PLAIN(match.group())
        octets = list(map(int, match.group().split(".") if plain else _NUMBERS(match.group())))
        if max(octets) > 255 or octets[0] in (0, 127) or octets[0] > 223:
            continue
        ranged = _RANGE_END.match(text, end)
        if ranged and " " not in ranged.group() and not octets[3] < int(ranged.group(1)) < 256:
            continue
        if plain and is_version(text, start, end, octets, version_end, address_end):
            version_end = end
            continue
        address_end = end
        yield Span("ipv4", start, end, 0.9, "ipv4")


def _quads(text: str) -> Iterator[re.Match[str]]:
    """As `_IPV4.finditer`; where every dot is a plain one, by the dots."""
    if _DOT_APART.search(text):
        yield from _IPV4.finditer(text)
        return
    end = 0
    for dot in _PLAIN_DOTS(text):
        at = dot.start()
        for start in range(max(end, at - 3), at):
            if match := _IPV4.match(text, start):
                yield match
                end = match.end()
                break


def hex_addresses(text: str) -> Found:
    """IPv6 and MAC addresses."""
    lower = folded(text)
    end = 0
    for colons in _COLONS_OF_SIX.finditer(text):
        start = colons.start()
        while start > end and text[start - 1] in _HEXADECIMAL:
            start -= 1
        run = _COLONS.match(text, start) if start >= end else None
        if run:
            end = run.end()
            glued = text[start].isdigit() and text.find(":", start) - start > 2  # `IP2001:db8::5`
            if start and text[start - 1].isalpha() and not glued:  # `source:2001:db8::5`
                named = _IPV6_HERE(text, text.find(":", start) + 1)
                yield from _ipv6(named) if named else ()
            spans = [
                span
                for match in (_IPV6_GLUED if glued else _IPV6).finditer(text, start, end + 1)
                for span in _ipv6(match)
            ]
            yield from spans
            if not spans or run.group().count(":") > _COLONS_OF_EIGHT:
                for match in _IPV6_INNER.finditer(text, start, end + 1):
                    yield from _ipv6(match)
    yield from _six_otherwise(lower)
    yield from macs(text, lower)


def _six_otherwise(lower: str) -> Found:
    """IPv6 addresses as paths, host names and careful people write them."""
    for sign, pattern in _DASHED_IPV6:
        for match in pattern.finditer(lower) if sign in lower else ():
            if _is_ipv6(match.group("host").replace("-", ":")):
                yield Span("ipv6", *match.span("host"), 0.9, "ipv6-dashed")
    for match in _MASKED_IPV6.finditer(lower):
        yield Span("ipv6", *match.span(), 0.7, "ipv6-masked")
    for match in _SPACED_IPV6.finditer(lower) if _COLON_APART.search(lower) else ():
        if " " in match.group() and _is_ipv6(match.group().replace(" ", "")):
            yield Span("ipv6", *match.span(), 0.9, "ipv6-spaced")
    for match in _REVERSED.finditer(lower) if "ip6" in lower else ():
        yield Span("ipv6", *match.span(1), 0.9, "ipv6-reversed")


def _ipv6(match: re.Match[str]) -> Found:
    start, end = match.span()
    found = match.group()
    if found.endswith(":") and not found.endswith("::"):  # `2001:db8::5: connection refused`
        found, end = found[:-1], end - 1
    value = re.sub(r"[\[({](:+)[\])}]", r"\1", found)
    if (value.count(":") == 8 and "::" not in value) or _PORT(value):
        value, _, port = value.rpartition(":")
        if _EUI64(value):
            return
        end -= len(port) + 1
    if len(value) > 3 and (value.count(":") == 7 or "::" in value) and _is_ipv6(value):
        if _EUI64(value):
            if is_somebodys(folded(match.string), start, end):
                yield Span("mac", start, end, 0.6, "eui-64")
            return
        local = value[:2].lower() == "fd" and value[4:5] == ":"
        if local or any(map(str.isdigit, value)) or value.count(":") > 3:  # `dead::beef` is a name in C++
            yield Span("ipv6", start, end, 0.9, "ipv6")


def _is_ipv6(value: str) -> bool:
    try:
        address = IPv6Address(value)
    except AddressValueError:
        return False
    return not (address.is_loopback or address.is_unspecified or address.is_multicast)


def is_ip(value: str) -> Category | None:
    """`ipv4` or `ipv6` when the whole text is one address."""
    if ":" in value:
        try:
            IPv6Address(value)
        except AddressValueError:
            return None
        return "ipv6"
    return "ipv4" if _WHOLE_IPV4(value) else None
