"""One list of software in every form that is read: what a tool would write, with the people that tools put in."""

import csv
import io
import json
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

from subscribers import Software

PERSON = "Gerda Geheim"
MAIL = "gerda@geheim.example"
PHONE = "0612345678"


def _component(one: Software) -> dict[str, Any]:
    return {
        "type": "library",
        "author": PERSON,
        "supplier": {"name": one.vendor, "contact": [{"name": PERSON, "email": MAIL, "phone": PHONE}]},
        "authors": [{"name": PERSON, "email": MAIL}],
        "name": one.product,
        "version": one.version,
        "cpe": one.cpe,
        "purl": one.purl,
        "bom-ref": "twice",
        "description": f"Ask {PERSON}",
        "licenses": [{"license": {"name": PERSON}}],
        "pedigree": {"ancestors": [{"type": "library", "name": "ancestor", "version": "1"}]},
    }


def cyclonedx_json(software: Sequence[Software], **more: Any) -> bytes:
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [_component(one) for one in software]}
    bom["metadata"] = {"authors": [{"name": PERSON, "email": MAIL}], "tools": {"components": [{"name": "tool"}]}}
    bom["dependencies"] = [{"ref": "twice", "dependsOn": ["twice", "nothing"]}]
    return json.dumps(bom | more).encode()


def cyclonedx_xml(software: Sequence[Software]) -> bytes:
    parts = [
        '<?xml version="1.0"?><c:bom xmlns:c="http://cyclonedx.org/schema/bom/1.4"><c:metadata><c:tools><c:components>'
        "<c:component><c:name>tool</c:name></c:component></c:components></c:tools>"
        f"<c:authors><c:author><c:name>{PERSON}</c:name></c:author></c:authors></c:metadata><c:components>"
    ]
    for one in software:
        parts.append(f'<c:component type="library" bom-ref="twice"><c:author>{PERSON}</c:author>')
        parts.append(f"<c:supplier><c:name>{escape(one.vendor)}</c:name><c:contact><c:name>{PERSON}</c:name>")
        parts.append(f"<c:email>{MAIL}</c:email></c:contact></c:supplier>")
        for name, value in (("name", one.product), ("version", one.version), ("cpe", one.cpe), ("purl", one.purl)):
            parts.append(f"<c:{name}>{escape(value)}</c:{name}>" if value else "")
        parts.append("<c:pedigree><c:ancestors><c:component><c:name>ancestor</c:name></c:component></c:ancestors>")
        parts.append("</c:pedigree></c:component>")
    return "".join([*parts, "</c:components></c:bom>"]).encode()


def _references(one: Software) -> list[tuple[str, str, str]]:
    both = (("SECURITY", "cpe23Type", one.cpe), ("PACKAGE-MANAGER", "purl", one.purl))
    return [(category, kind, value) for category, kind, value in both if value]


def spdx_json(software: Sequence[Software]) -> bytes:
    packages = [
        {
            "SPDXID": "SPDXRef-twice",
            "name": one.product,
            "versionInfo": one.version,
            "supplier": f"Organization: {one.vendor}" if one.vendor else f"Person: {PERSON} ({MAIL})",
            "originator": f"Person: {PERSON} ({MAIL})",
            "externalRefs": [
                {"referenceCategory": category, "referenceType": kind, "referenceLocator": value}
                for category, kind, value in _references(one)
            ],
            "annotations": [{"annotator": f"Person: {PERSON}", "comment": MAIL}],
        }
        for one in software
    ]
    loop = [{"spdxElementId": "SPDXRef-twice", "relationshipType": "DEPENDS_ON", "relatedSpdxElement": "SPDXRef-twice"}]
    document = {"spdxVersion": "SPDX-2.3", "creationInfo": {"creators": [f"Person: {PERSON} ({MAIL})"]}}
    return json.dumps(document | {"packages": packages, "relationships": loop}).encode()


def spdx_tags(software: Sequence[Software]) -> bytes:
    said = ["# made for a test", "SPDXVersion: SPDX-2.2", f"Creator: Person: {PERSON} ({MAIL})", ""]
    for one in software:
        said += [f"PackageName: {one.product}", "SPDXID: SPDXRef-twice"]
        said += [f"PackageVersion: {one.version}"] if one.version else []
        said += [f"PackageSupplier: Organization: {one.vendor}" if one.vendor else f"PackageSupplier: Person: {PERSON}"]
        said += [f"PackageComment: <text>By {PERSON}", "PackageName: not this one", f"{MAIL}</text>"]
        said += [f"ExternalRef: {' '.join(each)}" for each in _references(one)]
        said += ["FileName: ./readme", f"FileContributor: {PERSON}", "PackageVersion: 99"]
    return "\n".join(said).encode()


def spdx_graph(software: Sequence[Software]) -> bytes:
    graph: list[dict[str, Any]] = [{"type": "Person", "spdxId": "urn:p", "name": PERSON}]
    for n, one in enumerate(software):
        graph.append({"type": "Organization", "spdxId": f"urn:o{n}", "name": one.vendor})
        graph.append(
            {
                "type": "software_Package",
                "spdxId": f"urn:s{n}",
                "name": one.product,
                "software_packageVersion": one.version,
                "software_packageUrl": one.purl,
                "suppliedBy": f"urn:o{n}" if one.vendor else "urn:p",
                "originatedBy": ["urn:p"],
                "externalIdentifier": [{"externalIdentifierType": "cpe23", "identifier": one.cpe}],
            }
        )
    return json.dumps({"@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld", "@graph": graph}).encode()


def table(software: Sequence[Software]) -> bytes:
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";")
    rows.writerow(["Eigenaar", "Leverancier", "Applicatie", "Versie", "CPE", "PURL", "Naam"])
    for one in software:
        rows.writerow([PERSON, one.vendor, one.product, one.version, one.cpe, one.purl, PERSON])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


FORMS: dict[str, Callable[[Sequence[Software]], bytes]] = {
    "cyclonedx-json": cyclonedx_json,
    "cyclonedx-xml": cyclonedx_xml,
    "spdx-json": spdx_json,
    "spdx-tags": spdx_tags,
    "spdx-graph": spdx_graph,
    "table": table,
}
