"""A subscriber hands something in: it helps the others, and nobody but the hub learns who it was."""

import email
import email.policy
import json
from pathlib import Path
from typing import Any
from uuid import uuid5

import httpx
import pytest

from normalize import Affected, Draft, Facts, Observable
from normalize.anonymous import anonymous
from normalize.stix import NAMESPACE
from tests.app.instance import done, make, oktt, person
from tests.app.servers import started

FORTI = [{"vendor": "Fortinet", "product": "FortiOS", "version": "7.0.3"}]
WHO = person("zwijger", domains=["zwijgzaam.example"], networks=["198.51.100.0/24"], software=FORTI)
WHO |= {"name": "Zwijgzaam Staal B.V."}
READERS = [
    person("lezer", software=FORTI),
    person("bus", {"type": "file", "digest": ["monday", "friday"]}, {"type": "taxii"}, software=FORTI),
    person("volwassen", maturity="mature", software=FORTI, language="en"),
]
SECRETS = ("kvk-zwijger", "zwijger", "zwijgzaam", "198.51.100.", "subscriber:", "-000000000001")
"""Looked for in all that leaves, in any case. No reader's own words hold them."""
LISTED = ["vulnerability", "indicator", "indicator", "sighting", "software", "domain-name", "malware", "relationship"]
STAMP = "2026-03-01T00:00:00.000Z"
CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"


def sdo(kind: str, number: int, **more: Any) -> dict[str, Any]:
    made = {"type": kind, "spec_version": "2.1", "id": f"{kind}--00000000-0000-4000-8000-{number:012d}"}
    return made | {"created": STAMP, "modified": STAMP} | more


ME = sdo(
    "identity", 1, name="Zwijgzaam Staal", identity_class="organization", contact_information="soc@zwijgzaam.example"
)


def handed_in(label: str | None = None) -> dict[str, Any]:
    """A report with a sighting at its own place, its own addresses in patterns and values, its name in every text."""
    by: dict[str, Any] = {"created_by_ref": ME["id"]} | ({"object_marking_refs": [label]} if label else {})
    text = (
        "Bij Zwijgzaam Staal B.V. (kvk-zwijger) gezien; vraag soc@zwijgzaam.example of kijk op www.zwijgzaam.example."
    )
    indicator = {"pattern_type": "stix", "valid_from": STAMP, "indicator_types": ["malicious-activity"]} | by
    objects = [
        ME | {"object_marking_refs": [label]} if label else ME,
        sdo("report", 2, name="Aanval op ZWIJGZAAM STAAL", description=text, published=STAMP, report_types=["x"], **by)
        | {"object_refs": [f"{kind}--00000000-0000-4000-8000-{n:012d}" for n, kind in enumerate(LISTED, 3)]}
        | {"external_references": [{"source_name": "Zwijgzaam Staal", "url": "https://zwijgzaam.example/incident/7"}]},
        sdo("vulnerability", 3, name="CVE-2026-0001", description=text, **by),
        sdo("indicator", 4, name="C2", pattern="[domain-name:value = 'kwaad.example']", **indicator),
        sdo("indicator", 5, name="Ons", pattern="[domain-name:value = 'vpn.zwijgzaam.example']", **indicator),
        sdo("sighting", 6, sighting_of_ref="indicator--00000000-0000-4000-8000-000000000004",
            where_sighted_refs=[ME["id"]], description=text, **by),
        {"type": "software", "spec_version": "2.1", "id": "software--00000000-0000-4000-8000-000000000007",
         "name": "FortiOS", "vendor": "Fortinet", "version": "7.0.3"},
        {"type": "domain-name", "spec_version": "2.1", "id": "domain-name--00000000-0000-4000-8000-000000000008",
         "value": "mail.zwijgzaam.example"},
        sdo("malware", 9, name="Soort", description=text, is_family=True, **by),
        sdo("relationship", 10, relationship_type="communicates-with",
            source_ref="malware--00000000-0000-4000-8000-000000000009",
            target_ref="domain-name--00000000-0000-4000-8000-000000000008", **by),
    ]  # fmt: skip
    return {"type": "bundle", "id": "bundle--00000000-0000-4000-8000-000000000000", "objects": objects}


def advisory() -> dict[str, Any]:
    """The same firm as the publisher of a CSAF document, whose ids we make ourselves."""
    return {
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": "Zwijgzaam Staal meldt misbruik",
            "distribution": {"tlp": {"label": "WHITE"}},
            "publisher": {"category": "user", "name": "Zwijgzaam Staal BV", "namespace": "https://zwijgzaam.example/"},
            "tracking": {"id": "ZWIJGZAAM-2026-0001", "status": "final", "version": "1.0.0",
                         "initial_release_date": STAMP, "current_release_date": STAMP},
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Fortinet", "branches": [
            {"category": "product_name", "name": "FortiOS", "product": {"product_id": "P", "name": "FortiOS"}}]}]},
        "vulnerabilities": [{"cve": "CVE-2026-0002", "product_status": {"known_affected": ["P"]}}],
    }  # fmt: skip


def texts(mail: bytes) -> str:
    """All of a message as a reader sees it: headers, texts, attachments, decoded."""
    message = email.message_from_bytes(mail, policy=email.policy.default)
    parts = [part.get_payload(decode=True) or b"" for part in message.walk() if not part.is_multipart()]
    return str(message.items()) + b"\n".join(parts).decode("utf-8", "replace") + mail.decode("utf-8", "replace")


def searched(name: str, text: str) -> None:
    assert not [secret for secret in SECRETS if secret in text.lower()], name


