"""The register: whole, tamper-evident, erasable, on both engines."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pii_guard import Finding, GuardError, journal

KEY = b"register key" * 3
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def fill(connection: sa.Connection, count: int = 5) -> None:
    entries = [journal.Entry("admitted", f"s{n}", {"regime": "wbdwb", "n": n}) for n in range(count)]
    journal.append(connection, entries[:2], key=KEY, at=AT)
    journal.append(connection, entries[2:], key=KEY, at=AT + timedelta(hours=1))


def test_an_untouched_register_is_whole(connection: sa.Connection) -> None:
    fill(connection)
    report = journal.verify(connection, key=KEY, head=journal.head(connection, key=KEY))
    assert report == journal.Report(True, 5)
    assert [row["detail"]["n"] for row in journal.export(connection)] == [0, 1, 2, 3, 4]
    assert [row["seq"] for row in journal.export(connection, AT + timedelta(minutes=1))] == [3, 4, 5]


def test_an_empty_register_is_whole_and_its_head_shows_a_wipe(connection: sa.Connection) -> None:
    empty = journal.head(connection, key=KEY)
    assert journal.verify(connection, key=KEY, head=empty).ok
    fill(connection)
    full = journal.head(connection, key=KEY)
    connection.execute(sa.delete(journal.journal))
    report = journal.verify(connection, key=KEY, head=full)
    assert (report.ok, report.truncated, report.broken_at) == (False, True, 1)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("subject", "other"),
        ("what", "sent"),
        ("detail", b'{"n":9}'),
        ("at", AT + timedelta(days=1)),
        ("prev", "f" * 64),
    ],
)
def test_a_changed_column_is_found_where_it_stands(connection: sa.Connection, column: str, value: object) -> None:
    fill(connection)
    connection.execute(sa.update(journal.journal).where(journal.journal.c.seq == 3).values({column: value}))
    report = journal.verify(connection, key=KEY)
    assert (report.ok, report.entries, report.broken_at) == (False, 2, 3)


def test_a_missing_entry_is_found(connection: sa.Connection) -> None:
    fill(connection)
    connection.execute(sa.delete(journal.journal).where(journal.journal.c.seq == 2))
    assert journal.verify(connection, key=KEY).broken_at == 3


def test_a_cut_off_end_shows_only_against_the_kept_head(connection: sa.Connection) -> None:
    fill(connection)
    kept = journal.head(connection, key=KEY)
    connection.execute(sa.delete(journal.journal).where(journal.journal.c.seq > 3))
    assert journal.verify(connection, key=KEY).ok
    report = journal.verify(connection, key=KEY, head=kept)
    assert report.truncated
    assert "4 to 5" in report.problem


def test_a_register_may_have_grown_since_its_head_was_kept(connection: sa.Connection) -> None:
    fill(connection)
    kept = journal.head(connection, key=KEY)
    journal.append(connection, [journal.Entry("purged", "x")], key=KEY, at=AT)
    assert journal.verify(connection, key=KEY, head=kept).ok


def test_a_head_signed_by_another_key_or_made_of_a_row_does_not_count(connection: sa.Connection) -> None:
    fill(connection)
    row = connection.execute(sa.select(journal.journal).where(journal.journal.c.seq == 2)).one()
    for forged in (journal.head(connection, key=b"other"), f"2 {row.hash} {row.hash}".encode(), b"", b"\xff\xff"):
        assert not journal.verify(connection, key=KEY, head=forged).ok


def test_erased_is_told_from_tampered(connection: sa.Connection) -> None:
    fill(connection)
    assert journal.erase_detail(connection, [2, 4]) == 2
    assert journal.erase_detail(connection, [2]) == 0
    report = journal.verify(connection, key=KEY)
    assert (report.ok, report.erased) == (True, 2)
    assert [row["erased"] for row in journal.export(connection)] == [False, True, False, True, False]
    connection.execute(sa.update(journal.journal).where(journal.journal.c.seq == 1).values(detail=None))
    assert journal.verify(connection, key=KEY).broken_at == 1


def test_equal_details_have_different_commitments(connection: sa.Connection) -> None:
    journal.append(
        connection, [journal.Entry("sent", "a", {"x": 1}), journal.Entry("sent", "b", {"x": 1})], key=KEY, at=AT
    )
    found = connection.scalars(sa.select(journal.journal.c.commitment)).all()
    assert len(set(found)) == 2


def test_another_key_does_not_verify_and_no_key_does_not_write(connection: sa.Connection) -> None:
    fill(connection)
    assert journal.verify(connection, key=b"other").broken_at == 1
    with pytest.raises(GuardError, match="key"):
        journal.append(connection, [journal.Entry("sent", "a")], key=b"", at=AT)


def test_counts_sum_findings_and_hold_no_paths() -> None:
    one = Finding("ipv4", "victim", "own", "/facts/observables/*/value", "r", "b", count=3)
    rows = journal.counts([one, one, Finding("email", "unknown", "strip", "/title", "r2", "b")])
    assert rows == [
        {"category": "email", "role": "unknown", "action": "strip", "rule": "r2", "count": 1},
        {"category": "ipv4", "role": "victim", "action": "own", "rule": "r", "count": 6},
    ]
