"""Recogniser for telephone numbers without a sign of their own, as exchanges, gateways and programs log them."""

import re

from pii_guard.cells import beside, cell
from pii_guard.detect_phones import RARE
from pii_guard.phone_words import NO_ZERO, OF_A_YEAR, PHONE_WORDS, in_url, other, possible, valid
from pii_guard.quick import Quick
from pii_guard.span import SUSPECT, Found, Span

_BARE_MOBILE = Quick(
    r"[03](?:(?<![\w.+/-]3)1(?P<sign>[ -]?)(?=6)|(?<=[:=/]0)(?:031)?)6(?:[ -]?[1-9])(?:[ -]?\d){7}(?![\w-]|\.\d)",
    rare=RARE,
)
_SIP_USER = Quick(r"\bsips?:(\+?\d{8,15})(?=@)", rare=RARE)
_JID = Quick(r"\d(?<![\w.+-]\d)\d{8,14}(?=@(?:s\.whatsapp\.net|c\.us)\b)", rare=RARE)
"""An account of WhatsApp is a telephone number."""
_BOXED = Quick(r"0(?<![\d|]0)(?:\|(?:-\|)?\d){9}(?!\|?\d)", rare=RARE)
"""A digit in each box of a form."""
_BARE_HOME = Quick(r"(?<=[=:\"'])(?:0031|31|0)[1-9]\d{8}(?![\w-]|\.\d)", rare=RARE)
_COUNTRY = Quick(
    r"[34](?<![\w.+].)(?<![^\w:]-.)(?<!\d-.)(?<!^-.)(?:(?<=3)(?:1[1-9]\d{8}|24\d{8}|3[67]\d{8})|(?<=4)(?:47\d{9}|91[5-7]\d{8,9}))(?![\w@]|[.-]\d)",
    rare=RARE,
)
"""With the country's code, and no sign before it: hardly any other number is in the plan by chance."""
_ABROAD = Quick(r"[1-9](?<=[=:\"'>|<\s].)\d{9,14}(?![\w-]|\.\d)", rare=RARE)
_CHANNELS = ("sip/", "iax/", "iax2/", "dahdi/", "local/", "sccp/", "h323/")
_CHANNEL = Quick(
    r"\b(?:sip|pjsip|iax2?|dahdi|local|sccp|h323|ooh323)/(?:[\w.-]{1,24}/){0,2}\+?"
    r"(?P<number>0\d{8,14}|\d{10,15})(?!\w)"
)
"""What an exchange dials: `SIP/trunk/0612345678`, `PJSIP/0612345678@trunk-0000a1`."""
_RECORDED = Quick(
    r"[+0-9](?<=[_-].)(?:(?<=\+)31|(?<=0)031|(?<=3)1|(?<=0))[1-9]\d{8}(?=[_-][\w-]{0,60}\.(?:wav|mp3|m4a|gsm|ogg|amr)\b)",
    re.IGNORECASE,
    rare=RARE,
)
"""A call that an exchange recorded: `in-0612345678-101-20260312.wav`."""
_MODEM = Quick(r"\batd[tp]?[ ,]{0,2}(?:0,)?(?P<number>\+?\d[\d. -]{7,18}\d)")
_EDIFACT = Quick(r"\b(?:com\+(?P<com>\+?\d[\d. -]{7,16}\d):(?:te|al|fx)\b|tel\+(?P<number>\d{10})\b)")
_CALLING = re.compile(
    r"\b(?:from|to|src|dst|source|dest(?:ination)?|call(?:er|ed|ing|ee)\w*|sender|recipient|van|naar|aan|nr|nummer|"
    r"number|cli|ani|cld|party|subscriber|mobile|orig(?:in)?|term|user(?:name)?|t|m|p|gsm|tel\w*|\w*phone\w*|mob\w*|msisdn|login|"
    r"account)[\"']?[:=][\"']?$|:$|\bsip/(?:[\w-]{1,24}/)?$"
)
"""Who calls whom, as exchanges and gateways log it."""
_PARTY = re.compile(
    r"(?:\b(?:from|to|src|dst|source|dest\w{0,12}|call\w{0,8}|sender|recipient|oa|da|cgpn|cdpn|cli|ani|cld|"
    r"orig\w{0,12}|term\w{0,12}|[ab][ _-]?num\w{0,4}|party|afzender|ontvanger|number|nummer|msisdn)"
    r"(?:[ _-]?(?:id|addr(?:ess)?|number|num|party|nummer))?[\"']?\s?[:=]\s?[\"'<]?)$"
)
"""Right behind these a number with its country's code, and no sign before it, is a telephone's."""
_COUNTED = re.compile(
    r"(?:(?<!\bc)(?<!\bcl)(?<!\bd)(?<!prepa)id|seq|(?<!face)time|ts|stamp|ref|size|bytes|(?<!bel)len|hash|port|order)[\"']?[:=][\"']?$"
)
"""Behind these programs number things."""
_CALLERS = re.compile(r"(?:call\w{0,8}|station|sender|subscriber|line|phone)[ _-]?id[\"']?[:=][\"']?$")
_MOMENT = re.compile(r"20[0-4]\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{2,6}|1[67]\d{8}(?:\d{3})?").fullmatch
"""A date and a time, or seconds since 1970."""


