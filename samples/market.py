# ruff: noqa: E501 - prose and tables are data here
"""Bundles of an invented market source, "Zeearend Threat Intel": STIX 2.1 with victims' data, as such parties send it.

Persons, firms and groups do not exist; telephone numbers are libphonenumber's examples; NL91ABNA0417164300 and
111222333 are the well-known test numbers that pass their checks.
"""

import hashlib
import json
from typing import Any
from uuid import UUID, uuid5

Object = dict[str, Any]
SCO = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1 2.9, deterministic identifiers
TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
RED = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
GREEN_1 = "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"
HOUSE_RULE = "marking-definition--7c0a9a0e-3f52-4d0f-9a51-6f4e2b7d1c88"
"""A marking of the party's own that no bundle explains."""


def _uuid(name: str) -> UUID:
    return UUID(bytes=hashlib.sha256(f"sample/{name}".encode()).digest()[:16], version=4)


def _tlp(label: str, identifier: str) -> Object:
    return {
        "type": "marking-definition", "spec_version": "2.1", "id": identifier,
        "created": "2022-10-01T00:00:00.000Z", "name": f"TLP:{label.upper()}",
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": label}},
    }  # fmt: skip


def sdo(kind: str, key: str, at: str, /, **properties: Any) -> Object:
    """An object with id and times; `key` makes the id."""
    return {
        "type": kind, "spec_version": "2.1", "id": f"{kind}--{_uuid(kind + key)}", "created": at, "modified": at,
    } | properties  # fmt: skip


def sco(kind: str, contributing: Object, **more: Any) -> Object:
    """A cyber-observable: its id is the UUIDv5 of what identifies it."""
    canonical = json.dumps(contributing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(SCO, canonical)}"} | contributing | more


def link(kind: str, source: Object, target: Object, at: str) -> Object:
    """A relationship."""
    return sdo(
        "relationship", kind + source["id"] + target["id"], at,
        relationship_type=kind, source_ref=source["id"], target_ref=target["id"],
    )  # fmt: skip


def indicator(name: str, pattern: str, at: str, **more: Any) -> Object:
    """An indicator of malicious activity."""
    return sdo(
        "indicator", pattern, at, name=name, pattern=pattern, pattern_type="stix", valid_from=at,
        indicator_types=["malicious-activity"], **more,
    )  # fmt: skip


def vulnerability(cve: str, at: str) -> Object:
    """A vulnerability by its CVE."""
    return sdo("vulnerability", cve, at, name=cve, external_references=[{"source_name": "cve", "external_id": cve}])


def bundle(name: str, objects: list[Object]) -> Object:
    """A STIX 2.1 bundle."""
    return {"type": "bundle", "id": f"bundle--{_uuid('bundle' + name)}", "objects": objects}


def _marked(objects: list[Object], marking: str, author: Object) -> list[Object]:
    """Every object carries the marking; those that can, name who made them."""
    return [
        made | {"object_marking_refs": [marking]} | ({"created_by_ref": author["id"]} if "created" in made else {})
        for made in objects
    ]


def _author() -> Object:
    at = "2024-09-02T08:00:00.000Z"
    return sdo("identity", "zeearend", at, name="Zeearend Threat Intel B.V.", identity_class="organization")


