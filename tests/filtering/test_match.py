from datetime import timedelta
from typing import Any

import pytest

from filtering import FilteringError
from filtering.disclosure import marked, reader
from filtering.index import Index
from filtering.match import explain, match
from normalize import Observable
from subscribers import Contact, Quiet, Scope
from tests.filtering.things import (
    NOW,
    address,
    affected,
    item,
    matching,
    outcomes,
    statement,
    subscriber,
    uses,
)
from tlp import Clearance, Consent, Label

ADVISORY = item(statement(affected=(affected(versions=">=7.2.0|<7.2.5"),)))
EXPOSED = item(statement(kind="exposure", exposure="open-rdp", observables=(address("192.0.2.17", 64500),)))
NEWS = item(statement(kind="news"))


def test_software_inside_possible_outside_and_none_listed() -> None:
    got = outcomes(
        ADVISORY,
        subscriber(1, software=uses(version="7.2.3")),
        subscriber(2, software=uses()),
        subscriber(3, software=uses(version="7.2.5")),
        subscriber(4, software=uses(product="FortiManager")),
        subscriber(5),
    )
    assert got == ["deliver", "deliver", "no-match", "no-match", "digest"]


def test_products_and_sectors_named() -> None:
    what = item(statement(affected=(affected(),), sectors=("SBI:25",)))
    got = outcomes(
        what,
        subscriber(1, sectors=("SBI:25.62",)),
        subscriber(2, sectors=("SBI:47",)),
        subscriber(3, sectors=("SBI:47",), software=uses()),
        subscriber(4, sectors=("SBI:25.62",), software=uses("Other", "Thing")),
        subscriber(5),
    )
    assert got == ["digest", "no-match", "deliver", "no-match", "no-match"]


def test_sectors_alone_decide_in_both_directions() -> None:
    what = item(statement(sectors=("NIS2:energy",)))
    got = outcomes(what, subscriber(1, sectors=("SBI:35.11",)), subscriber(2, sectors=("SBI:D",)), subscriber(3))
    assert got == ["deliver", "deliver", "no-match"]


def test_nothing_named_is_for_the_digest() -> None:
    assert outcomes(NEWS, subscriber(1), subscriber(2, software=uses())) == ["digest", "digest"]
    assert matching(NEWS, subscriber(1)).explain(subscriber(1)).reasons[0].criterion == "general"


def test_all_holders_of_an_address_and_the_network_owner_when_nobody_holds_it() -> None:
    wide, narrow = subscriber(1, networks=("192.0.2.0/24",)), subscriber(2, networks=("192.0.2.16/28",))
    owner, other = subscriber(3, networks=("AS64500",)), subscriber(4, networks=("198.51.100.0/24",))
    assert outcomes(EXPOSED, wide, narrow, owner, other) == ["deliver", "deliver", "no-match", "no-match"]
    assert outcomes(EXPOSED, owner, other) == ["deliver", "no-match"]


def test_an_unverified_holder_is_no_holder() -> None:
    nobody = subscriber(1, networks=("192.0.2.0/24",), verified=False)
    assert outcomes(EXPOSED, nobody, subscriber(2, networks=("AS64500",))) == ["unverified", "deliver"]


def test_domains_hosts_and_mail_addresses() -> None:
    for one in (
        Observable("domain", "WWW.Voorbeeld.NL."),
        Observable("url", "https://a.voorbeeld.nl:8443/x?y"),
        Observable("email", "iemand@voorbeeld.nl"),
    ):
        what = item(statement(kind="indicators", observables=(one,)))
        got = outcomes(what, subscriber(1, domains=("voorbeeld.nl",)), subscriber(2, domains=("beeld.nl",)))
        assert got == ["deliver", "digest"]


def test_an_exposure_alerts_no_user_of_its_product() -> None:
    what = item(statement(kind="exposure", affected=(affected(),), observables=(address("192.0.2.1"),)))
    assert outcomes(what, subscriber(1, software=uses()), subscriber(2)) == ["no-match", "no-match"]


