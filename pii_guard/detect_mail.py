"""Recognisers for e-mail addresses and for names that persons go by on other services. All patterns are linear."""

import re
from collections.abc import Iterator

from pii_guard.span import Found, Span, Words, folded
from pii_guard.words import WORDS

_WORD_DOT = "(?:dot|punt)"
DOT_APART = (
    r"(?:\s?\[\.\]?\s?|\[\[\.\]\]|\(\.(?=\d)|\.\]|\s?\(\.\)\s?|\{\.\}|\\\.|\s?<\.>\s?|\s?[\[(] \. [\])]\s?"
    rf"|\s?[\[({{<] ?{_WORD_DOT} ?[\])}}>]\s?|\s{_WORD_DOT}\s|[-_]dot[-_])"
)
DOT = rf"(?:\.|{DOT_APART})"
"""A dot, defanged or not."""
_AT = re.compile(
    r"\s?[\[({<«] (?:at|apenstaartje|@) [\])}>»]\s?|\s?<at>\s?|«at»|\s-at-\s|[-_*/|](?:at|AT)[-_*/|]|"
    r"[\[({]_at_[\])}]|【at】|\[a\]|\(ad\)|@|\[@\]|"
    r"\(@\)|\{@\}|\s?\[(?:at|apenstaartje)\]\s?|\s?\((?:at|a|bij)\)\s?|\s?\{at\}\s?|\s(?:at|apenstaartje)\s",
    re.IGNORECASE,
)
_SPOKEN = re.compile(r"\s(?:at|apenstaartje)\s", re.IGNORECASE).fullmatch
_LABEL = r"[^\W_](?:[\w-]{0,62})"
_HOST = re.compile(
    rf"(?:(?:{_LABEL}(?:{DOT}|\s\.\s(?=(?:nl|be|de|eu|com|net|org|example)\b))){{1,8}}(?:xn--[a-z0-9-]{{2,59}}|[^\W\d_]{{2,24}})|localhost\b"
    r"|(?P<ip>\[?\d{1,3}(?:\.\d{1,3}){3}\]?))",
    re.IGNORECASE,
)
_FILE = re.compile(
    r"[\w.-]*\.(?:png|jpe?g|gif|svg|webp|css|js|json|xml|html?|txt|exe|dll|pdf|docx?|xlsx?|tgz|gz)", re.I
)
"""`logo@2x.png` names a file."""
_RELEASE = re.compile(r"v?\d+\.\d+(?:\.|\b)")
"""`package@1.2.3-beta.x` is a release."""
_PLAIN_AT = re.compile("@")
_LOGIN = re.compile(r"[\w-]*(?:[._]|\d)[\w.-]*").fullmatch
_SPOKEN_DOT = re.compile(r"[\s_-](?:dot|punt)[\s_-]|[\[({](?:dot|punt)[\])}]", re.IGNORECASE)
_BACKWARDS = re.compile(r"[\w.'+~\-!$*^%]+").match
_SET_APART = re.compile(r"(?:[\[({](?:\.|dot|punt)[\])}]|(?<=[\w-])#ext#)$", re.IGNORECASE)
"""A defanged dot before the sign; the mark of a guest account at Microsoft."""
_SPACED_DOT = re.compile(r"(?<![\w.-])[\w-]{1,40} \. $").search
_MAIL_WORD = re.compile(r"mail|contact|bereik|reach|adres|address|schrijf|write")
_RETURN = re.compile(
    r"(?:srs\d=[\w+/-]+=[\w+/-]+=[\w.-]+=|[\w.+-]*(?:bounces?|return|verp|prvs|srs\d?|msprvs)[\w.+-]*=(?:[\w.+-]+=)?)\Z",
    re.IGNORECASE,
)
_FORWARDED = re.compile(r"(?:(?<=<)[\w.+-]+|[\w+-]*[.\d][\w.+-]*)=\Z")
"""`jan=home.example@bounces.example`, `jan=40home@x.example`: an address within one, a sign as mail wrote it."""
_WITHIN = re.compile(r"40|[\w-]+(?:\.[\w-]+)+@").match
_NOBODYS = re.compile(
    r"(?:psirt|c?s?irt|cert|secalert|abuse|security-alert|git)(?:\+[\w-]+)?(?:@|\[at\])|[^@]+@lists?\.", re.IGNORECASE
)
"""Mailboxes of teams and mailing lists: functions, not persons."""
TEAM = "email-team"
"""The rule of such a mailbox: an address, and nobody's."""
_LOGIN_TAIL = re.compile(r"[:;|](?![\"(<]|\d{4}-\d\d-\d\d|\d{1,5}/|\w+=\")[^\s:;|/,]{4,128}")
_LISTED = re.compile(r"combo|wachtwoord|password|leak|gelekt|credential|inlog|login|stealer|pass\b").search
_LISTED_TAIL = re.compile(
    r"(?:[ \t]?[:/|;,][ \t]?|[ \t]+)(?=\S{0,40}[a-zA-Z])(?=\S{0,40}\d)[^\s:;|/,@]{5,64}(?=[ \t]*(?:\r?\n|$))"
)
_QUOTED = re.compile(r"\"[\w.+-][^\"\n,;<>]*\"").fullmatch
_MOST_LOCAL = 64
_FEDIVERSE = re.compile(r"@(?<![\w/@.]@)[\w.-]{2,64}+@(?:[\w-]{1,63}\.){1,8}[a-z]{2,24}", re.IGNORECASE)
_PROFILE = re.compile(
    r"(?:linkedin\.com/in|facebook\.com|instagram\.com|twitter\.com|//x\.com|(?<![\w.-])t\.me|tiktok\.com|"
    r"snapchat\.com/add|vk\.com|threads\.net|github\.com(?=/[\w-]{2,39}+/?+(?![\w-]|[.?#]\w)))/@?([\w.%-]{2,64})"
)
_NO_HANDLE = frozenset(
    ("joinchat", "share", "sharer", "p", "reel", "explore", "watch", "groups", "events", "pages", "i", "s", "home")
)
_NO_HANDLE |= {
    *("advisories", "orgs", "security", "sponsors", "topics", "about", "features", "intent", "hashtag"),
    "search",
}
_PLATFORM = re.compile(
    r"telegram|instagram|\binsta\b|twitter|snapchat|\bsnap\b|tiktok|discord|mastodon|threads|\bsignal\b|facebook|"
    r"\bx-account\b|\bskype\b|\bkik\b|\bwire\b|handle|youtube|reddit|bluesky|linkedin|matrix|session\b|threema"
)
_HANDLE = re.compile(
    r"@(?<![\w/@.=-]@)(?!0x[0-9a-f]+\b)(?=[\d.]{0,30}[a-z_])[a-z0-9_][\w.]{2,30}(?<!\.)(?![\w@/(\[{]|\.\w)"
)
_NO_HANDLE_WORD = WORDS["not-handles"]
_REDDIT = re.compile(r"(?<![\w/.])u/[\w-]{3,20}(?![\w/])")
CALLED_BY = Words(
    *("alias", "nick", "bijnaam", "handle", "schuilnaam", "known as", "snap", "insta", "telegram", "discord"),
    *("tiktok", "kik", "twitter", "wickr", "icq", "skype", "steam", "psn", "xbox"),
)
_CALLED = re.compile(
    r"(?:alias(?:es|sen)?|nick(?:name|naam)?|bijnaam|handle|schuilnaam|known as|snap(?:chat)?|insta(?:gram)?|"
    r"telegram|discord|tiktok|"
    r"kik|twitter|wickr|icq|skype|steam|psn|xbox)(?:[- ]?(?:account|naam|name|id|user|tag))?(?:\s*[:=]\s*|"
    r"\s+(?:is\s+|are\s+)?)"
    r"[\"'“‘@]{0,2}(?P<name>(?!(?:t\.me|fb\.com)\b)(?=[\w.-]{0,31}[\d_]|[\w-]{1,30}\.\w)[a-z0-9_][\w.-]{2,31})"
    r"(?P<more>(?:(?:, | and | en | or |"
    r" of )[\w.-]{3,31}(?<!\.)){0,6})"
)
_MORE = re.compile(r"(?:, | and | en | or | of )((?=[\w.-]{0,31}[\d_.])[\w.-]{3,31}(?<!\.))")
_TAGGED = re.compile(r"[a-z0-9_](?<![\w.#][a-z0-9_])[\w.]{1,31}#\d{4}(?![\w-])")
_SKYPE = re.compile(r"\blive:(?:\.cid\.)?([\w.-]{3,64})")
_NEAR = 90


