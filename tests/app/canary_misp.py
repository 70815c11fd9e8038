# ruff: noqa: E501 - tables of documents
"""MISP events with canaries: in every type of attribute that MISP has, objects of persons, and all that stands around."""

import importlib.resources
import json
from collections.abc import Iterator
from typing import Any

from tests.app.canary import Document, Planter

AT = "1772438400"
UUID = "5be1e65d-8198-497b-bdf5-5ec20a01{:04x}"
SHA1 = "0123456789abcdef0123456789abcdef0123{:04x}"
NAMES = (
    "target-user", "target-machine", "target-org", "target-location", "target-external", "whois-registrant-name",
    "whois-registrant-org", "first-name", "middle-name", "last-name", "full-name", "primary-residence", "travel-details",
    "email-dst-display-name", "email-src-display-name", "email-body", "email-header", "github-username", "twitter-id",
    "place-of-birth", "nationality", "passport-number", "identity-card-number", "cookie", "x509-subject", "text", "comment", "other",
)  # fmt: skip
"""Types in which even a bare name may not stay; in the others stands what recognisers know."""
PERSONS = (
    "person",
    "employee",
    "user-account",
    "credential",
    "victim",
    "contact-list",
    "bank-account",
    "phone",
    "telegram-account",
)
"""Object templates."""
Json = dict[str, Any]


def documents(planter: Planter) -> Iterator[Document]:
    """An event of values, one of objects, one with all that stands around them, and broken ones."""
    yield _document("misp-values.json", {"Event": _event(1, Attribute=list(_every_type(planter)))})
    yield _document("misp-objects.json", {"response": [{"Event": _event(2, Object=list(_objects(planter)))}]})
    yield _document(f"misp-{planter.user('misp file name')}.json", _around(planter))
    yield _document("misp-broken.json", list(_broken(planter)))


def _document(name: str, content: Any) -> Document:
    return Document("market", json.dumps(content, ensure_ascii=False).encode(), "misp", name)


def _event(number: int, **more: Any) -> Json:
    return {"uuid": UUID.format(number), "info": "Zoutvat bij metaalbedrijven", "date": "2026-03-02", "timestamp": AT,
            "published": True, "distribution": "3", "Orgc": {"name": "CERT Voorbeeld"}} | more  # fmt: skip


def _attribute(kind: str, value: Any, **more: Any) -> Json:
    return {"type": kind, "value": value, "category": "Payload delivery", "to_ids": True, "timestamp": AT} | more


def _every_type(planter: Planter) -> Iterator[Json]:
    described = json.loads(importlib.resources.files("pymisp").joinpath("data/describeTypes.json").read_text())
    for kind in described["result"]["types"]:
        yield _attribute(kind, _value(planter, kind), comment="gezien")


def _value(planter: Planter, kind: str) -> str:
    place = f"misp/{kind}"
    if kind in NAMES:
        return planter.name(place)
    if kind.startswith(("ip-src", "ip-dst")):
        return planter.ipv4(place) + ("|443" if kind.endswith("port") else "")
    if kind in ("domain", "hostname"):
        return f"static-{planter.ipv4(place).replace('.', '-')}.dsl.example"
    if kind == "domain|ip":
        return f"kwaad.example|{planter.ipv6(place)}"
    if kind.startswith("filename") or kind in ("pdb", "malware-sample", "attachment"):
        return f"C:\\Users\\{planter.user(place)}\\a.exe" + ("|" + SHA1.format(planter.number) if "|" in kind else "")
    if kind.startswith("regkey"):
        return f"HKCU\\Software\\{planter.email(place)}" + ("|x" if "|" in kind else "")
    if kind in ("url", "uri", "link"):
        return f"https://{planter.user(place)}:x@kwaad.example/a?m={planter.email(place)}"
    if kind == "mac-address":
        return planter.mac(place)
    if kind == "iban":
        return planter.iban(place)
    if kind in ("yara", "snort", "sigma", "suricata"):
        return f"rule a {{ meta: author = '{planter.name(place)}' contact = '{planter.email(place)}' }}"
    if kind == "stix2-pattern":
        return f"[email-addr:value = '{planter.email(place)}']"
    return planter.email(place)


