"""The mandatory tests of CSAF 2.0, 6.1.1 to 6.1.33: each names its fault, with clause and place.

A document that fails one is read all the same: real publishers fail them too, and what they warn of is no less true.
Faults that decide how a product is read are noted where it is read (csaf_tree.py, csaf_products.py): 6.1.1 to 6.1.6,
6.1.13, 6.1.25 and 6.1.31. CSAF 2.1 numbers and words its tests otherwise: of it only those are noted.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import Generic, NamedTuple, TypeVar

from babel import Locale

from normalize import csaf_profiles as profiles
from normalize import csaf_revisions as revisions
from normalize import csaf_scores as scores
from normalize.csaf_profiles import UNREAD, Advisory, members
from normalize.csaf_scores import is_text
from normalize.csaf_tree import NO_GROUP, NO_PRODUCT, Tree
from normalize.lenient import Json, Parts, clean, cves_in

_MOST = 10
"""Places that a fault is told of, in one document."""
_TAG = re.compile(r"(?:[a-z]{2,8}|[xi](?=-))(?:-[a-z0-9]{1,8})*", re.IGNORECASE)
"""BCP 47 2.1, as far as it tells a language tag from something else."""
_VEX_REASONS = (
    "component_not_present", "inline_mitigations_already_exist", "vulnerable_code_cannot_be_controlled_by_adversary",
    "vulnerable_code_not_in_execute_path", "vulnerable_code_not_present",
)  # fmt: skip
_WEAKNESSES = {
    "improper input validation": "CWE-20",
    "improper limitation of a pathname to a restricted directory ('path traversal')": "CWE-22",
    "improper neutralization of special elements used in a command ('command injection')": "CWE-77",
    "improper neutralization of special elements used in an os command ('os command injection')": "CWE-78",
    "improper neutralization of input during web page generation ('cross-site scripting')": "CWE-79",
    "improper neutralization of special elements used in an sql command ('sql injection')": "CWE-89",
    "improper control of generation of code ('code injection')": "CWE-94",
    "improper restriction of operations within the bounds of a memory buffer": "CWE-119",
    "out-of-bounds read": "CWE-125",
    "integer overflow or wraparound": "CWE-190",
    "exposure of sensitive information to an unauthorized actor": "CWE-200",
    "improper privilege management": "CWE-269",
    "incorrect default permissions": "CWE-276",
    "improper authentication": "CWE-287",
    "missing authentication for critical function": "CWE-306",
    "cross-site request forgery (csrf)": "CWE-352",
    "concurrent execution using shared resource with improper synchronization ('race condition')": "CWE-362",
    "uncontrolled resource consumption": "CWE-400",
    "use after free": "CWE-416",
    "unrestricted upload of file with dangerous type": "CWE-434",
    "null pointer dereference": "CWE-476",
    "deserialization of untrusted data": "CWE-502",
    "out-of-bounds write": "CWE-787",
    "use of hard-coded credentials": "CWE-798",
    "missing authorization": "CWE-862",
    "incorrect authorization": "CWE-863",
    "server-side request forgery (ssrf)": "CWE-918",
}
"""MITRE's names of the weaknesses that its Top 25 of 2023 and 2024 name."""


Subject = TypeVar("Subject")


class Check(NamedTuple, Generic[Subject]):
    """One of the standard's tests, and what to say of a document that fails it."""

    clause: str
    fault: str
    places: Callable[[Subject], Iterator[str]]


def _unknown_products(advisory: Advisory) -> Iterator[str]:
    """6.1.1, of scores and threats, which are not read by product."""
    for each, path in advisory.vulnerabilities:
        for key, ids in (("scores", "products"), ("threats", "product_ids")):
            for holder, where in UNREAD.objects(each, key, path):
                listed = holder.get(ids)
                named = set(filter(is_text, listed)) if isinstance(listed, list) else set()
                if not all(advisory.tree.resolve(clean(each)) for each in named - advisory.tree.products.keys()):
                    yield f"{where}/{ids}"