_SPELT = Words(
    *(" dot ", " punt ", "apenst", "dot]", "dot)", "dot}", "punt]", "punt)", "punt}", "at]", "at)", "(a)"),
    *("at}", "at>", "*at*", "/at/", "|at|", "at】", "_at_]", "_at_)", "(bij)", "@]", "@)", "@}", "at ]", "at )"),
    *("[a]", "(ad)", "at»", "_at_", "-at-", "@ ]", "@ )"),
)


def spelt(lower: str) -> bool:
    """May an at sign be written otherwise: `[at]`, `(a)`, `jan at voorbeeld dot nl`?"""
    return _SPELT.any(lower)


def emails(text: str) -> Found:
    """E-mail addresses, defanged ones too, and log-ins behind them."""
    for start, end, match, confidence in _addressed(text):
        rule = "email-spoken" if confidence < 0.9 else "email-at-address" if match.group("ip") else "email"
        team = _NOBODYS.match(text, start, end)
        yield Span("email", start, end, confidence, TEAM if team else rule)
        tail = None
        if end < len(text) and not team and text[start - 1 : start] != ":":
            tail = _LOGIN_TAIL.match(text, end) or (_LISTED_TAIL.match(text, end) if _LISTED(folded(text)) else None)
        rowed = tail and tail.group()[1:].isalpha() and text.startswith(tail.group()[0], tail.end())
        if tail and not rowed and not text.startswith("://", end):
            yield Span("credential", end, tail.end(), 0.8, "log-in")


