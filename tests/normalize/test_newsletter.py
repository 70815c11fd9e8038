"""Newsletters: a story each, whatever the letter is made of; nothing of greetings, footers, trackers and senders."""

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import RawDocument, Source
from normalize import Draft, NormalizeError, newsletter
from normalize.letters import of_plain
from normalize.read import normalize
from normalize.stories import bounded, plain, shorn
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NEWS = Source("news", "Nieuws", language="nl", public=True)


def mail(text: str = "", html: str = "", subject: str = "Nieuwsbrief week 10", listed: bool = True) -> bytes:
    message = EmailMessage()
    message["From"] = "Redactie <redactie@bode.example>"
    message["To"] = "piet@persoon.example"
    message["Subject"] = subject
    message["Date"] = "Mon, 02 Mar 2026 08:00:00 +0100"
    message["Message-ID"] = "<1@bode.example>"
    if listed:
        message["List-Unsubscribe"] = "<https://bode.example/weg>"
    message.set_content(text or "x")
    if html:
        message.add_alternative(html, subtype="html")
    return bytes(message)


def read(body: bytes) -> tuple[Draft, ...]:
    found = normalize(RawDocument(NEWS, body, "x.eml", NOW))
    assert (found.format, found.problems) == ("rss", ())
    return found.drafts


def told(body: bytes) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(draft.title, draft.summary, draft.references) for draft in read(body)]


ONE = ("Kritiek lek in FortiOS", "Werk bij naar 7.2.9 (CVE-2026-0001).", ("https://bode.example/fortios",))
TWO = ("Phishing uit naam van banken", "Let op nepberichten.", ("https://bode.example/phishing",))
FRAME_HEAD = (
    "<html><head><title>Nieuwsbrief</title><style>p{}</style><script>x()</script></head><body>"
    "<p><a href='https://bode.example/online'>Bekijk deze nieuwsbrief online</a></p><p>Beste Piet Jansen,</p>"
)
FRAME_FOOT = (
    "<p>Met vriendelijke groet,<br>Redactie</p><p>U ontvangt deze mail op piet@persoon.example. "
    "<a href='https://bode.example/weg?s=123'>Afmelden</a></p><p>© 2026 De Bode</p><img src='https://t.bode.example/o.gif'>"
)
BY_HEADINGS = f"""{FRAME_HEAD}<h1>Week 10</h1><p>Dit is er gebeurd.</p>
<h2>{ONE[0]}</h2><p>{ONE[1]}</p><p><a href="{ONE[2][0]}">Lees meer</a></p>
<h2><a href="{TWO[2][0]}">{TWO[0]}</a></h2><p>{TWO[1]}</p>{FRAME_FOOT}"""
BY_LINKS = f"""{FRAME_HEAD}<table><tr><td><a href="{ONE[2][0]}"><b>{ONE[0]}</b></a></td></tr><tr><td>{ONE[1]}</td></tr>
<tr><td><a href="{TWO[2][0]}">{TWO[0]}</a></td></tr><tr><td>{TWO[1]}</td></tr></table>{FRAME_FOOT}"""
BY_BOLD = f"""{FRAME_HEAD}<p><strong>{ONE[0]}</strong></p><p>{ONE[1]} <a href="{ONE[2][0]}">Meer</a></p>
<p><strong>{TWO[0]}</strong></p><p>{TWO[1]} <a href="{TWO[2][0]}">Meer</a></p>{FRAME_FOOT}"""


@pytest.mark.parametrize("html", [BY_HEADINGS, BY_LINKS, BY_BOLD])
def test_html_gives_a_story_each(html: str) -> None:
    found = told(mail("Uw mailprogramma toont geen HTML.", html))
    assert [(title, references) for title, _, references in found] == [(ONE[0], ONE[2]), (TWO[0], TWO[2])]
    assert [summary.splitlines()[0].removesuffix(" Meer") for _, summary, _ in found] == [ONE[1], TWO[1]]


@pytest.mark.parametrize(
    "text",
    [
        "{0[0]}\n=====\n{0[1]}\n{0[2][0]}\n\n{1[0]}\n-----\n{1[1]}\n{1[2][0]}\n",
        "1. {0[0]}\n\n{0[1]}\n{0[2][0]}\n\n2. {1[0]}\n\n{1[1]}\n{1[2][0]}\n",
        "{0[0]}\n{0[1]}\nLees meer: {0[2][0]}\n\n{1[0]}\n{1[1]}\nLees meer: {1[2][0]}\n",
        "Beste lezer,\n\n{0[0]}\n\n{0[1]}\n<{0[2][0]}>\n\n{1[0]}\n\n{1[1]}\n<{1[2][0]}>\n\n-- \nRedactie De Bode\n",
    ],
)
def test_plain_text_gives_a_story_each(text: str) -> None:
    found = told(mail(text.format(ONE, TWO)))
    assert [(title, references) for title, _, references in found] == [(ONE[0], ONE[2]), (TWO[0], TWO[2])]
    assert [summary.removesuffix(" Lees meer") for _, summary, _ in found] == [ONE[1], TWO[1]]


def test_a_letter_without_parts_is_one_story_named_after_its_subject() -> None:
    text = "Goedemorgen,\n\nEr is een lek (CVE-2026-0001).\n\nWerk bij.\n\nAfmelden: https://bode.example/weg\n"
    (draft,) = read(mail(text, subject="Fwd: RE: Waarschuwing: lek in X"))
    assert (draft.title, draft.summary) == ("Waarschuwing: lek in X", "Er is een lek (CVE-2026-0001).\nWerk bij.")
    assert (draft.facts.cves, draft.references, draft.language) == (("CVE-2026-0001",), (), "nl")
    assert draft.source_time == datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert (draft.kind, draft.doubts) == ("news", ())


