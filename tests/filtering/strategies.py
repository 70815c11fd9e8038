"""Random profiles and items from small pools, so that they often meet."""

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st
from msgspec import Raw

from normalize import Affected, Bound, Facts, Observable, Range
from pii_guard import Item, Statement
from subscribers import Contact, Profile, Quiet, Scope, Software, Subscriber
from tlp import Clearance, Consent, Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
"""A Monday, 09:00 in Amsterdam."""
PRODUCTS = (("Fortinet", "FortiOS"), ("Citrix", "NetScaler ADC"))
NAMES = (*PRODUCTS, ("Citrix", "NetScaler"), ("Citrix", "NetScaler"))
SECTORS = (
    "SBI:C", "SBI:25", "SBI:25.62", "SBI:25.11", "SBI:62", "SBI:62.01", "SBI:10.71", "SBI:35.11",
    "NACE:25.62", "NIS2:ict-service-management", "NIS2:energy.electricity", "NIS2:food", "STIX:manufacturing",
)  # fmt: skip
NETWORKS = ("192.0.2.0/24", "192.0.2.64/26", "192.0.2.77/32", "198.51.100.0/25", "2001:db8:12::/48", "AS64500")
DOMAINS = ("voorbeeld.example", "winkel.voorbeeld.example", "polder.example", "co.uk", "polder.co.uk", "github.io")
REGIONS = ("NL-NB", "NL-UT")
MOST = 8
"""Numbers of subscribers: few, so that one is often another's client."""
LABELS = st.sampled_from(list(Label))

versions = st.builds(
    lambda parts: ".".join(map(str, parts)), st.lists(st.integers(0, 4), min_size=1, max_size=3).map(lambda p: [7, *p])
)


@cache
def some(pool: tuple[str, ...], most: int = 2) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(st.sampled_from(pool), max_size=most, unique=True).map(tuple)


# Made once: to make a strategy takes longer than to draw from it.
_bounds: list[tuple[Bound, ...]] = [("=",), ("<",), ("<=",), (">=", "<"), (">", "<="), ()]
_range = st.one_of([st.tuples(*(st.tuples(st.just(bound), versions) for bound in shape)) for shape in _bounds])
ranges = st.lists(st.builds(Range, _range), max_size=2).map(tuple)
"""None (not readable), every version, exact ones, or intervals."""
_affected = st.builds(
    lambda name, said, status: Affected(*name, "as stated", said, status=status),
    st.sampled_from(PRODUCTS),
    ranges,
    st.sampled_from(["affected", "affected", "affected", "fixed", "not-affected"]),
)
affected = st.lists(_affected, max_size=2, unique_by=lambda each: each.product).map(tuple)


ANNOUNCED = {"192.0.2.1": 64500, "192.0.2.77": 64501, "192.0.2.100": None, "198.51.100.9": 64500, "203.0.113.5": 64500}
"""The AS number that rows give with an address: one address, one network owner."""
observables = st.one_of(
    st.builds(
        lambda ip, role: Observable("ipv4", ip, role, asn=ANNOUNCED[ip]),
        st.sampled_from(sorted(ANNOUNCED)),
        st.sampled_from(["attacker", "victim", "unknown"]),
    ),
    st.builds(Observable, st.just("ipv6"), st.sampled_from(("2001:db8:12::1", "2001:db8:13::1"))),
    st.builds(Observable, st.just("cidr"), st.sampled_from(("192.0.2.64/27", "192.0.0.0/16", "198.51.100.0/25"))),
    st.builds(Observable, st.just("asn"), st.sampled_from(("AS64500", "AS64501"))),
    st.builds(
        Observable,
        st.just("domain"),
        st.sampled_from(
            (
                "voorbeeld.example",
                "www.voorbeeld.example",
                "a.winkel.voorbeeld.example",
                "onvoorbeeld.example",
                "example",
                "www.polder.co.uk",
                "iemand.github.io",
            )
        ),
    ),
)


_grave = st.fixed_dictionaries(
    {
        "exploited": st.sampled_from([None, False, True]),
        "kans": st.sampled_from([None, "medium", "high"]),
        "schade": st.sampled_from([None, "low", "high"]),
        "cvss": st.sampled_from([None, 7.5, 9.1]),
    }
)
gravity: st.SearchStrategy[dict[str, Any]] = st.one_of(st.just({}), st.just({}), _grave)
"""Mostly nothing; else what makes an item more or less urgent."""


@st.composite
def facts(draw: st.DrawFn, kind: str) -> Facts:
    seen = tuple(draw(st.lists(observables, min_size=int(kind == "exposure"), max_size=3)))
    if kind == "exposure":
        return Facts(observables=seen, exposure="open-rdp", countries=draw(some(("NL", "BE"), 1)))
    return Facts(
        cves=("CVE-2024-55591",),
        affected=draw(affected),
        sectors=draw(some(SECTORS)),
        countries=draw(st.sampled_from([(), (), (), ("NL",), ("BE",), ("BE", "NL")])),
        regions=draw(
            st.sampled_from([(), (), (), ("NL-NB",), ("NL-UT", "BE-VLG"), ("western-europe",), ("eastern-asia",)])
        ),
        observables=seen if draw(st.booleans()) else (),
        **draw(gravity),
    )