def test_what_takes_away() -> None:
    quiet = Quiet("08:00", "10:00")
    got = outcomes(
        ADVISORY,
        subscriber(1, software=uses(), min_urgency="this-week"),
        subscriber(2, software=uses(), opt_out=("advisory",)),
        subscriber(3, software=uses(), opt_out=("Fortinet|FortiOS",)),
        subscriber(4, software=uses(), quiet=quiet),
        subscriber(5, quiet=quiet),
        subscriber(6, software=uses(), kind="vital"),
        subscriber(7, kind="public"),
        subscriber(8, software=uses("Other", "Thing"), kind="vital"),
    )
    assert got == ["urgency", "opt-out", "opt-out", "quiet", "digest", "vital", "vital", "no-match"]


@pytest.mark.parametrize("text", ["FortiOS", "fortinet fortios", "cpe:2.3:o:fortinet:fortios:*:*:*:*:*:*:*:*"])
def test_a_product_opt_out_in_its_forms(text: str) -> None:
    assert outcomes(ADVISORY, subscriber(1, software=uses(), opt_out=(text,))) == ["opt-out"]


def test_a_product_opt_out_leaves_the_other_product() -> None:
    what = item(statement(affected=(affected(), affected("Ivanti", "Connect Secure"))))
    both = subscriber(1, software=uses() + uses("Ivanti", "Connect Secure"), opt_out=("FortiOS",))
    assert outcomes(what, both, subscriber(2, opt_out=("FortiOS",))) == ["deliver", "digest"]


def test_countries_take_away_but_not_of_an_exposure() -> None:
    what = item(statement(affected=(affected(),), countries=("BE",)))
    assert outcomes(what, subscriber(1, software=uses()), subscriber(2, software=uses(), country="BE")) == [
        "no-match",
        "deliver",
    ]
    what = item(statement(kind="exposure", countries=("US",), observables=(address("192.0.2.1"),)))
    assert outcomes(what, subscriber(1, networks=("192.0.2.0/24",))) == ["deliver"]


def test_no_alert_when_everything_is_fixed_or_not_affected() -> None:
    what = item(statement(affected=(affected(status="fixed"), affected(status="not-affected"))))
    assert outcomes(what, subscriber(1, software=uses(version="1.0"))) == ["digest"]


def test_what_one_source_calls_fixed_does_not_outweigh_another() -> None:
    fixed, hit = affected(versions="7.2.3", status="fixed"), affected(versions="<7.2.5")
    user = subscriber(1, software=uses(version="7.2.3"))
    assert outcomes(item(statement(affected=(hit, fixed))), user) == ["no-match"]
    assert outcomes(item(statement("a", affected=(hit,)), statement("b", affected=(fixed,))), user) == ["deliver"]


def test_red_contribution_neither_silences_nor_shows() -> None:
    clear = statement("a", affected=(affected(),))
    red = statement("b", Label.RED, affected=(affected("Ivanti", "Connect Secure"),))
    what = item(clear, red)
    forti, ivanti = subscriber(1, software=uses()), subscriber(2, Label.RED, software=uses("Ivanti", "Connect Secure"))
    assert outcomes(what, forti, ivanti) == ["deliver", "tlp"]
    consents = {"b": Consent(recipients=frozenset({"s2"}))}
    assert outcomes(what, forti, ivanti, consents=consents) == ["deliver", "tlp"], "plain mail is open"
    closed = subscriber(2, Label.RED, (Contact("taxii"),), software=uses("Ivanti", "Connect Secure"))
    assert outcomes(what, forti, closed, consents=consents) == ["deliver", "deliver"]
    told = matching(what, forti, closed, consents=consents).explain(forti)
    assert not any("RED" in reason.value or "Ivanti" in reason.value for reason in told.reasons)


def test_amber_needs_clearance_and_concern() -> None:
    amber = statement("a", Label.AMBER, affected=(affected(),))
    got = outcomes(
        item(amber),
        subscriber(1, Label.AMBER, software=uses()),
        subscriber(2, Label.GREEN, software=uses()),
        subscriber(3, Label.AMBER),
        subscriber(4, Label.AMBER, software=uses("Other", "Thing")),
    )
    assert got == ["deliver", "tlp", "tlp", "no-match"], "being one of all is no concern"
    green = statement("b", Label.GREEN, affected=(affected("Other", "Thing"),))
    got = outcomes(
        item(amber, green), subscriber(1, Label.AMBER), subscriber(2, Label.AMBER, software=uses("Other", "Thing"))
    )
    assert got == ["digest", "deliver"]


