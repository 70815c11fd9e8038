import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from filtering import FilteringError
from filtering.index import Index
from filtering.network import Gathering, Networks, place, prefix
from normalize import Observable
from tests.filtering.things import address, subscriber

V4 = [f"192.0.{n}.0/{bits}" for n in (0, 2, 3) for bits in (16, 22, 24)] + ["192.0.2.64/26", "192.0.2.77/32"]
V4 = [str(ipaddress.ip_network(text, strict=False)) for text in V4]
V6 = ["2001:db8::/32", "2001:db8:12::/48", "2001:db8:12:1::/64", "2001:db8:12:1::7/128"]


asked_of = st.one_of(
    st.integers(0, 1023).map(lambda n: str(ipaddress.ip_address("192.0.0.0") + n)),
    st.integers(0, 9).map(lambda n: f"2001:db8:12:1::{n}"),
    st.sampled_from([*V4, *V6, "0.0.0.0", "255.255.255.255", "::", "ffff::ffff"]),
)


@given(
    st.lists(st.sampled_from(V4 + V6 + ["0.0.0.0/0", "255.255.255.255/32", "::/0"]), max_size=8),
    st.lists(st.sampled_from(V4 + V6), max_size=4),
    st.sets(st.integers(0, 7)),
    asked_of,
)
def test_all_holders_most_specific_first(packed: list[str], beside: list[str], gone: set[int], asked: str) -> None:
    """Against the standard library: what is packed, what was added since, and without those who went."""
    stale, holdings = BitMap(gone), Gathering()
    networks = Networks(stale, lambda _: ())
    for number, text in enumerate(packed):
        holdings.add([text], [], number)
    networks.pack(holdings.done())
    for number, text in enumerate(beside, start=len(packed)):
        networks.add([text], [], number)
    inside = ipaddress.ip_network(asked)
    parsed = [ipaddress.ip_network(text) for text in (*packed, *beside)]
    wanted = [n for n, one in enumerate(parsed) if one.version == inside.version and inside.subnet_of(one)]  # type: ignore[arg-type]
    where = prefix(asked)
    assert where is not None
    found = networks.holders(where)
    assert sorted(found) == [n for n in wanted if n >= len(packed) or n not in gone]
    lengths = [parsed[n].prefixlen for n in found]
    assert lengths == sorted(lengths, reverse=True)
    for number, text in enumerate(beside, start=len(packed)):
        networks.discard([text], [], number)
    assert not networks.lengths[4]
    assert not networks.lengths[6]


@pytest.mark.parametrize("text", ["", "192.0.2", "192.0.2.0/33", "192.0.2.0/x", "2001:db8::/129", "a.nl"])
def test_what_is_no_address(text: str) -> None:
    assert prefix(text) is None


def test_mapped_addresses_and_addresses_where_domains_belong() -> None:
    assert prefix("::ffff:192.0.2.1") == prefix("192.0.2.1")
    assert prefix("::ffff:192.0.2.0/120") == prefix("192.0.2.0/24")
    assert place(Observable("domain", "192.0.2.1")).prefix == prefix("192.0.2.1")
    assert place(Observable("url", "http://[2001:db8::1]:80/x")).prefix == prefix("2001:db8::1")
    assert place(Observable("url", "http://[geen/")).prefix is None
    assert place(Observable("hash", "192.0.2.1")).prefix is None
    assert place(Observable("domain", "Bücher.example")).domain == "xn--bcher-kva.example"


def test_a_profile_that_cannot_be_held_changes_nothing() -> None:
    index = Index.build([subscriber(1, networks=("192.0.2.0/24",))])
    with pytest.raises(FilteringError):
        index.put(subscriber(1, networks=("192.0.3.0/24", "geen")))
    assert holders(index, [address("192.0.2.1"), address("192.0.3.1")]) == {1: [0]}


def test_verified_holders_and_the_network_owner_where_there_is_none() -> None:
    one = subscriber(1, networks=("192.0.2.0/28", "AS64500"), domains=("voorbeeld.nl",))
    other = subscriber(2, networks=("192.0.2.16/28",))
    unproven = subscriber(3, networks=("192.0.2.0/24",), verified=False)
    index = Index.build([one, other, unproven])
    seen = [
        address("192.0.2.1", 64500), address("192.0.2.17", 64500), address("192.0.2.40", 64500), address("192.0.2.41"),
        Observable("domain", "a.voorbeeld.nl"), Observable("asn", "AS64500"), Observable("hash", "x"),
    ]  # fmt: skip
    assert holders(index, seen) == {1: [0, 2, 4, 5], 2: [1]}


def holders(index: Index, seen: list[Observable]) -> dict[int, list[int]]:
    """Subscriber number -> positions of what lies in its verified networks and domains."""
    owners = index.owners(seen)
    return {
        number: sorted({*owners.network.get(number, ()), *owners.domain.get(number, ())})
        for number in (owners.network.keys() | owners.domain.keys()) & set(index.verified)
    }
