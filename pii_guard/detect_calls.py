"""Recogniser for telephone numbers without a sign of their own, as exchanges, gateways and programs log them."""

import re

from pii_guard.phone_words import in_url, other, valid
from pii_guard.quick import Quick
from pii_guard.span import Found, Span

_BARE_MOBILE = Quick(
    r"[03](?:(?<![\w.+/-]3)1(?P<sign>[ -]?)(?=6)|(?<=[:=/]0)(?:031)?)6(?:[ -]?[1-9])(?:[ -]?\d){7}(?![\w-]|\.\d)"
)
_SIP_USER = Quick(r"\bsips?:\+?(\d{8,15})(?=@)")
_BARE_HOME = Quick(r"(?<=[=:\"'])(?:31|0)[1-9]\d{8}(?![\w-]|\.\d)")
_ABROAD = Quick(r"[1-9](?<=[=:\"'>|<\s].)\d{9,14}(?![\w-]|\.\d)")
_CHANNEL = Quick(
    r"\b(?:sip|pjsip|iax2?|dahdi|zap|local|sccp|skinny|h323|ooh323|sofia)/(?:[\w.-]{1,24}/){0,2}\+?"
    r"(?P<number>0\d{8,14}|\d{10,15})(?!\w)"
)
"""What an exchange dials: `SIP/trunk/0612345678`, `PJSIP/0612345678@trunk-0000a1`."""
_MODEM = Quick(r"\batd[tp]?[ ,]{0,2}(?:0,)?(?P<number>\+?\d[\d. -]{7,18}\d)")
_EDIFACT = Quick(r"\bcom\+(?P<number>\+?\d[\d. -]{7,16}\d):(?:te|al|fx)\b")
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
_COUNTED = re.compile(r"(?:id|seq|time|ts|stamp|ref|size|bytes|len|hash|port|order)[\"']?[:=][\"']?$")
"""Behind these programs number things."""
_MOMENT = re.compile(r"20[0-4]\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{2,6}|1[67]\d{8}(?:\d{3})?").fullmatch
"""A date and a time, or seconds since 1970."""


_ROW = Quick(r"[1-9](?<![^\s,;|\"'\t].)\d{9,14}(?![^\s,;|\"'\t])")
_CELLS = re.compile(r"[,;|\t]")


def called(text: str, lower: str) -> Found:
    """Numbers of who calls, and who is called."""
    found = list(_logged(text, lower))
    yield from found
    rows = {cell for each in found if "\n" in text for cell in _cells(text, each.start, each.end)}
    for match in _ROW.finditer(text) if rows else ():
        if (
            not rows.isdisjoint(_cells(text, *match.span()))
            and not _MOMENT(match.group())
            and valid(f"+{match.group()}")
        ):
            yield Span("phone", *match.span(), 0.6, "phone-column")


def _cells(text: str, start: int, end: int) -> set[tuple[int, str]]:
    """Where a number stands in its line: behind how many signs of a table, and at its end."""
    line = text.rfind("\n", 0, start) + 1
    before = text[max(line, start - 1) : start]
    found = {(len(_CELLS.findall(text, line, start)), before)} if before not in ("", " ") or start == line else set()
    return found | ({(-1, before)} if text[end : end + 1] in ("", "\n") and before.isspace() else set())


def _logged(text: str, lower: str) -> Found:
    for match in _BARE_MOBILE.finditer(text):
        if not _elses(text, lower, match.start()):
            before = max(0, match.start() - 32), match.start()
            abroad = match.group()[:2] != "06" and not _COUNTED.search(lower, *before)
            sure = abroad or _CALLING.search(lower, *before)
            yield Span("phone", *match.span(), 0.6 if sure else 0.3, "phone-bare")
    for match in _BARE_HOME.finditer(text):
        before = max(0, match.start() - 32), match.start()
        home = match.group()[0] == "0"
        told = not _COUNTED.search(lower, *before) if home else _CALLING.search(lower, *before)
        if told and not _elses(text, lower, match.start()) and valid(match.group() if home else f"+{match.group()}"):
            yield Span("phone", *match.span(), 0.6, "phone-bare")
    for match in _ABROAD.finditer(text):
        party = _PARTY.search(lower, max(0, match.start() - 32), match.start()) and not _MOMENT(match.group())
        if party and not in_url(text, match.start()) and valid(f"+{match.group()}"):
            yield Span("phone", *match.span(), 0.6, "phone-bare")
    for match in _SIP_USER.finditer(text):
        yield Span("phone", *match.span(1), 0.8, "phone-sip")
    for pattern in (_CHANNEL, _MODEM, _EDIFACT):
        for match in pattern.finditer(lower):
            yield Span("phone", *match.span("number"), 0.7, "phone-dialled")


def _elses(text: str, lower: str, start: int) -> bool:
    """Is it said to be another number, or within an address of a page?"""
    return other(lower, start) or in_url(text, start)
