"""A mail is a container: its attachments are documents, its text only where there is nothing else."""

import base64
import gzip
import io
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import RawDocument, Source, Unreadable
from ingest.archives import Limits
from ingest.files import FilesReader
from ingest.messages import MessageError, Part, is_message, letter, parts

CSV = b"value,type\nevil.example,hostname\n"
SMALL = Limits(max_bytes=100_000, max_unpacked=150_000, max_members=5, max_ratio=50, ratio_floor=2000)


def mail(text: str = "Zie de bijlage.", html: str = "") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Piet Jansen <piet@persoon.example>"
    message["To"] = "lezer@persoon.example"
    message["Subject"] = "Rapport over Jansen"
    message["Message-ID"] = "<1@persoon.example>"
    if text:
        message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message


def attach(message: EmailMessage, content: bytes, name: str = "jansen.csv", kind: str = "text/csv") -> EmailMessage:
    main, _, sub = kind.partition("/")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message


def zipped(**files: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return packed.getvalue()


def read(message: EmailMessage) -> list[Part]:
    return parts(bytes(message))


def test_attachments_are_documents_and_the_text_beside_them_is_not() -> None:
    assert read(attach(attach(mail(), CSV), b"{}", "b.json", "application/json")) == [
        Part("part 2", CSV),
        Part("part 3", b"{}"),
    ]


def test_a_message_with_text_alone_is_the_document() -> None:
    message = mail("Nieuws", "<p>Nieuws</p>")
    assert read(message) == [Part("", bytes(message))]


@pytest.mark.parametrize(
    ("content", "name", "kind"),
    [
        (b"\x89PNG", "logo.png", "image/png"),
        (b"BEGIN:VCALENDAR", "invite.ics", "text/calendar"),
        (b"---", "signature.asc", "application/pgp-signature"),
    ],
)
def test_pictures_and_signatures_are_nothing_to_read(content: bytes, name: str, kind: str) -> None:
    message = attach(mail("Nieuws"), content, name, kind)
    assert read(message) == [Part("", bytes(message))]


def test_a_pdf_is_handed_on_and_the_text_is_read_all_the_same() -> None:
    message = attach(mail("Nieuws"), b"%PDF-1.7 ...", "nieuws.pdf", "application/pdf")
    assert read(message) == [Part("part 2", b"%PDF-1.7 ..."), Part("", bytes(message))]


def test_archives_are_unpacked_and_mails_in_mails_opened() -> None:
    inner = attach(mail(), CSV)
    message = attach(mail(), zipped(a=b"a,b\n", b=b"c,d\n", c=bytes(inner)), "x.zip", "application/zip")
    attach(message, gzip.compress(b"{}"), "x.gz", "application/octet-stream")
    message.add_attachment(attach(mail(), b"[]", "x.json", "application/json"))
    assert read(message) == [
        Part("part 2, file 1 of 3", b"a,b\n"),
        Part("part 2, file 2 of 3", b"c,d\n"),
        Part("part 2.2", CSV),
        Part("part 3", b"{}"),
        Part("part 4.2", b"[]"),
    ]


def test_a_forwarded_newsletter_is_the_document() -> None:
    news = mail("Kritiek lek in X")
    message = mail("Ter info")
    message.add_attachment(news)
    (found,) = read(message)
    assert found.where == "part 2"
    assert letter(found.body).plain.strip() == "Kritiek lek in X"


def test_a_signed_report_is_read_whatever_its_signature() -> None:
    body = (
        b"Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/signed; boundary=s; protocol=\"x\"\n\n--s\n"
        b"Content-Type: multipart/mixed; boundary=m\n\n--m\nContent-Type: text/plain\n\nZie bijlage\n--m\n"
        b"Content-Type: application/zip\nContent-Transfer-Encoding: base64\n\n"
        + base64.encodebytes(zipped(a=CSV))
        + b"\n--m--\n--s\nContent-Type: application/pgp-signature\n\n-----BEGIN\n--s--\n"
    )  # fmt: skip
    assert parts(body) == [Part("part 1.2", CSV)]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"Subject: x\nMIME-Version: 1.0\n\n", "a mail without text or attachments"),
        (
            b"Subject: x\nMIME-Version: 1.0\nContent-Type: application/pkcs7-mime\n\nMII",
            "encrypted, or signed as one block (S/MIME); have it sent plain or multipart/signed",
        ),
        (
            b"From a Mon Mar  2 08:00:00 2026\nSubject: x\nDate: y\n\nx\n\n"
            b"From b Mon Mar  2 08:00:00 2026\nSubject: z\nDate: y\n\nx\n",
            "several mails in one file (mbox); one mail a file",
        ),
        (
            b"Subject: x\nMIME-Version: 1.0\n" + b"Content-Type: multipart/mixed; boundary=a\n\n--a\n" * 300,
            "a mail with more lines or parts than any has",
        ),
        *(
            (
                b"Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n"
                + end
                + (b"--b" + end) * 1001,
                "a mail with more lines or parts than any has",
            )
            for end in (b"\n\n", b"\r\r", b"\r\n\r\n")
        ),
        (
            b"Subject: x\nMIME-Version: 1.0\nContent-Type: text/csv\nContent-Transfer-Encoding: base64\n\nAAAAA\n",
            "an attachment that was damaged on its way (base64)",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(body: bytes, reason: str) -> None:
    assert reason in [part.error for part in parts(body)]


def test_a_mail_that_ends_too_soon_says_so() -> None:
    whole = bytes(attach(mail(), CSV))
    found = parts(whole[: whole.rindex(b"\n--")])
    assert [part.error for part in found] == ["", "a mail that is cut off or damaged; what is there was read"]


def test_all_archives_of_a_mail_share_one_budget() -> None:
    message = mail()
    for number in range(3):
        attach(message, zipped(a=Random(number).randbytes(70_000)), "x.zip", "application/zip")
    found = parts(bytes(message), SMALL)
    assert [len(part.body) for part in found] == [70_000, 70_000, 0]
    assert found[2].error.endswith("; other archives of the mail count too")


def test_more_parts_than_allowed_are_not_read() -> None:
    message = mail()
    for _ in range(9):
        attach(message, CSV)
    found = parts(bytes(message), SMALL)
    assert [part.error for part in found if part.error] == ["a mail of more than 5 parts"]


def test_mails_within_mails_end_somewhere() -> None:
    message = mail("diep")
    for _ in range(12):
        outer = mail("fwd")
        outer.add_attachment(message)
        message = outer
    assert [part.error for part in read(message)] == ["a mail in a mail, deeper than is read"]


def test_no_name_of_the_mail_stands_in_a_position_or_reason() -> None:
    message = attach(attach(mail(), b"", "jansen.csv"), zipped(jansen=b"", b=CSV), "jansen.zip", "application/zip")
    shown = repr([(part.where, part.error) for part in read(message)]).lower()
    assert "jansen" not in shown
    assert "persoon" not in shown


def test_what_a_newsletter_is_made_of() -> None:
    message = mail("Tekst", "<p>Tekst</p>")
    message["Date"] = "Mon, 2 Mar 2026 08:00:00 +0100"
    message["List-Id"] = "<nieuws.voorbeeld.example>"
    message["Content-Language"] = "nl-NL, en"
    found = letter(bytes(message))
    assert (found.subject, found.language, found.listed, found.attached) == ("Rapport over Jansen", "nl", True, False)
    assert (found.plain.strip(), found.html.strip()) == ("Tekst", "<p>Tekst</p>")
    assert not letter(bytes(mail())).listed


def test_lines_and_headers_without_an_end_take_no_time() -> None:
    head = b"From x\nSubject: x\nMIME-Version: 1.0\n"
    (part,) = parts(head + b"\nTekst\n\nFrom " + b"00:00" * 40_000 + b"\n", SMALL)
    assert (part.where, part.error) == ("", "")
    (part,) = parts(head + b"\nTekst\n\nFrom a@b Mon Mar  2 08:00:00 2026\nSubject: y\n\nTekst\n", SMALL)
    assert part.error.startswith("several mails")
    semicolons = b"Content-Type: text/x; n=" + b";" * 8000 + b"\n"
    coded = b'Content-Disposition: attachment; filename="' + b"=?utf-8?q?a?= " * 600 + b'"\n'
    leaf = b"--b\n" + semicolons + coded + b"\n" + CSV
    body = head + b"Content-Type: multipart/mixed; boundary=b\n\n" + leaf * 100 + b"--b--\n"
    assert {(part.body.strip(), part.error) for part in parts(body)} == {(CSV.strip(), "")}


@pytest.mark.parametrize("declared", ["punycode", "idna", "unicode_escape", "raw-unicode-escape"])
def test_what_is_a_charset_to_python_alone_is_none(declared: str) -> None:
    """Punycode takes a second for 100 kB, and four times as long for twice that."""
    text = "a" * 100_000 + "-" + "9aaa" * 20_000 + " \\d"
    head = f"Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset={declared}\n\n"
    assert letter((head + text).encode()).plain == text


@pytest.mark.parametrize("declared", ["iso-8859-1", "us-ascii", "no-such-charset", "utf-8"])
def test_a_wrong_charset_costs_no_letter(declared: str) -> None:
    head = f"Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset={declared}\n\n".encode()
    assert letter(head + "Café".encode("cp1252")).plain == "Café"


def test_files_that_are_mails_are_opened(tmp_path: Path) -> None:
    (tmp_path / "jansen.eml").write_bytes(bytes(attach(mail(), CSV)))
    (tmp_path / "mails.zip").write_bytes(zipped(jansen=bytes(attach(mail(), CSV)), leeg=b"Subject: x\nReceived: y\n\n"))
    source = Source("market", "Market party")
    found = list(FilesReader([tmp_path], source, key=b"k" * 32, clock=lambda: datetime(2026, 3, 2, tzinfo=UTC)).read())
    assert [each.body for each in found if isinstance(each, RawDocument)] == [CSV, CSV]
    assert [each.reason for each in found if isinstance(each, Unreadable)] == ["a mail without text or attachments"]
    assert found[0].origin.endswith(".eml (file 1 of 2), part 2")
    assert "jansen" not in repr([each.origin for each in found])


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"a: b\nc: d\n", b"value,type\nSubject: x\n", b"---\nReported-From: a@b.example\nCategory: abuse\n"],
)
def test_other_text_is_no_mail(body: bytes) -> None:
    assert not is_message(body)


@given(st.binary(max_size=300), st.text(alphabet="-=\n\"';:ab/ ()[]<>@?multiparxed", max_size=120))
def test_any_bytes_give_parts(tail: bytes, header: str) -> None:
    for body in (
        tail,
        b"Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=a\n\n--a\n" + tail,
        b"Subject: x\nContent-Type: " + header.encode() + b"\n\n" + tail,
    ):
        assert parts(body)
        try:
            letter(body)
        except MessageError:
            continue


@pytest.mark.corpus
def test_public_report_mails_give_their_reports(corpus: Path) -> None:
    found = {
        path.name.partition("_")[0][:15]: [(part.where, len(part.body)) for part in parts(path.read_bytes())]
        for path in sorted((corpus / "shadowserver" / "mail").iterdir())
    }
    assert found == {
        "2015-01-01-scan": [("part 2", 2626)],
        "2019-10-15-scan": [("part 2", 421)],
        "Abusehub": [("part 1.2", 501), ("part 1.3", 447)],
        "Blocklistde": [("part 2", 377), ("part 3", 425)],
        "Safe": [("", 822)],
        "Webiron": [("", 3850), ("", 0)],
    }
