"""Passwords, keys and codes in the ways that sentences and programs tell them, and what only looks so."""

import pytest

from pii_guard.detect import SUSPECT, scan


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Handshake gekraakt in 00:03:12: vogelhuisje22", "vogelhuisje22"),
        ("Of these, one was cracked in 14 s: Voetbal2026", "Voetbal2026"),
        ("I know hondenpoot99 is your password. Send money", "hondenpoot99"),
        ("Ik weet dat hondenpoot99 is je wachtwoord", "hondenpoot99"),
        ('a sticky note "Welkom-Oktober26" on the monitor', "Welkom-Oktober26"),
        ('<param name="password" value="kz7-Rill-Mango"/>', "kz7-Rill-Mango"),
        ('<add key="ApiSecret" value="kz7-Rill-Mango"/>', "kz7-Rill-Mango"),
        ("<keyMaterial>KatOpHetDak7</keyMaterial>", "KatOpHetDak7"),
        ("[08:31 Mijn Bank] pelikan[TAB]Vlinder#77[ENTER]", "Vlinder#77"),
        ("; voicemail.conf\n4411 => 83620,Rob Stuiver,rob@voorbeeld.example", "83620"),
        ("Wi-Fi key tafelPOOT-0612 on the router", "tafelPOOT-0612"),
        ("SIM 1, PUK 48120377", "48120377"),
        ("de schermcode 2019 stond op een sticker", "2019"),
        ("sleutelkluisje bij de deur: 2580", "2580"),
        ("Ik heb de pincode, 0749, aan hem gegeven", "0749"),
        ("BitLocker: 502773-163775-860571-633630-835481-998929-656428-744162", "502773-163775-860571-633630-835481"),
        (
            "https://api.telegram.example/bot8366164659:AALkgIz1Z2gD3dUclMAMwRp7ZAY36dtBjVx/send",
            "8366164659:AALkgIz1Z2g",
        ),
        ("wg0 private key (from config): UfyqhBv9sMWLBY6yEFmwCj6QriRXpQdxYTZop2I6g6m=", "UfyqhBv9sMWLBY6y"),
        ("kill her session a055304e48946a4efe2a70f23a56d2697ea331a0", "a055304e48946a4efe2a70f23a56d2697ea331a0"),
        ("sessie=bec1889a9f84c638b0899717502f5cbf", "bec1889a9f84c638b0899717502f5cbf"),
        ("Cookie seen: remember=738e3ebb4a207aa91b9e3439605faed9", "738e3ebb4a207aa91b9e3439605faed9"),
        ("AppKey 9F3C77A1D0B24E6885C1F0A3D2E4B697", "9F3C77A1D0B24E6885C1F0A3D2E4B697"),
        ("totp seed JBSWXSV4U5CE2Y5U", "JBSWXSV4U5CE2Y5U"),
        ("set passwd ENC X+2RnU/eaAhDHYwz", "X+2RnU/eaAhDHYwz"),
        ("bob (local) – NT 0BE03455A7DA3FB33B565CA507571233", "0BE03455A7DA3FB33B565CA507571233"),
        ("SET PASSWORD = PASSWORD('Zeehond#88')", "Zeehond#88"),
        ("wachtwoord van de balie (r.dewit / Rooster2026-27) lag daar", "Rooster2026-27"),
        ("  salarispakket  rkuipers / Haven2024!!", "Haven2024!!"),
        (" 203.0.113.250:10443:pelikan:Vpn-Meer-2026\n", "Vpn-Meer-2026"),
        ("203.0.113.61 pelikan ; Molen#2019\n", "Molen#2019"),
        ("upd.exe /q /u:pelikan /p:V0orjaar!26 /srv:x", "V0orjaar!26"),
        (
            "(4417,'pelikan@voorbeeld.example','dcb14d7dbcc67f63756cc8d4b076889e',NULL)",
            "dcb14d7dbcc67f63756cc8d4b076889e",
        ),
        ('{"cookie":"logged_in_5e7c=pelikan%7C1763049424%7C77xaTexd"}', "pelikan%7C1763049424%7C77xaTexd"),
        ("https://x.example/inzage?s=dz87f5x95m94uylizcs8zqws6u", "dz87f5x95m94uylizcs8zqws6u"),
    ],
)
def test_told_secrets_are_found(text: str, value: str) -> None:
    found = [text[span.start : span.end] for span in scan(text) if span.confidence >= SUSPECT]
    assert any(value in each for each in found)


@pytest.mark.parametrize(
    "text",
    [
        "pam_unix(passwd:chauthtok): password changed",
        '"sid":"S-1-5-21-3416849865-5640201239"',
        "Use of hard-coded credentials CWE-798 in it",
        "they cracked down on it in 2024: nobody knows",
        "I know that this is your password manager",
        'a post-it "hello" and a sticky note',
        '<param name="timeout" value="120"/>',
        "name[TAB]1250,00[ENTER]",
        "404 => 410, moved",
        "the session was long, session 12 ended",
        "order 123456-123456, lots 1-2-3-4-5-6-7",
        "tested on iPhone14 / Android13, node-14 / v16.0.1, IPv4 / IPv6",
        "203.0.113.61 port: 443 and 203.0.113.62:8080 tcp/8080",
        "remember the token ring and the app key, please",
    ],
)
def test_no_secret_is_left_alone(text: str) -> None:
    found = [text[s.start : s.end] for s in scan(text) if s.category == "credential" and s.confidence >= SUSPECT]
    assert found == []
