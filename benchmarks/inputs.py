"""Invented documents of every format, the same for the same seed: what the benchmarks read."""

import csv
import io
import random
import uuid
from datetime import timedelta
from typing import Any

import msgspec

from benchmarks.measuring import NOW

_PRODUCTS = ("VPN Gateway", "Mail Server", "Firewall OS", "Backup Agent", "Web Console", "Camera Firmware")
_WORDS = (
    "Een kwaadwillende kan via een speciaal geprepareerd verzoek code uitvoeren op het systeem van het slachtoffer. "
    "Daarvoor moet de kwaadwillende toegang hebben tot de beheerinterface. "
)
_STAMP = "2026-03-01T10:00:00.000Z"


def bundle(count: int, seed: int) -> bytes:
    """A market party's bundle: indicators, malware, relationships, sightings, victims' identities and addresses."""
    rng = random.Random(seed)
    stamp = "2026-03-01T10:00:00.000Z"

    def sdo(kind: str, **values: Any) -> dict[str, Any]:
        common = {
            "type": kind,
            "spec_version": "2.1",
            "id": f"{kind}--{uuid.UUID(int=rng.getrandbits(128), version=4)}",
        }
        return {**common, "created": stamp, "modified": stamp, **values}

    objects: list[dict[str, Any]] = [
        sdo(
            "malware",
            name="ZoutRidder",
            is_family=True,
            malware_types=["ransomware"],
            description="Versleutelt bestanden.",
        ),
        sdo("identity", name="Voorbeeld Metaal BV", identity_class="organization", sectors=["manufacturing"]),
    ]
    while len(objects) < count:
        number = rng.getrandbits(24)
        pattern = rng.choice(
            [
                f"[ipv4-addr:value = '198.51.100.{number % 256}']",
                f"[domain-name:value = 'c2-{number}.example']",
                f"[file:hashes.'SHA-256' = '{rng.getrandbits(256):064x}']",
                f"[url:value = 'http://c2-{number}.example/gate.php']",
            ]
        )
        # Every tenth names somebody: about what market parties' bundles hold, and more than public ones do.
        contact = f"; contact analist{number}@voorbeeld.example" if len(objects) % 20 == 2 else ""
        indicator = sdo(
            "indicator",
            name=f"C2 {number}",
            description=f"Gezien op {number % 28 + 1} maart" + contact,
            indicator_types=["malicious-activity"],
            pattern=pattern,
            pattern_type="stix",
            valid_from=stamp,
        )
        link = sdo(
            "relationship", relationship_type="indicates", source_ref=indicator["id"], target_ref=objects[0]["id"]
        )
        objects += [indicator, link]
    whole = {
        "type": "bundle",
        "id": f"bundle--{uuid.UUID(int=rng.getrandbits(128), version=4)}",
        "objects": objects[:count],
    }
    return msgspec.json.encode(whole)


def report(rows: int, seed: int) -> bytes:
    """A day's report of open RDP over documentation and benchmarking ranges."""
    rng = random.Random(seed)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(
        ["timestamp", "ip", "port", "hostname", "tag", "handshake", "asn", "geo", "region", "city", "rdp_protocol"]
    )
    day = NOW - timedelta(days=seed)
    for _ in range(rows):
        ip = f"198.{rng.choice((18, 19))}.{rng.randrange(256)}.{rng.randrange(256)}"
        stamp = day.strftime("%Y-%m-%d %H:%M:%S")
        writer.writerow([stamp, ip, 3389, "", "rdp", "", 64500 + rng.randrange(12), "NL", "UTRECHT", "UTRECHT", "RDP"])
    return out.getvalue().encode()


