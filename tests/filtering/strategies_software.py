"""Random lines of profiles and entries of items, of one product at a time: so that they meet, and every rule counts."""

from typing import Any, NamedTuple
from urllib.parse import quote

from hypothesis import strategies as st

from normalize import Affected, Bound, Range, ranges, schemes
from subscribers import Software
from tests.filtering.oracle_software import LADDERS


class Family(NamedTuple):
    """One product, and what it is called."""

    kind: str
    """Of LADDERS."""
    names: tuple[tuple[str, str], ...] = ()
    purl: str = ""
    cpe: str = ""
    """With the rest of its attributes: `cpe:2.3:o:fortinet:fortios`."""
    attributes: bool = False
    packaged: str = ""
    """A package of a distribution, which numbers otherwise: `pkg:deb/debian/openssl`."""


FAMILIES = (
    Family("npm", (("", "left-pad"),), "pkg:npm/left-pad"),
    Family("pypi", (("", "django"),), "pkg:pypi/django"),
    Family("deb", (("", "openssl"),), "pkg:deb/debian/openssl"),
    Family("rpm", (("", "openssl"),), "pkg:rpm/redhat/openssl"),
    Family("openssl", (("", "openssl"),), packaged="pkg:deb/debian/openssl@3.0.2-0+deb12u1"),
    Family("maven", (("", "log4j-core"),), "pkg:maven/org.apache.logging.log4j/log4j-core"),
    Family("fortios", (("Fortinet", "FortiOS"),), cpe="cpe:2.3:o:fortinet:fortios"),
    Family("mivoice", (("Mitel", "MiVoice"),)),
    Family(
        "netscaler adc", (("Citrix", "NetScaler ADC"), ("Citrix", "NetScaler")), cpe="cpe:2.3:a:citrix:netscaler_adc"
    ),
    Family("planner", (("Acme", "Planner"),)),
    Family("windows 10", (("Microsoft", "Windows 10"),)),
    Family("junos", (("Juniper", "Junos"),)),
    Family("asa", (("Cisco", "ASA"),)),
    Family("pan os", (("Palo Alto Networks", "PAN-OS"),)),
    Family("portal", (("Acme", "Portal"),), cpe="cpe:2.3:a:acme:portal", attributes=True),
)
UNREADABLE = ("??", "latest", "voorjaar")
PLATFORMS = (
    "cpe:2.3:h:acme:box:*:*:*:*:*:*:*:*",
    "cpe:2.3:o:fortinet:fortios:7.2.3:*:*:*:*:*:*:*",
    "cpe:2.3:o:fortinet:fortios:*:*:*:*:*:*:*:* >=7.2|<7.4",
)
BESIDE = (
    Software(cpe=PLATFORMS[0]),
    Software("Fortinet", "FortiOS", "7.2.3"),
    Software("Fortinet", "FortiOS", "7.4.1"),
    Software("Fortinet", "FortiOS"),
    Software("Acme", "Box"),
    Software("Voorbeeld", "Ander", "1.0"),
)
"""What a profile lists beside the product itself: perhaps what it runs on."""
_SHAPES: tuple[tuple[Bound, ...], ...] = (("=",), ("<",), ("<=",), (">=",), (">",), (">=", "<"), (">", "<="), ("!=",))
_PLAIN: tuple[tuple[Bound, ...], ...] = (("<",), ("<=",), (">=",), (">=", "<"))


def rungs(family: Family) -> list[str]:
    return [version for rung in LADDERS[family.kind].split() for version in rung.split("|")]


def _attributes(draw: st.DrawFn) -> str:
    pick = [
        draw(st.sampled_from(pool))
        for pool in (
            ("*", "*", "-"),
            ("*",),
            ("*", "enterprise", "express", "e*"),
            ("*", "wordpress", "joomla"),
            ("*", "x64"),
            ("*",),
        )
    ]
    return ":".join(pick)


def _cpe(draw: st.DrawFn, family: Family, version: str, update: str) -> str:
    rest = _attributes(draw) if family.attributes else "*:*:*:*:*:*"
    return f"{family.cpe}:{version}:{update}:{rest}"


