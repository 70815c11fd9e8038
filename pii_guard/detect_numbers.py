"""Recognisers for the numbers persons are known by, checked by their own arithmetic. Dutch first."""

import re

import phonenumbers
from stdnum import iban as stdnum_iban
from stdnum.nl import bsn as stdnum_bsn

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded

_PHONE = re.compile(
    r"[+(0-9](?<![\w/=+-][(0-9])(?<![^A-Za-z][.:][(0-9])(?<!\w\+)(?:[\d\s().\-/+]{6,24}\d)(?![\w])(?!\.\d)"
)
PHONE_LABELS = Words(
    *("tel", "phone", "foon", "mob", "msisdn", "gsm", "sms", "fax", "call", "bel", "wa.me/", "whatsapp", "signal"),
    *("contact", "sip:", "sip/", "cell", "exten"),
)
"""Behind these a number is a telephone's though it does not look it: `msisdn=31612345678`, `call 202-555-0143`."""
_LOOSE_PHONE = Quick(r"[+(\d](?<![\d.+(-][+(\d])[\d().\- /]{7,18}\d(?!\w|\.\d)")
_LABEL_BEFORE = re.compile(
    r"(?:\b(?:tel(?:efoon|ephone|_?nr)?|(?:\w*[_-])?(?:tele)?phone|telefoon|mob(?:iel|iles?)?|msisdn|gsm|sms|fax|"
    r"call(?:er|to)?|"
    r"beller|bel|whatsapp|signal|cell|sip|exten|contact|cli|ani|a-?nummer|b-?nummer)|foon|phone|wa\.me/|send\?phone=)"
    r"(?:[ _-]?(?:id|nr|no|number|nummer|us at|me at|me on|op|on|at|is|van|from|to|naar|aan)\b)?"
    r"\.?[\"']?[ \t:=>/]{0,4}[\"'(]{0,2}$"
)
_HOME = ("NL", "BE", "US", "GB", "DE", "FR")
"""Whose numbers stand without a country code, behind a word that says what they are."""
_OTHER_NUMBER = re.compile(
    r"(?:(?:artikel|bestel|order|serie|zaak|dossier|ticket|polis|factuur|offerte|rekening|invoice|sku|\bean|isbn|"
    r"pipeline|kvk|referentie|reference|queue|batch|\blot)[a-z]{0,8}|\b(?:klant|relatie|lid|debiteur)"
    r"(?: ?(?:en)?-?(?:nummer|nr|no|number|id|code)\.?)|\b(?:case|part|policy|contract|bag)"
    r"(?: ?(?:en)?-?(?:nummer|nr|no|number|id|code)\.?)?)\b[\s:.#]{0,3}(?:\([a-z]{1,12}\) ?)?$"
)
"""What the number behind it is, and no telephone or citizen has."""
_DATED = re.compile(r"\(?\d\d[-/]\d\d[-/](?:19|20)\d\d\b|\d+/(?:19|20)\d\d/").match
_DIALLED = Quick(r"\D[+(0](?:[\s().\-/+]{0,8}\d){7}")
"""A number that is one begins with +, ( or 0, and not within another."""
_PHONE_WORDS = re.compile(
    r"(?:\btel\b|telefoon|phone|telephone|mobiel|mobile|\bgsm\b|\bbel\b|\bbelt?\b|\bcall(?:ed|s)?\b|\bfax|"
    r"whatsapp|\bsms\b|nummer|"
    r"\bt:|\bm:|\bt\b|\bm\b|signal|bereikbaar|contact|\bnumber|\bcell|gebeld|\bbellen|\btext|doorkies|msisdn|"
    r"toestel|gesprek|beller|\blijn|aanmelden|inlichtingen|opgave|telnr)[^\n]{0,40}$"
)
_DUTCH = re.compile(
    r"0[1-9]\d{1,2}\s?[-/ ]\s?\d[\d ]{5,8}$|0[1-9]\d\s?[-/]|06[-. ]|\(0\d{1,3}\)|0\d{2,3}\.\d{2,4}\.\d"
).match
_grouped = re.compile(r"(?:1[-. ])?\(?\d{3}\)?[-. ]\d{3}[-. ]\d{4}").fullmatch
"""As in North America."""
_AMERICAN = Quick(r"(?<![\w.+-])(?:1[-. ])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[-. ])[2-9]\d\d[-. ]\d{4}(?![\w-]|\.\d)")
_ABROAD_DIALLED = re.compile(r"00(?!31)[1-9]\d{0,2}[\s.(/-]").match
_FICTION = re.compile(r"(?:1[-. ])?\(?[2-9]\d\d\)?[-. ]555[-. ]01\d\d").fullmatch
_PHONE_HEAD = re.compile(r"telefoon|phone|mobiel|\btel\b|\bgsm\b")
_DIGITS = Quick(r"\d(?:[\s().\-/_+]{0,8}\d){7}")
"""A telephone's or citizen's number has no fewer."""
_SERVICE = re.compile(r"0[89]00[-. ]\d{4}$").match
_MOBILE_DIGITS = re.compile(r"(?:0|0031|31)6[1-9]\d{7}").fullmatch
"""A number as people write it: area code, sign, the rest."""
_BSN = Quick(
    r"[0-9](?<![^\W_][0-9])(?<![.-][0-9])"
    r"(?:\d{8}|\d{7}|\d{3}\.\d{2}\.\d{3}|\d{2}[ .-]\d{3}[ .-]\d{3}|\d{3} \d{2} \d{3}|"
    r"\d \d{2} \d{2} \d{3}|\d(?P<sign>[.-])\d{2}(?P=sign)\d{2}(?P=sign)\d{3}|\d{2} \d{2} \d{2} \d{2})(?!\w|[./]\d|-\w)"
)
_BSN_LABELLED = Quick(
    r"(?:bsn|b\.s\.n\.|burgerservicen(?:umme)?r|sofi(?:nummer)?|\bssn)"
    r"[\"']?(?:[:=#/ ._-]{0,3}[\"']?(?P<plain>\d{8,9})(?!\d)"
    r"|(?:[ -]?n(?:umme)?r\.?)?(?:\s(?:is|was|luidt))?[:=\s]{1,4}(?P<loose>\d(?:[ ,./-]{0,3}\d){7,8})(?![\w]|[,./-]\d))"
)
"""Behind the word itself, parted in any way."""
_PARTING = re.compile(r"[\s._/·-]")
_NOT_DIGITS = re.compile(r"\D")
_NINE = re.compile(r"(?<!\d)\d{9}(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:(?:00|\+|%2B)?31|0)6[1-9]\d{7}(?!\d)")
_BARE_MOBILE = Quick(r"[03](?:(?<![\w.+/-]3)1|(?<=[:=]0))6[1-9]\d{7}(?![\w-]|\.\d)")
_CALLING = re.compile(
    r"\b(?:from|to|src|dst|source|dest(?:ination)?|call(?:er|ed|ing|ee)\w*|sender|recipient|van|naar|aan|nr|nummer|number|"
    r"cli|ani|cld|party|subscriber|mobile|orig(?:in)?|term|user)[\"']?[:=][\"']?$"
)
"""Who calls whom, as exchanges and gateways log it."""
_IN_FILE_NAME = Quick(
    r"\d(?<![\d.]\d)(?:(?<=[_-].)\d{8}(?=[\w-]{0,40}\.[a-z]{3,4}\b)|\d{8}(?=[_-][\w-]{0,40}\.[a-z]{3,4}\b))(?!\d)"
)
"""`loonstrook-111222333.pdf`: files of one person are called by the number."""
_BSN_WORDS = re.compile(
    r"bsn|b\.s\.n\.|burger[ _-]?service|onderwijsnummer|\bpgn\b|nlminbiza|s00000000:|belastingnummer|\baanslag|"
    r"sofi\s?-?n(?:umme)?r|\bsofi\b|sociaal[ -]fiscaal|fiscaal nummer|"
    r"citizen[ _-]?service|\bbrp\b|\bdigid\b|nationa(?:a|le?)[ -](?:identi\w+ )?(?:nummer|number|no|nr)\b|"
    r"(?:identity|insurance|citizen'?s?) (?:number|no|nr)\b|"
    r"\bcsn\b|\bssn\b|persoonsnummer|personal (?:number|no|id)|national[ _-]?id|"
    r"identification number|identiteitsn(?:umme)?r|"
    r"\bid-?nummer|persoonsgebonden|social security|tax (?:number|id)|\btin\b|loonheffing|"
    r"service[ -]?(?:number|nr|no)\b|"
    r"\bsv-?n(?:umme)?r|burgern(?:umme)?r|persoonsn(?:umme)?r|identificatien(?:umme)?r|fiscal (?:number|no)"
)
_BSN_NAMES = Words(
    *("bsn", "b.s.n.", "burgerservice", "burger service", "sofi", "sociaal", "fiscaal", "citizen", "csn", "ssn"),
    *("persoonsnummer", "personal number", "personal id", "national", "identification number", "identiteitsnummer"),
    *("idnummer", "id-nummer", "persoonsgebonden", "social security", "tax number", "tax id", "tin ", "tin:"),
    *("loonheffing", "service number", "service nr", "service no", "servicen", "sv-n", "svn", "burgern", "persoonsn"),
    *("identificatien", "fiscal ", "burger-service", "burger_service", "onderwijsnummer", "pgn", "nlminbiza"),
    *(
        "s00000000:",
        "belastingnummer",
        "aanslag",
        "personal no",
        "identiteitsn",
        "brp",
        "digid",
        "nationaal",
        "nationale",
    ),
    *("identity n", "insurance n"),
)
ACCOUNTS = Words("iban", "rekening", "account", "bank", "giro", "betaal", "bic")
_BSN_LOOSE = Quick(r"[0-9](?<![\w./+-][0-9])(?<!\d[:=][0-9])(?<!\d,[0-9])(?:[ ./_-]{0,2}\d){8}(?!\w|[./-]\d)")
"""Parted in any way, as people read it out."""
_BEFORE, _BEHIND = 200, 60
_TRAVEL = Quick(r"\dNLD\d{7}[MFX<]\d{7}(?P<bsn>\d{9})<")
"""The lower line of a Dutch passport, as machines read it."""
_VAT = Quick(r"(?:nl(?<!\wnl)\.?|(?<![\w.]))(\d{9})(?:\.?b\.?|[hlt](?<=\d.))\d{2}(?!\w)")
_IBAN = re.compile(r"(?:(?<!\w)|(?<=iban)|(?<=_))[A-Z]{2}[0-9]{2}(?:[\s._-]{0,2}[A-Z0-9]){11,30}(?!\w)", re.IGNORECASE)
_INVENTED = re.compile(r"(?!RF|rf)[A-Za-z]{2}\d{2}[A-Za-z]{0,4}\d{10,26}").fullmatch
"""As people make one up, or mistake the country: the check digits are right. RF: a payment's reference (ISO 11649)."""
_GROWN = re.compile(r"[A-Z]{2}\d\d[ A-Z0-9]{7,30}?\d(?=[A-Za-z])").match
"""What follows it without a blank: a currency, a word."""
_APART = (
    r"(?<!\w)(?:AT|BE|CH|CZ|DE|DK|ES|FI|FR|GB|GR|HR|HU|IE|IT|LT|LU|LV|NL|NO|PL|PT|RO|SE|SI|SK|TR)"
    r"[ ./·-]?\d\d(?:[ ./·-]{0,2}[A-Z0-9]){11,30}(?!\w)"
)
_IBAN_APART, _IBAN_SMALL = Quick(_APART), Quick(_APART, re.IGNORECASE)
"""Parted after the country too, or by other signs; in small letters where the text has a word for an account."""
_ACCOUNT = re.compile(r"[0-9](?<=[A-Za-z][A-Za-z][0-9])[0-9]")
account_start = re.compile(r"\d(?<=[A-Za-z][A-Za-z]\d)\d(?:[\s._/-]{0,2}[A-Za-z0-9]){5}").search

