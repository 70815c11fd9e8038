"""What changes meaning, and what does not: the table of docs/decisions/011, line by line."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from normalize import Affected, Facts, Kind, Observable, Range
from normalize.identity import meaning
from normalize.ranges import read
from tlp import Label


def affected(versions: str = "<7.2.5", product: str = "FortiOS", **more: Any) -> Affected:
    return Affected("Fortinet", product, versions, **{"ranges": read(versions, product)} | more)


HOST = Observable("domain", "kwaad.example", "attacker", port=443, protocol="tcp")
BASE = Facts(
    tracking=("NCSC-2026-0412",),
    cves=("CVE-2026-0001",),
    affected=(affected(), affected("sommige oudere uitgaven", "FortiProxy")),
    sectors=("SBI:25",),
    countries=("NL",),
    observables=(HOST,),
    kans="medium",
    schade="medium",
    cvss=7.5,
    epss=0.1,
    exploited=False,
    remedies=("Werk bij naar 7.2.5.", "Zet beheer via internet uit."),
)
OLD = BASE.affected[1]
CHANGES: dict[str, dict[str, Any]] = {
    "a product more": {"affected": (*BASE.affected, affected(product="FortiManager"))},
    "a product less": {"affected": BASE.affected[:1]},
    "another range": {"affected": (affected("<7.2.6"), OLD)},
    "the other side of it": {"affected": (affected(">=7.2.5"), OLD)},
    "the bound itself": {"affected": (affected("<=7.2.5"), OLD)},
    "fixed": {"affected": (affected(status="fixed"), OLD)},
    "not affected": {"affected": (affected(status="not-affected"), OLD)},
    "every version": {"affected": (affected("", ranges=(Range(),)), OLD)},
    "an unreadable version in other words": {
        "affected": (BASE.affected[0], affected("alle uitgaven ooit", "FortiProxy"))
    },
    "a sign in what cannot be read": {
        "affected": (BASE.affected[0], affected("> sommige oudere uitgaven", "FortiProxy"))
    },
    "a CVE more": {"cves": ("CVE-2026-0001", "CVE-2026-0002")},
    "no CVE": {"cves": ()},
    "exploited": {"exploited": True},
    "exploitation not said": {"exploited": None},
    "kans": {"kans": "high"},
    "schade": {"schade": "high"},
    "schade not said": {"schade": None},
    "a class of CVSS up": {"cvss": 9.0},
    "a class of CVSS down": {"cvss": 6.9},
    "a version in the remedy": {"remedies": ("Werk bij naar 7.2.6.", BASE.remedies[1])},
    "a sign in the remedy": {"remedies": ("Werk bij naar >7.2.5.", BASE.remedies[1])},
    "a remedy less": {"remedies": BASE.remedies[:1]},
    "an indicator more": {"observables": (HOST, Observable("domain", "erger.example", "attacker"))},
    "no indicator": {"observables": ()},
    "an indicator's role": {"observables": (msgspec.structs.replace(HOST, role="victim"),)},
    "an indicator's port": {"observables": (msgspec.structs.replace(HOST, port=80),)},
    "a sector more": {"sectors": ("SBI:25", "NIS2:energy")},
    "another country": {"countries": ("BE",)},
    "a region": {"regions": ("NL-NB",)},
    "withdrawn": {"withdrawn": True},
    "another exposure": {"exposure": "open-rdp"},
}
SAME: dict[str, dict[str, Any]] = {
    "the order of products": {"affected": BASE.affected[::-1]},
    "the order of remedies": {"remedies": BASE.remedies[::-1]},
    "a product named twice": {"affected": (*BASE.affected, affected())},
    "a range in other words": {"affected": (affected("vers:generic/<7.2.5"), OLD)},
    "a range with a space": {"affected": (affected("< 7.2.5"), OLD)},
    "the case of names": {"affected": (affected(product="FORTIOS"), OLD)},
    "the case of what cannot be read": {
        "affected": (BASE.affected[0], affected("Sommige  oudere uitgaven", "FortiProxy"))
    },
    "the case of a CVE": {"cves": ("cve-2026-0001",)},
    "a score within its class": {"cvss": 8.9},
    "EPSS": {"epss": 0.9},
    "tracking ids and aliases": {"tracking": ("NCSC-2026-0412", "GHSA-abcd-efgh-ijkm")},
    "punctuation of the remedy": {"remedies": ("WERK bij\n naar: 7.2.5", "Zet beheer via internet uit")},
    "a remedy said twice": {"remedies": (*BASE.remedies, "Werk bij naar 7.2.5")},
    "an indicator named twice": {"observables": (HOST, HOST)},
    "when it was seen": {"observables": (msgspec.structs.replace(HOST, seen=datetime(2026, 3, 2, tzinfo=UTC)),)},
    "details of a row": {"observables": (msgspec.structs.replace(HOST, detail={"tag": "x"}, country="NL", asn=64496),)},
    "evidence": {"observables": (msgspec.structs.replace(HOST, evidence="indicates"),)},
}


def meant(kind: Kind = "advisory", label: Label = Label.GREEN, **change: Any) -> str:
    return meaning(kind, label, msgspec.structs.replace(BASE, **change))


@pytest.mark.parametrize("change", CHANGES)
def test_it_changes_meaning(change: str) -> None:
    assert meant(**CHANGES[change]) != meant()


@pytest.mark.parametrize("change", SAME)
def test_it_does_not(change: str) -> None:
    assert msgspec.structs.replace(BASE, **SAME[change]) != BASE, "the case says something"
    assert meant(**SAME[change]) == meant()


def test_label_and_kind_change_it() -> None:
    assert len({meant(label=label) for label in Label}) == len(Label)
    assert meant("news") != meant("advisory")


def test_every_fact_stands_in_the_table() -> None:
    """A fact that is added to Facts has to be decided on."""
    assert {name for change in (CHANGES | SAME).values() for name in change} == set(Facts.__struct_fields__)