def csaf(seed: int) -> bytes:
    """An advisory as NCSC-NL writes them: notes by title, 40 versions of two products, three vulnerabilities."""
    rng = random.Random(seed)
    names = rng.sample(_PRODUCTS, 2)
    branches: list[dict[str, Any]] = []
    identifiers: list[str] = []
    for name in names:
        versions = []
        for patch in range(20):
            identifiers.append(f"CSAFPID-{len(identifiers)}")
            product = {"name": f"vers:unknown/7.{seed % 9}.{patch}", "product_id": identifiers[-1]}
            versions.append({"category": "product_version_range", "name": product["name"], "product": product})
        branches.append({"category": "product_name", "name": name, "branches": versions})
    notes = [{"category": "description", "title": title, "text": _WORDS * 2} for title in ("Feiten", "Interpretaties")]
    notes.append({"category": "description", "title": "Oplossingen", "text": f"Werk bij naar 8.{seed}."})
    notes += [{"category": "general", "title": title, "text": "medium"} for title in ("Kans", "Schade")]
    cves = [f"CVE-2026-{10_000 + 3 * seed + number}" for number in range(3)]
    vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
    score = {"version": "3.1", "vectorString": vector, "baseScore": 7.5, "baseSeverity": "HIGH"}
    whole = {
        "document": {
            "category": "csaf_security_advisory",
            "csaf_version": "2.0",
            "lang": "nl",
            "title": f"Kwetsbaarheden verholpen in {names[0]} en {names[1]}",
            "distribution": {"tlp": {"label": "WHITE"}},
            "publisher": {"category": "coordinator", "name": "Nationaal Cyber Security Centrum"},
            "notes": notes,
            "tracking": {
                "id": f"NCSC-2026-{10_000 + seed}",
                "current_release_date": _STAMP,
                "initial_release_date": _STAMP,
                "status": "final",
                "version": "1.0.0",
            },
        },
        "product_tree": {"branches": [{"category": "vendor", "name": "Voorbeeld", "branches": branches}]},
        "vulnerabilities": [
            {
                "cve": cve,
                "notes": [{"category": "general", "title": "CWE-78", "text": "OS Command Injection"}],
                "product_status": {"known_affected": identifiers},
                "scores": [{"products": identifiers, "cvss_v3": score}],
            }
            for cve in cves
        ],
    }
    return msgspec.json.encode(whole)


def kev(count: int, seed: int) -> bytes:
    """A catalogue."""
    rng = random.Random(seed)
    entries = [
        {
            "cveID": f"CVE-{2010 + seed}-{10_000 + number}",
            "vendorProject": "Voorbeeld",
            "product": rng.choice(_PRODUCTS),
            "vulnerabilityName": f"Voorbeeld vulnerability {seed}/{number}",
            "dateAdded": "2026-02-01",
            "shortDescription": "The product contains a vulnerability that allows an attacker to execute code.",
            "requiredAction": "Apply mitigations per vendor instructions or discontinue use of the product.",
            "dueDate": "2026-02-22",
            "knownRansomwareCampaignUse": "Unknown",
            "notes": "https://voorbeeld.example/advisory ; https://nvd.voorbeeld.example/vuln",
            "cwes": ["CWE-78"],
        }
        for number in range(count)
    ]
    return msgspec.json.encode({"title": "KEV", "catalogVersion": "2026.03.01", "vulnerabilities": entries})


def cve(seed: int) -> bytes:
    """A record with both containers and versions on three branches."""
    versions = [
        {"version": f"{major}.0", "lessThan": f"{major}.{seed % 20}.4", "status": "affected", "versionType": "semver"}
        for major in (5, 6, 7)
    ]
    affected = {"vendor": "Voorbeeld", "product": _PRODUCTS[seed % 6], "versions": versions}
    ssvc = {"type": "ssvc", "content": {"options": [{"Exploitation": "none"}, {"Automatable": "no"}]}}
    whole = {
        "dataType": "CVE_RECORD",
        "dataVersion": "5.1",
        "cveMetadata": {"cveId": f"CVE-2025-{10_000 + seed}", "state": "PUBLISHED", "dateUpdated": _STAMP},
        "containers": {
            "cna": {
                "title": "A vulnerability in an invented product",
                "descriptions": [{"lang": "en", "value": "An attacker can execute code by a prepared request."}],
                "affected": [affected],
                "metrics": [{"cvssV3_1": {"baseScore": 8.1, "version": "3.1"}}],
                "references": [{"url": "https://voorbeeld.example/advisory"}],
                "solutions": [{"lang": "en", "value": f"Update to {seed}.1."}],
            },
            "adp": [{"title": "CISA ADP Vulnrichment", "metrics": [{"other": ssvc}]}],
        },
    }
    return msgspec.json.encode(whole)


