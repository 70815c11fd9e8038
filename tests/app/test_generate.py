"""The generated subscribers: the same for a seed, skewed as the target group is, and nobody real."""

import json
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_network
from itertools import pairwise

import msgspec
import pytest

from app import showcase
from app.generate import DEMO_COUNT, demo_subscribers, subscribers
from subscribers import Contact, Profile, Subscriber
from tlp import Clearance, Label

RESERVED = [
    ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15", "2001:db8::/32")
]  # RFC 5737, RFC 2544, RFC 3849
RESERVED_AS = {*range(64496, 64512), *range(65536, 65552)}  # RFC 5398


def test_the_same_seed_gives_the_same_firms_and_another_seed_does_not() -> None:
    first = list(subscribers(500, 1))
    assert first == list(subscribers(500, 1))
    assert first[:300] == list(subscribers(300, 1)), "asking for fewer gives the beginning of the same"
    assert first != list(subscribers(500, 2))


def test_sizes_follow_the_target_group() -> None:
    sizes = Counter(one["size"] for one in subscribers(20_000, 3) if one["kind"] == "company")
    total = sizes.total()
    assert sizes["zzp"] / total == pytest.approx(0.78, abs=0.01)
    assert sizes["mkb"] / total == pytest.approx(0.21, abs=0.01)
    assert sizes["large"] / total == pytest.approx(0.01, abs=0.003)


def test_one_person_firms_mostly_list_no_software() -> None:
    zzp = [one for one in subscribers(5_000, 4) if one["size"] == "zzp"]
    assert sum(not one["software"] for one in zzp) / len(zzp) > 0.9


def test_ids_and_domains_are_unique() -> None:
    made = list(subscribers(20_000, 5))
    assert len({one["id"] for one in made}) == len(made)
    domains = [name for one in made for name in one["domains"]]
    assert len(set(domains)) == len(domains)


def test_nothing_of_it_belongs_to_anybody() -> None:
    for one in (*subscribers(5_000, 6), *demo_subscribers()):
        for network in one["networks"]:
            if network.startswith("AS"):
                assert int(network[2:]) in RESERVED_AS
            else:
                inside = ip_network(network)
                assert any(net.version == inside.version and inside.subnet_of(net) for net in RESERVED)  # type: ignore[arg-type]
        assert all(name.endswith(".example") for name in one["domains"])
        assert all(way.get("address", ".example").endswith(".example") for way in one["channels"])


def test_every_one_is_a_profile() -> None:
    """The shapes of contract.md: every key fits the types of the room that reads it."""
    beside = {"id", "name", "language", "clearance", "channels"}
    for one in demo_subscribers():
        profile = {key: value for key, value in one.items() if key not in beside}
        Subscriber(
            one["id"], 1, one["name"], one["language"], Clearance(Label(one["clearance"])),
            msgspec.convert(profile, Profile), tuple(msgspec.convert(one["channels"], list[Contact])),
            datetime(2026, 3, 2, tzinfo=UTC),
        )  # fmt: skip
        assert set(profile) <= set(Profile.__struct_fields__)


def test_members_of_the_demo_exist_and_come_before() -> None:
    made = demo_subscribers()
    assert len(made) == DEMO_COUNT
    ids = {one["id"] for one in made}
    assert all(member in ids for one in made for member in one["members"])
    assert {"company", "partnership", "supplier", "cert", "vital", "public"} == {one["kind"] for one in made}


def test_hand_made_subscribers_do_not_share_addresses_with_generated_ones() -> None:
    shown = {one["id"] for one in showcase.SHOWCASE}
    own = [ip_network(n) for s in demo_subscribers() if s["id"] in shown for n in s["networks"] if "." in n]
    rest = [ip_network(n) for s in demo_subscribers() if s["id"] not in shown for n in s["networks"] if "." in n]
    assert not any(one.overlaps(other) for one in own for other in rest)
    generated = sorted(rest, key=lambda net: int(net.network_address))
    assert not any(one.overlaps(other) for one, other in pairwise(generated))


def test_it_can_be_written_as_ndjson() -> None:
    lines = [json.dumps(one, ensure_ascii=False) for one in subscribers(50, 8)]
    assert [json.loads(line) for line in lines] == list(subscribers(50, 8))
