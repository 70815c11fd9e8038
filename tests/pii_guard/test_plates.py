"""Plates: in prose on vehicles, lists, columns and rows; and codes of anything else."""

import pytest

from pii_guard.detect import SUSPECT, scan


def plates(text: str) -> list[str]:
    return [text[s.start : s.end] for s in scan(text) if s.category == "plate" and s.confidence >= SUSPECT]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("someone parked LK-208-Z in my spot", ["LK-208-Z"]),
        ("uit auto S 774 LV gehaald", ["S 774 LV"]),
        ("er staat een busje: vhp-92-b met fietsen", ["vhp-92-b"]),
        ("Engineer: S., van V-418-KB", ["V-418-KB"]),
        ("carLicense: KD-441-P", ["KD-441-P"]),
        ("`KENT.=GR-605-L`", ["GR-605-L"]),
        ("Kentekens: DPL-28-K, F-411-BR en fdx 92 z", ["DPL-28-K", "F-411-BR", "fdx 92 z"]),
        ("kenteken;pas\n36-TNR-5;7\nGX832T;8\n", ["36-TNR-5", "GX832T"]),
        ("camera parkeer\n07:58  RG-415-D  -\n08:03  XS83PN    K0981", ["RG-415-D", "XS83PN"]),
        ("964491047;NL91ABNA0417164300;5SJB71;x", ["5SJB71"]),
        ("d@school.example;NL91ABNA0417164300;36-LBP-8;2026-11-01", ["36-LBP-8"]),
        ("Kennzeichen B-AB 1234 vor dem Haus", ["B-AB 1234"]),
    ],
)
def test_whose_vehicle(text: str, expected: list[str]) -> None:
    assert plates(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "hij bekent. De code AB12CD is fout",
        "de auto kost in 20 de 30 op 12 en rijdt 100 km",
        "onderdeel 12-AB-34, lot GX-832-T en typen 5SJB71",
        "order;5SJB71;NL-36;artikel GX832T",
        "software license plan AB12CD3 and registration of XS83PN1",
        "van versie 12-2026 naar X-12",
    ],
)
def test_what_is_no_plate(text: str) -> None:
    assert plates(text) == []
