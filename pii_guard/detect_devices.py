"""Recogniser for what a device is known by. All patterns are linear."""

import re

from stdnum import luhn

from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded

_IMEI = Quick(r"[0-9](?<![\w-][0-9])(?:\d{14}|\d[- ]\d{6}[- ]\d{6}[- ]\d)(?![\w-])")
SERIAL_WORDS = Words(
    *(
        "serial",
        "serie",
        "s/n",
        "sn",
        "dev",
        "udid",
        "imsi",
        "iccid",
        "sim",
        "android",
        "idfa",
        "gaid",
        "advertising",
        "reclame",
    ),
    *(
        "anydesk",
        "teamviewer",
        "asset",
        "service",
        "chassis",
        "hardware",
        "hwid",
        "machine",
        "terminal",
        "vin",
        "toestel-id",
        "apparaat",
        "rustdesk",
    ),
)
_SERIAL = re.compile(
    r"(?:serial(?: ?(?:no|number|nr|num)\b\.?)?|serienummer|serienr\.?|s/n|sn|dev(?:ice)?[ _-]?id|"
    r"device identifier|udid|"
    r"imsi|iccid|sim(?:-?kaart| card)?(?:nummer| ?number)?|android[ _-]?id|idfa|gaid|advertising id|reclame-id|"
    r"anydesk(?:[ -](?:id|adres))?(?: \(id)?|teamviewer(?:[ -]id)?|"
    r"asset[ _-]?tag|service[ _-]?tag|chassis(?:nummer| number)?|hardware[ _-]?id|hwid|machine[ _-]?(?:guid|id)|"
    r"terminal|vin|"
    r"device serial|toestel-id|apparaat-id|rustdesk)(?:\s(?:is|was|no\.|nr\.?|id))?[\"']?[ \t:=#(\"'`]{1,6}"
    r"(?P<value>(?=[\w:-]{0,8}\d)[a-z0-9][\w:.-]{3,63}|\d{3} \d{3} \d{3}(?: \d)?)"
)
_MACHINE = Quick(
    r"(?<![\w.-])(?!WS-C\d)(?:(?:LAPTOP|DESKTOP|PC|WS|LT|NB|WIN|WKS|MACBOOK|MBP|IPHONE|IPAD|TABLET|SURFACE|THINKPAD|"
    r"NOTEBOOK)-[A-Z0-9]{3,}(?:-[A-Z0-9]+){0,3}"
    r"|[A-Z]{2,6}-(?:LT|PC|WS|NB|LAP|TAB)-?[A-Z0-9]{2,}(?:-[A-Z0-9]+)?"
    r"|[A-Z][A-Z0-9]{2,14}-(?:LAPTOP|DESKTOP|PC|NB|MBP|WS|LT|NOTEBOOK|IPHONE|MACBOOK)"
    r"|(?:iPhone|iPad|MacBook(?:-(?:Pro|Air))?|Galaxy(?:-\w+)?|Pixel|laptop|Laptop|telefoon|iMac|Android|"
    r"AppleWatch|Watch|Telefoon)-(?:van|de|von|of)-[\w-]{2,40}(?:\.local)?"
    r"|[A-Z][a-z]{1,20}s-(?:iPhone|iPad|MBP|MacBook(?:-(?:Pro|Air))?|Air|laptop|Laptop|Phone|PC|Mac)\b)(?!\w)"
)
_OF_PHONE = re.compile(r"imei|toestel|mdm|device|phone|galaxy|android|pixel|meid|\bgsm\b")
_NO_SERIAL = re.compile(r"[\d.]+\.[\d.]+|\d+-\d+|0x.*|https?.*").fullmatch
_CERTIFICATE = re.compile(r"x509|certifi|\bcert\b|fingerprint|notbefore|vingerafdruk")
_HOST_LABEL = Quick(
    r"(?:computer ?name|host ?name|workstation(?: name)?|werkstation|pc-naam|apparaatnaam|device ?name|"
    r"machine ?name)[\"']?\s?[:=]\s{0,12}[\"']?(?P<value>[a-z][\w-]{2,31})"
)
_SERVER = re.compile(
    r".*(?:srv|server|dc\d|web\d|db\d|mail|exch|proxy|gw|fw|switch|router|host\d|win-).*|localhost|unknown|vm-?\d.*"
).fullmatch


def devices(text: str) -> Found:
    """IMEI, serial numbers after their word, and machines that are called after somebody."""
    lower = folded(text)
    for match in _IMEI.finditer(text):
        near = _OF_PHONE.search(lower, max(0, match.start() - 80), match.end() + 40)
        if near and luhn.is_valid("".join(filter(str.isdigit, match.group()))):
            yield Span("device", *match.span(), 0.95, "imei")
    for at in SERIAL_WORDS.places(lower):
        serial = _SERIAL.match(lower, at)
        if serial is None or (at and lower[at - 1].isalpha()):
            continue
        start, end = serial.span("value")
        value = serial.group("value").rstrip(".:-")
        of_key = _CERTIFICATE.search(lower, max(0, start - 200), end + 60)
        if any(map(str.isdigit, value)) and not _NO_SERIAL(value) and not of_key:
            yield Span("device", start, start + len(value), 0.8, "serial")
    for match in _HOST_LABEL.finditer(lower) if "name" in lower or "naam" in lower or "station" in lower else ():
        if not _SERVER(match.group("value")):
            yield Span("device", *match.span("value"), 0.6, "machine-name")
    for machine in _MACHINE.finditer(text):
        yield Span("device", *machine.span(), 0.6, "machine-name")
