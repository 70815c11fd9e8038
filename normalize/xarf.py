"""X-ARF abuse reports: 0.1 and 0.2 (lines of `Key: value`, or JSON), 3 (`ReporterInfo`) and 4 (`xarf_version`).

One `exposure` draft a report, about the host that was reported. Whoever abuses it, it is somebody's host: a victim's.
What it attacked, who complains, passwords, samples and log lines are left out. A report of version 3
that does not keep to its schema is refused, each fault with its place. Reports about rights and quarrels (copyright,
trademarks, harassment) and about child abuse are no digital threats: they are for others than this service.
Sources: X-ARF 0.1 and 0.2; XARF 3 (normalize/xarf3.py); XARF 4, xarf-core.json and the schemas of its types.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any

from msgspec import Struct, field

from ingest import Source
from normalize import Draft, Facts, Normalized, NormalizeError, Observable, gravity
from normalize.lenient import Json, Parts, clean, cves_in, decode, moment
from normalize.stix_facts import Key, address
from normalize.xarf3 import is_ip, sound, type_of
from normalize.xarf_types import ELSEWHERE, KINDS, OTHER
from tlp import Label, tags

PLAIN = re.compile(rb"\A(?:---\s*\n)?(?:[A-Za-z][\w-]*:[^\n]*\n+){0,40}?Reported-From:", re.IGNORECASE)
"""A report of version 0.1 or 0.2 begins so."""
_LINE = re.compile(r"([A-Za-z][\w-]*):[ \t]*(.*)")
_WORD = re.compile(r"[A-Za-z0-9][\w .+:/-]{0,63}")
_HEX = re.compile(r"(?:(?:md5|sha1|sha256|sha512):)?([0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{128})")
_COUNTED = {"domain": "name", "email": "account", "username": "account"}
_CATEGORIES = ("messaging", "content", "copyright", "connection", "vulnerability", "infrastructure", "reputation")


class _Told(Struct):
    """What one report says, whatever its version."""

    kind: str
    """The type in small letters and dashes: `port-scan`."""
    host: Key | None = None
    date: datetime | None = None
    port: int | None = None
    protocol: str | None = None
    asn: int | None = None
    cves: tuple[str, ...] = ()
    cvss: float | None = None
    remedy: str = ""
    service: str = ""
    detail: dict[str, str] = field(default_factory=dict)
    label: Label | None = None
    doubts: tuple[str, ...] = ()
    also: list[Observable] = field(default_factory=list)
    """Values beside the host: files that it serves, the name that its malware asked for."""


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One draft a report; a list holds several. NormalizeError: this is no X-ARF."""
    parts = Parts()
    if PLAIN.match(body.lstrip()):
        found = [_plain(_lines(body), parts, "")]
    else:
        document = decode(body)
        if not isinstance(document, (dict, list)):
            raise NormalizeError("not an X-ARF report")
        listed = enumerate(document) if isinstance(document, list) else [("", document)]
        found = [_one(each, parts, f"/{at}" if at != "" else "") for at, each in listed]
    made = [_draft(told, source, received_at) for told in found if told is not None]
    return Normalized("xarf", tuple({draft.key: draft for draft in made}.values()), tuple(parts.problems))


def _one(report: Any, parts: Parts, path: str) -> _Told | None:
    if not isinstance(report, dict):
        parts.note("an object was expected", path)
        return None
    if "xarf_version" in report:
        return _four(report, parts, path)
    if "Reported-From" in report:
        return _plain({key: str(value) for key, value in report.items() if isinstance(value, str | int)}, parts, path)
    if not sound(report, parts, path):
        return None
    return _three(report["Report"], parts, path)


