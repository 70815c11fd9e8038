"""Recogniser for dates of birth: behind a word or sign that says so, behind a member of a family, and below the head of
a column. Dutch first. What stands beside a number of a person's: `detect_rows`; in records: `detect_records`.
"""

import re

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded

_MONTHS = (
    r"jan\w*|feb\w*|maart|mar\w*|mrt|apr\w*|mei|may|jun\w*|jul\w*|aug\w*|sep\w*|okt\w*|oct\w*|nov\w*|de[ckz]\w*|"
    r"mai|märz|juin|juillet|août|f[ée]v\w*|avril|ene\w*|abr\w*|ago\w*|gen\w*|mag\w*|giu\w*|lug\w*|set\w*|ott\w*|dic\w*"
)
_ROMAN = r"i{1,3}|i?v|vi{1,3}|i?x|xi{1,2}"


def _in_words(years: str) -> str:
    """`3 mei 1980`, `May 3rd, 1980`, `07 MAR/MRT 1980`."""
    return (
        rf"\d{{1,2}}(?:\.|st|nd|rd|th|e)?[ -](?:of |de )?(?:{_MONTHS})(?:/(?:{_MONTHS}))?\.?,?[ -](?:of |de )?{years}|"
        rf"(?:{_MONTHS})\.? \d{{1,2}}(?:st|nd|rd|th)?,? {years}"
    )


_DATE = re.compile(
    rf"(?<!\d)(?:\d{{1,2}} ?[-/. ] ?\d{{1,2}} ?[-/. ] ?(?:19|20)?\d{{2}}|(?:19|20)\d{{2}}"
    rf"(?P<sign>[-/.]?)\d{{2}}(?P=sign)\d{{2}}|{_in_words('(?:19|20)[0-9]{2}')}|"
    rf"\d{{1,2}}[-./ ](?:{_ROMAN})[-./ ](?:19|20)\d\d|\d\d(?:jan|feb|mar|mrt|apr|ma[yi]|mei|jun|jul|aug|sep|o[ck]t|nov|"
    r"de[cz])(?:(?:19|20)\d\d|\d\d)|"
    r"\d{1,2}-\d{1,2}-['’]\d\d|[0-3]\d[01]\d(?:19|20)\d\d|[0-3]\d[01]\d{3}(?=[\s,;|/]))(?!\d)"
)
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH = r"(?:0?[1-9]|1[0-2])"
OF_LIFE = re.compile(
    rf"(?<![\w./-])(?:(?:{_DAY}(?P<sign>[-./]){_MONTH}|{_MONTH}(?P<us>/){_DAY})(?:(?P=sign)|(?P=us))"
    rf"(?:19\d\d|20[01]\d|['’]\d\d)|(?:19\d\d|20[01]\d)(?P<apart>[-./]?)(?:0[1-9]|1[0-2])(?P=apart)(?:0[1-9]|[12]\d|"
    rf"3[01])|{_in_words('(?:19[0-9]|20[01])[0-9]')})"
    r"(?![\w/-]|\.\d|:\d\d(?!\d))"
)
"""A date on which somebody may be born who is told of: until 2019, in small letters. No version, no time of a log."""
TIMED = re.compile(r"[t ,]{0,2}(?!00:?00)\d\d:\d\d|t\d{4}").match
"""So goes on what is a moment, and no birthday."""
BIRTHS = Words(
    *("geb", "date of b", "birth", "born", "dob", "d.o.b", "verjaar", "jarig", "n\xe9", "pati", "cli", "g.d.", "gd"),
    *("bday", "dateofb", "naissance", "nacimiento", "nascita", "nascimento", "urodz", "fødsel", "född", "født"),
)
KIN = Words(
    *("moeder", "vader", "zoon", "dochter", "echtgeno", "kind ", "oma ", "opa ", "pat."),
    *("mother", "father", " son ", "daughter", "husband", "wife ", "child "),
)
_BIRTH_WORDS = re.compile(
    r"geboren|geboorte|\bgeb\.|\bgeb\b|\bgeb[_ ]?dat|date of birth|birth[ _]?date|\bborn\b|\bdob\b|\bdob_|"
    r"\bbirthday\b|\bbirth\b(?=[\"']?\s?[:=])|d\.o\.b\.|né\b|née\b|geburt|birth day|\bdateofbirth|\bbday|"
    r"\bg\.d\.|\bgd\b|naissance|nacimiento|nascita|nascimento|urodz|fødsel|född|født"
)
_LOOSE_WORDS = re.compile(r"patiënt|patient\b|cliënt\b|verjaardag|jarig")
"""Behind these stand other dates too."""
_CLOSING = re.compile(r"</[\w:.-]{0,12}$").search
_SENTENCE = re.compile(r"\w{4}\. [A-Z]|\n\n")
_HEAD = re.compile(r"[\w.\"'()]{0,24} *(?:[;|\t]|,(?! )|  )[^\n]{0,80}\n").match
"""The rest of the head of a table: what is below it stands in columns."""
_AND = re.compile(r" ?(?:en|and|und|et|&|,) ").match
_BORN_IN = r"\d{1,2}[-./]\d{1,2}[-./]"
_STAR = Quick(
    rf"(?:(?<![\w*])[*°] ?(?P<date>{_BORN_IN}19\d\d)|\([*°] ?(?P<other>{_BORN_IN}20\d\d|(?:19|20)\d\d-\d\d-\d\d))(?!\d)"
)
_BEHIND_KIN = re.compile(rf"\w[^()\n]{{0,40}}\((?:[^()\n]{{0,50}}, ?)?(?P<date>{OF_LIFE.pattern})\)")
_SIGNS = "|;,\t/"
_WORDS = 6
"""What has more of them between its commas is a sentence."""
_NEAR, _FAR = 48, 100


