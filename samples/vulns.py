# ruff: noqa: E501 - prose and tables are data here
"""CISA KEV excerpts and CVE 5 records of the week: real identifiers and formats, the project's own wording."""

from typing import Any

_MITIGATE = (
    "Apply mitigations per vendor instructions or discontinue use of the product if mitigations are unavailable."
)


def _entry(
    cve: str, vendor: str, product: str, what: str, added: str, due: str, cwe: str, *, ransom: bool
) -> dict[str, Any]:
    return {
        "cveID": cve,
        "vendorProject": vendor,
        "product": product,
        "vulnerabilityName": f"{vendor} {product} {what} Vulnerability",
        "dateAdded": added,
        "shortDescription": f"{vendor} {product} contains a vulnerability ({what.lower()}) that attackers have used.",
        "requiredAction": _MITIGATE,
        "dueDate": due,
        "knownRansomwareCampaignUse": "Known" if ransom else "Unknown",
        "notes": f"https://nvd.nist.gov/vuln/detail/{cve}",
        "cwes": [cwe],
    }


_MONDAY = [
    _entry("CVE-2024-21410", "Microsoft", "Exchange Server", "Privilege Escalation", "2026-02-27", "2026-03-20", "CWE-287", ransom=False),
    _entry("CVE-2023-34362", "Progress", "MOVEit Transfer", "SQL Injection", "2026-02-25", "2026-03-18", "CWE-89", ransom=True),
    _entry("CVE-2023-46604", "Apache", "ActiveMQ", "Deserialization of Untrusted Data", "2026-02-24", "2026-03-17", "CWE-502", ransom=True),
    _entry("CVE-2024-4577", "PHP Group", "PHP", "OS Command Injection", "2026-02-23", "2026-03-16", "CWE-78", ransom=True),
]  # fmt: skip
_THURSDAY = [
    _entry("CVE-2024-55591", "Fortinet", "FortiOS and FortiProxy", "Authentication Bypass", "2026-03-05", "2026-03-12", "CWE-288", ransom=True),
    _entry("CVE-2024-3400", "Palo Alto Networks", "PAN-OS", "Command Injection", "2026-03-05", "2026-03-12", "CWE-77", ransom=False),
    _entry("CVE-2025-0282", "Ivanti", "Connect Secure, Policy Secure, and ZTA Gateways", "Stack-Based Buffer Overflow", "2026-03-04", "2026-03-11", "CWE-121", ransom=False),
]  # fmt: skip


def _catalog(version: str, at: str, entries: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "title": "CISA Catalog of Known Exploited Vulnerabilities",
        "catalogVersion": version,
        "dateReleased": at,
        "count": len(entries),
        "vulnerabilities": entries,
    }


KEV = {
    "1-monday": _catalog("2026.03.02", "2026-03-02T16:00:12.4410Z", _MONDAY),
    "4-thursday": _catalog("2026.03.05", "2026-03-05T17:30:45.0121Z", [*_THURSDAY, *_MONDAY]),
}


def _record(
    cve: str,
    at: str,
    title: str,
    text: str,
    affected: list[dict[str, Any]],
    cwe: tuple[str, str],
    score: float,
    vector: str,
) -> dict[str, Any]:
    provider = {"orgId": "00000000-0000-4000-9000-000000000000", "shortName": "sample", "dateUpdated": at}
    return {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": {
            "cveId": cve,
            "assignerOrgId": provider["orgId"],
            "assignerShortName": "sample",
            "state": "PUBLISHED",
            "dateReserved": "2026-01-05T08:00:00.000Z",
            "datePublished": at,
            "dateUpdated": at,
        },
        "containers": {
            "cna": {
                "providerMetadata": provider,
                "title": title,
                "descriptions": [{"lang": "en", "value": text}],
                "affected": affected,
                "problemTypes": [
                    {
                        "descriptions": [
                            {"type": "CWE", "lang": "en", "cweId": cwe[0], "description": f"{cwe[0]} {cwe[1]}"}
                        ]
                    }
                ],
                "metrics": [
                    {
                        "format": "CVSS",
                        "cvssV3_1": {
                            "version": "3.1",
                            "vectorString": f"CVSS:3.1/{vector}",
                            "baseScore": score,
                            "baseSeverity": "CRITICAL",
                        },
                    }
                ],
                "references": [{"url": f"https://nvd.nist.gov/vuln/detail/{cve}"}],
            }
        },
    }


def _affected(vendor: str, product: str, *spans: tuple[str, str, str]) -> dict[str, Any]:
    return {
        "vendor": vendor,
        "product": product,
        "defaultStatus": "unaffected",
        "versions": [
            {"version": low, bound: high, "versionType": "semver", "status": "affected"} for low, bound, high in spans
        ],
    }


CVE: dict[str, tuple[dict[str, Any], ...]] = {
    "2-tuesday": (
        _record(
            "CVE-2024-55591", "2026-03-02T14:09:37.000Z", "Authentication bypass in the Node.js websocket module",
            "An authentication bypass using an alternate path affecting FortiOS 7.0.0 through 7.0.16 and FortiProxy 7.0.0 "
            "through 7.0.19 and 7.2.0 through 7.2.12 allows a remote attacker to gain super-admin privileges.",
            [_affected("Fortinet", "FortiOS", ("7.0.0", "lessThanOrEqual", "7.0.16")),
             _affected("Fortinet", "FortiProxy", ("7.2.0", "lessThanOrEqual", "7.2.12"), ("7.0.0", "lessThanOrEqual", "7.0.19"))],
            ("CWE-288", "Authentication Bypass Using an Alternate Path or Channel"), 9.8, "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
        ),
        _record(
            "CVE-2025-0282", "2026-03-03T09:15:00.000Z", "Stack-based buffer overflow in Ivanti Connect Secure",
            "A stack-based buffer overflow in Ivanti Connect Secure before 22.7R2.5, Policy Secure before 22.7R1.2 and Neurons "
            "for ZTA gateways before 22.7R2.3 allows a remote unauthenticated attacker to run code.",
            [{"vendor": "Ivanti", "product": "Connect Secure", "defaultStatus": "affected",
              "versions": [{"version": "22.7R2.5", "status": "unaffected", "versionType": "custom"}]}],
            ("CWE-121", "Stack-based Buffer Overflow"), 9.0, "AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H",
        ),
    ),
    "4-thursday": (
        _record(
            "CVE-2024-3400", "2026-03-05T07:20:00.000Z", "PAN-OS: command injection in GlobalProtect",
            "A command injection in the GlobalProtect feature of PAN-OS allows an unauthenticated attacker to run code with "
            "root privileges on the firewall.",
            [_affected("Palo Alto Networks", "PAN-OS", ("10.2.0", "lessThan", "10.2.9-h1"), ("11.0.0", "lessThan", "11.0.4-h1"),
                       ("11.1.0", "lessThan", "11.1.2-h3"))],
            ("CWE-77", "Command Injection"), 10.0, "AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
        ),
    ),
}  # fmt: skip