def _three(told: Json, parts: Parts, path: str) -> _Told | None:
    kind = _spelt(told["ReportSubType"] if told.get("ReportSubType") == "RPZ-Rewrite" else type_of(told))
    stated, account = told.get("SourceIp"), told.get("Account")
    host = _account(account) if isinstance(account, dict) else _host(stated or told.get("SourceUrl"))
    names = {
        "type": "ReportType", "class": "ReportClass", "subtype": "ReportSubType", "severity": "ReporterSeverity",
        "malware": "MalwareName", "family": "BotnetName", "service": "ServiceName", "version": "ServiceVersion",
    }  # fmt: skip
    also = _values(("url", told.get("SourceUrl") if stated else None), evidence=f"report:xarf_{kind}")
    also += _values(("domain", told.get("RpzDomain")), evidence="malware:communicates-with")
    file_hash = told.get("FileHash")
    also += _hashes(file_hash.get("HashValue") if isinstance(file_hash, dict) else None)
    read = _Told(kind, host, moment(told["Date"]), told.get("SourcePort"), told.get("TransportProtocol"), also=also)
    read.asn, read.cves, read.service = told.get("ASN"), cves_in(told.get("CVE", "")), told.get("ServiceName", "")
    read.cvss = _score(told.get("CVSS", {}).get("Score"))
    read.detail = _details(told, names)
    return _kept(read, parts, f"{path}/Report")


def _four(told: Json, parts: Parts, path: str) -> _Told | None:
    category = told.get("category", told.get("class"))
    before = len(parts.problems)
    for name in ("report_id", "timestamp", "source_identifier", "type"):
        if not isinstance(told.get(name), str):
            parts.note("a required field is missing", f"{path}/{name}")
    if not isinstance(told.get("reporter"), dict):
        parts.note("a required field is missing", f"{path}/reporter")
    if category not in _CATEGORIES:
        parts.note("a category that X-ARF does not have", f"{path}/category")
    date = moment(told.get("timestamp"))
    if isinstance(told.get("timestamp"), str) and date is None:
        parts.note("a time that cannot be read", f"{path}/timestamp")
    if len(parts.problems) > before:
        return None
    kind = _spelt(told["type"])
    names = {
        "type": "type", "class": "category", "severity": "severity", "risk": "risk_level", "family": "malware_family",
        "service": "service", "version": "service_version", "threat": "threat_type",
        "vector": "infection_vector", "method": "compromise_method",
    }  # fmt: skip
    also = _values(("url", told.get("url")), ("domain", told.get("domain")), evidence=f"report:xarf_{kind}") + _values(
        ("domain", told.get("c2_server")), evidence="c2"
    )
    also += _hashes(told.get("file_hash"))
    port, protocol = told.get("source_port", told.get("service_port")), told.get("protocol")
    read = _Told(kind, _host(told["source_identifier"]), date, _port(port), also=also)
    read.protocol = protocol[:8].lower() if isinstance(protocol, str) else None
    listed = told.get("cve_ids")
    stated = [told.get("cve_id"), *(listed if isinstance(listed, list) else ())]
    read.cves = cves_in(*(each for each in stated if isinstance(each, str)))
    read.cvss = _score(told.get("cvss_score"))
    read.remedy = clean(told["remediation"]) if isinstance(told.get("remediation"), str) else ""
    read.service = told["service"] if isinstance(told.get("service"), str) else ""
    read.detail = _details(told, names)
    listed = told.get("tags")
    read.label, read.doubts = _label(listed if isinstance(listed, list) else ())
    return _kept(read, parts, path)


def _lines(body: bytes) -> dict[str, str]:
    """Version 0.1 and 0.2 are flat: `Key: value`, perhaps in quotes. Nothing else of YAML is read."""
    found: dict[str, str] = {}
    for line in body.decode("utf-8", "replace").splitlines()[:200]:
        if match := _LINE.fullmatch(line.rstrip()):
            found.setdefault(match[1], match[2].strip().strip("'\""))
    return found


def _plain(told: Mapping[str, str], parts: Parts, path: str) -> _Told | None:
    missing = [name for name in ("Report-Type", "Date", "Source") if not told.get(name)]
    for name in missing:
        parts.note("a required field is missing", f"{path}/{name}")
    if missing:
        return None
    date = _mail_date(told["Date"])
    if date is None:
        parts.note("a time that cannot be read", f"{path}/Date")
    names = {"type": "Report-Type", "class": "Category", "service": "Service", "occurrences": "Occurrences"}
    read = _Told(_spelt(told["Report-Type"]), _host(told["Source"]), date, _port(told.get("Port")))
    read.detail = _details(told, names)
    read.label, read.doubts = _label([f"tlp:{told['TLP']}"] if told.get("TLP") else ())
    return _kept(read, parts, path, of="Source")


