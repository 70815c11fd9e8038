"""Names of persons, where something beside them says that they are: only ever a suspicion, so that a person looks.

A name finder misses one Dutch name in seven and takes products for persons: nothing is decided on a name in prose. What
has the form of a name is one where a title, a label or a greeting stands before it, where what belongs to a person
stands behind it, where it fills a cell of a row with such, and where its form is that of few other things.
"""

import re

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded, places
from pii_guard.words import WORDS

CONFIDENCE = 0.4

_UPPER = r"[A-ZÀ-ÖØ-ÞĀ-ŽȘȚẠ-ỹ]"
_PART = (
    r"(?:van|von|de|den|der|het|'t|’t|ten|ter|te|el|al|bin|ben|di|da|do|dos|del|della|la|le|af|av|zu|op|in|'s|Ní|Ó|y)"
)
_REST = rf"[^\W\d_]+(?:-{_PART} {_UPPER}[^\W\d_]+|['’-]{_UPPER}?[^\W\d_]+)*"
_WORD = rf"{_UPPER}(?:['’]{_UPPER})?{_REST}"
_SURNAME = rf"(?:{_PART} ){{0,3}}{_WORD}"
_NAMELIKE = re.compile(
    rf"{_UPPER}(?<![\w@./\\-]{_UPPER})(?:"
    rf"(?:\.|h\.|(?<=C)hr\.|J\.)(?:[ -]?{_UPPER}[hJ]?\.){{0,4}} ?{_SURNAME}(?:(?: | ?[–-] ?){_SURNAME})?"
    rf"|(?:['’]{_UPPER})?{_REST}"
    rf"(?:, (?:{_UPPER}[hJ]?\.[ -]?){{1,4}}(?: ?{_PART}){{0,2}}(?![\w'])|(?: {_UPPER}\.)?(?: {_SURNAME}){{0,3}})"
    rf")"
)
_DUTCH = re.compile(
    rf"{_UPPER}[^\W\d_]+ (?P<part>van der|van den|van 't|van ’t|van de|van|de|ter|ten|el|al) "
    rf"{_UPPER}(?P<plain>[a-zà-ÿ]+\b)?"
).match
_ONLY_NAMES = frozenset({"van der", "van den", "van 't", "van ’t"})
"""What hardly anything but a surname begins with; the others are words of any sentence too."""
_FIRM = re.compile(
    r" (?:B\.?V|N\.?V|V\.?O\.?F|GmbH|Ltd|Inc|LLC|AG|SA|Holding|Advocaten|Accountants|Groep|Group|Beheer)\b"
).match
_STATE = re.compile(
    r"U\.? ?S\.|U\. ?K\.|E\. ?U\.|N\. ?V\.|B\. ?V\.|P\. ?O\.|D\. ?C\.|S\. ?A\.|L\. ?P\.|I\. [A-Z]"
).match
"""Initials of states and firms."""

