"""Bundles to drafts: what belongs together, what is known of it, and what is refused."""

import random
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Draft, Normalized, NormalizeError
from normalize.stix import drafts, new_id, sniff
from tlp import Label
from tlp.markings import STIX_ID

SOURCE = Source(id="market", name="Market party")
NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
T = "2026-03-01T06:30:00.000Z"
WHITE = "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9"


def ident(kind: str, number: int) -> str:
    return f"{kind}--00000000-0000-4000-8000-{number:012d}"


def sdo(kind: str, number: int, **more: Any) -> dict[str, Any]:
    obj = {"type": kind, "spec_version": "2.1", "id": ident(kind, number), "created": T, "modified": T, "name": kind}
    return obj | more


def sco(kind: str, number: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "spec_version": "2.1", "id": ident(kind, number)} | more


def indicator(number: int, pattern: str, **more: Any) -> dict[str, Any]:
    return sdo("indicator", number, pattern=pattern, pattern_type="stix", valid_from=T) | more


def link(number: int, source: dict[str, Any], name: str, target: dict[str, Any], **more: Any) -> dict[str, Any]:
    ends = {"source_ref": source["id"], "target_ref": target["id"]}
    return sdo("relationship", number, relationship_type=name) | ends | more


def report(number: int, *objects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return sdo("report", number, published=T, object_refs=[obj["id"] for obj in objects]) | more


def read(*objects: Any, source: Source = SOURCE, **bundle: Any) -> Normalized:
    whole = {"type": "bundle", "id": ident("bundle", 1), "objects": objects} | bundle
    return drafts(msgspec.json.encode(whole), source, NOW)


def ids(draft: Draft) -> set[str]:
    return {obj["id"] for obj in draft.objects}


def all_ids(objects: Iterable[dict[str, Any]]) -> set[str]:
    return {obj["id"] for obj in objects}


def values(draft: Draft) -> dict[str, tuple[str, str]]:
    return {o.value: (o.role, o.evidence) for o in draft.facts.observables}


def test_a_report_takes_what_it_lists_and_the_relations_among_that() -> None:
    author = sdo("identity", 1)
    malware = sdo("malware", 2, is_family=True, created_by_ref=author["id"])
    found = indicator(3, "[domain-name:value = 'Evil.Example.']")
    between = link(4, found, "indicates", malware)
    ip = sco("ipv4-addr", 5, value="198.51.100.7")
    lone = sco("ipv4-addr", 6, value="198.51.100.8")
    top = report(7, malware, found, description="Wat te doen: één patch", lang="nl", name="Actief misbruik")
    result = read(author, malware, found, between, top, ip, lone)
    first, rest = result.drafts
    assert (first.kind, first.key, first.title, first.language) == ("report", top["id"], "Actief misbruik", "nl")
    assert first.summary == "Wat te doen: één patch"
    assert ids(first) == all_ids([author, malware, found, between, top])
    assert values(first) == {"evil.example": ("unknown", "indicates")}
    assert (rest.kind, ids(rest)) == ("indicators", all_ids([ip, lone]))
    assert rest.title == "Market party: 2 observables"
    assert first.source_time == datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
    assert first.facts.tracking == (top["id"],)


def test_objects_may_belong_to_several_reports() -> None:
    shared = indicator(1, "[url:value = 'https://evil.example/a']")
    result = read(shared, report(2, shared), report(3, shared))
    assert [ids(draft) & {shared["id"]} for draft in result.drafts] == [{shared["id"]}] * 2


def test_a_campaign_takes_what_is_related_and_what_indicates_that() -> None:
    campaign, other = sdo("campaign", 1), sdo("campaign", 2)
    actor = sdo("threat-actor", 3)
    malware = sdo("malware", 4, is_family=True)
    found = indicator(5, "[file:hashes.MD5 = 'D41D8CD98F00B204E9800998ECF8427E']")
    links = [
        link(6, campaign, "uses", malware),
        link(7, found, "indicates", malware),
        link(8, campaign, "attributed-to", actor),
        link(9, other, "attributed-to", actor),
    ]
    first, second = read(campaign, other, actor, malware, found, *links).drafts
    assert ids(first) == all_ids([campaign, actor, malware, found, *links[:3]])
    assert ids(second) == all_ids([other, actor, links[3]])
    assert "d41d8cd98f00b204e9800998ecf8427e" in values(first)


def test_what_nobody_lists_goes_with_what_it_is_related_to() -> None:
    malware = sdo("malware", 1, is_family=True)
    found = [indicator(10 + n, f"[ipv4-addr:value = '198.51.100.{n}']") for n in range(5)]
    links = [link(20 + n, one, "indicates", malware) for n, one in enumerate(found)]
    (only,) = read(report(2, malware), malware, *found, *links).drafts
    assert len(only.facts.observables) == 5


def test_the_left_over_is_named_by_what_it_holds() -> None:
    malware = sdo("malware", 1, is_family=True, name="Predator", description="Spyware")
    found = [indicator(n, f"[domain-name:value='a{n}.example']") for n in (2, 3)]
    (only,) = read(malware, *found).drafts
    assert (only.kind, only.title, only.summary) == ("indicators", "Predator: 2 indicators", "Spyware")
    (dutch,) = read(*found, source=Source("nl", "Bron", language="nl")).drafts
    assert (dutch.title, dutch.language) == ("Bron: 2 indicatoren", "nl")
    (flaw,) = read(sdo("vulnerability", 4, name="CVE-2026-0001")).drafts
    assert (flaw.kind, flaw.title, flaw.facts.cves) == ("report", "CVE-2026-0001", ("CVE-2026-0001",))


@pytest.mark.parametrize("objects", [[], [sdo("identity", 1)], [sdo("location", 1, country="NL")]])
def test_nothing_to_tell_anybody_is_refused(objects: list[dict[str, Any]]) -> None:
    with pytest.raises(NormalizeError) as refused:
        read(*objects)
    assert refused.value.stage == "shape"


def test_one_bad_object_costs_only_itself() -> None:
    good = sco("url", 1, value="https://evil.example/")
    bad = [sco("ipv4-addr", 2), "x", sco("url", 3, value=""), indicator(4, "[not a pattern"), {"type": "indicator"}]
    result = read(good, *bad)
    assert [p.path for p in result.problems] == [
        "/objects/1/value", "/objects/2", "/objects/3/value", "/objects/4/pattern", "/objects/5/id",
    ]  # fmt: skip
    assert ids(result.drafts[0]) == {good["id"]}


def test_two_objects_of_one_id_are_both_reachable() -> None:
    one = indicator(1, "[ipv4-addr:value = '198.51.100.1']")
    two = indicator(1, "[ipv4-addr:value = '198.51.100.2']")
    result = read(one, two, one)
    (only,) = result.drafts
    assert set(values(only)) == {"198.51.100.1", "198.51.100.2"}
    assert [obj["pattern"][-3:-2] for obj in only.objects] == ["1", "2"]
    assert len(result.problems) == 1
    assert result.problems[0].path == "/objects/1"


def test_of_two_versions_the_latest_counts_wherever_it_stands() -> None:
    old = indicator(1, "[ipv4-addr:value = '198.51.100.1']")
    new = indicator(1, "[ipv4-addr:value = '198.51.100.2']", modified="2026-03-01T06:30:00.001Z")
    for order in ((old, new), (new, old)):
        (only,) = read(*order).drafts
        assert set(values(only)) == {"198.51.100.2"}
        assert [obj["pattern"] for obj in only.objects] == [old["pattern"], new["pattern"]]


def test_references_to_what_is_not_there_do_no_harm() -> None:
    malware = sdo("malware", 1, is_family=True, created_by_ref=ident("identity", 99))
    dangling = link(2, malware, "uses", sdo("tool", 98))
    (only,) = read(report(3, malware, sdo("tool", 97)), malware, dangling).drafts
    assert ids(only) == all_ids([malware, dangling]) | {ident("report", 3)}


@pytest.mark.parametrize(
    ("kind", "role"),
    [("command-and-control", "attacker"), ("botnet", "victim"), ("firewall", "victim"), ("x", "unknown")],
)
def test_infrastructure_says_whose_it_is(kind: str, role: str) -> None:
    ip = sco("ipv4-addr", 1, value="198.51.100.7")
    host = sdo("infrastructure", 2, infrastructure_types=[kind])
    (only,) = read(ip, host, link(3, host, "consists-of", ip)).drafts
    assert values(only) == {"198.51.100.7": (role, f"infrastructure:{kind}")}


def test_an_indicator_of_malicious_activity_convicts_with_what_it_indicates() -> None:
    malware = sdo("malware", 1, is_family=True)
    types = {"indicator_types": ["malicious-activity"]}
    found = indicator(2, "[ipv4-addr:value = '198.51.100.7']", **types)
    lone = indicator(3, "[ipv4-addr:value = '198.51.100.8']", **types)
    (only,) = read(malware, found, lone, link(4, found, "indicates", malware)).drafts
    assert values(only)["198.51.100.7"] == ("attacker", "indicates indicator-type:malicious-activity")
    assert values(only)["198.51.100.8"][0] == "unknown"


def test_a_sighting_shows_victims() -> None:
    malware, victim = sdo("malware", 1, is_family=True), sdo("identity", 2, sectors=["energy"])
    source, target = sco("ipv4-addr", 3, value="192.0.2.9"), sco("ipv4-addr", 4, value="198.51.100.7")
    traffic = sco("network-traffic", 5, protocols=["tcp"], src_ref=source["id"], dst_ref=target["id"], dst_port=443)
    seen = sdo(
        "observed-data", 6, first_observed=T, last_observed=T, number_observed=1,
        object_refs=[source["id"], target["id"], traffic["id"]],
    )  # fmt: skip
    sighting = sdo(
        "sighting", 7, sighting_of_ref=malware["id"], where_sighted_refs=[victim["id"]], observed_data_refs=[seen["id"]]
    )
    (only,) = read(malware, victim, source, target, traffic, seen, sighting).drafts
    assert values(only)["192.0.2.9"] == ("victim", "sighting:observed traffic:beacon-source")
    assert only.facts.sectors == ("STIX:energy",)
    (port,) = [o for o in only.facts.observables if o.value == "198.51.100.7"]
    assert (port.port, port.protocol, port.seen) == (443, "tcp", datetime(2026, 3, 1, 6, 30, tzinfo=UTC))


def test_sectors_and_countries_are_those_it_is_aimed_at() -> None:
    author = sdo("identity", 1, sectors=["technology"])
    target = sdo("identity", 2, sectors=["energy", "no-such-sector"])
    actor = sdo("threat-actor", 3, created_by_ref=author["id"])
    home, aim = sdo("location", 4, country="CN"), sdo("location", 5, country="nl")
    links = [link(6, actor, "targets", target), link(7, actor, "targets", aim), link(8, actor, "originates-from", home)]
    (only,) = read(author, target, actor, home, aim, *links).drafts
    assert only.facts.sectors == ("STIX:energy",)
    assert only.facts.countries == ("NL",)


@pytest.mark.parametrize(
    ("stated", "countries", "regions"),
    [
        ({"country": "NL", "administrative_area": "nl-nb", "region": "western-europe"}, (), ("NL-NB",)),
        ({"administrative_area": "BE-VLG", "country": "be"}, (), ("BE-VLG",)),
        ({"country": "NL", "administrative_area": "Noord-Brabant"}, ("NL",), ()),
        ({"country": "NL", "administrative_area": "BE-VLG"}, ("NL",), ()),
        ({"region": "western-europe"}, (), ("western-europe",)),
        ({"region": "NL"}, (), ()),
        ({"region": "the moon"}, (), ()),
    ],
)
def test_of_a_place_the_narrowest_that_it_states(
    stated: dict[str, str], countries: tuple[str, ...], regions: tuple[str, ...]
) -> None:
    actor, aim = sdo("threat-actor", 1), sdo("location", 2, **stated)
    (only,) = read(actor, aim, link(3, actor, "targets", aim)).drafts
    assert (only.facts.countries, only.facts.regions) == (countries, regions)
    (gone,) = read(actor, aim, link(3, actor, "originates-from", aim), sdo("malware", 4, is_family=True)).drafts
    assert (gone.facts.countries, gone.facts.regions) == ((), ())


def test_software_is_affected_when_a_flaw_is_named() -> None:
    product = sco(
        "software", 1, name="Connect Secure", vendor="Ivanti", version="22.7",
        cpe="cpe:2.3:a:ivanti:connect_secure:22.7:*:*:*:*:*:*:*",
    )  # fmt: skip
    flaw = sdo(
        "vulnerability",
        2,
        name="Overflow",
        external_references=[{"source_name": "cve", "external_id": "cve-2025-0282"}],
    )
    (only,) = read(product, flaw).drafts
    (affected,) = only.facts.affected
    assert (affected.vendor, affected.product, affected.versions, affected.status) == (
        "Ivanti", "Connect Secure", "22.7", "affected",
    )  # fmt: skip
    assert affected.ranges[0].constraints == (("=", "22.7"),)
    assert only.facts.cves == ("CVE-2025-0282",)
    (without,) = read(product).drafts
    assert without.facts.affected[0].status == "unknown"


@pytest.mark.parametrize(
    ("pattern", "kind", "value"),
    [
        ("[domain-name:value = '198.51.100.7']", "ipv4", "198.51.100.7"),
        ("[ipv4-addr:value = '198.51.100.0/24']", "cidr", "198.51.100.0/24"),
        ("[ipv4-addr:value ISSUBSET '198.51.100.7/32']", "ipv4", "198.51.100.7"),
        ("[ipv6-addr:value = '2001:DB8:0::1']", "ipv6", "2001:db8::1"),
        ("[url:value = 'hxxps://evil[.]example/A']", "url", "https://evil.example/A"),
        ("[email-message:from_ref.value = 'a@evil.example']", "email", "a@evil.example"),
        ("[mac-addr:value = 'AA-BB-CC-DD-EE-FF']", "mac", "aa:bb:cc:dd:ee:ff"),
        ("[network-traffic:dst_ref.value = 'evil.example']", "domain", "evil.example"),
        ("[user-account:account_login = 'jan']", "username", "jan"),
    ],
)
def test_values_from_patterns(pattern: str, kind: str, value: str) -> None:
    (only,) = read(indicator(1, pattern)).drafts
    assert [(o.type, o.value) for o in only.facts.observables] == [(kind, value)]


@pytest.mark.parametrize(
    "pattern", ["[ipv4-addr:value = '300.1.1.1.1']", "[file:name != 'a']", "[domain-name:value LIKE '%.example']"]
)
def test_what_is_no_value_gives_no_observable(pattern: str) -> None:
    (only,) = read(indicator(1, pattern)).drafts
    assert only.facts.observables == ()


def test_a_revoked_indicator_gives_no_observable_and_a_revoked_report_is_withdrawn() -> None:
    found = indicator(1, "[ipv4-addr:value = '198.51.100.7']", revoked=True)
    (only,) = read(report(2, found, revoked=True), found).drafts
    assert only.facts.observables == ()
    assert only.facts.withdrawn


def test_markings_become_tlp_2_and_travel_along() -> None:
    marked = sco("url", 1, value="https://evil.example/", object_marking_refs=[WHITE])
    (only,) = read(marked, sdo("marking-definition", 1) | {"id": WHITE, "definition": {"tlp": "white"}}).drafts
    assert only.label is Label.CLEAR
    assert ids(only) == {marked["id"], STIX_ID[Label.CLEAR]}
    assert only.objects[0]["object_marking_refs"] == [STIX_ID[Label.CLEAR]]


def test_labels_and_titles_count_and_doubts_show() -> None:
    found = sco("url", 1, value="https://evil.example/")
    (only,) = read(report(2, found, name="TLP:AMBER+STRICT incident", labels=["tlp:green"]), found).drafts
    assert only.label is Label.AMBER_STRICT
    (doubt,) = read(
        sco("url", 1, value="https://evil.example/", object_marking_refs=[ident("marking-definition", 9)])
    ).drafts
    assert (doubt.label, doubt.doubts) == (None, ("unknown-marking",))


def test_stix_20_reads_as_21() -> None:
    old = {
        "type": "indicator", "id": ident("indicator", 1), "created": T, "modified": T, "labels": ["compromised"],
        "pattern": f"[ipv4-addr:value = '192.0.2.1'] START '{T}' STOP '{T}'", "valid_from": T,
    }  # fmt: skip
    seen = {
        "type": "observed-data", "id": ident("observed-data", 2), "created": T, "modified": T, "first_observed": T,
        "last_observed": T, "number_observed": 1,
        "objects": {
            "0": {"type": "domain-name", "value": "a.example", "resolves_to_refs": ["1"]},
            "1": {"type": "ipv4-addr", "value": "192.0.2.2"},
            "2": {"type": "file", "name": "x", "created": T, "hashes": {}},
        },
    }  # fmt: skip
    for extra in ({"spec_version": "2.0"}, {}):
        result = read(old, seen, **extra)
        assert result.problems == ()
        (only,) = result.drafts
        by_type = {obj["type"]: obj for obj in only.objects}
        assert all(obj["spec_version"] == "2.1" for obj in only.objects)
        assert by_type["indicator"]["indicator_types"] == ["compromised"]
        assert "labels" not in by_type["indicator"]
        assert by_type["domain-name"]["resolves_to_refs"] == [by_type["ipv4-addr"]["id"]]
        assert by_type["file"]["ctime"] == T
        assert set(by_type["observed-data"]["object_refs"]) == {
            by_type[kind]["id"] for kind in ("domain-name", "ipv4-addr", "file")
        }
        assert values(only)["192.0.2.1"] == ("victim", "indicator-type:compromised")
    assert read(old, seen) == read(old, seen)


def test_bare_objects_lists_and_envelopes() -> None:
    found = indicator(1, "[ipv4-addr:value = '198.51.100.7']")
    for whole in (found, [found], {"objects": [found], "more": False}, [{"type": "bundle", "objects": [found]}]):
        (only,) = drafts(msgspec.json.encode(whole), SOURCE, NOW).drafts
        assert ids(only) == {found["id"]}


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"a":NaN}', b"\xff\xfe", b"[" * 100_000, b'{"type":"bundle","objects":{}}', b"3"]
)
def test_what_is_no_bundle_is_refused(body: bytes) -> None:
    with pytest.raises(NormalizeError):
        drafts(body, SOURCE, NOW)


