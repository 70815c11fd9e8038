"""Recognisers for what opens an account. All patterns are linear."""

import re
from base64 import b64decode
from bisect import bisect_right
from operator import itemgetter

from pii_guard.detect_told import PLACEHOLDER, SECRETIVE, told
from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded

WORDS = Words(
    *("pass", "pwd", "wachtwoord", "wachtzin", "pincode", "pin", "api", "secret", "client_s", "client-s"),
    *("access", "encryption", "server key", "auth", "token", "bearer", "private", "account key", "accountkey"),
    *("shared", "psk", "pre-", "presh", "toegangscode", "inlogcode", "recovery", "herstelcode", "community"),
    *("session", "sess", "sid", "jsess", "phpsess", "otp", "ww", "pw", "identified by", "csrf", "totp", "mfa"),
    *("appkey", "nwkkey", "appskey", "nwkskey", "puk", "remember", "master", "sleutel", "seed", "wpa", "wifi"),
    *("wi-fi", "credential"),
)
"""What `_SECRET` and `_SAID` begin with."""
_SECRET = re.compile(
    r"(?:pass(?:word|wd|phrase|code)?s?|pwd|wachtwoord(?:en)?|wachtzin|pincode|api[ _-]?(?:key|sleutel|token|secret)|"
    r"secret(?:[ _-]?(?:key|access[ _-]?key))?|client[_-]secret|(?:access|refresh|id|reset)[_ -]?(?:token|"
    r"key(?: ?id)?)|secret_key_base|encryption[_-]?key|alarmcode|cv[vc]|"
    r"auth[_-]?(?:token|key)|token|bearer|"
    r"private[_ -]?key|account ?key|shared ?(?:key|access ?key|secret)|psk|pre-?shared[ _-]?key|(?<![a-z])(?:ww|pw|pin|"
    r"otp|sid)|toegangscode|inlogcode|"
    r"recovery (?:key|codes?)|herstelcodes?|community(?: string)?|sess(?:ion|ie)?[_-]?(?:id|token|key)?|jsessionid|"
    r"phpsessid|csrf[_-]?token|"
    r"master ?(?:password|key)|sleutel|(?:totp|otp|mfa)[ -]?seed|seed(?: phrase)?|(?:app|nwk|apps|nwks)key|"
    r"puk(?:-?code)?|remember(?:_token|_me|me)?|"
    r"wpa2?[ -]?(?:key|psk|sleutel)|wi-?fi|(?<![a-z])pin ?pas|"
    r"wi-?fi-?code|credentials?)(?: (?:e?-?mail|wi-?fi|vpn|pc|laptop|router|server|admin|bank|portal|account))?"
    r"(?:\[\w{0,12}\]|\(\w{1,12}\))?[\"'*]{0,3}\s{0,3}(?: \([^()\n]{1,32}\)(?=:))?"
    r"(?P<sign>:=|=>|::?|=|->|\|(?=[ \t]+[^|\n]*(?:\n|$))|(?<=[a-z])>|"
    r"\t(?=\S{12}))\s{0,3}(?:password\()?[\"'“‘`*\[]{0,2}(?P<value>(?:[^\s\"'”’`,;&<>]|&(?![\w.-]{1,24}=|[a-z]{2,6};)){3,256})"
)
_SAID = re.compile(
    r"(?:pass(?:word|wd|phrase|code)|wachtwoord|pincode|(?<![a-z])(?:pin|ww|pw|pass)|totp seed|"
    r"(?:app|nwk|apps|nwks)key|"
    r"sess(?:ion|ie)(?= [a-z]{0,12}\d[a-z\d]{20,})|toegangscode|inlogcode|secret|"
    r"api[ -](?:key|sleutel)|token|psksecret|psk|pre-shared[ -]key|community|server key|sess(?:ion|ie)"
    r"[ _-]?id|jsessionid|phpsessid|identified by|bearer|"
    r"wpa2?[ -]?(?:key|psk|sleutel)|recovery key|herstelcode|credentials?)(?:en|s)?(?:\*\*)?,?\s+"
    r"(?:(?:is|was|luidt|werd|wordt|of|van|for|used|gebruikt|ingesteld op|set to|reset to|changed to|gewijzigd in|"
    r"naar|to|stond op|bleek|nu|now|de|the|code|key|hash|string|enc|[05-9]|luidde)\s+){0,3}"
    r"(?:(?:[a-z]{1,16} ){0,4}[a-z]{1,16}: )?[\"'(\[“‘`*<«]{0,2}"
    r"(?P<value>(?=[^\s]{0,40}[\d!@#$%^&*?+])[^\s\"'()\[\]“”‘’`*,;<>«»]{4,256})"
)
_SAID_FAR = re.compile(
    r"(?:wachtwoord|password|passphrase|(?<![a-z])(?:ww|pw|pass))(?:en|s)?\b(?:[^\n!?;:]{0,50}? (?:is|was|luidt|"
    r"luidde|werd|wordt|bleek)"
    r"(?: [a-z]{1,10}){0,2}?|[^\n!?;]{0,50}?:|,)\s[\"'“‘`]?(?P<value>(?=\S{0,60}[a-z])(?=\S{0,60}[\d!@#$%^&*?+])"
    r"[^\s\"'”’`,;<>()]{4,64})"
)
"""At a distance: `het wachtwoord van haar mail is ...`, `an old password, ...,`."""
_MIXED = Quick(
    r"(?<![^\s\"'“‘`(\[,:])(?=[^\s]{0,30}\d)(?=[^\s]{0,30}[A-Z])(?=[^\s]{0,30}[a-z])"
    r"(?:[A-Za-z0-9._-]{1,24}[!@#%^&*?+][A-Za-z0-9!@#%^&*?+._-]{0,24}"
    r"|[A-Z][a-z]{3,14}[._-]?(?:19|20)\d\d)(?![\w=/(])"
)
"""A token of all kinds of characters, as passwords are: beside a word for one, it is one."""
_PASSWORDS = re.compile(r"password|wachtwoord|passphrase|(?<![a-z])(?:ww|pw)(?![a-z])|spray|credentials|inloggegevens")
PASSWORDS = Words("password", "wachtwoord", "passphrase", "ww", "pw", "spray", "credentials", "inloggegevens")
_PIN = re.compile(
    r"(?:(?<![a-z])pin(?:code)?|puk(?:-?code)?|(?:toegangs|activatie|deur|ontgrendel|kluis|poort|sleutelkast|scherm)code|"
    r"sleutelkluis(?:je)?|(?:pin ?codes?|pins) \(|cv[vc]2?|"
    r"alarm(?: ?[-–:]? ?)code|(?:unlock|door|gate|alarm) code)(?:[ -][a-z]{1,12}){0,5}?(?::|,| is| was| van| 2x)?"
    r"(?: [\"'(]?|(?<=\())(?P<value>\d{3} \d{3}#?|\d{3,8}#?)(?![\w%]|[-./:]\d| ?(?:euro|keer|x\b|pin))"
)
PINS = Words(
    *("puk", "sleutelkluis", "schermcode", "pin", "toegangscode", "alarm", "cvv", "cvc", "activatiecode"),
    *("deurcode", "ontgrendelcode", "kluiscode", "poortcode", "sleutelkastcode", "unlock code", "door code"),
    "gate code",
)
SEEDS = Words("seed", "recovery phrase", "herstelzin", "mnemonic")
_TELLING = re.compile(r"[\d!@#$%^&*?+\"“]").search
_QUOTED = re.compile(
    r"(?:pass(?:word|phrase|wd)?|wachtwoord|wachtzin)[\"']?\s?(?:[:=]\s?|(?:is|was)\s|\s)"
    r"[\"“](?P<value>[^\"”\n<>{}]{3,64})[\"”]"
)
_SEED = re.compile(
    r"(?:seed(?: ?phrase)?|recovery phrase|herstelzin|mnemonic)"
    r"[^\n:]{0,20}[:=]\s{0,3}[\"']?(?P<value>(?:[a-z]{3,8} ){11,23}[a-z]{3,8})"
)
_NO_SECRET = re.compile(
    r"[a-z]+[.:]?|v?\d+(?:\.\d+)+|\*+|x+|\.+|[<\[{%$].*|none|null|true|false|\(?redacted\)?|[a-z]+\(.*|-+.*|\d{1,2}[.:)]?|\d{4}|"
    r"c[vw]e-.*|version=.*|t\d{4}.*"
    r"|ms\d\d-\d+.*|\[.*|(?:n|v)/?a|[a-z_-]{2,}|https?:.*|[a-z]{2,}/[a-z]{2,}"
).fullmatch
_OTHER = re.compile(r"pwd\W+[/\\~].*|sid\W+(?:\d+|s-1-[\d-]+)|passwd:(?:chauthtok|auth|session|account)\b.*").fullmatch
"""A folder, the number of a rule."""
_DASHED = re.compile(r"-\d{6}-\d{6}-").search
_RECOVERY = re.compile(r"(?<![\d-])\d{6}(?:-\d{6}){7}(?![\d-])")
"""BitLocker's."""
_AUTHORIZATION = re.compile(
    r"(?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|digest|negotiate|ntlm|token|apikey)\s+)?"
    r"(?P<header>[^\s\"',]{4,4096})|(?:set-)?cookie\s*:\s*(?P<cookie>[^\r\n]{3,4096})"
    r"|cookie[\"']\s*:\s*[\"'](?P<kept>[^\"'\s]{1,200}=[^\"'\s]{8,4096})"
    r"|x-api-key\s*:\s*(?P<key>[^\s\"',]{4,512})"
)
HEADERS = Words("authorization", "cookie", "x-api-key")
_PRIVATE_KEY = Quick(
    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[^-]|-(?!----END))*+(?:-----END [A-Z0-9 ]{0,60}-----)?"
)
TOKEN_WORDS = Words(
    *("sk-", "sk_test_", "rk_live_", "xapp-", "pypi-", "dop_v1_", "hvs.", "shpat_", "hooks.slack.com/"),
    *("webhooks/", ":AA", "AKIA", "ASIA", "gh", "glpat-", "xox", "eyJ", "AIza", "sk_live_", "SG.", "npm_"),
    *("hf_", "ya29."),
    cased=True,
)
_TOKENS = re.compile(
    r"(?:(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,}|glpat-[\w-]{20,}|"
    r"xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*|AIza[\w-]{35}|sk_live_[0-9a-zA-Z]{16,}|"
    r"SG\.[\w-]{16,}\.[\w-]{16,}|npm_[A-Za-z0-9]{36}|sk-(?:proj-|ant-)?[\w-]{32,}|(?:sk_test|rk_live)_\w{16,}|"
    r"xapp-\d-[\w-]{20,}|pypi-[\w-]{24,}|dop_v1_[0-9a-f]{60,}|hvs\.[\w-]{20,}|shpat_[0-9a-f]{28,}|"
    r"hooks\.slack\.com/services/[\w/]{20,}|"
    r"webhooks/\d{15,}/[\w-]{16,}|:AA(?<=\d:AA)[\w-]{30,}|hf_[A-Za-z0-9]{30,}|ya29\.[\w-]{20,})(?![A-Za-z0-9])"
)
_HASHED = Quick(
    r"[$:{](?:(?<=\$)krb5\w{2,8}\$(?:\d{1,2}\$)?[\w.*$/@-]{2,80}:[0-9a-f$]{32,1200}|(?<=\$)(?:2[abxy]|[15689y]|apr1|argon2(?:i|d|id)|sha1|scrypt|y|p|h|krb5\w+)\$[\w./$=,+*@-]{16,300}|"
    r"(?<=\{)s?sha\d{0,3}\}[\w+/=]{20,100}"
    r"|(?<=sha256\$)\d{4,7}\$[\w./+]{4,40}\$[\w/+=]{20,100}|(?<=:)"
    r":[\w.-]{1,64}:[0-9a-f]{16}:[0-9a-f]{32}:[0-9a-f]{8,1024})"
)
_PWDUMP = Quick(r":(?<=[0-9a-f]{32}:)(?P<nt>[0-9a-f]{32})(?![0-9a-f])")
_NOTHING = "31d6cfe0d16ae931b73c59d7e0c089c0"
"""The hash of no password (MD4 of nothing)."""
_NT_HASH = Quick(
    r"(?:(?<![a-z])nt (?=[0-9a-f]{32}(?![0-9a-f]))|"
    r"(?:(?<![a-z])(?:nt(?:lm)?|lm)|password|wachtwoord)[ -]?hash(?:es)?[^\n]{0,30}?|(?<![a-z])(?:ntlm|rc4|"
    r"aes256)\s{0,8}[:=]\s?|-hashes \S{0,33}:|"
    r" -h |md5\(password\)[:= ]{1,3}|\* sha1\s{1,8}: )(?<![0-9a-f])(?P<hash>[0-9a-f]{32,64})(?![0-9a-f])"
)
_HASHES = Words(" nt ", "hash", "ntlm", "rc4", "aes256", " -h ", "md5(pass", "* sha1")
_BASIC = Quick(r"basic (?P<value>[a-z0-9+/]{8,200}={0,2})(?![a-z0-9])")
CODES = Words(
    *("verific", "sms", "sign", "security", "2fa", "mfa", "one-time", "backup", "verif", "inlog", "beveil"),
    *("tan", "otp"),
)
_CODE = re.compile(
    r"(?:(?:verification|sms|sign-?in|security|2fa|mfa|one-time|backup|verificatie|inlog|beveiligings|"
    r"tan)[ -]?codes?|otp|tan)"
    r"(?: (?:is|was|luidt))?[:\s\"'(]{1,3}(?P<value>\d{3}[ -]?\d{3}|\d{4,8})(?![\w.-])"
)


