"""Parts of URLs and paths that name a person, and those that only look so."""

import pytest

from pii_guard.detect import SUSPECT, scan


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("https://x.example/d/prins-w-a/inzage", "prins-w-a"),
        ("https://x.example/t/k-vandersteen-0381", "k-vandersteen-0381"),
        ("https://x.example/dossier/a.t.huisman-1961/x", "a.t.huisman-1961"),
        ("https://x.example/f?ref=d.halloran&term=2", "d.halloran"),
        ("https://x.example/familie-wiegersma", "familie-wiegersma"),
        ("https://x.example/dr-weaver/intake", "dr-weaver"),
        ("https://x.example/@daanhoekstra07", "daanhoekstra07"),
        ("https://x.example/tag/biancatolsma", "biancatolsma"),
        ("https://x.example/dav/files/pgroen/scan.pdf", "pgroen"),
        ("https://x.example/mijn/mverkerk1970/berichten", "mverkerk1970"),
        ("2026-11-18 08:15:44 /zoeken.aspx patient=Huizinga,+Anna&afd=4 INTRA\\x", "Huizinga,+Anna"),
        ("digid-nl[.]example/#naam=r.goossens", "r.goossens"),
        ("|/p/ingrid-zuidema-8814|x", "ingrid-zuidema-8814"),
        ("https://x.example/hr/lindstrom-eva.html", "lindstrom-eva"),
        ("https://x.example/c/sunniva.dahl", "sunniva.dahl"),
        ("https://x.example/s/mrs-edith-cavanagh/front", "mrs-edith-cavanagh"),
    ],
)
def test_who_is_named_is_found(text: str, value: str) -> None:
    found = [text[span.start : span.end] for span in scan(text) if span.confidence >= SUSPECT]
    assert any(value in each for each in found)


@pytest.mark.parametrize(
    "text",
    [
        "https://x.example/familie-en-gezin/regels",
        "https://x.example/familierecht/info",
        "https://x.example/dr-web/download",
        "https://registry.npmjs.org/@types/node",
        "https://unpkg.com/@angular/core@17",
        "https://x.example/share/loonstrook_leeg_v2.0.1.docx",
        "https://x.example/groep/vlinders/2024.html",
        "https://x.example/hepatitis-b/vaccin",
        "https://x.example/blog/how-to-write-code",
        "https://x.example/advies/2026/plan-b",
        "https://x.example/~assets/logo.svg",
        "https://x.example/clients/export",
        "/etc/exports.d/share.exports",
        "/var/lib/dhcp/dhcpd.leases",
        "https://x.example/nieuws/de-jonge-bakker-stopt-ermee",
        "https://x.example/p.gif?e=open",
        "https://x.example/mister-en-co",
        "https://x.example/en/about-us",
        "/usr/lib/systemd/system/ssh.service",
    ],
)
def test_pages_of_nobody_are_left_alone(text: str) -> None:
    assert [text[span.start : span.end] for span in scan(text) if span.category == "url-personal"] == []