def test_overlap_without_end_is_refused() -> None:
    shared = [sco("url", n, value=f"https://evil.example/{n}") for n in range(3000)]
    times = {"first_observed": T, "last_observed": T, "number_observed": 1}
    seen = sdo("observed-data", 1, object_refs=[obj["id"] for obj in shared]) | times
    reports = [report(n, seen) for n in range(1000)]
    with pytest.raises(NormalizeError, match="overlap"):
        read(*shared, seen, *reports)


def test_our_ids_are_stable_and_never_collide_by_joining() -> None:
    assert new_id("report", "a", "b") == new_id("report", "a", "b")
    assert new_id("report", "a", "b") != new_id("report", "ab")
    assert new_id("report", "a") != new_id("note", "a")


def test_sniff() -> None:
    assert sniff(b'{"type": "bundle"')
    assert not sniff(b'{"document": {}}')


@given(st.randoms(use_true_random=False))
def test_order_in_the_bundle_changes_no_membership(shuffle: random.Random) -> None:
    malware = sdo("malware", 1, is_family=True)
    found = indicator(2, "[ipv4-addr:value = '198.51.100.7']")
    campaign, lone = sdo("campaign", 3), sco("url", 4, value="https://evil.example/")
    objects = [
        malware, found, campaign, lone, report(5, malware), link(6, found, "indicates", malware),
        link(7, campaign, "uses", malware),
    ]  # fmt: skip
    expected = {draft.key: ids(draft) for draft in read(*objects).drafts}
    shuffle.shuffle(objects)
    assert {draft.key: ids(draft) for draft in read(*objects).drafts} == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "id", "value", "a"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.data())