def _unknown_groups(advisory: Advisory) -> Iterator[str]:
    """6.1.4, of threats."""
    for each, path in advisory.vulnerabilities:
        for threat, where in UNREAD.objects(each, "threats", path):
            if not set(UNREAD.texts(threat, "group_ids")) <= advisory.tree.groups.keys():
                yield f"{where}/group_ids"


def _wrong_weakness(advisory: Advisory) -> Iterator[str]:
    """6.1.11, as far as that a name is another weakness's: names change between the versions of CWE."""
    for each, path in advisory.vulnerabilities:
        cwe = UNREAD.object(each, "cwe")
        name = " ".join(UNREAD.text(cwe, "name").lower().split())
        if _WEAKNESSES.get(name, cwe.get("id")) != cwe.get("id"):
            yield f"{path}/cwe"


def _wrong_language(advisory: Advisory) -> Iterator[str]:
    """6.1.12: of the form of BCP 47, and a language of two letters exists."""
    for key in ("lang", "source_lang"):
        text = UNREAD.text(advisory.document, key)
        language = text.lower().partition("-")[0]
        known = _TAG.fullmatch(text) and (len(language) != 2 or language in _languages())
        if text and not known:
            yield f"/document/{key}"


@lru_cache(maxsize=1)
def _languages() -> frozenset[str]:
    """Those of two letters (CLDR has all of ISO 639-1)."""
    return frozenset(code for code in map(str, Locale("en").languages) if len(code) == 2)


def _untold_translation(advisory: Advisory) -> Iterator[str]:
    """6.1.15: a translator says from which language."""
    translated = UNREAD.object(advisory.document, "publisher").get("category") == "translator"
    if translated and not UNREAD.text(advisory.document, "source_lang"):
        yield "/document/source_lang"


def _no_translation(advisory: Advisory) -> Iterator[str]:
    """6.1.28."""
    source = UNREAD.text(advisory.document, "source_lang")
    if source and source.lower() == UNREAD.text(advisory.document, "lang").lower():
        yield "/document/source_lang"


def _repeated_cve(advisory: Advisory) -> Iterator[str]:
    """6.1.23."""
    seen: set[str] = set()
    for each, path in advisory.vulnerabilities:
        for cve in cves_in(UNREAD.text(each, "cve")):
            if cve in seen:
                yield f"{path}/cve"
            seen.add(cve)


def _repeated_involvement(advisory: Advisory) -> Iterator[str]:
    """6.1.24."""
    for each, path in advisory.vulnerabilities:
        said = ((item.get("party"), item.get("date")) for item, _ in UNREAD.objects(each, "involvements"))
        if any(count > 1 for count in Counter(map(str, said)).values()):
            yield f"{path}/involvements"


def _of_no_product(key: str) -> Callable[[Advisory], Iterator[str]]:
    """6.1.29, 6.1.32."""

    def places(advisory: Advisory) -> Iterator[str]:
        for each, path in advisory.vulnerabilities:
            for holder, where in UNREAD.objects(each, key, path):
                if holder.keys().isdisjoint(("product_ids", "group_ids")):
                    yield where

    return places


def _several_reasons(advisory: Advisory) -> Iterator[str]:
    """6.1.33: one reason a product why it is not affected."""
    for each, path in advisory.vulnerabilities:
        seen: set[str] = set()
        for flag, where in UNREAD.objects(each, "flags", path):
            named = members(advisory.tree, flag) if flag.get("label") in _VEX_REASONS else set()
            if not seen.isdisjoint(named):
                yield where
            seen |= named


