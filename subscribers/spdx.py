"""SPDX 2.2 and 2.3 (JSON, tag-value) and 3.0 (JSON-LD): packages, each with the few fields that we read.

A supplier counts where it is an organisation; persons are passed over. Files, snippets, licences, annotations and
relationships are not read: loops between packages change nothing. What says NOASSERTION or NONE says nothing.
"""

import io
import re
from collections.abc import Iterator
from typing import Any

from msgspec import Struct, field

from subscribers import Software, SubscriberError
from subscribers.bounds import Count, bounded, decoded
from subscribers.components import lines

_ORGANISATION = re.compile(r"\s*Organi[sz]ation:\s*(.*)", re.IGNORECASE | re.DOTALL)
_CPE = ("cpe23Type", "cpe22Type", "cpe23", "cpe22")
_NO_SOFTWARE = frozenset(("FILE", "file", "data"))


# 2.2 and 2.3


class _Reference(Struct):
    kind: str | None = field(default=None, name="referenceType")
    locator: str | None = field(default=None, name="referenceLocator")


class _Package(Struct):
    name: str | None = None
    version: str | int | float | None = field(default=None, name="versionInfo")
    supplier: str | None = None
    originator: str | None = None
    purpose: str | None = field(default=None, name="primaryPackagePurpose")
    references: list[_Reference] | None = field(default=None, name="externalRefs")


class _Document(Struct):
    packages: list[_Package] | None = None


class _Wrapped(Struct):
    sbom: _Document | None = None


def from_json(data: bytes, *, wrapped: bool = False) -> Iterator[Software]:
    """Every line of software of a 2.x document, also as GitHub wraps it in `sbom`. Raises SubscriberError."""
    document = (decoded(data, _Wrapped).sbom or _Document()) if wrapped else decoded(data, _Document)
    path = "$.sbom.packages" if wrapped else "$.packages"
    Count().add(len(document.packages or ()), path)
    for n, package in enumerate(document.packages or ()):
        yield from _software(package, f"{path}[{n}]")


def _software(package: _Package, where: str) -> Iterator[Software]:
    if package.purpose in _NO_SOFTWARE:
        return
    references = [each for each in package.references or () if each.kind and each.locator]
    yield from lines(
        where,
        vendor=_organisation(package.supplier) or _organisation(package.originator),
        product=package.name,
        version=package.version,
        cpes=[each.locator for kind in _CPE for each in references if (each.kind or "").rpartition("/")[2] == kind],
        purls=[each.locator for each in references if (each.kind or "").rpartition("/")[2] == "purl"],
    )


def _organisation(text: str | None) -> str:
    found = _ORGANISATION.match(text or "")
    return found[1].strip() if found else ""


_TAG = re.compile(r"([A-Za-z][A-Za-z0-9]*):(.*)", re.DOTALL)
_REFERENCE = re.compile(r"\s*\S+\s+(\S+)\s+(\S+)\s*")
_FIELDS = {
    "PackageVersion": "version",
    "PackageSupplier": "supplier",
    "PackageOriginator": "originator",
    "PrimaryPackagePurpose": "purpose",
}


def from_tags(text: str) -> Iterator[Software]:
    """Every line of software of a 2.x tag-value document. Raises SubscriberError with the line."""
    package: _Package | None = None
    began, count = 0, Count()
    for number, tag, value in _tags(text):
        if tag == "PackageName":
            if package:
                yield from _software(package, f"line {began}")
            package, began = _Package(name=value), number
            count.add(1, f"line {number}")
        elif package is None:
            continue
        elif tag in ("FileName", "SnippetSPDXID", "LicenseID"):  # another section begins
            yield from _software(package, f"line {began}")
            package = None
        elif tag == "ExternalRef" and (found := _REFERENCE.fullmatch(value)):
            package.references = [*(package.references or ()), _Reference(found[1], found[2])]
        elif tag in _FIELDS:
            setattr(package, _FIELDS[tag], value)
    if package:
        yield from _software(package, f"line {began}")


def _tags(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, tag, value); a `<text>` may go on over lines."""
    began = 0
    held: list[str] = []
    bounded(text, "\n")
    for number, line in enumerate(io.StringIO(text), start=1):
        if held:
            if "</text>" in line:
                held = []
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _TAG.match(line.strip())
        if found is None:
            raise SubscriberError(f"line {number}: no `Tag: value`: export the file anew, or as JSON")
        tag, value = found[1], found[2].strip()
        if value.startswith("<text>"):
            if "</text>" not in value:
                held, began = [value], number
            value = value.removeprefix("<text>").partition("</text>")[0]
        yield number, tag, value.strip()
    if held:
        raise SubscriberError(f"line {began}: a <text> that never ends: export the file anew")


# 3.0


class _Identifier(Struct):
    kind: str | None = field(default=None, name="externalIdentifierType")
    identifier: str | None = None


class _Element(Struct):
    type: Any = None
    at_type: Any = field(default=None, name="@type")
    id: str | None = field(default=None, name="spdxId")
    at_id: str | None = field(default=None, name="@id")
    name: str | None = None
    version: str | int | float | None = field(default=None, name="software_packageVersion")
    url: str | None = field(default=None, name="software_packageUrl")
    purpose: Any = field(default=None, name="software_primaryPurpose")
    supplied: Any = field(default=None, name="suppliedBy")
    originated: Any = field(default=None, name="originatedBy")
    identifiers: list[_Identifier] | None = field(default=None, name="externalIdentifier")

    @property
    def kind(self) -> str:
        """`software_Package`, also from an address that ends so."""
        return re.split(r"[/#:]", _first(self.type) or _first(self.at_type))[-1]


class _Graph(Struct):
    graph: list[_Element] | None = field(default=None, name="@graph")


def from_graph(data: bytes) -> Iterator[Software]:
    """Every line of software of a 3.0 document. Raises SubscriberError with the JSON path."""
    elements = decoded(data, _Graph).graph
    if elements is None:
        elements = [decoded(data, _Element)]  # one element needs no graph
    Count().add(len(elements), "$.@graph")
    firms = {each.id or each.at_id: each.name for each in elements if each.kind == "Organization"}
    for n, each in enumerate(elements):
        where = f"$.@graph[{n}]"
        if each.kind not in ("software_Package", "Package") or _first(each.purpose) in _NO_SOFTWARE:
            continue
        known = [one for one in each.identifiers or () if one.kind and one.identifier]
        yield from lines(
            where,
            vendor=_firm(each.supplied, firms) or _firm(each.originated, firms),
            product=each.name,
            version=each.version,
            cpes=[one.identifier for kind in _CPE for one in known if one.kind == kind],
            purls=(each.url, *(one.identifier for one in known if one.kind in ("packageUrl", "purl"))),
        )


def _firm(agents: Any, firms: dict[str | None, str | None]) -> str:
    """The first organisation of agents: by reference, or as it stands there."""
    for agent in agents if isinstance(agents, list) else [agents]:
        if isinstance(agent, str) and firms.get(agent):
            return firms[agent] or ""
        if isinstance(agent, dict) and agent.get("type") == "Organization" and isinstance(agent.get("name"), str):
            return str(agent["name"])
    return ""


def _first(value: Any) -> str:
    """A text, or the first of a list of them."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return value if isinstance(value, str) else ""