def births(text: str) -> Found:
    """Dates of birth, where the text says so."""
    lower = folded(text)
    for at in BIRTHS.places(lower):
        word = _BIRTH_WORDS.match(lower, at)
        loose = None if word else _LOOSE_WORDS.match(lower, at)
        start = word or loose
        if start is None or _CLOSING(lower, max(0, at - 14), at):
            continue
        date = _said(text, lower, start.end(), loose is not None)
        while date:
            yield Span("dob", *date.span(), 0.9, "date-of-birth")
            end = date.end()
            joined = _AND(lower, end)
            date = joined and _DATE.match(lower, joined.end())
        if word:
            yield from _below(lower, word.start(), word.end())
    for star in _STAR.finditer(lower) if "*" in text or "°" in text else ():
        yield Span("dob", *star.span(star.lastgroup or 0), 0.7, "date-of-birth")
    for at in KIN.places(lower):
        kin = _BEHIND_KIN.match(lower, at + 1)
        if kin:
            yield Span("dob", *kin.span("date"), 0.7, "date-of-birth")


def _said(text: str, lower: str, at: int, loose: bool) -> re.Match[str] | None:
    """The date that the word before this place is of."""
    for pattern, far in ((_DATE, _NEAR), (OF_LIFE, _FAR)):
        date = pattern.search(lower, at, at + far)
        if date is None or TIMED(lower, date.end()) or _SENTENCE.search(text, max(0, at - 6), date.start()):
            continue
        if _HEAD(lower, at, date.start()) or ("\n" in lower[at : date.start()] and _in_head(lower, at)):
            continue
        if not loose or OF_LIFE.match(lower, date.start()):
            return date
    return None


def _in_head(lower: str, at: int) -> bool:
    """Does the line up to here have cells? What is below stands in columns."""
    line = lower[lower.rfind("\n", 0, at) + 1 : at]
    return max(map(line.count, _SIGNS)) > 1 or line.count("  ") > 1


def _below(lower: str, start: int, stop: int) -> Found:
    """The dates below a head that names a column of births: in its cell, or the first of a row that is told apart
    otherwise."""
    low, end = lower.rfind("\n", 0, start) + 1, lower.find("\n", stop)
    if end < 0 or (_DATE.search(lower, stop, end) and not _DATE.search(lower, end, end + 400)):
        return
    head = lower[low:end]
    sign = max(_SIGNS, key=head.count)
    apart = re.compile(re.escape(sign) if head.count(sign) > 1 else " {2,}|\t")
    cells = apart.split(head)
    width = len(cells)
    if width < 3 or "=" in head or (sign in ",/" and max(len(cell.split()) for cell in cells) > _WORDS):
        return
    number = len(apart.split(lower[low:start])) - 1
    rows = lower.find("\n\n", end)
    at = end + 1
    while 0 < at < (rows if rows > 0 else len(lower)):
        stop = lower.find("\n", at)
        stop = len(lower) if stop < 0 else stop
        date = _in_row(lower, at, min(stop, at + 400), apart, number, width)
        if date:
            yield Span("dob", *date, 0.7, "date-of-birth")
        at = stop + 1


def _in_row(
    lower: str, start: int, end: int, apart: re.Pattern[str], number: int, width: int
) -> tuple[int, int] | None:
    edges = [start, *(sign.end() for sign in apart.finditer(lower, start, end)), end]
    if len(edges) == width + 1:
        date = _DATE.search(lower, edges[number], edges[number + 1])
    else:
        date = OF_LIFE.search(lower, start, end)
    return None if date is None or TIMED(lower, date.end()) else date.span()
