"""What a message tells one reader, part by part: by when, what was seen, how bad it is, from whom it comes.

Free text of sources comes out with its indicators defanged, every list with an exact "and N more".
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from dispatch import View, wording
from dispatch.lines import indicator_line, links, own_lines, seen_line, version_lines, webby
from dispatch.wording import Lines, capped, harmless, moment, number, plain, words
from normalize import Observable
from tlp import Label
from triage.advice import Advice, due
from triage.catalogue import Register

MessageKind = Literal["alert", "update", "reminder", "withdrawal"]
BANDS = {"today": "#a31515", "this-week": "#8a4500", "info": "#154273"}
"""White text stands out on each by at least 6:1 (WCAG 2.2 1.4.3)."""
_FIRST = 2
"""Rows of the reader's own before the steps; the others follow below, so that the steps stay on the first screen."""
CAPS: dict[Register, dict[str, int]] = {
    "zzp": {"versions": 5, "own": 10, "indicators": 25, "references": 3, "remedies": 0, "summary": 500},
    "mkb": {"versions": 10, "own": 25, "indicators": 25, "references": 5, "remedies": 3, "summary": 800},
    "mature": {"versions": 40, "own": 50, "indicators": 60, "references": 10, "remedies": 8, "summary": 2000},
}
"""How many lines of each a register reads, and characters of the summary."""


def deadline(view: View, kind: MessageKind, language: str, at: datetime) -> str:
    """By when to act, in words."""
    texts = words(language)["deadline"]
    until = due(view.urgency, at)
    if kind == "reminder" and until is not None:
        return texts["reminder"].format(day=wording.day(until, language), time=wording.clock(until))
    if kind == "withdrawal" or until is None:
        return texts["withdrawal" if kind == "withdrawal" else "info"]
    late = view.urgency == "today" and until.date() != at.astimezone(wording.ZONE).date()
    text = texts["today_late" if late else view.urgency]
    return text.format(day=wording.day(until, language), time=wording.clock(until))


def content(
    view: View,
    advice: Advice,
    register: Register,
    language: str,
    kind: MessageKind,
    at: datetime,
    caps: dict[str, int] | None = None,
    first: int = _FIRST,
) -> dict[str, Any]:
    """What the template of a message fills in, of the view and the advice. `caps`: others than the register's;
    `first`: how many of the reader's own rows stand before the steps.

    An update is the difference and what to do: the rest stands in the message before. A withdrawal says nothing of what
    perhaps should never have gone out.
    """
    w, caps = words(language), caps or CAPS[register]
    own = own_lines(view, language)
    strange = [o for o in view.observables if not o.own]
    trusted = [urlsplit(url).hostname or "" for url in view.references if webby(url)]
    foreign = view.language if view.language and view.language != language else ""

    def harm(text: str, most: int) -> str:
        # Cut before searching: thousands of indicators in a whole report would cost seconds.
        return plain(harmless(plain(text, 2 * most), view.observables, trusted), most)

    whole, headline = kind in ("alert", "reminder"), harm(advice.headline, 200)
    return {
        "kind": kind,
        "level": w["level"][view.urgency if kind == "alert" else kind],
        "band": BANDS["info" if kind == "withdrawal" else view.urgency],
        "deadline": deadline(view, kind, language, at),
        "withdrawn": w["text"]["withdrawn"],
        "one_of": "",
        "headline": w["text"]["taken_back"].format(headline=headline) if kind == "withdrawal" else headline,
        "headline_lang": foreign if advice.headline == view.title else "",
        "own": capped(own, first, language) if whole else Lines(()),
        "advice": advice,
        "principles": _principles(advice, language),
        "forward": "" if view.label >= Label.AMBER_STRICT else advice.forward_text,
        "facts": facts(view, register, language, kind),
        "title": harm(view.title, 300),
        "summary": harm(view.summary, caps["summary"]),
        "content_lang": foreign,
        "remedies": _remedies(view, harm, caps["remedies"], language),
        "details": _details(view, own[first:], strange, caps, language) if whole else [],
        "references": links(view, strange, caps["references"]) if whole else [],
    }


def _principles(advice: Advice, language: str) -> str:
    """Which of the five basic principles of NCSC and DTC the steps serve."""
    w = words(language)
    named = "; ".join(w["principle"][each] for each in sorted(advice.principles, key=list(w["principle"]).index))
    return w["text"]["principles"].format(named=named)


