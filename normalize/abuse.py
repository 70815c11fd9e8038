"""Shadowserver reports, as CSV and as their API's JSON: exposed, vulnerable and infected systems, one row each.

One `exposure` draft for each report type and day; its rows are observables. Which report it is follows from its
columns and tags (normalize/abuse_reports.py), since file names do not come with it. Host names, certificate subjects,
URLs and banners may be personal and are left out; of columns that nobody here knows, what classifies a system is kept
for the guard to look at: numbers, versions, dates, yes and no, words in small letters, acronyms. Of an event only the
side that the network owner can act on is kept, never the sinkhole or the target.
Source: https://www.shadowserver.org/what-we-do/network-reporting/ (report types and their columns).
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from operator import itemgetter
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton
from typing import Any, NamedTuple

from ingest import Source
from normalize import Draft, Facts, Normalized, NormalizeError, Observable, ObservableType, Problem, abuse_ctip, gravity
from normalize.abuse_reports import Report, recognise
from normalize.lenient import cves_in, decode, moment
from tlp import Label

_BOM = b"\xef\xbb\xbf"
_DETAILS = (
    "tag", "infection", "family", "severity", "status", "naics", "src_naics", "sector", "src_sector", "device_vendor",
    "device_type", "device_model", "device_version", "product", "version", "application", "service", "rdp_protocol",
    "smbv1_support", "ssl_version", "handshake", "http_code", "min_amplification", "amplification", "response_size",
)  # fmt: skip
"""Columns that are kept: numbers and short words that say what was seen, never whose."""
_THEIRS = re.compile(
    r"host|name|user|login|account|mail|phone|contact|subject|issuer|owner|person|address|street|city|region|geo|postal|"
    r"serial|cookie|ur[il]|path|agent|banner|raw|key|hash|finger|passw|cert|domain|refer|query|request|payload|communit|"
    r"locat|desc|body|title|header|server|cipher|signature|modulus|prime|public|nonce|data|content|text|string|realm|auth|"
    r"machine|token|secret|_?id$|_?ip$|_ip_|asn|port$|_?mac$|_?dn$|_?cn$|md5|sha\d|jarm|forward|via|naics|sic$|timestamp"
)
"""Columns that may say whose system it is, or be too long to say what kind it is; and those that are read elsewhere."""
_CLASSES = re.compile(
    r"\d{1,6}(?:\.\d{1,6})?|v?\d{1,4}(?:\.\d{1,5}){1,3}[a-z]?|\d{4}-\d\d-\d\d(?:[ T][\d:.]{5,12}Z?)?|[YNyn]|"
    r"(?:[Tt]rue|[Ff]alse|[Yy]es|[Nn]o)|[a-z]{2,20}(?:[ _/-][a-z]{2,20}){0,3}|[A-Z]{2,10}"
)
_NO_KEY = re.compile(r"[^a-z0-9_.-]+")
_MOST_UNKNOWN = 16
_HARMLESS = re.compile(r"[\w ,;:./+()&-]{1,64}")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.IGNORECASE)
_NO_COUNTRY = frozenset({"AA", "XX", "ZZ"})
"""ISO 3166-1 user-assigned: unknown."""
_MOST_PROBLEMS = 100
csv.field_size_limit(1 << 20)


def sniff(head: bytes) -> bool:
    """Is the first line the header of a Shadowserver report? Timestamp, an address, its AS number and country."""
    line = head.removeprefix(_BOM).lstrip().partition(b"\n")[0].decode("ascii", "replace").lower()
    columns = {name.strip().strip('"') for name in line.split(",")}
    return line.lstrip('"').startswith("timestamp") and (
        {"ip", "asn", "geo"} <= columns or {"src_ip", "src_asn", "src_geo"} <= columns
    )


def drafts(body: bytes, source: Source, received_at: datetime) -> Normalized:
    """One draft for each day of the report. NormalizeError: this is no Shadowserver report."""
    problems: list[Problem] = []
    marked: tuple[Label | None, tuple[str, ...]] = (None, ())
    if body.lstrip()[:1] == b"[":
        listed = [row if isinstance(row, dict) else {} for row in decode(body)]
        if any(map(abuse_ctip.is_row, listed[:1])):
            listed, marked = abuse_ctip.rows(listed), abuse_ctip.marked(listed)
        header, rows = _from_json(listed)
    elif not sniff(body[:65536]):
        raise NormalizeError("not a Shadowserver report: no header with timestamp, ip, asn and geo", "line 1")
    else:
        rows = csv.reader(io.StringIO(_text(body), newline=""))
        header = [name.strip().lower() for name in next(rows)]
        if not is_row(header):
            raise NormalizeError("not a Shadowserver report: its header cannot be read", "line 1")
    reader = _Rows(header, received_at, problems, "/" if body.lstrip()[:1] == b"[" else "row ")
    days = reader.read(rows)
    report = recognise(header, reader.tags, six=reader.six > reader.four)
    if not days and not problems:
        problems.append(Problem("parse", "a report without rows"))
    made = tuple(_draft(report, day, found, source, *marked) for day, found in sorted(days.items()))
    return Normalized("shadowserver", made, tuple(problems))


def is_row(keys: Iterable[str]) -> bool:
    """Is this a row of a report as the API gives it, or of Microsoft's CTIP?"""
    if abuse_ctip.is_row(keys):
        return True
    return {"timestamp", "ip", "asn", "geo"} <= set(keys) or {"timestamp", "src_ip", "src_asn", "src_geo"} <= set(keys)


