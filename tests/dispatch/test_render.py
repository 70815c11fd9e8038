"""What people read: subjects, order, registers, languages, and outside text that stays harmless."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from typing import Any, get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatch import View, wording
from dispatch.body import BANDS, MessageKind
from dispatch.changes import changes
from dispatch.reasons import why
from dispatch.render import COLOURS, Rendered, Renderer, Service, subject
from dispatch.view import content, fingerprint
from dispatch.wording import words
from filtering import Reason
from normalize import Affected, Observable, Range
from tests.dispatch.views import NOW, a_report, a_subscriber, a_view, an_exposure
from tlp import Label
from triage import advice
from triage.advice import About, Advice
from triage.catalogue import STEPS, Block, Language, Register, load

RENDERER = Renderer(Service())
CODE = "K7QM-3XTP-9RWZ"
READERS: dict[Register, tuple[Any, Any]] = {
    "zzp": ("zzp", "basic"),
    "mkb": ("mkb", "basic"),
    "mature": ("large", "mature"),
}


def advised(view: View, register: Register = "mkb", language: Language = "nl") -> Advice:
    return advice.steps(About(view.kind, view.exposure, view.affected, view.title), register, language)


def message(
    view: View,
    register: Register = "mkb",
    language: Language = "nl",
    kind: MessageKind = "alert",
    **more: Any,
) -> Rendered:
    reader = a_subscriber(*READERS[register], language)
    return RENDERER.message(
        view,
        advised(view, register, language),
        kind=kind,
        subscriber=reader,
        register=register,
        at=more.pop("at", NOW),
        code=CODE,
        **more,
    )


class Page(HTMLParser):
    """Tags, attributes and text of a page; a tag closed in the wrong place is an error."""

    VOID = frozenset({"meta", "br", "hr", "img", "link"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.words += data.split()


def test_the_subject_is_the_one_of_the_field_notes() -> None:
    found = message(a_view()).subject
    assert found == "TLP:CLEAR [VANDAAG] FortiGate: zet beheer via internet uit (OKTT-2026-0412)"


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("kind", get_args(MessageKind))
@pytest.mark.parametrize("block", [b for b in load().values() if b.products])
def test_no_subject_of_a_product_is_cut(block: Block, kind: MessageKind, language: Language) -> None:
    vendor, product = block.products[0].split("/")
    view = a_view(affected=(Affected(vendor, product),), urgency="this-week")
    action = advised(view, "mkb", language).headline
    level = words(language)["level"][view.urgency if kind == "alert" else kind]
    for found in (subject(view, action, level, language, count).removeprefix("TLP:CLEAR ") for count in (0, 10)):
        assert len(found) <= 70
        assert "…" not in found


@given(st.text(max_size=400), st.sampled_from(list(Label)), st.sampled_from(get_args(Language)))
@example("x\r\nBcc: a@b.example", Label.CLEAR, "nl")
@example("\u202egnp.exe", Label.RED, "en")
def test_subjects_are_one_short_line_whatever_the_title(title: str, label: Label, language: Language) -> None:
    view = a_view(kind="news", affected=(), title=title, label=label, urgency="this-week")
    found = subject(view, advised(view, "mkb", language).headline, "THIS WEEK", language)
    assert found.isprintable()
    assert found.startswith(f"TLP:{label.value} [")
    assert len(found.partition(" ")[2]) <= 70
    assert found.endswith("(OKTT-2026-0412)")


@pytest.mark.parametrize("language", get_args(Language))
@pytest.mark.parametrize("register", get_args(Register))
@pytest.mark.parametrize("view", [a_view(), an_exposure(), a_report()], ids=["advisory", "exposure", "report"])
def test_the_order_is_that_of_the_readers_questions(view: View, register: Register, language: Language) -> None:
    found = message(view, register, language, attached=register == "mature")
    head, text = wording.words(language)["head"], found.text
    spots = [text.index(f"TLP:{view.label.value}"), text.index(wording.words(language)["share"][view.label.value][:20])]
    spots += [text.index(wording.words(language)["level"][view.urgency])]
    details = {"advisory": ("cves", "versions"), "exposure": (), "report": ("indicators",)}[view.kind]
    keys = ("steps", "check", "cannot", "forward", "risk", "about", *details)
    spots += [text.index(wording.words(language)["why"]["concerned"])]
    spots += [text.index(head[key].upper() + "\n") for key in keys]
    spots += [text.index(head["real"]), text.index(head["receive"]), text.rindex(f"TLP:{view.label.value}")]
    assert spots == sorted(spots)
    assert found.text.count(f"TLP:{view.label.value}") == 2, "at the top and at the bottom"
    assert found.text.count(CODE) == found.html.count(CODE) == 1
    assert "3 " in wording.words(language)["principle"]["systems"]
    assert wording.words(language)["principle"][advised(view, register, language).principles[0]] in " ".join(
        text.split()
    )


@pytest.mark.parametrize("register", get_args(Register))
def test_each_register_gets_its_steps_in_both_forms(register: Register) -> None:
    found = message(a_view(), register)
    steps = advised(a_view(), register).steps
    assert len(steps) == STEPS[register]
    words = " ".join(Page(found.html).words)
    for step in steps:
        assert step in words
        assert step in " ".join(found.text.split())
    assert ("Zo ziet u misbruik" in words) == (register == "mature")


def test_ranges_and_scores_are_for_who_reads_those() -> None:
    zzp, mature = message(a_view(), "zzp").text, " ".join(message(a_view(), "mature").text.split())
    assert "Fortinet FortiOS 7.0.12 (zeker)" in zzp
    assert "vanaf 7.0.0 tot en met 7.0.16 (kwetsbaar)" in zzp
    assert ">=7.0.0|<=7.0.16 (zeker)" in mature
    assert ("CVSS" in zzp, "CVSS-score: 9,8" in mature, "94,1%" in mature) == (False, True, True)
    assert "betrouwbaarheid A" in mature
    assert "betrouwbaarheid" not in zzp


@pytest.mark.parametrize(
    ("ranges", "stated", "shown"),
    [
        ((Range(((">=", "7.0"), ("<", "7.2"))), Range((("<=", "6"),))), "x", "vanaf 7.0 lager dan 7.2; tot en met 6"),
        ((Range((("=", "1.2"),)),), "vers:unknown/1.2", "1.2"),
        ((Range(()),), "*", "alle versies"),
        ((Range((("!=", "3"),)),), "!=3", "!=3"),
        ((), "vers:unknown/*", "*"),
        ((), "", "versie niet genoemd"),
    ],
)
def test_versions_in_words_or_as_stated(ranges: tuple[Range, ...], stated: str, shown: str) -> None:
    view = a_view(affected=(Affected("Acme", "Acme Foo", stated, ranges),))
    assert f"- Acme Foo: {shown} (kwetsbaar)" in message(view).text


def test_a_product_is_one_line_however_many_versions_it_has() -> None:
    many = tuple(Affected("Acme", "Foo", f"vers:unknown/{n}") for n in range(20))
    text = " ".join(message(a_view(affected=(*many, Affected("Acme", "Bar", "1")))).text.split())
    assert "- Acme Foo: 0, 1, 2, 3, 4, 5, 6, 7 en nog 12 (kwetsbaar) - Acme Bar: 1 (kwetsbaar)" in text


def test_why_says_how_sure_it_is() -> None:
    possible = Reason("software", "Fortinet FortiOS in *", True, "possible")
    assert why([possible], "mkb", "nl") == [
        "Software die u gebruikt: Fortinet FortiOS (mogelijk: vergelijk uw versie met wat de bron noemt)"
    ]
    assert why([Reason("general", "all", True), Reason("country", "NL", True)], "mkb", "nl") == []
    assert why([Reason("network", "192.0.2.0/24", True)], "zzp", "nl") == [
        "Een netwerk of adres van u: 192.0.2.0/24 (zeker)"
    ]
    assert why([Reason("network", "192.0.2.0/24 (2), AS64500 (1)", True)], "zzp", "nl") == [
        "Een netwerk of adres van u: 2 keer 192.0.2.0/24, 1 keer AS64500 (zeker)"
    ]
    assert why([Reason("network", "AS64500 (1)", True)], "zzp", "nl") == ["Een netwerk of adres van u: AS64500 (zeker)"]
    twice = Reason("software", "7-Zip 7-Zip 23.01", True)
    assert why([twice], "zzp", "nl") == ["Software die u gebruikt: 7-Zip 23.01 (zeker)"]
    assert why([Reason("software", "clients: 1/44", True)], "mature", "nl") == [
        "1 van de 44 bedrijven die u vertegenwoordigt: software die zij gebruiken (zeker)"
    ]
    assert why([Reason("sector", "SBI:25.62, NIS2:drinking-water, STIX:technology", True)], "zzp", "nl") == [
        "Uw sector: industrie (SBI:25.62), water en afval (NIS2:drinking-water), technology (STIX:technology) (zeker)"
    ]
    assert "gaat niet speciaal over u" in message(a_view(reasons=())).text


def test_the_surest_reason_stands_and_ranges_are_in_the_language_of_the_reader() -> None:
    said = [("11.1.1", "exact"), ("all but 11.1.2", "exact"), ("11.2 and later", "exact"), ("*", "possible")]
    several = [Reason("software", f"Acme Foo 11.1.1 in {limits}", True, sure) for limits, sure in said]  # type: ignore[arg-type]
    (line,) = why(several, "mature", "nl")
    assert line == "Software die u gebruikt: Acme Foo 11.1.1 in alle behalve 11.1.2; 11.2 en hoger (zeker)"
    assert why(several, "mkb", "nl") == ["Software die u gebruikt: Acme Foo 11.1.1 (zeker)"]


def test_own_rows_stand_before_the_steps_and_the_rest_below() -> None:
    text = message(an_exposure(40)).text
    steps = text.index("DOE DIT")
    assert text.index("192.0.2.2,") < steps < text.index("192.0.2.3,")
    assert "en nog 38" in text[:steps]
    assert "- en nog 13\n" in text[steps:]
    assert "adressen van anderen (39.960)" in " ".join(text.split())


@pytest.mark.parametrize(
    ("urgency", "hour", "words"),
    [
        ("today", 8, "Doe dit vandaag (maandag 2 maart)"),
        ("today", 17, "Doe dit meteen, uiterlijk dinsdag 3 maart 12:00 uur"),
        ("this-week", 8, "Doe dit vóór vrijdag 6 maart 17:00 uur"),
        ("info", 8, "Geen haast"),
    ],
)
def test_deadlines_in_words(urgency: str, hour: int, words: str) -> None:
    at = datetime(2026, 3, 2, hour, tzinfo=UTC)
    assert words in message(a_view(urgency=urgency), at=at).text


def test_times_are_dutch_and_lateness_is_shown() -> None:
    text = message(
        a_view(source_time=datetime(2026, 7, 1, 6, 0, tzinfo=UTC), received_at=datetime(2026, 7, 3, 9, tzinfo=UTC))
    ).text
    assert "Gepubliceerd: 1 juli 2026 08:00" in text
    assert "(2 dagen later)" in text


def test_a_withdrawal_asks_nothing() -> None:
    found = message(a_view(), kind="withdrawal", notes=("De bron trok de melding in.",))
    assert found.subject.startswith("TLP:CLEAR [INGETROKKEN] FortiGate")
    assert "De bron trok de melding in." in found.text
    assert "U hoeft niets meer te doen" in found.text
    assert "Niet meer nodig: “FortiGate: zet beheer via internet uit”" in " ".join(found.text.split())
    assert "DOE DIT" not in found.text
    assert "ICT-LEVERANCIER" not in found.text
    for said in (a_view().summary[:20], "CVE-2024-55591", "Nationaal Cyber", "https://", "7.0.16"):
        assert said not in found.text + found.html
    assert "OKTT-2026-0412, versie 1" in found.text


def test_an_update_begins_with_what_changed() -> None:
    before = a_view(exploited=False, urgency="this-week", kans="medium", cves=("CVE-2024-55591",), cvss=8.0)
    mended = Affected("Fortinet", "FortiManager", "7.6", status="fixed")
    after = a_view(affected=(*a_view().affected, Affected("Fortinet", "FortiManager"), mended))
    found = changes(before, after, "nl")
    assert found[0] == "Aanvallers gebruiken dit nu."
    assert "Spoed: was deze week, nu vandaag." in found
    assert "Kans: was middel, nu hoog." in found
    assert "CVSS-score: was 8,0, nu 9,8." in found
    assert "Nieuwe CVE-nummers: CVE-2025-24472." in found
    assert "Ook kwetsbaar: Fortinet FortiManager: versie niet genoemd." in found
    assert "Over versies is nu ook bekend: Fortinet FortiManager: 7.6 (opgelost)." in found
    update = message(after, kind="update", changes=found, since=NOW - timedelta(days=1))
    text = " ".join(update.text.split())
    assert "[UPDATE]" in update.subject
    assert text.index("WAT ER IS VERANDERD") < text.index("DOE DIT")
    assert "Nieuw sinds ons bericht van 1 maart 2026 09:00." in text
    assert text.count("CVE-2") == 1, "only what is new"
    for old in ("ZO CONTROLEERT U", "STUUR DIT DOOR", a_view().summary[:20], "VERSIES", "MEER LEZEN", "CVE-2024-55591"):
        assert old not in text
        assert old not in update.html


def test_changes_are_never_empty_and_count_own_and_strange_addresses() -> None:
    assert changes(a_view(), a_view(title="x"), "en") == ("The source's text has been adapted.",)
    (added,) = changes(an_exposure(3), an_exposure(5), "nl")
    assert added.startswith("Nieuw bij u gezien (2): 192.0.2.4, poort 3389/tcp, gezien 1 maart 2026 04:12; 192.0.2.5,")
    more = replace(a_report(), observables=(*a_report().observables, Observable("ipv4", "198.51.100.8")))
    assert changes(a_report(), more, "en") == ("New indicators of the attack (1): 198[.]51[.]100[.]8 (ipv4).",)
    assert changes(a_view(), a_view(label=Label.AMBER), "nl") == ("Label: was TLP:CLEAR, nu TLP:AMBER.",)


def test_what_may_not_be_forwarded_has_no_text_to_forward() -> None:
    found = message(a_view(label=Label.AMBER_STRICT), "zzp").text
    assert "NIET DOORSTUREN" in found
    assert "Wij kregen een melding" not in found


def test_indicators_are_defanged_everywhere() -> None:
    found = message(a_report(), "mature", "en")
    for raw in ("198.51.100.7", "evil.example", "login.example.net"):
        assert raw not in found.text
        assert raw not in found.html
    assert "hxxps://evil[.]example/a?b=c" in found.text
    links = [attrs["href"] for tag, attrs in Page(found.html).tags if tag == "a"]
    assert links == ["https://market.example/report"]


def test_foreign_text_says_in_which_language_it_is() -> None:
    divs = [attrs for tag, attrs in Page(message(a_report(), "mkb", "nl").html).tags if tag == "div"]
    assert {"lang": "en"} in divs
    assert "lang" not in {key for tag, attrs in Page(message(a_view()).html).tags if tag == "div" for key in attrs}


NASTY = "<script>alert(1)</script><img src=x onerror=y>\" onload='z' {{ 7*7 }} {% for %}\r\n\x00\u202e&lt;"


def test_outside_text_stays_text() -> None:
    bad = Affected(NASTY, NASTY, NASTY)
    view = a_view(
        title=NASTY,
        summary=NASTY,
        sources=(NASTY,),
        grades=(NASTY,),
        affected=(bad,),
        cves=(NASTY,),
        remedies=(NASTY,),
        references=(NASTY, f"https://x.example/{NASTY}", "javascript:alert(1)", "https://u:p@x.example/"),
        observables=(Observable("url", f"http://{NASTY}", "attacker"), Observable("ipv4", NASTY, own=True)),
        reasons=(Reason("software", NASTY, True),),
    )
    for kind in get_args(MessageKind):
        found = message(view, "mature", kind=kind, notes=(NASTY,), changes=(NASTY,))
        page = Page(found.html)
        assert {tag for tag, _ in page.tags} <= {
            "html", "head", "meta", "title", "style", "body", "main", "p", "span", "div", "strong",
            "h1", "h2", "ul", "ol", "li", "dl", "dt", "dd", "footer",
        }  # fmt: skip
        assert not {key for _, attrs in page.tags for key in attrs if key.startswith("on")}
        assert "49" not in found.text.replace("2026", "")
        assert not re.search(r"[\x00-\x09\x0b-\x1f\u202a-\u202e]", found.text + found.html.replace("\n", ""))


@pytest.mark.parametrize("register", get_args(Register))
def test_html_is_small_and_fetches_nothing(register: Register) -> None:
    observables = tuple(Observable("domain", f"{'x' * 60}.n{n}.example", "attacker") for n in range(5000))
    affected = tuple(Affected("V" * 300, f"P{n}" * 50, "1" * 900) for n in range(3000))
    view = a_view(
        observables=observables + an_exposure(200).observables,
        affected=affected,
        summary="woord " * 20000,
        remedies=("r" * 5000,) * 50,
        cves=tuple(f"CVE-2026-{n:05}" for n in range(4000)),
        references=tuple(f"https://x.example/{n}" for n in range(900)),
    )
    found = message(view, register)
    assert max(len(found.html.encode()), len(found.text.encode())) < 90_000
    page = Page(found.html)
    assert not {tag for tag, _ in page.tags} & {"img", "link", "script", "iframe", "object", "form", "table"}
    assert "url(" not in found.html
    assert "@import" not in found.html
    assert dict(page.tags)["html"] == {"lang": "nl"}
    assert [tag for tag, _ in page.tags].count("h1") == 1


def _contrast(one: str, other: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_read() -> None:
    assert min(_contrast("#ffffff", band) for band in BANDS.values()) >= 6
    assert min(_contrast("#000000", colour) for colour in COLOURS.values()) >= 4.5


def test_both_languages_have_the_same_words() -> None:
    dutch, english = wording.words("nl"), wording.words("en")
    slots = re.compile(r"\{\w+\}")
    assert dutch.keys() == english.keys()
    for table in dutch:
        assert dutch[table].keys() == english[table].keys(), table
        for key, text in dutch[table].items():
            assert set(slots.findall(text)) == set(slots.findall(english[table][key])), key


def test_text_keeps_to_72_columns_but_for_long_words() -> None:
    for line in message(a_report(), "mature").text.splitlines():
        assert len(line) <= 72 or len(max(line.split(), key=len)) > 40


@given(st.text(max_size=200), st.integers(1, 60))
def test_plain_is_one_clean_line(text: str, most: int) -> None:
    found = wording.plain(text, most)
    assert len(found) <= most
    assert found == found.strip()
    assert found.isprintable() or any(c.isspace() for c in found)
    assert "\n" not in found


@pytest.mark.parametrize(
    ("value", "harmless"),
    [
        ("198.51.100.7", "198[.]51[.]100[.]7"),
        ("https://evil.example/a.php", "hxxps://evil[.]example/a.php"),
        ("a.b@evil.example", "a.b[@]evil[.]example"),
        ("2001:db8::1", "2001[:]db8[:]:1"),
        ("9f86d0", "9f86d0"),
    ],
)
def test_defanged(value: str, harmless: str) -> None:
    assert wording.defanged(value) == harmless


@pytest.mark.parametrize(
    ("minutes", "shown"), [(-5, "0 minuten"), (119, "119 minuten"), (120, "2 uur"), (2880, "2 dagen")]
)
def test_span(minutes: int, shown: str) -> None:
    assert wording.span(timedelta(minutes=minutes), "nl") == shown


def test_an_address_without_scheme_is_no_link_either() -> None:
    text = "zie www.kwaad.example/x, WWW.Kwaad.example en www.ncsc.nl"
    assert (
        wording.harmless(text, (), ("www.ncsc.nl",))
        == "zie www[.]kwaad[.]example/x, WWW[.]Kwaad[.]example en www.ncsc.nl"
    )


def test_who_sees_the_same_shares_all_but_what_is_its_own() -> None:
    """Name, code, link and reasons are the reader's; the rest is made once and says the same as made alone."""
    view, shared = a_view(), replace(a_view(), shared={})
    reasons = (*view.reasons, Reason("sector", "SBI:25.62", True))
    for reader, told in ((view, "een"), (replace(view, reasons=reasons, reader="kvk-2"), "<b>twee & co</b>")):
        same = replace(shared, reader=reader.reader, reasons=reader.reasons)
        answer = f"https://oktt.example/a/{told}&x"
        one, other = (message(each, answer=answer, changes=[], notes=[], also=[]) for each in (reader, same))
        assert (one, "\0" in one.text + one.html) == (other, False)
        assert content(reader) == content(same)
        assert fingerprint(reader) == fingerprint(same)
    assert len(shared.shared or ()) == 2, "encoded and rendered, once each"
