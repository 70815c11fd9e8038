# ruff: noqa: S311, E402 - seeded rows are the same every time; the scripts beside this one are found by path
"""Writes samples/week: `python samples/make.py`. The same bytes every time (tests/app/test_samples.py)."""

import json
import sys
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

import market
import ncsc
import news
import scans
import vulns


def files() -> dict[str, str]:
    """Every file of the week: path under samples/week -> text."""
    made: dict[str, str] = {}
    for day, advisories in ncsc.WEEK.items():
        for advisory in advisories:
            made[f"{day}/ncsc-nl/{advisory.file}"] = _json(ncsc.document(advisory))
    for day, catalog in vulns.KEV.items():
        made[f"{day}/kev/known_exploited_vulnerabilities.json"] = _json(catalog)
    for day, records in vulns.CVE.items():
        for record in records:
            made[f"{day}/cve/{record['cveMetadata']['cveId']}.json"] = _json(record)
    for day, (name, bundle) in market.WEEK.items():
        made[f"{day}/market/{name}"] = _json(bundle())
    for day, pages in news.FILES.items():
        made |= {f"{day}/news/{name}": text for name, text in pages.items()}
    return made | _scans()


def _scans() -> dict[str, str]:
    monday = scans.rdp("2026-03-02", Random(1))
    five_octets = monday[0] | {"ip": "192.0.2.1.7", "timestamp": "2026-03-02 05:59:58"}
    short = '"2026-03-02 05:59:59",198.51.100.9'
    return {
        "1-monday/shadowserver/2026-03-02-scan_rdp-nederland-geo.csv": scans.text(
            scans.RDP, [*monday, five_octets], short
        ),
        "2-tuesday/shadowserver/2026-03-03-scan_smb-nederland-geo.csv": scans.text(
            scans.SMB, scans.smb("2026-03-03", Random(2))
        ),
        "3-wednesday/shadowserver/2026-03-04-scan_exchange-nederland-geo.csv": scans.text(
            scans.EXCHANGE, scans.exchange("2026-03-04", Random(3))
        ),
        "4-thursday/shadowserver/2026-03-05-scan_rdp-nederland-geo.csv": scans.text(
            scans.RDP, scans.rdp_again("2026-03-05", monday, Random(4))
        ),
    }


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def main() -> None:
    """Write them all."""
    for name, text in files().items():
        path = HERE / "week" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
