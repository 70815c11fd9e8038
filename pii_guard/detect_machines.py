"""Recogniser for names of machines that somebody uses: called after whom, numbered by an inventory, or told by a label.

A server by its name is nobody's: `web01`, `srv-db2`.
"""

import re

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words
from pii_guard.words import WORDS

_INVENTORIED = Quick(
    r"(?<![\w.-])(?!WS-C\d|WIN-[A-Z]+(?![\w-]))(?:(?:LAPTOP|DESKTOP|PC|WS|LT|NB|WIN|WKS|MACBOOK|MBP|IPHONE|IPAD|TABLET|SURFACE|THINKPAD|"
    r"NOTEBOOK|CHROMEBOOK|CHROMEBOX|WERKPLEK)-(?:[A-Z0-9]{3,}|[A-Z0-9]{2}-(?=[A-Z-]*\d)[A-Z0-9]+)(?:-[A-Z0-9]+){0,3}"
    r"|(?:LAP|TAB|LPT|LTP|WIN1[01]|BALIE|KASSA|W1[01]|KALI|GAMING)-(?:(?=[A-Z-]*\d{2})[A-Z0-9]{2,}(?:-[A-Z0-9]+){0,2}|[A-Z]{5,})"
    r"|[A-Z]{2,6}-(?:LT|PC|WS|NB|LAP|TAB|SURF)(?:-[A-Z0-9]{2,}|\d[A-Z0-9]+)(?:-[A-Z0-9]+)?"
    r"|[A-Z]{2,6}-(?:DESKTOP|LAPTOP|SURFACE|MAC|BALIE|WERKPLEK)-[A-Z]{0,2}\d[A-Z0-9]{0,8}"
    r"|[A-Z]{2,4}-[A-Z]{2,4}-W\d{3,4}|[A-Z]{2,8}-[LDWN]-\d{4,6}|[A-Z]{3,14}-PC\d{1,3}"
    r"|[A-Z][A-Z0-9]{2,14}-(?:LAPTOP|DESKTOP|PC|NB|MBP|WS|LT|NOTEBOOK|IPHONE|MACBOOK|THINKPAD|GAMEPC|ROG|SURFACE|TABLET)"
    r")(?![\w-])"
)
MACHINES = Words(
    *("iphone", "ipad", "macbook", "mbp", "imac", "galaxy", "pixel", "redmi", "huawei", "fairphone", "oneplus"),
    *("xiaomi", "thinkpad", "elitebook", "latitude", "ideapad", "zenbook", "xps1", "laptop", "tablet"),
    *("chromebook", "telefoon", "lenovo", "watch", "oortjes", "airpods", "android", "phone-", "desktop-"),
    *("-pc", "pc-", "-tab", "s tab", "samsung", "lt-", "-s2", "nb-", "gamepc", "tv-"),
)
_NAMED_SO = {
    *("iphone", "ipad", "macbook", "galaxy", "pixel", "redmi", "huawei", "fairphone", "oneplus"),
    *("tablet", "laptop", "tv"),
}
_KIND = re.compile(
    r"iphone|ipad|i?mac|macbook|mbp|galaxy|pixel|redmi|huawei|fairphone|oneplus|xiaomi|thinkpad|elitebook|latitude|"
    r"ideapad|zenbook|xps\d*|laptop|tablet|chromebook|telefoon|lenovo|(?:apple)?watch|android|phone|desktop|pc|tab|"
    r"samsung|lt|nb|gamepc|tv|s2\d"
).fullmatch
_OF = re.compile(r"[\w’'-]*-(?:van|von|de|of)-[\w-]{2,}").fullmatch
"""`mbp-of-anjali`."""
_CALLED = re.compile(r"[A-Z][a-zà-ÿ]+").fullmatch
_NO_NAMES = WORDS["not-names"] | {
    *("Pro", "Air", "Max", "Plus", "Ultra", "Mini", "Note", "Tab", "Lite", "Book", "Go", "Series", "Edition", "App"),
    *("Web", "Mail", "User", "Phone", "Agent", "Server", "Store"),
}
"""What stands behind the name of a machine, and is nobody's."""
_GIVEN = WORDS["given-names"] | {"oma", "opa", "mama", "papa"}
_OWNER_BEHIND = re.compile(
    r"(?:(?:iPhone|iPad|MacBook|iMac|Galaxy|Pixel|Redmi|Huawei|Fairphone|OnePlus|Xiaomi|Samsung|Lenovo|AirPods|"
    r"Tablet|Laptop|Telefoon|Watch|Oortjes)(?: (?!van |von )[\w+]{1,6}){0,2} (?:van|von)|"
    r"(?:iPhone|iPad|MacBook) (?:de|di)) (?P<who>[A-Z][\w’'-]+)(?: [A-Z][a-z]+)?"
).match
_OWNER_BEFORE = re.compile(r"(?<![\w-])(?P<who>[A-Z][a-zà-ÿ]+)(?:['’]s| ['’]s) $").search
_OWNED = re.compile(
    r"(?:iPhone|iPad|MacBook|MBP|iMac|Galaxy|Pixel|AirPods|Apple Watch|Tab)(?: (?:Pro|Air|Mini|\d{1,2}|S\d+))?(?![\w-])"
).match
_NO_OWNERS = frozenset(
    (
        *("Apple", "Google", "Samsung", "Microsoft", "Amazon", "Huawei", "Xiaomi", "Lenovo", "Dell", "Sony", "Media"),
        *("Victim", "User", "Suspect", "Customer", "Employee", "Client", "Attacker", "Target", "Company", "Vendor"),
        *("It", "Let", "That", "Today", "Someone", "What", "Who", "Here", "There", "Everyone", "Nobody"),
    )
)
_CASE = re.compile(r"(?:dossier|ticket|zaak|case|ref\w*|incident|nummer|number|nr\.?|no\.|#|: id) ?$").search
_OF_WHOM = re.compile(
    r"[A-Z][a-zà-ÿ]{2,20}s-(?:iPhone|iPad|MBP|MacBook(?:-(?:Pro|Air))?|Air|S2\d|Laptop|Phone|PC|Mac)"
).fullmatch
"""`Noors-iPad`."""
_IN_NETWORK = re.compile(r"(?:dhcpack\([^)\n]*\) \S+ \S+ |\bhost )$").search
_LOCAL = re.compile(r"\.(?:local|lan|home|fritz\.box)\b").match
HOSTS = Words(
    *("computer", "hostn", "host", "workstation", "werkstation", "pc-naam", "naam", "device", "machine", "toestel"),
    *("werkplek", "system name", "apparaat", "named", "dhcpack", "displayname"),
)
_LABEL = re.compile(
    r"(?:computer ?na(?:me|am)|(?:client-?)?host ?na(?:me|am)|workstation(?: ?name)?|werkstation|werkplek|pc-naam|"
    r"(?:apparaat|toestel)naam|device ?(?:display)?name|naam beller-computer|machine ?name)"
    r"(?:[\"']?(?:>|(?: \.){3,24} ?:|\s?[:=])[ \t]{0,12}[\"']?|[ ][\"'(]?(?=[a-z]{2,12}\d{0,2}-))"
    r"(?P<value>[a-z][\w-]{2,31})(?![\w’]|\.\w|'\w)"
)
_QUOTED = re.compile(
    r"(?:(?:apparaat|toestel)naam|(?:toestel|apparaat|device)(?: op naam| named| met de naam)|device ?name|"
    r"(?:laptop|pc|telefoon|tablet|phone)(?: named| met de naam)|(?:toestel|apparaat)(?= .\w+-))[ :=]{1,3}[\"“]"
    r"(?P<value>[^\"”\n]{2,40})[\"”]"
)
_LOOSE = re.compile(
    r"(?:host|computer|workstation|displayname|system name)[\"']?\s?(?:[:=]|>)\s{0,2}[\"']?"
    r"(?P<value>(?:pc|lt|nb|ws|laptop|tablet|wks|lpt|chromebook|werkplek|mbp|macbook|ipad|iphone|lap|tab)-?\w[\w-]{1,24})"
    r"(?![\w.-])"
)
_SERVER = re.compile(
    r".*(?:srv|server|dc\d|web\d|db\d|mail|exch|proxy|gw|fw|switch|router|host\d|win-|printer|intra|portal|vpn|www).*|"
    r"localhost|unknown|onbekend|vm-?\d.*|none|null|true|false"
).fullmatch
_LONGEST = 40


