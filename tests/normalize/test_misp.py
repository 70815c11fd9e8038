# ruff: noqa: E501 - tables of events
"""MISP events: one draft each, whatever wraps them; nothing of persons; what is looked for; the strictest label."""

import importlib.resources
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Draft, Normalized, NormalizeError, identity, misp
from normalize.misp_context import of_tags
from normalize.misp_objects import observed, pattern
from normalize.misp_types import PERSONAL_OBJECTS, SECTIONS, WAYS
from normalize.patterns import pattern_values
from normalize.shape import admit
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SOURCE = Source("market", "Market party")
PUBLIC = Source("circl", "CIRCL", tlp=Label.CLEAR, public=True)
UUID = "5be1e65d-8198-497b-bdf5-5ec20a016219"
OTHER = "a3bc1af1-e021-4685-9dd1-68013abef4d9"
SHA256 = "ab" * 32
MD5 = "cd" * 16
EMPTY_MD5 = "d41d8cd98f00b204e9800998ecf8427e"
Json = dict[str, Any]


def attribute(kind: str, value: Any, **more: Any) -> Json:
    return {
        "type": kind,
        "value": value,
        "category": "Network activity",
        "to_ids": False,
        "timestamp": "1772400000",
    } | more


def event(*attributes: Json, **more: Any) -> Json:
    return {"uuid": UUID, "info": "Zoutvat bij metaalbedrijven", "date": "2026-03-01", "timestamp": "1772400000",
            "published": True, "distribution": "3", "Orgc": {"name": "CERT Voorbeeld"}, "Attribute": list(attributes)} | more  # fmt: skip


def read(document: Any, source: Source = SOURCE) -> Normalized:
    return misp.drafts(json.dumps(document).encode(), source, NOW)


def one(*attributes: Json, source: Source = SOURCE, **more: Any) -> Draft:
    """The event as a whole."""
    (draft,) = (each for each in read(event(*attributes, **more), source).drafts if each.layer is None)
    return draft


def of_type(draft: Draft, kind: str) -> list[Json]:
    return [obj for obj in draft.objects if obj["type"] == kind]


def seen(draft: Draft) -> dict[str, tuple[str, str, str]]:
    return {o.value: (o.type, o.role, o.evidence) for o in draft.facts.observables}


def tagged(*names: str) -> dict[str, list[Json]]:
    return {"Tag": [{"name": name} for name in names]}


DOMAIN = attribute("domain", "kwaad.example")


# -- what wraps an event -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrapped",
    [
        event(DOMAIN), {"Event": event(DOMAIN)}, [event(DOMAIN)], [{"Event": event(DOMAIN)}],
        {"response": [{"Event": event(DOMAIN)}]}, {"response": {"Event": event(DOMAIN)}}, {"response": [event(DOMAIN)]},
    ],
)  # fmt: skip
def test_an_event_is_one_draft_however_it_is_wrapped(wrapped: Any) -> None:
    (draft,) = read(wrapped).drafts
    assert (draft.key, draft.title, draft.kind) == (UUID, "Zoutvat bij metaalbedrijven", "indicators")
    assert seen(draft) == {"kwaad.example": ("domain", "unknown", "")}
    assert draft.source_time == datetime.fromtimestamp(1772400000, UTC)


def test_a_bad_event_costs_itself_alone() -> None:
    empty, odd = event(uuid=OTHER), {"response": 7}
    found = read([event(DOMAIN), {"Event": empty}, odd, "x", {"Feed": {}}])
    assert [draft.key for draft in found.drafts] == [UUID]
    assert [(problem.reason.split(":")[0], problem.path) for problem in found.problems] == [
        ("an object was expected", "/2/response"),
        ("an object was expected", "/3"),
        ("not a MISP event", "/4"),
        ("an event that says nothing", "/1/Event"),
    ]


def test_nothing_but_what_cannot_be_read_is_refused() -> None:
    for document, path in ((event(), ""), ({"response": []}, ""), ({"response": [event(deleted="1")]}, "/response/0")):
        with pytest.raises(NormalizeError) as refused:
            read(document)
        assert refused.value.path == path


def test_attributes_that_cannot_be_read_are_told_by_place_and_never_quoted() -> None:
    found = read(event(
        DOMAIN, attribute("ip-dst", "geheim 999"), attribute("md5", "geheim"), attribute("nieuw-type", "geheim"),
        {"type": "domain"}, attribute("vulnerability", "geheim"), attribute("stix2-pattern", "[geheim"),
        attribute("ip-dst|port", "192.0.2.1|99999"), attribute("cpe", "geheim"), attribute("AS", "geheim"), 7,
    ))  # fmt: skip
    assert [problem.path for problem in found.problems] == [
        "/Attribute/1/value", "/Attribute/2/value", "/Attribute/3", "/Attribute/4", "/Attribute/5/value",
        "/Attribute/6/value", "/Attribute/7/value", "/Attribute/8/value", "/Attribute/9/value", "/Attribute/10",
    ]  # fmt: skip
    assert "geheim" not in str(found)


# -- attributes --------------------------------------------------------------------------------------------------------