_SIDECODES = re.compile(
    r"(?:[A-Z]{2}-\d\d-\d\d|\d\d-\d\d-[A-Z]{2}|\d\d-[A-Z]{2}-\d\d|[A-Z]{2}-\d\d-[A-Z]{2}|[A-Z]{2}-[A-Z]{2}-\d\d|"
    r"\d\d-[A-Z]{2}-[A-Z]{2}"
    r"|\d\d-[A-Z]{3}-\d|\d-[A-Z]{3}-\d\d|[A-Z]{2}-\d{3}-[A-Z]|[A-Z]-\d{3}-[A-Z]{2}|[A-Z]{3}-\d\d-[A-Z]|"
    r"[A-Z]-\d\d-[A-Z]{3}"
    r"|\d-[A-Z]{2}-\d{3}|\d{3}-[A-Z]{2}-\d)(?![\w-])"
)
"""The fourteen series of Dutch plates (RDW), with their dashes."""
_ABROAD = re.compile(
    r"(?<![\w-])(?:[A-Z]{2}\d{2} ?[A-Z]{3}|[A-ZÄÖÜ]{1,3}-[A-Z]{1,2} ?\d{1,4}[EH]?|[1-9]-[A-Z]{3}-\d{3}|"
    r"\d{2,3}-[A-Z]{1,2}-\d{3,6}"
    r"|[A-Z]{2} \d{3} [A-Z]{1,2}|[A-Z]{1,2} \d{3} [A-Z]|[A-Z]{2}-\d{3}-[A-Z]{2}|[A-Z]{2,3} \d{4}[A-Z]|"
    r"\d{2} [A-Z]{2} [A-Z]{2})(?![\w-])"
)
"""British, German, Belgian, Irish, French and Italian, Polish plates, and Dutch ones with blanks."""
VEHICLES = Words(
    "kenteken",
    "plate",
    "plaat",
    "car ",
    "car,",
    "cars",
    "auto",
    "busje",
    "vehicle",
    "voertuig",
    "kfz",
    "wagen",
)
_PLATE_DASH = re.compile(r"-(?=[A-Z0-9]{2,3}-[A-Z0-9])")
_PLATE = re.compile(
    r"(?<![\w-])(?=[A-Z0-9-]{6,8}(?![\w-]))(?=[A-Z0-9-]*[A-Z])(?=[A-Z0-9-]*\d)"
    r"[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}[- ]?[A-Z0-9]{1,3}",
    re.IGNORECASE,
)
PLATES = Words("kenteken", "license", "licence", "number plate", "nummerplaat", "plate", "registration")
_PLATE_WORDS = re.compile(
    r"kenteken|licen[cs]e[ -]plate|number plate|nummerplaat|\bplates?\b|registration (?:mark|number)"
)
_VEHICLE_WORDS = re.compile(
    r"kenteken|plate|nummerplaat|voertuig|\bkfz\b|\brijdt\b|laadplek|gestald|carport|\bauto'?s?\b|bestel(?:bus|"
    r"auto)|personenauto|\bbus(?:je)?\b|vehicle|"
    r"\bcars?\b|(?:a|the|white|delivery|\w+ed) vans?\b|"
    r"trailer|aanhanger|scooter|motor(?:fiets)?\b|vracht(?:auto|wagen)|\btruck|volvo|volkswagen|\bvw\b|toyota|"
    r"\bbmw\b|mercedes|"
    r"rental|driver|bestuurder|chauffeur|verhuur|\brijder|audi\b|peugeot|renault|opel\b|\bford\b|tesla|\bkia\b|"
    r"skoda|\bfiat\b|parkeer|parking|leaseauto|lease|slagboom|anpr|taxi|garage"
)
_STARTS = (" +", " 0", " (")
_ELSEWHERE = re.compile(
    r"0[1-9](?:(?P<fr>[ .-])\d\d)(?:(?P=fr)\d\d){3}"  # France
    r"|\(?0\d{4}\)? \d{3} \d{3}|07\d{3} \d{3} ?\d{3}|\(?0\d{3}\)? \d{3} \d{4}|\(?02\d\)? \d{4} \d{4}"  # Britain
    r"|0\d{1,3}[ /]\d{2,3}(?P<be>[ .])\d\d(?P=be)\d\d"  # Belgium
    r"|\(?0\d{2,4}\)?[ /-]{1,3}\d{5,8}(?:-\d{1,4})?"  # Germany
).fullmatch
"""National forms of neighbours: as their people part them, no other number is."""
_FAR = 300
_ROW = 16
_LEAST = 8


