"""What a device is known by: numbers, names of machines; and servers, models, products."""

import pytest

from pii_guard.detect import SUSPECT, scan


def found(text: str) -> list[str]:
    return [text[s.start : s.end] for s in scan(text) if s.category == "device" and s.confidence >= SUSPECT]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("SIM 8931 4463 0371 5895 846 ingeruild", "8931 4463 0371 5895 846"),
        ('"iccid":"89310423129172857994"', "89310423129172857994"),
        ('"eid":"89049032864708101861664138547412"', "89049032864708101861664138547412"),
        ("imsi        : 204042059186909", "204042059186909"),
        ("(IMSI 204 08 6921754504)", "204 08 6921754504"),
        ("msisdn;imsi\n31612345678;204041282020567\n", "204041282020567"),
        ("imei=353807303485530", "353807303485530"),
        ("IMSI-nummer 204080123456789", "204080123456789"),
        ("asset nr. IT-2023-0417", "IT-2023-0417"),
        ("Seriennummer: 4CE0460D0G", "4CE0460D0G"),
        ("numéro de série: C39XY1234", "C39XY1234"),
        ("teamviewer id 1 234 567 890", "1 234 567 890"),
        ("host NLAMS-L-00231 infected", "NLAMS-L-00231"),
        ("client hostname WIN10-PJANSEN", "WIN10-PJANSEN"),
        ("IPEI 02344 0566444 2.", "02344 0566444 2"),
        ("Serial of mine DN786BD916, it", "DN786BD916"),
        ("Serienr. thermostaat TH2-88014-KQ", "TH2-88014-KQ"),
        ("Serial number?  PF601878", "PF601878"),
        ("<key>Serial Number</key><string>DX3Q92KAR5Y6</string>", "DX3Q92KAR5Y6"),
        ("his chromebook is 5CD7712JKL, ok", "5CD7712JKL"),
        (r"USBSTOR\Disk&Ven_X\4C5300011950459486&0", "4C5300011950459486"),
        ("uid VSTA-447120-KXPLM, owner x", "VSTA-447120-KXPLM"),
        ("host WS-HR-0131 gemeld", "WS-HR-0131"),
        ("on DESKTOP-7Q2LK1X: logon", "DESKTOP-7Q2LK1X"),
        ("Login OK: [host/LPT-00417", "LPT-00417"),
        ("sein op ZH-SEH-W031.", "ZH-SEH-W031"),
        ("laptop KEVIN-GAMEPC", "KEVIN-GAMEPC"),
        ("of MACBOOK-OF-REINIER, user", "MACBOOK-OF-REINIER"),
        ("at mbp-of-anjali sudo", "mbp-of-anjali"),
        ("zag Pixel-7-Noor weer", "Pixel-7-Noor"),
        ("zag laptop-janneke weer", "laptop-janneke"),
        ("registratie voor thinkpad-kruithof.local", "thinkpad-kruithof.local"),
        ("scan report for karens-ipad.lan", "karens-ipad.lan"),
        ("toestel Ipad-van-Juf-Els", "Ipad-van-Juf-Els"),
        ("naam: iPhone van Wil", "iPhone van Wil"),
        ("met Galaxy S24 van Robin", "Galaxy S24 van Robin"),
        ('"Oma\'s iPad","c6"', "Oma's iPad"),
        ("WorkstationName: 'KALI-PAUL'", "KALI-PAUL"),
        ("Host Name . . . . . . . . : thuispc", "thuispc"),
        ('host="pc-balie-2" doc', "pc-balie-2"),
        ('toestelnaam "Werk Bram G"', "Werk Bram G"),
    ],
)
def test_what_a_device_is_known_by(text: str, value: str) -> None:
    assert found(text) == [value]


@pytest.mark.parametrize("sign", [" of ", " en ", ", "])
def test_more_behind_the_same_word(sign: str) -> None:
    assert found(f"serienummer SB3600-2130441987{sign}SB3600-2130442013 x") == [
        "SB3600-2130441987",
        "SB3600-2130442013",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "zone example: loaded serial 2026111703 and blocklist serial 1732252800",
        "VERIFY OK: serial=4B:7F:1C:9A:44:E0:12:08:66:0D:31:FE",
        "vol serial 5E00-1187",
        "Ticket TAB-145069, dossier WS-26-2219, # id: WIN-TRACK",
        "a phone-based, laptop-sized, tablet-friendly desktop-app in pc-mode",
        "Apple's iPhone, Google's Pixel and a victim's laptop",
        "iPhone-15-Pro, Galaxy-S24-Ultra and Pixel-8-Pro",
        "the Android-agent of galaxy-store",
        "hostname: intra, computer name: srv-db2, host=web01",
        "the serial console of a device with 12345678 bytes",
        "WS-C2960 and PC-98, MAC-48, LPT-1",
        "8912 voorraad, artikel 89-1234",
        "de telefoon van Jan lag op de laptop van Erik",
        'device: "Front lock" fw',
        "SIM-kaart in toestel SM-X210",
    ],
)
def test_what_is_nobodys_device(text: str) -> None:
    assert found(text) == []
