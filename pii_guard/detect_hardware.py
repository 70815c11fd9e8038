"""Recogniser for the addresses of network hardware (MAC), of Bluetooth's too. All patterns are linear."""

import re

from pii_guard.quick import Quick, Rare
from pii_guard.span import Found, Span, Words

RARE, RARE_FOLDED = Rare(), Rare()
_MAC = Quick(
    r"[0-9a-fA-F](?=[0-9a-fA-F](?:[:-]| [:-] |\[[:-]|\(:|[0-9a-fA-F]{2}[.-]))"
    r"(?:(?<![\w:.-].)|(?<=_.)|(?<=[g-zG-Z]:.)|(?<=[g-zG-Z][a-fA-F]:.)|(?<=[g-zG-Z][a-fA-F]{2}:.)|(?<=[g-zG-Z]-.)(?=.-)|(?<=[g-zG-Z][a-fA-F]-.)(?=.-)"
    r"|(?<=[g-zG-Z]\d:.)|(?<=[.-].)(?=.:)|(?<=\b01-.)|(?<=\b01:.)"
    r"|(?<=[\s.=]\d:.)|(?<=[\s.]\d{2}:.)|(?<=[\s.]\d{3}:.))"
    r"(?:[0-9a-fA-F](?P<sign>[:-]|\[:\]|\[-\]|\(:\)| [:-] )(?:[0-9a-fA-F]{2}(?P=sign)){4}[0-9a-fA-F]{2}"
    r"|[0-9a-fA-F]{3}\.[0-9a-fA-F]{4}\.[0-9a-fA-F]{4}|(?=\d{0,10}-?\d{0,7}-?\d{0,3}[a-fA-F])"
    r"[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4})(?![0-9a-fA-F]|[_-][0-9a-fA-F]{1,2}(?![g-zG-Z])|:[0-9a-fA-F]{1,2}\b)",
    rare=RARE,
)
_FRAME = Quick(r"[0-9a-f](?<![\w:.-].)[0-9a-f]((?::[0-9a-f]{2}){5}):([0-9a-f]{2}(?::[0-9a-f]{2}){5}):(?:08:00|86:dd)\b")
"""The head of an Ethernet frame, as firewalls log it: both addresses, then the protocol."""
MAC_WORDS = Words(
    *("mac", "hw", "chaddr", "ether", "dhcp", "sta ", "hardware ad", "bssid", "station", "physical ad"),
    *("fysiek", "lladdr", "dev_", "bd", "arp", "netwerkkaart", "wifi", "wi-fi", "bluetooth", "adapter", "ssid"),
    *("lease", "nic ", "wlan", "802.1x", "dot1x", "mab", "radius", "supplicant", "adresse physique"),
)
_MAC_WORD = re.compile(
    r"(?:(?<![a-z])|(?<=client)|(?<=device)|(?<=src)|(?<=dst)|(?<=\bs)|(?<=\bd))"
    r"(?:mac(?:[- _]?add?r(?:ess?(?:en?|es)?)?|s)?|hw(?:[- ]?addr(?:ess)?)?|chaddr|ether(?:net)?(?: address)?|"
    r"hardware address|bssid|lladdr|dhcp[a-z]{2,8}|sta|dev(?=_)|arp|"
    r"bd[_ ]?addr(?:ess)?|netwerkkaart|wi-?fi-adres|"
    r"(?:calling|called)?-?station(?:-?id)?|"
    r"physical address|fysieke? adres|bluetooth|(?:wifi|wlan|netwerk|network)?-?adapter|ssid|lease|nic|"
    r"802\.1x|dot1x|mab|radius|supplicant|adresse physique)(?![a-z])"
)
_NEAR = re.compile(
    r"\b(?:clients?|devices?|router|printer|camera|ipad|iphone|macbook|tv|pc|toestel(?:len)?|apparaa?t(?:en)?|laptop|tablet|phone|telefoon|at|interface|dynamic|static|"
    r"ether|eth\d|wlan\d|en\d|wi-?fi|vlan|ports?|poort|switch|hosts?|ip|(?:\d{1,3}\.){3}\d{1,3})\b"
)
"""Near these what is parted as an address is one; twelve digits by themselves are not."""
_ON_DEVICE = re.compile(_NEAR.pattern + r"|sticker|label\b|kastje|\bbox\b|achterkant|onderkant|opschrift")
_LOOSE_MAC = re.compile(
    r"(?:(?<![\w-])|(?<=dev_))(?:(?:0x)?[0-9a-f]{12}|[0-9a-f]{4}(?::[0-9a-f]{4}){2}|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}"
    r"|[0-9a-f]{6}[-:][0-9a-f]{6}"
    r"|[0-9a-f]{2}(?: [0-9a-f]{2}){5}|[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}|[0-9a-f]{2}(?:[._][0-9a-f]{2}){5})"
    r"(?![\w-]|:\w)"
)
_PARTED = Quick(
    r"(?<![\w.:-])(?=[0-9a-f:._-]{0,16}[a-f])(?=[0-9a-f:._-]{0,16}\d)(?:[0-9a-f]{6}[-:][0-9a-f]{6}|"
    r"[0-9a-f]{4}(?::[0-9a-f]{4}){2}"
    r"|[0-9a-f]{2}(?:(?P<sign>[._])[0-9a-f]{2})(?:(?P=sign)[0-9a-f]{2}){4}|[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}"
    r"|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?![\w.:-])",
    rare=RARE_FOLDED,
)
_TYPED = Quick(
    r"(?<![\w.:-])(?<!\b[0-9a-f]{2} )(?=[0-9a-f ]{0,16}[a-f])(?=[a-f ]{0,16}\d)"
    r"[0-9a-f]{2}(?: [0-9a-f]{2}){5}(?! ?[0-9a-f]{2}\b|\w)",
    rare=RARE_FOLDED,
)
"""As it is read from a label, or out."""
_FILED = Quick(
    r"[a-z]_(?P<mac>(?=[0-9a-f_]{0,16}[a-f])(?=[a-f_]{0,16}\d)[0-9a-f]{2}(?:_[0-9a-f]{2}){5})(?=_\d{6}|[.\s])",
    rare=RARE_FOLDED,
)
"""`capture_00_1a_2b_3c_4d_5e_20260101.pcap`."""
_SIGNS = re.compile(r"[\W_]")
_REACH = 40
"""So far behind its word an address begins."""
_ROW = re.compile(r"[\"']?[,;|/ ]{1,3}[\"']?").match
"""Between one and the next."""
_NOBODYS_MAC = ("000000000000", "ffffffffffff", "3333", "01005e", "01000c", "0180c2")
"""Nobody, everybody, and groups."""
_TIMED = re.compile(r"\b(?:tijd|time|klok|clock|timestamp)\W{1,4}\Z").search
_MOMENT = re.compile(r"(?:20)?[12]\d:(?:0\d|1[0-2]):[0-3]\d:[0-2]\d:[0-5]\d:[0-5]\d").fullmatch
_OF_ELSE = re.compile(
    r"(?<![\w-])(?:serial(?: ?(?:no|number))?|fingerprint|fp|wwp?ns?|cert(?:ificate|ificaat)?|"
    r"(?:your|victim|personal|unique) id|key|"
    r"code|licen[cs]e|token)[^\w\n>]{1,3}$"
).search
"""What stands behind this has the form of an address, and is none."""