def _from_json(listed: list[dict[str, Any]]) -> tuple[list[str], Iterator[list[str]]]:
    """A report as the API gives it: a list of objects, of which some have fields that others lack."""
    header = list(dict.fromkeys(name for row in listed for name in row))
    if not is_row(header):
        raise NormalizeError("not a Shadowserver report: rows without timestamp, ip, asn and geo")
    cells = ([_cell(row.get(name)) for name in header] for row in listed)
    return [name.strip().lower() for name in header], cells


def _cell(value: Any) -> str:
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _text(body: bytes) -> str:
    """UTF-8, or the Western code page that older exports have; both decode every row."""
    plain = body.removeprefix(_BOM)
    try:
        return plain.decode("utf-8")
    except UnicodeDecodeError:
        return plain.decode("cp1252", "replace")


class _Said(NamedTuple):
    """What a row says of a system beside its address, its port and the moment."""

    asn: int | None
    country: str | None
    protocol: str | None
    detail: dict[str, str]


class _Rows:
    """Reads rows into observables by day. Plain loops and caches: a report has up to a million rows."""

    def __init__(self, header: list[str], received_at: datetime, problems: list[Problem], place: str) -> None:
        self.header, self.problems = header, problems
        self._place, self._first = place, 2 if "row" in place else 0
        self.tags: dict[str, int] = {}
        self.four = self.six = 0
        self._day = received_at.astimezone(UTC).date().isoformat()
        # What stands in many rows is read once, and shared: nothing changes it.
        self._moments: dict[str, tuple[datetime | None, str]] = {}
        self._ports: dict[str, int | None] = {}
        self._known: dict[tuple[str, ...], _Said] = {}
        self._event = "src_ip" in header
        start = "src_" if self._event else ""
        at = {name: index for index, name in reversed(list(enumerate(header)))}
        self._time, self._address = at["timestamp"], at[f"{start}ip"]
        asn, geo, protocol = at[f"{start}asn"], at[f"{start}geo"], at.get("protocol")
        self._port = at.get(f"{start}port")
        self._host = at.get("http_host", at.get("host"))
        self._details = [(name, at[name], _HARMLESS) for name in _DETAILS if name in at]
        unknown = (name for name in header if name not in _DETAILS and name != "protocol" and not _THEIRS.search(name))
        self._details += [(_NO_KEY.sub("_", name), at[name], _CLASSES) for name in unknown if name][:_MOST_UNKNOWN]
        self._has_protocol = protocol is not None
        read = [asn, geo, *([] if protocol is None else [protocol]), *(index for _, index, _ in self._details)]
        self._cells = itemgetter(*read)

    def read(self, rows: Iterator[list[str]]) -> dict[str, list[Observable]]:
        """Observables by day (`2026-03-02`, UTC)."""
        days: dict[str, list[Observable]] = {}
        width, number = len(self.header), self._first - 1
        while True:
            number += 1
            try:
                row = next(rows)
            except StopIteration:
                return days
            except csv.Error:
                self._refuse("not readable as CSV", number)
                continue
            if not row:
                continue
            if len(row) < width:
                row += [""] * (width - len(row))
            found = self._observable(row)
            if found is None:
                self._refuse("not an address", number)
                continue
            self._day = self._moments[row[self._time]][1] or self._day
            days.setdefault(self._day, []).append(found)

    def _observable(self, row: list[str]) -> Observable | None:
        kind_value = self._value(row)
        if kind_value is None:
            return None
        cells, stamp = self._cells(row), row[self._time]
        said = self._known.get(cells)
        if said is None:
            said = self._known[cells] = self._said(cells)
        if stamp not in self._moments:
            seen = moment(stamp)
            self._moments[stamp] = seen, seen.date().isoformat() if seen else ""
        port = "" if self._port is None else row[self._port]
        if port not in self._ports:
            self._ports[port] = _number(port, 65535)
        tag = said.detail.get("tag", "")
        self.tags[tag] = self.tags.get(tag, 0) + 1
        return Observable(
            type=kind_value[0],
            value=kind_value[1],
            role="victim",
            asn=said.asn,
            country=said.country,
            port=self._ports[port],
            protocol=said.protocol,
            seen=self._moments[stamp][0],
            detail=said.detail,
        )

    def _said(self, cells: tuple[str, ...]) -> _Said:
        asn, geo, *rest = cells
        protocol = rest.pop(0) if self._has_protocol else ""
        country = geo.upper()
        known = len(country) == 2 and country.isalpha() and country.isascii() and country not in _NO_COUNTRY
        return _Said(
            asn=_number(asn.upper().removeprefix("AS"), 4294967295),
            country=country if known else None,
            protocol=protocol.lower()[:8] or None,
            detail={
                name.removeprefix("src_"): value
                for (name, _, kept), value in zip(self._details, rest, strict=True)
                if kept.fullmatch(value)
            },
        )

    def _value(self, row: list[str]) -> tuple[ObservableType, str] | None:
        """Type and canonical form of the address; None: it is none."""
        text = row[self._address].strip()
        try:
            if ":" in text:
                if "/" in text:
                    return "cidr", str(ip_network(text, strict=False))
                self.six += 1
                return "ipv6", inet_ntop(AF_INET6, inet_pton(AF_INET6, text))
            if "/" in text:
                return "cidr", str(ip_network(text, strict=False))
            if text:
                inet_pton(AF_INET, text)
                self.four += 1
                return "ipv4", text
        except (OSError, ValueError):
            return None
        host = row[self._host].strip().rstrip(".").lower() if self._host is not None else ""
        return ("domain", host) if _DOMAIN.fullmatch(host) else None

    def _refuse(self, reason: str, number: int) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem("parse", reason, f"{self._place}{number}"))
        elif len(self.problems) == _MOST_PROBLEMS:
            self.problems.append(Problem("parse", "more rows could not be read"))


