"""Verdicts with platforms, CPE attributes and packages: for one profile and for all in the index they are the same."""

from hypothesis import given, settings
from hypothesis import strategies as st

from filtering.catalogue import Catalogue
from filtering.naming import Installed, installed
from filtering.software import RANK, because, pair, products_of
from normalize import Affected, Range, ranges
from subscribers import Software
from tests.filtering.things import affected

OS = "cpe:2.3:o:voorbeeld:os:*:*:*:*:*:*:*:*"
DEVICE = "cpe:2.3:h:voorbeeld:r1:-:*:*:*:*:*:*:*"
_names = st.sampled_from([("Voorbeeld", "OS"), ("Voorbeeld", "R1"), ("Voorbeeld", "VPN"), ("", "VPN")])
_versions = st.sampled_from([None, "1.0", "1.5", "2.0", "2.0 update3", "?"])
_cpes = st.builds(
    lambda name, version, target: f"cpe:2.3:{name}:{version}:*:*:*:{target}:*:*",
    st.sampled_from(["o:voorbeeld:os", "h:voorbeeld:r1", "a:voorbeeld:vpn"]),
    st.sampled_from(["*:*", "1.0:*", "1.5:*", "2.0:update3", "2.0:-"]),
    st.sampled_from(["*", "-", "wordpress"]),
)
_purls = st.sampled_from(["pkg:deb/debian/vpn@1.0-1", "pkg:deb/debian/vpn@1:0.5-1", "pkg:pypi/vpn@1.0rc1"])
_lines = st.one_of(
    st.builds(lambda name, version: Software(name[0], name[1], version), _names, _versions),
    st.builds(lambda cpe: Software(cpe=cpe), _cpes),
    st.builds(
        lambda name, purl: Software(name[0], name[1], purl=purl),
        st.sampled_from([("", ""), ("Voorbeeld", "VPN")]),
        _purls,
    ),
)
_platform = st.sampled_from(
    [OS, f"{OS} <1.5", DEVICE, DEVICE.replace(":-:", ":1.0:"), "cpe:2.3:a:ander:x:1:*:*:*:*:*:*:*"]
)
_constraints = st.tuples(
    st.sampled_from([(), (("<", "1.5"),), ((">=", "1.0"), ("<", "2.0")), (("=", "2.0"),), (("=", "2.0 update3"),)]),
    st.lists(st.tuples(st.sampled_from(["on", "on", "off"]), _platform), max_size=2).map(tuple),
).map(lambda both: both[0] + both[1])
_entries = st.builds(
    Affected,
    st.just("Voorbeeld"),
    st.sampled_from(["VPN", "VPN", "OS"]),
    ranges=st.lists(st.builds(Range, _constraints, st.sampled_from(["", "semver", "deb"])), max_size=2).map(tuple),
    cpe=st.one_of(st.none(), _cpes),
    purl=st.sampled_from([None, "pkg:deb/debian/vpn", "pkg:pypi/vpn"]),
    status=st.sampled_from(["affected", "affected", "unknown", "fixed"]),
)


@settings(max_examples=300)
@given(st.lists(_entries, min_size=1, max_size=3), st.lists(st.lists(_lines, max_size=3), min_size=1, max_size=4))
def test_the_index_and_a_pair_agree(entries: list[Affected], profiles: list[list[Software]]) -> None:
    catalogue = Catalogue()
    held: list[list[Installed]] = [[installed(line) for line in lines] for lines in profiles]
    for number, lines in enumerate(held):
        catalogue.add(lines, number)
    for product in products_of(entries):
        users = catalogue.users(product)
        for number, lines in enumerate(held):
            found = [each for line in lines if (each := pair(product, line, lines))]
            best = max((each[0] for each in found), key=lambda each: RANK[each], default=None)
            assert [name for name, bits in users.items() if number in bits] == ([best] if best else [])
            assert all(because(product, line, pair(product, line, lines), lines) for line in lines)
    for number, lines in enumerate(held):
        catalogue.discard(lines, number)
    assert not catalogue.names
    assert not catalogue.purls


def said(entry: Affected, *lines: Software) -> str:
    held = [installed(line) for line in lines]
    (product,) = products_of([entry])
    return because(product, held[0], pair(product, held[0], held), held)


def test_reasons_in_words() -> None:
    entry = affected(versions=">=7.2.0|<7.2.5")
    used = Software("Fortinet", "FortiOS", "7.4.9")
    assert said(entry, used) == "7.4.9 lies outside >=7.2.0|<7.2.5"
    assert (
        said(affected(versions="see notes"), used) == "cannot be compared: the item states no version that can be read"
    )
    assert (
        said(entry, Software("Fortinet", "FortiOS", "zie boven")) == "cannot be compared: zie boven with >=7.2.0|<7.2.5"
    )
    assert said(affected(versions="<9", status="unknown"), used) == "not known to be affected"
    assert said(affected(versions="<9", status="fixed"), used) == "called fixed: <9"
    on = Affected("Fortinet", "FortiOS", "< 9", (Range((("<", "9"), ("on", f"{DEVICE} <2"))),))
    assert said(on, used) == "depends on what it runs on: voorbeeld r1 <2"
    assert said(on, used, Software("Voorbeeld", "R1", "1.0")) == "inside the affected versions"
    assert said(on, used, Software("Voorbeeld", "R1", "2.0")) == "7.4.9 lies outside < 9"
    plugin = Affected("A", "B", "< 9", (Range((("<", "9"),)),), cpe="cpe:2.3:a:a:b:*:*:*:*:*:wordpress:*:*")
    assert said(plugin, Software("A", "B", "1")).startswith(
        "cannot be compared: the profile does not say which edition"
    )


def test_a_package_of_a_distribution_is_not_held_against_upstreams_numbers() -> None:
    """Debian mends 3.0.11 without making it 3.0.12."""
    upstream = affected("OpenSSL", "OpenSSL", "<3.0.12")
    packaged = Software("OpenSSL", "OpenSSL", purl="pkg:deb/debian/openssl@3.0.11-1")
    held = installed(packaged)
    (product,) = products_of([upstream])
    assert (pair(product, held) or ("no",))[0] == "possible"
    (own,) = products_of(
        [Affected("", "", ranges=ranges.read("<3.0.11-1~deb12u2", scheme="deb"), purl="pkg:deb/debian/openssl")]
    )
    assert pair(own, held) is None, "3.0.11-1 comes after 3.0.11-1~deb12u2"


def test_thousands_of_versions_are_compared_once_and_come_out_the_same_again() -> None:
    """4,000 distinct versions of a product against eight ranges."""
    catalogue = Catalogue()
    for number in range(4000):
        line = Software("Fortinet", "FortiOS", f"7.{number % 20}.{number // 20}")
        catalogue.add([installed(line)], number)
    stated = "|".join(f">=7.{minor}.3|<7.{minor}.90" for minor in range(0, 16, 2))
    (product,) = products_of([affected(versions=stated)])
    first = catalogue.users(product)
    assert first == catalogue.users(product)
    assert len(first["exact"]) == 8 * 87
