"""The register: whole, tamper-evident, erasable, on both engines."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from pii_guard import Finding, GuardError, audit, journal

KEY = b"register key" * 3
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def fill(connection: sa.Connection, count: int = 5) -> None:
    entries = [journal.Entry("admitted", f"s{n}", {"regime": "wbdwb", "n": n}) for n in range(count)]
    journal.append(connection, entries[:2], key=KEY, at=AT)
    journal.append(connection, entries[2:], key=KEY, at=AT + timedelta(hours=1))


def test_an_untouched_register_is_whole(connection: sa.Connection) -> None:
    fill(connection)
    report = audit.verify(connection, key=KEY, head=audit.head(connection, key=KEY).text)
    assert report == audit.Report(True, 5)
    assert [row["detail"]["n"] for row in journal.export(connection)] == [0, 1, 2, 3, 4]
    assert [row["seq"] for row in journal.export(connection, AT + timedelta(minutes=1))] == [3, 4, 5]


def test_an_empty_register_is_whole_and_its_head_shows_a_wipe(connection: sa.Connection) -> None:
    empty = audit.head(connection, key=KEY).text
    assert audit.verify(connection, key=KEY, head=empty).ok
    fill(connection)
    full = audit.head(connection, key=KEY).text
    connection.execute(sa.delete(journal.journal))
    report = audit.verify(connection, key=KEY, head=full)
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
    report = audit.verify(connection, key=KEY)
    assert (report.ok, report.entries, report.broken_at) == (False, 2, 3)


def test_a_missing_entry_is_found(connection: sa.Connection) -> None:
    fill(connection)
    connection.execute(sa.delete(journal.journal).where(journal.journal.c.seq == 2))
    assert audit.verify(connection, key=KEY).broken_at == 3


def test_a_cut_off_end_shows_only_against_the_kept_head(connection: sa.Connection) -> None:
    fill(connection)
    kept = audit.head(connection, key=KEY).text
    connection.execute(sa.delete(journal.journal).where(journal.journal.c.seq > 3))
    assert audit.verify(connection, key=KEY).ok
    report = audit.verify(connection, key=KEY, head=kept)
    assert report.truncated
    assert "4 to 5" in report.problem


def test_a_register_may_have_grown_since_its_head_was_kept(connection: sa.Connection) -> None:
    fill(connection)
    kept = audit.head(connection, key=KEY).text
    journal.append(connection, [journal.Entry("purged", "x")], key=KEY, at=AT)
    assert audit.verify(connection, key=KEY, head=kept).ok


def test_a_head_signed_by_another_key_or_made_of_a_row_does_not_count(connection: sa.Connection) -> None:
    fill(connection)
    row = connection.execute(sa.select(journal.journal).where(journal.journal.c.seq == 2)).one()
    ours = audit.head(connection, key=KEY)
    unsigned = f"oktt-head/1 2 {row.hash}\nsignature {ours.signature}\n".encode()
    other = audit.head(connection, key=b"other").text
    for forged in (
        other,
        unsigned,
        ours.text.replace(b" 5 ", b" 4 "),
        f"2 {row.hash} {row.hash}".encode(),
        b"",
        b"\xff",
    ):
        assert not audit.verify(connection, key=KEY, head=forged).ok


def test_erased_is_told_from_tampered(connection: sa.Connection) -> None:
    fill(connection)
    entry = journal.Entry("erased", "subject", {"type": "email"})
    assert journal.erase(connection, entry, details=[2, 4], key=KEY, at=AT) == 2
    assert journal.erase(connection, entry, details=[2], key=KEY, at=AT) == 0
    report = audit.verify(connection, key=KEY)
    assert (report.ok, report.entries, report.erased) == (True, 6, 2)
    exported = list(journal.export(connection))
    assert [row["erased"] for row in exported] == [False, True, False, True, False, False]
    assert exported[-1]["detail"] == {"type": "email", "details": [[2, 2], [4, 4]], "values": []}
    connection.execute(sa.update(journal.journal).where(journal.journal.c.seq == 1).values(detail=None))
    assert audit.verify(connection, key=KEY).broken_at == 1


def test_who_empties_a_detail_without_saying_so_is_found(connection: sa.Connection) -> None:
    fill(connection)
    table = journal.journal
    connection.execute(sa.update(table).where(table.c.seq == 3).values(detail=None, salt=None))
    report = audit.verify(connection, key=KEY)
    assert (report.ok, report.broken_at) == (False, 3)
    assert "no entry says" in report.problem


def test_what_says_that_something_was_erased_is_never_erased(connection: sa.Connection) -> None:
    fill(connection)
    journal.erase(connection, journal.Entry("erased", "subject"), details=[1], key=KEY, at=AT)
    assert journal.erase(connection, journal.Entry("erased", "subject"), details=[6], key=KEY, at=AT) == 0
    assert audit.verify(connection, key=KEY).ok


def test_equal_details_have_different_commitments(connection: sa.Connection) -> None:
    journal.append(
        connection, [journal.Entry("sent", "a", {"x": 1}), journal.Entry("sent", "b", {"x": 1})], key=KEY, at=AT
    )
    found = connection.scalars(sa.select(journal.journal.c.commitment)).all()
    assert len(set(found)) == 2


def test_another_key_does_not_verify_and_no_key_does_not_write(connection: sa.Connection) -> None:
    fill(connection)
    assert audit.verify(connection, key=b"other").broken_at == 1
    with pytest.raises(GuardError, match="key"):
        journal.append(connection, [journal.Entry("sent", "a")], key=b"", at=AT)


def test_counts_sum_findings_by_pointer_and_say_the_bases_once() -> None:
    one = Finding("ipv4", "victim", "own", "/facts/observables/*/value", "r", "b", count=3)
    named = [Finding("name", "unknown", "strip", f"/objects/{n}/name", "r2", "c") for n in range(5)]
    told = journal.counts([one, one, *named])
    rows = [
        {"path": "/facts/observables/*/value", "category": "ipv4", "role": "victim", "action": "own", "rule": "r"},
        {"path": "/objects/*/name", "category": "name", "role": "unknown", "action": "strip", "rule": "r2"},
    ]
    assert told == {
        "findings": [{**row, "count": count} for row, count in zip(rows, (6, 5), strict=True)],
        "bases": {"r": "b", "r2": "c"},
    }


def test_however_many_pointers_an_entry_is_bounded() -> None:
    many = [Finding("email", "unknown", "strip", f"/objects/*/x{n}", "r", "b") for n in range(journal.MOST + 1)]
    told = journal.counts(many)
    assert [(row["path"], row["count"]) for row in told["findings"]] == [("*", journal.MOST + 1)]
    assert len(journal.counts(many[:-1])["findings"]) == journal.MOST