def test_the_table_knows_every_type_that_pymisp_knows() -> None:
    described = json.loads(importlib.resources.files("pymisp").joinpath("data/describeTypes.json").read_text())
    assert set(WAYS) == set(described["result"]["types"])


def test_the_templates_that_are_left_out_exist() -> None:
    templates = importlib.resources.files("pymisp").joinpath("data/misp-objects/objects")
    names = {folder.name for folder in templates.iterdir()}
    assert names >= PERSONAL_OBJECTS | SECTIONS


@pytest.mark.parametrize(
    ("kind", "value", "types", "found"),
    [
        ("md5", MD5.upper(), ["file"], f"[file:hashes.MD5 = '{MD5}']"),
        ("filename|sha256", f"a'b\\c.exe|{SHA256}", ["file"], f"[file:hashes.'SHA-256' = '{SHA256}']"),
        ("filename", "factuur's.exe", ["file"], r"[file:name = 'factuur\'s.exe']"),
        ("malware-sample", f"x.exe|{MD5}", ["file"], f"[file:hashes.MD5 = '{MD5}']"),
        ("ip-dst", "203.0.113.7", ["ipv4-addr"], "[ipv4-addr:value = '203.0.113.7']"),
        ("ip-src", "2001:DB8::/32", ["ipv6-addr"], "[ipv6-addr:value = '2001:db8::/32']"),
        ("domain", "203.0.113.7", ["ipv4-addr"], "[ipv4-addr:value = '203.0.113.7']"),
        ("hostname", "WWW.Kwaad.example.", ["domain-name"], "[domain-name:value = 'www.kwaad.example']"),
        ("url", "hxxp://kwaad[.]example/a", ["url"], "[url:value = 'http://kwaad.example/a']"),
        (
            "ip-dst|port", "203.0.113.7|443", ["network-traffic", "ipv4-addr"],
            "[network-traffic:dst_ref.value = '203.0.113.7' AND network-traffic:dst_port = 443]",
        ),
        ("domain|ip", "kwaad.example|203.0.113.7", ["domain-name", "ipv4-addr"], "[domain-name:value = 'kwaad.example']"),
        ("AS", "AS64500", ["autonomous-system"], "[autonomous-system:number = 64500]"),
        ("email-src", "van@kwaad.example", ["email-addr"], "[email-addr:value = 'van@kwaad.example']"),
        ("email-subject", "Uw factuur", ["email-message"], "[email-message:subject = 'Uw factuur']"),
        ("regkey|value", "HKLM\\Run|x.exe", ["windows-registry-key"], r"[windows-registry-key:key = 'HKLM\\Run']"),
        ("mutex", "slot", ["mutex"], "[mutex:name = 'slot']"),
        ("mac-address", "00-00-5E-00-53-01", ["mac-addr"], "[mac-addr:value = '00:00:5e:00:53:01']"),
        ("cpe", "cpe:2.3:a:fortinet:fortios:7.2.3:*:*:*:*:*:*:*", ["software"], None),
    ],
)  # fmt: skip
def test_a_value_is_an_observable_with_a_pattern(kind: str, value: str, types: list[str], found: str | None) -> None:
    made = observed(WAYS[kind], value)
    assert [obj["type"] for obj in made] == types
    text = pattern(made[0], {obj["id"]: obj for obj in made})
    assert text == found
    assert text is None or pattern_values(text)
    for obj in made:
        plain = {name: content for name, content in obj.items() if name != "id"}
        assert stix2.parse(plain, allow_custom=True)["id"] == obj["id"], "the id that STIX 2.1 makes of the value"


def test_what_is_to_be_looked_for_is_an_indicator_and_an_attackers() -> None:
    draft = one(attribute("ip-dst", "203.0.113.7", to_ids=True, uuid=OTHER, comment="C2"), DOMAIN)
    (indicator,) = of_type(draft, "indicator")
    assert indicator["pattern"] == "[ipv4-addr:value = '203.0.113.7']"
    assert (indicator["description"], indicator["valid_from"]) == ("C2", "2026-03-01T21:20:00.000Z")
    assert seen(draft)["203.0.113.7"][:2] == ("ipv4", "attacker")
    assert "misp:to-ids" in seen(draft)["203.0.113.7"][2].split()
    assert seen(draft)["kwaad.example"] == ("domain", "unknown", "")


@pytest.mark.parametrize("flag", [True, 1, "1"])
def test_to_ids_false_throughout_loses_no_value(flag: Any) -> None:
    told = [attribute("ip-dst", "203.0.113.7"), attribute("sha256", SHA256), attribute("user-agent", "Zoutvat/1")]
    silent = one(*told)
    loud = one(*(each | {"to_ids": flag} for each in told))
    assert set(seen(silent)) == set(seen(loud)) == {"203.0.113.7", SHA256, "Zoutvat/1"}
    assert of_type(silent, "indicator") == []
    assert len(of_type(loud, "indicator")) == 2