def test_objects_with_anything_in_them_are_read_or_refused(data: st.DataObject) -> None:
    """Properties of real objects are replaced at random; nothing but a refusal may come of it."""
    objects = [
        report(1, sdo("malware", 2)), sdo("malware", 2, is_family=True),
        indicator(3, "[ipv4-addr:value = '192.0.2.1']"),
        sco("network-traffic", 4, protocols=["tcp"], src_ref=ident("ipv4-addr", 5)),
        sco("ipv4-addr", 5, value="192.0.2.2"),
        sdo("sighting", 6, sighting_of_ref=ident("malware", 2)), sdo("identity", 7, sectors=["energy"]),
        sdo("location", 8, country="NL"), sco("software", 9, name="x", cpe="cpe:2.3:a:x:y:1:*:*:*:*:*:*:*"),
        sdo("infrastructure", 10, infrastructure_types=["botnet"]), sco("file", 11, hashes={"MD5": "0" * 32}),
        sdo("infrastructure", 12, infrastructure_types=["botnet"]),
        sco("email-message", 13, is_multipart=False, to_refs=[]),
        link(14, sdo("infrastructure", 10), "consists-of", sco("ipv4-addr", 5)),
        sdo("vulnerability", 15, external_references=[{"source_name": "cve", "external_id": "CVE-2026-0001"}]),
    ]  # fmt: skip
    for _ in range(data.draw(st.integers(1, 4))):
        obj = data.draw(st.sampled_from(objects))
        name = data.draw(
            st.sampled_from(sorted(obj)) | st.sampled_from(["labels", "revoked", "x_a", "belongs_to_refs"])
        )
        obj[name] = data.draw(JSON)
    try:
        result = read(*objects)
    except NormalizeError:
        return
    assert result.drafts