_TITLES = WORDS["titles"]
"""What stands right before a name, of one word too."""
_LABELS = WORDS["name-labels"]
"""What stands before a name with a colon."""
_SAID = (
    *("reported by", "discovered by", "found by", "credited to", "thanks to", "gemeld door", "gevonden door"),
    *("ontdekt door", "opgesteld door", "geschreven door", "written by", "signed by", "ondertekend door"),
    *("op naam van", "ten name van", "on behalf of", "namens", "in the name of", "ter attentie van"),
    *("dank aan", "zegt", "aldus", "ik ben", "mijn naam is", "my name is", "i am", "spreekt met", "ja met"),
    *("he was", "she was", "noemt zich", "noemde zich", "genaamd", "heet", "her real name", "his real name"),
    *("real name", "passport scan of", "gesprek met", "interview with", "later found", "arrested", "54-jarige"),
    *("volgens de kop", "aan mevrouw", "de heer", "geachte", "beste", "dear", "slachtoffers", "katvanger"),
    *("says", "reporting by", "editing by", "photo by", "foto", "contact is", "chief executive", "tnv"),
    *("artikel van", "hoort bij", "belongs to", "belong to", "owner", "door", "said"),
)
_WORDS = tuple(f" {words}" for words in (*_SAID, *sorted(WORDS["roles"])))
"""What stands before a whole name."""
_GREETING = Quick(
    r"(?:groet(?:en|jes|je)?|gr\.|mvg|regards|sincerely|cheers|hoogachtend|thanks|bedankt|dank|thank you|best|"
    r"yours|liefs|faithfully|"
    r"wishes|truly)[,.! ]*\s*$",
    re.IGNORECASE,
)
_BELONGS = re.compile(
    r"[\"”’']?(?: \([^)\n]{1,30}\))?(?:,? [a-z]{2,12}){0,2}[\s,:;|(<\[-]{1,4}(?:mailto:|[Tt]el\.?:? ?|"
    r"[Tt]elefoon:? ?|[Pp]hone:? ?|e-?mail:? ?|[TtMmE]:? )?"
    r"(?:[\w.+-]{1,64}(?:@|\[at\]|\[@\])|\+\d|\(?0\d[\d \-/.()]{7}|BSN|bsn|geb\b|geb\.|geboren|born|date of birth"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d|(?:19|20)\d\d-\d\d-\d\d|[A-Z]{2}\d\d ?[A-Z]{4})"
    r"|[\"”]?(?: <[^>\n]{1,80}>)? (?:wrote|schreef|typed|joined|left|appte)\b| \(\d\d\)|, \d\d[,.]"
)
_LINE_ENDS = re.compile(r"[ \t]*(?:,[^\n]{0,40})?(?:\n|$)").match
_CELL_BEFORE = re.compile(r"(?:^|[|;\t:>,(\[]|[|;\t:] |  | - )[\"']?$")
_CELL_AFTER = re.compile(r"[\"']?\s?(?:$|[\"'|;\t\n]|,|  | - )")
_SIGNED_BELOW = re.compile(
    r"(?:,[^\n]{0,40})?\s*(?:$|\n(?=[^\n]{0,60}(?:@|\+\d|\(?0\d[\d \-/.()]{7}|[Tt]el|[Ff]oon|[Mm]obiel)))"
)
_CHAINED = re.compile(
    r"(?:wezig|[Pp]resent|uthors|uteurs|redits?|uests|asten|eelnemers|ttendees|articipants|[Nn]amen)"
    r"[^:\n]{0,16}: [^:\n]*$|(?:reported by|[Tt]hanks to) [^:\n]*$"
).search
"""In a list behind a label: `Aanwezig: Karin Oosterveld, Youssef Amghar`."""
_CLOSINGS = frozenset(("groet", "groeten", "groetjes", "mvg", "regards", "bedankt", "dank"))
_OWNED = re.compile(r"(?<!\w)[A-Z]{2}\d\d(?: ?[A-Z0-9]){11,30}[ (,:;|/-]{1,3}$").search
"""An account, with its holder behind it."""
_LABELLED = Quick(
    r"(?i:(?<![\w-])(?:(?:(?:achter|voor|geslachts|roep)na(?:am|men)|surname|"
    r"(?:last|first|full|family|given)[ _]?names?|volledige naam|uw naam|your name)"
    r"(?:\*?[\"']?\s?[:=;>]|[ .]{2,24}(?=[ .]))|"
    r"(?:patient|patiënt|gp|owner|photo|foto|fn)[\"']?\s?[:=]|<(?:nm|signnm)>|"
    r"[\"'](?:family|given|consumername)[\"']\s?:\s?\[?))"
    rf"[ \t]*[\"']?(?P<name>(?:{_PART} ){{0,2}}{_UPPER}[^\W\d_'’-]*(?:['’.-]+[^\W\d_]+)*\.?"
    rf"(?:[, ]{{1,2}}[\"“]?(?:{_PART} )?{_UPPER}[\w.'’-]*[\"”]?){{0,3}})"
)
"""A name behind a label that is of nothing else, in capitals too."""
_LABELS_OF = Words(
    *("voorna", "achterna", "geslachtsna", "roepna", "<nm>", "<signnm>", 'family"', 'given"', "consumername"),
    *("uw naam", "volledige naam", "surname", "last name", "first name", "full name"),
    *("last_name", "first_name", "full_name", "lastname", "firstname", "fullname", "family name", "given name"),
    *("your name", "patient", "patiënt", "gp:", "owner", "photo:", "foto:", "fn:", "fn=", "\nn:", "\nn;"),
)
_CARD = Quick(r"\nN(?:;[\w=-]+)?:(?P<name>[^;:\n]{2,40};[^;:\n]{2,40})")
"""Of a vCard."""
_GREETINGS = WORDS["greetings"]
_STOP = WORDS["not-names"]
_GIVEN = (WORDS["given-names"] | WORDS["more-given-names"]) - {
    *("job", "peer", "cas", "said", "maya", "asha", "roy", "mark"),
}
"""First words of whole names; not those that begin other things as often."""
_ATTRIBUTE = re.compile(r"<\w+ [Nn]ame=[\"']?$").search
_INITIALS = Quick(r"[A-Z](?<=[,;|\t\"'][A-Z])\.(?:[A-Z]\.){0,4}(?=[\"',;|\t])")
_SIGN = r"[\"']?[,;|\t][\"']?"
_BEFORE_INITIALS = re.compile(rf"(?<=[,;|\t\"'\n])(?P<name>(?:{_PART} ){{0,3}}{_WORD}(?: {_WORD})?){_SIGN}$").search
_BEHIND_INITIALS = re.compile(rf"{_SIGN}(?P<name>(?:{_PART} ){{0,3}}{_WORD}(?: {_WORD})?)(?=[\"',;|\t\n]|$)").match
_THEN_GIVEN = re.compile(r", (?P<given>[^\W\d_]+)(?=[\"'|;\t\n)]|  | - |$)").match
_APART = re.compile(r"[^\w@-]?").fullmatch
_LEAST_DIGITS = 6
_FOOT = 120
"""So much may follow the name at the end of a letter."""


