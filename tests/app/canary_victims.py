# ruff: noqa: E501 - tables of documents
"""Victims' values for readers of every class: what each holds, in every format that reports systems, under each regime.

Every value is one organisation's, or nobody's whom we know; `Victim.owner` says whose. It stands where a source reports
it, so that under a basis its owner may have it, and nobody else.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Literal

from pii_guard import Category
from tests.app.canary import Canary, Document

Owner = Literal["metaal", "eiland", "cert", "isp", "niemand"]
OWNERS: dict[Owner, tuple[str, str, str]] = {
    "metaal": ("203.0.113.0", "2001:db8:a1::", "metaal.example"),
    "eiland": ("203.0.113.64", "2001:db8:b0::", "eiland.example"),
    "cert": ("198.51.100.0", "2001:db8:ce::", "achterban.example"),
    "isp": ("192.0.2.10", "2001:db8:15::", ""),
    "niemand": ("192.0.2.128", "2001:db8:0::", "elders.example"),
}
"""Where its addresses start, in a /26 and a /48, and a domain."""
SYSTEM = 64501
"""The network of `isp`, which holds no prefix: it is told because the addresses lie in it."""
SOURCES = {"shadowserver": "wbdwb", "market": "oktt", "nis2": "cbw", "dicht": "no-basis"}
"""Source -> regime. `shadowserver` names none: wbdwb is in force."""
AT = "2026-03-02T08:00:00.000Z"
CLEAR = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"


@dataclass(frozen=True)
class Victim(Canary):
    """A value, whose it is, and under which regime it came in. `sealed`: is it reported as a system or account of
    its owner? Else it stands beside that, where nobody may have it."""

    owner: Owner
    regime: str
    sealed: bool = True


@dataclass
class Victims:
    """Makes values, each one once."""

    planted: list[Victim] = field(default_factory=list)
    source: str = "shadowserver"

    def _add(self, category: Category, value: str, place: str, owner: Owner, *, sealed: bool = True) -> str:
        regime = SOURCES[self.source]
        self.planted.append(Victim(category, value, f"{owner}/{regime}/{place}", owner, regime, sealed))
        return value

    def _next(self, owner: Owner, category: str) -> int:
        """Of two digits: no value is the beginning of another, and would be found in it."""
        return 10 + sum(one.owner == owner and one.category == category for one in self.planted)

    def ipv4(self, owner: Owner, place: str) -> str:
        return self._add("ipv4", str(IPv4Address(OWNERS[owner][0]) + self._next(owner, "ipv4")), place, owner)

    def ipv6(self, owner: Owner, place: str) -> str:
        return self._add(
            "ipv6", str(IPv6Address(OWNERS[owner][1]) + 0xC0DE0010 + self._next(owner, "ipv6")), place, owner
        )

    def email(self, owner: Owner, place: str) -> str:
        number = self._next(owner, "email")
        return self._add("email", f"lek{number}{owner}@{OWNERS[owner][2]}", place, owner)

    def beside(self, category: Category, value: str, place: str) -> str:
        """What no basis covers, or nobody is known to own."""
        return self._add(category, value, place, "niemand", sealed=False)

    def user(self, place: str) -> str:
        return self.beside("username", f"qzwaluw{len(self.planted) + 100}v", place)

    def nobodys(self, category: Category, value: str, place: str) -> str:
        """Reported as a system or account; nobody is known whose it is."""
        return self._add(category, value, place, "niemand")


def documents() -> tuple[list[Document], list[Victim]]:
    """Every document, and every value in them. The same ones every time."""
    victims = Victims()
    made: list[Document] = []
    for source in SOURCES:
        victims.source = source
        made += _of(victims, source)
    return made, victims.planted


def _of(victims: Victims, source: str) -> Iterator[Document]:
    everybody: tuple[Owner, ...] = tuple(OWNERS)
    mailed: tuple[Owner, ...] = tuple(owner for owner in everybody if OWNERS[owner][2])
    yield Document(source, _scan(victims, everybody).encode(), "shadowserver", "2026-03-02-scan_rdp-nederland-geo.csv")
    for owner in everybody[:2]:
        yield _json(source, f"xarf-{owner}.json", "xarf", _spam(victims, owner))
        yield _json(source, f"account-{owner}.json", "xarf", _account(victims, owner))
    yield Document(source, _table(victims, mailed, source).encode(), "csv", f"besmet-{source}.csv")
    yield _json(source, "misp.json", "misp", _event(victims, mailed, source))
    yield _json(source, "stix.json", "stix", _bundle(victims, mailed, source))


def _json(source: str, name: str, kind: str, document: Any) -> Document:
    return Document(source, json.dumps(document, ensure_ascii=False).encode(), kind, name)


def _scan(victims: Victims, owners: tuple[Owner, ...]) -> str:
    rows = ['"timestamp","ip","port","hostname","tag","asn","geo","username"']
    for owner in owners:
        system = SYSTEM if owner == "isp" else 64510
        for address in (victims.ipv4(owner, "scan"), victims.ipv6(owner, "scan")):
            host = f"{victims.user('scan/hostname')}.dsl.example"
            user = victims.user("scan/username")
            rows.append(f'"2026-03-02 01:02:03","{address}",3389,"{host}","rdp",{system},"NL","{user}"')
    return "\n".join(rows) + "\n"


def _xarf(victims: Victims, report: dict[str, Any]) -> dict[str, Any]:
    who = victims.beside("email", f"melder{len(victims.planted) + 100}@bode.example", "xarf/reporter")
    return {
        "Version": "3", "Disclosure": True, "Report": {"Date": AT, **report},
        "ReporterInfo": {"ReporterOrg": "Bode", "ReporterOrgDomain": "bode.example", "ReporterOrgEmail": who,
                         "ReporterContactName": "Bode"},
    }  # fmt: skip


def _spam(victims: Victims, owner: Owner) -> dict[str, Any]:
    return _xarf(victims, {
        "ReportClass": "Activity", "ReportType": "Spam", "SourceIp": victims.ipv4(owner, "xarf"), "SourcePort": 54321,
        "ASN": SYSTEM if owner == "isp" else 64510, "ReporterNotes": f"Meldt {victims.user('xarf/notes')}@persoon.example",
        "SmtpMailFromAddress": victims.beside("email", f"afz{len(victims.planted) + 100}@persoon.example", "xarf/from"),
    })  # fmt: skip


def _account(victims: Victims, owner: Owner) -> dict[str, Any]:
    number = len(victims.planted) + 100
    return _xarf(victims, {
        "ReportClass": "Activity", "ReportType": "PotentiallyCompromisedAccount",
        "AttackerIp": "198.51.100.250", "Account": {
            "AccountEmail": victims.email(owner, "account"), "AccountIdentifier": victims.user("account/login")},
        "PasswordHash": {
            "HashAlgorithm": "bcrypt", "HashValue": victims.beside("credential", f"$2b$12$Qz{number}Welkom", "account")},
    })  # fmt: skip


def _table(victims: Victims, owners: tuple[Owner, ...], source: str) -> str:
    rows = ["value,type,description,category", f"https://kwaad-{source}.example/csv,url,x,c2"]
    for owner in owners:
        number = len(victims.planted) + 100
        note = f"Bel {victims.beside('phone', f'+3161234{number:04d}', 'csv/description')}"
        rows += [f"{victims.ipv4(owner, 'csv')},ipaddress,{note},compromised", f"{victims.ipv6(owner, 'csv')},ipaddress,x,victim",
                 f"{victims.email(owner, 'csv')},email,x,compromised"]  # fmt: skip
    rows.append(f"{victims.nobodys('mac', f'00:00:5e:00:53:{len(victims.planted) % 256:02x}', 'csv')},mac,x,victim")
    return "\n".join(rows) + "\n"


def _event(victims: Victims, owners: tuple[Owner, ...], source: str) -> dict[str, Any]:
    def attribute(kind: str, value: str, **more: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "value": value,
            "category": "Targeting data",
            "to_ids": False,
            "timestamp": "1772438400",
        } | more

    found = [attribute("domain", f"kwaad-{source}.example", category="Network activity", to_ids=True)]
    for owner in owners:
        found += [attribute("ip-src", victims.ipv4(owner, "misp")), attribute("ip-src", victims.ipv6(owner, "misp")),
                  attribute("target-email", victims.email(owner, "misp")), attribute("target-user", victims.user("misp/user"))]  # fmt: skip
    return {"Event": {
        "uuid": f"5be1e65d-8198-497b-bdf5-5ec20b01{list(SOURCES).index(source):04x}", "info": f"Besmette systemen {source}", "date": "2026-03-02",
        "timestamp": "1772438400", "published": True, "distribution": "3", "Orgc": {"name": "CERT Voorbeeld"},
        "Tag": [{"name": "tlp:clear"}], "Attribute": found,
    }}  # fmt: skip


def _bundle(victims: Victims, owners: tuple[Owner, ...], source: str) -> dict[str, Any]:
    def id_(kind: str, number: int) -> str:
        return f"{kind}--00000000-0000-4000-8{list(SOURCES).index(source):03d}-{number:012d}"

    common = {"spec_version": "2.1", "created": AT, "modified": AT, "object_marking_refs": [CLEAR]}
    observables: list[dict[str, Any]] = []
    for owner in owners:
        for kind, value in (("ipv4-addr", victims.ipv4(owner, "stix")), ("ipv6-addr", victims.ipv6(owner, "stix")),
                            ("email-addr", victims.email(owner, "stix"))):  # fmt: skip
            number = len(observables) + 1
            observables.append({"type": kind, "spec_version": "2.1", "id": id_(kind, number), "value": value})
    observables.append({"type": "user-account", "spec_version": "2.1", "id": id_("user-account", 1),
                        "user_id": victims.nobodys("username", f"qzwaluw{len(victims.planted) + 100}v", "stix"), "credential": "geheim"})  # fmt: skip
    malware = {"type": "malware", "id": id_("malware", 1), "name": f"ZOUTVAT {source}", "is_family": True, **common}
    seen = {"type": "observed-data", "id": id_("observed-data", 1), "first_observed": AT, "last_observed": AT,
            "number_observed": 1, "object_refs": [one["id"] for one in observables], **common}  # fmt: skip
    sighting = {"type": "sighting", "id": id_("sighting", 1), "sighting_of_ref": malware["id"],
                "observed_data_refs": [seen["id"]], **common}  # fmt: skip
    patterned = [
        {"type": "indicator", "id": id_("indicator", number), "pattern_type": "stix", "valid_from": AT,
         "pattern": f"[ipv4-addr:value = '{victims.ipv4(owner, 'pattern')}']", "indicator_types": ["compromised"], **common}
        for number, owner in enumerate(owners)
    ]  # fmt: skip
    return {"type": "bundle", "id": id_("bundle", 1), "objects": [*observables, malware, seen, sighting, *patterned]}