@pytest.mark.parametrize(
    ("kind", "value", "evidence"),
    [
        ("target-email", "slachtoffer@bedrijf.example", "victim:target-email"),
        ("email-dst", "slachtoffer@bedrijf.example", "email:recipient"),
        ("whois-registrant-email", "houder@bedrijf.example", "victim:whois-registrant-email"),
    ],
)
def test_values_of_victims_are_theirs_even_when_they_are_looked_for(kind: str, value: str, evidence: str) -> None:
    draft = one(attribute(kind, value, to_ids=True))
    assert seen(draft)[value][1] == "victim"
    assert evidence in seen(draft)[value][2].split()


def test_tags_and_relations_that_speak_of_a_victim_count() -> None:
    sinkholed = attribute("ip-dst", "203.0.113.7", to_ids=True, **tagged('rsit:other="sinkhole"'))
    called = {"name": "network-connection", "Attribute": [
        attribute("ip-src", "203.0.113.8", to_ids=True, object_relation="ip-src"),
        attribute("ip-dst", "203.0.113.9", to_ids=True, object_relation="ip-dst"),
    ]}  # fmt: skip
    roles = {value: role for value, (_, role, _) in seen(one(sinkholed, Object=[called])).items()}
    assert roles == {"203.0.113.7": "victim", "203.0.113.8": "victim", "203.0.113.9": "attacker"}


@pytest.mark.parametrize("kind", sorted(kind for kind, way in WAYS.items() if way == "personal"))
def test_nothing_of_persons_is_read(kind: str) -> None:
    draft = one(DOMAIN, attribute(kind, "Quirijn Zwaluwstaart", comment="Quirijn zelf", to_ids=True))
    assert "Quirijn" not in str(draft)


def test_objects_of_persons_and_their_accounts_are_not_read() -> None:
    objects = [
        {"name": name, "uuid": OTHER, "comment": "Quirijn", "Attribute": [attribute("text", "Quirijn", object_relation="text")]}
        for name in PERSONAL_OBJECTS
    ]  # fmt: skip
    assert "Quirijn" not in str(one(DOMAIN, Object=objects))


@pytest.mark.parametrize("value", ["10.1.2.3", "192.168.1.0/24", "127.0.0.1", "8.8.8.8", "fe80::1", "ff02::1"])
def test_addresses_of_everybody_are_nothing_to_alert_about_and_stay_in_the_objects(value: str) -> None:
    draft = one(attribute("ip-dst", value, to_ids=True), DOMAIN)
    assert list(seen(draft)) == ["kwaad.example"]
    assert of_type(draft, "indicator") == []
    assert [obj["value"] for kind in ("ipv4-addr", "ipv6-addr") for obj in of_type(draft, kind)] == [value]


def test_the_hash_of_nothing_finds_nothing() -> None:
    draft = one(attribute("filename|md5", f"leeg.txt|{EMPTY_MD5}", to_ids=True), DOMAIN)
    assert list(seen(draft)) == ["kwaad.example"]
    assert of_type(draft, "indicator") == []
    assert of_type(draft, "file")[0]["hashes"] == {"MD5": EMPTY_MD5}


def test_proposals_and_what_was_deleted_are_left_out() -> None:
    proposal = attribute("domain", "voorstel.example", to_ids=True)
    draft = one(
        DOMAIN | {"ShadowAttribute": [proposal]}, attribute("domain", "weg.example", deleted="1"),
        ShadowAttribute=[proposal],
        Object=[
            {"name": "domain-ip", "deleted": True, "Attribute": [attribute("domain", "weg.example")]},
            {"name": "domain-ip", "Attribute": [attribute("domain", "weg.example", deleted=True)]},
        ],
        EventReport=[{"content": "weg.example", "deleted": True}],
    )  # fmt: skip
    assert list(seen(draft)) == ["kwaad.example"]
    assert "voorstel" not in str(draft)
    assert "weg.example" not in str(draft)


def test_links_without_an_end_take_no_time() -> None:
    content = '@[tag](misp-galaxy:tool="Zout vat")Gezien ' + "@[tag](" * 200_000
    assert one(DOMAIN, EventReport=[{"content": content}]).summary.startswith("Gezien @[tag](")


# -- objects, sightings, words -----------------------------------------------------------------------------------------


def test_a_file_object_is_one_file_that_any_of_its_hashes_finds() -> None:
    inside = [
        attribute("filename", "factuur.exe", object_relation="filename"),
        attribute("md5", MD5, to_ids=True), attribute("sha256", SHA256, to_ids=True), attribute("ssdeep", "3:abc:def"),
        attribute("size-in-bytes", "7"), attribute("text", "Malicious", object_relation="state"),
        attribute("filename", "ook.exe", object_relation="filename"),
    ]  # fmt: skip
    draft = one(Object=[{"name": "file", "uuid": OTHER, "Attribute": inside}])
    first, second = of_type(draft, "file")
    assert first["hashes"] == {"MD5": MD5, "SHA-256": SHA256, "SSDEEP": "3:abc:def"}
    assert (first["name"], second["name"]) == ("factuur.exe", "ook.exe")
    (indicator,) = of_type(draft, "indicator")
    assert indicator["pattern"] == f"[file:hashes.MD5 = '{MD5}' OR file:hashes.'SHA-256' = '{SHA256}']"
    assert "Malicious" not in str(draft)


