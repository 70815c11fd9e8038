"""View + Advice -> subject, text and HTML that people act on, in plain language for three registers.

The order is that of the reader's questions; the first screen of a phone answers: is it about us, how bad, by when,
what do I do. HTML has no remote content, no script and no tracking; every value is escaped, and a name that a
template uses and the renderer does not give is an error.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from dispatch import View, wording
from dispatch.feedback import ANSWERS
from dispatch.lines import indicator_line, links, own_lines, seen_line, version_line, webby
from dispatch.wording import Lines, capped, harmless, moment, number, plain, words
from filtering import Reason
from normalize import Observable
from subscribers import Subscriber
from tlp import Label
from triage.advice import Advice, due
from triage.catalogue import Register

MessageKind = Literal["alert", "update", "reminder", "withdrawal"]
SUBJECT = 70
"""Most characters of a subject after the label."""
COLOURS = {"CLEAR": "#ffffff", "GREEN": "#33ff00", "AMBER": "#ffc000", "AMBER+STRICT": "#ffc000", "RED": "#ff2b2b"}
"""FIRST TLP 2.0, on black."""
BANDS = {"today": "#a31515", "this-week": "#8a4500", "info": "#154273"}
"""White text stands out on each by at least 6:1 (WCAG 2.2 1.4.3)."""
_FIRST = 5
"""Rows of the reader's own before the steps; the others follow below, so that the steps stay on the first screen."""
_CAPS: dict[Register, dict[str, int]] = {
    "zzp": {"versions": 5, "own": 10, "indicators": 25, "references": 3, "remedies": 0, "summary": 500},
    "mkb": {"versions": 10, "own": 25, "indicators": 25, "references": 5, "remedies": 3, "summary": 800},
    "mature": {"versions": 40, "own": 50, "indicators": 60, "references": 10, "remedies": 8, "summary": 2000},
}


@dataclass(frozen=True, slots=True)
class Service:
    """Who writes: as recipients see it."""

    name: str = "OKTT"
    site: str = "oktt.example"
    """Shown, never linked: readers type it themselves."""
    contact: str = "meldpunt@oktt.example"


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as people read it."""

    subject: str
    text: str
    html: str
    language: str


def outside(label: Label, number: str) -> str:
    """The subject of what only its recipient may read, for everybody to see."""
    return f"TLP:{label.value} {number}"


class Renderer:
    """Templates, loaded once. Safe to share between threads."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._env = Environment(
            loader=FileSystemLoader(wording.TEMPLATES),
            autoescape=select_autoescape(("html",)),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._env.filters |= {"fold": wording.fold, "item": wording.item, "head": wording.head}
        self._env.globals["colours"] = COLOURS
        files = sorted(path for path in wording.TEMPLATES.iterdir() if path.is_file())
        self.version = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
        """Hash of templates and fixed words: what an approval is bound to."""

    def message(
        self,
        view: View,
        advice: Advice,
        *,
        kind: MessageKind,
        subscriber: Subscriber,
        register: Register,
        at: datetime,
        attached: bool = False,
        changes: Sequence[str] = (),
        notes: Sequence[str] = (),
        answer: str = "",
    ) -> Rendered:
        """An alert, an update (`changes`: see dispatch.changes), a reminder or a withdrawal, for one subscriber.

        `at` (when it was queued; of a reminder, what it reminds of) sets the deadline. `notes` are an analyst's own
        words. `attached`: STIX and CSV come with it. `answer`: where this recipient says what became of it.
        """
        language, advice = subscriber.language, clean(advice)
        content = _content(view, advice, register, language, kind, at)
        content |= self.frame(view.label, language, subject(view, advice, kind, language))
        content |= {
            "real": self.real(language, view.item),
            "receive": self.receive(subscriber),
            "attached": attached,
            "changes": [plain(line) for line in changes],
            "notes": [plain(line, 600) for line in notes],
            "answers": [(words(language)["answer"][each], f"{answer}?answer={each}") for each in ANSWERS if answer],
        }
        if kind == "withdrawal":
            # Perhaps it should never have gone out: what it said is not said again.
            content |= {"facts": content["facts"][-1:], "remedies": Lines(()), "details": [], "references": []}
            content |= {"answers": []}
        return self.fill("message", content)

    def stub(self, label: Label, number: str, subscriber: Subscriber, *, taxii: bool, broken: bool) -> Rendered:
        """That there is a message which may not go this way, and where it is read: nothing else of it.

        `taxii`: the subscriber has a collection of its own; `broken`: it gave a key that cannot be used.
        """
        language = subscriber.language
        lines = [self._say(language, "stub")]
        lines += [self._say(language, "stub_taxii" if taxii else "stub_call", number=number)]
        lines += [self._say(language, "stub_broken" if broken else "stub_key")]
        content = self.frame(label, language, outside(label, number)) | {
            "headline": self._say(language, "stub_head", number=number),
            "band": BANDS["info"],
            "lines": lines,
            "real": self.real(language, number),
            "receive": self.receive(subscriber),
        }
        return self.fill("stub", content)

    def frame(self, label: Label, language: str, subject: str) -> dict[str, Any]:
        """What every message has: words, label, footer."""
        return {
            "w": words(language),
            "lang": language,
            "label": label.value,
            "subject": subject,
            "footer": self._say(language, "footer"),
        }

    def fill(self, template: str, content: dict[str, Any]) -> Rendered:
        """Both forms of a template."""
        text = self._env.get_template(f"{template}.txt").render(content)
        html = self._env.get_template(f"{template}.html").render(content)
        return Rendered(content["subject"], text.strip() + "\n", html, content["lang"])

    def _say(self, language: str, key: str, **values: str) -> str:
        s = self.service
        return words(language)["text"][key].format(service=s.name, site=s.site, contact=s.contact, **values)

    def receive(self, subscriber: Subscriber) -> str:
        """Why this subscriber gets messages, and how to change or stop that."""
        return self._say(subscriber.language, "receive", name=plain(subscriber.name, 120))

    def real(self, language: str, identifier: str) -> str:
        """How to check that a message is real."""
        return self._say(language, "real", number=identifier)


