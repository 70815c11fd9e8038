"""Recogniser for telephone numbers, by the plans of their countries (phonenumbers). Dutch first."""

import re

import phonenumbers

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words

_PHONE = re.compile(
    r"[+(0-9](?<![\w/=+-][(0-9])(?<![^A-Za-z][.:][(0-9])(?<!\w\+)(?:(?:[\d\s().\-/+·]|\[0\]){6,24}\d)(?![\w])(?!\.\d)"
)
PHONE_LABELS = Words(
    *("tel", "phone", "foon", "mob", "msisdn", "gsm", "sms", "fax", "call", "bel", "wa.me/", "whatsapp", "signal"),
    *("contact", "sip:", "sip/", "cell", "exten", "?t=", "&t=", "dial", "appen", "app:", "y number", "mijn nummer"),
)
"""Behind these a number is a telephone's though it does not look it: `msisdn=31612345678`, `call 202-555-0143`."""
_LOOSE_PHONE = Quick(r"[+(\d](?<![\d.+(-][+(\d])[\d().\- /]{6,20}\d(?!\w|\.\d)")
_LABEL_BEFORE = re.compile(
    r"(?:\b(?:tel(?:efoon|ephone|_?nr)?|(?:\w*[_-])?(?:tele)?phone|telefoon|mob(?:iel|iles?)?|msisdn|gsm|sms|fax|"
    r"call(?:er|to)?|dial(?:ed|ling)?|app(?:en)?|"
    r"beller|bel|whatsapp|signal|cell|sip|exten|contact|cli|ani|a-?nummer|b-?nummer|my number|"
    r"mijn nummer)|foon|phone|wa\.me/|send\?phone=|[?&]t=)"
    r"(?:[ _-]?(?:id|nr|no|number|nummer|us at|me at|me on|op|on|at|is|van|from|to|naar|aan)\b)?"
    r"\.?[\"']?[ \t:=>/]{0,4}[\"'(]{0,2}$"
)
_HOME = ("NL", "BE", "US", "GB", "DE", "FR", "ES", "IT", "PL", "PT", "DK", "NO", "SE", "CH", "AT", "LU", "IE")
"""Whose numbers stand without a country code, behind a word that says what they are."""
_OF_PHONES = re.compile(
    r"(?:tel(?:efoon|ephone|_?nr)?|phone|foon|mob(?:iel|iles?)?|gsm|fax|cell|sms|whatsapp)"
    r"(?:[ _-]?(?:nr|no|number|nummer|is|op)\b)?\.?[\"']?[ \t:=>]{0,4}[\"'(]{0,2}$"
)
"""Behind these nothing but a telephone's number stands, whatever it begins with."""
OTHER_NUMBER = re.compile(
    r"(?:(?:artikel|bestel|order|serie|zaak|dossier|ticket|polis|factuur|offerte|rekening|invoice|sku|\bean|isbn|"
    r"pipeline|kvk|\bbon|pakbon|inkoop|perceel|bestek|materiaal|quote|\bbtw|\bvat|\btva|\bkbo|referentie|reference|queue|batch|\blot)[a-z]{0,8}|\b(?:klant|relatie|lid|debiteur)"
    r"(?: ?(?:en)?-?(?:nummer|nr|no|number|id|code)\.?)|\b(?:case|part|policy|contract|bag|sid)"
    r"(?: ?(?:en)?-?(?:nummer|nr|no|number|id|code)\.?)?)\b[\s:.,#]{0,3}(?:\([a-z]{1,12}\) ?|be ?)?$"
)
"""What the number behind it is, and no telephone or citizen has."""
_DATED = re.compile(r"\(?\d\d[-/]\d\d[-/](?:19|20)\d\d\b|\d+/(?:19|20)\d\d/|0\d{1,3}-20[0-4]\d-\d{2,5}(?!\d)").match
_DIALLED = Quick(r"\D[+(0](?:[\s().\-/+·\[\]]{0,8}\d){7}")
"""A number that is one begins with +, ( or 0, and not within another."""
_PHONE_WORDS = re.compile(
    r"(?:\btel\b|telefoon|phone|telephone|mobiel|mobile|\bgsm\b|\bbel\b|\bbelt?\b|\bcall(?:ed|er|s)?\b|\bfax|"
    r"whatsapp|\bsms\b|nummer|"
    r"\bt:|\bm:|\bt\b|\bm\b|signal|bereikbaar|contact|\bnumber|\bcell|gebeld|\bbellen|\btext|doorkies|msisdn|"
    r"toestel|gesprek|beller|\blijn|aanmelden|inlichtingen|opgave|telnr|\bph\b|\btf\b|\bapp(?:en|je|te|t)?\b|"
    r"\bdial|outgoing|incoming|uitgaand|inkomend|anruf|rufnummer|"
    r"[\u260e\u260f\u2706\U0001f4de\U0001f4f1\U0001f4f2])[^\n]{0,40}$"
)
_DUTCH = re.compile(
    r"0[1-9]\d{1,2}\s?[-/ ]\s?\d[\d -]{5,8}$|0[1-9]\d\s?[-/]|06[-. ]|\(0\d{1,3}\)|0\d{2,3}\.\d{2,4}\.\d"
).match
_grouped = re.compile(r"(?:1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}").fullmatch
"""As in North America."""
_AMERICAN = Quick(r"(?<![\w.+-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}(?![\w-]|\.\d)")
_ABROAD_DIALLED = re.compile(r"00(?!31)[1-9]\d{0,2}[\s.(/-]").match
_FICTION = re.compile(r"(?:1[-. ])?\(?[2-9]\d\d\)?[-. ]555[-. ]01\d\d").fullmatch
_PHONE_HEAD = re.compile(r"telefoon|phone|mobiel|\btel\b|\bgsm\b|\bcdr\b|\bpbx\b|answer(?:ed)?\b|asterisk|voicemail")
_SERVICE = re.compile(r"0(?:800|90[069])[-. ]\d{4}$").match
_MOBILE_DIGITS = re.compile(r"(?:0|0031|31)6[1-9]\d{7}").fullmatch
"""A number as people write it: area code, sign, the rest."""
NOT_DIGITS = re.compile(r"\D")
MOBILE = re.compile(r"(?<!\d)(?:(?:00|\+|%2B)?31|0)6[1-9]\d{7}(?!\d)")
_BARE_MOBILE = Quick(r"[03](?:(?<![\w.+/-]3)1|(?<=[:=/]0)(?:031)?)6[1-9]\d{7}(?![\w-]|\.\d)")
_SIP_USER = Quick(r"\bsips?:\+?(\d{8,15})(?=@)")
_BARE_HOME = Quick(r"(?<=[=:\"'])(?:31|0)[1-9]\d{8}(?![\w-]|\.\d)")
_CALLING = re.compile(
    r"\b(?:from|to|src|dst|source|dest(?:ination)?|call(?:er|ed|ing|ee)\w*|sender|recipient|van|naar|aan|nr|nummer|"
    r"number|cli|ani|cld|party|subscriber|mobile|orig(?:in)?|term|user(?:name)?|t|m|p|gsm|tel\w*|\w*phone\w*|mob\w*|msisdn|login|"
    r"account)[\"']?[:=][\"']?$|:$|\bsip/(?:[\w-]{1,24}/)?$"
)
"""Who calls whom, as exchanges and gateways log it."""
_COUNTED = re.compile(r"(?:id|seq|time|ts|stamp|ref|size|bytes|len|hash|port|order)[\"']?[:=][\"']?$")
"""Behind these programs number things."""
_STARTS = (" +", " 0", " (")
_ELSEWHERE = re.compile(
    r"0[1-9](?:(?P<fr>[ .-])\d\d)(?:(?P=fr)\d\d){3}"  # France
    r"|\(?0\d{4}\)? \d{3} \d{3}|07\d{3}[ -]?\d{3}[ -]?\d{3}|\(?0\d{3}\)? \d{3} \d{4}|\(?02\d\)? \d{4} \d{4}"  # Britain
    r"|0\d{1,3}[ /]\d{2,3}(?P<be>[ .])\d\d(?P=be)\d\d"  # Belgium
    r"|\(?0\d{2,4}\)?[ /-]{1,3}\d{5,8}(?:-\d{1,4})?"  # Germany
).fullmatch
"""National forms of neighbours: as their people part them, no other number is."""
_EDGES = ("", *"\n\t,;|\"'")
_FAR = 300
_LEAST = 8
_LONG = 20


