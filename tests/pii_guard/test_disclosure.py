"""What one recipient gets of gated rows: its own, tokens or networks of others by the policy, and never more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from ingest import Source
from normalize import Draft, Facts, Observable
from pii_guard import Item, Recipient, Statement
from pii_guard.disclosure import Disclosed, Disclosure, preserving, truncated
from pii_guard.guard import Guard
from pii_guard.policy import RECIPIENTS, Policy
from pii_guard.policy_file import again, load

TEXT = (Path(__file__).parents[2] / "config" / "defaults" / "legal.toml").read_text(encoding="utf-8")
SHIPPED = load(TEXT, "legal.toml")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SOURCE = Source("shadowserver", "Shadowserver")
KEY = b"k" * 32
ROWS = (
    Observable("ipv4", "192.0.2.7", "victim", "report:scan_rdp", 64500, "NL", 3389),
    Observable("ipv4", "192.0.2.9", "victim", "report:scan_rdp", 64500, "NL", 3389),
    Observable("ipv6", "2001:db8:1:2::7", "victim", "report:scan_rdp"),
    Observable("email", "jan@firma.example", "victim", "report:credentials"),
    Observable("ipv4", "198.51.100.66", "attacker", "c2"),
)


def stated(policy: Policy = SHIPPED, source: Source = SOURCE, at: datetime = NOW) -> Statement:
    draft = Draft("exposure", "k", "Open RDP", "", "nl", Facts(observables=ROWS))
    item = Guard(policy, KEY).admit(draft, source, at)
    assert isinstance(item, Item)
    return item.statements[0]


def changed(old: str, new: str, text: str = TEXT) -> Policy:
    start = text.index('id = "wbdwb.network-victim"')
    assert old in text[start:]
    return load(text[:start] + text[start:].replace(old, new, 1), "legal.toml")


def disclosure(policy: Policy = SHIPPED, *earlier: Policy) -> Disclosure:
    return Disclosure(policy, {each.hash: each for each in earlier}.get, {SOURCE.id: SOURCE}, KEY)


def said(found: Disclosed) -> list[str]:
    return [row.value for row in (*found.own, *found.veiled)]


def test_as_shipped_everybody_gets_its_own_and_a_cert_tokens_of_the_rest() -> None:
    statement, by = stated(), disclosure()
    mine = by.of(statement, [0, 2, 4], "public", "notify", NOW)
    assert [row.value for row in mine.own] == ["192.0.2.7", "2001:db8:1:2::7"], "the attacker's is in every view"
    assert mine.veiled == ()
    cert = by.of(statement, [1], "cert", "exchange", NOW, holder=lambda _: "network-owner")
    assert [row.value for row in cert.own] == ["192.0.2.9"]
    assert [(row.type, row.detail["of"], row.asn) for row in cert.veiled] == [
        ("token", "ipv4", 64500), ("token", "ipv6", None), ("token", "email", None),
    ]  # fmt: skip
    assert not {"192.0.2.7", "2001:db8:1:2::7", "jan@firma.example"} & set(said(cert))
    for others in ("partnership", "public"):
        assert by.of(statement, (), others, "notify", NOW) == Disclosed()  # type: ignore[arg-type]


def test_tokens_are_alike_for_one_class_purpose_and_epoch_and_for_no_other() -> None:
    text = TEXT.replace('public = "strip" }', 'public = "token" }').replace(
        'partnership = "strip"', 'partnership = "token"'
    )
    policy = load(text, "legal.toml")
    statement, by = stated(policy), disclosure(policy)

    def token(recipient: Recipient, purpose: str = "notify", at: datetime = NOW, key: bytes = KEY) -> str:
        other = Disclosure(policy, {}.get, {SOURCE.id: SOURCE}, key)
        return (by if key == KEY else other).of(statement, (), recipient, purpose, at).veiled[0].value  # type: ignore[arg-type]

    first = token("cert")
    assert len(first) == 32, "128 bits"
    assert first == token("cert", at=NOW + timedelta(hours=1)) == token("cert")
    others = [
        token("partnership"), token("public"), token("cert", "exchange"), token("cert", at=NOW + timedelta(days=31)),
        token("cert", key=b"o" * 32),
    ]  # fmt: skip
    assert len({first, *others}) == 6
    every = [row.value for row in by.of(statement, (), "cert", "notify", NOW).veiled]
    assert len(set(every)) == len(every), "different values have different tokens"


def test_a_change_releases_nothing_that_was_let_in_before_it() -> None:
    wide = changed(
        'cert = "token", partnership = "strip", public = "strip"',
        'cert = "keep", partnership = "keep", public = "keep"',
    )
    before = stated(SHIPPED)
    assert said(disclosure(wide, SHIPPED).of(before, (), "public", "notify", NOW)) == []
    assert disclosure(wide, SHIPPED).of(before, (), "cert", "notify", NOW).own == ()
    unknown = disclosure(wide)  # a policy that is on record no more: what its `own` meant
    assert said(unknown.of(before, (), "public", "notify", NOW)) == []
    assert said(unknown.of(before, [0], "public", "notify", NOW)) == ["192.0.2.7"]
    assert len(said(disclosure(wide).of(stated(wide), (), "public", "notify", NOW))) == 4
    strict = changed('organisation = "keep"', 'organisation = "strip"')
    assert said(disclosure(strict, SHIPPED).of(before, [0], "public", "notify", NOW)) == [], "the stricter decides"


def test_a_regime_gives_nothing_to_countries_it_excludes() -> None:
    statement, by = stated(), disclosure()
    assert said(by.of(statement, [0], "public", "notify", NOW, country="BQ")) == []
    assert said(by.of(statement, [0], "public", "notify", NOW, country="DE")) == ["192.0.2.7"]


def test_a_country_that_is_excluded_no_more_gets_nothing_of_before() -> None:
    wide = load(TEXT.replace('excludes = ["BQ"]\n', ""), "legal.toml")
    before, after = stated(SHIPPED), stated(wide)
    assert said(disclosure(wide, SHIPPED).of(before, [0], "public", "notify", NOW, country="BQ")) == []
    assert said(disclosure(wide).of(after, [0], "public", "notify", NOW, country="BQ")) == ["192.0.2.7"]


class Walked(tuple[Observable, ...]):
    """Rows that count how often somebody goes through all of them."""

    times = 0

    def __iter__(self) -> Iterator[Observable]:
        Walked.times += 1
        return super().__iter__()


def test_thousands_of_readers_do_not_walk_the_rows_each() -> None:
    statement, by = stated(), disclosure()
    rows = Walked(structs.replace(statement.facts.observables[0], value=f"192.0.2.{n % 256}") for n in range(1000))
    many = structs.replace(statement, facts=structs.replace(statement.facts, observables=rows))
    Walked.times = 0
    for number in range(300):
        assert by.tells(many, "public", "notify") is False
        assert len(by.of(many, [number], "public", "notify", NOW).own) == 1
    assert Walked.times == 1


def test_purposes_and_sources_decide_too() -> None:
    split = changed(
        'public = "strip" }\n',
        'public = "strip" }\npurposes = ["match", "notify"]\nbasis = "b"\n\n[[regime.wbdwb.rule]]\nid = "wbdwb.feeds"\n'
        'categories = ["ipv4", "ipv6", "mac", "username", "url-personal", "email", "phone"]\n'
        'roles = ["victim", "unknown"]\npurposes = ["exchange"]\naction = "gate"\n'
        'to = { organisation = "strip", network-owner = "keep", cert = "truncate", partnership = "strip", '
        'public = "strip" }\n',
    )
    statement, by = stated(split), disclosure(split)
    assert said(by.of(statement, [0], "public", "notify", NOW)) == ["192.0.2.7"]
    assert said(by.of(statement, [0], "public", "exchange", NOW)) == []
    networks = said(by.of(statement, (), "cert", "exchange", NOW))
    assert networks == ["192.0.2.0/24", "192.0.2.0/24", "2001:db8:1::/48", "firma.example"]
    named = load(
        TEXT.replace(
            '[[regime.wbdwb.rule]]\nid = "wbdwb.network-victim"',
            '[[regime.wbdwb.rule]]\nid = "wbdwb.market"\ncategories = ["ipv4"]\nroles = ["victim"]\naction = "strip"\n'
            'basis = "b"\nonly_sources = ["market"]\n\n[[regime.wbdwb.rule]]\nid = "wbdwb.network-victim"',
        ),
        "legal.toml",
    )
    assert named.decide("wbdwb", Source("market", "M"), "ipv4", "victim").action == "strip"
    assert named.decide("wbdwb", SOURCE, "ipv4", "victim").action == "gate"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("cert = ", "certs = ", r"to\.certs: unknown key"),
        (', public = "strip"', "", r"to\.public: is missing"),
        ('cert = "token"', 'cert = "gate"', r"to\.cert: unknown value"),
        ('public = "strip" }\n', 'public = "strip" }\npurposes = ["notify"]\n', "no rule for ipv4 x victim x match"),
        ('public = "strip" }\n', 'public = "strip" }\npurposes = ["fun"]\n', r"purposes: unknown value"),
        ('"email", "phone"]', '"email", "phone", "name"]', "name is nothing that could be gated"),
        ('to = {', 'only_sources = [1]\nto = {', "only_sources: must be a list of texts"),
    ],
)  # fmt: skip
def test_recipients_that_cannot_be_meant_are_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(Exception, match=says):
        changed(old, new)


def test_only_what_is_gated_has_recipients() -> None:
    with pytest.raises(Exception, match=r"\.to: only what is gated"):
        changed('action = "gate"', 'action = "keep"')
    with pytest.raises(Exception, match=r"\.to: is missing"):
        load(TEXT.replace("\nto = {", "\n# to = {", 1), "legal.toml")


def test_a_policy_reads_again_from_what_is_kept_of_it() -> None:
    read = again(SHIPPED.content, "legal.toml")
    assert (read.hash, read.regimes) == (SHIPPED.hash, SHIPPED.regimes)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_prefix_preserving_tokens_keep_exactly_the_shared_prefix(one: int, other: int) -> None:
    def shared(a: int, b: int) -> int:
        return 32 - (a ^ b).bit_length()

    made = [int(preserving(KEY, IPv4Address(each)).removeprefix("p4-"), 16) for each in (one, other)]
    assert shared(*made) == shared(one, other)


def test_prefixes_only_for_certs_and_only_by_policy() -> None:
    text = TEXT.replace(
        "[regime.wbdwb.retention]", "[regime.wbdwb.tokens]\nprefix_preserving = true\n\n[regime.wbdwb.retention]"
    )
    text = text.replace('public = "strip" }', 'public = "token" }')
    policy = load(text, "legal.toml")
    statement, by = stated(policy), disclosure(policy)
    cert = [row.value for row in by.of(statement, (), "cert", "exchange", NOW).veiled]
    assert [value[:3] for value in cert[:3]] == ["p4-", "p4-", "p6-"]
    assert cert[0][:9] == cert[1][:9], "the same /24"
    assert not cert[3].startswith("p")
    public = [row.value for row in by.of(statement, (), "public", "exchange", NOW).veiled]
    assert not any(value.startswith("p") for value in public)
    for value in cert[:3]:
        with pytest.raises(ValueError, match="does not appear to be"):
            ip_address(value)


def test_what_has_no_network_is_not_truncated_to_anything() -> None:
    assert truncated(Observable("username", "jan")) is None
    assert truncated(Observable("ipv4", "not one")) is None
    assert truncated(Observable("cidr", "192.0.0.0/16")) == "192.0.0.0/16"


@given(st.sampled_from(RECIPIENTS), st.sets(st.integers(0, 4)), st.sampled_from(["match", "notify", "exchange"]))
def test_nobody_gets_a_value_at_a_place_it_does_not_hold(others: Recipient, mine: set[int], purpose: str) -> None:
    statement = structs.replace(stated())
    if others in ("organisation", "network-owner"):
        return
    found = disclosure().of(statement, mine, others, purpose, NOW)  # type: ignore[arg-type]
    foreign = {row.value for at, row in enumerate(ROWS) if at not in mine}
    assert not foreign & {row.value for row in (*found.own, *found.veiled)}