def test_an_expired_clearance_and_a_stricter_label() -> None:
    what = item(statement(label=Label.GREEN, kind="news"))
    ends = Clearance(Label.AMBER, NOW + timedelta(hours=1))
    assert outcomes(what, subscriber(1, ends)) == ["digest"]
    assert outcomes(what, subscriber(1, ends), now=NOW + timedelta(hours=1)) == ["tlp"]
    assert outcomes(NEWS, subscriber(1), subscriber(2, Label.GREEN), label=Label.GREEN) == ["tlp", "digest"]
    assert [mark.label for mark in marked(NEWS, {}, Label.RED)] == [Label.RED]


def test_cve_facts_do_not_show_the_strict_statement_that_joined_them() -> None:
    red = statement("a", Label.RED, cves=("CVE-2026-1",))
    clear = statement("b", cves=("CVE-2026-2",), kind="news")
    fact = statement("f", kind="facts", cves=("CVE-2026-1",), affected=(affected(),))
    what = item(red, clear, facts=[fact])
    assert outcomes(what, subscriber(1, software=uses())) == ["digest"], "as if only the CLEAR story were known"
    assert outcomes(item(red, facts=[fact]), subscriber(1, software=uses())) == ["tlp"]
    joined = statement("f", kind="facts", cves=("CVE-2026-2",), affected=(affected(),))
    assert outcomes(item(clear, facts=[joined]), subscriber(1, software=uses())) == ["deliver"]


def test_partnerships_suppliers_and_certs() -> None:
    member, vital = subscriber(1, software=uses(), region="NL-NB"), subscriber(2, software=uses("A", "B"), kind="vital")
    got = outcomes(
        ADVISORY,
        member,
        vital,
        subscriber(3, kind="partnership", members=("s1", "nobody"), software=uses("C", "D")),
        subscriber(4, kind="cert", scope=Scope(regions=("NL-NB",)), software=uses("C", "D")),
        subscriber(5, kind="cert", scope=Scope(regions=("NL-NH",)), software=uses("C", "D")),
        subscriber(6, kind="supplier", members=("s2",), software=uses("C", "D")),
    )
    assert got == ["deliver", "no-match", "deliver", "deliver", "no-match", "no-match"]
    of_vital = item(statement(affected=(affected("A", "B"),)))
    supplier = subscriber(6, kind="supplier", members=("s2",), software=uses("C", "D"))
    assert outcomes(of_vital, vital, supplier) == ["vital", "no-match"], "that goes to the NCSC, not by mail"


def test_amber_reaches_a_partnership_only_if_it_serves_its_members() -> None:
    what = item(statement(label=Label.AMBER, affected=(affected(),)))
    member = subscriber(1, software=uses())
    for serves, outcome in ((True, "deliver"), (False, "tlp")):
        group = subscriber(2, Label.AMBER, kind="partnership", members=("s1",), serves_members=serves)
        assert outcomes(what, member, group) == ["tlp", outcome]


def test_an_attackers_address_inside_is_flagged() -> None:
    what = item(
        statement(kind="indicators", observables=(address("192.0.2.9", role="attacker"), address("198.51.100.1")))
    )
    host, other = subscriber(1, networks=("192.0.2.0/24",)), subscriber(2, networks=("198.51.100.0/24",))
    assert list(matching(what, host, other).match().abused) == [1]


@pytest.mark.parametrize(
    ("contacts", "alert", "edition"),
    [
        ((), False, False),
        ((Contact("webhook", url="https://example.nl/in"), Contact("kafka", topic="t")), True, False),
        ((Contact("email", address="a@voorbeeld.example"),), True, False),
        ((Contact("file", digest=("monday",)),), True, True),
        ((Contact("webhook", digest=("monday",)),), True, True),
        ((Contact("taxii"),), True, True),
    ],
)
def test_who_has_no_channel_for_it_is_not_reached(contacts: tuple[Contact, ...], alert: bool, edition: bool) -> None:
    user, other = subscriber(1, contacts=contacts, software=uses()), subscriber(2, contacts=contacts)
    third = subscriber(3, software=uses("Other", "Thing"))
    asked = matching(ADVISORY, user, other, third)
    assert outcomes(ADVISORY, user, other, third) == ["deliver", "digest", "no-match"]
    assert [one.number not in asked.match().unreachable for one in (user, other, third)] == [alert, edition, True]
    assert [not asked.explain(one).unreachable for one in (user, other, third)] == [alert, edition, True]


