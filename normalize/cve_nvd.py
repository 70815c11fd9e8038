"""Answers of the NVD's API 2.0 about CVEs: facts that join the items naming the CVE.

Source: NVD CVE API 2.0 JSON schema (csrc.nist.gov).
"""

from typing import Any

from normalize import Draft, Facts, cve_applicability
from normalize.lenient import Json, Parts, cves_in, moment, web_addresses

_MOST_TEXT = 20_000


def drafts(root: Json, parts: Parts) -> list[Draft]:
    """One `facts` draft a CVE, of an answer or of a CVE by itself."""
    if "vulnerabilities" not in root:
        made = _record(root, "", parts)
        return [made] if made else []
    listed = (
        (parts.object(each, "cve", where), f"{where}/cve") for each, where in parts.objects(root, "vulnerabilities")
    )
    return [made for each, where in listed if (made := _record(each, where, parts))]


def _record(record: Json, path: str, parts: Parts) -> Draft | None:
    cve = next(iter(cves_in(parts.text(record, "id", path))), "")
    if not cve:
        parts.note("a record without a CVE id", f"{path}/id")
        return None
    texts = [
        (parts.text(each, "lang", where), parts.text(each, "value", where)[:_MOST_TEXT])
        for each, where in parts.objects(record, "descriptions", path)
    ]
    remedy = parts.text(record, "cisaRequiredAction", path)
    facts = Facts(
        cves=(cve,),
        affected=tuple(cve_applicability.affected(parts.objects(record, "configurations", path), parts)),
        cvss=_cvss(parts.object(record, "metrics", path)),
        exploited=True if parts.text(record, "cisaExploitAdd", path) else None,
        remedies=(remedy,) if remedy else (),
        withdrawn=parts.text(record, "vulnStatus", path).lower() == "rejected",
    )
    addresses = [parts.text(each, "url", where) for each, where in parts.objects(record, "references", path)]
    return Draft(
        "facts",
        cve,
        parts.text(record, "cisaVulnerabilityName", path) or cve,
        next((text for language, text in texts if language.startswith("en")), ""),
        "en",
        facts,
        references=web_addresses(addresses),
        source_time=moment(record.get("lastModified")) or moment(record.get("published")),
    )


def _cvss(metrics: Json) -> float | None:
    """The highest base score, of whichever version and source."""
    found: list[Any] = [each for listed in metrics.values() if isinstance(listed, list) for each in listed]
    data = [each.get("cvssData") for each in found if isinstance(each, dict)]
    scores = [each.get("baseScore") for each in data if isinstance(each, dict)]
    return max((float(each) for each in scores if isinstance(each, (int, float)) and 0 <= each <= 10), default=None)
