"""Dates of birth: behind a word, below a head, beside who was born; and dates of anything else."""

import pytest

from pii_guard.detect import SUSPECT, scan


def dates(text: str) -> list[str]:
    return [text[each.start : each.end] for each in scan(text) if each.category == "dob" and each.confidence >= SUSPECT]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("geb. 23-XI-1969 te Weert", "23-XI-1969"),
        ("Born: 07 MAR/MRT 1983", "07 MAR/MRT 1983"),
        ("PAX 3 CHD geb 14APR17 ouder mee", "14APR17"),
        ("née le 4 juin 1971", "4 juin 1971"),
        ("fecha de nacimiento: 04-06-1971", "04-06-1971"),
        ('{"birthDate": "1971-06-04"}', "1971-06-04"),
        ("BDAY:19710604", "19710604"),
        ("<bg:geboortedatum>19710604</bg:geboortedatum>", "19710604"),
        ("date of birth and the last payment please\nCustomer: 17-06-1995, thanks", "17-06-1995"),
        ("Mijn zoon (3 februari 2008) belde", "3 februari 2008"),
        ("my mother (Ada Ket, 4 April 1946) called", "4 April 1946"),
        ("Betreft: mw. Z. (*1999-05-30)", "1999-05-30"),
        ("combinatie 111222333 / 14-05-1961 onbekend", "14-05-1961"),
        ("M: 111222333 / 140588 / ja", "140588"),
        ("regel 111222333;Postema;09-09-1970;x", "09-09-1970"),
        ("111222333:19440820:x", "19440820"),
        ("Dhr. Piet Postema, 3-4-1949, 06-12345678", "3-4-1949"),
        ('"Dhr. Piet Postema","07/15/1992","06-12345678"', "07/15/1992"),
        ("MQ1|111222333|19680711|A118", "19680711"),
        ("R 1 mw Nijhuis  17-3-'34  BSN111222333", "17-3-'34"),
    ],
)
def test_a_day_on_which_somebody_was_born(text: str, date: str) -> None:
    assert dates(text) == [date]


def test_two_behind_one_word() -> None:
    assert dates("twee dossiers, geboren 4-2-'53 en 4-12-'53.") == ["4-2-'53", "4-12-'53"]


@pytest.mark.parametrize("head", ["geb_datum", "Geboortedatum", "gebdat", "DOB", "birth_date", "birthDate", "geb.dat."])
@pytest.mark.parametrize("sign", [";", ",", "\t", " | ", "    "])
def test_the_column_below_a_head(head: str, sign: str) -> None:
    lines = [
        ("since", "nr", head, "city"),
        ("2026-01-14", "7", "1971-06-04", "Ede"),
        ("2026-01-15", "8", "04-06-1971", "Oss"),
    ]
    assert dates("\n".join(map(sign.join, lines))) == ["1971-06-04", "04-06-1971"]


@pytest.mark.parametrize(
    "text",
    [
        "<geboortedatum/></geboortedatum>\n2011-11-18 06:55:02,981 WARN",
        "FhirLoader - 31612 Observation, 0 Patient\n2011-10-14 06:12:35 INFO",
        "de naam van de cliënt. Ze zijn op 12-11-2011 gehaald",
        "GET /patient/P-044 tijd=20110119T0314",
        "patient portal release of 3 May 2026",
        "BSN 111222333, in dienst 2011-03-01",
        "naam;bsn;in_dienst\nPostema;111222333;2011-03-01\n",
        "111222333;Postema;2026-03-01;x",
        "It was born in a lab, grew, and left, as a worm of many parts and of no author does in its time, "
        "and all of them said so afterwards\nSeen on 2011-03-01, too",
        "log 111222333 2011-03-01 12:30:11 ok",
        "Piet Postema, 12 May 2011: Analysis of a worm",
        "bsn 111222333 versie 19.80.2010.4",
        "release (3 februari 2008) of the tool, patched 2011-05-03",
        "zijn zoon kreeg 2 versies (2.4.2018.1)",
        "loonheffing 01-01-2011;NL91ABNA0417164300",
    ],
)
def test_dates_of_anything_else(text: str) -> None:
    assert dates(text) == []
