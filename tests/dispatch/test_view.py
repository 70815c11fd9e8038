"""A view holds what its reader may see, all of it, and nothing besides."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from dispatch import DispatchError, View
from dispatch.pseudonyms import EXTENSION
from dispatch.sightings import sightings
from dispatch.view import Parts, compose, fingerprint
from filtering import Explanation, Reason
from normalize import Affected, Facts, Observable
from pii_guard.disclosure import Disclosed
from tests.dispatch.items import a_permit, a_release, a_statement, an_indicator, marked, objects
from tests.dispatch.views import NOW, an_exposure
from tlp import Label, Permit
from tlp.markings import STIX_ID
from triage import Released

NAMES = {"ncsc": "NCSC", "market": "Market party", "cve": "CVE"}


def view_of(released: Released, permit: Permit | None = None, **changes: Any) -> View:
    values: dict[str, Any] = {
        "reader": "kvk-1",
        "sources": NAMES,
        "explanation": None,
        "urgency": "info",
    }
    return compose(released, permit or a_permit(released), **{**values, **changes})


def own(released: Released, *values: str) -> dict[str, Disclosed]:
    """The rows of these values, as what a reader gets of what is gated."""
    return {
        each.key: Disclosed(tuple(row for row in each.facts.observables if row.own and row.value in values))
        for each in released.item.statements
    }


def test_a_stricter_statement_neither_silences_nor_shows_through() -> None:
    secret = Facts(
        cves=("CVE-2026-0001", "CVE-2026-0666"),
        affected=(Affected("Secret", "Product"),),
        observables=(Observable("ipv4", "198.51.100.66", "attacker"),),
        remedies=("Secret remedy",),
        sectors=("SBI:66",),
        exploited=True,
        kans="high",
        cvss=9.9,
    )
    red = a_statement(
        "market", label=Label.RED, facts=secret, objects=objects(an_indicator(66)), title="Secret", summary="Secret"
    )
    both, alone = a_release(a_statement(), red), a_release(a_statement())
    assert view_of(both, a_permit(both)) == view_of(alone, a_permit(alone))


def test_all_that_is_permitted_is_in_it() -> None:
    amber = a_statement(
        "market",
        label=Label.AMBER,
        language="en",
        received_at=NOW - timedelta(days=1),
        facts=Facts(cves=("CVE-2026-0002",), exploited=True),
    )
    view = view_of(a_release(a_statement(), amber))
    assert (view.label, view.cves) == (Label.AMBER, ("CVE-2026-0001", "CVE-2026-0002"))
    assert (view.sources, view.exploited) == (("NCSC", "Market party"), True)
    assert view.statements == {"ncsc", "market"}
    assert view.references == ("https://ncsc.example/", "https://market.example/")


def test_the_title_is_the_readers_language_then_the_best_source_then_the_first() -> None:
    dutch = a_statement("ncsc")
    english = a_statement("market", language="en", received_at=NOW - timedelta(days=1))
    other = a_statement("cve", language="en", received_at=NOW - timedelta(days=2))
    released = a_release(dutch, english, other)
    assert view_of(released).title == "Title of ncsc"
    assert view_of(released, language="en").title == "Title of cve"
    assert view_of(released, language="en", grades={"market": "A"}).title == "Title of market"


def test_a_source_without_a_name_is_a_subscriber() -> None:
    view = view_of(a_release(a_statement("kvk-99")), grades={"kvk-99": "C"})
    assert (view.sources, view.grades) == (("een abonnee",), ("C",))
    assert b"kvk-99" not in msgspec.json.encode([view.sources, view.title.replace("kvk-99", "")])


def test_a_label_set_by_an_analyst_only_raises() -> None:
    found = objects(marked(an_indicator(1), Label.CLEAR), an_indicator(2))
    released = a_release(a_statement(objects=found), label=Label.AMBER)
    view = view_of(released)
    assert view.label is Label.AMBER
    assert all(o["object_marking_refs"] == [STIX_ID[Label.AMBER]] for o in view.objects[1:])
    assert view_of(a_release(a_statement(label=Label.AMBER), label=Label.CLEAR)).label is Label.AMBER


def test_cve_facts_join_only_what_the_reader_sees_of_that_cve() -> None:
    cve = a_statement("cve", kind="facts", facts=Facts(cves=("CVE-2026-0002",), cvss=9.8))
    hidden = a_statement("market", label=Label.RED, facts=Facts(cves=("CVE-2026-0002",)))
    released = a_release(a_statement(), hidden, facts=(cve,))
    assert view_of(released).cvss is None
    seen = a_release(a_statement(facts=Facts(cves=("CVE-2026-0002",))), facts=(cve,))
    assert view_of(seen).cvss == 9.8
    assert view_of(seen).sources == ("NCSC", "CVE")


def test_facts_alone_are_no_view() -> None:
    cve = a_statement("cve", kind="facts")
    released = a_release(a_statement(label=Label.RED), facts=(cve,))
    with pytest.raises(DispatchError, match="OKTT-2026-0007"):
        view_of(released)


def test_a_permit_is_for_its_reader() -> None:
    released = a_release(a_statement())
    with pytest.raises(ValueError, match="another reader"):
        view_of(released, reader="kvk-2")
    with pytest.raises(ValueError, match="another reader"):
        view_of(released, parts=Parts(a_release(a_statement())))


def test_withdrawn_is_what_every_source_of_it_withdrew() -> None:
    gone = Facts(cves=("CVE-2026-0001",), withdrawn=True)
    cve = a_statement("cve", kind="facts")
    assert view_of(a_release(a_statement(facts=gone), facts=(cve,))).withdrawn
    assert not view_of(a_release(a_statement(facts=gone), a_statement("market"))).withdrawn


def test_remedies_in_the_readers_language_if_there_are_any() -> None:
    dutch = a_statement("ncsc", facts=Facts(remedies=("Werk bij.",)))
    english = a_statement("market", language="en", facts=Facts(remedies=("Update.",)))
    released = a_release(dutch, english)
    assert view_of(released).remedies == ("Werk bij.",)
    assert view_of(released, language="en").remedies == ("Update.",)
    assert view_of(a_release(english)).remedies == ("Update.",)


def test_only_what_matched_is_why() -> None:
    reasons = (Reason("software", "x", True, because="for analysts"), Reason("sector", "y", False))
    view = view_of(a_release(a_statement()), explanation=Explanation("kvk-1", "deliver", reasons, True))
    assert view.reasons == (Reason("software", "x", True),)


def exposure(rows: int = 4) -> Released:
    found = an_exposure(rows).observables
    attacker = Observable("ipv4", "198.51.100.9", "attacker")
    facts = Facts(observables=(*found, attacker), exposure="open-rdp")
    return a_release(a_statement("market", kind="exposure", label=Label.AMBER, facts=facts))


def test_own_values_are_shown_to_their_owner_and_counted_for_others() -> None:
    released = exposure()
    mine = view_of(released, gated=own(released, "192.0.2.1", "192.0.2.3"))
    assert [o.value for o in mine.observables] == ["192.0.2.1", "192.0.2.3", "198.51.100.9"]
    assert mine.others == 2
    nobody = view_of(released)
    assert ([o.value for o in nobody.observables], nobody.others) == (["198.51.100.9"], 4)
    assert b"192.0.2" not in msgspec.json.encode(nobody)


def test_what_others_hold_stands_as_tokens_and_networks_and_never_as_an_address() -> None:
    released = exposure()
    token = Observable("token", "5f" * 16, "victim", asn=64500, detail={"of": "ipv4"}, own=True)
    network = Observable("cidr", "192.0.2.0/24", "victim", own=True)
    view = view_of(released, gated={"market": Disclosed((), (token, network))})
    assert view.veiled == (token, network)
    assert not {"5f" * 16, "192.0.2.0/24"} & {o.value for o in view.observables}
    (note,) = (obj for obj in view.objects if obj["type"] == "note")
    assert note["extensions"][EXTENSION]["pseudonyms"] == [
        {"of": "ipv4", "token": "5f" * 16, "role": "victim", "asn": 64500},
        {"network": "192.0.2.0/24", "role": "victim"},
    ]
    assert not [obj for obj in view.objects if obj["type"] == "ipv4-addr"]
    bundle = {"type": "bundle", "id": "bundle--4f527c6e-46b7-4d3f-8d0a-7f7ac1b9b1a1", "objects": list(view.objects)}
    assert len(stix2.parse(bundle).objects) == len(view.objects)
    assert fingerprint(view) != fingerprint(view_of(released))


def test_own_rows_become_stix_that_stix2_accepts() -> None:
    released = exposure()
    view = view_of(released, gated=own(released, "192.0.2.1"))
    types = [obj["type"] for obj in view.objects]
    assert sorted(types) == ["autonomous-system", "ipv4-addr", "marking-definition", "network-traffic", "observed-data"]
    for obj in view.objects:
        parsed = stix2.parse(obj, version="2.1")
        if obj["type"] in ("ipv4-addr", "autonomous-system", "network-traffic"):
            plain = {k: v for k, v in obj.items() if k not in ("id", "object_marking_refs")}
            assert stix2.parse(plain, version="2.1").id == parsed.id, "the id STIX 2.1 2.9 prescribes"
    ids = {obj["id"] for obj in view.objects}
    (observed,) = (obj for obj in view.objects if obj["type"] == "observed-data")
    assert set(observed["object_refs"]) <= ids


def test_own_rows_of_a_list_become_stix_too() -> None:
    """A mailbox in a list of leaked ones, an address among indicators: its owner's, as in a report of systems."""
    rows = (
        Observable("email", "jan@metaal.example", "victim", own=True),
        Observable("ipv4", "192.0.2.7", "victim", port=443, own=True),
        Observable("mac", "00-00-5E-00-53-A7", "victim", asn=64500, port=9, own=True),
        Observable("username", "jan", "victim", asn=64500, port=3389, own=True),
        Observable("email", "piet@elders.example", "victim", own=True),
    )
    released = a_release(a_statement("market", kind="indicators", facts=Facts(observables=rows)))
    view = view_of(released, gated=own(released, *(row.value for row in rows[:4])))
    bundle = {"type": "bundle", "id": "bundle--4f527c6e-46b7-4d3f-8d0a-7f7ac1b9b1a1", "objects": list(view.objects)}
    assert len(stix2.parse(bundle).objects) == len(view.objects)
    said = {obj["id"]: obj.get("value") or obj.get("user_id") for obj in view.objects}
    seen = [said[ref] for obj in view.objects if obj["type"] == "observed-data" for ref in obj["object_refs"]]
    assert {each for each in seen if each} == {"jan@metaal.example", "192.0.2.7", "00:00:5e:00:53:a7", "jan"}
    assert "piet" not in str(view.objects)
    traffic = [obj["dst_ref"].partition("--")[0] for obj in view.objects if obj["type"] == "network-traffic"]
    assert sorted(traffic) == ["ipv4-addr", "mac-addr"]