def extortion() -> Object:
    """Tuesday: a gang at metal firms through CVE-2024-55591; the NCSC's advisory names the same CVE. AMBER."""
    at = "2026-03-03T10:02:11.000Z"
    author = _author()
    person = sdo(
        "identity", "truus", at, name="Truus Voorbeeld", identity_class="individual",
        roles=["financieel administrateur"], contact_information="t.voorbeeld@kempenhof.example, 06-12345678",
    )  # fmt: skip
    firm = sdo(
        "identity", "kempenhof", at, name="Verspaning Kempenhof B.V.", identity_class="organization",
        sectors=["manufacturing"], contact_information="010-1234567",
    )  # fmt: skip
    actor = sdo("threat-actor", "zoutridder", at, name="ZOUTRIDDER", threat_actor_types=["crime-syndicate"],
                description="Gijzelgroep die vooral maakbedrijven in de Benelux treft.")  # fmt: skip
    malware = sdo("malware", "zoutvat", at, name="ZOUTVAT", malware_types=["ransomware"], is_family=True)
    control = sdo("infrastructure", "zoutvat-c2", at, name="ZOUTVAT C2", infrastructure_types=["command-and-control"])
    flaw = vulnerability("CVE-2024-55591", at)
    c2 = sco("ipv4-addr", {"value": "198.51.100.230"})
    c2_name = sco("domain-name", {"value": "bijwerken-portaal.example"})
    victim = sco("ipv4-addr", {"value": "192.0.2.85"})
    mailbox = sco("email-addr", {"value": "t.voorbeeld@kempenhof.example"}, display_name="Truus Voorbeeld")
    account = sco(
        "user-account", {"account_type": "windows-domain", "user_id": "S-1-5-21-1004", "account_login": "t.voorbeeld"},
        credential="Welkom2026!", display_name="Truus Voorbeeld",
    )  # fmt: skip
    traffic = sco(
        "network-traffic",
        {"src_ref": victim["id"], "dst_ref": c2["id"], "dst_port": 443, "protocols": ["tcp", "https"]},
    )
    file = sco(
        "file", {"hashes": {"SHA-256": "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"}},
        name="factuur.exe",
    )  # fmt: skip
    seen = sdo(
        "observed-data", "beacon", at, first_observed="2026-03-01T22:10:00Z", last_observed="2026-03-02T03:45:00Z",
        number_observed=17, object_refs=[victim["id"], c2["id"], traffic["id"], account["id"]],
    )  # fmt: skip
    marks = [
        indicator("ZOUTVAT C2", "[ipv4-addr:value = '198.51.100.230']", at),
        indicator("ZOUTVAT C2-domein", "[domain-name:value = 'bijwerken-portaal.example']", at),
        indicator("ZOUTVAT", f"[file:hashes.'SHA-256' = '{file['hashes']['SHA-256']}']", at),
        indicator(
            "Verkeer van slachtoffer naar C2",
            "[network-traffic:src_ref.value = '192.0.2.85' AND network-traffic:dst_ref.value = '198.51.100.230']", at,
        ),
        indicator("Verzonden aan", "[email-message:to_refs[*].value = 't.voorbeeld@kempenhof.example']", at),
    ]  # fmt: skip
    sighting = sdo(
        "sighting", "kempenhof-c2", at, sighting_of_ref=marks[0]["id"], where_sighted_refs=[firm["id"]],
        observed_data_refs=[seen["id"]], count=17, first_seen="2026-03-01T22:10:00Z", last_seen="2026-03-02T03:45:00Z",
    )  # fmt: skip
    advice = sdo(
        "course-of-action", "beheer-dicht", at, name="Sluit de beheerinterface af",
        description="Maak de beheerinterface van FortiOS onbereikbaar vanaf internet en werk bij naar 7.0.17 of later.",
    )  # fmt: skip
    links = [
        link("uses", actor, malware, at), link("targets", actor, firm, at), link("exploits", malware, flaw, at),
        link("beacons-to", malware, control, at), link("consists-of", control, c2, at),
        link("consists-of", control, c2_name, at), *(link("indicates", mark, malware, at) for mark in marks[:3]),
        link("related-to", person, firm, at), link("mitigates", advice, flaw, at),
    ]  # fmt: skip
    content = [person, firm, actor, malware, control, flaw, c2, c2_name, victim, mailbox, account, traffic, file, seen,
               *marks, sighting, advice, *links]  # fmt: skip
    report = sdo(
        "report", "zoutridder", at, published=at, report_types=["campaign", "threat-report"],
        name="ZOUTRIDDER breekt in bij maakbedrijven via de beheerinterface van FortiOS",
        description=(
            "Sinds eind februari breekt ZOUTRIDDER in via CVE-2024-55591. Bij een verspaningsbedrijf in Brabant begon het met "
            "het account van Truus Voorbeeld (t.voorbeeld@kempenhof.example, 06-12345678, BSN 111222333). Losgeld moest "
            "worden betaald op NL91 ABNA 0417 1643 00. Het getroffen systeem was 192[.]0[.]2[.]85."
        ),
        object_refs=[one["id"] for one in content],
    )  # fmt: skip
    broken = {"type": "indicator", "spec_version": "2.1", "id": "indicator--geen-uuid", "created": "gisteren",
              "pattern": "[ipv4-addr:value = ", "pattern_type": "stix", "name": "Truus Voorbeeld"}  # fmt: skip
    return bundle("extortion", [_tlp("amber", AMBER), *_marked([author, report, *content], AMBER, author), broken])