def credentials(text: str) -> Found:
    """Passwords, their hashes, keys and tokens."""
    for match in _PRIVATE_KEY.finditer(text):
        yield Span("credential", *match.span(), 1.0, "private-key")
    yield from tokens(text)
    lower = folded(text)
    for header in filter(None, (_AUTHORIZATION.match(lower, at) for at in HEADERS.places(lower))):
        yield Span("credential", *header.span(header.lastgroup or 0), 0.9, "authorization")
    for at in WORDS.places(lower):
        if not (at and lower[at - 1].isalpha() and lower[at : at + 4] != "pass"):
            yield from _secret(text, lower, at)
    yield from told(lower)
    for match in _RECOVERY.finditer(text) if text.count("-") > 6 and _DASHED(text) else ():
        yield Span("credential", *match.span(), 0.95, "recovery-key")
    yield from _passwords(text, lower)
    yield from _opening(text, lower)
    for at in CODES.places(lower):
        code = None if at and lower[at - 1].isalpha() else _CODE.match(lower, at)
        if code:
            yield Span("credential", *code.span("value"), 0.7, "one-time-code")


def _passwords(text: str, lower: str) -> Found:
    """Passwords that stand at a distance from the word for one."""
    near: list[tuple[int, int]] = []
    for at in PASSWORDS.places(lower):
        word = _PASSWORDS.match(lower, at)
        if word is None:
            continue
        if not _TELLING(text, max(0, at - 40), at + 160):
            continue
        for pattern in (_SAID_FAR, _QUOTED):
            match = pattern.match(lower, at)
            value = match.group("value").rstrip(".:?!)") if match else ""
            if (
                match
                and not PLACEHOLDER(value)
                and (pattern is _QUOTED or (SECRETIVE(value) and not _NO_SECRET(value)))
            ):
                yield Span("credential", *match.span("value"), 0.6, "secret-far")
        near.append((at - 40, word.end() + 120))
    for mixed in _MIXED.finditer(text) if near else ():
        last = bisect_right(near, mixed.start(), key=itemgetter(0)) - 1
        if last >= 0 and mixed.end() <= near[last][1] and "%20" not in mixed.group():
            yield Span("credential", *mixed.span(), 0.6, "secret-near")