def test_sightings_of_two_readers_never_share_an_id() -> None:
    rows = an_exposure(2).observables
    one, two = (
        {o["id"] for o in sightings(rows, "OKTT-2026-0007", reader, NOW) if o["type"] == "observed-data"}
        for reader in ("kvk-1", "kvk-2")
    )
    assert len(one) == len(two) == 2
    assert not one & two


def test_an_infected_device_is_the_source_of_its_traffic() -> None:
    row = Observable("ipv6", "2001:db8::7", "victim", "report:event6_sinkhole_http", port=4711, own=True)
    (traffic,) = (o for o in sightings([row], "i", "r", NOW) if o["type"] == "network-traffic")
    assert "src_ref" in traffic
    assert "dst_ref" not in traffic
    assert sightings([Observable("hash", "00", own=True)], "i", "r", NOW) == []


def test_every_object_is_marked_and_its_marking_is_there() -> None:
    found = objects(marked(an_indicator(1), Label.GREEN), an_indicator(2))
    view = view_of(a_release(a_statement(label=Label.AMBER, objects=found)))
    definitions = {o["id"] for o in view.objects if o["type"] == "marking-definition"}
    used = {ref for o in view.objects for ref in o.get("object_marking_refs", ())}
    assert used == definitions == {STIX_ID[Label.GREEN], STIX_ID[Label.AMBER]}