def numbers(text: str) -> Found:
    """BSN, IBAN, telephone."""
    lower = folded(text)
    yield from _accounts(text)
    if _DIGITS.search(text):
        yield from _citizen_numbers(text, lower, names_bsn(lower))
        yield from _phones(text, lower)


def _phones(text: str, lower: str) -> Found:
    for match in _PHONE.finditer(text) if text[:1] in "+(0" or _DIALLED.near(text) else ():
        start, end = match.span()
        if text[start] in "+(0" or _DIALLED.exact.search(text, start, end):
            yield from _phone(text, lower, start, end)
    if PHONE_LABELS.any(lower):
        for match in _LOOSE_PHONE.finditer(text):
            if _LABEL_BEFORE.search(lower, max(0, match.start() - 32), match.start()):
                yield from _labelled_phone(text, lower, *match.span())
    for match in _AMERICAN.finditer(text):
        near = "(" in match.group() or _PHONE_WORDS.search(lower, max(0, match.start() - 48), match.start())
        other = _OTHER_NUMBER.search(lower, max(0, match.start() - 40), match.start())
        if near and not other and _valid(match.group(), "US"):
            yield Span("phone", *match.span(), 0.6, "phone")
    for match in _BARE_MOBILE.finditer(text):
        if not (_OTHER_NUMBER.search(lower, max(0, match.start() - 40), match.start()) or _in_url(text, match.start())):
            keyed = text[match.start() - 1 : match.start()] in (":", "=", '"', "'")
            sure = match.group()[0] == "3" and not keyed
            calling = keyed and _CALLING.search(lower, max(0, match.start() - 24), match.start())
            if calling or not keyed or match.group()[0] == "0":
                yield Span("phone", *match.span(), 0.6 if calling or sure else 0.3, "phone-bare")


