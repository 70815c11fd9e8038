"""What a CSAF 2.0 document of a profile must have: tests 6.1.26 and 6.1.27.1 to 6.1.27.11. Each gives the places."""

from collections.abc import Iterator
from typing import NamedTuple

from normalize.csaf_tree import Tree
from normalize.lenient import Json, Parts

_INFORMATIONAL = ("csaf_security_incident_response", "csaf_informational_advisory")
_SECURITY = ("csaf_security_advisory", "csaf_vex")
_PROFILES = ("csaf_base", *_INFORMATIONAL, *_SECURITY)
_TELLING = ("description", "details", "general", "summary")
_STATUSES = ("fixed", "known_affected", "known_not_affected", "under_investigation")


class _Unheard(Parts):
    """Notes nothing: what is not as promised was noted where the document was read."""

    def note(self, reason: str, path: str) -> None:
        """Nothing."""


UNREAD = _Unheard()


class Advisory(NamedTuple):
    """A document as its tests look at it."""

    root: Json
    document: Json
    vulnerabilities: list[tuple[Json, str]]
    tree: Tree

    @property
    def category(self) -> object:
        """Its profile."""
        return self.document.get("category")


def members(tree: Tree, holder: Json) -> set[str]:
    """The product ids that a flag, threat or remediation names, itself or by groups."""
    groups = (tree.groups.get(group, ()) for group in UNREAD.texts(holder, "group_ids"))
    return {*UNREAD.texts(holder, "product_ids"), *(product for group in groups for product in group)}


def _plain(category: str) -> str:
    return "".join(sign for sign in category.lower() if sign not in "-_" and not sign.isspace())


_TAKEN = {_plain(name) for profile in _PROFILES[1:] for name in (profile, profile.removeprefix("csaf_"))}


def prohibited_category(advisory: Advisory) -> Iterator[str]:
    """6.1.26: what is of no profile is not called by the name of one, or nearly."""
    category = advisory.category
    if not isinstance(category, str) or category in _PROFILES:
        return
    if _plain(category) in _TAKEN or category.lower().startswith("csaf_"):
        yield "/document/category"


def no_notes(advisory: Advisory) -> Iterator[str]:
    """6.1.27.1."""
    notes = UNREAD.objects(advisory.document, "notes")
    if advisory.category in _INFORMATIONAL and not any(note.get("category") in _TELLING for note, _ in notes):
        yield "/document/notes"


def no_references(advisory: Advisory) -> Iterator[str]:
    """6.1.27.2."""
    references = UNREAD.objects(advisory.document, "references")
    if advisory.category in _INFORMATIONAL and not any(each.get("category") == "external" for each, _ in references):
        yield "/document/references"


def vulnerabilities_told(advisory: Advisory) -> Iterator[str]:
    """6.1.27.3."""
    if advisory.category == "csaf_informational_advisory" and "vulnerabilities" in advisory.root:
        yield "/vulnerabilities"


def no_product_tree(advisory: Advisory) -> Iterator[str]:
    """6.1.27.4."""
    if advisory.category in _SECURITY and "product_tree" not in advisory.root:
        yield "/product_tree"


def no_vulnerability_notes(advisory: Advisory) -> Iterator[str]:
    """6.1.27.5."""
    if advisory.category in _SECURITY:
        yield from (f"{path}/notes" for each, path in advisory.vulnerabilities if "notes" not in each)


def no_product_status(advisory: Advisory) -> Iterator[str]:
    """6.1.27.6."""
    if advisory.category == "csaf_security_advisory":
        yield from (f"{path}/product_status" for each, path in advisory.vulnerabilities if "product_status" not in each)


def no_vex_status(advisory: Advisory) -> Iterator[str]:
    """6.1.27.7."""
    for each, path in advisory.vulnerabilities if advisory.category == "csaf_vex" else ():
        if UNREAD.object(each, "product_status").keys().isdisjoint(_STATUSES):
            yield f"{path}/product_status"


def no_vulnerability_id(advisory: Advisory) -> Iterator[str]:
    """6.1.27.8."""
    if advisory.category == "csaf_vex":
        yield from (path for each, path in advisory.vulnerabilities if each.keys().isdisjoint(("cve", "ids")))


def no_impact_statement(advisory: Advisory) -> Iterator[str]:
    """6.1.27.9: why a product is not affected."""
    for each, path in advisory.vulnerabilities if advisory.category == "csaf_vex" else ():
        told = set[str]()
        for flag, _ in UNREAD.objects(each, "flags"):
            told |= members(advisory.tree, flag)
        for threat, _ in UNREAD.objects(each, "threats"):
            if threat.get("category") == "impact":
                told |= members(advisory.tree, threat)
        status = UNREAD.object(each, "product_status")
        if not told.issuperset(UNREAD.texts(status, "known_not_affected")):
            yield f"{path}/product_status/known_not_affected"


def no_action_statement(advisory: Advisory) -> Iterator[str]:
    """6.1.27.10: what to do about a product that is affected."""
    for each, path in advisory.vulnerabilities if advisory.category == "csaf_vex" else ():
        told = set[str]()
        for remedy, _ in UNREAD.objects(each, "remediations"):
            told |= members(advisory.tree, remedy)
        status = UNREAD.object(each, "product_status")
        if not told.issuperset(UNREAD.texts(status, "known_affected")):
            yield f"{path}/product_status/known_affected"


def no_vulnerabilities(advisory: Advisory) -> Iterator[str]:
    """6.1.27.11."""
    if advisory.category in _SECURITY and "vulnerabilities" not in advisory.root:
        yield "/vulnerabilities"