def _kept(read: _Told, parts: Parts, path: str, of: str = "") -> _Told | None:
    """The report, if it is one for this service and says which host it is about."""
    if read.kind in ELSEWHERE:
        parts.note("a report about rights, quarrels or unlawful content: no digital threat to warn of", path)
        return None
    if read.host is None:
        parts.note("neither an address nor a host name", f"{path}/{of}" if of else path)
        return None
    return read


def _draft(told: _Told, source: Source, received_at: datetime) -> Draft:
    kind = KINDS.get(told.kind, OTHER)
    exposure, words = kind.exposure, kind.words
    service = _spelt(told.service)
    if service and exposure in ("open-service", "vulnerable-service", "misconfigured-service"):
        exposure = f"{exposure.partition('-')[0]}-{service}"
        words = f"{words.partition(' ')[0]} {service.upper() if len(service) <= 5 else service.replace('-', ' ')}"
    grave = gravity.of(exposure)
    report = f"xarf_{told.kind}" if told.kind in KINDS else "xarf"
    day = (told.date or received_at).astimezone(UTC).date().isoformat()
    assert told.host is not None
    host = Observable(
        told.host[0], told.host[1], "victim", f"report:{report}", told.asn, None, told.port, told.protocol, told.date,
        told.detail,
    )  # fmt: skip
    which = sha256(f"{host.type} {host.value} {host.port}".encode()).hexdigest()
    return Draft(
        kind="exposure",
        key=f"{report}/{day}/{which}",
        title=f"{words}: 1 {_COUNTED.get(host.type, 'address')}",
        summary=f"{source.name}, abuse report (X-ARF) of {day}: {words[0].lower()}{words[1:]}.",
        language="en",
        facts=Facts(
            cves=told.cves,
            observables=(host, *(one for one in told.also if one.value != host.value)),
            cvss=told.cvss,
            kans=grave.kans,
            schade=grave.schade,
            exposure=exposure,
            exploited=True if kind.abused else None,
            remedies=(told.remedy,) if told.remedy else (),
        ),
        label=told.label,
        doubts=told.doubts,
        source_time=told.date,
    )


def _host(value: Any) -> Key | None:
    """What was reported: an address, a name, or the host of a web address."""
    if not isinstance(value, str) or not value:
        return None
    text = value.strip()
    if is_ip(text):
        return address("ipv6" if ":" in text else "ipv4", text)
    if "://" in text:
        return address("url", text)
    return address("domain", text)


def _account(account: Json) -> Key | None:
    email, name = account.get("AccountEmail"), account.get("AccountIdentifier")
    return address("email", email) if email else ("username", name) if name else None


def _values(*stated: tuple[str, Any], evidence: str) -> list[Observable]:
    found = [
        address(kind, value)  # type: ignore[arg-type]
        for kind, value in stated
        if isinstance(value, str) and value
    ]
    role = "victim" if evidence.startswith("report:") else "attacker"
    return [Observable(key[0], key[1], role, evidence) for key in found if key]  # type: ignore[arg-type]


def _hashes(value: Any) -> list[Observable]:
    read = _HEX.fullmatch(value.lower()) if isinstance(value, str) else None
    return [Observable("hash", read[1])] if read else []


def _label(listed: Iterable[Any]) -> tuple[Label | None, tuple[str, ...]]:
    """The strictest TLP label among tags, and doubts."""
    label, doubts = tags.read(tag for tag in listed if isinstance(tag, str))
    return label, tuple(sorted(doubts))


def _details(told: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    """Categories and names of software, in the words of the report; nothing that is longer than such a word."""
    found = {key: told.get(name) for key, name in names.items()}
    return {key: text for key, text in found.items() if isinstance(text, str) and _WORD.fullmatch(text)}


def _spelt(name: str) -> str:
    """`port_scan`, `Port Scan` -> `port-scan`; what is no such word is none."""
    plain = re.sub(r"[\s_]+", "-", name.strip().lower())
    return plain if re.fullmatch(r"[a-z][a-z0-9-]{0,39}", plain) else ""


def _port(value: Any) -> int | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535 else None


def _score(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 10 else None


def _mail_date(text: str) -> datetime | None:
    try:
        read = parsedate_to_datetime(text)
        return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return moment(text)
