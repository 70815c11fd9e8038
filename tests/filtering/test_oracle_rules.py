"""The plain matcher itself, against cases a person can check: an oracle that is wrong proves nothing."""

from datetime import timedelta

import pytest

from normalize import Affected, Facts, Observable, Range
from pii_guard import Item
from subscribers import Profile, Quiet, Software
from tests.filtering import oracle
from tests.filtering.strategies import NOW, statement, subscriber
from tlp import Clearance, Consent, Label

FORTIOS = Affected("Fortinet", "FortiOS", "7.2.0 - 7.2.6", (Range(((">=", "7.2.0"), ("<=", "7.2.6"))),))
RDP = Facts(observables=(Observable("ipv4", "192.0.2.77", asn=64500),), exposure="open-rdp")


def item(said: Facts, label: Label = Label.CLEAR, kind: str = "advisory") -> Item:
    return Item("OKTT-2026-0001", 1, (statement("s0", kind, said, label),))


def outcome(
    what: Item, profile: Profile, clearance: Label = Label.AMBER, consents: dict[str, Consent] | None = None
) -> set[str]:
    who = subscriber(1, profile, Clearance(clearance))
    return set(oracle.decide(what, who, NOW, urgency="this-week", consents=consents or {}).outcomes)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("7.2.3", "deliver"),
        ("7.2.7", "no-match"),
        ("7.2", "deliver"),
        (None, "deliver"),
        ("??", "deliver"),
        ("7.10.1", "no-match"),
    ],
)
def test_rule_2_decides_by_version(version: str | None, expected: str) -> None:
    profile = Profile(software=(Software("Fortinet", "FortiOS", version),), sectors=("SBI:62",))
    assert outcome(item(Facts(affected=(FORTIOS,), sectors=("SBI:25",))), profile) == {expected}


@pytest.mark.parametrize(
    ("networks", "expected"),
    [(("192.0.2.64/26",), "deliver"), (("AS64500",), "deliver"), (("192.0.2.0/26",), "no-match")],
)
def test_rule_1_decides_by_network(networks: tuple[str, ...], expected: str) -> None:
    assert outcome(item(RDP, kind="exposure"), Profile(networks=networks, sectors=("SBI:25",))) == {expected}


def test_rule_1_domains_and_what_lies_below_them() -> None:
    leak = Facts(observables=(Observable("domain", "www.voorbeeld.example"),))
    assert outcome(item(leak, kind="report"), Profile(domains=("voorbeeld.example",))) == {"deliver"}
    other = Facts(observables=(Observable("domain", "onvoorbeeld.example"),))
    assert "deliver" not in outcome(item(other, kind="report"), Profile(domains=("voorbeeld.example",)))


@pytest.mark.parametrize(("sectors", "expected"), [((), "digest"), (("SBI:25",), "digest"), (("SBI:62",), "no-match")])
def test_rule_3_without_software_it_is_for_the_digest_at_most(sectors: tuple[str, ...], expected: str) -> None:
    profile = Profile(sectors=("SBI:25.62",))
    assert outcome(item(Facts(affected=(FORTIOS,), sectors=sectors)), profile) == {expected}


@pytest.mark.parametrize(
    ("named", "expected"),
    [("SBI:25.62", "deliver"), ("SBI:25", "deliver"), ("SBI:C", "deliver"), ("SBI:62", "no-match")],
)
def test_rule_4_sectors_decide_when_nothing_else_is_named(named: str, expected: str) -> None:
    assert outcome(item(Facts(sectors=(named,))), Profile(sectors=("SBI:25.62",))) == {expected}


def test_rule_4_what_names_nothing_is_for_the_digest() -> None:
    assert outcome(item(Facts(), kind="news"), Profile()) == {"digest"}


def test_rule_5_only_takes_away() -> None:
    uses = (Software("Fortinet", "FortiOS", "7.2.3"),)
    what = item(Facts(affected=(FORTIOS,)))
    assert outcome(what, Profile(software=uses, min_urgency="today")) == {"urgency"}
    assert outcome(what, Profile(software=uses, opt_out=("advisory",))) == {"opt-out"}
    assert outcome(what, Profile(software=uses, opt_out=("FortiOS",))) == {"opt-out"}
    assert outcome(what, Profile(software=uses, quiet=Quiet("08:30", "09:30"))) == {"quiet"}
    assert outcome(what, Profile(software=uses, quiet=Quiet("22:00", "07:00"))) == {"deliver"}
    assert outcome(item(Facts(affected=(FORTIOS,), countries=("BE",))), Profile(software=uses)) == {"no-match"}


def test_vital_networks_are_for_an_analyst() -> None:
    assert outcome(item(RDP, kind="exposure"), Profile(kind="vital", networks=("192.0.2.0/24",))) == {"vital"}


def test_unverified_networks_prove_nothing() -> None:
    assert "deliver" not in outcome(item(RDP, kind="exposure"), Profile(verified=False, networks=("192.0.2.0/24",)))


def test_amber_asks_for_a_criterion_of_its_own() -> None:
    general, uses = item(Facts(), Label.AMBER, "news"), (Software("Fortinet", "FortiOS", "7.2.3"),)
    assert outcome(general, Profile()) == {"tlp"}
    amber = item(Facts(affected=(FORTIOS,)), Label.AMBER)
    assert outcome(amber, Profile(software=uses)) == {"deliver"}
    assert outcome(amber, Profile(software=uses), Label.GREEN) == {"tlp"}


def test_red_asks_for_consent_on_record() -> None:
    red, uses = item(Facts(affected=(FORTIOS,)), Label.RED), (Software("Fortinet", "FortiOS", "7.2.3"),)
    assert outcome(red, Profile(software=uses), Label.RED) == {"tlp"}
    named = {"s0": Consent(recipients=frozenset({"kvk-00000001"}))}
    assert outcome(red, Profile(software=uses), Label.RED, named) == {"deliver"}


def test_a_clear_statement_reaches_who_may_not_see_the_red_one_beside_it() -> None:
    clear = statement("s0", "advisory", Facts(affected=(FORTIOS,)), Label.CLEAR)
    red = statement("s1", "advisory", Facts(sectors=("SBI:62",)), Label.RED)
    both = Item("OKTT-2026-0001", 1, (clear, red))
    assert outcome(both, Profile(software=(Software("Fortinet", "FortiOS", "7.2.3"),)), Label.CLEAR) == {"deliver"}
    assert "deliver" not in outcome(both, Profile(sectors=("SBI:62",)), Label.CLEAR)


def test_an_expired_clearance_counts_as_clear() -> None:
    who = subscriber(1, Profile(), Clearance(Label.RED, NOW - timedelta(seconds=1)))
    green = item(Facts(), Label.GREEN, "news")
    assert oracle.decide(green, who, NOW, urgency="info", consents={}).outcomes == {"tlp"}