def _accounts(text: str) -> Found:
    named = ACCOUNTS.any(folded(text))
    if account_start(text):
        for digits in _ACCOUNT.finditer(text):
            match = _IBAN.match(text, digits.start() - 2)
            end = _iban_end(text, match, named) if match else None
            if match and end:
                yield Span("iban", match.start(), end, 0.95, "iban")
    for match in (_IBAN_SMALL if named else _IBAN_APART).finditer(text):
        if end := _iban_end(text, match, named):
            yield Span("iban", match.start(), end, 0.9, "iban")


def names_bsn(lower: str) -> bool:
    """May a word for a citizen's number stand in the text (in lower case)?"""
    return _BSN_NAMES.any(lower)


def _citizen_numbers(text: str, lower: str, named: bool) -> Found:
    numbered = [match for match in _BSN.finditer(text) if _citizens(match.group(), lower, match.start(), named)]
    passed = [match for match in numbered if stdnum_bsn.is_valid(_NOT_DIGITS.sub("", match.group()))]
    every = 1 < len(passed) == len(numbered)
    for number, match in enumerate(passed):
        start, end = match.span()
        row = (number and start - passed[number - 1].end() < _ROW) or (
            number + 1 < len(passed) and passed[number + 1].start() - end < _ROW
        )  # that two of a row pass the test by chance is rare
        close = _BSN_WORDS.search(lower, max(0, start - 60), end + 30) if named else None
        beside = named or row or every or account_start(text, max(0, start - 60), end + 60)
        yield Span("bsn", start, end, 0.95 if close else 0.6 if beside else 0.3, "bsn")
    for match in _BSN_LOOSE.finditer(text) if named else ():
        start, end = match.span()
        near = _BSN_WORDS.search(lower, max(0, start - _BEFORE), end + _BEHIND)
        citizens = near and _citizens(match.group(), lower, start, named)
        if citizens and stdnum_bsn.is_valid(_NOT_DIGITS.sub("", match.group())):
            yield Span("bsn", start, end, 0.7, "bsn")
    for match in _BSN_LABELLED.finditer(lower) if named else ():
        if stdnum_bsn.is_valid(_NOT_DIGITS.sub("", match.group(match.lastgroup or 0))):
            yield Span("bsn", *match.span(match.lastgroup or 0), 0.95, "bsn")
    for match in _IN_FILE_NAME.finditer(lower):
        if stdnum_bsn.is_valid(match.group()) and not _OTHER_NUMBER.search(
            lower, max(0, match.start() - 40), match.start()
        ):
            yield Span("bsn", *match.span(), 0.6, "bsn-file-name")
    for match in _TRAVEL.finditer(text):
        if stdnum_bsn.is_valid(match.group("bsn")):
            yield Span("bsn", *match.span("bsn"), 0.9, "travel-document")
    for match in _VAT.finditer(lower):
        if stdnum_bsn.is_valid(match.group(1)):  # a one-person firm's VAT number held its owner's BSN until 2020
            yield Span("bsn", *match.span(), 0.8, "vat-bsn")


