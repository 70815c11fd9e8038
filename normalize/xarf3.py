"""X-ARF 3: does a report keep to its schema? Each fault is noted with its place; one fault is enough to refuse it.

The schema of a type is a table here: what it needs, and what a field has to be wherever it stands.
Source: XARF 3, xarf_shared.schema.json and the schemas of its sixteen types.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

from normalize.lenient import Json, Parts, moment

_HOST = re.compile(
    r"(?=.{1,253}\.?$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.?"
)
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_CVE = re.compile(r"CVE-\d{4}-\d{4,7}")
_HASHES = frozenset(("sha1", "sha2", "sha3", "sha256", "sha512", "md5", "argon2id", "scrypt", "bcrypt", "pbkdf2"))
VERSIONS = frozenset(("1", "2", "3", "4"))
"""As they stand in `Version`: the same form, of which 3 has a published schema."""

_HOSTED = ("SourceIp|SourceUrl", "Date")
_SENT = ("SourceIp", "Date")
TYPES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Botnet": ("Content", _HOSTED),
    "ChildAbuse": ("Content", _HOSTED),
    "Copyright": ("Content", (*_HOSTED, "InfringedMaterial")),
    "DOS": ("Activity", _SENT),
    "Exploit": ("Activity", _SENT),
    "Harassment": ("Activity", (*_HOSTED, "Harasser", "HarassmentDescription")),
    "LoginAttack": ("Activity", _SENT),
    "Malware": ("Content|Activity", _HOSTED),
    "OpenService": ("Vulnerability", (*_HOSTED, "ServiceName")),
    "Phishing": ("Content", (*_HOSTED, "SourceUrl")),
    "PortScan": ("Activity", _SENT),
    "PotentiallyCompromisedAccount": ("Activity", ("Date", "Account")),
    "Spam": ("Activity", _SENT),
    "Trademark": ("Content", (*_HOSTED, "TrademarkedMaterial")),
    "WebCrawler": ("Activity", _HOSTED),
}
"""Type -> its classes, and what it needs (`|`: one of them is enough)."""


def sound(report: Json, parts: Parts, path: str = "") -> bool:
    """Does it keep to the schema? What does not is noted in `parts`."""
    before = len(parts.problems)
    if report.get("Version") not in VERSIONS:
        parts.note("a version of X-ARF that is not known", f"{path}/Version")
    if not isinstance(report.get("Disclosure", report.get("Version") != "3" or None), bool):
        parts.note("yes or no was expected", f"{path}/Disclosure")
    _organisation(report, "ReporterInfo", "Reporter", parts, path)
    if "OnBehalfOf" in report:
        _organisation(report, "OnBehalfOf", "Complainant", parts, path)
    told = report.get("Report")
    if isinstance(told, dict):
        _report(told, parts, f"{path}/Report")
    else:
        parts.note("the report itself is missing", f"{path}/Report")
    return len(parts.problems) == before


def _organisation(report: Json, key: str, prefix: str, parts: Parts, path: str) -> None:
    """Who reports, or on whose behalf: of an organisation name, domain and address; of a person none is needed."""
    who, where = report.get(key), f"{path}/{key}"
    if not isinstance(who, dict):
        parts.note("an object was expected", where)
        return
    known = {f"{prefix}{name}": check for name, check in _ORGANISATION.items()}
    if key == "ReporterInfo" and who.keys() - known.keys():
        parts.note("a field that X-ARF does not have", f"{where}/*")
    for name, (check, reason) in known.items():
        if name in who and not check(who[name]):
            parts.note(reason, f"{where}/{name}")
        elif name not in who and who.get(f"{prefix}Type") != "Person" and name.endswith(_NEEDED):
            parts.note("a required field is missing", f"{where}/{name}")


def _report(told: Json, parts: Parts, where: str) -> None:
    kind = type_of(told)
    _typed(kind, told, parts, where)
    if kind == "PotentiallyCompromisedAccount":
        for name in ("SourceIp", "SourceUrl"):
            if name in told:
                parts.note("of an account that may be compromised no source is reported", f"{where}/{name}")
    for name, (check, reason) in _FIELDS.items():
        if name in told and not check(told[name]):
            parts.note(reason, f"{where}/{name}")
    if isinstance(told.get("Samples"), list):
        for index, sample in enumerate(told["Samples"]):
            _sample(sample, parts, f"{where}/Samples/{index}")
    if isinstance(told.get("FileHash"), dict):
        if told["FileHash"].get("HashAlgorithm") not in _HASHES:
            parts.note("a hash algorithm that X-ARF does not have", f"{where}/FileHash/HashAlgorithm")
        if not isinstance(told["FileHash"].get("HashValue"), str):
            parts.note("text was expected", f"{where}/FileHash/HashValue")


def _typed(kind: str, told: Json, parts: Parts, where: str) -> None:
    classes, needed = TYPES.get(kind, ("", ()))
    if not classes:
        parts.note("a report type that X-ARF does not have", f"{where}/ReportType")
    elif told.get("ReportClass") not in classes.split("|"):
        parts.note("not the class of this report type", f"{where}/ReportClass")
    for name in needed:
        if not any(each in told for each in name.split("|")):
            parts.note("a required field is missing", f"{where}/{name.partition('|')[0]}")


def type_of(told: Json) -> str:
    """The type, as the schema writes it, of a report that says so or has the fields of one."""
    stated = told.get("ReportType")
    if isinstance(stated, str) and stated not in TYPES and "Harasser" in told:
        return "Harassment"
    return stated if isinstance(stated, str) else ""


def _sample(sample: Any, parts: Parts, where: str) -> None:
    if not isinstance(sample, dict):
        parts.note("an object was expected", where)
        return
    if "FileName" not in sample and not ("ContentType" in sample and "Payload" in sample):
        parts.note("a required field is missing", f"{where}/Payload")
    for name in ("ContentType", "Payload", "Description", "FileName"):
        if name in sample and not isinstance(sample[name], str):
            parts.note("text was expected", f"{where}/{name}")
    if "Base64Encoded" in sample and not isinstance(sample["Base64Encoded"], bool):
        parts.note("yes or no was expected", f"{where}/Base64Encoded")


def is_ip(value: Any) -> bool:
    """An IPv4 or IPv6 address."""
    try:
        return isinstance(value, str) and bool(ipaddress.ip_address(value))
    except ValueError:
        return False


def _whole(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_port(value: Any) -> bool:
    return _whole(value, 0, 65535)


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 3


def _is_host(value: Any) -> bool:
    return isinstance(value, str) and _HOST.fullmatch(value.lower()) is not None


def _is_account(value: Any) -> bool:
    stated = ("AccountIdentifier", "AccountEmail")
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(value[each], str) for each in stated if each in value)
    )


_Check = tuple[Callable[[Any], bool], str]
_TEXT: _Check = (_is_text, "text was expected")
_NUMBER: _Check = (lambda value: _whole(value, -(1 << 62), 1 << 62), "a whole number was expected")
_ADDRESS: _Check = (is_ip, "not an address")
_PORT: _Check = (_is_port, "not a port")
_TIME: _Check = (lambda value: moment(value) is not None, "a time that cannot be read")
_EMAIL: _Check = (_matches(_MAIL), "not an e-mail address")
_WORD_OF_TYPE: _Check = (lambda value: value in ("Org", "Person"), "neither an organisation nor a person")
_NEEDED = ("Org", "OrgDomain", "OrgEmail")
_ORGANISATION: Mapping[str, _Check] = {
    "Type": _WORD_OF_TYPE,
    "Org": (_is_name, "a name of three signs or more was expected"),
    "OrgDomain": (_is_host, "not a host name"),
    "OrgEmail": _EMAIL,
    "OrgAddress": _TEXT,
    "ContactEmail": _EMAIL,
    "ContactName": (_is_name, "a name of three signs or more was expected"),
    "ContactPhone": (_is_name, "a number of three signs or more was expected"),
}
_FIELDS: Mapping[str, _Check] = {
    "ReportSubType": _TEXT,
    "ReporterCaseID": _TEXT,
    "ReporterNotes": _TEXT,
    "ReporterSeverity": (lambda value: value in ("low", "medium", "high"), "neither low, medium nor high"),
    "Date": _TIME,
    "FirstSeen": _TIME,
    "SourceIp": _ADDRESS,
    "SourcePort": _PORT,
    "SourceUrl": (_matches(_URI), "not a web address"),
    "ASN": (lambda value: _whole(value, 1, 4_199_999_999), "not an AS number"),
    "DestinationIp": _ADDRESS,
    "DestinationPort": (
        lambda value: all(map(_is_port, value)) if isinstance(value, list) else _is_port(value),
        "not a port",
    ),
    "AttackerIp": _ADDRESS,
    "SmtpMailFromAddress": _EMAIL,
    "SmtpRcptToAddress": _EMAIL,
    "Ongoing": (lambda value: isinstance(value, bool), "yes or no was expected"),
    "Samples": (lambda value: isinstance(value, list) and bool(value), "a list was expected"),
    "Account": (_is_account, "not an account"),
    "ByteCount": _NUMBER,
    "PacketCount": _NUMBER,
    "CVE": (_matches(_CVE), "not a CVE id"),
    "CVSS": (lambda value: isinstance(value, dict), "an object was expected"),
    "RpzDomain": (_is_host, "not a host name"),
    "MalwareName": _TEXT,
    "BotnetName": _TEXT,
    "ServiceName": _TEXT,
    "ServiceVersion": _TEXT,
    "TransportProtocol": (lambda value: value in ("tcp", "udp"), "neither tcp nor udp"),
    "FileName": _TEXT,
    "FileHash": (lambda value: isinstance(value, dict), "an object was expected"),
    "Harasser": _TEXT,
    "HarassmentDescription": _TEXT,
    "InfringedMaterial": _TEXT,
    "TrademarkedMaterial": _TEXT,
}