def test_reasons_say_what_decided_first_and_name_no_address() -> None:
    who = subscriber(1, networks=("192.0.2.0/24",), min_urgency="today")
    said = matching(EXPOSED, who).explain(who)
    assert said.reasons[0].criterion == "urgency"
    assert (said.reasons[1].criterion, said.reasons[1].value) == ("network", "192.0.2.0/24 (1)")
    user = subscriber(2, software=uses(version="7.2.3"))
    first = matching(ADVISORY, user).explain(user).reasons[0]
    assert (first.value, first.confidence) == ("Fortinet FortiOS 7.2.3 in >=7.2.0|<7.2.5", "exact")


FORTIOS = affected(versions=">=7.2.0|<7.2.5"), affected(versions="<6.4.9"), affected(versions="7.2.4", status="fixed")
NAMED = item(
    statement(
        affected=(*FORTIOS, affected("Ivanti", "Connect Secure", "<9.1")),
        sectors=("SBI:25",),
        countries=("NL",),
        observables=(address("192.0.2.1", 64500),),
    )
)


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        (
            {"software": uses(version="7.2.5")},
            "software no: Fortinet FortiOS 7.2.5 in >=7.2.0|<7.2.5, <6.4.9: 7.2.5 lies outside >=7.2.0|<7.2.5, <6.4.9",
        ),
        (
            {"software": uses(version="7.2.4")},
            "software no: Fortinet FortiOS 7.2.4 in >=7.2.0|<7.2.5, <6.4.9: called fixed: 7.2.4",
        ),
        (
            {"software": uses()},
            "software yes: Fortinet FortiOS in >=7.2.0|<7.2.5, <6.4.9: the profile states no version",
        ),
        (
            {"software": uses(version="6.2")},
            "software yes: Fortinet FortiOS 6.2 in <6.4.9: inside the affected versions",
        ),
        (
            {"software": uses("", version="7.2.3")},
            "software yes: FortiOS 7.2.3 in >=7.2.0|<7.2.5: inside the affected versions, by another name",
        ),
        (
            {"software": uses(version="?")},
            "software yes: Fortinet FortiOS ? in >=7.2.0|<7.2.5: cannot be compared: ? with >=7.2.0|<7.2.5",
        ),
        (
            {"software": uses("Apache", "Struts", "6.4.0")},
            "software no: Fortinet FortiOS, Ivanti Connect Secure: the profile lists Apache Struts 6.4.0",
        ),
        ({}, "software no: Fortinet FortiOS, Ivanti Connect Secure: the profile lists no software"),
        ({"sectors": ("SBI:47",)}, "sector no: SBI:25: the profile names SBI:47"),
        ({}, "sector no: SBI:25: the profile names none"),
        (
            {"sectors": ("SBI:25",), "software": uses("A", "B")},
            "sector yes: SBI:25: but products are named, and the profile lists software: that decides",
        ),
        ({"country": "BE"}, "country no: BE in NL: in none of the places that the item names"),
        ({"country": "DE", "region": "DE-BY"}, "country no: DE in NL: in none of the places that the item names"),
        ({}, "general no: names products; no software is listed: in no sector that the item names"),
        ({"networks": ("198.51.100.0/24",)}, "network no: 198.51.100.0/24: nothing that the item names lies in them"),
        (
            {"networks": ("AS64500",)},
            "network no: AS64500: somebody else holds the address itself, verified: the AS number does not count",
        ),
        ({"networks": ("192.0.2.0/24",), "verified": False}, "network no: 192.0.2.0/24 (1): not verified"),
        ({"min_urgency": "today"}, "urgency no: info >= today (its threshold): less urgent than it asks for"),
        ({"opt_out": ("advisory",)}, "opt-out no: advisory: it opted out of this"),
        (
            {"quiet": Quiet("08:00", "10:00")},
            "quiet no: 08:00-10:00 Europe/Amsterdam: an alert waits until they end",
        ),
    ],
)
def test_each_criterion_says_why(profile: dict[str, Any], said: str) -> None:
    one, holder = subscriber(1, **profile), subscriber(2, networks=("192.0.2.0/28",))
    reasons = matching(NAMED, one, holder).explain(one).reasons
    assert said in [f"{r.criterion} {'yes' if r.matched else 'no'}: {r.value}: {r.because}" for r in reasons]