def _number(text: str, most: int) -> int | None:
    """1 to `most`; 0 and whatever is no number are None."""
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        return None
    number = int(text)
    return number if 0 < number <= most else None


def _draft(
    report: Report, day: str, rows: list[Observable], source: Source, label: Label | None, doubts: tuple[str, ...]
) -> Draft:
    evidence = f"report:{report.type}"
    observables = tuple(_with_evidence(row, evidence) for row in rows)
    addresses = len({row.value for row in rows})
    networks = len({row.asn for row in rows if row.asn is not None})
    named = {row.detail["tag"] for row in rows if "tag" in row.detail}
    grave = gravity.of(report.exposure, (row.detail["severity"] for row in rows if "severity" in row.detail))
    facts = Facts(
        tracking=(report.type,),
        cves=tuple(sorted(cves_in(*sorted(named)))),
        observables=observables,
        kans=grave.kans,
        schade=grave.schade,
        exposure=report.exposure,
        exploited=True if report.abused else None,
    )
    many = "address" if addresses == 1 else "addresses"
    return Draft(
        kind="exposure",
        key=f"{report.type}/{day}",
        title=f"{report.words}: {addresses:,} {many}",
        summary=f"{source.name}, report {report.type} of {day}: {addresses:,} {many} in {networks:,} networks (AS).",
        language="en",
        facts=facts,
        label=label,
        doubts=doubts,
        source_time=max((row.seen for row in rows if row.seen is not None), default=None),
    )


def _with_evidence(row: Observable, evidence: str) -> Observable:
    return Observable(
        row.type, row.value, row.role, evidence, row.asn, row.country, row.port, row.protocol, row.seen, row.detail
    )
