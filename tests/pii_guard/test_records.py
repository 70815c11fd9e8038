"""What the places of known formats say: names (suspicions), births and addresses without a word of ours."""

import pytest

from pii_guard.detect import scan
from tests.pii_guard.test_births import dates


def names(text: str) -> list[str]:
    return [text[each.start : each.end] for each in scan(text) if each.category == "name"]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("PID|1||7^^^ZH^PI||Ket^Ada^^^mw.||20210630|F|||Laan 4^^Ede", "20210630"),
        ("IN1|1||3|||||||||||||Ket^Ada|SELF|19470822|x", "19470822"),
        ("<v>010120=7;010310=19720512</v>", "19720512"),
        ("01.03.10: 19720512", "19720512"),
        ("(0010,0030) DA [19580711]", "19580711"),
        ("I<NLDX1\n5503141F2806172NLD<<<<<<<<<<<8", "550314"),
        ("X12345678ANLD5503141F2806172<<<<<<<<<<<<<<04", "550314"),
    ],
)
def test_births(text: str, date: str) -> None:
    assert dates(text) == [date]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("PID|1||7^^^ZH^PI||Ket&&Ket^Ada^^^mw.||20210630|F", "Ket&&Ket^Ada^^^mw."),
        ("NK1|1|Ket^Bo^^^||Laan 4", "Ket^Bo"),
        ("010240=Ploegstra;010310=19720512", "Ploegstra"),
        ("(0010,0010) PN [Veenstra^Klaas]", "Veenstra^Klaas"),
        ("VAN<DER<PLAATS<<GRIETJE<<<<<<<<", "VAN<DER<PLAATS<<GRIETJE"),
        ("P<NLDKET<<ADA<BO<<<<<<<", "KET<<ADA<BO"),
        (":86:/IBAN/X/NAME/F. Achterberg/REMI/borg", "F. Achterberg"),
        (":50K:/NL90INGB4236603186\nLENSINK R\nLAAN 4", "LENSINK R"),
    ],
)
def test_names_are_suspected(text: str, name: str) -> None:
    assert name in names(text)


@pytest.mark.parametrize(
    "text",
    [
        "cat <<EOF\nint a = b<<2; x<<y\nEOF",
        "/NAME/STADSENERGIE BV/REMI/x",
        "OBX|1|NM|21^^^||7|mmol",
        "order 010240-2, code 081110 en 01.03.10.2",
        "(0010,0020) LO [805]",
    ],
)
def test_what_is_no_record_of_a_person(text: str) -> None:
    assert (names(text), dates(text)) == ([], [])