def persons(text: str) -> Found:
    """Whatever has the form of a name, where something says that it is one."""
    yield from _labelled(text)
    yield from _beside_initials(text)
    known: set[str] = set()
    greeted = _GREETING.near(text)
    for match in _NAMELIKE.finditer(text):
        if match.group().isupper() and match.group().isalpha():
            continue  # an abbreviation
        word = " " not in match.group() and "." not in match.group()
        turned = _turned(text, match.end())
        if turned:
            word = False
        elif word and (match.group() in _STOP or not _said_before(text, match.start(), whole=False, greeted=greeted)):
            continue
        start, end = _trimmed(match.group(), *match.span())
        if end - start < 3:
            continue
        value = text[start:end]
        whole = " " in value or "." in value
        said = word or (whole and _given(value)) or _said_before(text, start, whole=whole, greeted=greeted)
        if turned and end == match.end():
            end, said = turned, True
        said = said or (whole and _shown(text, start, end))
        if not said or _STATE(text, start) or _FIRM(text, end):
            continue
        yield Span("name", start, end, CONFIDENCE, "name-in-words")
        last = value.partition(",")[0].rpartition(" ")[2]
        if whole and len(last) > 4 and last not in known:
            known.add(last)
            for at in places(text, (last,)):
                if _APART(text[at - 1 : at]) and _APART(text[at + len(last) : at + len(last) + 1]):
                    yield Span("name", at, at + len(last), CONFIDENCE, "name-again")


def _labelled(text: str) -> Found:
    for pattern in (_LABELLED, _CARD) if _LABELS_OF.any(folded(text)) else ():
        for match in pattern.finditer(text):
            if not _begins_none(match.group("name").split()[0].capitalize()):
                yield Span("name", *match.span("name"), CONFIDENCE, "name-labelled")


def _turned(text: str, end: int) -> int:
    """Where a given name ends that stands behind a surname and a comma; 0: none does."""
    then = _THEN_GIVEN(text, end) if text.startswith(", ", end) else None
    return then.end() if then and then["given"][0].isupper() and then["given"].lower() in _GIVEN else 0


def _given(value: str) -> bool:
    """Is its first word a given name that we know, or its second? `Sven-Erik Postmus`, `By Jan Jansen`."""
    words = value.split(" ")
    return any(word.lower() in _GIVEN or word.partition("-")[0].lower() in _GIVEN for word in words[:-1][:2])