def machines(text: str, lower: str) -> Found:
    """Machines by their form, their owner, or a label."""
    for match in _INVENTORIED.finditer(text) if "-" in text else ():
        if not _CASE(lower, max(0, match.start() - 12), match.start()):
            yield Span("device", *match.span(), 0.6, "machine-name")
    last = 0
    for place in MACHINES.places(lower):
        at = place + 2 * lower.startswith("s tab", place)
        start, end = _token(text, at)
        local = _LOCAL(lower, end)
        known = local is not None or _IN_NETWORK(lower, max(0, start - 80), start) is not None
        if start >= last and text[start - 1 : start] != "/" and _somebodys(text[start:end], known):
            last = local.end() if local else end
            yield Span("device", start, last, 0.6, "machine-of")
        yield from _owned(text, at)
    for at in HOSTS.places(lower):
        for label in (_LABEL, _QUOTED, _LOOSE):
            named = label.match(lower, at)
            if named and not _SERVER(named["value"]) and not lower[at - 1 : at].isalpha():
                yield Span("device", *named.span("value"), 0.6, "machine-name")


def _owned(text: str, at: int) -> Found:
    """A machine that begins here, with whom it is of behind or before it: `iPhone van Wil`, `Oma's iPad`."""
    behind = _OWNER_BEHIND(text, at)
    if behind and behind["who"] not in _NO_OWNERS:
        yield Span("device", *behind.span(), 0.6, "machine-of")
    owned = _OWNED(text, at)
    before = _OWNER_BEFORE(text, max(0, at - 30), at) if owned else None
    if owned and before and before["who"] not in _NO_OWNERS:
        yield Span("device", before.start(), owned.end(), 0.6, "machine-of")