def clean(advice: Advice) -> Advice:
    """Advice as it may be printed: it names products and titles as the outside world writes them."""
    return replace(
        advice,
        headline=plain(advice.headline),
        risk=plain(advice.risk, 1200),
        steps=tuple(plain(step, 1200) for step in advice.steps),
        detection=tuple(plain(line, 1200) for line in advice.detection),
        time_needed=plain(advice.time_needed),
        self_check=plain(advice.self_check, 1200),
        if_you_cannot=plain(advice.if_you_cannot, 1200),
        forward_text=plain(advice.forward_text, 1200),
    )


def subject(view: View, advice: Advice, kind: MessageKind, language: str) -> str:
    """`TLP:CLEAR [VANDAAG] FortiGate: zet beheer via internet uit (OKTT-2026-0412)`: label, then at most 70."""
    level = words(language)["level"][view.urgency if kind == "alert" else kind]
    ends = f" ({view.item})"
    room = SUBJECT - len(level) - 3 - len(ends)
    return f"{view.label} [{level}] {plain(advice.headline, room)}{ends}"


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


def why(reasons: Sequence[Reason], register: Register, language: str) -> list[str]:
    """What of the reader's matched, and how sure that is. Ranges only for who reads those."""
    texts = words(language)["why"]
    lines = []
    for reason in reasons:
        if reason.criterion not in ("software", "network", "domain", "sector"):
            continue
        value = plain(reason.value if register == "mature" else reason.value.split(" in ")[0])
        line = texts[reason.criterion].format(value=value)
        lines.append(f"{line} ({texts[reason.confidence]})" if reason.criterion == "software" else line)
    return list(dict.fromkeys(lines))


def _content(
    view: View, advice: Advice, register: Register, language: str, kind: MessageKind, at: datetime
) -> dict[str, Any]:
    w, caps = words(language), _CAPS[register]
    own = own_lines(view, language)
    strange = [o for o in view.observables if not o.own]
    trusted = [urlsplit(url).hostname or "" for url in view.references if webby(url)]
    reasons = why(view.reasons, register, language)
    foreign = view.language if view.language and view.language != language else ""

    def harm(text: str, most: int) -> str:
        # Cut before searching: thousands of indicators in a whole report would cost seconds.
        return plain(harmless(plain(text, 2 * most), view.observables, trusted), most)

    return {
        "level": w["level"][view.urgency if kind == "alert" else kind],
        "band": BANDS["info" if kind == "withdrawal" else view.urgency],
        "deadline": deadline(view, kind, language, at),
        "headline": harm(advice.headline, 200),
        "headline_lang": foreign if advice.headline == view.title else "",
        "withdrawn": kind == "withdrawal",
        "why": w["why"]["concerned" if reasons or own else "general"],
        "reasons": capped(reasons, 10, language).lines,
        "own": capped(own, _FIRST, language),
        "advice": advice,
        "forward": "" if view.label >= Label.AMBER_STRICT else advice.forward_text,
        "facts": facts(view, register, language),
        "title": harm(view.title, 300),
        "summary": harm(view.summary, caps["summary"]),
        "content_lang": foreign,
        "remedies": _remedies(view, harm, caps["remedies"], language),
        "details": _details(view, own[_FIRST:], strange, caps, language),
        "references": links(view, strange, caps["references"]),
    }


def _remedies(view: View, harm: Callable[[str, int], str], most: int, language: str) -> Lines:
    shown = capped(view.remedies, most, language) if most else Lines(())
    return Lines(tuple(harm(remedy, 400) for remedy in shown.lines), shown.more)


def facts(view: View, register: Register, language: str) -> list[tuple[str, str]]:
    """How bad, how sure, from whom and how fresh: name and value."""
    w = words(language)
    f = w["facts"]
    found: list[tuple[str, str]] = []
    found += [(f["likelihood"], f[view.kans])] if view.kans else []
    found += [(f["damage"], f[view.schade])] if view.schade else []
    seen = {True: "exploited_yes", False: "exploited_no", None: "exploited_unknown"}[view.exploited]
    if view.kind in ("advisory", "report"):
        found.append((f["exploited"], f[seen]))
    if view.cvss is not None and register != "zzp":
        found.append((f["score"], number(view.cvss, language, 1)))
    if view.epss is not None and register == "mature":
        found.append((f["probability"], f"{number(view.epss * 100, language, 1)}%"))
    grades = view.grades if register == "mature" and view.grades else ("",) * len(view.sources)
    sources = [
        plain(name, 80) + (f" ({f['grade'].format(grade=plain(grade, 10))})" if grade else "")
        for name, grade in zip(view.sources, grades, strict=True)
    ]
    found.append((f["source"], ", ".join(sources)))
    received = moment(view.received_at, language)
    if view.source_time is not None:
        found.append((f["published"], moment(view.source_time, language)))
        late = wording.span(view.received_at - view.source_time, language)
        received += f" ({w['text']['later'].format(span=late)})"
    found.append((f["received"], received))
    found.append((f["number"], f["version"].format(item=view.item, version=view.version)))
    return found


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
    versions = list(dict.fromkeys(version_line(each, language) for each in view.affected))
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
