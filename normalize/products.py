"""Vendor, product, version: names that mean one product, CPE, purl, and what real feeds call version ranges.

`ranges` reads what feeds write into exact ranges, or gives up: what cannot be read exactly means *possibly affected*,
never silence. `name_key` is what two names of one product have in common.
"""

import re
import unicodedata
from functools import cmp_to_key, lru_cache
from itertools import combinations
from urllib.parse import unquote

from packageurl import PackageURL

from normalize import Bound, Range, versions

within = versions.within
EVERY = Range()
"""No constraint: every version."""

_ALL = frozenset(
    {"*", "all", "all versions", "any", "any version", "alle", "alle versies", "all version", "every version"}
)
_NONE = frozenset(
    {"", "-", "n/a", "na", "unspecified", "unknown", "onbekend", "see references", "multiple", "various", "none"}
)
_SIGNS: dict[str, Bound] = {
    "<": "<", "<=": "<=", "=<": "<=", "≤": "<=", ">": ">", ">=": ">=", "=>": ">=", "≥": ">=", "=": "=", "==": "=",
    "!=": "!=",
}  # fmt: skip
_SIGN = re.compile(r"^(<=|>=|=<|=>|==|!=|<|>|=|≤|≥)\s*(.*)$", re.DOTALL)
_SPLIT = re.compile(r"\s*(?:\|{1,2}|,|;|\band\b|&&|\s(?=[<>≤≥=!]))\s*")
_INTRO = re.compile(r"^(?:all |alle )?(?:versions?|versies?) (?=\D)", re.IGNORECASE)
_PREFIX = re.compile(r"^[A-Za-z][\w .()+-]*/\s*(?=[<>=!≤≥*\dvV])")
_BRANCH = re.compile(r"^v?(\d+(?:\.\d+)*)(?:\.[x*]|\s+all versions|\s+alle versies)$", re.IGNORECASE)
_PATCH = re.compile(r"^(\d+(?:\.\d+)*) less ?than (=?)\s*(\S+)(?: type patch)?$", re.IGNORECASE)
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), sign)
    for pattern, sign in (
        (
            r"^(?:before|prior to|earlier than|less ?than|vóór|voor|lager dan|ouder dan) (\S.*)$",
            "<",
        ),
        (r"^(?:up to and including|through|tot en met|t/m|less ?than ?or ?equal(?: to)?) (\S.*)$", "<="),
        (r"^(\S.*?),? (?:and|or) (?:earlier|prior|below|lower|older)(?: versions?)?$", "<="),
        (r"^(\S.*?) en (?:eerder|ouder|lager)$", "<="),
        (r"^(\S.*?),? (?:and|or) (?:later|newer|above|higher)(?: versions?)?$", ">="),
        (r"^(\S.*?) en (?:later|hoger|nieuwer)$", ">="),
        (r"^(?:from|starting with|since|vanaf) (\S+)$", ">="),
    )
)
_BETWEEN = re.compile(
    r"^(?:from |van )?(\S+)(?: (?:-|–|to|through|thru|t/m|tot en met|up to and including) | through )(\S+)$",
    re.IGNORECASE,
)
_FROM_BEFORE = re.compile(r"^(?:from |vanaf |versions? )?(\S+),? (?:(?:to )?before|prior to|tot) (\S+)$", re.IGNORECASE)
_LONGEST = 400
_MOST = 60
"""Constraints in one text; sorting compares all pairs."""


def ranges(text: str, product: str = "") -> tuple[Range, ...]:
    """The exact reading of a version or range as stated, as alternatives; empty: it cannot be read exactly.

    `product`: a product name that may stand before the version (`FortiOS 7.4.8`).
    """
    stated = _stated(text, product)
    if len(stated) > _LONGEST or stated.casefold() in _NONE:
        return ()
    if stated.casefold() in _ALL:
        return (EVERY,)
    if stated.casefold().startswith("vers:"):
        return _vers(stated)
    for reader in (_branch, _patch, _in_words):
        read = reader(stated)
        if read is not None:
            return _readable((read,))
    return _intervals(_SPLIT.split(stated))


