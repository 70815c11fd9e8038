"""Mail that came back, as servers of many makes write it; and what nobody can make of it."""

from datetime import timedelta
from email.message import Message

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from dispatch import bounces, contacts
from dispatch.bounces import Bounce
from subscribers import Contact
from tests.dispatch.views import NOW

KEY, BASE, DELIVERY = b"k" * 32, "bounce@oktt.example", "0123456789abcdef" * 2
TO = bounces.address(KEY, DELIVERY, BASE)


def report(action: str, status: str, more: str = "", to: str = TO) -> bytes:
    """RFC 3464, as Postfix, Exchange and Sendmail send it."""
    return (
        f"From: MAILER-DAEMON@mx.voorbeeld.example\r\nTo: {to}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
        'MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nI'm sorry to have to inform you: 5.7.1 is no status here\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.voorbeeld.example\r\n\r\n"
        f"Final-Recipient: rfc822; weg@voorbeeld.example\r\nAction: {action}\r\nStatus: {status}\r\n{more}\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: 5.1.1 Action: failed\r\n\r\nhello\r\n--b--\r\n"
    ).encode()


def words(sender: str, subject: str, text: str, headers: str = "") -> bytes:
    return f"From: {sender}\r\nTo: <{TO.upper()}>\r\nSubject: {subject}\r\n{headers}\r\n{text}\r\n".encode()


QMAIL = (
    "Hi. This is the qmail-send program at mx.voorbeeld.example.\nI'm afraid I wasn't able to deliver your message to "
    "the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<weg@voorbeeld.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
    "--- Below this line is a copy of the message.\n\nReturn-Path: <x@y.example>\nversion 5.7.9\n"
)
EXIM = (
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
    "delivered to one or more of its recipients. This is a permanent error.\n\n  weg@voorbeeld.example\n"
    "    SMTP error from remote mail server after RCPT TO:<weg@voorbeeld.example>:\n    550 no such user\n"
)
LATE = (
    "This message was created automatically by mail delivery software.\nA message that you sent has not yet been "
    "delivered to one or more of its recipients after more than 24 hours.\nDelivery attempts will be retried. 4.4.1\n"
)


@pytest.mark.parametrize(
    ("mail", "found"),
    [
        (report("failed", "5.1.1"), Bounce("returned", "5.1.1")),
        (report("failed", "5.1.10 (bad)"), Bounce("returned", "5.1.10")),
        (report("Failed", "4.4.7"), Bounce("returned", "4.4.7")),
        (report("failed", "", "Diagnostic-Code: smtp; 550 5.7.1 no"), Bounce("returned", "5.7.1")),
        (report("failed", "nonsense"), Bounce("returned", "5.0.0")),
        (report("delayed", "4.4.1"), Bounce("delayed", "4.4.1")),
        (report("delivered", "2.0.0"), None),
        (report("relayed", "2.0.0"), None),
        (words("MAILER-DAEMON@mx.example", "failure notice", QMAIL), Bounce("returned", "5.1.1")),
        (words("Mailer-Daemon@mx.example", "Mail delivery failed", EXIM), Bounce("returned", "5.0.0")),
        (words("x@mx.example", "?", "no number", "X-Failed-Recipients: a@b.example\r\n"), Bounce("returned", "5.0.0")),
        (words("Mailer-Daemon@mx.example", "Warning: message delayed 24 hours", LATE), Bounce("delayed", "4.4.1")),
        (words("postmaster@mx.example", "Onbestelbaar: TLP:CLEAR", "550 5.2.2 vol"), Bounce("returned", "5.2.2")),
        (words("anna@voorbeeld.example", "Afwezig", "5.1.1 550", "Auto-Submitted: auto-replied\r\n"), None),
        (words("postmaster@mx.example", "Uw mail is ontvangen", "Dank. 550 5.1.1"), None),
        (b"", None),
        (b"\xff\x00 nothing\r\n\r\n" * 40, None),
    ],
)  # fmt: skip
def test_what_servers_say(mail: bytes, found: Bounce | None) -> None:
    assert bounces.read(bounces.parsed(mail)) == found


