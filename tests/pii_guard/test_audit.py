"""The register against whoever can write to the database: any row or field, changed, removed, swapped, added or cut."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import assume, given
from hypothesis import strategies as st

from pii_guard import audit, journal
from pii_guard.journal import Entry
from pii_guard.marks import Heap
from pii_guard.subjects import subjects
from pii_guard.vault import Vault
from tests.conftest import program
from tests.pii_guard.held import Held

KEY = b"register key" * 3
VAULT = Vault(Held())
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
HASHES = [bytes([n]) * 16 for n in range(8)]
LAST = 7
table = journal.journal


def heap(*hashes: bytes, rule: str = "wbdwb.network-victim") -> Heap:
    return Heap("wbdwb", "ipv4", "own", rule, b"".join(hashes), "shadowserver", "2026-03")


def fill(connection: sa.Connection) -> None:
    """Six entries, two with hashes beside them; one hash and with it a detail erased, which the seventh says."""
    entries = [Entry("admitted", f"s{n}", {"regime": "wbdwb", "n": n}) for n in range(4)]
    entries.append(Entry("admitted", "s4", {"regime": "wbdwb", "values": 2}, (heap(*HASHES[:3]), heap(*HASHES[3:5]))))
    entries.append(Entry("admitted", "s5", {"regime": "wbdwb", "values": 1}, (heap(HASHES[5]),)))
    journal.append(connection, entries[:3], key=KEY, at=AT)
    journal.append(connection, entries[3:], key=KEY, at=AT + timedelta(hours=1), vault=VAULT)
    journal.forget(connection, [HASHES[5]], Entry("erased", "subject"), vault=VAULT, key=KEY, at=AT + timedelta(days=1))


@contextmanager
def register() -> Iterator[sa.Connection]:
    engine = sa.create_engine("sqlite://")
    with engine.begin() as connection:
        for each in (table, subjects):
            each.create(connection)
        fill(connection)
        yield connection
    engine.dispose()


def verified(connection: sa.Connection, head: bytes | None = None) -> audit.Report:
    return audit.verify(connection, key=KEY, head=head)


def at(seq: int) -> sa.ColumnElement[bool]:
    return table.c.seq == seq


def test_as_it_was_written_it_is_whole() -> None:
    with register() as connection:
        report = verified(connection, audit.head(connection, key=KEY).text)
        assert report == audit.Report(True, LAST, erased=1, values=5)


OTHER: dict[str, Any] = {
    "at": AT + timedelta(days=9),
    "what": "refused",
    "subject": "other",
    "detail": b'{"regime":"wbdwb","n":77}',
    "salt": bytes(16),
    "commitment": "e" * 64,
    "prev": "f" * 64,
    "hash": "d" * 64,
}


@given(st.integers(1, LAST), st.sampled_from(sorted(OTHER)))
def test_any_field_that_was_changed_is_found_in_its_row(seq: int, column: str) -> None:
    assume((seq, column) not in {(6, "detail"), (6, "salt")})  # erased: half of it back is the next test's
    with register() as connection:
        connection.execute(sa.update(table).where(at(seq)).values({column: OTHER[column]}))
        assert verified(connection).broken_at == seq


@pytest.mark.parametrize("column", ["detail", "salt"])
def test_what_was_erased_cannot_be_written_anew(column: str) -> None:
    with register() as connection:
        connection.execute(sa.update(table).where(at(6)).values({column: OTHER[column]}))
        assert verified(connection).broken_at == 6
        connection.execute(sa.update(table).where(at(6)).values(detail=OTHER["detail"], salt=OTHER["salt"]))
        assert verified(connection).broken_at == 6


@given(st.integers(1, LAST))
def test_a_row_that_was_removed_is_missed(seq: int) -> None:
    with register() as connection:
        kept = audit.head(connection, key=KEY).text
        connection.execute(sa.delete(table).where(at(seq)))
        report = verified(connection, kept)
        assert (report.ok, report.broken_at) == (False, seq if seq == LAST else seq + 1)
        assert report.truncated is (seq == LAST)


@given(st.integers(1, LAST - 1))
def test_a_cut_off_end_is_missed_by_the_head(left: int) -> None:
    with register() as connection:
        kept = audit.head(connection, key=KEY).text
        connection.execute(sa.delete(table).where(table.c.seq > left))
        report = verified(connection, kept)
        assert (report.ok, report.truncated, report.broken_at) == (False, True, left + 1)


@given(st.permutations(range(1, LAST + 1)))
def test_rows_in_another_order_are_found(order: list[int]) -> None:
    wrong = [at for at, seq in enumerate(order, start=1) if seq != at]
    assume(wrong)
    with register() as connection:
        rows = {row.seq: row for row in connection.execute(sa.select(table)).all()}
        connection.execute(sa.delete(table))
        moved = [{**rows[seq]._mapping, "seq": at} for at, seq in enumerate(order, start=1)]
        connection.execute(sa.insert(table), moved)
        assert verified(connection).broken_at == wrong[0]


@given(st.integers(1, LAST), st.integers(1, LAST))
def test_details_that_changed_places_are_found(one: int, other: int) -> None:
    assume(one != other)
    with register() as connection:
        rows = {row.seq: row for row in connection.execute(sa.select(table)).all()}
        for to, of in ((one, other), (other, one)):
            connection.execute(sa.update(table).where(at(to)).values(detail=rows[of].detail, salt=rows[of].salt))
        # Of a detail that is missing, only the whole of a chain that holds can tell whether it was erased.
        assert verified(connection).broken_at == (6 if 6 in (one, other) else min(one, other))


@given(st.integers(1, LAST), st.booleans())
def test_a_row_that_was_added_is_found(seq: int, chained: bool) -> None:
    with register() as connection:
        row = dict(connection.execute(sa.select(table).where(at(seq))).one()._mapping)
        row |= {"seq": LAST + 1} | ({"prev": audit.head(connection, key=KEY).hash} if chained else {})
        connection.execute(sa.insert(table), row)
        assert verified(connection).broken_at == LAST + 1


@given(st.integers(1, LAST - 1))
def test_a_detail_that_nobody_said_was_erased_is_missed(seq: int) -> None:
    assume(seq != 6)
    with register() as connection:
        connection.execute(sa.update(table).where(at(seq)).values(detail=None, salt=None))
        report = verified(connection)
        assert (report.ok, report.broken_at, report.erased) == (False, seq, 2)


@given(st.sets(st.integers(1, 6)))
def test_what_was_erased_lawfully_is_counted_and_nothing_is_wrong(seqs: set[int]) -> None:
    with register() as connection:
        told = Entry("erased", "retention")
        count = journal.erase(connection, told, details=sorted(seqs), key=KEY, at=AT)
        assert count == len(seqs - {6})
        report = verified(connection, audit.head(connection, key=KEY).text)
        assert (report.ok, report.erased) == (True, len(seqs | {6}))


# --- the side table


def of(part: int) -> sa.ColumnElement[bool]:
    return sa.and_(subjects.c.entry == 5, subjects.c.part == part)


SIDE: dict[str, Any] = {
    "at": AT + timedelta(days=9),
    "source": "ncsc-nl",
    "month": "",
    "size": 9,
    "regime": "oktt",
    "category": "ipv6",
    "action": "strip",
    "rule": "other",
    "hashes": HASHES[7],
    "mac": bytes(16),
}


@given(st.integers(0, 1), st.sampled_from(sorted(SIDE)))
def test_any_field_that_was_changed_beside_it_is_found(part: int, column: str) -> None:
    with register() as connection:
        connection.execute(sa.update(subjects).where(of(part)).values({column: SIDE[column]}))
        assert verified(connection).broken_at == 5


Change = Callable[[sa.Connection], Any]
CHANGES: dict[str, tuple[Change, int]] = {
    "removed": (lambda c: c.execute(sa.delete(subjects).where(of(1))), 5),
    "all removed": (lambda c: c.execute(sa.delete(subjects)), 5),
    "moved to another entry": (lambda c: c.execute(sa.update(subjects).where(of(0)).values(entry=3)), 3),
    "moved beyond the end": (lambda c: c.execute(sa.update(subjects).where(of(0)).values(entry=99)), 5),
    "moved to another part": (lambda c: c.execute(sa.update(subjects).where(of(0)).values(part=9)), 5),
    "a hash cut off": (lambda c: c.execute(sa.update(subjects).where(of(0)).values(hashes=HASHES[0])), 5),
}


@pytest.mark.parametrize("name", CHANGES)
def test_hashes_that_were_taken_or_moved_are_missed(name: str) -> None:
    change, seq = CHANGES[name]
    with register() as connection:
        change(connection)
        report = verified(connection)
        assert (report.ok, report.broken_at) == (False, seq)


def test_hashes_that_were_erased_lawfully_are_not_missed() -> None:
    with register() as connection:
        for wanted, left in (([HASHES[0]], 4), ([HASHES[1], HASHES[3]], 2), (HASHES, 0)):
            assert journal.forget(connection, wanted, Entry("erased", "subject"), vault=VAULT, key=KEY, at=AT) == 1
            report = verified(connection)
            assert (report.ok, report.values, report.erased) == (True, left, 1 if left else 2)
        assert journal.forget(connection, HASHES, Entry("erased", "subject"), vault=VAULT, key=KEY, at=AT) == 0


# --- heads


def test_a_head_of_the_first_version_still_counts() -> None:
    """`SEQ HASH MAC`: an instance has one beside its database."""
    with register() as connection:
        end = audit.head(connection, key=KEY)
        text = f"{end.seq} {end.hash}".encode()
        mac = hashlib.blake2b(text, key=KEY, digest_size=32, person=b"oktt-head").hexdigest().encode()
        assert verified(connection, text + b" " + mac + b"\n").ok
        connection.execute(sa.delete(table).where(at(LAST)))
        assert verified(connection, text + b" " + mac + b"\n").truncated


def test_who_has_the_public_key_alone_can_check_a_head(tmp_path: Path) -> None:
    """As docs/decisions/012 says."""
    program("openssl")  # the shell finds it
    with register() as connection:
        head = audit.head(connection, key=KEY)
    (tmp_path / "head").write_bytes(head.text)
    script = Path(__file__).parents[2] / "docs" / "decisions" / "012-the-register.md"
    commands = script.read_text(encoding="utf-8").split("```sh\n")[1].split("```")[0]
    done = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Verified Successfully" in done.stdout
    assert head.fingerprint in done.stdout
    (tmp_path / "head").write_bytes(head.text.replace(b" 7 ", b" 8 "))
    done = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" not in done.stdout
