"""Words that say that a number is a telephone's, or another; and whether one is in its country's plan."""

import re

import phonenumbers

from pii_guard.span import Words

PHONE_LABELS = Words(
    *("tel", "tél", "phone", "foon", "mob", "msisdn", "gsm", "sms", "fax", "call", "bel", "wa.me/", "wa[.]me/"),
    *("whatsapp", "contact", "sip:", "sip/", "cell", "exten", "?t=", "&t=", "dial", "appen", "app:"),
    *("y number", "mijn nummer", "signal", "handy", "rufn", "inbellend", "oproep", "pieper", "bereik", "desk"),
    *("enservice", "sender", "afzender", "dnummer", "elnummer", "06-n", "lineuri", "clip", "remoteparty"),
    *("_addr", "2fa", "support", "direct", "\u260e", "\u260f", "\u2706", "\U0001f4de", "\U0001f4f1"),
    "\U0001f4f2",
)
"""Behind these a number is a telephone's though it does not look it: `msisdn=31612345678`, `call 202-555-0143`."""
_OF = (
    r"(?:\bt[eé]l(?:efoo?n\w{0,14}|[eé]phone\w{0,8}|[eé]fono|_?nr|nummer)?|(?<![a-z])(?:\w{1,12}[_-])?(?:tele)?phone\w{0,12}|"
    r"foon(?:nummer|nr)?|\bmob(?:iel\w{0,10}|iles?\w{0,8}|nr)?|\bgsm\w{0,6}|\bfax\w{0,6}|\bcell(?:phone|ular)?|\bsms|"
    r"whatsapp|\bhandy|\brufnummer|\bmsisdn|\b06-n(?:umme)?r|[\u260e\u260f\u2706\U0001f4de\U0001f4f1\U0001f4f2]\ufe0f?)"
)
"""Behind these nothing but a telephone's number stands, whatever it begins with."""
_MAY = (
    r"(?:\b(?:call(?:er|ed|ing|back|to)?(?![ _-]?id\b)|callerid|caller[ _-]id|dial(?:ed|ling)?|app(?:en|je|te)?|beller|"
    r"bel(?:len|den?|t)?|gebeld|inbellend\w{0,3}|oproep|ring|pieper|bereik\w{0,6}|signal|telegram|sip|exten|contact\w{0,14}|"
    r"cli|clip|ani|[ab]-?nummer|[ab]-number|my number|mijn nummer|(?:nood|spoed|terugbel)nummer|\w{0,10}desk|"
    r"support|\w{0,10}service|sender|afzender|remoteparty|"
    r"verified number|2fa|mfa|source_addr|dest\w{0,8}_addr|phoned|ph(?=[.:])|[tmfdp](?=[:.])|dir(?=[:.])|direct)|"
    r"lineuri|wa\[?\.\]?me/|send\?phone=|[?&]t=)"
)
_FILLED = (
    r"(?:[ _.-]{0,2}(?:\([^()\n]{1,24}\)|(?:id|nr|no|num|number|nummer|us|me|mij|ik|i|we|wij|op|on|at|is|van|from|to|"
    r"naar|aan|via|met|with|by|door|de|het|uw|mijn|my|the|our|ons|werk|thuis|priv[eé]|home|work|mobile?|mobiel|overdag|avonds?|"
    r"office|kantoor|factuur|kaart|brief|voor|of|in|tel|fax|phone|telefoon)\b\.?)){0,4}"
    r"[\"'`*]{0,3}[ \t:=>/|.]{0,6}(?:</?\w[^<>\n]{0,40}>\s{0,4}){0,3}[\"'(\[`*]{0,3}$"
)
OF_PHONES = re.compile(_OF + _FILLED)
LABEL_BEFORE = re.compile(f"(?:{_OF}|{_MAY}){_FILLED}")
LABEL = 64
"""So far before a number its label is looked for."""
HOME = ("NL", "BE", "US", "GB", "DE", "FR", "ES", "IT", "PL", "PT", "DK", "NO", "SE", "CH", "AT", "LU", "IE")
"""Whose numbers stand without a country code, behind a word that says what they are."""
FAR_HOMES = (
    *HOME,
    *("TR", "MA", "SR", "CW", "CZ", "GR", "HU", "RO", "UA", "RU", "CN", "IN", "ZA", "AU", "BR", "KR", "JP"),
    *("ID", "MX", "AR"),
)
"""Right behind such a word."""
_OTHER = (
    r"(?:artikel|art|bestel|bestelling|order|serie|zaak|dossier|ticket|polis|factuur|offerte|rekening|invoice|sku|ean|isbn|"
    r"parket|pipeline|kvk|bon|pakbon|inkoop|perceel|bestek|materiaal|quote|btw|vat|tva|kbo|referentie|reference|queue|"
    r"batch|lot|po|certificaat|certificate|serial|tracking)"
)
_NUMBERED = r"(?:[ ._-]{0,2}(?:nummers?|nrs?|no|num|numbers?|id|codes?|kenmerk|ref|key|regel)\b)"
OTHER_NUMBER = re.compile(
    rf"(?:(?:{_OTHER}(?:en|s)?{_NUMBERED}|(?<![a-z])(?:inkoop|verkoop|werk|work|service|retour|purchase|sales)?{_OTHER}"
    r"(?:en|s)?|facturen|\breport no)\b|"
    rf"\b(?:klant|relatie|lid|debiteur|aangifte|volg)(?:en)?{_NUMBERED}|"
    rf"\b(?:case|part|policy|contract|bag|sid)(?:s|en)?{_NUMBERED}?\b)"
    r"(?: (?:is|was|luidt)(?=[ :]))?"
    r"(?:[^\S\n]|\.(?!\s)|(?<=nr)\.|(?<=no)\.|[:=#>\"']\s?){0,4}(?:\([a-z]{1,12}\) ?|be ?)?\Z"
)
"""What the number behind it is, and no telephone or citizen has; in its line and sentence, or behind a colon."""
PHONE_WORDS = re.compile(
    r"(?:\btel\b|telefoon|phone|telephone|mobiel|mobile|\bgsm\b|\bbel\b|\bbelt?\b|\bcall(?:ed|er|s)?\b|\bfax|"
    r"whatsapp|\bsms\b|nummer|"
    r"\bt:|\bm:|\bt\b|\bm\b|signal|bereikbaar|contact|\bnumber|\bcell|gebeld|\bbellen|\btext|doorkies|msisdn|"
    r"toestel|gesprek|beller|\blijn|aanmelden|inlichtingen|opgave|telnr|\bph\b|\btf\b|\bapp(?:en|je|te|t)?\b|"
    r"\bdial|outgoing|incoming|uitgaand|inkomend|anruf|rufnummer|"
    r"[\u260e\u260f\u2706\U0001f4de\U0001f4f1\U0001f4f2])[^\n]{0,40}$"
)
NO_ZERO = re.compile(r"6[1-58]\d{7}").fullmatch
"""A mobile number whose zero a sheet has lost."""
OF_A_YEAR = re.compile(r"20[0-4]\d{8,9}").fullmatch
"""The case numbers of a year look like numbers of Egypt."""
NOT_DIGITS = re.compile(r"\D")
_FICTION = re.compile(
    r"(?:\+?1)?[2-9]\d\d55501\d\d|(?:\+?44|0)(?:7700900|1632960)\d{3}|(?:\+?33|0)(?:19900|26191|35301|46571|53649|63998)\d{4}"
).fullmatch
"""Numbers kept for films and examples: in nobody's plan."""
_BOTH = re.compile(_OF + r"\s?(?:/|&|\ben\b|\bof\b|\band\b|\bor\b)\s?[a-z]+[\s:=]{0,3}$")
"""`telefoon/klantnummer: `"""
_NO_SIGNS = re.compile(r"[^\d+]")


def valid(value: str, region: str = "NL") -> bool:
    """Is it in the plan of its country, which is this one unless it says another?"""
    try:
        number = phonenumbers.parse(value, region)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number) or _FICTION(_NO_SIGNS.sub("", value)) is not None


def possible(value: str) -> bool:
    """Has it the length that numbers of its country have? It names the country."""
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(value))
    except phonenumbers.NumberParseException:
        return False


def other(lower: str, start: int) -> bool:
    """Is the number that begins here said to be another than a telephone's or a citizen's?"""
    if not OTHER_NUMBER.search(lower, max(0, start - 40), start):
        return False
    before = max(0, start - LABEL), start
    return OF_PHONES.search(lower, *before) is None and _BOTH.search(lower, *before) is None


def in_url(text: str, start: int) -> bool:
    """Within an address of a page numbers are mostly something else (`bare_numbers`)."""
    return (
        text[start - 1 : start] in ("=", "/", "#", "_")
        and "://" in text[max(0, start - 200) : start].rsplit(maxsplit=1)[-1]
    )
