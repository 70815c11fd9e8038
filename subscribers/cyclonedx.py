"""CycloneDX 1.0 to 1.7, JSON and XML: components and services, however deep, each with the few fields that we read.

Read: what the document is about (`metadata.component`), components, services, and what lies nested in these. Not
read: the tools that made it, ancestors and variants (pedigree), what is excluded at run time, plain files and data.
Dependencies say how components hang together, not what else is in use: loops in them, references to nothing and
`bom-ref`s given twice change nothing.
"""

from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

from msgspec import Struct

from subscribers import Software, SubscriberError
from subscribers.bounds import DEEPEST, Count, decoded
from subscribers.components import firm, lines

_NO_SOFTWARE = frozenset(("file", "data", "cryptographic-asset"))
Text = str | int | float | None


class _Party(Struct):
    name: Text = None


class _Swid(Struct):
    name: Text = None
    version: Text = None


class _Component(Struct):
    type: str | None = None
    name: Text = None
    version: Text = None
    group: Text = None
    publisher: Text = None
    supplier: _Party | str | None = None
    manufacturer: _Party | str | None = None
    provider: _Party | str | None = None
    purl: Text = None
    cpe: Text = None
    swid: _Swid | None = None
    scope: str | None = None
    components: "list[_Component] | None" = None
    services: "list[_Component] | None" = None


class _Metadata(Struct):
    component: _Component | None = None


class _Bom(Struct):
    metadata: _Metadata | None = None
    components: list[_Component] | None = None
    services: list[_Component] | None = None


def from_json(data: bytes) -> Iterator[Software]:
    """Every line of software of a document. Raises SubscriberError with the JSON path."""
    bom, count = decoded(data, _Bom), Count()
    root = bom.metadata.component if bom.metadata else None
    pending = [
        *_below(bom.services, "$.services", 1, count),
        *_below(bom.components, "$.components", 1, count),
        *([(root, "$.metadata.component", 1)] if root else []),
    ]
    while pending:
        one, path, depth = pending.pop()
        if depth > DEEPEST:
            raise SubscriberError(f"{path}: nested deeper than {DEEPEST} levels, which is all that is read")
        yield from _software(one, path)
        pending += _below(one.services, f"{path}.services", depth + 1, count)
        pending += _below(one.components, f"{path}.components", depth + 1, count)


def _below(found: list[_Component] | None, path: str, depth: int, count: Count) -> list[tuple[_Component, str, int]]:
    count.add(len(found or ()), path)
    return [(one, f"{path}[{n}]", depth) for n, one in enumerate(found or ())][::-1]


def _software(one: _Component, where: str) -> Iterator[Software]:
    if one.type in _NO_SOFTWARE or one.scope == "excluded":
        return
    parties = (one.supplier, one.manufacturer, one.provider)
    names = (*(each.name if isinstance(each, _Party) else each for each in parties),)
    names = (*names, firm(one.publisher, one.group, one.purl, one.cpe), one.group)
    swid = one.swid or _Swid()
    yield from lines(
        where,
        vendor=next((str(name) for name in names if name), None),
        product=_known(one.name, swid.name),
        version=_known(one.version, swid.version),
        cpes=(_known(one.cpe),),
        purls=(_known(one.purl),),
    )


def _known(*values: Text) -> str | None:
    return next((str(value) for value in values if value not in (None, "")), None)


# XML: the path of an element says what it is; everything that is not on such a path is passed over.

_TEXTS = dict.fromkeys(("name", "version", "group", "publisher", "purl", "cpe", "scope"), "text")
_PARTIES = dict.fromkeys(("supplier", "manufacturer", "provider"), "party")
_CHILDREN: dict[str, dict[str, str]] = {
    "": {"bom": "bom"},
    "bom": {"metadata": "metadata", "components": "list", "services": "list"},
    "metadata": {"component": "component"},
    "list": {"component": "component", "service": "component"},
    "component": {**_TEXTS, **_PARTIES, "swid": "swid", "components": "list", "services": "list"},
    "party": {"name": "text"},
}


class _Reader:
    """What expat tells, as components in the order in which they begin."""

    def __init__(self, parser: expat.XMLParserType) -> None:
        self.parser = parser
        self.found: list[tuple[dict[str, Any], int]] = []
        self._kinds: list[str] = [""]
        self._names: list[str] = [""]
        self._open: list[dict[str, Any]] = []
        self._text: list[str] = []
        self._count = Count()
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._entity

    @property
    def where(self) -> str:
        """The line that is being read."""
        return f"line {self.parser.CurrentLineNumber}"

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        space, _, local = name.rpartition(" ")
        if len(self._kinds) == 1 and (local != "bom" or "cyclonedx" not in space):
            raise SubscriberError("line 1: XML that is no CycloneDX bom: give CycloneDX, SPDX (JSON, tag-value) or CSV")
        kind = _CHILDREN.get(self._kinds[-1], {}).get(local, "passed")
        if len(self._kinds) > 4 * DEEPEST:
            raise SubscriberError(f"{self.where}: nested deeper than {DEEPEST} levels, which is all that is read")
        if kind == "component":
            self._count.add(1, self.where)
            self._open.append({"type": attributes.get("type")})
            self.found.append((self._open[-1], self.parser.CurrentLineNumber))
        elif kind == "swid":
            self._open[-1]["swid"] = _Swid(attributes.get("name"), attributes.get("version"))
        self._kinds.append(kind)
        self._names.append(local)
        self._text.clear()

    def _end(self, _: str) -> None:
        kind, name = self._kinds.pop(), self._names.pop()
        if kind == "component":
            self._open.pop()
        elif kind == "text":
            field = self._names[-1] if self._kinds[-1] == "party" else name
            self._open[-1].setdefault(field, "".join(self._text).strip())
        self._text.clear()

    def _characters(self, text: str) -> None:
        if self._kinds[-1] == "text":
            self._text.append(text)

    def _entity(self, *_: object) -> None:
        raise SubscriberError(f"{self.where}: entities of its own, which no SBOM needs: export it without a DOCTYPE")


def from_xml(data: bytes) -> Iterator[Software]:
    """Every line of software of a document. Raises SubscriberError with the line."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    reader = _Reader(parser)
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        said = expat.errors.messages.get(error.code, "not well-formed")
        raise SubscriberError(f"line {error.lineno}: not readable as XML ({said}): export it anew") from None
    except (ValueError, LookupError):
        raise SubscriberError("line 1: XML in an encoding that is not read: save it as UTF-8") from None
    for record, line in reader.found:
        yield from _software(_Component(**record), f"line {line}")