def _token(text: str, at: int) -> tuple[int, int]:
    """Where the word without blanks begins and ends that is at this place."""
    start = end = at
    while start > max(0, at - _LONGEST) and (text[start - 1].isalnum() or text[start - 1] in "-_"):
        start -= 1
    while end < min(len(text), at + _LONGEST) and (text[end].isalnum() or text[end] in "-_"):
        end += 1
    return start, end


def _somebodys(token: str, known: bool) -> bool:
    """A kind of machine and a person in one name: `laptop-janneke`, `Pixel-7-Noor`, `mbp-of-anjali`. `known`: a name in
    a network, for certain."""
    if _OF_WHOM(token):
        return True
    parts = token.split("-")
    if not 1 < len(parts) < 6 or not any(_KIND(part.lower()) for part in parts):
        return False
    if _OF(token.lower()) and parts[-1].lower() not in ("the", "een", "de", "het"):
        return True
    if any(_given(part.lower()) for part in parts) or (known and parts[-1].isalpha() and len(parts[-1]) > 3):
        return True
    named = parts[0].lower() in _NAMED_SO and parts[0] != parts[0].lower() and parts[0] != parts[0].upper()
    return named and len(parts) > 2 and _CALLED(parts[-1]) is not None and parts[-1] not in _NO_NAMES


def _given(part: str) -> bool:
    return part in _GIVEN or (part[-1:] == "s" and part[:-1] in _GIVEN)
