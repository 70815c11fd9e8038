"""View + Advice -> subject, text and HTML that people act on, in plain language for three registers.

The order is that of the reader's questions; the first screen of a phone answers: is it about us, how bad, by when,
what do I do. HTML has no remote content, no script and no tracking; every value is escaped, and a name that a
template uses and the renderer does not give is an error.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape

from dispatch import View, wording
from dispatch.body import BANDS, CAPS, MessageKind, content
from dispatch.feedback import ANSWERS
from dispatch.several import Also, one_of, several, told_all
from dispatch.sharing import limits_of, sharing
from dispatch.wording import moment, plain, words
from subscribers import Subscriber, SubscriberKind
from tlp import Label
from tlp.tags import Pap
from triage.advice import Advice
from triage.catalogue import Register

SUBJECT = 70
"""Most characters of a subject after the label."""
COLOURS = {"CLEAR": "#ffffff", "GREEN": "#33ff00", "AMBER": "#ffc000", "AMBER+STRICT": "#ffc000", "RED": "#ff2b2b"}
"""FIRST TLP 2.0, on black."""


@dataclass(frozen=True, slots=True)
class Service:
    """Who writes: as recipients see it."""

    name: str = "OKTT"
    site: str = "oktt.example"
    """Shown, never linked: readers type it themselves."""
    contact: str = "meldpunt@oktt.example"
    public: str = ""
    """Address of the page with what everybody may read; empty: there is none."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG that goes along in the mail, and is shown in it."""

    name: str
    """Under which the HTML names it (`cid:`): of its content."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as people read it."""

    subject: str
    text: str
    html: str
    language: str
    pictures: tuple[Picture, ...] = ()
    """That the HTML shows."""
    pieces: tuple[Sequence[str], Sequence[str]] | None = field(default=None, compare=False, repr=False)
    """Of text and HTML, in order: every other one stands in many messages, those between are this one's own."""


class _Form(NamedTuple):
    """A message in pieces; between them, names of what is its reader's own."""

    subject: str
    text: list[str]
    html: list[str]


class _More(NamedTuple):
    """What only some messages have."""

    changes: Sequence[str] = ()
    since: datetime | None = None
    notes: Sequence[str] = ()
    link: str = ""
    before: datetime | None = None
    also: Sequence[Also] = ()
    among: tuple[int, int] = (1, 0)


_SLOT = re.compile("\0([a-z]+)\0")
_SLOTS = {name: f"\0{name}\0" for name in ("told", "code", "answer", "receive")}
"""No text that comes from outside has these (`plain`)."""


