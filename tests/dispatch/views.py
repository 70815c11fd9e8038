"""Views, subscribers and items for the tests of this room. Documentation addresses only (RFC 5737, 3849)."""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from dispatch import View
from filtering import Reason
from normalize import Affected, Observable, Range
from subscribers import Contact, Profile, Subscriber
from tlp import Clearance, Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def a_view(**changes: Any) -> View:
    """An exploited FortiOS advisory of the NCSC, CLEAR."""
    values: dict[str, Any] = {
        "item": "OKTT-2026-0412",
        "version": 1,
        "kind": "advisory",
        "title": "Kwetsbaarheid verholpen in Fortinet FortiOS",
        "summary": "Fortinet heeft een kwetsbaarheid verholpen in FortiOS. Een kwaadwillende op afstand kan zonder "
        "inloggen beheerdersrechten krijgen. Fortinet meldt dat de kwetsbaarheid actief wordt misbruikt.",
        "label": Label.CLEAR,
        "urgency": "today",
        "reader": "kvk-12345678",
        "sources": ("Nationaal Cyber Security Centrum", "CISA KEV"),
        "cves": ("CVE-2024-55591", "CVE-2025-24472"),
        "affected": (
            Affected("Fortinet", "FortiOS", ">=7.0.0|<=7.0.16", (Range(((">=", "7.0.0"), ("<=", "7.0.16"))),)),
            Affected("Fortinet", "FortiProxy", ">=7.2.0|<=7.2.12"),
        ),
        "sectors": (),
        "observables": (),
        "remedies": ("Fortinet heeft updates uitgebracht om de kwetsbaarheid te verhelpen.",),
        "references": ("https://www.ncsc.nl/", "https://fortiguard.fortinet.com/psirt/FG-IR-24-535"),
        "kans": "high",
        "schade": "high",
        "cvss": 9.8,
        "epss": 0.941,
        "exploited": True,
        "exposure": None,
        "withdrawn": False,
        "source_time": NOW - timedelta(minutes=50),
        "received_at": NOW - timedelta(minutes=20),
        "reasons": (Reason("software", "Fortinet FortiOS 7.0.12 in >=7.0.0|<=7.0.16", True),),
        "objects": (),
        "statements": frozenset({"s1"}),
        "language": "nl",
        "grades": ("A", "A"),
    }
    return View(**{**values, **changes})


def an_exposure(rows: int = 3, **changes: Any) -> View:
    """Open RDP at the reader's own addresses, AMBER."""
    seen = datetime(2026, 3, 1, 3, 12, tzinfo=UTC)
    observables = tuple(
        Observable("ipv4", f"192.0.2.{n + 1}", "victim", "report:scan_rdp", 64500, "NL", 3389, "tcp", seen, own=True)
        for n in range(rows)
    )
    values: dict[str, Any] = {
        "item": "OKTT-2026-0431",
        "kind": "exposure",
        "title": "Open RDP",
        "summary": "",
        "label": Label.AMBER,
        "urgency": "this-week",
        "sources": ("Shadowserver",),
        "grades": ("B",),
        "cves": (),
        "affected": (),
        "observables": observables,
        "remedies": (),
        "references": (),
        "kans": None,
        "schade": None,
        "cvss": None,
        "epss": None,
        "exploited": None,
        "exposure": "open-rdp",
        "reasons": (Reason("network", "192.0.2.0/24", True),),
        "others": 40000 - rows,
        "language": "en",
    }
    return a_view(**{**values, **changes})


def a_report(**changes: Any) -> View:
    """A campaign with indicators of attackers, GREEN, in English."""
    values: dict[str, Any] = {
        "item": "OKTT-2026-0433",
        "kind": "report",
        "title": "Ransomware crew <Scarlet> hits Dutch metal firms",
        "summary": "The crew logs in at http://login.example.net/portal and calls back to 198.51.100.7.",
        "label": Label.GREEN,
        "urgency": "info",
        "sources": ("Market party",),
        "grades": ("B",),
        "cves": (),
        "affected": (),
        "observables": (
            Observable("ipv4", "198.51.100.7", "attacker", port=443),
            Observable("domain", "evil.example", "attacker"),
            Observable("url", "https://evil.example/a?b=c", "attacker"),
            Observable("hash", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "attacker"),
        ),
        "remedies": ("Block the addresses.",),
        "references": ("https://evil.example/a?b=c", "https://market.example/report"),
        "kans": None,
        "schade": None,
        "cvss": None,
        "epss": None,
        "exploited": None,
        "reasons": (Reason("sector", "SBI:25.62", True),),
        "language": "en",
    }
    return a_view(**{**values, **changes})


def a_subscriber(
    size: Literal["zzp", "mkb", "large"] = "mkb",
    maturity: Literal["basic", "mature"] = "basic",
    language: Literal["nl", "en"] = "nl",
) -> Subscriber:
    """`Voorbeeld Metaal BV`, by mail, with both digests."""
    return Subscriber(
        "kvk-12345678",
        1,
        "Voorbeeld Metaal BV",
        language,
        Clearance(Label.AMBER),
        Profile(size=size, maturity=maturity),
        (Contact("email", "beveiliging@voorbeeld.example", digest=("monday", "friday")),),
        NOW,
    )