def _citizens(written: str, lower: str, start: int, named: bool) -> bool:
    """Is this number long enough, and of nothing else?"""
    before = lower[max(0, start - 2) : start]
    if not named and (sum(map(str.isdigit, written)) < 9 or (before[-1:] == "," and before[:1].isdigit())):
        return False  # thousands
    return not (_OTHER_NUMBER.search(lower, max(0, start - 40), start) or _in_url(lower, start))


def _in_url(text: str, start: int) -> bool:
    """Within an address of a page numbers are mostly something else (`bare_numbers`)."""
    return (
        text[start - 1 : start] in ("=", "/", "#", "_")
        and "://" in text[max(0, start - 200) : start].rsplit(maxsplit=1)[-1]
    )


def bare_numbers(text: str) -> Found:
    """Citizens' numbers and mobile phones in places where numbers mostly are something else (URLs, file names)."""
    for match in _NINE.finditer(text):
        if stdnum_bsn.is_valid(match.group()):
            yield Span("bsn", *match.span(), 0.6, "bsn-bare")
    for match in _MOBILE.finditer(text):
        yield Span("phone", *match.span(), 0.6, "phone-bare")


def _iban_end(text: str, match: re.Match[str], named: bool) -> int | None:
    """Where the account number ends: the pattern may have run into the words after it."""
    start, end = match.start(), match.end()
    while end - start >= 15:
        if _is_iban(text[start:end], named):
            return start + len(text[start:end].rstrip(" ._/·-\n\t\r\u00a0"))
        end = max(text.rfind(sign, start, end) for sign in " ._/·-\n\t\r")
    grown = _GROWN(text, start, match.end())  # `NL91ABNA0417164300EUR`
    return grown.end() if grown and _is_iban(grown.group(), named) else None