def test_what_is_said_of_one_hash_is_said_of_the_file() -> None:
    tags = tagged("tlp:red", 'misp-galaxy:malpedia="Zoutvat"', 'rsit:other="sinkhole"')
    inside = [attribute("md5", MD5, to_ids=True), attribute("sha1", "ef" * 20, distribution="0", **tags)]
    draft = one(Object=[{"name": "file", "Attribute": inside}], source=PUBLIC)
    assert (draft.label, draft.doubts) == (Label.RED, ("misp-narrower-part",))
    assert {obj["type"] for obj in draft.objects if "object_marking_refs" in obj} >= {
        "file",
        "indicator",
        "relationship",
    }
    assert {o.role for o in draft.facts.observables} == {"victim"}


def test_hashes_of_parts_of_files_are_no_files() -> None:
    section = {"name": "pe-section", "Attribute": [attribute("md5", MD5, to_ids=True)]}
    assert of_type(one(DOMAIN, Object=[section]), "file") == []


def test_references_between_objects_are_relations() -> None:
    named = {"name": "domain-ip", "uuid": OTHER, "Attribute": [attribute("domain", "kwaad.example")]}
    dropped = {"name": "file", "uuid": UUID, "Attribute": [attribute("md5", MD5)], "ObjectReference": [
        {"referenced_uuid": OTHER, "relationship_type": "Communicates With"}, {"referenced_uuid": "nergens"},
    ]}  # fmt: skip
    draft = one(Object=[dropped, named])
    (link,) = of_type(draft, "relationship")
    assert (link["source_ref"].partition("--")[0], link["relationship_type"], link["target_ref"].partition("--")[0]) == (
        "file", "communicates-with", "domain-name",
    )  # fmt: skip


def test_a_vulnerability_and_a_product_are_facts() -> None:
    scored = {"name": "vulnerability", "Attribute": [
        attribute("vulnerability", "cve-2024-55591", object_relation="id"),
        attribute("float", "9.6", object_relation="cvss-score"),
        attribute("text", "Omzeilen van aanmelding", object_relation="summary"),
        attribute("link", "https://voorbeeld.example/advies", category="External analysis"),
    ]}  # fmt: skip
    draft = one(attribute("cpe", "cpe:2.3:o:fortinet:fortios:7.0.3:*:*:*:*:*:*:*"), Object=[scored])
    assert (draft.kind, draft.facts.cves, draft.facts.cvss) == ("report", ("CVE-2024-55591",), 9.6)
    (product,) = draft.facts.affected
    assert (product.vendor, product.product, product.versions, product.status) == (
        "fortinet", "fortios", "7.0.3", "affected",
    )  # fmt: skip
    assert draft.summary == "Omzeilen van aanmelding"
    assert draft.references == ("https://voorbeeld.example/advies",)


def test_sightings_count_and_expire_and_false_positives_silence() -> None:
    def sightings(*kinds: str) -> Json:
        return {"Sighting": [{"type": kind, "date_sighting": str(1772500000 + at), "Organisation": {"name": "Geheim BV"}}
                             for at, kind in enumerate(kinds)]}  # fmt: skip

    draft = one(
        attribute("domain", "gezien.example", to_ids=True, uuid=OTHER, **sightings("0", "0", "2")),
        attribute("domain", "onterecht.example", to_ids=True, **sightings("0", "1", "1")),
    )
    (indicator,) = of_type(draft, "indicator")
    (sighting,) = of_type(draft, "sighting")
    assert sighting["sighting_of_ref"] == indicator["id"]
    assert (sighting["count"], sighting["first_seen"], sighting["last_seen"]) == (
        2, "2026-03-03T01:06:40.000Z", "2026-03-03T01:06:41.000Z",
    )  # fmt: skip
    assert indicator["valid_until"] == "2026-03-03T01:06:42.000Z"
    assert list(seen(draft)) == ["gezien.example"]
    assert {obj["value"] for obj in of_type(draft, "domain-name")} == {"gezien.example", "onterecht.example"}
    assert "Geheim" not in str(draft)


def test_when_it_was_seen() -> None:
    draft = one(
        attribute("domain", "kwaad.example", first_seen="2026-02-01T00:00:00+00:00", last_seen="2026-02-03T00:00:00Z")
    )
    (data,) = of_type(draft, "observed-data")
    assert (data["first_observed"], data["last_observed"], data["number_observed"]) == (
        "2026-02-01T00:00:00.000Z", "2026-02-03T00:00:00.000Z", 1,
    )  # fmt: skip
    assert draft.facts.observables[0].seen == datetime(2026, 2, 3, tzinfo=UTC)