_OF_DOCUMENT: tuple[Check[Advisory], ...] = (
    Check("6.1.1", NO_PRODUCT.partition(" (")[0], _unknown_products),
    Check("6.1.4", NO_GROUP.partition(" (")[0], _unknown_groups),
    Check("6.1.11", "the name of another CWE than its id is of", _wrong_weakness),
    Check("6.1.12", "not a language", _wrong_language),
    Check("6.1.15", "a translation that does not say from which language", _untold_translation),
    Check("6.1.23", "a CVE of two vulnerabilities", _repeated_cve),
    Check("6.1.24", "two involvements of one party on one date", _repeated_involvement),
    Check("6.1.26", "a category that is nearly the name of a profile", profiles.prohibited_category),
    Check("6.1.27.1", "an informational document without notes", profiles.no_notes),
    Check("6.1.27.2", "an informational document without external references", profiles.no_references),
    Check("6.1.27.3", "vulnerabilities in an informational advisory", profiles.vulnerabilities_told),
    Check("6.1.27.4", "a security advisory without product tree", profiles.no_product_tree),
    Check("6.1.27.5", "a vulnerability without notes", profiles.no_vulnerability_notes),
    Check("6.1.27.6", "a vulnerability without product status", profiles.no_product_status),
    Check("6.1.27.7", "a VEX without product status", profiles.no_vex_status),
    Check("6.1.27.8", "a vulnerability without an id", profiles.no_vulnerability_id),
    Check("6.1.27.9", "a product that is not affected, and not why", profiles.no_impact_statement),
    Check("6.1.27.10", "a product that is affected, and not what to do", profiles.no_action_statement),
    Check("6.1.27.11", "a security advisory without vulnerabilities", profiles.no_vulnerabilities),
    Check("6.1.28", "a translation into the language it is from", _no_translation),
    Check("6.1.29", "a remediation of no product", _of_no_product("remediations")),
    Check("6.1.32", "a flag of no product", _of_no_product("flags")),
    Check("6.1.33", "two reasons why a product is not affected", _several_reasons),
)
_OF_HISTORY: tuple[Check[revisions.Revisions], ...] = (
    Check("6.1.14", "a revision history whose numbers and dates differ in order", revisions.unsorted),
    Check("6.1.16", "not the version of the latest revision", revisions.not_latest),
    Check("6.1.17", "a version before the first release that is no draft", revisions.released_as_draft),
    Check("6.1.18", "a revision before the first release, of a released document", revisions.initial_in_history),
    Check("6.1.19", "a pre-release in the revision history", revisions.pre_release_in_history),
    Check("6.1.20", "a pre-release that is no draft", revisions.released_as_pre_release),
    Check("6.1.21", "a revision that is left out of the history", revisions.missing_item),
    Check("6.1.22", "a revision that stands twice in the history", revisions.twice_in_history),
    Check("6.1.30", "versions of two schemes", revisions.mixed),
)
_OF_SCORES: tuple[Check[list[scores.Scored]], ...] = (
    Check("6.1.7", "two CVSS scores of one version for one product; the graver stands", scores.several),
    Check("6.1.8", "not a CVSS of its version; what can be read of it counts", scores.malformed),
    Check("6.1.9", "a CVSS score that is not what its vector gives; the graver stands", scores.miscounted),
    Check("6.1.10", "a CVSS property that contradicts the vector", scores.contradicting),
)


def check(root: Json, document: Json, vulnerabilities: list[tuple[Json, str]], tree: Tree, parts: Parts) -> None:
    """Note what does not pass, each fault at ten places at most."""
    if document.get("csaf_version") == "2.1":
        return
    _note(_OF_DOCUMENT, Advisory(root, document, vulnerabilities, tree), parts)
    _note(_OF_HISTORY, revisions.read(UNREAD.object(document, "tracking")), parts)
    _note(_OF_SCORES, scores.scored(vulnerabilities), parts)


def _note(checks: tuple[Check[Subject], ...], subject: Subject, parts: Parts) -> None:
    for each in checks:
        for place in islice(each.places(subject), _MOST):
            parts.note(f"{each.fault} (CSAF {each.clause})", place)