def _remedies(view: View, harm: Callable[[str, int], str], most: int, language: str) -> Lines:
    shown = capped(view.remedies, most, language) if most else Lines(())
    return Lines(tuple(harm(remedy, 400) for remedy in shown.lines), shown.more)


def facts(view: View, register: Register, language: str, kind: MessageKind = "alert") -> list[tuple[str, str]]:
    """Name and value: how bad and how sure (of an alert), from whom and how fresh (not of a withdrawal), which."""
    f = words(language)["facts"]
    found = _grave(view, register, language) if kind in ("alert", "reminder") else []
    found += _sources(view, register, language) if kind != "withdrawal" else []
    return [*found, (f["number"], f["version"].format(item=view.item, version=view.version))]


def _grave(view: View, register: Register, language: str) -> list[tuple[str, str]]:
    f, found = words(language)["facts"], []
    found += [(f["likelihood"], f[view.kans])] if view.kans else []
    found += [(f["damage"], f[view.schade])] if view.schade else []
    seen = {True: "exploited_yes", False: "exploited_no", None: "exploited_unknown"}[view.exploited]
    if view.kind in ("advisory", "report"):
        found.append((f["exploited"], f[seen]))
    if view.cvss is not None and register != "zzp":
        found.append((f["score"], number(view.cvss, language, 1)))
    if view.epss is not None and register == "mature":
        found.append((f["probability"], f"{number(view.epss * 100, language, 1)}%"))
    return found


def _sources(view: View, register: Register, language: str) -> list[tuple[str, str]]:
    w = words(language)
    f = w["facts"]
    grades = view.grades if register == "mature" and view.grades else ("",) * len(view.sources)
    sources = [
        plain(name, 80) + (f" ({f['grade'].format(grade=plain(grade, 10))})" if grade else "")
        for name, grade in zip(view.sources, grades, strict=True)
    ]
    found = [(f["source"], ", ".join(sources))]
    received = moment(view.received_at, language)
    if view.source_time is not None:
        found.append((f["published"], moment(view.source_time, language)))
        late = wording.span(view.received_at - view.source_time, language)
        received += f" ({w['text']['later'].format(span=late)})"
    return [*found, (f["received"], received)]


def _details(
    view: View, own: Sequence[str], strange: Sequence[Observable], caps: dict[str, int], language: str
) -> list[dict[str, Any]]:
    w, parts = words(language), []
    if own:
        parts.append(_part(w["head"]["seen"], capped(own, caps["own"], language), mono=True))
    if view.days and view.days.previous and view.days.gone:
        rows = capped([seen_line(o, language) for o in view.days.gone], caps["own"], language)
        note = w["text"]["gone"].format(day=wording.day(view.days.previous, language))
        parts.append(_part(w["head"]["gone"], rows, note=note, mono=True))
    if view.cves:
        parts.append(_part(w["head"]["cves"], capped([plain(cve, 40) for cve in view.cves], 30, language)))
    versions = version_lines(view.affected, language)
    if versions:
        parts.append(_part(w["head"]["versions"], capped(versions, caps["versions"], language)))
    if strange:
        lines = [indicator_line(o, language) for o in strange]
        listed = capped(list(dict.fromkeys(lines)), caps["indicators"], language)
        parts.append(_part(w["head"]["indicators"], listed, note=w["text"]["defanged"], mono=True))
    if view.others:
        note = w["text"]["others"].format(count=number(view.others, language))
        parts.append(_part(w["head"]["details"], Lines(()), note=" ".join([note, *_course(view, language)])))
    return parts


def _course(view: View, language: str) -> list[str]:
    """How many systems of the whole report are new, were there before, and are gone: for who sees others as a count."""
    days = view.days
    if days is None or days.previous is None or days.open is None or days.still_open is None or days.closed is None:
        return []
    counts = {"systems": days.systems, "open": days.open, "still": days.still_open, "closed": days.closed}
    shown = {name: number(count, language) for name, count in counts.items()}
    return [words(language)["text"]["course"].format(day=wording.day(days.previous, language), **shown)]


def _part(heading: str, lines: Lines, note: str = "", mono: bool = False) -> dict[str, Any]:
    return {"head": heading, "lines": lines.lines, "more": lines.more, "note": note, "mono": mono}