def test_comments_are_notes_and_what_analysts_wrote_is_the_summary() -> None:
    draft = one(
        attribute("domain", "a.example", comment="C2 van Zoutvat"), attribute("domain", "b.example", comment="C2 van Zoutvat"),
        attribute("text", "Win32/Zoutvat.A", category="Antivirus detection", comment="detectie"),
        attribute("comment", "Zoutvat steelt wachtwoorden.", category="External analysis"),
        attribute("link", "https://voorbeeld.example/zoutvat", category="External analysis"),
        attribute("url", "https://voorbeeld.example/ook", category="External analysis"),
        attribute("link", "https://intranet.example/ticket/7", category="Internal reference"),
        EventReport=[{"name": "Verslag", "content": "Gezien bij @[attribute](5be1e65d-8198-497b-bdf5-5ec20a016219) in maart."}],
    )  # fmt: skip
    assert draft.kind == "report"
    assert draft.summary == "Gezien bij  in maart.\n\nZoutvat steelt wachtwoorden."
    assert draft.references == ("https://voorbeeld.example/zoutvat", "https://voorbeeld.example/ook")
    assert "intranet" not in str(draft)
    notes = {note["content"]: len(note["object_refs"]) for note in of_type(draft, "note")}
    assert notes == {"C2 van Zoutvat": 2, "Win32/Zoutvat.A (detectie)": 1}


def test_a_link_that_is_to_be_looked_for_is_no_reading_matter() -> None:
    draft = one(attribute("link", "https://kwaad.example/a", to_ids=True))
    assert (draft.references, list(seen(draft))) == ((), ["https://kwaad.example/a"])


def test_a_path_among_technical_values_is_a_path_for_the_guard() -> None:
    draft = one(attribute("pdb", "C:\\Users\\jan\\zoutvat.pdb"), attribute("user-agent", "Zoutvat/1.0"))
    assert [(o.type, o.detail["kind"]) for o in draft.facts.observables] == [("file", "pdb"), ("other", "user-agent")]


def test_rules_are_indicators_in_their_own_language() -> None:
    draft = one(
        attribute("yara", "rule zoutvat { condition: true }"),
        attribute("stix2-pattern", "[domain-name:value = 'k.example']"),
    )
    assert {each["pattern_type"] for each in of_type(draft, "indicator")} == {"yara", "stix"}
    assert list(seen(draft)) == ["k.example"]


# -- tags and galaxies -------------------------------------------------------------------------------------------------


def test_galaxies_are_actors_malware_techniques_sectors_and_countries() -> None:
    galaxies = [
        {"type": "sector", "GalaxyCluster": [{"value": "Energy"}, {"value": "Government, Administration"}]},
        {"type": "target-information", "GalaxyCluster": [{"type": "target-information", "value": "Netherlands"}]},
        {"type": "region", "GalaxyCluster": [{"value": "155 - Western Europe"}, {"value": "419 - Latin America and the Caribbean"}]},
        {"type": "threat-actor", "GalaxyCluster": [
            {"value": "Sofacy", "meta": {"country": ["RU"], "cfr-target-category": ["Military"]}}]},
    ]  # fmt: skip
    tags = (
        'misp-galaxy:threat-actor="Sofacy"', 'misp-galaxy:mitre-enterprise-attack-malware="XTunnel - S0117"',
        'misp-galaxy:tool="X-Agent"', 'misp-galaxy:mitre-attack-pattern="Launch Daemon - T1543.004"', 'osint:lifetime="x"',
    )  # fmt: skip
    draft = one(DOMAIN, Galaxy=galaxies, **tagged(*tags))
    assert (draft.kind, draft.facts.sectors, draft.facts.countries) == (
        "report",
        ("STIX:energy", "STIX:government"),
        ("NL",),
    )
    names = {(obj["type"], obj["name"]) for obj in draft.objects if "name" in obj}
    assert names >= {
        ("threat-actor", "Sofacy"),
        ("malware", "XTunnel"),
        ("tool", "X-Agent"),
        ("attack-pattern", "Launch Daemon"),
    }
    (technique,) = of_type(draft, "attack-pattern")
    assert technique["external_references"] == [{"source_name": "mitre-attack", "external_id": "T1543.004"}]
    assert of_type(draft, "report")[0]["labels"] == ['osint:lifetime="x"']
    assert of_type(draft, "location")[0]["country"] == "NL"
    assert draft.facts.regions == ("latin-america-caribbean", "western-europe")
    assert [each["region"] for each in of_type(draft, "location")[1:]] == list(draft.facts.regions)


def test_of_a_victim_its_sector_and_country_count_and_nothing_else() -> None:
    victim = {"name": "victim", "Attribute": [
        attribute("target-org", "Slachtoffer BV", object_relation="name"), attribute("text", "energy", object_relation="sectors"),
        attribute("text", "Netherlands", object_relation="regions"), attribute("domain", "slachtoffer.example", object_relation="domain"),
    ]}  # fmt: skip
    draft = one(DOMAIN, Object=[victim])
    assert (draft.facts.sectors, draft.facts.countries) == (("STIX:energy",), ("NL",))
    assert "lachtoffer" not in str(draft)