def _is_iban(written: str, named: bool) -> bool:
    """Does it pass the test, and is it as its country has them, or made up where the text has a word for one?"""
    number = _PARTING.sub("", written)
    if _remainder(number) != 1:
        return False
    return bool(stdnum_iban.is_valid(number, check_country=False)) or (named and _INVENTED(number) is not None)


def _remainder(number: str) -> int:
    """Of the division by 97 (ISO 7064): most of what looks like an account fails here, and costs no more."""
    try:
        return int("".join(str(int(char, 36)) for char in number[4:] + number[:4])) % 97
    except ValueError:  # a digit or letter of another script
        return 0


def _phone(text: str, lower: str, start: int, end: int) -> Found:
    """The number, or the numbers that follow one another on several lines or behind a slash."""
    while start < end and text[start] in " \n\t/.-)":
        start += 1
    if end - start < _LEAST:
        return
    confidence = _phone_confidence(text, lower, start, end)
    if confidence:
        yield Span("phone", start, end, confidence, "phone")
        return
    for sign in ("\n", " / ", "/", "  ", " +", " 0", " (", " "):
        cut = text.find(sign, start + (1 if sign in _STARTS else 6), end)
        if cut > 0:
            first = _phone_confidence(text, lower, start, cut)
            rest = list(_phone(text, lower, cut + 1, end))
            if first or rest:
                if first:
                    yield Span("phone", start, cut, first, "phone")
                yield from rest
                return