def test_two_objects_of_one_id_and_time_that_say_different_things_both_stand() -> None:
    one, other = an_indicator(1), an_indicator(1, pattern="[domain-name:value = 'kwaad.example']")
    released = a_release(
        a_statement(objects=objects(one, other, one, an_indicator(1, modified="2026-02-01T00:00:00Z")))
    )
    patterns = [obj["pattern"] for obj in view_of(released).objects if obj["type"] == "indicator"]
    assert patterns == [one["pattern"], other["pattern"]]


def test_of_one_id_the_latest_stands() -> None:
    old = a_statement("ncsc", objects=objects(an_indicator(1)))
    new = a_statement("market", objects=objects(an_indicator(1, modified="2026-03-02T00:00:00.000Z", name="new")))
    for released in (a_release(old, new), a_release(new, old)):
        names = [o.get("name") for o in view_of(released).objects if o["type"] == "indicator"]
        assert names == ["new"]


def test_nothing_that_is_passed_in_changes() -> None:
    released = a_release(a_statement(objects=objects(an_indicator(1))), a_statement("market", label=Label.AMBER))
    parts = Parts(released)
    before = msgspec.json.encode([parts.objects, released.item.statements])
    view_of(released, parts=parts)
    view_of(released, parts=parts, language="en")
    assert msgspec.json.encode([parts.objects, released.item.statements]) == before


_label = st.sampled_from(list(Label))


@given(st.lists(_label, min_size=1, max_size=5), _label, st.none() | _label)
def test_a_view_is_never_wider_than_any_of_its_statements(
    labels: list[Label], cleared: Label, raised: Label | None
) -> None:
    statements = [
        a_statement(f"s{n}", label=label, title=f"<{n}>", objects=objects(an_indicator(n)))
        for n, label in enumerate(labels)
    ]
    released = a_release(*statements, label=raised)
    if (min(labels) > Label.CLEAR and min(labels) > cleared) or min(labels) >= Label.AMBER_STRICT:
        return
    permit = a_permit(released, cleared)
    view = view_of(released, permit, sources={})
    shown = {n for n, _ in enumerate(labels) if f"s{n}" in permit.visible}
    assert view.label >= max(labels[n] for n in shown)
    assert raised is None or view.label >= raised
    assert {o["id"] for o in view.objects if o["type"] == "indicator"} == {an_indicator(n)["id"] for n in shown}


@given(st.permutations(range(4)))
def test_order_of_statements_does_not_matter(order: list[int]) -> None:
    every = [
        a_statement(f"s{n}", received_at=NOW + timedelta(minutes=n), facts=Facts(cves=(f"CVE-2026-000{n}",)))
        for n in range(4)
    ]
    assert view_of(a_release(*(every[n] for n in order))) == view_of(a_release(*every))