def test_no_way_out_tells_who_handed_it_in(tmp_path: Path) -> None:
    folder = make(tmp_path / "var", people=[WHO, *READERS])
    for name, document in (("a.json", handed_in(CLEAR)), ("b.json", advisory())):
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
        assert done(folder, "ingest", tmp_path / name, "--source", "subscriber:kvk-zwijger", "--json").row["new"] == 1
    for item in ("OKTT-2026-0001", "OKTT-2026-0002"):
        done(folder, "release", item, "--by", "anna")
    assert done(folder, "dispatch", "--now", "--json").row["sent"] > 0
    done(folder, "digest", "--edition", "monday", "--date", "2026-03-02")
    done(folder, "dispatch", "--now")
    mails = {file.name: texts(file.read_bytes()) for file in sorted((folder / "outbox").glob("*.eml"))}
    to_others = {name: text for name, text in mails.items() if "zwijger@voorbeeld.example" not in text}
    assert len(to_others) >= 6
    assert any("een abonnee" in text for text in to_others.values())
    assert any("a subscriber" in text for text in to_others.values())
    for name, text in to_others.items():
        searched(name, text)
    made = done(folder, "credentials", "create", "kvk-bus", "--for", "taxii", "--json").row
    with started(folder, "serve", "--port", "0") as server, httpx.Client(base_url=server.url) as client:
        feed, metrics = client.get("/feed.atom").text, client.get("/metrics").text
        assert "CVE-2026-0001" in feed
        auth = (made["user"], made["password"])
        accept = {"Accept": "application/taxii+json;version=2.1"}
        root = client.get("/taxii2/oktt/collections/", auth=auth, headers=accept).json()
        served = ""
        for collection in root["collections"]:
            path = f"/taxii2/oktt/collections/{collection['id']}/objects/"
            served += client.get(path, auth=auth, headers=accept).text
    assert "kwaad.example" in served
    assert "A subscriber" in served
    for name, text in (("feed", feed), ("metrics", metrics), ("taxii", served)):
        searched(name, text)
    guess = str(uuid5(NAMESPACE, chr(31).join(("report", "subscriber:kvk-zwijger", "ZWIJGZAAM-2026-0001"))))
    assert guess not in served, "an id that is made of who it was can be tried"


def test_the_hub_knows_and_its_rules_let_nothing_out(tmp_path: Path) -> None:
    folder = make(tmp_path / "var", people=[WHO])
    (tmp_path / "a.json").write_text(json.dumps(handed_in()), encoding="utf-8")
    done(folder, "ingest", tmp_path / "a.json", "--source", "subscriber:kvk-zwijger")
    row = done(folder, "item", "OKTT-2026-0001", "--json").row
    (said,) = row["statements"]
    assert (row["state"], row["tlp"], said["source"], said["reliability"]) == (
        "new",
        "AMBER",
        "subscriber:kvk-zwijger",
        "F",
    )
    assert said["regime"] == "wbdwb"
    (listed,) = [row for row in done(folder, "sources", "--json").rows if row["source"] == "subscriber:kvk-zwijger"]
    assert (listed["tlp"], listed["regime"], listed["documents"]) == ("AMBER", "wbdwb", 1)


@pytest.mark.parametrize("name", ["subscriber:kvk-niemand", "subscriber:"])
def test_nobody_hands_in_nothing(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "var", people=[WHO])
    (tmp_path / "a.json").write_text(json.dumps(handed_in()), encoding="utf-8")
    ran = oktt(folder, "ingest", tmp_path / "a.json", "--source", name)
    assert ran.code == 1
    assert ran.err.startswith("oktt: there is no subscriber kvk-niemand: ") or "no source of that id" in ran.err
    assert done(folder, "items", "--json").rows == []


def test_what_is_not_its_own_stays() -> None:
    objects = tuple(handed_in()["objects"])
    facts = Facts(
        tracking=("kvk-zwijger/7", "NCSC-2026-0001"),
        affected=(Affected("Fortinet", "FortiOS"),),
        observables=(
            Observable("domain", "kwaad.example", "attacker"),
            Observable("domain", "vpn.zwijgzaam.example", "victim"),
            Observable("ipv4", "198.51.100.7", "victim"),
            Observable("ipv4", "203.0.113.7", "attacker"),
            Observable("cidr", "198.51.100.128/25", "victim"),
        ),
        remedies=("Bel Zwijgzaam Staal.",),
    )
    draft = Draft("report", "k", "Zwijgzaam Staal meldt", "Bij ons.", "nl", facts, objects)
    made = anonymous(
        draft, ("Zwijgzaam Staal B.V.", "kvk-zwijger"), ("zwijgzaam.example",), ("198.51.100.0/24", "AS64500")
    )
    assert made.title == "A subscriber meldt"
    assert made.facts.tracking == ("NCSC-2026-0001",)
    assert [each.value for each in made.facts.observables] == ["kwaad.example", "203.0.113.7"]
    assert made.facts.remedies == ("Bel A subscriber.",)
    found = {each["type"]: each for each in made.objects}
    assert {each["type"] for each in made.objects} == {
        "identity", "report", "vulnerability", "indicator", "sighting", "software", "malware",
    }  # fmt: skip
    (somebody,) = [each for each in made.objects if each["type"] == "identity"]
    assert found["sighting"]["where_sighted_refs"] == [somebody["id"]]
    assert found["malware"]["created_by_ref"] == somebody["id"]
    known = {each["id"] for each in made.objects}
    assert set(found["report"]["object_refs"]) <= known
    assert anonymous(made, ("Iemand Anders BV", "kvk-ander"), (), ()).objects == made.objects, "once is enough"