def _phone_confidence(text: str, lower: str, start: int, end: int) -> float:
    value = text[start:end]
    digits = _NOT_DIGITS.sub("", value)
    if _SERVICE(value):
        return 0.8 if _PHONE_WORDS.search(lower, max(0, start - 48), start) else 0.3
    if not 9 <= len(digits) <= 15 or _DATED(value) or not (value[0] in "+(" or digits[0] == "0"):
        return 0.0
    abroad = value.lstrip("(").startswith("+")
    try:
        number = phonenumbers.parse(value, "NL")
    except phonenumbers.NumberParseException:
        return 0.0
    if not abroad and _ELSEWHERE(value) and not phonenumbers.is_valid_number(number):
        other = _OTHER_NUMBER.search(lower, max(0, start - 40), start)
        return 0.0 if other else 0.8 if _PHONE_WORDS.search(lower, max(0, start - 48), start) else 0.6
    if not phonenumbers.is_valid_number(number):  # nobody knows every plan: with its country it need but be possible
        if (abroad or _ABROAD_DIALLED(value)) and len(digits) > 9 and phonenumbers.is_possible_number(number):
            return 0.6
        return 0.0
    if not abroad and _OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return 0.0
    if _PHONE_WORDS.search(lower, max(0, start - 48), start):
        return 0.95
    if abroad:
        return 0.8
    if _DUTCH(value) or _MOBILE_DIGITS(digits) or (value.startswith("00") and not value.isdigit()):
        return 0.6
    if text[max(0, start - 2) : start] == '="':
        return 0.0
    return 0.6 if _PHONE_HEAD.search(lower, max(0, start - _FAR), start) else 0.3


def _labelled_phone(text: str, lower: str, start: int, end: int) -> Found:
    """A number right behind a word for it, of a country that it does not name, or that it names without a sign."""
    value = text[start:end].rstrip()
    digits = _NOT_DIGITS.sub("", value)
    if not 9 <= len(digits) <= 13 or _DATED(value) or _OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return
    if _grouped(value) or digits[0] == "0":
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


def plates(text: str) -> Found:
    """Licence plates, Dutch first, where the text speaks of a vehicle."""
    lower = folded(text)
    for at in VEHICLES.places(lower):
        for match in _ABROAD.finditer(text, max(0, at - 60), at + 120):
            if _VEHICLE_WORDS.search(lower, max(0, match.start() - 120), match.end() + 60):
                yield Span("plate", *match.span(), 0.7, "plate-abroad")
    for at in PLATES.places(lower):
        word = _PLATE_WORDS.match(lower, at)
        if word is None:
            continue
        for match in _PLATE.finditer(text, word.end(), word.end() + 60):
            bare = re.sub("[- ]", "", match.group())
            if len(bare) == 6 and ("-" in match.group() or match.group() != match.group().lower()):
                yield Span("plate", *match.span(), 0.8, "plate-nl")
    for dash in _PLATE_DASH.finditer(text):
        start = dash.start()
        while start > max(0, dash.start() - 4) and text[start - 1].isalnum():
            start -= 1
        strict = None if start and text[start - 1] in "-_" else _SIDECODES.match(text, start)
        if strict and _VEHICLE_WORDS.search(lower, max(0, start - _FAR), strict.end() + _FAR // 2):
            yield Span("plate", *strict.span(), 0.8, "plate-nl")