def test_only_our_own_address_names_a_delivery() -> None:
    local, _, domain = TO.partition("@")
    assert len(local) <= 64
    assert domain == "oktt.example"
    for named in (report("failed", "5.1.1"), words("a@b.example", "x", "y")):  # some servers fold it, or write it large
        assert bounces.deliveries_of(KEY, bounces.parsed(named), BASE) == {DELIVERY}
    forged = [
        bounces.address(b"x" * 32, DELIVERY, BASE), f"bounce+{DELIVERY}@oktt.example", "bounce+@oktt.example",
        bounces.address(KEY, DELIVERY, "bounce@elders.example"), "bounce@oktt.example", "bounce+é@oktt.example",
    ]  # fmt: skip
    for address in forged:
        assert bounces.deliveries_of(KEY, bounces.parsed(report("failed", "5.1.1", to=address)), BASE) == set()


@given(st.binary(max_size=300), st.sampled_from([b"", report("failed", "5.1.1"), words("postmaster@x", "x", QMAIL)]))
def test_whatever_comes_is_read_without_a_fault(noise: bytes, mail: bytes) -> None:
    at = len(noise) * len(mail) // 300
    parsed: Message = bounces.parsed(mail[:at] + noise + mail[at:])
    assert bounces.deliveries_of(KEY, parsed, BASE) <= {DELIVERY}
    found = bounces.read(parsed)
    assert found is None or found.status[0] in "45"


WEEK = timedelta(days=7)


@pytest.mark.parametrize(
    ("events", "silence"),
    [
        ([("returned", "5.1.1", 0), ("returned", "5.1.1", 0)], None),
        ([("returned", "5.1.1", 0), ("returned", "5.2.2", 1)], "unreachable"),
        ([("returned", "5.1.1", 0), ("returned", "5.1.1", 1), ("arrived", "", 2)], None),
        ([("returned", "5.7.1", 0), ("returned", "5.7.1", 2)], None),
        ([("returned", "5.7.1", 0), ("returned", "5.2.2", 7)], "unreachable"),
        ([("returned", "5.1.1", -182), ("returned", "5.1.1", -181)], None),
        ([("stopped", "", 0)], "opt-out"),
        ([("returned", "5.1.1", 0), ("returned", "5.1.1", 1), ("stopped", "", 1), ("resumed", "", 2)], "unreachable"),
        ([("stopped", "", 0), ("resumed", "", 1)], None),
    ],
)
def test_when_an_address_is_silent(
    connection: sa.Connection, events: list[tuple[contacts.What, str, int]], silence: str | None
) -> None:
    mark = contacts.mark(KEY, "kvk-1", Contact("email", address="Weg@voorbeeld.example"))
    assert mark == contacts.mark(KEY, "kvk-1", Contact("email", address="weg@voorbeeld.example", digest=("monday",)))
    other = contacts.mark(KEY, "kvk-1", Contact("email", address="terug@voorbeeld.example"))
    for what, status, day in events:
        contacts.note(connection, mark, "kvk-1", what, NOW + timedelta(days=day), status)
    now = NOW + timedelta(days=8) if events[-1][2] >= 0 else NOW
    assert contacts.silent(connection, now, [mark, other]) == ({mark: silence} if silence else {})
    assert contacts.subscribers(connection) == ["kvk-1"]
    alone = contacts.mark(KEY, contacts.ANYBODY, Contact("email", address="Weg@voorbeeld.example"))
    contacts.drop(connection, "kvk-1", [alone], now)
    assert contacts.silent(connection, now) == {alone: "opt-out"}, "a hash of the address alone"
    assert contacts.subscribers(connection) == []
    assert contacts.forget(connection, now + timedelta(days=1)) == 1