def _opening(text: str, lower: str) -> Found:
    """Pins, seeds, and log-ins of headers."""
    for at in PINS.places(lower):
        if match := _PIN.match(lower, at):
            yield Span("credential", *match.span("value"), 0.6, "pin")
    for at in SEEDS.places(lower):
        if match := _SEED.match(lower, at):
            yield Span("credential", *match.span("value"), 0.9, "seed")
    for match in _BASIC.finditer(lower) if "basic " in lower else ():
        if ":" in _of_basic(text[match.start("value") : match.end("value")]):
            yield Span("credential", *match.span("value"), 0.9, "authorization")


def _of_basic(value: str) -> str:
    try:
        return b64decode(value + "=" * (-len(value) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""


def _secret(text: str, lower: str, at: int) -> Found:
    """What stands behind a word for a secret and a sign, or is said to be one."""
    match = _SECRET.match(lower, at)
    if match and not _OTHER(match.group()):
        start, end = match.span("value")
        word = match.group("sign") == ":" and text[start:end].rstrip(".").isalpha()
        end = start + len(match.group("value").rstrip(")].|"))
        if PLACEHOLDER(lower[start:end]):
            return
        if end - start > 2 and not match.group("value").startswith(("*", "<", "[", "%", "{{", "$(")):
            yield Span("credential", start, end, 0.3 if word else 0.9, "secret")
        return
    match = _SAID.match(lower, at)
    if match and not _NO_SECRET(value := match.group("value").rstrip(".:?")) and not PLACEHOLDER(value):
        yield Span("credential", match.start("value"), match.start("value") + len(value), 0.7, "secret-said")


def tokens(text: str) -> Found:
    """Keys, tokens and hashes of passwords by the form their makers give them."""
    for at in TOKEN_WORDS.places(text):
        match = _TOKENS.match(text, at)
        bot = text[at] == ":"  # the number of a bot stands before it
        if match and (bot or not (at and text[at - 1].isalnum())):
            start = at - sum(map(str.isdigit, text[max(0, at - 10) : at])) if bot else at
            yield Span("credential", start, match.end(), 0.95, "token")
    lower = folded(text)
    for match in _HASHED.finditer(lower) if "$" in text or "}" in text or "::" in text else ():
        yield Span("credential", *match.span(), 0.9, "password-hash")
    for match in _PWDUMP.finditer(lower) if ":" in text else ():
        if match.group("nt") != _NOTHING:
            yield Span("credential", match.start() - 32, match.end(), 0.9, "password-hash")
    for match in _NT_HASH.finditer(lower) if _HASHES.any(lower) else ():
        yield Span("credential", *match.span("hash"), 0.8, "password-hash")
