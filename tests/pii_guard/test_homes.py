"""Addresses: Dutch in any layout, those of other countries, in records; and what only looks like one."""

import pytest

from pii_guard.detect import SUSPECT, scan


def homes(text: str) -> list[str]:
    return [text[s.start : s.end] for s in scan(text) if s.category == "address" and s.confidence >= SUSPECT]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("woont Zwanebloem 17, 8446 MR Heerenveen", ["Zwanebloem 17", "8446 MR"]),
        ("Lia\tAchter de Kerk 1\t6561 AA\t(x)", ["Achter de Kerk 1", "6561 AA"]),
        ("op De Weide 118, 5492 ZT Sint", ["De Weide 118", "5492 ZT"]),
        ("aan de Van Speykstraat 110-II, 1057 HB Amsterdam", ["Van Speykstraat 110-II, 1057 HB"]),
        ("te 6001 GK Weert, Maaspoort 88.", ["6001 GK Weert, Maaspoort 88"]),
        ("homePostalAddress: Watervlak 6 $ 3214 XN $ Zuidland", ["Watervlak 6", "3214 XN"]),
        ("7,M,3511 AX 12,toeslag", ["3511 AX 12"]),
        ("7,M,3511AX,12,toeslag", ["3511AX,12"]),
        ("x;1013AB 12 hs;", ["1013AB 12 hs"]),
        ("postcode 9726 bk huis 3", ["9726 bk"]),
        ("the zipcode 2312 KD\n", ["2312 KD"]),
        ("op de Grote Markt 7 bus 3, 2000 Antwerpen", ["Grote Markt 7 bus 3, 2000"]),
        ("Tiensevest 61 bus 4, 3000 Leuven", ["Tiensevest 61 bus 4, 3000"]),
        ("Noorderkade 5-7hs Hoorn", ["Noorderkade 5-7hs"]),
        ("Lange Nering 12, Emmeloord", ["Lange Nering 12"]),
        ("of Flat 2, 19 Harbour Parade, CT11 8LN Ramsgate", ["Flat 2, 19 Harbour Parade, CT11 8LN"]),
        ("(27B Mill Rise, Leeds LS6 2PT)", ["27B Mill Rise, Leeds LS6 2PT"]),
        ("9 Oak Street, Springfield, IL 62704", ["9 Oak Street, Springfield, IL 62704"]),
        ("Lindenstraße 9, 10115 Berlin", ["Lindenstraße 9, 10115"]),
        ("wij wonen Am Hang 3, 12345 Berlin.", ["Am Hang 3, 12345"]),
        ("op Dorp 5, 9230 Wetteren", ["Dorp 5, 9230"]),
        ("Eikenlaan, nummer 12 en Lindelaan nr. 4", ["Eikenlaan, nummer 12", "Lindelaan nr. 4"]),
        ("woonadres: De Hoef 3 te Ede", ["De Hoef 3"]),
        ("D-10115 Berlin", ["D-10115"]),
        ("14 Quai de la Loire, 75019 Paris", ["14 Quai de la Loire, 75019"]),
        ("Carrer de la Mar 17, 2º B, 03724 Moraira", ["Carrer de la Mar 17, 2º B, 03724"]),
        ('{"street": "Tulpstraat", "houseNumber": 52}', ["Tulpstraat"]),
        ('"line":["Oosteinde 41-2"],"city":"x"', ["Oosteinde 41-2"]),
        ('"addr":"14 Fairview Strand"', ["14 Fairview Strand"]),
        ("<straatnaam>Achterom</straatnaam>", ["Achterom"]),
        ("ADR;TYPE=HOME:;;Veerdijk 90;Wormer;;1531 MS;NL", ["Veerdijk 90;Wormer;;1531 MS"]),
        (
            "PID|1||7^^^ZH^PI||Ket^Ada||19470822|F|||Beukenhof 41&Beukenhof&41^^Ede^^7552 TK^NL||",
            ["Beukenhof 41&Beukenhof&41^^Ede^^7552 TK"],
        ),
        ("010240=Ket;081110=Wilgenlaan;081120=16;081160=9801 TC", ["Wilgenlaan", "9801 TC"]),
    ],
)
def test_where_somebody_lives(text: str, parts: list[str]) -> None:
    assert homes(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        "Reservering 0900-1700 uur, Herinnering 3e en laatste",
        "Antwoord 200, Wachtwoord 12345 en Toegang 5",
        "During 4–9 Nov and in Weegbrug 2: x",
        "Postcode: 0000 AA is fout",
        "Markt 3, T 0492 - xx",
        "upgrade from Windows 10 1809 EN to 22H2",
        "Office 16 2019 EU",
        "Windows 10, 2019 Server.",
        "Table 5, 1200 units",
        "nummer 12 en nr. 4",
        "test net::addr::parse line 118",
        '"address":"198.51.100.77:8080"'.replace("198.51.100.77", "localhost"),
        '{"line": 118, "street": null, "zip": "archive.7z"}',
        "the AB1 series, HP12 toner, SW1 port 3AB",
        "Deutsche Bank and 3 Deutsche Bank employees",
        "5 Central Park visitors, 20 Data View objects",
        "Stratum 2 servers and Main Ring 7x",
        "firma Van der Straat BV en de Kerkstraat",
    ],
)
def test_what_only_looks_like_an_address(text: str) -> None:
    assert homes(text) == []