def outside(label: Label, number: str, language: str) -> str:
    """The subject of what only its recipient may read, for everybody to see: that it is a message, and which."""
    return f"TLP:{label.value} {words(language)['text']['outside'].format(number=wording.named(number, language))}"


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
        code: str,
        attached: bool = False,
        changes: Sequence[str] = (),
        since: datetime | None = None,
        notes: Sequence[str] = (),
        answer: str = "",
        link: str = "",
        before: datetime | None = None,
        also: Sequence[Also] = (),
        among: tuple[int, int] = (1, 0),
    ) -> Rendered:
        """An alert, an update (`changes`: see dispatch.changes), a reminder or a withdrawal, for one subscriber.

        `at` (when it was queued; of a reminder, what it reminds of) sets the deadline; `code`: see dispatch.codes;
        `answer`: where this recipient says what became of it; `link`: what a partnership puts into what it passes on,
        empty: it passes on nothing. An update shows what is new `since` the message before it, and what to do.
        `before`: when its reader was told of the same systems already. `also`: the further items of a message that
        tells several; `among`: of how many items the message told of which this one is withdrawn, and how many others
        of it still stand. `notes` are an analyst's own words. `attached`: STIX and CSV come with it.
        """
        whole = (kind, register, subscriber.profile.kind, at, attached, bool(answer), advice)
        more = _More(tuple(changes), since, tuple(notes), link, before, tuple(also), among)
        if view.shared is None or kind != "alert" or more != _More():
            form = self._form(view, subscriber, *whole, more)
        else:
            form = view.shared.get(whole) or view.shared.setdefault(whole, self._form(view, subscriber, *whole))
        language, own = subscriber.language, {"code": code, "answer": answer}
        receive = self._say(language, "receive", name=plain(subscriber.name, 120))
        text, html = self._told(*told_all([view, *(each.view for each in also)], register, language))
        plainly = own | {"told": text, "receive": _folded(receive, language)}
        escaped = {name: str(escape(each)) for name, each in (own | {"receive": receive}).items()} | {"told": html}
        pieces = _filled(form.text, plainly), _filled(form.html, escaped)
        return Rendered(form.subject, "".join(pieces[0]), "".join(pieces[1]), language, pieces=pieces)

    def _form(
        self,
        view: View,
        subscriber: Subscriber,
        kind: MessageKind,
        register: Register,
        _: SubscriberKind,
        at: datetime,
        attached: bool,
        answered: bool,
        advice: Advice,
        more: _More = _More(),  # noqa: B008 - nothing more
    ) -> _Form:
        """A message but for what is its reader's own: all who see the same have the same one."""
        language, advice, answer = subscriber.language, clean(advice), _SLOTS["answer"] if answered else ""
        text, items = words(language)["text"], [Also(view, more.link), *more.also] if more.also else []
        filled = content(view, advice, register, language, kind, at)
        filled |= {} if more.before is None else {"level": words(language)["level"]["still"]}
        filled |= one_of(view.item, *more.among, language) if more.among[1] else {}
        named = subject(view, filled["one_of"] or advice.headline, filled["level"], language, len(items))
        filled |= self.frame(view.label, subscriber, named, view.item, _SLOTS["code"], limits_of(view))
        filled |= {
            "before": "" if more.before is None else text["before"].format(time=moment(more.before, language)),
            "told": _SLOTS["told"],
            "receive": _SLOTS["receive"],
            "receive_line": _SLOTS["receive"],
            "attached": attached,
            "changes": [plain(line, 900) for line in more.changes],
            "since": "" if more.since is None else text["since"].format(time=moment(more.since, language)),
            "notes": [plain(line, 600) for line in more.notes],
            "listing": _listing(answer, view, register) if kind != "withdrawal" else "",
            "answers": _answers(answer, language) if answer and kind != "withdrawal" else [],
            "passing_head": words(language)["digest"]["passing_head"],
            "passing": [text["passing"]] if more.link and not items else [],
            "link": more.link,
            "cards": [],
        }
        filled |= several(items, advice, register, language, kind, at, answer=answer) if items else {}
        made = self.fill("message", filled)
        return _Form(made.subject, _SLOT.split(made.text), _SLOT.split(made.html))

    @lru_cache(maxsize=4096)  # noqa: B019 - one renderer a process
    def _told(self, why: str, reasons: tuple[str, ...]) -> tuple[str, str]:
        """Why the reader gets it, as text and as HTML. Sectors and products have many readers in common."""
        made = [self._env.get_template(f"_why.{form}").render(why=why, reasons=reasons) for form in ("txt", "html")]
        return made[0].strip(), made[1].strip()

    def stub(
        self, label: Label, number: str, subscriber: Subscriber, *, code: str, taxii: bool, broken: bool
    ) -> Rendered:
        """That there is a message which may not go this way, and where it is read: nothing else of it.

        `taxii`: the subscriber has a collection of its own; `broken`: it gave a key that cannot be used.
        """
        language = subscriber.language
        lines = [self._say(language, "stub")]
        lines += [self._say(language, "stub_taxii" if taxii else "stub_call", number=number)]
        lines += [self._say(language, "stub_broken" if broken else "stub_key")]
        headline = self._say(language, "stub_head", number=wording.named(number, language))
        filled = self.frame(label, subscriber, f"TLP:{label.value} {headline}", number, code) | {
            "headline": headline,
            "band": BANDS["info"],
            "lines": lines,
        }
        return self.fill("stub", filled)

    def frame(
        self, label: Label, subscriber: Subscriber, subject: str, number: str, code: str, limits: Pap | None = None
    ) -> dict[str, Any]:
        """What every message has: words, label, how to check that it is real, and the footer."""
        language = subscriber.language
        share = sharing(label, subscriber.profile.kind, limits, language)
        return {
            "w": {**words(language), "share": {label.value: share}},
            "lang": language,
            "label": label.value,
            "subject": subject,
            "code": code,
            "real": self._say(language, "real", number=wording.named(number, language)),
            "receive": (receive := self._say(language, "receive", name=plain(subscriber.name, 120))),
            "receive_line": _folded(receive, language),
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


def _folded(receive: str, language: str) -> str:
    return wording.fold(f"{words(language)['head']['receive']}: {receive}")


def _filled(form: Sequence[str], own: Mapping[str, str]) -> list[str]:
    return [own[part] if number % 2 else part for number, part in enumerate(form)]


def _listing(address: str, view: View, register: Register) -> str:
    """Where the whole list is, if the message shows a part of it and has none attached."""
    many = sum(row.own for row in view.observables) > CAPS[register]["own"]
    return f"{address}/list.csv" if address and many and register != "mature" else ""


def _answers(address: str, language: str) -> list[tuple[str, str]]:
    return [(words(language)["answer"][each], f"{address}?answer={each}") for each in ANSWERS]


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


def subject(view: View, action: str, level: str, language: str, count: int = 0) -> str:
    """`TLP:CLEAR [VANDAAG] FortiGate: zet beheer via internet uit (OKTT-2026-0412)`: label, then at most 70.

    Of several items how many there are stands first, and no number: there is no room for what to do and for both.
    """
    starts = words(language)["several"]["subject"].format(count=count) if count else ""
    ends = "" if count else f" ({view.item})"
    room = SUBJECT - len(level) - 3 - len(starts) - len(ends)
    return f"{view.label} [{level}] {starts}{plain(action, room)}{ends}"