def _stated(text: str, product: str) -> str:
    stated = " ".join(unicodedata.normalize("NFKC", text).split())
    stated = _PREFIX.sub("", stated, count=1) if not stated.casefold().startswith("vers:") else stated
    if product and stated.casefold().startswith(product.casefold() + " "):
        stated = stated[len(product) :].lstrip(" :/")
    return stated if stated.casefold() in _ALL else _INTRO.sub("", stated)


def _vers(text: str) -> tuple[Range, ...]:
    """`vers:<scheme>/<constraint>|<constraint>` (VERS, "Version range specifier"); the scheme is not needed."""
    _, slash, listed = text.partition("/")
    if not slash or not listed.strip():
        return ()
    if listed.strip() == "*":
        return (EVERY,)
    return _intervals([unquote(part) for part in listed.split("|")])


def _branch(text: str) -> Range | None:
    """`7.2 all versions`, `7.2.x`: everything numbered 7.2 and something."""
    found = _BRANCH.match(text)
    if not found:
        return None
    numbers = [int(part) for part in found[1].split(".")]
    after = ".".join(str(part) for part in (*numbers[:-1], numbers[-1] + 1))
    return Range(((">=", found[1]), ("<", after)))


def _patch(text: str) -> Range | None:
    """`14.1 lessThan 8.50 type patch`: builds of 14.1 before 14.1-8.50."""
    found = _PATCH.match(text)
    if not found:
        return None
    return Range(((">=", f"{found[1]}-0"), ("<=" if found[2] else "<", f"{found[1]}-{found[3]}")))


def _in_words(text: str) -> Range | None:
    found = _FROM_BEFORE.match(text)
    if found:
        return Range(((">=", found[1]), ("<", found[2])))
    for pattern, sign in _WORDS:
        found = pattern.match(text)
        if found:
            return Range(((_SIGNS[sign], found[1]),))
    found = _BETWEEN.match(text)
    return Range(((">=", found[1]), ("<=", found[2]))) if found else None


def _intervals(parts: list[str]) -> tuple[Range, ...]:
    """Constraints in ascending order, as VERS has them: a lower bound opens an interval, an upper one closes it."""
    if len(parts) > _MOST:
        return ()
    done: list[tuple[tuple[Bound, str], ...]] = []
    lower: tuple[Bound, str] | None = None
    excluded: list[tuple[Bound, str]] = []
    for sign, limit in _ascending([_constraint(part) for part in parts]):
        if lower and sign in (">", ">=", "="):
            return ()
        if sign in (">", ">="):
            lower = (sign, limit)
        elif sign in ("<", "<="):
            done.append((lower, (sign, limit)) if lower else ((sign, limit),))
            lower = None
        elif sign == "=":
            done.append((("=", limit),))
        else:
            excluded.append((sign, limit))
    if lower:
        done.append((lower,))
    if excluded and not done:
        done.append(())
    return _readable(tuple(Range((*interval, *excluded)) for interval in done))


def _constraint(text: str) -> tuple[Bound, str]:
    found = _SIGN.match(text.strip())
    return (_SIGNS[found[1]], found[2].strip()) if found else ("=", text.strip())


def _ascending(constraints: list[tuple[Bound, str]]) -> list[tuple[Bound, str]]:
    """Sorted by version where every order is certain (`<1.5, >=1.2`), else as they stand."""

    def order(one: tuple[Bound, str], other: tuple[Bound, str]) -> int:
        return versions.compare(one[1], other[1]) or 0

    certain = all(versions.compare(a, b) is not None for (_, a), (_, b) in combinations(constraints, 2))
    return sorted(constraints, key=cmp_to_key(order)) if certain else constraints


def _readable(read: tuple[Range, ...]) -> tuple[Range, ...]:
    """All of it, or nothing when one of the limits cannot be ordered."""
    limits = [limit for alternative in read for _, limit in alternative.constraints]
    return read if all(versions.key(limit) is not None for limit in limits) else ()


# Names