def _objects(planter: Planter) -> Iterator[Json]:
    for name in PERSONS:
        place = f"misp/{name}"
        yield {"name": name, "meta-category": "misc", "comment": planter.name(f"{place}/comment"), "Attribute": [
            _attribute("text", planter.name(f"{place}/name"), object_relation="name", comment=planter.name(f"{place}/attribute comment")),
            _attribute("text", planter.secret(f"{place}/password"), object_relation="password"),
            _attribute("email", planter.email(f"{place}/email"), object_relation="email"),
            _attribute("ip-src", planter.ipv4(f"{place}/ip"), object_relation="ip"),
        ]}  # fmt: skip
    yield {"name": "network-connection", "Attribute": [
        _attribute("ip-src", planter.ipv4("misp/connection/source"), object_relation="ip-src"),
        _attribute("ip-dst", planter.ipv4("misp/connection/target"), object_relation="ip-dst"),
        _attribute("text", planter.name("misp/connection/text"), object_relation="community-id"),
    ]}  # fmt: skip
    yield {"name": "email", "comment": planter.prose("misp/email/comment"), "Attribute": [
        _attribute("email-src", planter.email("misp/email/from"), object_relation="from"),
        _attribute("email-dst", planter.email("misp/email/to"), object_relation="to"),
        _attribute("email-subject", planter.prose("misp/email/subject"), object_relation="subject"),
        _attribute("email-body", planter.prose("misp/email/body"), object_relation="email-body"),
        _attribute("attachment", planter.user("misp/email/attachment"), data=planter.prose("misp/email/data")),
    ]}  # fmt: skip
    yield {
        "name": "file", "uuid": UUID.format(20), "description": planter.prose("misp/file/description"),
        "Attribute": [
            _attribute("filename", f"C:\\Users\\{planter.user('misp/file/filename')}\\b.exe", object_relation="filename"),
            _attribute("sha1", SHA1.format(0), uuid=UUID.format(21), object_relation=planter.user("misp/object relation")),
            _attribute("text", planter.name("misp/file/state"), object_relation="state"),
        ],
        "ObjectReference": [{"referenced_uuid": UUID.format(20), "relationship_type": planter.user("misp/relationship type"),
                             "comment": planter.prose("misp/reference comment")}],
    }  # fmt: skip
    yield {"name": planter.email("misp/object name"), "Attribute": [_attribute("domain", "kwaad.example")]}


def _around(planter: Planter) -> Json:
    def at(where: str) -> str:
        return f"misp event {where}"

    galaxies = [
        {"type": kind, "name": planter.email(at(f"galaxy name {kind}")), "description": planter.prose(at(f"galaxy {kind}")), "GalaxyCluster": [
            {"value": planter.email(at(f"cluster {kind}")), "description": planter.prose(at(f"cluster description {kind}")),
             "meta": {"synonyms": [planter.name(at(f"synonym {kind}"))]}, "authors": [planter.name(at(f"authors {kind}"))]}]}
        for kind in ("threat-actor", "malpedia", "mitre-attack-pattern", "sector", "country", "onbekend")
    ]  # fmt: skip
    domain = _attribute(
        "domain", "zoutvat.example", comment=planter.prose(at("comment")), uuid=planter.email(at("attribute uuid")),
        Tag=[{"name": planter.email(at("attribute tag"))}, {"name": f'misp-galaxy:tool="{planter.email(at("galaxy tag"))}"'}],
        Galaxy=[{"type": "tool", "GalaxyCluster": [{"value": planter.email(at("attribute cluster"))}]}],
        Sighting=[{"type": "0", "date_sighting": AT, "source": planter.email(at("sighting source")),
                   "Organisation": {"name": planter.name(at("sighting organisation"))}}],
        ShadowAttribute=[_attribute("email", planter.email(at("proposal on attribute")))],
        Feed=[{"name": planter.name(at("feed"))}],
    )  # fmt: skip
    return _event(
        3, info=f"Zoutvat, gemeld door {planter.name(at('info'))} ({planter.email(at('info'))})",
        Org={"name": planter.name(at("org"))}, Orgc={"name": planter.email(at("orgc")), "uuid": planter.email(at("orgc uuid"))},
        event_creator_email=planter.email(at("creator")), extends_uuid=planter.email(at("extends")),
        SharingGroup={"name": planter.name(at("sharing group")), "description": planter.prose(at("sharing group"))},
        Tag=[{"name": planter.email(at("tag"))}, {"name": f'tlp:{planter.email(at("tlp tag"))}'}], Galaxy=galaxies,
        Attribute=[
            domain, _attribute("email", planter.email(at("deleted")), deleted=True),
            _attribute("text", planter.prose(at("text")), category="External analysis"),
            _attribute("comment", planter.prose(at("analysis")), category="External analysis", to_ids=False),
            _attribute("ip-dst", planter.ipv4(at("not to_ids")), to_ids=False),
            _attribute("vulnerability", "CVE-2024-55591", comment=planter.prose(at("vulnerability comment"))),
        ],
        ShadowAttribute=[_attribute("email", planter.email(at("proposal")))],
        EventReport=[{"name": planter.name(at("report name")), "content": planter.prose(at("report")) + planter.name(at("report"))}],
        RelatedEvent=[{"Event": {"info": planter.name(at("related"))}}],
        CryptographicKey=[{"key_data": planter.prose(at("key"))}], **{planter.user(at("property")): planter.name(at("property value"))},
    )  # fmt: skip


def _broken(planter: Planter) -> Iterator[Any]:
    """What is refused: reasons and paths must not repeat a value."""
    yield {"Event": {"info": planter.name("misp broken empty")}}
    yield {"Event": [planter.email("misp broken event")]}
    yield {planter.user("misp broken key"): {}}
    yield planter.email("misp broken element")
    yield _event(4, uuid=planter.email("misp broken uuid"), Attribute=[
        _attribute("ip-dst", planter.email("misp broken address")), _attribute("md5", planter.email("misp broken digest")),
        _attribute(planter.email("misp broken type"), "x"), _attribute("domain", [planter.email("misp broken list")]),
        _attribute("stix2-pattern", f"[{planter.email('misp broken pattern')}"), planter.email("misp broken attribute"),
        _attribute("domain", "a.example", comment=[planter.email("misp broken comment")], timestamp=planter.email("misp broken time")),
    ], Object=planter.email("misp broken objects"), Tag=[planter.email("misp broken tag")])  # fmt: skip
