"""CSAF 2.0 and 2.1 advisories and VEX, as real publishers write them.

One document in six fails the schema. What can be read is read; what cannot is a Problem with its JSON Pointer. Only a
document that cannot be an advisory at all (no `document`, no tracking id, no title) is refused. Products are read by
normalize/csaf_tree.py and csaf_products.py; what does not pass the standard's own tests is named by csaf_checks.py.
Sources: CSAF 2.0 (OASIS, 2022) 3.2, CSAF 2.1 3.2 and 4; NCSC-NL's notes go by title.
"""

import re
from datetime import datetime
from math import nan

from ingest import Source
from normalize import (
    Draft,
    Facts,
    Level,
    Normalized,
    NormalizeError,
    authored,
    csaf_checks,
    csaf_products,
    csaf_scores,
    sectors,
)
from normalize.csaf_tree import Tree
from normalize.lenient import Json, Parts, cves_in, decode, moment, web_addresses
from tlp import Label, UnknownMarkingError, markings

_NOT_ADVISORIES = {
    "feed": "a ROLIE feed: a list of advisories, not an advisory",
    "service": "a ROLIE service document, not an advisory",
    "categories": "a ROLIE category document, not an advisory",
    "aggregator": "a CSAF aggregator: a list of providers, not an advisory",
    "metadata_version": "CSAF provider metadata, not an advisory",
    "$schema": "a JSON schema, not an advisory",
}
_WITHDRAWN = frozenset({"csaf_withdrawn", "csaf_superseded"})
"""CSAF 2.1 4.6 and 4.7."""
_WITHDRAWN_TITLE = re.compile(r"^\W*(?:ingetrokken|withdrawn|retracted|rejected)\b", re.IGNORECASE)
_LEVELS: dict[str, Level] = {
    "low": "low", "laag": "low", "medium": "medium", "gemiddeld": "medium", "high": "high", "hoog": "high",
}  # fmt: skip
_REMEDIES = (
    "vendor_fix", "optional_patch", "mitigation", "workaround", "fix_planned", "no_fix_planned",
)  # fmt: skip
_EXPLOITED = re.compile(
    r"\bexploited\s*:\s*yes|(?:actively|known to be|being|been|is|are|was) (?:\w+ )?exploited|exploited in the wild|"
    r"known exploited|active(?:ly)? exploit(?:ation|ing)|exploitation (?:has been |was )?(?:observed|reported)|"
    r"actief misbruik|wordt (?:\w+ )?misbruikt|(?:aktiv|wird|werden) ausgenutzt",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\bexploited\s*:\s*no|\b(?:no|not|not been|never|unaware|without|geen|niet|kein\w*|nicht|could be|may be|might be|"
    r"if|wenn|als)\b",
    re.IGNORECASE,
)
_GHSA = re.compile(r"GHSA(?:-[0-9a-z]{4}){3}", re.IGNORECASE)
_SCORE = re.compile(r"(?<![\d.:])(10\.0|\d\.\d)(?![\d.])")
_MOST_TEXT = 20_000
_MOST_NAMES = 5


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One advisory, with what of it could not be read. NormalizeError: this is no advisory."""
    root = decode(body)
    if not isinstance(root, dict):
        raise NormalizeError("a CSAF document is a JSON object")
    document = root.get("document")
    if not isinstance(document, dict):
        reason = next((words for key, words in _NOT_ADVISORIES.items() if key in root), None)
        raise NormalizeError(reason or "no CSAF document object", "" if reason else "/document")
    parts = Parts()
    draft = _draft(root, document, source, received_at, parts)
    return Normalized("csaf", (draft,), tuple(parts.problems))


def _draft(root: Json, document: Json, source: Source, received_at: datetime, parts: Parts) -> Draft:
    tracking = parts.object(document, "tracking", "/document")
    tracking_id = parts.text(tracking, "id", "/document/tracking")
    title = parts.text(document, "title", "/document")
    if not tracking_id:
        raise NormalizeError("an advisory without a tracking id", "/document/tracking/id")
    if not title:
        raise NormalizeError("an advisory without a title", "/document/title")
    label, doubts = _label(document, tracking)
    publisher = parts.object(document, "publisher", "/document")
    notes = _notes(document, "/document", parts)
    vulnerabilities = list(parts.objects(root, "vulnerabilities"))
    tree = Tree(root, document, parts)
    remedies = _remedies(vulnerabilities, notes, tree, parts)
    facts = _facts(document, tracking, vulnerabilities, notes, tree, remedies, parts)
    summary = _summary(notes, vulnerabilities, parts)
    language = (parts.text(document, "lang", "/document") or source.language).partition("-")[0].lower()
    current = moment(tracking.get("current_release_date"))
    if current is None:
        parts.note("a release date that cannot be read", "/document/tracking/current_release_date")
    references = _references(document, vulnerabilities, parts)
    csaf_checks.check(root, document, vulnerabilities, tree, parts)
    modified = current or received_at
    objects = authored.report(
        source=source.id,
        key=tracking_id,
        publisher=parts.text(publisher, "name", "/document/publisher") or source.name,
        title=title,
        summary=summary,
        language=language,
        created=moment(tracking.get("initial_release_date")) or modified,
        modified=modified,
        references=references,
        cves=facts.cves,
        remedies=remedies,
        affected=facts.affected,
        label=label,
    )
    return Draft("advisory", tracking_id, title, summary, language, facts, objects, references, label, doubts, current)


def _label(document: Json, tracking: Json) -> tuple[Label | None, tuple[str, ...]]:
    doubts = ["draft"] if tracking.get("status") == "draft" else []
    try:
        return markings.of_csaf(document), tuple(doubts)
    except UnknownMarkingError:
        return None, ("unknown-marking", *doubts)


def _facts(
    document: Json,
    tracking: Json,
    vulnerabilities: list[tuple[Json, str]],
    notes: dict[str, list[str]],
    tree: Tree,
    remedies: dict[str, list[str]],
    parts: Parts,
) -> Facts:
    tracking_id = parts.text(tracking, "id")
    aliases = [*parts.texts(tracking, "aliases", "/document/tracking"), *_advisories(vulnerabilities, parts)]
    cves = list(dict.fromkeys(cve for v, path in vulnerabilities if (cve := _cve(v, path, parts))))
    category = parts.text(document, "category", "/document")
    return Facts(
        tracking=tuple(dict.fromkeys([tracking_id, *(alias for alias in aliases if alias and not cves_in(alias))])),
        cves=tuple(cves) or cves_in(tracking_id, *aliases),
        affected=csaf_products.affected(tree, vulnerabilities, parts),
        sectors=sectors.of_words(*notes.get("critical infrastructure sectors", ())),
        kans=_level(notes, "kans"),
        schade=_level(notes, "schade"),
        cvss=_cvss(vulnerabilities, parts),
        exploited=_exploited(vulnerabilities, parts),
        remedies=tuple(remedies),
        withdrawn=category in _WITHDRAWN or bool(_WITHDRAWN_TITLE.match(parts.text(document, "title"))),
    )


def _advisories(vulnerabilities: list[tuple[Json, str]], parts: Parts) -> list[str]:
    """GHSA ids of the vulnerability that the document is about, where it is about one (CSAF 2.0 3.2.3.6)."""
    if len(vulnerabilities) != 1:
        return []
    ((vulnerability, where),) = vulnerabilities
    ids = parts.objects(vulnerability, "ids", where)
    return [text for each, path in ids if _GHSA.fullmatch(text := parts.text(each, "text", path))]


def _cve(vulnerability: Json, path: str, parts: Parts) -> str:
    text = parts.text(vulnerability, "cve", path)
    found = cves_in(text)
    if text and not found:
        parts.note("not a CVE id", f"{path}/cve")
    return found[0] if found else ""


def _notes(parent: Json, path: str, parts: Parts) -> dict[str, list[str]]:
    """Texts by title and by category, both in lower case: NCSC-NL's notes go by title."""
    notes: dict[str, list[str]] = {}
    for note, where in parts.objects(parent, "notes", path):
        text = parts.text(note, "text", where)
        if not text:
            continue
        for name in {parts.text(note, "title", where).lower(), "category:" + parts.text(note, "category", where)}:
            notes.setdefault(name, []).append(text)
    return notes


def _level(notes: dict[str, list[str]], title: str) -> Level | None:
    """The gravest of the notes of that title (kans, schade)."""
    found = [_LEVELS[word] for text in notes.get(title, ()) if (word := text.strip().lower()) in _LEVELS]
    return max(found, key=("low", "medium", "high").index, default=None)


def _summary(notes: dict[str, list[str]], vulnerabilities: list[tuple[Json, str]], parts: Parts) -> str:
    """Feiten and Interpretaties where they stand; else summary, description; else those of the vulnerabilities."""
    wanted = [*notes.get("feiten", ()), *notes.get("interpretaties", ())]
    wanted = wanted or [*notes.get("category:summary", ()), *notes.get("category:description", ())]
    if not wanted:
        for vulnerability, path in vulnerabilities:
            own = _notes(vulnerability, path, parts)
            wanted += own.get("category:summary", []) or own.get("category:description", [])
    return "\n\n".join(dict.fromkeys(wanted))[:_MOST_TEXT]


def _remedies(
    vulnerabilities: list[tuple[Json, str]], notes: dict[str, list[str]], tree: Tree, parts: Parts
) -> dict[str, list[str]]:
    """What to do -> the CVEs it is for; Oplossingen and vendor fixes first, each text once."""
    every = [cve for v, _ in vulnerabilities for cve in cves_in(str(v.get("cve", "")))]
    ranked: list[tuple[int, str, str]] = []
    for vulnerability, path in vulnerabilities:
        cve = (cves_in(str(vulnerability.get("cve", ""))) or ("",))[0]
        listed = [
            (remedy, where, tree.names(tree.listed(remedy, where, parts)))
            for remedy, where in parts.objects(vulnerability, "remediations", path)
        ]
        products = {name for _, _, names in listed for name in names}
        for remedy, where, names in listed:
            category = parts.text(remedy, "category", where)
            text = parts.text(remedy, "details", where)[:_MOST_TEXT]
            if category == "none_available" or text in ("", "N/A"):
                continue
            rank = _REMEDIES.index(category) if category in _REMEDIES else len(_REMEDIES)
            ranked.append((rank, text if products == set(names) else _for(names, text), cve))
    remedies: dict[str, list[str]] = {text: list(every) for text in notes.get("oplossingen", ())}
    spelled = {" ".join(text.split()): text for text in remedies}
    for _, text, cve in sorted(ranked, key=lambda found: found[0]):
        remedies.setdefault(spelled.setdefault(" ".join(text.split()), text), []).append(cve)
    return remedies


def _for(names: tuple[str, ...], text: str) -> str:
    """What to do, and for which products, where it is not for all of them: `Update to V2404.0` says little."""
    unsaid = [name for name in names if name.casefold() not in text.casefold()]
    if not unsaid or len(unsaid) < len(names):
        return text
    return f"{', '.join(unsaid[:_MOST_NAMES])}{', ...' if len(unsaid) > _MOST_NAMES else ''}: {text}"


def _cvss(vulnerabilities: list[tuple[Json, str]], parts: Parts) -> float | None:
    """The highest base score: CSAF 2.0 `scores`, 2.1 `metrics`, and NCSC-NL's note CVSSV4 where it names one."""
    found: list[float] = []
    for vulnerability, path in vulnerabilities:
        contents = [score for score, _ in parts.objects(vulnerability, "scores", path)]
        for metric, where in parts.objects(vulnerability, "metrics", path):
            contents.append(parts.object(metric, "content", where))
        for content in contents:
            for version in ("cvss_v4", "cvss_v3", "cvss_v2"):
                score = content.get(version)
                found += _score(score) if isinstance(score, dict) else []
        for text in _notes(vulnerability, path, parts).get("cvssv4", ()):
            found += [float(number) for number in _SCORE.findall(re.sub(r"CVSS:4\.0\S*", " ", text))]
    return max(found, default=None)


def _score(content: Json) -> list[float]:
    """What is stated, and what the vector gives: the graver counts."""
    vector = csaf_scores.vector(content)
    try:
        stated = float(content.get("baseScore", "nan"))
    except (TypeError, ValueError):
        stated = nan
    return [score for score in (stated, vector.base if vector else nan) if 0 <= score <= 10]


def _exploited(vulnerabilities: list[tuple[Json, str]], parts: Parts) -> bool | None:
    """True when a publisher says so, False when one denies it and none says so; else None."""
    denied = False
    for vulnerability, path in vulnerabilities:
        if vulnerability.get("first_known_exploitation_dates"):  # CSAF 2.1 3.2.4.6
            return True
        for threat, where in parts.objects(vulnerability, "threats", path):
            if threat.get("category") != "exploit_status":
                continue
            for sentence in re.split(r"[.;\n]", parts.text(threat, "details", where)):
                if not re.search(r"exploited|misbruik|exploitation|exploiting|ausgenutzt", sentence, re.IGNORECASE):
                    continue
                no = _DENIED.search(sentence)
                if not no and _EXPLOITED.search(sentence):
                    return True
                denied |= bool(no) and not re.search(r"could|may|might|likely|\bif\b", sentence, re.IGNORECASE)
    return False if denied else None


def _references(document: Json, vulnerabilities: list[tuple[Json, str]], parts: Parts) -> tuple[str, ...]:
    """Addresses, the document's own ones first."""
    found: list[tuple[bool, str]] = []
    for holder, path in [(document, "/document"), *vulnerabilities]:
        for reference, where in parts.objects(holder, "references", path):
            found.append((reference.get("category") != "self", parts.text(reference, "url", where)))
    return web_addresses([url for _, url in sorted(found, key=lambda pair: pair[0])])