def phones(text: str, lower: str) -> Found:
    """Numbers with their country or area, bare ones where something says what they are."""
    match = _PHONE.search(text) if text[:1] in "+(0" or _DIALLED.near(text) else None
    while match:
        start, end = match.span()
        dialled = text[start] in "+(0" or _DIALLED.exact.search(text, start, end)
        found = list(_phone(text, lower, start, end)) if dialled else []
        yield from found
        if end - start > _LONG:  # the next one was cut off
            end = found[-1].end if found else _next(text, start, end)
        match = _PHONE.search(text, end)
    if PHONE_LABELS.any(lower):
        for match in _LOOSE_PHONE.finditer(text):
            if _LABEL_BEFORE.search(lower, max(0, match.start() - 32), match.start()):
                yield from _labelled_phone(text, lower, *match.span())
    for match in _AMERICAN.finditer(text):
        if _american(text, lower, *match.span()) and _valid(match.group(), "US"):
            yield Span("phone", *match.span(), 0.6, "phone")
    yield from _called(text, lower)


def _called(text: str, lower: str) -> Found:
    """Numbers without a sign, as exchanges and gateways log them."""
    for match in _BARE_MOBILE.finditer(text):
        if not (OTHER_NUMBER.search(lower, max(0, match.start() - 40), match.start()) or in_url(text, match.start())):
            before = max(0, match.start() - 32), match.start()
            abroad = match.group()[:2] != "06" and not _COUNTED.search(lower, *before)
            sure = abroad or _CALLING.search(lower, *before)
            yield Span("phone", *match.span(), 0.6 if sure else 0.3, "phone-bare")
    for match in _BARE_HOME.finditer(text):
        before = max(0, match.start() - 32), match.start()
        told = not _COUNTED.search(lower, *before) if match.group()[0] == "0" else _CALLING.search(lower, *before)
        other = OTHER_NUMBER.search(lower, max(0, match.start() - 40), match.start()) or in_url(text, match.start())
        if told and not other and _valid(match.group() if match.group()[0] == "0" else f"+{match.group()}", "NL"):
            yield Span("phone", *match.span(), 0.6, "phone-bare")
    for match in _SIP_USER.finditer(text):
        yield Span("phone", *match.span(1), 0.8, "phone-sip")