@st.composite
def lines(draw: st.DrawFn, family: Family) -> Software:
    """By name, by CPE, by purl, or by name and purl."""
    often = ["8.0"] * 6 if family.attributes else rungs(family)  # which has updates
    version = draw(st.sampled_from([*rungs(family), *often, None, *UNREADABLE]))
    way = draw(
        st.sampled_from(
            ["name", "name", *(["cpe"] * 3 if family.cpe else []), *(["purl", "both"] if family.purl else [])]
        )
    )
    if family.packaged and draw(st.booleans()):
        return Software("", "openssl", None, None, family.packaged)
    if way == "name":
        return Software(*draw(st.sampled_from(family.names)), version)
    if way == "cpe":
        known = version if version in rungs(family) else "*"
        update = (
            draw(st.sampled_from(["*", "*", "-", "update1", "update2"])) if family.attributes and known != "*" else "*"
        )
        return Software(cpe=_cpe(draw, family, known, update).replace("e*", "express"))
    purl = f"{family.purl}@{quote(version, safe='')}" if version else family.purl
    return Software(*(family.names[0] if way == "both" else ("", "")), None, None, purl)


@st.composite
def entries(draw: st.DrawFn, family: Family) -> Affected:
    """By name, by CPE or by name and purl; versions as constraints, as `vers:`, all, or in no form that is read."""
    status = draw(st.sampled_from(["affected"] * 5 + ["fixed", "not-affected", "unknown"]))
    vendor, product = draw(st.sampled_from(family.names))
    named: dict[str, Any] = {"purl": family.purl} if family.purl and draw(st.integers(0, 3)) else {}
    if family.cpe and draw(st.booleans()):
        if family.attributes and draw(st.integers(0, 2)) == 0:  # one version of it, perhaps with its update
            update = draw(st.sampled_from(["*", "-", "update1", "update2"]))
            text = f"8.0 {update}" if update.startswith("u") else "8.0"
            return Affected(vendor, product, text, ranges.read(text), _cpe(draw, family, "8.0", update), status=status)
        named["cpe"] = _cpe(draw, family, "*", "*")
    shapes = _PLAIN if family.attributes else _SHAPES
    found = [draw(_bounds(family, shapes)) for _ in range(draw(st.integers(1, 2)))]
    scheme = schemes.scheme(family.kind) if not named.get("purl") or draw(st.booleans()) else ""
    form = draw(st.sampled_from(["constraints", "constraints", "constraints", "vers", "every", "unread"]))
    if form == "unread":
        return Affected(vendor, product, "sommige", (), status=status, **named)
    if form == "every":
        return Affected(vendor, product, "*", (ranges.EVERY,), status=status, **named)
    if form == "vers":
        text = f"vers:{family.kind if family.purl else 'unknown'}/" + "|".join(
            f"{'' if bound == '=' else bound}{quote(limit, safe='')}" for bound, limit in found[0]
        )
        return Affected(vendor, product, text, ranges.read(text), status=status, **named)
    platforms = draw(st.lists(st.tuples(st.sampled_from(["on", "on", "off"]), st.sampled_from(PLATFORMS)), max_size=2))
    return Affected(
        vendor,
        product,
        "as stated",
        tuple(Range((*each, *platforms), scheme) for each in found),
        status=status,
        **named,
    )


@st.composite
def _bounds(draw: st.DrawFn, family: Family, shapes: tuple[tuple[Bound, ...], ...]) -> tuple[tuple[Bound, str], ...]:
    """Limits in the order of the ladder."""
    known = rungs(family)
    shape = draw(st.sampled_from(shapes))
    places = sorted(
        draw(st.lists(st.integers(0, len(known) - 1), min_size=len(shape), max_size=len(shape), unique=True))
    )
    return tuple((bound, known[at]) for bound, at in zip(shape, places, strict=True))


class Case(NamedTuple):
    """What a statement says of a product, and profiles that list it."""

    family: Family
    said: tuple[Affected, ...]
    profiles: tuple[tuple[Software, ...], ...]


@st.composite
def cases(draw: st.DrawFn, among: tuple[Family, ...] = FAMILIES) -> Case:
    family = draw(st.sampled_from(among))
    said = draw(st.lists(entries(family), min_size=1, max_size=2, unique=True))
    profiles = [
        (
            *draw(st.lists(lines(family), min_size=1, max_size=2, unique=True)),
            *draw(st.lists(st.sampled_from(BESIDE), max_size=1)),
        )
        for _ in range(draw(st.integers(1, 3)))
    ]
    return Case(family, tuple(said), tuple(profiles))
