"""What differs between two versions of a view, in sentences: the body of an update."""

from typing import Literal

from dispatch import View
from dispatch.lines import indicator_line, seen_line, stated, version_lines
from dispatch.wording import number, plain, words

_MOST = 5


Turn = Literal["raised", "lowered", ""]
_RANKS = {"info": 0, "this-week": 1, "today": 2, "low": 0, "medium": 1, "high": 2}


def turn(before: View, after: View) -> Turn:
    """Is it graver than it was, or less grave? By urgency, then exploitation, kans and schade, then the class of its
    score; what only one of both says does not count."""
    pairs = [(_RANKS[before.urgency], _RANKS[after.urgency]), (bool(before.exploited), bool(after.exploited))]
    levels = ((before.kans, after.kans), (before.schade, after.schade))
    pairs += [(_RANKS[old], _RANKS[new]) for old, new in levels if old and new]
    if before.cvss is not None and after.cvss is not None:
        pairs.append((_severity(before.cvss), _severity(after.cvss)))
    moved = next(((old, new) for old, new in pairs if old != new), None)
    return "" if moved is None else "raised" if moved[1] > moved[0] else "lowered"


def _severity(score: float) -> int:
    """CVSS: low, medium, high, critical."""
    return sum(score >= bound for bound in (4.0, 7.0, 9.0))


def changes(before: View, after: View, language: str) -> tuple[str, ...]:
    """Sentences for one reader, gravest first. Never empty: at least that the text was adapted."""
    w = words(language)
    c, f = w["change"], w["facts"]
    found: list[str] = []
    if after.exploited and not before.exploited:
        found.append(c["exploited"])
    if before.urgency != after.urgency:
        found.append(
            c["urgency"].format(before=w["level"][before.urgency].lower(), after=w["level"][after.urgency].lower())
        )
    for key, old, new in (("likelihood", before.kans, after.kans), ("damage", before.schade, after.schade)):
        if old != new and new:
            found.append(c[key].format(before=f[old] if old else f["exploited_unknown"], after=f[new]))
    if before.cvss is not None and after.cvss is not None and before.cvss != after.cvss:
        scores = (number(score, language, 1) for score in (before.cvss, after.cvss))
        found.append(c["score"].format(before=next(scores), after=next(scores)))
    found += _lists(before, after, language)
    if before.remedies != after.remedies:
        found.append(c["remedies"])
    if before.label != after.label:
        found.append(c["label"].format(before=before.label, after=after.label))
    return tuple(found) or (c["other"],)


def _lists(before: View, after: View, language: str) -> list[str]:
    c, found = words(language)["change"], []
    known = set(before.cves)
    if new := [cve for cve in after.cves if cve not in known]:
        found.append(c["cves"].format(values=_some(new, language)))
    hit = f" ({words(language)['status']['affected']})"
    for key, here, there in (("versions_added", after, before), ("versions_removed", before, after)):
        known_there = {stated(each, language) for each in there.affected}
        differ = [each for each in here.affected if stated(each, language) not in known_there]
        lines = version_lines(differ, language)
        affected = [line.removesuffix(hit) for line in lines if line.endswith(hit)]
        others = [line for line in lines if not line.endswith(hit)]
        if affected:
            found.append(c[key].format(values=_some(affected, language, "; ")))
        if others and key == "versions_added":
            found.append(c["versions_stated"].format(values=_some(others, language, "; ")))
    had = {(o.type, o.value, o.port) for o in before.observables}
    fresh = [o for o in after.observables if (o.type, o.value, o.port) not in had]
    own = [seen_line(o, language) for o in fresh if o.own]
    strange = [indicator_line(o, language) for o in fresh if not o.own]
    for key, lines in (("observables", own), ("indicators", strange)):
        if lines:
            found.append(c[key].format(count=number(len(lines), language), values=_some(lines, language, "; ")))
    return found


def _some(values: list[str], language: str, between: str = ", ") -> str:
    more = len(values) - _MOST
    rest = [words(language)["text"]["more"].format(count=more)] if more > 0 else []
    return plain(between.join([*values[:_MOST], *rest]), 900)