def investigation() -> Object:
    """Wednesday: about the CVEs of the NCSC's NetScaler advisory, RED: for named recipients only."""
    at = "2026-03-04T16:44:00.000Z"
    author = _author()
    flaws = [vulnerability("CVE-2023-4966", at), vulnerability("CVE-2023-4967", at)]
    c2 = indicator("Uitvoer van sessies", "[ipv4-addr:value = '203.0.113.77']", at)
    report = sdo(
        "report", "netscaler-red", at, published=at, report_types=["threat-report"],
        name="Lopend onderzoek: overgenomen NetScaler-sessies bij logistieke bedrijven",
        description="Niet delen. Gegevens uit een lopend onderzoek naar overgenomen sessies bij drie logistieke bedrijven.",
        object_refs=[c2["id"], *(flaw["id"] for flaw in flaws)],
    )  # fmt: skip
    return bundle("investigation", [_tlp("red", RED), *_marked([author, report, *flaws, c2], RED, author)])


def helpdesk() -> Object:
    """Thursday: a report under a marking that nobody explains: an analyst has to look first."""
    at = "2026-03-05T09:12:30.000Z"
    author = _author()
    technique = sdo("attack-pattern", "vishing", at, name="Phishing for Information: Spearphishing Voice",
                    external_references=[{"source_name": "mitre-attack", "external_id": "T1598.004"}])  # fmt: skip
    sector = sdo("identity", "logistiek", at, name="Transport en logistiek", identity_class="class",
                 sectors=["transportation"])  # fmt: skip
    report = sdo(
        "report", "helpdesk", at, published=at, report_types=["attack-pattern"],
        name="Nagespeelde helpdesk belt planners van transportbedrijven",
        description="Bellers doen zich voor als de eigen helpdesk en laten planners een beheerprogramma installeren.",
        object_refs=[technique["id"], sector["id"]],
    )  # fmt: skip
    return bundle("helpdesk", _marked([author, report, technique, sector], HOUSE_RULE, author))


def phishing() -> Object:
    """Friday: indicators as STIX 2.0 (still common), GREEN by a TLP 1.0 marking; one address is a subscriber's own."""
    at = "2026-03-06T11:00:00.000Z"
    green = {"type": "marking-definition", "id": GREEN_1, "created": "2017-01-20T00:00:00.000Z",
             "definition_type": "tlp", "definition": {"tlp": "green"}}  # fmt: skip
    author = _author()
    patterns = [
        *(f"[domain-name:value = '{name}.example']" for name in
          ("kvk-inloggen", "mijn-kvk-controle", "belasting-teruggave", "pakket-volgen-nu", "bankcheck-veilig")),
        "[url:value = 'https://kvk-inloggen.example/sessie']",
        "[ipv4-addr:value = '198.51.100.231']",
        "[ipv4-addr:value = '192.0.2.23']",
        "[file:hashes.MD5 = '9e107d9d372bb6826bd81d3542a419d6']",
    ]  # fmt: skip
    objects = [author] + [
        sdo("indicator", pattern, at, name="Valse KVK-mails", pattern=pattern, labels=["malicious-activity"],
            valid_from=at, created_by_ref=author["id"]) for pattern in patterns
    ]  # fmt: skip
    new = ("spec_version", "pattern_type", "indicator_types")
    old = [{key: value for key, value in one.items() if key not in new} for one in objects]
    return {"type": "bundle", "id": f"bundle--{_uuid('bundlephishing')}", "spec_version": "2.0",
            "objects": [green, *(one | {"object_marking_refs": [GREEN_1]} for one in old)]}  # fmt: skip


WEEK = {
    "2-tuesday": ("zeearend-2026-0117.json", extortion),
    "3-wednesday": ("zeearend-2026-0118.json", investigation),
    "4-thursday": ("zeearend-2026-0119.json", helpdesk),
    "5-friday": ("zeearend-2026-0120.json", phishing),
}