@pytest.mark.corpus
def test_every_bundle_of_the_corpus_becomes_drafts_or_an_agreeable_refusal(corpus: Path) -> None:
    refused = {}
    count = 0
    for path in sorted((corpus / "stix21").rglob("*")):
        if path.suffix not in (".json", ".stix2") or "json-schema" in path.parts or "taxii" in path.parts:
            continue
        try:
            result = drafts(path.read_bytes(), SOURCE, NOW)
        except NormalizeError as error:
            refused[path.name] = error.reason
            continue
        count += 1
        inside = {identifier for draft in result.drafts for identifier in ids(draft)}
        document = msgspec.json.decode(path.read_bytes())
        whole = all_ids(document.get("objects", [document]) if isinstance(document, dict) else document)
        lost = {lost.partition("--")[0] for lost in whole - inside}
        assert len(result.problems) >= len(whole - inside) or lost <= {"identity", "location", "marking-definition"}
    nobody = "only identities, markings or relations: no threat"
    assert refused == {
        "victim-targeting-sector.json": nobody,
        "identity.json": nobody,
        "identity_custom.json": nobody,
        "identity_warning.json": nobody,
        "invalid_braces.json": "not valid JSON",
        "invalid_timestamp.json": "nothing in it can be used (modified before it was created)",
    }
    assert count == 27