def test_what_decided_a_no_comes_first() -> None:
    one = subscriber(1, software=uses(version="7.2.5"))
    assert matching(ADVISORY, one).explain(one).reasons[0].criterion == "software"


@pytest.mark.parametrize(
    ("label", "kind", "clearance", "because"),
    [
        (Label.GREEN, "company", Label.CLEAR, "TLP:GREEN: above its clearance"),
        (Label.AMBER, "company", Label.RED, "TLP:AMBER: goes only to whom it concerns by a criterion of their own"),
        (Label.RED, "company", Label.RED, "TLP:RED: its source did not consent to pass it on"),
        (Label.RED, "cert", Label.RED, "TLP:RED: needs a channel that is closed to others, and it has none"),
    ],
)
def test_a_label_says_why_it_keeps_from_whom(label: Label, kind: str, clearance: Label, because: str) -> None:
    one, certs = subscriber(1, clearance, kind=kind), Consent(classes=frozenset({"cert"}))
    said = matching(item(statement(label=label, kind="news")), one, consents={"s1": certs}).explain(one)
    first = said.reasons[0]
    assert (said.outcome, first.criterion, first.matched, first.because) == ("tlp", "clearance", False, because)


def test_who_is_not_in_the_index_cannot_be_explained() -> None:
    with pytest.raises(FilteringError):
        explain(NEWS, subscriber(9), Index(), NOW, urgency="info", consents={})


def test_an_empty_index_matches_nobody() -> None:
    found = match(item(statement(label=Label.RED)), Index(), NOW, urgency="info", consents={})
    assert not found.audience
    assert not any(found.outcomes.values())


def test_ways_out_that_are_closed() -> None:
    assert Contact("email", pgp="key").confidential
    assert not Contact("email").confidential
    assert Contact("webhook", url="https://example.nl/in").confidential
    assert not Contact("webhook", url="http://example.nl/in").confidential
    who = reader(subscriber(3, Label.AMBER, kind="cert"), True, False)
    assert (who.id, who.kind, who.concerned, who.confidential) == ("s3", "cert", True, False)


def test_the_threshold_is_held_against_what_a_reader_sees() -> None:
    """An AMBER word that it is exploited makes no alert of what says "info" to who may see the CLEAR part alone."""
    hidden = statement("s2", Label.AMBER, affected=(affected(),), exploited=True)
    what = item(statement("s1", affected=(affected(),)), hidden)
    who = [
        subscriber(number, label, software=uses(), min_urgency="this-week")
        for number, label in enumerate((Label.CLEAR, Label.AMBER), 1)
    ]
    assert outcomes(what, *who, urgency=None) == ["urgency", "deliver"]
    assert outcomes(what, *who, urgency="today") == ["deliver", "deliver"], "an analyst's word holds for everybody"
    assert outcomes(what, *who, urgency="info") == ["urgency", "urgency"]
    said = [next(r.value for r in matching(what, *who, urgency=None).explain(one).reasons if r.criterion == "urgency")
            for one in who]  # fmt: skip
    assert said == ["info >= this-week (its threshold)", "today >= this-week (its threshold)"]


def test_a_cve_record_counts_where_it_may_be_seen() -> None:
    record = statement("cve", kind="facts", cves=("CVE-2026-0002",), exploited=True)
    open_, closed = statement(), statement("s2", Label.AMBER, cves=("CVE-2026-0002",))
    who = subscriber(1, min_urgency="today"), subscriber(2, Label.AMBER, min_urgency="today", sectors=("SBI:25",))
    assert outcomes(item(open_, closed, facts=[record]), *who, urgency=None) == ["urgency", "urgency"]
    shown = item(statement(cves=("CVE-2026-0002",)), facts=[record])
    assert outcomes(shown, *who, urgency=None) == ["digest", "digest"]