_COMPANY = re.compile(
    r"\b(?:inc(?:orporated)?|corp(?:oration)?|ltd|limited|llc|gmbh|ag|b\.?v|n\.?v|s\.?a|se|plc|co|kg|a/s|oy|ab|"
    r"psirt|(?:software |apache )?foundation|project|technologies|product security(?: incident response team)?)\b\.?",
    re.IGNORECASE,
)
_NOISE = re.compile(r"[\W_]+")
_EDITION = re.compile(r"\((?:r|tm|c)\)|[®™©]", re.IGNORECASE)
_VENDORS = {
    "pulsesecure": "ivanti", "mobileiron": "ivanti", "broadcom vmware": "vmware", "vmware by broadcom": "vmware",
    "palo alto": "palo alto networks", "paloaltonetworks": "palo alto networks", "progress software": "progress",
    "ipswitch": "progress", "checkpoint": "check point", "check point software": "check point", "f5 networks": "f5",
    "hewlett packard enterprise": "hpe", "hp enterprise": "hpe", "aruba networks": "hpe",
    "cloud software group": "citrix", "citrix systems": "citrix",
    "netscaler": "citrix",
    "microsoft security response center": "microsoft",
    "apple computer": "apple", "sonic wall": "sonicwall", "zyxel communications": "zyxel",
    "cisco systems": "cisco", "juniper networks": "juniper", "sap se": "sap", "apache software": "apache",
    "the apache software": "apache", "trendmicro": "trend micro", "redhat": "red hat", "d link": "dlink",
    "dell emc": "dell", "barracuda networks": "barracuda", "pulse secure": "ivanti", "adobe systems": "adobe",
    "connectwise software": "connectwise", "microfocus": "micro focus", "connect wise": "connectwise",
}  # fmt: skip
_PRODUCTS = {
    ("ivanti", "pulse connect secure"): ("ivanti", "connect secure"),
    ("ivanti", "ics"): ("ivanti", "connect secure"),
    ("ivanti", "pulse policy secure"): ("ivanti", "policy secure"),
    ("ivanti", "epmm"): ("ivanti", "endpoint manager mobile"),
    ("ivanti", "core"): ("ivanti", "endpoint manager mobile"),
    ("citrix", "application delivery controller"): ("citrix", "netscaler adc"),
    ("citrix", "application delivery controller adc"): ("citrix", "netscaler adc"),
    ("citrix", "application delivery controller firmware"): ("citrix", "netscaler adc"),
    ("citrix", "netscaler application delivery controller"): ("citrix", "netscaler adc"),
    ("citrix", "netscaler"): ("citrix", "netscaler adc"),
    ("citrix", "adc"): ("citrix", "netscaler adc"),
    ("citrix", "gateway"): ("citrix", "netscaler gateway"),
    ("citrix", "gateway firmware"): ("citrix", "netscaler gateway"),
    ("palo alto networks", "panos"): ("palo alto networks", "pan os"),
    ("cisco", "ios xe software"): ("cisco", "ios xe"),
    ("cisco", "ios xr software"): ("cisco", "ios xr"),
    ("cisco", "ios software"): ("cisco", "ios"),
    ("cisco", "adaptive security appliance"): ("cisco", "asa"),
    ("cisco", "adaptive security appliance software"): ("cisco", "asa"),
    ("cisco", "adaptive security appliance asa"): ("cisco", "asa"),
    ("microsoft", "exchange"): ("microsoft", "exchange server"),
    ("microsoft", "sharepoint"): ("microsoft", "sharepoint server"),
    ("microsoft", "active directory federation services"): ("microsoft", "adfs"),
    ("progress", "moveit"): ("progress", "moveit transfer"),
    ("vmware", "vcenter"): ("vmware", "vcenter server"),
    ("vmware", "esx"): ("vmware", "esxi"),
    ("vmware", "vsphere esxi"): ("vmware", "esxi"),
    ("broadcom", "vmware esxi"): ("vmware", "esxi"),
    ("broadcom", "esxi"): ("vmware", "esxi"),
    ("broadcom", "vmware vcenter server"): ("vmware", "vcenter server"),
    ("broadcom", "vcenter server"): ("vmware", "vcenter server"),
    ("sonicwall", "sonicos software"): ("sonicwall", "sonicos"),
    ("sonicwall", "sma 100"): ("sonicwall", "sma100"),
    ("atlassian", "confluence"): ("atlassian", "confluence data center"),
    ("atlassian", "confluence server"): ("atlassian", "confluence data center"),
    ("atlassian", "confluence data center and server"): ("atlassian", "confluence data center"),
    ("atlassian", "confluence server and data center"): ("atlassian", "confluence data center"),
    ("atlassian", "jira"): ("atlassian", "jira data center"),
    ("atlassian", "jira server"): ("atlassian", "jira data center"),
    ("f5", "big ip access policy manager"): ("f5", "big ip"),
    ("f5", "big ip local traffic manager"): ("f5", "big ip"),
    ("apache", "log4j2"): ("apache", "log4j"),
    ("apache", "log4j core"): ("apache", "log4j"),
    ("apache", "http server"): ("apache", "httpd"),
    ("juniper", "junos os"): ("juniper", "junos"),
    ("check point", "quantum security gateway"): ("check point", "quantum security gateways"),
    ("zyxel", "zld"): ("zyxel", "zld firmware"),
    ("fortinet", "forti os"): ("fortinet", "fortios"),
}  # fmt: skip


