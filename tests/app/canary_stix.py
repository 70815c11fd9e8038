# ruff: noqa: E501 - tables of documents
"""STIX with canaries: one object for each property of each type, patterns, ids, markings, extensions, broken objects."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from tests.app.canary import SCO, Document, Planter

AT = "2026-03-02T08:00:00.000Z"
AMBER = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421"
Object = dict[str, Any]

BASES: dict[str, Object] = {
    "attack-pattern": {"name": "Phishing"},
    "campaign": {"name": "Veldtocht"},
    "course-of-action": {"name": "Werk bij"},
    "grouping": {"context": "suspicious-activity", "object_refs": ["malware--11111111-1111-4111-8111-111111111111"]},
    "identity": {"name": "Voorbeeld B.V.", "identity_class": "organization"},
    "incident": {"name": "Inbraak"},
    "indicator": {"pattern": "[domain-name:value = 'kwaad.example']", "pattern_type": "stix", "valid_from": AT},
    "infrastructure": {"name": "C2"},
    "intrusion-set": {"name": "Groep"},
    "location": {"country": "NL"},
    "malware": {"name": "ZOUTVAT", "is_family": True},
    "malware-analysis": {"product": "zandbak", "result": "malicious"},
    "note": {"content": "Zie bijlage", "object_refs": ["malware--11111111-1111-4111-8111-111111111111"]},
    "observed-data": {
        "first_observed": AT, "last_observed": AT, "number_observed": 1,
        "object_refs": ["domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"],
    },
    "opinion": {"opinion": "agree", "object_refs": ["malware--11111111-1111-4111-8111-111111111111"]},
    "report": {"name": "Verslag", "published": AT, "object_refs": ["malware--11111111-1111-4111-8111-111111111111"]},
    "threat-actor": {"name": "ZOUTRIDDER"},
    "tool": {"name": "PsExec"},
    "vulnerability": {"name": "CVE-2024-55591"},
    "relationship": {
        "relationship_type": "related-to", "source_ref": "malware--11111111-1111-4111-8111-111111111111",
        "target_ref": "malware--11111111-1111-4111-8111-111111111111",
    },
    "sighting": {"sighting_of_ref": "malware--11111111-1111-4111-8111-111111111111"},
}  # fmt: skip
"""STIX domain and relationship objects with what they cannot do without."""

TEXT: dict[str, tuple[str, ...]] = {
    "attack-pattern": ("name", "description", "aliases[]"),
    "campaign": ("name", "description", "aliases[]", "objective"),
    "course-of-action": ("name", "description"),
    "grouping": ("name", "description"),
    "identity": ("name", "description", "roles[]", "sectors[]", "contact_information"),
    "incident": ("name", "description"),
    "indicator": ("name", "description"),
    "infrastructure": ("name", "description", "aliases[]", "infrastructure_types[]"),
    "intrusion-set": ("name", "description", "aliases[]", "goals[]"),
    "location": ("name", "description", "region", "administrative_area", "city", "street_address", "postal_code"),
    "malware": ("name", "description", "aliases[]", "malware_types[]"),
    "malware-analysis": ("product", "version", "configuration_version", "analysis_definition_version", "result_name"),
    "note": ("abstract", "content", "authors[]"),
    "opinion": ("explanation", "authors[]"),
    "report": ("name", "description", "report_types[]"),
    "threat-actor": ("description", "aliases[]", "roles[]", "goals[]"),
    "tool": ("name", "description", "aliases[]", "tool_version"),
    "vulnerability": ("name", "description"),
    "relationship": ("description",),
    "sighting": ("description",),
}  # fmt: skip
"""Properties that hold text; `[]` is a list of it."""

OBSERVABLE_TEXT: dict[str, tuple[Object, tuple[str, ...]]] = {
    "artifact": ({"mime_type": "text/plain", "payload_bin": "UWtUVA=="}, ("mime_type", "decryption_key")),
    "autonomous-system": ({"number": 64500}, ("name", "rir")),
    "directory": ({"path": "C:\\Windows"}, ("path",)),
    "email-addr": ({"value": "info@bedrijf.example"}, ("value", "display_name")),
    "email-message": ({"is_multipart": False}, ("subject", "body", "message_id", "received_lines[]")),
    "file": ({"name": "factuur.exe"}, ("name",)),
    "mutex": ({"name": "slot"}, ("name",)),
    "process": ({"pid": 4}, ("command_line", "cwd")),
    "software": ({"name": "FortiOS"}, ("name", "version", "vendor")),
    "user-account": ({"user_id": "1004"}, ("user_id", "account_login", "display_name", "credential")),
    "windows-registry-key": ({"key": "HKEY_LOCAL_MACHINE\\Software"}, ("key",)),
    "x509-certificate": ({"serial_number": "01"}, ("subject", "issuer", "serial_number")),
}
PATTERNS = (
    ("ipv4", "[ipv4-addr:value = '{}']"),
    ("ipv6", "[ipv6-addr:value = '{}' OR domain-name:value = 'kwaad.example']"),
    ("email", "[email-message:from_ref.value = '{}']"),
    ("email", "[email-addr:value LIKE '{}%' AND file:name = 'a.exe']"),
    ("user", "[user-account:account_login = '{}'] FOLLOWEDBY [domain-name:value = 'kwaad.example']"),
    ("ipv4", "[network-traffic:src_ref.value = '{}' AND network-traffic:dst_port = 443]"),
    ("user", "[file:parent_directory_ref.path = 'C:\\\\Users\\\\{}\\\\AppData']"),
    ("mac", "[mac-addr:value IN ('{}', '00:00:5e:00:53:00')]"),
    ("email", "[url:value = 'https://kwaad.example/?u={}']"),
)


def documents(planter: Planter) -> Iterator[Document]:
    """The bundles."""
    yield _bundle("stix-objects.json", [*_domain_objects(planter), *_observables(planter)])
    yield _bundle("stix-patterns.json", list(_patterns(planter)))
    yield _bundle("stix-roles.json", list(_roles(planter)))
    yield _bundle("stix-everywhere.json", list(_everywhere(planter)))
    yield _bundle(f"{planter.email('stix file name')}.json", list(_broken(planter)))
    whole = json.dumps({"type": "bundle", "objects": [{"type": "identity", "name": planter.name("stix cut short")}]})
    yield Document("market", whole[:-3].encode(), "stix", "stix-cut-short.json")
    odd = {
        planter.email("stix key of a bundle"): 1,
        "type": "bundle",
        "id": planter.email("stix id of a bundle"),
        "objects": 7,
    }
    yield Document("market", json.dumps(odd).encode(), "stix", "stix-no-objects.json")


def _bundle(name: str, objects: list[Object]) -> Document:
    whole = {"type": "bundle", "id": f"bundle--{_uuid(name)}", "objects": objects}
    return Document("market", json.dumps(whole, ensure_ascii=False).encode(), "stix", name)


def _uuid(seed: str) -> UUID:
    made = uuid5(SCO, f"canary {seed}")
    return UUID(bytes=made.bytes, version=4)


def _object(kind: str, seed: str, **properties: Any) -> Object:
    fixed = {"type": kind, "spec_version": "2.1", "id": f"{kind}--{_uuid(kind + seed)}", "created": AT, "modified": AT}
    return fixed | BASES.get(kind, {}) | properties


def _observable(kind: str, properties: Object) -> Object:
    name = json.dumps(properties, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(SCO, name)}"} | properties


def _domain_objects(planter: Planter) -> Iterator[Object]:
    for kind, names in TEXT.items():
        for name in names:
            place = f"stix/{kind}/{name}"
            long = name in ("description", "content", "explanation", "abstract")
            value = planter.prose(place) if long else planter.email(place)
            yield _object(kind, name, **({name[:-2]: [value]} if name.endswith("[]") else {name: value}))
    for name in ("name", "contact_information"):
        yield _object(
            "identity", "person" + name, identity_class="individual", **{name: planter.name(f"stix/person/{name}")}
        )


def _observables(planter: Planter) -> Iterator[Object]:
    for kind, (base, names) in OBSERVABLE_TEXT.items():
        for name in names:
            place = f"stix/{kind}/{name}"
            if name == "credential":
                value = planter.secret(place)
            elif name == "path":
                value = f"C:\\Users\\{planter.user(place)}\\AppData"
            else:
                value = planter.user(place) if kind == "user-account" else planter.email(place)
            yield _observable(kind, base | ({name[:-2]: [value]} if name.endswith("[]") else {name: value}))
    for kind, value in (
        ("ipv4-addr", planter.ipv4("stix/ipv4-addr/value")), ("ipv6-addr", planter.ipv6("stix/ipv6-addr/value")),
        ("mac-addr", planter.mac("stix/mac-addr/value")), ("domain-name", planter.ipv4("stix/domain-name/value")),
        ("url", f"https://{planter.user('stix/url/user')}:x@kwaad.example/a?mail={planter.email('stix/url/query')}"),
    ):  # fmt: skip
        yield _observable(kind, {"value": value})
    yield _observable("email-message", {
        "is_multipart": True, "additional_header_fields": {"X-Originating-IP": [planter.ipv4("stix/email-message/header")]},
        "body_multipart": [{"content_type": "text/plain", "body": planter.prose("stix/email-message/part")}],
    })  # fmt: skip
    yield _observable(
        "process", {"pid": 7, "environment_variables": {"USERNAME": planter.user("stix/process/environment")}}
    )
    yield _observable("windows-registry-key", {
        "key": "HKLM\\Software", "values": [{"name": "wie", "data": planter.user("stix/registry/data"), "data_type": "REG_SZ"}],
    })  # fmt: skip
    yield _observable("network-traffic", {
        "protocols": ["tcp", "http"], "src_port": 1, "src_ref": f"ipv4-addr--{_uuid('nowhere')}",
        "extensions": {"http-request-ext": {
            "request_method": "get", "request_value": f"/?m={planter.email('stix/http/value')}",
            "request_header": {"Cookie": [planter.secret("stix/http/header")]},
        }},
    })  # fmt: skip


def _patterns(planter: Planter) -> Iterator[Object]:
    for number, (kind, pattern) in enumerate(PATTERNS):
        value = getattr(planter, kind)(f"stix/pattern/{number}")
        yield _object("indicator", f"p{number}", pattern=pattern.format(value), indicator_types=["malicious-activity"])
    yield _object("indicator", "sigma", pattern=f"title: {planter.email('stix/pattern/sigma')}", pattern_type="sigma")
    yield _object("indicator", "none", pattern=f"[ipv4-addr:value = {planter.ipv4('stix/pattern/broken')}")


def _roles(planter: Planter) -> Iterator[Object]:
    """Attacker, victim, dual: under no-basis none of them stays."""
    malware = _object("malware", "roles")
    c2 = _observable("ipv4-addr", {"value": planter.ipv4("stix/role/attacker")})
    victim = _observable("ipv4-addr", {"value": planter.ipv4("stix/role/victim")})
    control = _object("infrastructure", "roles", infrastructure_types=["command-and-control"])
    firm = _object("identity", "roles", name=planter.name("stix/role/identity"), identity_class="individual")
    traffic = _observable("network-traffic", {"src_ref": victim["id"], "dst_ref": c2["id"], "protocols": ["tcp"]})
    seen = _object("observed-data", "roles", object_refs=[victim["id"], traffic["id"]])
    mark = _object(
        "indicator", "roles", pattern=f"[ipv4-addr:value = '{c2['value']}']", indicator_types=["malicious-activity"]
    )
    sighting = _object(
        "sighting",
        "roles",
        sighting_of_ref=mark["id"],
        where_sighted_refs=[firm["id"]],
        observed_data_refs=[seen["id"]],
    )
    consists = _object(
        "relationship", "c", relationship_type="consists-of", source_ref=control["id"], target_ref=c2["id"]
    )
    beacons = _object(
        "relationship", "b", relationship_type="beacons-to", source_ref=malware["id"], target_ref=control["id"]
    )
    content = [malware, c2, victim, control, firm, traffic, seen, mark, sighting, consists, beacons]
    yield _object("report", "roles", object_refs=[one["id"] for one in content])
    yield from content


def _everywhere(planter: Planter) -> Iterator[Object]:
    """Common properties, custom ones, extensions, markings, ids."""
    yield _object("malware", "labels", labels=[planter.email("stix/labels")], lang=planter.email("stix/lang"))
    yield _object("malware", "external", external_references=[{
        "source_name": planter.email("stix/external/source_name"), "description": planter.prose("stix/external/description"),
        "url": f"https://x.example/?m={planter.email('stix/external/url')}",
        "external_id": planter.email("stix/external/external_id"),
    }])  # fmt: skip
    yield _object("malware", "kill", kill_chain_phases=[
        {"kill_chain_name": planter.email("stix/kill_chain_name"), "phase_name": planter.email("stix/phase_name")}
    ])  # fmt: skip
    yield _object(
        "malware", "custom", x_slachtoffer=planter.name("stix/x_"), x_lijst=[{"wie": planter.email("stix/x_ nested")}]
    )
    yield _object("malware", "key", **{f"x_{planter.user('stix/key')}": 1})
    yield _object("malware", "extension", extensions={
        f"extension-definition--{_uuid('extension')}": {"extension_type": "property-extension", "wie": planter.name("stix/extension")}
    })  # fmt: skip
    yield _object("malware", "top", extensions={
        f"extension-definition--{_uuid('top')}": {"extension_type": "toplevel-property-extension"}
    }, wie=planter.email("stix/toplevel extension"))  # fmt: skip
    yield _object("malware", "granular", description=planter.prose("stix/granular"), granular_markings=[
        {"selectors": ["description"], "marking_ref": AMBER}, {"selectors": [planter.email("stix/selector")], "lang": "nl"}
    ])  # fmt: skip
    marking = {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": f"marking-definition--{_uuid('m')}",
        "created": AT,
    }
    yield marking | {"name": planter.email("stix/marking/name"), "definition_type": "statement",
                     "definition": {"statement": f"© {planter.name('stix/marking/statement')}"}}  # fmt: skip
    yield _object("malware", "marked", object_marking_refs=[marking["id"]])
    yield _object("language-content", "nl", object_ref=f"malware--{_uuid('malwarelabels')}", contents={
        "nl": {"description": planter.prose("stix/language-content")}
    })  # fmt: skip
    yield _object("extension-definition", "own", name=planter.email("stix/extension-definition/name"), version="1",
                  schema=f"https://x.example/{planter.user('stix/extension-definition/schema')}",
                  extension_types=["property-extension"], created_by_ref=f"identity--{_uuid('identityname')}")  # fmt: skip
    yield _object("x-persoon", "custom type", naam=planter.name("stix/custom type"))
    yield _object(f"x-{planter.user('stix/type')}", "type")


def _broken(planter: Planter) -> Iterator[Object]:
    """What shape refuses: its reasons and paths must not repeat a value."""
    yield {"type": "identity", "id": planter.email("stix/broken id"), "name": planter.name("stix/broken name")}
    yield _object("indicator", "created", created=planter.email("stix/broken created"))
    yield _object("identity", "number", name=[planter.email("stix/broken list")])
    yield _object("observed-data", "embedded", objects={planter.ipv4("stix/broken key"): {"type": "ipv4-addr"}})
    yield _object(
        "malware", "enum", opinion=planter.email("stix/broken enum"), is_family=planter.email("stix/broken bool")
    )
    yield _object("relationship", "ref", source_ref=planter.email("stix/broken ref"))
    yield {"type": planter.email("stix/broken type"), "id": "x"}
    yield _object("malware", "whole")