def test_an_indicator_indicates_what_its_own_tags_name_or_the_one_that_the_event_names() -> None:
    own = attribute("domain", "a.example", to_ids=True, **tagged('misp-galaxy:malpedia="Zoutvat"'))
    plain = attribute("domain", "b.example", to_ids=True)
    draft = one(own, plain, **tagged('misp-galaxy:threat-actor="Sofacy"'))
    by_id = {obj["id"]: obj for obj in draft.objects}
    pairs = {
        (by_id[link["source_ref"]]["pattern"], by_id[link["target_ref"]]["name"])
        for link in of_type(draft, "relationship")
    }
    assert pairs == {("[domain-name:value = 'a.example']", "Zoutvat"), ("[domain-name:value = 'b.example']", "Sofacy")}


def test_what_is_named_in_two_events_is_one_object_with_one_content() -> None:
    ours = one(DOMAIN, **tagged('misp-galaxy:threat-actor="Sofacy"'))
    theirs = one(
        DOMAIN,
        uuid=OTHER,
        Galaxy=[{"type": "threat-actor", "GalaxyCluster": [{"value": "Sofacy", "description": "x"}]}],
    )
    assert of_type(ours, "threat-actor") == of_type(theirs, "threat-actor") != []


# -- who may see it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tags", "label"),
    [
        ((), None), (("tlp:white",), Label.CLEAR), (("TLP:CLEAR",), Label.CLEAR), (("Tlp:Amber+Strict",), Label.AMBER_STRICT),
        (("tlp:green", "tlp:red", "tlp:white"), Label.RED),
        (("tlp:white", "type:OSINT"), Label.CLEAR),
    ],
)  # fmt: skip
def test_labels_are_tags_in_any_case_and_the_strictest_wins(tags: tuple[str, ...], label: Label | None) -> None:
    draft = one(DOMAIN, **tagged(*tags))
    assert (draft.label, draft.doubts) == (label, ())


def test_a_tag_that_claims_to_be_tlp_and_is_not_known_needs_a_person() -> None:
    assert one(DOMAIN, **tagged("tlp:unclear")).doubts == ("unknown-marking",)
    assert one(DOMAIN, **tagged('misp-galaxy:tool="TLPeek"')).doubts == ()


def test_the_label_of_a_part_is_the_label_of_the_whole_and_stays_with_the_part() -> None:
    draft = one(DOMAIN, attribute("domain", "b.example", to_ids=True, **tagged("tlp:red")), **tagged("tlp:green"))
    assert draft.label == Label.RED
    marked = {obj["value"]: obj["object_marking_refs"] for obj in of_type(draft, "domain-name")}
    assert marked["kwaad.example"] != marked["b.example"] == of_type(draft, "indicator")[0]["object_marking_refs"]
    assert {obj["name"] for obj in of_type(draft, "marking-definition")} == {"TLP:GREEN", "TLP:RED"}


@pytest.mark.parametrize(
    ("distribution", "private", "public"),
    [
        *((narrow, Label.AMBER_STRICT, Label.AMBER_STRICT) for narrow in ("0", 0, "4")),
        *((wider, Label.AMBER, Label.GREEN) for wider in ("1", "2")), ("3", None, None), (None, None, None),
    ],
)  # fmt: skip
def test_the_distribution_narrows_the_sources_label_and_the_tags(
    distribution: Any, private: Label | None, public: Label | None
) -> None:
    assert one(DOMAIN, distribution=distribution).label == private
    assert one(DOMAIN, distribution=distribution, source=PUBLIC).label == public
    assert one(DOMAIN, distribution=distribution, source=PUBLIC, **tagged("tlp:clear")).label == (public or Label.CLEAR)


@pytest.mark.parametrize(
    ("more", "doubt"),
    [
        ({"published": False}, "misp-unpublished"), ({"published": "0"}, "misp-unpublished"),
        ({"distribution": "4", "SharingGroup": {"name": "Geheim"}}, "misp-sharing-group"),
        ({"distribution": "0"}, "misp-organisation-only"), (tagged("PAP:RED"), "pap-limits-action"),
        (tagged("pap:amber"), "pap-limits-action"),
        ({"Attribute": [DOMAIN | {"distribution": "0"}]}, "misp-narrower-part"),
        ({"Object": [{"name": "file", "distribution": "4", "Attribute": []}]}, "misp-narrower-part"),
    ],
)  # fmt: skip
def test_why_a_person_has_to_look(more: Mapping[str, Any], doubt: str) -> None:
    assert one(**(event(DOMAIN) | more)).doubts == (doubt,)
    assert one(DOMAIN).doubts == one(DOMAIN, **tagged("PAP:GREEN")).doubts == ()


def test_how_sure_the_source_is_becomes_confidence() -> None:
    sure = of_type(one(DOMAIN, **tagged('admiralty-scale:information-credibility="2"')), "report")[0]
    unsure = of_type(one(DOMAIN, **tagged('admiralty-scale:information-credibility="6"')), "report")[0]
    assert (sure["confidence"], unsure.get("confidence")) == (70, None)


@given(st.lists(st.sampled_from(["tlp:white", "tlp:green", "TLP:AMBER", "tlp:amber+strict", "tlp:red", "x"]), max_size=4),
       st.lists(st.sampled_from(["tlp:green", "tlp:red", ""]), max_size=2), st.sampled_from(["0", "1", "3", "4", None]))  # fmt: skip
