"""Recogniser for passwords that sentences and programs tell without a word for one right before them."""

import re

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words

_FOUND = Quick(
    r"(?:key found! \[ (?P<wifi>[^\]\n]{5,64}?) \]"
    r"|\bcracked: [\w.@\\-]{2,64} (?:=|:|->) (?P<cracked>\S{4,64})"
    r"|\b(?:cracked|gekraakt)(?= (?:in|with|met|after|na|using)\b)[^\n]{2,40}?: "
    r"(?P<told>(?=\S{0,40}[\d!@#$%^&*?])\S{5,64})"
    r"|\bwi-?fi[- ]?(?:code|key|sleutel)(?:,| \(| ) ?[\"']?(?P<code>(?=[^\s\"',)]{0,30}\d)[^\s\"',)(]{6,64})"
    r"|\b(?:know|knew|weet) (?:that |dat )?[\"']?(?P<known>(?!this|that|what|it )\S{4,64}?)[\"']? (?:is|was) "
    r"(?:one of )?(?:your|je|uw) (?:old )?(?:pass|wachtw)"
    r"|(?:sticky note|post-?it|briefje)[^\n\"“]{0,24}[\"“]"
    r"(?P<note>(?=[^\"”\n]{0,40}[\d!@#$%^&*?])[^\s\"”\n]{5,64})[\"”]"
    r"|(?:name|key)=[\"'](?:\w{0,16}password|\w{0,16}secret|pwd)[\"'] value=[\"'](?P<param>[^\"'\n<>]{3,128})[\"']"
    r"|\n\d{3,6} => (?P<box>\d{3,8}),"
    r"|<keymaterial>(?P<keymaterial>[^<\s]{3,128})<"
    r"|[\w.@-]{2,64}[\[<{]tab[\]>}](?P<typed>(?!\d+,\d\d\W)[^\s\[<{]{3,64})[\[<{](?:enter|return)[\]>}]"
    r"|<password>\s{0,24}<value>(?P<xml>[^<\s]{3,128})<"
    r"|nickserv (?:identify|register) (?P<nick>\S{4,64})"
    r"|\blogin \S{2,64} password (?P<netrc>\S{3,128})"
    r"|(?:log(?:ging|ged)?[- ]?in|sign(?:ed)? in|inlog(?:gen|d)|ingelogd|aangemeld) (?:as|als) [\"']?[\w.@\\-]{2,64}"
    r"[\"']? (?:with|met|using) [\"']?(?P<with>(?=[^\s\"']{0,40}\d)(?=[^\s\"']{0,40}[a-z])[^\s\"',;]{5,64})"
    r"|(?:reset|changed?|veranderd|gewijzigd) (?:it|her|his|hem|het|this|that)?(?: password)? ?(?:to|in|naar) "
    r"[\"']?(?P<reset>(?=[^\s\"']{0,40}\d)(?=[^\s\"']{0,40}[a-z]{3})(?![^\s\"']*\d\.\d)[^\s\"',;/]{7,64}))"
)
"""In sentences of people and programs: Wi-Fi keys that were cracked, `.netrc`, `log in as X with Y`."""
FOUND = Words(
    *("cracked: ", "wificode", "wifi-code", "wi-fi code", "wifi key", "wi-fi key", "wifisleutel", "<password>"),
    *("cracked in", "cracked with", "cracked after", "cracked using", "gekraakt in", "gekraakt met"),
    *("gekraakt na", "sticky note", "post-it", "postit", "briefje", "your pass", "je wachtw", "uw wachtw"),
    *("of your", "your old", 'password" value', "password' value", 'secret" value', 'pwd" value'),
    *("<keymaterial>", "[tab]", "<tab>", "{tab}", "voicemail", "wifi code", "wi-fi sleutel", "wifi sleutel"),
    *("key found!", "nickserv", "login ", "log in as", "logged in as", "logging in as", "sign in as"),
    *("signed in as", "inloggen als", "ingelogd als", "aangemeld als", "reset it to", "reset to"),
    *("changed it to", "changed to", "veranderd in", "gewijzigd in", "gewijzigd naar", "veranderd naar"),
)
SECRETIVE = re.compile(
    r"(?=.*[a-z])(?=.*[\d!@#$%^&*?+])(?!.*[/=]|.*%20|v?\d+\.|cve-|0x[\da-f]+$|https?:|\d+[a-z]{1,2}$|[\w.-]+@)[^:]{4,64}"
).fullmatch
"""Of letters and something else: no version, unit, path, address or number of a CVE."""
PLACEHOLDER = re.compile(
    r"\$[a-z_{(].*|\[?redacted.*|\(?(?:hidden|empty|leeg|none|geen)\b.*|your[_-].*|change[_-]?me|yes|no|string|\{+.*|<.*|[\w.-]+[~=<>]=\d.*|\d+:\d+(?::\d+)?|sha256/.*|"
    r"\d{4}-\d\d-\d\d.*"
).fullmatch


def told(lower: str) -> Found:
    """Passwords, keys and codes in the sentences above."""
    for match in _FOUND.finditer(lower) if FOUND.any(lower) else ():
        group = match.lastgroup or ""
        value = match.group(group).rstrip(".")
        if not PLACEHOLDER(value) and (group != "reset" or SECRETIVE(value)):
            yield Span("credential", match.start(group), match.start(group) + len(value), 0.7, "secret-told")