def epss(count: int, seed: int) -> bytes:
    """Scores of a day, not of one to come; a later one with each seed."""
    rng = random.Random(seed)
    day = (NOW + timedelta(days=seed - 60)).strftime("%Y-%m-%d")
    rows = (f"CVE-2024-{10_000 + number},{rng.random() ** 6:.5f},{rng.random():.5f}" for number in range(count))
    head = f"#model_version:v2025.03.14,score_date:{day}T00:00:00+0000\ncve,epss,percentile\n"
    return (head + "\n".join(rows) + "\n").encode()


def rss(count: int, seed: int) -> bytes:
    """A feed of news stories."""
    stories = "".join(
        f"<item><title>Aanval {number} op bedrijven in regio {seed} gemeld door onderzoekers</title>"
        f"<link>https://nieuws.example/{seed}/{number}</link><guid>{seed}-{number}</guid>"
        f"<pubDate>Sun, 01 Mar 2026 10:{number % 60:02d}:00 GMT</pubDate>"
        f"<description>&lt;p&gt;{_WORDS}&lt;/p&gt;</description></item>"
        for number in range(count)
    )
    return f'<rss version="2.0"><channel><title>Nieuws</title>{stories}</channel></rss>'.encode()


def xarf(seed: int) -> bytes:
    """A report of log-in attempts (X-ARF 3), each of another host and day."""
    day = (NOW - timedelta(days=1 + seed % 60)).strftime("%Y-%m-%dT08:00:00Z")
    report = {
        "ReportClass": "Activity",
        "ReportType": "LoginAttack",
        "Date": day,
        "SourceIp": f"198.{18 + seed % 2}.{seed // 256 % 256}.{seed % 256}",
        "SourcePort": 54321,
        "DestinationPort": 22,
    }
    reporter = {"ReporterOrg": "Voorbeeld", "ReporterOrgDomain": "voorbeeld.example"}
    contact = {"ReporterOrgEmail": "meldingen@voorbeeld.example"}
    return msgspec.json.encode(
        {"Version": "3", "ReporterInfo": reporter | contact, "Disclosure": True, "Report": report}
    )


def indicators(count: int, seed: int) -> bytes:
    """A table of a market party's indicators."""
    rng = random.Random(seed)
    kinds = (
        lambda: ("ipv4-addr", f"198.51.100.{rng.randrange(256)}"),
        lambda: ("domain-name", f"c2-{rng.getrandbits(24)}.example"),
        lambda: ("sha256", f"{rng.getrandbits(256):064x}"),
    )
    rows = (",".join((*rng.choice(kinds)(), "malicious-activity")) for _ in range(count))
    return ("type,value,indicator_type\n" + "\n".join(rows) + "\n").encode()


def misp(count: int, seed: int) -> bytes:
    """An event whose attributes are mostly for detection."""
    rng = random.Random(seed)

    def attribute(number: int) -> dict[str, Any]:
        kind, value = (("domain", f"c2-{rng.getrandbits(24)}.example"), ("sha256", f"{rng.getrandbits(256):064x}"))[
            number % 2
        ]
        identifier = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        return {"uuid": identifier, "type": kind, "value": value, "to_ids": number % 10 > 0, "timestamp": "1772355600"}

    event = {
        "uuid": str(uuid.UUID(int=rng.getrandbits(128), version=4)),
        "info": f"Aanvallen op een uitgevonden product {seed}",
        "date": "2026-03-01",
        "timestamp": "1772355600",
        "published": True,
        "distribution": "3",
        "Tag": [{"name": "tlp:green"}],
        "Attribute": [attribute(number) for number in range(count)],
    }
    return msgspec.json.encode({"Event": event})