_ROW = Quick(r"[1-9](?<![^\s,;|\"'\t].)(?:\d{9,14}|(?<=6)\d{8})(?![^\s,;|\"'\t])")
_NATIONAL = 9
_NANP = 10


def beside_phones(text: str, found: list[Span]) -> Found:
    """Bare numbers in the columns and rows of telephone numbers that are known; a mobile one may lack its zero."""
    spans = sorted(
        {(each.start, each.end) for each in found if each.category == "phone" and each.confidence >= SUSPECT}
    )
    columns = {cell(text, *span) for span in spans} - {None} if "\n" in text else set()
    for match in _ROW.finditer(text) if spans else ():
        number = match.group()
        if cell(text, *match.span()) not in columns and not beside(text, match.span(), spans):
            continue
        if not _MOMENT(number) and (NO_ZERO(number) or (len(number) > _NATIONAL and possible(f"+{number}"))):
            yield Span("phone", *match.span(), 0.6, "phone-column")


def called(text: str, lower: str) -> Found:
    """Numbers of who calls, and who is called."""
    for match in _BARE_MOBILE.finditer(text):
        if not _elses(text, lower, match.start()):
            before = max(0, match.start() - 32), match.start()
            abroad = match.group()[:2] != "06" and not _counts(lower, match.start())
            sure = abroad or _CALLING.search(lower, *before)
            yield Span("phone", *match.span(), 0.6 if sure else 0.3, "phone-bare")
    for match in _BARE_HOME.finditer(text):
        before = max(0, match.start() - 32), match.start()
        home = match.group()[0] == "0"
        told = not _counts(lower, match.start()) if home else _CALLING.search(lower, *before)
        if told and not _elses(text, lower, match.start()) and valid(match.group() if home else f"+{match.group()}"):
            yield Span("phone", *match.span(), 0.6, "phone-bare")
    for match in _COUNTRY.finditer(text):
        if not _counts(lower, match.start()) and not _elses(text, lower, match.start()) and valid(f"+{match.group()}"):
            yield Span("phone", *match.span(), 0.6, "phone-bare")
    for match in _ABROAD.finditer(text):
        before = max(0, match.start() - 48), match.start()
        party = _PARTY.search(lower, *before) or (len(match.group()) > _NANP and PHONE_WORDS.search(lower, *before))
        told = party and not (_MOMENT(match.group()) or OF_A_YEAR(match.group()) or _counts(lower, match.start()))
        if told and not _elses(text, lower, match.start()) and valid(f"+{match.group()}"):
            yield Span("phone", *match.span(), 0.6, "phone-bare")
    yield from _dialled(text, lower)


def _dialled(text: str, lower: str) -> Found:
    """In a form of its own: an address of a telephone, what an exchange dials, boxes."""
    for match in _SIP_USER.finditer(text):
        yield Span("phone", *match.span(1), 0.8, "phone-sip")
    for match in _JID.finditer(text) if "@" in text else ():
        yield Span("phone", *match.span(), 0.8, "phone-sip")
    for match in _RECORDED.finditer(text):
        yield Span("phone", *match.span(), 0.6, "phone-recorded")
    for match in _BOXED.finditer(text) if "|" in text else ():
        if valid(match.group().replace("|", "")):
            yield Span("phone", *match.span(), 0.6, "phone-boxed")
    for sign, pattern in ((_CHANNELS, _CHANNEL), (("atd",), _MODEM), (("com+", "tel+"), _EDIFACT)):
        for match in pattern.finditer(lower) if any(map(lower.__contains__, sign)) else ():
            yield Span("phone", *match.span(match.lastgroup or 0), 0.7, "phone-dialled")


def _counts(lower: str, start: int) -> bool:
    """Does a program number something by the number that begins here?"""
    before = max(0, start - 32), start
    return _COUNTED.search(lower, *before) is not None and _CALLERS.search(lower, *before) is None


def _elses(text: str, lower: str, start: int) -> bool:
    """Is it said to be another number, or within an address of a page?"""
    return other(lower, start) or in_url(text, start)