def test_never_wider_than_any_mark(event_tags: list[str], part_tags: list[str], distribution: str | None) -> None:
    parts = [attribute("domain", f"d{at}.example", **tagged(tag)) for at, tag in enumerate(part_tags) if tag]
    draft = one(DOMAIN, *parts, distribution=distribution, source=PUBLIC, **tagged(*event_tags))
    marks = [mark for tags in (event_tags, part_tags) for tag in tags if tag and (mark := of_tags([tag]).label)]
    assert all(draft.label is not None and draft.label >= mark for mark in marks)
    assert distribution not in ("0", "4") or (draft.label or Label.CLEAR) >= Label.AMBER_STRICT
    for layer in read(event(DOMAIN, *parts, distribution=distribution, **tagged(*event_tags)), PUBLIC).drafts[1:]:
        assert layer.label == layer.layer
        assert layer.label >= max(filter(None, (of_tags([tag]).label for tag in event_tags)), default=Label.CLEAR)
        for at, tag in enumerate(part_tags):
            assert (of_tags([tag] if tag else []).label or Label.CLEAR) <= layer.label or f"d{at}." not in str(layer)


# -- the same event again ----------------------------------------------------------------------------------------------


def keys(draft: Draft, source: str = "market") -> set[str]:
    return set(identity.merge_keys(draft.kind, source, draft.key, draft.title, draft.facts, draft.references))


def test_a_new_version_is_the_same_item_with_another_meaning() -> None:
    first = one(attribute("domain", "a.example", to_ids=True, uuid=OTHER))
    touched = one(attribute("domain", "a.example", to_ids=True, uuid=OTHER), timestamp="1772500000")
    grown = one(attribute("domain", "a.example", to_ids=True, uuid=OTHER), DOMAIN, timestamp="1772600000")
    assert first.key == touched.key == grown.key
    meanings = [repr((draft.facts, draft.label)) for draft in (first, touched, grown)]
    assert meanings[0] == meanings[1] != meanings[2]
    assert [obj["id"] for obj in first.objects] == [obj["id"] for obj in touched.objects]


def test_two_sources_of_one_event_share_a_key_and_no_object_ids() -> None:
    ours = one(attribute("domain", "a.example", to_ids=True, uuid=OTHER))
    theirs = one(attribute("domain", "a.example", to_ids=True, uuid=OTHER), source=PUBLIC)
    assert keys(ours) & keys(theirs, "circl") >= {f"tracking:REPORT--{UUID.upper()}"}
    assert of_type(ours, "indicator")[0]["id"] != of_type(theirs, "indicator")[0]["id"]


def test_an_event_that_extends_another_is_one_threat_with_it() -> None:
    extending = one(attribute("domain", "nieuw.example"), uuid=OTHER, extends_uuid=UUID, info="Aanvulling")
    assert keys(one(DOMAIN)) & keys(extending)
    assert not keys(one(DOMAIN)) & keys(one(attribute("domain", "nieuw.example"), uuid=OTHER, info="Aanvulling"))


def test_a_republication_with_other_uuids_is_known_by_its_values() -> None:
    told = [attribute("domain", "a.example", to_ids=True), attribute("sha256", SHA256)]
    first = one(*(each | {"uuid": UUID} for each in told))
    again = one(*(each | {"uuid": OTHER} for each in reversed(told)), uuid=OTHER, timestamp="1772900000")
    assert keys(first) & keys(again)


def test_an_event_without_a_uuid_has_a_key_all_the_same() -> None:
    nameless = [one(DOMAIN, uuid=uuid) for uuid in (None, "", "geen uuid")]
    assert len({draft.key for draft in nameless}) == 1
    assert all(draft.facts.tracking == () for draft in nameless)
    assert one(DOMAIN, uuid=None, info="Een ander").key != nameless[0].key


# -- whatever comes ----------------------------------------------------------------------------------------------------

VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.just([])
    | st.just({})
)
KINDS = st.sampled_from([*WAYS, "onbekend"]) | VALUES
ATTRIBUTES = st.fixed_dictionaries({}, optional={
    "type": KINDS, "value": VALUES | st.sampled_from([MD5, "203.0.113.7", "a|b", "kwaad.example|203.0.113.7", "x'\\"]),
    "to_ids": VALUES, "uuid": VALUES, "timestamp": VALUES, "comment": VALUES, "first_seen": VALUES, "last_seen": VALUES,
    "Tag": VALUES | st.lists(st.fixed_dictionaries({"name": VALUES}), max_size=2), "Sighting": VALUES, "deleted": VALUES,
    "object_relation": VALUES, "category": VALUES, "distribution": VALUES,
})  # fmt: skip
OBJECTS = st.fixed_dictionaries({}, optional={
    "name": st.sampled_from(["file", "pe", "person", "victim", "network-connection"]) | VALUES,
    "Attribute": st.lists(ATTRIBUTES, max_size=3) | VALUES, "ObjectReference": VALUES, "uuid": VALUES, "comment": VALUES,
})  # fmt: skip
EVENTS = st.fixed_dictionaries({"info": VALUES}, optional={
    "uuid": VALUES, "date": VALUES, "timestamp": VALUES, "published": VALUES, "distribution": VALUES, "Orgc": VALUES,
    "Attribute": st.lists(ATTRIBUTES | VALUES, max_size=4) | VALUES, "Object": st.lists(OBJECTS | VALUES, max_size=3) | VALUES,
    "Tag": VALUES, "Galaxy": VALUES, "EventReport": VALUES, "extends_uuid": VALUES, "SharingGroup": VALUES,
})  # fmt: skip


