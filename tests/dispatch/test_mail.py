"""Mail as other programs read it, and headers nobody breaks out of."""

import email
import email.policy
from dataclasses import replace
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dispatch import Delivery, DispatchError
from dispatch.mail import MOST, Attachment, Sender, build, message_id
from dispatch.render import Rendered
from tests.dispatch.views import NOW

SENDER = Sender("meldpunt@oktt.example", "Meldpunt Één")
TO = "beveiliging@voorbeeld.example"
RENDERED = Rendered("TLP:CLEAR [VANDAAG] één", "Eén regel.\n\n.punt\nFrom x\n" + "w" * 300 + "\n", "<p>Eén</p>\n", "nl")


def a_delivery(number: int = 1) -> Delivery:
    return Delivery(f"{number:032x}", "alert", "OKTT-2026-0412", 1, "kvk-1", 0, "sending", NOW, NOW)


def a_mail(rendered: Rendered = RENDERED, **more: Any) -> bytes:
    return build(a_delivery(), rendered, **{"sender": SENDER, "recipient": TO, **more})


def read(message: bytes) -> EmailMessage:
    found = email.message_from_bytes(message, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    assert found.defects == []
    assert all(part.defects == [] for part in found.walk())
    return found


def test_a_standard_reader_finds_everything() -> None:
    found = read(a_mail())
    assert found["Subject"] == RENDERED.subject
    assert found["From"].addresses[0].display_name == "Meldpunt Één"
    assert found["From"].addresses[0].addr_spec == SENDER.address
    assert [a.addr_spec for a in found["To"].addresses] == [TO]
    assert found["Date"].datetime == NOW
    assert found["Message-ID"] == f"<{1:032x}@oktt.example>" == message_id(a_delivery().id, SENDER.domain)
    assert (found["Auto-Submitted"], found["In-Reply-To"]) == ("auto-generated", None)
    assert found.get_content_type() == "multipart/alternative"
    text, html = found.iter_parts()
    assert text.get_content().replace("\r\n", "\n") == RENDERED.text
    assert html.get_content().replace("\r\n", "\n") == RENDERED.html
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")


def test_bytes_are_seven_bit_short_lines_and_the_same_each_time() -> None:
    message = a_mail(attachments=(Attachment("a.csv", "text/csv", bytes(range(256)) * 9),))
    assert message == a_mail(attachments=(Attachment("a.csv", "text/csv", bytes(range(256)) * 9),))
    assert message.isascii()
    assert b"\n" not in message.replace(b"\r\n", b"")
    assert max(len(line) for line in message.split(b"\r\n")) <= 78
    other = build(a_delivery(2), RENDERED, sender=SENDER, recipient=TO)
    assert message_id(a_delivery(2).id, SENDER.domain).encode() in other


def test_updates_thread_onto_the_original() -> None:
    found = read(a_mail(original="<1@oktt.example>"))
    assert found["In-Reply-To"] == found["References"] == "<1@oktt.example>"
    with pytest.raises(DispatchError):
        a_mail(original="<1@x>\r\nBcc: a@b.example")


def test_attachments_stand_beside_the_text() -> None:
    files = (
        Attachment("OKTT-1.json", "application/stix+json;version=2.1", b'{"a":"\xc3\xa9"}'),
        Attachment("x\r\nBcc: y.csv", "text/csv; charset=utf-8", b"a,b\r\n"),
    )
    found = read(a_mail(attachments=files))
    assert found.get_content_type() == "multipart/mixed"
    body, stix, table = found.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert (stix.get_filename(), stix.get_content()) == ("OKTT-1.json", files[0].body)
    assert stix.get_content_type() == "application/stix+json"
    assert (table.get_filename(), table.get_payload(decode=True)) == ("x__Bcc__y.csv", files[1].body)
    assert found["Bcc"] is None


@pytest.mark.parametrize("file", [Attachment("a.zip", "application/zip", b""), Attachment("a", "text/x\r\nX: y", b"")])
def test_no_zip_and_no_header_in_a_type(file: Attachment) -> None:
    with pytest.raises(DispatchError):
        a_mail(attachments=(file,))


@given(st.text(max_size=300))
@example("x\r\nBcc: a@b.example\r\n\r\nbody")
@example("TLP:CLEAR =?utf-8?q?x?= " + "w" * 200)
@example("a\u2028b\x85c\x0bd")
def test_no_subject_breaks_out_of_its_header(text: str) -> None:
    found = read(a_mail(replace(RENDERED, subject=f"TLP:CLEAR {text} (OKTT-2026-0412)")))
    assert set(found.keys()) == {
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "MIME-Version",
        "Content-Type",
    }  # fmt: skip
    assert found["Subject"].startswith("TLP:CLEAR")
    assert found["Subject"].endswith("(OKTT-2026-0412)")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n"), max_size=400))
@example("=3D =\n=\n \nFrom x\n.\n")
@example("trailing \t\nspace ")
def test_text_survives(text: str) -> None:
    found = read(a_mail(replace(RENDERED, text=text + "\n", html=f"<p>{text}</p>\n")))
    part, html = found.iter_parts()
    assert part.get_payload(decode=True) == (text + "\n").replace("\n", "\r\n").encode()
    assert html.get_payload(decode=True) == f"<p>{text}</p>\n".replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "address",
    ["", "x", "a@b@c.example", "a b@c.example", "a@c.example\r\nBcc: x@y.example", "<a@c.example>", "é@c.example"],
)
def test_what_is_no_address_is_refused_without_showing_it(address: str) -> None:
    with pytest.raises(DispatchError) as caught:
        a_mail(recipient=address)
    assert address == "" or address not in str(caught.value).replace(a_delivery().id, "")


def test_an_international_domain_is_written_in_ascii() -> None:
    assert b"To: a@xn--voorbeld-y1a.example\r\n" in a_mail(recipient="a@voorbeëld.example")


def test_what_mail_programs_would_clip_is_refused() -> None:
    with pytest.raises(DispatchError, match=a_delivery().id):
        a_mail(replace(RENDERED, html="x" * (MOST + 1)))


def test_a_delivery_id_that_is_none_is_refused() -> None:
    with pytest.raises(DispatchError):
        build(replace(a_delivery(), id="../x>\r\n"), RENDERED, sender=SENDER, recipient=TO)
