"""Labels as other people write them: STIX 2.1 (TLP 2.0 extension, TLP 1.0), CSAF, plain text. Tags: `tlp.tags`.

The strictest marking found wins. A marking that claims to be TLP and that we cannot read is a doubt, never a guess.
Sources: OASIS extension-definition--60a3c5c5 (TLP 2.0 in STIX 2.1), STIX 2.1 7.2.1, CSAF 2.0 3.2.1.5, FIRST TLP 2.0.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tlp import Label, UnknownMarkingError, strictest

TLP_EXTENSION = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"

STIX_ID: dict[Label, str] = {
    Label.CLEAR: "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
    Label.GREEN: "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
    Label.AMBER: "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
    Label.AMBER_STRICT: "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
    Label.RED: "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
}

KNOWN: dict[str, Label] = {
    **{id_: label for label, id_ in STIX_ID.items()},
    # STIX 2.1 7.2.1.4: TLP 1.0.
    "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9": Label.CLEAR,
    "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da": Label.GREEN,
    "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82": Label.AMBER,
    "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed": Label.RED,
    # AMBER+STRICT as another platform ships it.
    "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37": Label.AMBER_STRICT,
}

WORDS = {
    "clear": Label.CLEAR,
    "white": Label.CLEAR,
    "green": Label.GREEN,
    "amber": Label.AMBER,
    "amber+strict": Label.AMBER_STRICT,
    "red": Label.RED,
    # TLP is not translated; Dutch texts do it all the same.
    "wit": Label.CLEAR,
    "groen": Label.GREEN,
    "oranje": Label.AMBER,
    "rood": Label.RED,
}

# "+strict" and its variants come before the bare colour, and a bare colour must not run on: a pattern
# `amber|amber\+strict` would read AMBER+STRICT as AMBER.
_TEXT = re.compile(
    r"\btlp\s*(?:v?\s*2(?:\.0)?)?\s*[:=_\- (\[]\s*(?:tlp\s*[:=]\s*)?[\"'(\[]?\s*"
    r"(amber\s*[+_\- ]?\s*strict|clear|white|green|amber|red|wit|groen|oranje|rood)\b",
    re.IGNORECASE,
)


def of_word(word: str) -> Label:
    """`amber+strict`, `AMBER_STRICT`, `White` -> Label. Raises UnknownMarkingError."""
    folded = re.sub(r"\s*[+_\- ]\s*strict$", "+strict", word.strip().casefold())
    try:
        return WORDS[folded.removeprefix("tlp:")]
    except KeyError:
        raise UnknownMarkingError("a TLP marking whose colour is not one of TLP 2.0 or 1.0") from None


def of_text(text: str) -> Label | None:
    """The strictest label named in a title or a mail (`TLP:AMBER+STRICT`), as a reader sees it: however its letters
    are encoded, whatever stands unseen between them; None: none is named."""
    if not text.isascii():
        folded = unicodedata.normalize("NFKC", text)
        text = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    found = [of_word(match.group(1)) for match in _TEXT.finditer(text)]
    return strictest(found) if found else None


def of_csaf(document: Mapping[str, Any]) -> Label | None:
    """CSAF 2.0/2.1 /document/distribution: tlp.label, and what its text and the document's title say; the strictest.

    Raises UnknownMarkingError for a label that is none, or that stands there in another shape.
    """
    title, distribution = document.get("title"), document.get("distribution", {})
    found = [named] if isinstance(title, str) and (named := of_text(title)) else []
    if distribution is None:
        return strictest(found) if found else None
    if not isinstance(distribution, Mapping):
        raise UnknownMarkingError("a distribution that is no object")
    tlp = distribution.get("tlp")
    if isinstance(tlp, Mapping) and isinstance(tlp.get("label"), str):
        found.append(of_word(tlp["label"]))
    elif tlp:
        raise UnknownMarkingError("a TLP marking that is no object with a label")
    text = distribution.get("text")
    if isinstance(text, str) and (named := of_text(text)):
        found.append(named)
    return strictest(found) if found else None


def of_definition(obj: Mapping[str, Any]) -> Label | None:
    """The label that a STIX marking-definition states, the strictest of what it says, what it is called and what its
    statement says; None: it is no TLP marking. Raises UnknownMarkingError."""
    said = obj.get("definition")
    texts = (obj.get("name"), said.get("statement") if isinstance(said, Mapping) else None)
    found = [_stated(obj), *(of_text(text) for text in texts if isinstance(text, str))]
    return max((label for label in found if label), default=None)


def _stated(obj: Mapping[str, Any]) -> Label | None:
    extensions = obj.get("extensions")
    extension = extensions.get(TLP_EXTENSION) if isinstance(extensions, Mapping) else None
    if isinstance(extension, Mapping):
        return of_word(str(extension.get("tlp_2_0", "")))
    for other in extensions.values() if isinstance(extensions, Mapping) else ():  # FIRST IEP 2.0 names TLP too
        if isinstance(other, Mapping) and isinstance(other.get("tlp"), str):
            return of_word(other["tlp"])
    definition = obj.get("definition")
    stated = definition.get("tlp") if isinstance(definition, Mapping) else None
    if stated is not None:
        return of_word(str(stated))
    if obj.get("definition_type") == "tlp":
        raise UnknownMarkingError("a TLP marking definition without a colour")
    return KNOWN.get(str(obj.get("id")))


def of_stix(objects: Sequence[Mapping[str, Any]]) -> tuple[Label | None, tuple[str, ...]]:
    """The strictest object or granular marking of some STIX objects, and doubts that need a person.

    A marking definition that comes along but is not TLP (a statement, IEP) does not decide; one that is referred to
    and neither known nor in the bundle is `unknown-marking`. A known id that states another label counts as the
    stricter.
    """
    stated, doubts = definitions(objects)
    found: set[Label] = set()
    references: set[str] = set()
    for obj in objects:
        if "object_marking_refs" in obj or "granular_markings" in obj:
            references.update(_references(obj))
    for reference in references:
        if reference not in stated and reference not in KNOWN:
            doubts.add("unknown-marking")
        elif (label := stated.get(reference, KNOWN.get(reference))) is not None:
            found.add(label)
    return (strictest(found) if found else None), tuple(sorted(doubts))


def definitions(objects: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Label | None], set[str]]:
    """(id -> label of the marking definitions among these, None: not TLP; doubts)."""
    stated: dict[str, Label | None] = {}
    doubts: set[str] = set()
    for obj in objects:
        if obj.get("type") == "marking-definition":
            identifier = str(obj.get("id"))
            try:
                label = of_definition(obj)
            except UnknownMarkingError:
                doubts.add("unknown-marking")
                continue
            known = KNOWN.get(identifier)
            stated[identifier] = max(label, known) if label and known else label or known
    return stated, doubts


def _references(obj: Mapping[str, Any]) -> Iterable[str]:
    refs = obj.get("object_marking_refs")
    if isinstance(refs, list):
        yield from (ref for ref in refs if isinstance(ref, str))
    granular = obj.get("granular_markings")
    if isinstance(granular, list):
        for marking in granular:
            if isinstance(marking, Mapping) and isinstance(marking.get("marking_ref"), str):
                yield marking["marking_ref"]


def normalised(obj: dict[str, Any]) -> dict[str, Any]:
    """The same object with references to TLP 1.0 and variant markings turned into TLP 2.0 ids."""
    refs = obj.get("object_marking_refs")
    granular = obj.get("granular_markings")
    if not refs and not granular:
        return obj
    result = dict(obj)
    if isinstance(refs, list):
        result["object_marking_refs"] = list(dict.fromkeys(_current(ref) for ref in refs))
    if isinstance(granular, list):
        result["granular_markings"] = [
            {**marking, "marking_ref": _current(marking["marking_ref"])}
            if isinstance(marking, Mapping) and "marking_ref" in marking
            else marking
            for marking in granular
        ]
    return result


def _current(reference: Any) -> Any:
    label = KNOWN.get(reference) if isinstance(reference, str) else None
    return STIX_ID[label] if label else reference


def definition(label: Label) -> dict[str, Any]:
    """The STIX 2.1 marking-definition object of a TLP 2.0 label; it has to travel with what it marks."""
    return {
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": STIX_ID[label],
        "created": "2022-10-01T00:00:00.000Z",
        "name": str(label),
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": label.value.lower()}},
    }