def _addressed(text: str) -> Iterator[tuple[int, int, re.Match[str], float]]:
    """Start and end of each address, the host in it, how sure. A search from sign to sign."""
    signs = _AT if spelt(folded(text)) else _PLAIN_AT
    last = 0
    for sign in signs.finditer(text):
        spoken = _SPOKEN(sign.group())
        start, behind, confidence = _local(text, last, sign.start()), sign.end(), 0.95
        if sign.group() == "@" and (text[behind : behind + 1] == " " or text[sign.start() - 1 : sign.start()] == " "):
            start = _local(text, last, sign.start() - (text[sign.start() - 1] == " ")) if sign.start() > 1 else behind
            behind += text[behind : behind + 1] == " "
            while apart := _SPACED_DOT(text, max(last, start - 40), start):
                start = apart.start()
            named = _LOGIN(text[start : sign.start()].strip()) or _MAIL_WORD.search(text, max(0, start - 60), start)
            confidence = 0.6 if named or text[start - 1 : start] == "<" else 0.4
        match = _HOST.match(text, behind) if start < sign.start() else None
        if match is None or _RELEASE.match(match.group()) or _FILE.fullmatch(text, start, match.end()):
            continue
        if spoken or sign.group().strip()[0] in "-_*/|":
            dot = _SPOKEN_DOT.search(match.group())
            named = _MAIL_WORD.search(text, max(0, start - 60), start)
            if dot is None and spoken:
                continue  # "look at voorbeeld.nl"
            loud = sign.group().isupper() or (dot and dot.group() != dot.group().lower())
            confidence = 0.8 if loud else 0.6 if named else 0.4
        last = match.end()
        yield start, last, match, confidence


def _local(text: str, low: int, end: int) -> int:
    """Where the part before the sign begins; `end` when there is none."""
    low, start = max(low, end - _MOST_LOCAL), end
    while True:
        if run := _BACKWARDS(text[low:start][::-1]):
            start -= run.end()
        if start == low or text[start - 1] not in "])}#":
            break
        apart = _SET_APART.search(text, max(low, start - 6), start)
        if apart is None:
            break
        start = apart.start()
    if start == end and end > low + 2 and text[end - 1] == '"':
        opened = text.rfind('"', low, end - 1)
        return opened if opened >= 0 and _QUOTED(text[opened:end]) else end
    if start > 1 and text[start - 1] == "=":
        far = max(0, start - 160)
        returned = _RETURN.search(text, far, start) or (_WITHIN(text, start) and _FORWARDED.search(text, far, start))
        return returned.start() if returned else start
    return start


def social(text: str) -> Found:
    """Profile pages, handles beside the name of a platform, handles of the fediverse."""
    lower = folded(text)
    for match in _PROFILE.finditer(lower) if ".com/" in lower or "t.me/" in lower or ".net/" in lower else ():
        if match.group(1).split("/")[0] not in _NO_HANDLE:
            yield Span("social", *match.span(1), 0.8, "profile-page")
    for match in _FEDIVERSE.finditer(text) if text.count("@") > 1 else ():
        yield Span("social", *match.span(), 0.97, "fediverse")
    for match in _SKYPE.finditer(lower) if "live:" in lower else ():
        yield Span("social", *match.span(1), 0.9, "skype")
    for match in _REDDIT.finditer(lower) if "u/" in lower else ():
        yield Span("social", *match.span(), 0.7, "handle")
    if "@" in text or "#" in text:
        yield from _handles(lower)
    for at in CALLED_BY.places(lower):
        called = None if at and lower[at - 1].isalpha() else _CALLED.match(lower, at)
        if called is None:
            continue
        name = called.group("name").rstrip(".-")
        if any(map(str.isalpha, name)):
            yield Span("social", called.start("name"), called.start("name") + len(name), 0.6, "handle")
            for more in _MORE.finditer(lower, *called.span("more")):
                yield Span("social", *more.span(1), 0.6, "handle")


def _handles(lower: str) -> Found:
    for match in _HANDLE.finditer(lower):
        if match.group()[1:] not in _NO_HANDLE_WORD:
            near = _PLATFORM.search(lower, max(0, match.start() - _NEAR), match.end() + _NEAR)
            yield Span("social", *match.span(), 0.8 if near else 0.6, "handle")
    for match in _TAGGED.finditer(lower) if "#" in lower else ():
        if _PLATFORM.search(lower, max(0, match.start() - _NEAR), match.end() + _NEAR):
            yield Span("social", *match.span(), 0.8, "handle")