def _beside_initials(text: str) -> Found:
    """`'A.C.','van den Heuvel'`: a cell with initials, and the surname in the next."""
    for match in _INITIALS.finditer(text):
        beside = _BEHIND_INITIALS(text, match.end()) or _BEFORE_INITIALS(
            text, max(0, match.start() - 60), match.start()
        )
        if beside and not _begins_none(beside["name"].split()[0]):
            yield Span("name", *beside.span("name"), CONFIDENCE, "name-beside-initials")


def _trimmed(value: str, start: int, end: int) -> tuple[int, int]:
    """Without words at either end that belong to no name; nothing is left where one stands within."""
    if " " not in value:
        return (end, end) if _begins_none(value) else (start, end)
    words = value.split(" ")
    while words and _begins_none(words[0]):
        start += len(words.pop(0)) + 1
    while words and words[0].islower():
        start += len(words.pop(0)) + 1
    for at, word in enumerate(words):
        if _no_name(word):
            end = start + len(" ".join(words[:at]))
            break
    return start, end


def _begins_none(word: str) -> bool:
    """Does no name begin with this word?"""
    return _no_name(word) or word in _GREETINGS or word.lower().rstrip(".") in _TITLES


def _no_name(word: str) -> bool:
    bare = word.strip(".,'’")
    return bare in _STOP or (len(bare) > 2 and bare.isupper() and "." not in bare)


def _said_before(text: str, start: int, *, whole: bool, greeted: bool) -> bool:
    before = text[max(0, start - 40) : start]
    bare = before.rstrip(" \"'“‘(*\t")
    sign = bare[-1:]
    if sign in (":", "=") and _last(bare.rstrip(": =\"'")) in _LABELS:
        return not _ATTRIBUTE(before)
    if len(bare) < len(before):
        last = _last(bare)
        if sign not in ":;=" and last in _TITLES:
            return True
        if whole and (sign.isalnum() or sign == ".") and f" {bare.lower()}".replace("\n", " ").endswith(_WORDS):
            return True
        if whole and (sign == "," or last in ("and", "en")) and _CHAINED(text, max(0, start - 160), start):
            return True
    ended = "\n" in before[-6:] or sign in (",", "!", ".") or (whole and _last(bare) in _CLOSINGS)
    return greeted and ended and _GREETING.exact.search(before) is not None


def _dutch(text: str, start: int, value: str) -> bool:
    """Has it the form of a Dutch name, and of nothing else? `Misbruik van Citrix` begins a sentence as a name does."""
    form = _DUTCH(value)
    if form is None:
        return False
    before = text[max(0, start - 8) : start].rstrip(" \"'(*#>\t-")
    begins = not before or before[-1] in ".!?:\n"
    return form["part"] in _ONLY_NAMES or (form["plain"] is not None and not begins)


def _last(text: str) -> str:
    """The last word of it, in small letters."""
    return text[max(text.rfind(" "), text.rfind("\n")) + 1 :].strip(".,;|>(\"'").lower()


def _shown(text: str, start: int, end: int) -> bool:
    """Does a whole name stand before what is a person's, in a row of such, below a letter, or is its form enough?"""
    value = text[start:end]
    if "." in value[:3] or ", " in value or _dutch(text, start, value) or _BELONGS.match(text, end):
        return True
    if _OWNED(text, max(0, start - 48), start):
        return True
    low = text.rfind("\n", 0, start) + 1
    high = text.find("\n", end)
    high = len(text) if high < 0 else high
    if low > 0 and text[low:start].strip(" >*\t") == "":
        last = low > 1 and text[low - 2] == "\n" and len(text) - high < _FOOT and _LINE_ENDS(text, end)
        if last or _SIGNED_BELOW.match(text, end):
            return True
    first = text[low:start].strip(" >*\t\"'") == ""
    if (first or _CELL_BEFORE.search(text, max(low, start - 4), start)) and _CELL_AFTER.match(text, end):
        row = text[max(low, start - 300) : min(high, end + 300)]
        return "@" in row or sum(map(str.isdigit, row)) >= _LEAST_DIGITS
    return False