def statement(key: str, kind: str, said: Facts, label: Label) -> Statement:
    """A guarded statement as the inbox holds it."""
    return Statement(
        key,
        "market",
        kind,
        "Titel",
        "",
        "nl",
        said,
        Raw(b"[]"),
        (),
        label,
        (),
        (),
        "wbdwb",
        "policy",
        None,
        NOW,
        "m",  # type: ignore[arg-type]
    )


@st.composite
def items(draw: st.DrawFn, labelled: st.SearchStrategy[Label] = LABELS) -> Item:
    """One threat of one kind, in up to three statements."""
    kind = draw(st.sampled_from(["advisory", "advisory", "report", "indicators", "exposure", "exposure", "news"]))
    labels = draw(st.lists(labelled, min_size=1, max_size=3))
    made = [statement(f"s{number}", kind, draw(facts(kind)), label) for number, label in enumerate(labels)]
    joined: tuple[Statement, ...] = ()
    if kind != "exposure" and draw(st.integers(0, 3)) == 0:
        record = Facts(cves=("CVE-2024-55591",), affected=draw(affected), **draw(gravity))
        joined = (statement("cve", "facts", record, Label.CLEAR),)
    return Item("OKTT-2026-0001", 1, tuple(made), joined)


_quiet = st.one_of(
    st.none(),
    st.none(),
    st.builds(Quiet, st.sampled_from(["08:30", "22:00", "09:00"]), st.sampled_from(["09:30", "07:00", "23:00"])),
    st.builds(Quiet, st.just("08:00"), st.just("10:00"), st.sampled_from([(1,), (2, 3)])),
    st.builds(Quiet, st.just("22:00"), st.sampled_from(["09:30", "07:00"]), st.sampled_from([(7,), (1,)])),
)
_software = st.builds(
    lambda name, version: Software(*name, version),
    st.sampled_from(NAMES),
    st.one_of(st.none(), versions, st.just("??")),
)
_profiles = st.builds(
    Profile,
    kind=st.sampled_from(["company", "company", "company", "cert", "partnership", "supplier", "vital", "public"]),
    size=st.sampled_from(["zzp", "mkb", "large"]),
    maturity=st.sampled_from(["basic", "mature"]),
    sectors=some(SECTORS),
    region=st.sampled_from(["", *REGIONS]),
    members=st.lists(st.integers(0, MOST), max_size=2).map(lambda ns: tuple(f"kvk-{n:08d}" for n in ns)),
    scope=st.builds(Scope, some(SECTORS, 1), some(REGIONS, 1)),
    serves_members=st.booleans(),
    country=st.sampled_from(["NL", "BE"]),
    software=st.lists(_software, max_size=2, unique_by=lambda each: (each.vendor, each.product)).map(tuple),
    networks=some(NETWORKS, 3),
    domains=some(DOMAINS, 3),
    verified=st.booleans(),
    min_urgency=st.sampled_from(["info", "info", "this-week", "today"]),
    opt_out=st.sampled_from([(), (), (), (), ("news",), ("advisory",), ("FortiOS",), ("exposure", "NetScaler ADC")]),
    quiet=_quiet,
)


def profiles() -> st.SearchStrategy[Profile]:
    return _profiles


def subscriber(number: int, profile: Profile, clearance: Clearance) -> Subscriber:
    """With a closed way out, so that no label is refused for want of one."""
    ways = (Contact("taxii"), Contact("email", address="beveiliging@voorbeeld.example"))
    return Subscriber(f"kvk-{number:08d}", number, f"Voorbeeld {number} B.V.", "nl", clearance, profile, ways, NOW)


@st.composite
def subscribers(draw: st.DrawFn, number: int) -> Subscriber:
    until = draw(st.sampled_from([None, None, NOW, NOW + timedelta(days=1)]))
    return subscriber(number, draw(profiles()), Clearance(draw(LABELS), until))


@st.composite
def worlds(draw: st.DrawFn) -> list[Subscriber]:
    """Up to six subscribers with small, unequal numbers."""
    numbers = draw(st.lists(st.integers(0, MOST), min_size=1, max_size=6, unique=True))
    return [draw(subscribers(number)) for number in numbers]


@st.composite
def consents(draw: st.DrawFn) -> dict[str, Consent]:
    """For some statements: to a recipient, or to a class."""
    given = st.sampled_from(
        [
            Consent(),
            Consent(frozenset({"kvk-00000001", "kvk-00000002"})),
            Consent(classes=frozenset({"cert", "company"})),
        ]
    )
    return {f"s{number}": draw(given) for number in range(draw(st.integers(0, 3)))}
