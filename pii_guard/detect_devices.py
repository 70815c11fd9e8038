"""Recogniser for what a device is known by: numbers that are burnt in, and names. All patterns are linear."""

import re

from stdnum import luhn

from pii_guard.detect_machines import machines
from pii_guard.quick import Quick
from pii_guard.span import Found, Span, Words, folded

_IMEI = Quick(r"[0-9](?<![\w-][0-9])(?:\d{14}|\d[- ]\d{6}[- ]\d{6}[- ]\d)(?![\w-])")
_SIM = Quick(r"8(?<![\w-]8)9(?:\d{30}|\d\d(?:[ -]?\d){14,16})(?![\w-])")
"""The number of a card (ITU-T E.118), and that of one that is built in (SGP.02)."""
SERIAL_WORDS = Words(
    *("serial", "serie", "s/n", "sn", "dev", "udid", "imsi", "iccid", "sim", "android", "idfa", "gaid"),
    *("advertising", "reclame", "anydesk", "teamviewer", "asset", "service", "chassis", "hardware", "hwid"),
    *("machine", "terminal", "vin", "toestel", "apparaat", "rustdesk", "ipei", "meid", "imei", "meternummer"),
    *("numéro de s", "número de s", "numero di s", "handset", "chromebook", "laptop", "usbstor", "uid"),
)
_BETWEEN = (
    r"(?:[ -]?(?:nummer|number|nr\.?|no\.?)(?![a-z]))?(?:\s(?:is|was|no\.|nr\.?|id))?[\"']?"
    r"(?:\?\s|[ \t]{0,14}[:=]|</\w+>\s?<\w+>)?[ \t:=#(\"'`]{0,6}(?<![\w.])"
)
_SERIAL = re.compile(
    r"(?:serial(?: ?(?:no|number|nr|num)\b\.?)?|serienn?ummer|serienr\.?|"
    r"num[eé]ro de série|n[uú]mero d[ei] serie|meternummer|"
    r"s/n|sn|dev(?:ice)?[ _-]?id|"
    r"device identifier|udid|imei|meid|ipei|"
    r"imsi|iccid|sim(?:-?kaart| card)?(?:nummer| ?number)?|android[ _-]?id|idfa|gaid|advertising id|reclame-id|"
    r"anydesk(?:[ -](?:id|adres))?(?: \(id)?|teamviewer(?:[ -]id)?|"
    r"asset[ _-]?(?:tag|nr\.?|id)|service[ _-]?tag|chassis(?:nummer| number)?|"
    r"hardware[ _-]?id|hwid|machine[ _-]?(?:guid|id)|"
    r"terminal|vin|device serial|toestel-id|apparaat-id|rustdesk)"
    + _BETWEEN
    + r"(?P<value>(?=[\w:-]{0,8}\d)[a-z0-9][\w:.-]{3,63}|(?:\d )?\d{3} \d{3} \d{3}(?: \d)?)"
)
_SPACED = re.compile(
    r"(?:imsi[ :=]{1,3}(?P<imsi>\d{3}[ -]\d{2,3}[ -]\d{9,10})|ipei[ :=]{1,3}(?P<ipei>\d{5} \d{7} \d))(?!\w)"
)
_STRICT = r"(?=[A-Z-]*\d)(?=[\d-]*[A-Z])[A-Z0-9](?:-?[A-Z0-9]){7,23}"
_LOOSELY = re.compile(
    rf"(?:(?i:serial(?: ?number)?|serienummers?|serienr\.?|s/n|sn)(?: [a-zé]{{2,12}}){{1,3}}|(?i:handset|toestel)|"
    rf"(?i:laptop|tablet|chromebook|notebook) (?:is|was)) (?P<value>{_STRICT})(?![\w.-])"
)
"""A few words between: `serial of mine DN786BD916`. What is meant is in capitals and digits."""
_NEXT = re.compile(rf"(?:,|\s?/| en| and| of| or|, en) (?P<value>{_STRICT})(?![\w.-])").match
_STORAGE = re.compile(r"usbstor\\[^\\\s]{1,120}\\(?P<value>[a-z0-9]{8,32})&").match
_CAMERA = re.compile(r"uid[\"']?[ :=]{1,3}[\"']?(?P<value>[a-z]{3,8}-\d{6}-[a-z]{5})(?!\w)").match
"""By which its maker's cloud finds a camera."""
_OF_PHONE = re.compile(
    r"imei|toestel|mdm|device|phone|galaxy|android|pixel|meid|\bgsm\b|imsi|iccid|\bsim\b|msisdn|handset|telefoon|nokia|"
    r"samsung"
)
_OF_CARD = re.compile(r"\be?sim|iccid|imei|msisdn|\beid\b")
_NO_SERIAL = re.compile(
    r"[\d.]+\.[\d.]+|\d+-\d+|0x.*|https?.*|20[0-3]\d[01]\d[0-3]\d\d\d|1[67]\d{8}|(?:[0-9a-f]{2}:){5,}[0-9a-f]{2}"
).fullmatch
"""Nor is the state of a zone one, the number of a certificate, or a moment."""
_CERTIFICATE = re.compile(r"x509|certifi|\bcert\b|fingerprint|notbefore|vingerafdruk|\bvol(?:ume)? serial")


def devices(text: str) -> Found:
    """IMEI, serial numbers after their word, SIM cards, and machines that are called after somebody."""
    lower = folded(text)
    for match in _IMEI.finditer(text):
        near = _OF_PHONE.search(lower, max(0, match.start() - 80), match.end() + 40)
        if near and luhn.is_valid("".join(filter(str.isdigit, match.group()))):
            yield Span("device", *match.span(), 0.95, "imei")
    for match in _SIM.finditer(text):
        digits = "".join(filter(str.isdigit, match.group()))
        if luhn.is_valid(digits) or _OF_CARD.search(lower, max(0, match.start() - 100), match.end() + 40):
            yield Span("device", *match.span(), 0.8, "sim")
    for at in SERIAL_WORDS.places(lower):
        if not (at and lower[at - 1].isalpha()):
            yield from _serial(text, lower, at)
    yield from machines(text, lower)


def _serial(text: str, lower: str, at: int) -> Found:
    """What stands behind the word at this place."""
    serial = _SERIAL.match(lower, at)
    end = at
    if serial:
        start, end = serial.span("value")
        value = serial.group("value").rstrip(".:-")
        of_key = lower[at] == "s" and _CERTIFICATE.search(lower, max(0, start - 80), end + 60)
        if any(map(str.isdigit, value)) and not _NO_SERIAL(value) and not of_key:
            yield Span("device", start, start + len(value), 0.8, "serial")
    else:
        serial = _LOOSELY.match(text, at) or _STORAGE(lower, at) or _CAMERA(lower, at)
        if serial:
            end = serial.end("value")
            yield Span("device", *serial.span("value"), 0.7, "serial")
    more = _NEXT(text, end) if serial else None
    while more:
        yield Span("device", *more.span("value"), 0.6, "serial")
        more = _NEXT(text, more.end())
    spaced = _SPACED.match(lower, at)
    if spaced:
        yield Span("device", *spaced.span(spaced.lastgroup or 0), 0.8, "serial")