def macs(text: str, lower: str) -> Found:
    """By form, and behind a word for one in any form."""
    for mac in _MAC.finditer(text):
        if is_somebodys(lower, *mac.span()):
            yield Span("mac", *mac.span(), 0.9, "mac")
    for match in _FRAME.finditer(lower) if ":08:00" in lower or ":86:dd" in lower else ():
        for start, end in ((match.start(), match.end(1)), match.span(2)):
            if is_somebodys(lower, start, end):
                yield Span("mac", start, end, 0.9, "mac-frame")
    yield from _parted(lower)
    yield from _named(lower)


def _parted(lower: str) -> Found:
    """Parted in other ways, near what has such addresses, and in names of files."""
    for parted in _PARTED.finditer(lower):
        near = _NEAR.search(lower, max(0, parted.start() - 40), parted.end() + 40)
        told = near or parted.group().count(":") > 4 or parted.group().count(".") > 4
        if told and is_somebodys(lower, *parted.span()):
            yield Span("mac", *parted.span(), 0.7, "mac-parted")
    for filed in _FILED.finditer(lower) if "_" in lower else ():
        yield Span("mac", *filed.span("mac"), 0.7, "mac-parted")
    for typed in _TYPED.finditer(lower):
        if _ON_DEVICE.search(lower, max(0, typed.start() - 80), typed.end() + 40) or MAC_WORDS.any(lower):
            yield Span("mac", *typed.span(), 0.6, "mac-parted")


def _named(lower: str) -> Found:
    """Behind a word for one."""
    for at in MAC_WORDS.places(lower):
        word = _MAC_WORD.match(lower, at)
        loose = word and _LOOSE_MAC.search(lower, word.end(), word.end() + 2 * _REACH)
        if not (word and loose) or loose.start() > word.end() + _REACH:
            continue
        while loose:
            if not _joined(loose.group()).startswith(_NOBODYS_MAC):
                yield Span("mac", *loose.span(), 0.8, "mac-named")
            row = _ROW(lower, loose.end())
            loose = row and _LOOSE_MAC.match(lower, row.end())


def is_somebodys(lower: str, start: int, end: int) -> bool:
    """Is it an address, and not that of nobody or of a group?"""
    if _OF_ELSE(lower, max(0, start - 24), start):
        return False
    value = _joined(lower[start:end])
    if value.isdigit() and not _NEAR.search(lower, max(0, start - 40), end + 24) and not MAC_WORDS.any(lower):
        timed = _MOMENT(lower[start:end]) or _TIMED(lower, max(0, start - 16), start)
        return lower[start + 2 : start + 3] == ":" and not timed  # numbers of a lottery have other signs
    return not value.startswith(_NOBODYS_MAC)


def _joined(written: str) -> str:
    """Without its signs, and with the zeros that some programs leave out."""
    return "".join(part.zfill(2) for part in _SIGNS.split(written))
