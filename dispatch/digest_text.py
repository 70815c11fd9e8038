"""How an edition reads: subject, text and HTML, and the version of it that a partnership passes on."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple, TypeAlias

from msgspec import structs

from dispatch import View, subjects, wording
from dispatch.body import BANDS
from dispatch.charts import FEWEST, Chart, about
from dispatch.digest import Arranged, Candidate, SectionName
from dispatch.editions import Window
from dispatch.lines import open_lines
from dispatch.reasons import why
from dispatch.render import Rendered, Renderer, clean
from dispatch.sharing import sharing
from dispatch.wording import capped, harmless, moment, number, plain, words
from subscribers import FRESH_DAYS, Profile, Subscriber
from tlp import Label, strictest
from triage.catalogue import Register

_Section: TypeAlias = dict[str, Any]
_CAPS: dict[Register, int] = {"zzp": 5, "mkb": 8, "mature": 15}
CONFIRMED = timedelta(days=182)
"""After so long a subscriber is asked again whether its profile is right."""


class Passing(NamedTuple):
    """What a partnership passes on of an edition."""

    label: Label | None
    """Of the version that is attached; None: nothing of it is for all members."""
    link: str
    """Where who reads it says so; empty: nowhere."""


def render(
    renderer: Renderer,
    arranged: Arranged,
    subscriber: Subscriber,
    register: Register,
    code: str,
    software_days: int = FRESH_DAYS,
    passing: Passing | None = None,
    charts: Sequence[Chart] = (),
) -> Rendered:
    """Subject, text and HTML of one subscriber's edition; Monday's asks for a new list of software where its is old."""
    language, window, said = subscriber.language, arranged.window, words(subscriber.language)["digest"]
    made = renderer.fill(
        "digest",
        _content(renderer, arranged, subscriber, register, code)
        | {
            "members": _members(arranged, language),
            "charts": charts,
            "passing": _passing(passing, language) if passing else [],
            "passing_head": said["passing_head"],
            "link": passing.link if passing else "",
            "renew": said["renew"].format(days=software_days) if _outdated(window, subscriber, software_days) else "",
            "still_right": _still_right(window, subscriber, renderer.service.site, said["still_right"]),
        },
    )
    return dataclasses.replace(made, pictures=tuple(each.picture for each in charts))


def for_members(renderer: Renderer, arranged: Arranged, subscriber: Subscriber, code: str, link: str) -> Rendered:
    """The version that a partnership passes on: as a firm reads it, and of nobody in particular. `link`: where who
    reads it says so; empty: nowhere."""
    said = words(subscriber.language)["digest"]
    content = _content(renderer, arranged, anybody(subscriber), "mkb", code)
    content |= {"members": [], "charts": (), "renew": "", "still_right": ""}
    content |= {"passing_head": "", "passing": [said["read"]] if link else [], "link": link}
    receive = said["passed_receive"].format(service=renderer.service.name)
    why = wording.fold(f"{words(subscriber.language)['head']['receive']}: {receive}")
    content |= {"intro": said["passed_intro"], "receive": receive, "receive_line": why}
    return renderer.fill("digest", content)


def anybody(of: Subscriber) -> Subscriber:
    """A member as we know nothing of it but by whom it is told."""
    return structs.replace(of, profile=Profile(country=of.profile.country))


def _content(
    renderer: Renderer, arranged: Arranged, subscriber: Subscriber, register: Register, code: str
) -> dict[str, Any]:
    """What both have."""
    language, window = subscriber.language, arranged.window
    d = words(language)["digest"]
    public = renderer.service.public
    sections = [_shown(name, part, window, register, language, public) for name, part in arranged.sections]
    return renderer.frame(arranged.label, subscriber, subject(arranged, language), window.id, code) | {
        "name": d[window.edition],
        "date": wording.day(window.day, language),
        "counts": _counts(arranged, language),
        "intro": f"{d[f'{window.edition}_intro']} {d['late']}" if window.late else d[f"{window.edition}_intro"],
        "editorial": [plain(line, 1200) for line in arranged.editorial.paragraphs] if arranged.editorial else [],
        "editorial_lang": arranged.editorial.language if arranged.editorial else "",
        "period": d["period"].format(since=moment(window.since, language), until=moment(window.until, language)),
        "reading": d["reading"].format(count=_minutes(sections)),
        "sections": sections,
    }


def _passing(passing: Passing, language: str) -> list[str]:
    """What a partnership may do with the version that is attached, and what the address in it is for."""
    d, label = words(language)["digest"], passing.label
    if label is None:
        return [d["passing_nothing"]]
    lines = [f"{d['passing'].format(label=label)} {sharing(label, 'partnership', None, language)}"]
    return [*lines, d["passing_link"]] if passing.link else lines


def _members(arranged: Arranged, language: str) -> list[tuple[str, str, str]]:
    """What it is about, how many members were alerted, how many have handled it; most first."""
    d = words(language)["digest"]
    held = [each for each in arranged.held if each.members]
    rows = []
    for each in sorted(held, key=lambda each: (-each.members.alerted if each.members else 0, each.view.item))[:FEWEST]:
        assert each.members is not None
        alerted, handled = (_about(count, language) for count in each.members)
        name = plain(harmless(each.advice.headline, each.view.observables), 90)
        rows.append((f"{name} ({each.view.item})", alerted, "" if alerted == d["few"] else handled))
    return rows


def _about(count: int, language: str) -> str:
    d = words(language)["digest"]
    return d["few"] if count < FEWEST else d["about"].format(count=number(about(count), language))


def _outdated(window: Window, subscriber: Subscriber, days: int) -> bool:
    return window.edition == "monday" and any(each.stale(window.until, days) for each in subscriber.inventories)


def _still_right(window: Window, subscriber: Subscriber, site: str, text: str) -> str:
    """Who said half a year ago that its profile is right is asked again, on a Monday."""
    said = subscriber.confirmed_at
    if window.edition != "monday" or said is None or window.until - said < CONFIRMED:
        return ""
    return text.format(day=wording.date_of(said, subscriber.language), site=site)


def subject(arranged: Arranged, language: str) -> str:
    """`TLP:AMBER Start van de week: 2 open bij u, 3 nieuw (2 maart)`."""
    day = wording.day(arranged.window.day, language).partition(" ")[2]
    named = words(language)["digest"][arranged.window.edition]
    return f"{arranged.label} {named}: {_counts(arranged, language)} ({day})"


def _counts(arranged: Arranged, language: str) -> str:
    """`2 open bij u, 3 nieuw`: what it holds, but for what its reader was told already."""
    d = words(language)["digest"]
    sizes: dict[str, int] = {}
    for name, part in arranged.sections:
        key = "new" if name == "relevant" else name
        sizes[key] = sizes.get(key, 0) + len(part)
    counts = [
        d["subject_news_one" if (name, sizes[name]) == ("news", 1) else f"subject_{name}"].format(count=sizes[name])
        for name in ("open", "new", "raised", "lowered", "changed", "news")
        if name in sizes
    ]
    return ", ".join(counts)


def _shown(
    name: SectionName, part: Sequence[Candidate], window: Window, register: Register, language: str, public: str
) -> _Section:
    """A section as the templates take it: cards, or lines, at most so many, how many more, and where those are that
    everybody may read. Monday's have a card for each action; Friday's for each subject, and news that stands alone is a
    line."""
    d, most = words(language)["digest"], _CAPS[register]
    if window.edition == "monday" or name == "told":
        groups, rest = _grouped(part[:most]), list(part[most:])
        told = groups if name == "told" else []
    else:
        groups = _by_subject(part)
        rest = [each for group in groups[most:] for each in group]
        groups = groups[:most]
        told = [group for group in groups if name == "news" and len(group) == 1]
    lines = [_line(each, language) for group in told for each in group]
    cards = [_card(name, group, window, register, language) for group in groups if group not in told]
    more, where = _rest(rest, d, public) if rest else ("", "")
    return {"head": d[name], "cards": cards, "lines": lines, "more": more, "where": where}


def _rest(rest: Sequence[Candidate], said: Mapping[str, str], public: str) -> tuple[str, str]:
    """How many more there are, and the address of the page with those of them that everybody may read."""
    clear = sum(each.view.label is Label.CLEAR for each in rest) if public else 0
    text = said["rest_public" if clear == len(rest) else "rest_partly" if clear else "rest"]
    return text.format(count=len(rest), public=clear), public if clear else ""


def _line(each: Candidate, language: str) -> str:
    """What the reader was told already, and when; or news that stands alone."""
    if each.alerted is not None:
        told = words(language)["digest"]["told_line"].format(time=moment(each.alerted, language))
        return f"{plain(each.advice.headline, 100)} ({each.view.item}), {told}"
    view = each.view
    title, summary = (plain(harmless(text, view.observables), 200) for text in (view.title, view.summary))
    line = f"{title} ({view.item})"
    return line if not summary or summary.startswith(title) else f"{line}: {summary}"


def _grouped(part: Sequence[Candidate]) -> list[list[Candidate]]:
    """Items of one action and one urgency in one card; generic advice is no action of its own."""
    groups: dict[tuple[str, ...], list[Candidate]] = {}
    for each in part:
        one = each.advice
        key = (one.block, one.headline, each.view.urgency) if one.specific else (each.view.item,)
        groups.setdefault(key, []).append(each)
    return list(groups.values())


def _by_subject(part: Sequence[Candidate]) -> list[list[Candidate]]:
    return [[part[at] for at in group] for group in subjects.clusters([(each.view, each.advice) for each in part])]


def _card(
    name: SectionName, group: Sequence[Candidate], window: Window, register: Register, language: str
) -> dict[str, Any]:
    w, first = words(language), group[0]
    advice = clean(first.advice)
    view = first.view
    reasons = why([one for each in group for one in each.view.reasons], register, language, counted=False)
    several = window.edition == "friday" and len(group) > 1
    headline = plain(harmless(_subject(group) if several else advice.headline, view.observables), 150)
    own = open_lines([each.view for each in group], language)
    if several:
        lines = _listed([_of_several(each, language) for each in group], _CAPS[register], language)
    elif name in ("raised", "lowered", "changed") and first.changes:
        lines = [plain(line) for each in group for line in each.changes]
    else:
        lines = [] if own else [_told(each.view, headline) for each in group]
    lines += _listed(own, 3, language)
    label = strictest(each.view.label for each in group)
    stepped = name in (("open", "new") if window.edition == "monday" else ("relevant",)) and (advice.specific or own)
    ids = [w["digest"]["count"].format(count=len(group))] if several else [each.view.item for each in group]
    return {
        "headline": headline,
        "lang": view.language if headline == view.title and view.language not in ("", language) else "",
        "level": w["level"][view.urgency],
        "band": BANDS[view.urgency],
        "label": label.value,
        "ids": ids,
        "why": "; ".join(reasons[:3]),
        "lines": [line for line in dict.fromkeys(lines) if line],
        "steps": advice.steps[:3] if stepped else (),
        # The smallest firms' steps speak of a text to forward.
        "forward": advice.forward_text if stepped and register == "zzp" and label < Label.AMBER_STRICT else "",
    }


def _listed(lines: Sequence[str], most: int, language: str) -> list[str]:
    found = capped(lines, most, language)
    return [*found.lines, *([found.more] if found.more else [])]


def _subject(group: Sequence[Candidate]) -> str:
    """What several items are about: what to do, if that is one thing; else their maker; else what the first says."""
    actions = {each.advice.headline for each in group if each.view.kind != "news"}
    makers = {found for each in group if (found := subjects.maker(each.view))}
    return actions.pop() if len(actions) == 1 else makers.pop() if len(makers) == 1 else group[0].advice.headline


def _of_several(each: Candidate, language: str) -> str:
    """One of several: how urgent, what, and what changed of it."""
    level = words(language)["level"][each.view.urgency].capitalize()
    line = f"{level}: {plain(harmless(each.view.title, each.view.observables), 200)} ({each.view.item})"
    return f"{line}. {' '.join(plain(change) for change in each.changes)}" if each.changes else line


def _told(view: View, headline: str) -> str:
    """The title, or where the headline holds it already the beginning of the summary."""
    title = plain(harmless(view.title, view.observables), 200)
    return title if title not in headline else plain(harmless(view.summary, view.observables), 200)


def _minutes(sections: Sequence[Mapping[str, Any]]) -> int:
    """At 200 words a minute, at least one."""
    texts = [
        text
        for section in sections
        for text in (
            *section["lines"],
            *(t for card in section["cards"] for t in (card["headline"], card["why"], *card["lines"], *card["steps"])),
        )
    ]
    return max(1, -(-sum(len(text.split()) for text in texts) // 200))