def _next(text: str, start: int, end: int) -> int:
    """Where in a run that is no number as a whole another one may begin."""
    found = ((text.find(sign, start + 1, end), len(sign) - 1) for sign in (" / ", "\n", "\t", "  ", " 0", " +"))
    return min((at + far for at, far in found if at > 0), default=end)


def _american(text: str, lower: str, start: int, end: int) -> bool:
    """Does something say that it is a number, or does it fill a cell?"""
    if OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return False
    if text.find("(", start, end) >= 0 or _PHONE_WORDS.search(lower, max(0, start - 48), start):
        return True
    return text[max(0, start - 1) : start] in _EDGES and text[end : end + 1] in _EDGES


def in_url(text: str, start: int) -> bool:
    """Within an address of a page numbers are mostly something else (`bare_numbers`)."""
    return (
        text[start - 1 : start] in ("=", "/", "#", "_")
        and "://" in text[max(0, start - 200) : start].rsplit(maxsplit=1)[-1]
    )


def _phone(text: str, lower: str, start: int, end: int) -> Found:
    """The number, or the numbers that follow one another on several lines or behind a slash."""
    while start < end and (text[start] in " \n\t/.-)" or _opened(text, start, end)):
        start += 1
    if end - start < _LEAST:
        return
    confidence = _phone_confidence(text, lower, start, end)
    if confidence:
        yield Span("phone", start, end, confidence, "phone")
        return
    for sign in ("\n", "\t", " / ", "/", "  ", " +", " 0", " (", " "):
        cut = text.find(sign, start + (1 if sign in _STARTS and text[start] != "+" else 6), end)
        if cut > 0:
            first = _phone_confidence(text, lower, start, cut)
            rest = list(_phone(text, lower, cut + 1, end))
            if first or rest:
                if first:
                    yield Span("phone", start, cut, first, "phone")
                yield from rest
                return