@given(EVENTS)
def test_any_event_is_valid_stix_or_refused(made: Json) -> None:
    try:
        found = read([made, event(DOMAIN, uuid=OTHER)])
    except NormalizeError:
        pytest.fail("the event that is sound went with it")
    for draft in found.drafts:
        assert sound(draft) == []


def sound(draft: Draft) -> list[Any]:
    """What the gate says of the objects, and references to what is not there."""
    problems: list[Any] = []
    assert all(admit(dict(obj), "", problems) for obj in draft.objects), problems
    ids = [obj["id"] for obj in draft.objects]
    assert len(set(ids)) == len(ids)
    refs = {
        ref
        for obj in draft.objects
        for name, value in obj.items()
        if name.endswith(("_ref", "_refs"))
        for ref in (value if isinstance(value, list) else [value])
    }
    return problems + sorted(refs - set(ids))


# -- the public corpus -------------------------------------------------------------------------------------------------

SAYS_NOTHING = {"new_misp_event.json", "search_index_result.json"}
NO_EVENTS = {"event_obj_attr_tag.json", "galaxy.json", "sharing_groups.json"}


@pytest.mark.corpus
def test_every_event_of_the_corpus_is_a_draft_of_valid_stix(corpus: Path) -> None:
    folder = corpus / "misp"
    events = [*folder.glob("eset/*.json"), *folder.glob("pymisp/*.json"), folder / "intelmq-misp_event.json"]
    refused = set()
    for path in events:
        try:
            found = misp.drafts(path.read_bytes(), SOURCE, NOW)
        except NormalizeError:
            refused.add(path.name)
            continue
        assert found.problems == ()
        for draft in found.drafts:
            assert sound(draft) == []
            for obj in draft.objects:
                stix2.parse(obj, allow_custom=True)
    assert refused == SAYS_NOTHING | NO_EVENTS
    assert len(events) - len(refused) == 23


# -- what may be seen at wider labels ----------------------------------------------------------------------------------


def by_layer(*attributes: Json, **more: Any) -> dict[Label | None, Draft]:
    return {draft.layer: draft for draft in read(event(*attributes, **more)).drafts}


def test_what_is_tagged_stricter_is_no_part_of_a_wider_layer() -> None:
    secret = attribute("domain", "geheim.example", to_ids=True, comment="alleen voor ons", **tagged("tlp:red"))
    shared = attribute("ip-dst", "198.51.100.7", **tagged("tlp:amber"))
    found = by_layer(DOMAIN, secret, shared, **tagged("tlp:green"))
    whole = found[None]
    assert (whole.label, sorted(seen(whole))) == (Label.RED, ["198.51.100.7", "geheim.example", "kwaad.example"])
    assert {layer: sorted(seen(draft)) for layer, draft in found.items() if layer} == {
        Label.GREEN: ["kwaad.example"],
        Label.AMBER: ["198.51.100.7", "kwaad.example"],
    }
    for layer, draft in found.items():
        assert draft.key == whole.key
        assert (layer is None) == ("geheim" in str(draft) and "alleen voor ons" in str(draft))
    ids = [{each["id"] for each in of_type(draft, "report")} for draft in found.values()]
    assert len(set.union(*ids)) == 3, "a cut report is no version of the whole one (STIX 2.1 3.6)"


def test_no_layer_where_the_rest_names_it_or_a_mark_is_not_understood() -> None:
    secret = attribute("domain", "geheim.example", **tagged("tlp:red"))
    green = tagged("tlp:green")
    assert set(by_layer(DOMAIN, secret, **green)) == {None, Label.GREEN}
    assert set(by_layer(DOMAIN, secret, attribute("url", "http://GEHEIM.example/x"), **green)) == {None}
    assert set(by_layer(DOMAIN, secret, **tagged("tlp:green", "cert-yy:TLP=green"))) == {None}
    assert set(by_layer(secret, **green)) == {None}, "nothing is left"
    assert by_layer(DOMAIN, secret, **tagged("tlp:red"))[None].label == Label.RED


def test_an_attribute_within_an_object_too() -> None:
    inside = [attribute("filename", "geheim.exe", object_relation="filename", **tagged("tlp:red")),
              attribute("md5", "0" * 32, object_relation="md5")]  # fmt: skip
    found = by_layer(
        DOMAIN, Object=[{"name": "file", "uuid": UUID[:-1] + "1", "Attribute": inside}], **tagged("tlp:clear")
    )
    assert set(found) == {None, Label.CLEAR}
    assert "geheim.exe" not in str(found[Label.CLEAR])
    assert "0" * 32 in seen(found[Label.CLEAR])
