"""Mailboxes, read from a real Dovecot; and from servers that lie, over real sockets."""

import imaplib
import io
import re
import ssl
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from socket import create_server, socket
from typing import Any

import pytest

from app import returning
from app.service import open_service
from dispatch import Delivery, feedback, ledger
from ingest import Source
from ingest.mailbox import TRIES
from tests.app.instance import copied, initialised
from tests.dispatch.test_bounces import report as returned
from tests.ingest.reading import HASTY, NOW, Pulled, pull, source, whole, words
from tests.ingest.servers import PASSWORD, USER, Dovecot, dovecot, secret_file
from tests.ingest.webserver import Authority

REPORT = b'"timestamp","ip","port","tag"\n"2026-03-02 00:01:25","198.51.100.7",3389,"rdp"\n'
TODAY = datetime.now(UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dovecot]:
    with dovecot(tmp_path_factory.mktemp("imap")) as started:
        yield started


@pytest.fixture
def box(server: Dovecot, request: pytest.FixtureRequest) -> Iterator[imaplib.IMAP4]:
    """Logged in, with a folder of the test's own (its name: `FOLDER`)."""
    context = ssl.create_default_context(cafile=server.ca_file)
    with imaplib.IMAP4_SSL("localhost", server.imaps, ssl_context=context) as opened:
        opened.login(USER, PASSWORD)
        opened.delete("Reports")
        opened.create("Reports")
        yield opened


@pytest.fixture
def reports(server: Dovecot, tmp_path: Path) -> Source:
    return folder(server, tmp_path)


def folder(server: Dovecot, home: Path, path: str = "/Reports", **more: Any) -> Source:
    url = f"imaps://localhost:{server.imaps}{path}"
    return source("imap", url, **{"user": USER, "secret_file": secret_file(home), "ca_file": server.ca_file, **more})