def test_senders_recipients_greetings_and_footers_are_left_out() -> None:
    shown = repr([read(mail("x", html)) for html in (BY_HEADINGS, BY_LINKS, BY_BOLD)])
    for word in (
        "persoon",
        "Redactie",
        "redactie",
        "Beste",
        "Afmelden",
        "weg?s",
        "©",
        "o.gif",
        "online",
        "x()",
        "<",
    ):
        assert word not in shown


def test_a_mail_that_was_sent_to_no_list_waits_for_a_person() -> None:
    assert read(mail("Hoi Piet,\n\nHeb je dit gezien?\n", listed=False))[0].doubts == ("not-from-a-list",)


def test_the_strictest_label_of_the_letter_holds_for_all_of_it() -> None:
    html = BY_HEADINGS.replace("Week 10", "TLP:GREEN").replace(ONE[1], ONE[1] + " TLP:AMBER")
    assert [draft.label for draft in read(mail("x", html))] == [Label.AMBER, Label.AMBER]
    assert read(mail("Tekst.", subject="[TLP:AMBER+STRICT] Lek"))[0].label is Label.AMBER_STRICT


def test_the_same_story_twice_is_one_and_has_one_key_in_every_letter() -> None:
    assert len(read(mail("x", BY_HEADINGS + BY_HEADINGS))) == 2
    assert {d.key for d in read(mail("x", BY_HEADINGS))} == {d.key for d in read(mail("x", BY_LINKS, subject="Anders"))}


@pytest.mark.parametrize(
    ("url", "left"),
    [
        ("https://a.example/x?utm_source=brief&id=7#deel", "https://a.example/x?id=7#deel"),
        ("https://a.example/x?email=piet%40persoon.example", "https://a.example/x"),
        ("https://a.example/x?m=piet%40persoon.example&p=1", "https://a.example/x?p=1"),
        ("https://piet:geheim@a.example/x", "https://a.example/x"),
        ("https://click.bode.example/ls?url=https%3A%2F%2Fa.example%2Fx%3Futm_id%3D1&s=9", "https://a.example/x"),
        ("https://abc.awstrack.me/L0/https:%2F%2Fa.example%2Fx/1/0100018-000000", "https://a.example/x"),
        ("https://u1.ct.sendgrid.net/ls/click?upn=u001.aB3dE5fG7hI9jK1lM3nO5pQ7", ""),
        ("https://click.bode.example/3f9a1c2b4d5e6f70/open", ""), ("javascript:x()", ""), ("mailto:a@b.example", ""),
        ("https://a.example/2026/03/een-lek-in-fortios-cve-2026-0001", "https://a.example/2026/03/een-lek-in-fortios-cve-2026-0001"),
        ("https://[", ""),
    ],
)  # fmt: skip
def test_addresses_lose_what_tells_who_followed_them(url: str, left: str) -> None:
    assert shorn(url) == left


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (mail(" \n"), "a mail without a story"),
        (mail('{"a": 1}'), "a mail whose text is data; have the source attach it as a file"),
        (mail("<notification><url/></notification>"), "a mail whose text is data"),
        (mail("x", "<b>" * 200_000), "more markup than any feed"),
        (
            b"Subject: x\nMIME-Version: 1.0\nContent-Type: text/csv\n\na,b\n",
            "a mail with attachments that came as one document",
        ),
    ],
)
def test_what_is_no_newsletter_is_refused_in_words(body: bytes, reason: str) -> None:
    with pytest.raises(NormalizeError, match=reason):
        read(body)


def test_markup_in_markup_takes_no_time() -> None:
    assert plain("<div>" * 50_000 + "tekst") == ""
    assert plain("<div>tekst</div>" * 1000).count("tekst") == 1000
    assert plain("<div>tekst</div>" * 20_000) == ""
    with pytest.raises(NormalizeError, match="larger than 8 MiB"):
        bounded(b"x" * (9 << 20))


def test_lines_and_tags_without_an_end_take_no_time() -> None:
    blocks = of_plain("abc\n---\n" * 100_000)
    assert len(blocks) == 100_000
    assert {(block.text, block.level) for block in blocks} == {("abc", 1)}
    (block,) = of_plain("* abc" + " " * 1_000_000 + "x")
    assert (block.text, block.level) == ("* abc x", 0)
    assert len(of_plain("een twee drie\n" * 20_000 + "x" * 1_000_000 + " https://a.example/")) == 20_001
    assert plain("tekst <br" + " " * 300_000 + "x") == "tekst"
    deep = f"<{'naam' * 20}>"
    assert plain(deep * 300 + "tekst") == "tekst"
    assert plain(deep * 500 + "tekst") == ""
    assert shorn("https://links.example.com/" + "z-" * 900).endswith("z-")


@given(st.text(alphabet="<>/abph123= \n.'\"&;:-_*#@httpsTLP", max_size=200))
def test_any_letter_is_stories_or_a_refusal(text: str) -> None:
    for body in (mail(text), mail("x", text), mail("x", BY_HEADINGS.replace(ONE[1], text))):
        try:
            found = newsletter.drafts(body, NEWS, NOW)
        except NormalizeError:
            continue
        assert all(draft.title and draft.key for draft in found.drafts)