def _opened(text: str, start: int, end: int) -> bool:
    """Does it begin with a bracket that is not of the number?"""
    return text[start] == "(" and text.count("(", start, end) > text.count(")", start, end)


def _phone_confidence(text: str, lower: str, start: int, end: int) -> float:
    value = text[start:end].replace("[0]", "(0)").replace("·", "-")
    digits = NOT_DIGITS.sub("", value)
    near = _PHONE_WORDS.search(lower, max(0, start - 48), start) is not None
    if _SERVICE(value):
        return 0.8 if near else 0.3
    if not 9 <= len(digits) <= 15 or _DATED(value) or not (value[0] in "+(" or digits[0] == "0"):
        return 0.0
    abroad = value.lstrip("(").startswith("+")
    if not abroad and OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return 0.0
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        return 0.0
    if not phonenumbers.is_valid_number(number):
        return _elsewhere(value, number, abroad=abroad, near=near)
    if near:
        return 0.95
    if abroad:
        return 0.8
    if _DUTCH(value) or _ELSEWHERE(value) or _MOBILE_DIGITS(digits) or (value.startswith("00") and not value.isdigit()):
        return 0.6
    if text[max(0, start - 2) : start] == '="':
        return 0.0
    if digits[0] == "0" and "  " not in value:  # and a number in its country's plan: seldom anything else
        return 0.6
    return 0.6 if _PHONE_HEAD.search(lower, max(0, start - _FAR), start) else 0.3


def _elsewhere(value: str, number: phonenumbers.PhoneNumber, *, abroad: bool, near: bool) -> float:
    """How sure is it that this is a number of another country? Nobody knows every plan."""
    if not abroad and _ELSEWHERE(value):
        return 0.8 if near else 0.6
    if near and not abroad and any(_valid(value, region) for region in _HOME[1:]):
        return 0.6
    long = len(NOT_DIGITS.sub("", value)) > 9
    if (abroad or _ABROAD_DIALLED(value)) and long and phonenumbers.is_possible_number(number):
        return 0.6
    return 0.0


def _labelled_phone(text: str, lower: str, start: int, end: int) -> Found:
    """A number right behind a word for it, of a country that it does not name, or that it names without a sign."""
    value = text[start:end].rstrip()
    digits = NOT_DIGITS.sub("", value)
    if not 9 <= len(digits) <= 15 or _DATED(value) or OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return
    national = len(digits) < 12 or digits.startswith("00")
    if national and (_grouped(value) or digits[0] == "0" or _OF_PHONES.search(lower, max(0, start - 32), start)):
        for region in _HOME:
            if phonenumbers.is_possible_number_string(value, region) and _valid(value, region):
                yield Span("phone", start, start + len(value), 0.8, "phone")
                return
    if len(digits) > 10 and digits[0] != "0" and _valid(f"+{digits}", "NL"):
        yield Span("phone", start, start + len(value), 0.8, "phone")


def _valid(value: str, region: str) -> bool:
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) or (region == "US" and _FICTION(value) is not None)