@lru_cache(maxsize=65536)
def plain_key(vendor: str, product: str) -> tuple[str, str]:
    """Names without case, signs, company forms, and the vendor's name before the product's; no aliases."""
    maker = _words(_COMPANY.sub(" ", vendor)) or _words(vendor)
    thing = _words(product)
    if maker and thing.startswith(maker + " "):
        thing = thing[len(maker) + 1 :]
    return maker, thing


@lru_cache(maxsize=65536)
def name_key(vendor: str, product: str) -> tuple[str, str]:
    """What every name of one product has in common, known aliases resolved: `("citrix", "netscaler adc")`."""
    maker, thing = plain_key(vendor, product)
    renamed = _VENDORS.get(maker, maker)
    if renamed != maker:
        thing = plain_key(renamed, thing)[1]
    return _PRODUCTS.get((renamed, thing), (renamed, thing))


def alias_of(vendor: str, product: str) -> bool:
    """Is this name another name than the one its product is filed under?"""
    return name_key(vendor, product) != plain_key(vendor, product)


def _words(text: str) -> str:
    folded = _EDITION.sub(" ", unicodedata.normalize("NFKC", text)).casefold()
    return _NOISE.sub(" ", folded).strip()


# CPE and purl


def cpe_parts(cpe: str) -> tuple[str, str, str] | None:
    """Vendor, product and version (empty: any) of a CPE 2.3 string or CPE 2.2 URI; None: it is neither.

    NISTIR 7695, 6.1 (URI) and 6.2 (formatted string). The update part joins the version: `8.0 update3`.
    """
    if cpe.startswith("cpe:2.3:"):
        fields = [_unescape(part) for part in re.split(r"(?<!\\):", cpe[8:])]
    elif cpe.startswith("cpe:/"):
        fields = [unquote(part) for part in cpe[5:].split(":")]
    else:
        return None
    if len(fields) < 3 or fields[0] not in ("a", "o", "h", "*", "") or not fields[1] or not fields[2]:
        return None
    if fields[1] in ("*", "-") or fields[2] in ("*", "-"):
        return None
    version, update = [part if part not in ("*", "-") else "" for part in (*fields[3:5], "", "")[:2]]
    return fields[1], fields[2], f"{version} {update}".strip() if version else ""


def _unescape(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part)


def purl_parts(purl: str) -> tuple[str, str, str] | None:
    """`("pkg:pypi", "django", "4.2.1")`: type, name with its namespace, version (empty: any); None: not a purl."""
    try:
        read = PackageURL.from_string(purl)
    except ValueError:
        return None
    name = f"{read.namespace}/{read.name}" if read.namespace else read.name
    return f"pkg:{read.type}", name, read.version or ""