def report(number: int, body: bytes = REPORT) -> bytes:
    """A mail with a zipped CSV, as Shadowserver sends them."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"2026-03-02-scan_rdp-{number}.csv", body + b"%d\n" % number)
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "autoreports@example.net", "cert@example.org", f"Report {number}"
    mail["Message-ID"] = f"<{number}@example.net>"
    mail.set_content("See attached.\n")
    mail.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename=f"{number}.zip")
    return mail.as_bytes().replace(b"\n", b"\r\n")


def add(box: imaplib.IMAP4, message: bytes, at: datetime = TODAY, into: str = "Reports") -> None:
    answer, _ = box.append(into, "", imaplib.Time2Internaldate(at), message)
    assert answer == "OK"


def seen(box: imaplib.IMAP4, into: str = "Reports") -> list[bytes]:
    box.select(into, readonly=True)
    return [line for line in box.uid("FETCH", "1:*", "(FLAGS)")[1] if line]


def test_attachments_come_unpacked_and_nothing_is_marked(box: imaplib.IMAP4, reports: Source) -> None:
    for number in (1, 2):
        add(box, report(number))
    before = seen(box)
    pulled = whole(reports, now=TODAY)
    assert pulled.bodies == [REPORT + b"1\n", REPORT + b"2\n"]
    assert [each.origin for each in pulled.documents] == ["mail 1, part 2", "mail 2, part 2"]
    assert pulled.expected == 2
    assert seen(box) == before
    assert not any(b"Seen" in line for line in before)


def test_only_what_is_new_is_read_again(box: imaplib.IMAP4, reports: Source) -> None:
    add(box, report(1))
    first = whole(reports, now=TODAY)
    assert whole(reports, first.position, TODAY).order[1:] == []
    add(box, report(2))
    second = whole(reports, first.position, TODAY)
    assert second.bodies == [REPORT + b"2\n"]
    assert not set(first.keys) & set(second.keys)


def test_each_position_covers_the_mails_before_it(box: imaplib.IMAP4, reports: Source) -> None:
    for number in range(5):
        add(box, report(number))
    pulled = whole(reports, now=TODAY)
    for taken, position in enumerate(pulled.positions, start=1):
        assert whole(reports, position, TODAY).bodies == pulled.bodies[taken:]


def test_a_folder_that_is_numbered_anew_is_read_again(box: imaplib.IMAP4, reports: Source) -> None:
    add(box, report(1))
    first = whole(reports, now=TODAY)
    box.delete("Reports")
    box.create("Reports")
    add(box, report(1))
    second = whole(reports, first.position, TODAY)
    assert second.keys == first.keys  # the same document: the door takes it once
    assert second.position != first.position


def test_the_first_poll_goes_back_as_far_as_said(box: imaplib.IMAP4, server: Dovecot, tmp_path: Path) -> None:
    add(box, report(1), TODAY - timedelta(days=40))
    add(box, report(2), TODAY - timedelta(days=3))
    assert whole(folder(server, tmp_path), now=TODAY).bodies == [REPORT + b"2\n"]
    assert len(whole(folder(server, tmp_path, since=timedelta(days=60)), now=TODAY).bodies) == 2


def test_a_mail_that_is_too_large_is_not_fetched(box: imaplib.IMAP4, server: Dovecot, tmp_path: Path) -> None:
    add(box, report(1, REPORT * 40_000))  # packs well
    add(box, report(2))
    add(box, b"Subject: x\r\n\r\n" + b"y" * 200_000)
    pulled = whole(folder(server, tmp_path, max_bytes=100_000), now=TODAY)
    assert pulled.bodies == [REPORT + b"2\n"]
    assert [each.origin for each in pulled.refused] == ["mail 1, part 2", "mail 3"]
    assert pulled.refused[1].reason.startswith("larger than")
    assert whole(folder(server, tmp_path), pulled.position, TODAY).documents == []


def test_a_newsletter_is_a_document_itself(box: imaplib.IMAP4, reports: Source) -> None:
    text = b"From: news@example.net\r\nSubject: Week\r\nList-Id: <x.example.net>\r\n\r\nPatch Exchange.\r\n"
    add(box, text)
    (document,) = whole(reports, now=TODAY).documents
    assert document.body == text
    assert document.origin == "mail 1"


def test_folders_with_names_that_are_not_ascii(box: imaplib.IMAP4, server: Dovecot, tmp_path: Path) -> None:
    box.create('"Cafe &AOk-n"')
    add(box, report(7), into='"Cafe &AOk-n"')
    assert whole(folder(server, tmp_path, "/Cafe%20%C3%A9n"), now=TODAY).bodies == [REPORT + b"7\n"]


def test_starttls(box: imaplib.IMAP4, server: Dovecot, tmp_path: Path) -> None:
    add(box, report(1))
    url = f"imap://localhost:{server.imap}/Reports"
    read = source("imap", url, user=USER, secret_file=secret_file(tmp_path), ca_file=server.ca_file)
    assert whole(read, now=TODAY).bodies == [REPORT + b"1\n"]


def test_a_wrong_password_folder_or_authority(
    server: Dovecot, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    other = secret_file(tmp_path, "not-the-password")
    told = words(folder(server, tmp_path, secret_file=other))
    assert "does not accept our credentials: check user and secret_file" in told
    assert "not-the-password" not in told + caplog.text
    assert "no folder of that name" in words(folder(server, tmp_path, "/Nowhere"))
    stranger = tmp_path / "stranger"
    stranger.mkdir()
    assert "TLS certificate is not trusted" in words(folder(server, tmp_path, ca_file=Authority(stranger).file))
    assert "another name" in words(
        source("imap", f"imaps://127.0.0.1:{server.imaps}/", user=USER, ca_file=server.ca_file)
    )


def test_a_server_in_a_private_network(server: Dovecot, tmp_path: Path) -> None:
    """Before anything is said, and whether TLS comes at once or later."""
    for url in (f"imaps://localhost:{server.imaps}/", f"imap://localhost:{server.imap}/"):
        given = source("imap", url, user=USER, secret_file=secret_file(tmp_path), ca_file=server.ca_file, private=())
        assert "has an address in a private network" in words(given)


def test_nobody_listens(server: Dovecot, tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert "refuses the connection" in words(source("imap", f"imaps://localhost:{port}/INBOX"))


Script = Callable[[socket], None]


@contextmanager
def scripted(home: Path, script: Script) -> Iterator[Source]:
    """A TLS server that says what it likes to whoever connects."""
    authority = Authority(home)
    context = authority.context("localhost")
    with create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError), context.wrap_socket(listening.accept()[0], server_side=True) as connected:
                connected.settimeout(60)
                script(connected)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"imaps://localhost:{listening.getsockname()[1]}/INBOX"
        yield source("imap", url, user=USER, secret_file=secret_file(home), ca_file=authority.file, max_bytes=1 << 20)
    thread.join(60)


def imap(**answers: bytes) -> Script:
    """A server that says these things, by command (`search`, `sizes`, `body`), and else what it should."""

    def script(client: socket) -> None:
        lines = client.makefile("rb")
        client.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
        for line in lines:
            tag, _, command = line.strip().partition(b" ")
            name = {
                b"AUTHENTICATE": "login", b"EXAMINE": "examine", b"UID SEARCH": "search", b"CAPABILITY": "capability",
            }.get(command.partition(b" ")[0] if command[:3] != b"UID" else command[:10], "")  # fmt: skip
            name = "sizes" if b"SIZE" in command else "body" if b"BODY" in command else name
            if name == "login":
                client.sendall(b"+ \r\n")
                lines.readline()
            usual = {
                "capability": b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n",
                "examine": b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n",
                "search": b"* SEARCH 1\r\n",
                "sizes": b"* 1 FETCH (UID 1 RFC822.SIZE 30)\r\n",
                "body": b"* 1 FETCH (UID 1 BODY[] {29}\r\nSubject: x\r\nTo: y\r\n\r\nhello ab)\r\n",
            }
            client.sendall(answers.get(name, usual.get(name, b"")))
            if (no := f"{name}_says") in answers:
                client.sendall(tag + answers[no])
            elif answers.get(name, b" ").endswith(b"\n") or name not in answers:
                client.sendall(tag + b" OK done\r\n")
            else:
                return

    return script


def test_the_scripted_server_serves_as_it_should(tmp_path: Path) -> None:
    with scripted(tmp_path, imap()) as read:
        (document,) = whole(read).documents
    assert document.body == b"Subject: x\r\nTo: y\r\n\r\nhello ab"


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"body": b"* 1 FETCH (UID 1 BODY[] {99999999999}\r\n" + b"x" * 3_000_000}, "broke off|not IMAP"),
        ({"body": b"* 1 FETCH (UID 1 BODY[] {30}\r\nhalf"}, "broke off"),
        ({"search": b"* SEARCH " + b"1 " * 20_000_000 + b"\r\n"}, "broke off|not IMAP"),
        ({"search": b"* SEARCH one two\r\n"}, "not IMAP"),
        ({"search": (b"* X " + b"x" * 10_000 + b"\r\n") * 4000}, "broke off|not IMAP"),
        ({"examine": b"* 1 EXISTS\r\n"}, "UIDVALIDITY"),
        ({"capability": b"\x00\xff" * 500}, "broke off|not IMAP"),
        ({"sizes": b"* 1 FETCH (UID 1 RFC822.SIZE "}, "broke off|not IMAP"),
    ],
    ids=["announces 93 GiB", "dies half-way", "endless list", "no numbers", "floods", "no UIDVALIDITY", "noise", "cut"],
)
def test_servers_that_lie_or_die(tmp_path: Path, answers: dict[str, bytes], told: str) -> None:
    with scripted(tmp_path, imap(**answers)) as read:
        pulled = pull(read)
    assert pulled.documents == []
    assert all('"again":[1]' in each for each in pulled.positions)
    assert re.search(told, str(pulled.error))


def test_a_server_that_hangs_or_drips(tmp_path: Path) -> None:
    def silent(client: socket) -> None:
        client.sendall(b"* OK hold on\r\n")
        with suppress(OSError):
            client.recv(1000)
            client.recv(1000)  # until they give up

    def drips(client: socket) -> None:
        with suppress(OSError):
            while True:
                client.sendall(b"*")
                threading.Event().wait(0.2)

    for number, script in enumerate((silent, drips)):
        home = tmp_path / str(number)
        home.mkdir()
        with scripted(home, script) as read:
            pulled = pull(read, bounds=HASTY)
        assert "took too long" in str(pulled.error)


def test_uids_that_cannot_be_do_not_move_the_position(tmp_path: Path) -> None:
    with scripted(tmp_path, imap(search=b"* SEARCH 1 18446744073709551615\r\n")) as read:
        assert '"uid":1' in whole(read).position


def test_a_server_that_says_no_to_a_search_loses_nothing(tmp_path: Path) -> None:
    no = {"search_says": b" NO [SERVERBUG] Internal error\r\n", "search": b""}
    with scripted(tmp_path, imap(**no)) as read:
        pulled = pull(read)
    assert "its server says no to SEARCH" in str(pulled.error)
    assert (pulled.documents, pulled.positions) == ([], [])


@pytest.mark.parametrize("name", ["sizes", "body"])
def test_a_server_that_says_no_to_a_mail_loses_nothing(tmp_path: Path, name: str) -> None:
    no = {f"{name}_says": b" NO [SERVERBUG] Internal error\r\n", name: b""}
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir(), second.mkdir()
    with scripted(first, imap(**no)) as read:
        pulled = whole(read)
    assert [each.origin for each in pulled.refused] == ["mail 1"]
    assert "says no" in pulled.refused[0].reason
    with scripted(second, imap()) as read:
        assert len(whole(read, pulled.position).documents) == 1


def broken(server: Dovecot, uid: int) -> Path:
    """A mail of Reports that Dovecot knows and cannot read."""
    listed = (server.mails / ".Reports" / "dovecot-uidlist").read_text()
    name = re.search(rf"^{uid} [^:]*:(.*)$", listed, re.MULTILINE)
    assert name
    (file,) = (each for folder in ("new", "cur") for each in (server.mails / ".Reports" / folder).glob(f"{name[1]}*"))
    file.chmod(0)
    return file


def test_a_mail_that_cannot_be_read_costs_itself_alone(box: imaplib.IMAP4, server: Dovecot, reports: Source) -> None:
    for number in range(1, 5):
        add(box, report(number))
    seen(box)
    file = broken(server, 2)
    first = pull(reports, now=TODAY)
    taken = {each.body for each in first.documents}
    refused = {each.origin for each in first.refused}
    add(box, report(5))
    second = pull(reports, first.position, TODAY)
    taken |= {each.body for each in second.documents}
    assert taken == {REPORT + b"%d\n" % number for number in (1, 3, 4, 5)}
    assert refused | {each.origin for each in second.refused} <= {"mail 2"}
    file.chmod(0o644)
    third = whole(reports, second.position, TODAY)
    assert third.bodies == [REPORT + b"2\n"]
    assert whole(reports, third.position, TODAY).order[1:] == []


class Choosy:
    """A mailbox that never gives some of its mails; `uids`: those that there are."""

    def __init__(self, home: Path, never: set[int]) -> None:
        self.home, self.never, self.uids, self.position = home, never, list[int](), ""
        self.polls = 0

    def poll(self, *more: int) -> Pulled:
        self.uids += more
        self.polls += 1
        (home := self.home / str(self.polls)).mkdir()
        with scripted(home, self.script) as read:
            pulled = pull(read, self.position)
        self.position = pulled.position or self.position
        return pulled

    def script(self, client: socket) -> None:
        lines = client.makefile("rb")
        client.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
        for line in lines:
            tag, _, command = line.strip().partition(b" ")
            wanted = [int(each) for each in re.findall(rb"\d+", command.partition(b" (")[0])]
            says, answer = b"OK done", b""
            if command.startswith(b"AUTHENTICATE"):
                client.sendall(b"+ \r\n")
                lines.readline()
            elif command.startswith(b"CAPABILITY"):
                answer = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"
            elif command.startswith(b"EXAMINE"):
                answer = b"* 1 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n"
            elif command.startswith(b"UID SEARCH"):
                answer = b"* SEARCH" + b"".join(b" %d" % uid for uid in self.uids) + b"\r\n"
            elif b"SIZE" in command:
                answer = b"".join(b"* %d FETCH (UID %d RFC822.SIZE 30)\r\n" % (u, u) for u in wanted if u in self.uids)
            elif b"BODY" in command:
                (uid,) = wanted
                answer = b"* %d FETCH (UID %d BODY[] {16}\r\nSubject: x\r\n\r\n%02d)\r\n" % (uid, uid, uid)
                if uid in self.never:
                    says = b"NO [SERVERBUG] Internal error"  # after it gave something, which is not the next mail's
            client.sendall(answer + tag + b" " + says + b"\r\n")


def test_a_mail_that_is_never_given_is_passed_over_in_words(tmp_path: Path) -> None:
    box = Choosy(tmp_path, {2})
    first = box.poll(1, 2, 3)
    assert [each.body[-2:] for each in first.documents] == [b"01", b"03"]
    assert [each.reason for each in first.refused] == [
        "its server says no when it is asked for it; it is asked for again"
    ]
    for _ in range(3):  # nothing else is given: perhaps it is the source
        assert [each.reason for each in box.poll().refused] == [first.refused[0].reason]
    for uid in range(4, 3 + TRIES):
        told = box.poll(uid)
        assert [each.body[-2:] for each in told.documents] == [b"%02d" % uid]
        assert told.error is None
    assert [each.reason for each in told.refused] == [
        first.refused[0].reason,
        "not given in 10 polls: passed over; look in the mailbox",
    ]
    assert box.poll().order[1:] == []


def test_a_mailbox_that_gives_nothing_loses_nothing(tmp_path: Path) -> None:
    """However long that takes: once it gives again, all comes."""
    box = Choosy(tmp_path, set(range(1, 21)))
    box.poll(*range(1, 11))
    for _ in range(TRIES + 2):
        box.poll()
    assert "does not give its mails" in str(box.poll(*range(11, 16)).error)
    box.never = set()
    taken = set[bytes]()
    for _ in range(5):
        taken |= {each.body[-2:] for each in box.poll().documents}
    assert taken == {b"%02d" % uid for uid in range(1, 16)}


def test_what_breaks_off_at_a_mail_keeps_no_newer_out(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.mkdir(), second.mkdir()
    with scripted(first, imap(body=b"* 1 FETCH (UID 1 BODY[] {30}\r\nhalf")) as read:
        pulled = pull(read)
    assert "broke off" in str(pulled.error)
    two = {
        "search": b"* SEARCH 2\r\n",
        "sizes": b"* 1 FETCH (UID 1 RFC822.SIZE 30)\r\n* 2 FETCH (UID 2 RFC822.SIZE 30)\r\n",
    }
    with scripted(second, imap(**two)) as read:
        assert [each.origin for each in whole(read, pulled.position).documents] == ["mail 2", "mail 1"]


def test_a_mail_that_is_listed_and_not_given_is_asked_for_again(tmp_path: Path) -> None:
    two = {"search": b"* SEARCH 1 2\r\n", "sizes": b"* 1 FETCH (UID 1 RFC822.SIZE 30)\r\n"}
    first, second, third = (tmp_path / str(number) for number in range(3))
    for each in (first, second, third):
        each.mkdir()
    with scripted(first, imap(body=b"* 1 FETCH (UID 1 BODY[] NIL)\r\n", **two)) as read:
        refused = whole(read)
    assert [each.reason for each in refused.refused] == ["it is listed, and not given; it is asked for again"]
    with scripted(second, imap()) as read:
        found = whole(read, refused.position)
    assert len(found.documents) == 1
    with scripted(third, imap()) as read:
        assert whole(read, found.position).order[1:] == []


def test_a_mail_as_a_quoted_string(tmp_path: Path) -> None:
    with scripted(tmp_path, imap(body=b'* 1 FETCH (UID 1 BODY[] "Patch \\"x\\" \\\\")\r\n')) as read:
        assert whole(read).bodies == [b'Patch "x" \\']


def test_no_tls_no_reading(tmp_path: Path) -> None:
    said: list[bytes] = []

    def plain(client: socket) -> None:
        client.sendall(b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\r\n")
        for line in client.makefile("rb"):
            said.append(line)
            client.sendall(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n" + line.split()[0] + b" OK done\r\n")

    with create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                plain(listening.accept()[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        url = f"imap://localhost:{listening.getsockname()[1]}/INBOX"
        told = words(source("imap", url, user=USER, secret_file=secret_file(tmp_path)))
        thread.join(60)
    assert "offers no TLS" in told
    assert all(b"CAPABILITY" in line or b"LOGOUT" in line for line in said)


@pytest.mark.corpus
def test_real_report_mails(corpus: Path, box: imaplib.IMAP4, reports: Source) -> None:
    mails = sorted((corpus / "shadowserver" / "mail").glob("*.eml"))
    for file in mails:
        add(box, file.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    pulled = whole(reports, now=TODAY)
    assert len(pulled.positions) == len(mails)
    signed = [each for each in pulled.documents if each.origin in ("mail 1, part 2", "mail 2, part 2")]
    assert [each.body.startswith(b'"timestamp","ip"') for each in signed] == [True, True]
    assert len(pulled.documents) >= len(mails)


def test_the_clock_is_the_service_s(box: imaplib.IMAP4, reports: Source) -> None:
    add(box, report(1))
    (document,) = whole(reports, now=TODAY).documents
    assert document.received_at == TODAY
    assert NOW < TODAY


def test_mail_of_our_own_that_came_back_is_read_from_a_mailbox(
    box: imaplib.IMAP4, server: Dovecot, tmp_path: Path
) -> None:
    """app.returning, here since this is where there is a mailbox: once each, and only what has our token."""
    house = copied(initialised(), tmp_path / "house")
    secret_file(tmp_path).rename(house / "bounces.password")
    url = f"imaps://localhost:{server.imaps}/Reports"
    table = f'[bounces]\naddress = "bounce@oktt.example"\nurl = "{url}"\nuser = "{USER}"\nprivate = true\n'
    more = f'secret_file = "bounces.password"\nca_file = "{server.ca_file}"\n'
    (house / "oktt.toml").write_text(table + more)
    service = open_service(house)
    service.clock = lambda: TODAY
    with service.transaction() as connection:
        delivery = Delivery("0" * 32, "alert", "OKTT-2026-0001", 1, "kvk-1", 0, "sent", TODAY, TODAY)
        ledger.record(
            connection, delivery, "sent", "smtp-250", TODAY, label=None, view=None, digest=None, message_id=None
        )
    to = returning.address_for(service, delivery.id)
    assert to is not None
    add(box, returned("failed", "5.1.1", to=to))
    add(box, returned("failed", "5.1.1", to="bounce+forged@oktt.example"))
    assert returning.read(service) == {"returned": 1, "not understood": 1}
    assert returning.read(service) == {}, "not due"
    service.clock = lambda: TODAY + timedelta(minutes=6)
    add(box, returned("failed", "5.7.1", to=to))
    assert returning.read(service) == {"known": 1}
    with service.reading() as connection:
        (told,) = feedback.outcomes(connection, TODAY - timedelta(days=1))
        assert not told.delivered
    service.close()
