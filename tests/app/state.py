"""What stands in an instance's database and outbox, to hold two runs against each other."""

import hashlib
import json
import sqlite3
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANCE = {
    "collections": {"id", "salt"},
    "credentials": {"id", "secret"},
    "deliveries": {"message", "view", "digest", "grounds"},
    "exposures": {"known"},
    "journal": {"seq", "salt", "commitment", "prev", "hash"},
    "ledger": {"view", "digest"},
    "statements": {"sealed"},
    "subscriber_revisions": {"mark"},
    "subjects": {"hashes", "mac"},
    "versions": {"said"},
}
"""Columns that differ between two runs of the same: random, sealed or keyed by the vault, or chained to such."""
STANDING = {"cursors": {"last_success", "documents", "last_document_at", "last_source_time", "failures"}}
"""Columns that say that a source was read again."""
TRIED = {
    **STANDING,
    "deliveries": {"worker", "claimed_until", "attempts", "repeat"},
    "ledger": {"id", "repeat"},
    "history": {"id"},
    "refusals": {"id"},
}
"""Also how often and by whom it was tried, which is not what came of it; and counters of rows."""


@dataclass(frozen=True)
class State:
    """Tables as rows, and files of the outbox."""

    rows: dict[str, list[dict[str, Any]]]
    files: dict[str, str]
    repeats: frozenset[str]
    """Message-IDs that the ledger marks as sent again."""

    def differences(self, other: "State") -> list[str]:
        """What another state has otherwise; names of tables and columns, and the rows."""
        found = [f"outbox/: {len(self.files)} and {len(other.files)} files"] if self.files != other.files else []
        for table in sorted(self.rows.keys() | other.rows.keys()):
            mine, theirs = (Counter(map(repr, each.rows.get(table, []))) for each in (self, other))
            if mine != theirs:
                lost, more = list((mine - theirs).elements()), list((theirs - mine).elements())
                found.append(f"{table}: {len(lost)} missing {lost[:2]}, {len(more)} more {more[:2]}"[:1500])
        return found


def state(instance: Path, *, exact: bool = False) -> State:
    """Read it all. `exact`: also what is made at random; only the sources' standing may differ."""
    uri = f"file:{instance / 'oktt.db'}?mode=ro"
    with sqlite3.connect(uri, uri=True) as connection:
        connection.row_factory = sqlite3.Row
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        whole = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in names}
    connection.close()
    repeats = frozenset(row["message_id"] for row in whole["ledger"] if row["repeat"])
    aliases = {row["id"]: row["alias"] for row in whole["collections"]}
    if not exact:
        _together(whole["leads"])
    rows = {}
    for name, found in whole.items():
        dropped = STANDING.get(name, set()) if exact else TRIED.get(name, set()) | CHANCE.get(name, set())
        rows[name] = [_row(row, dropped, {} if exact else aliases) for row in found if exact or not _opened(name, row)]
        if name == "journal" and not exact:
            for row in rows[name]:
                row["detail"] = _UNKEYED.get(row["what"], _as_is)(row)
    files = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted((instance / "outbox").glob("*"))
    }
    return State(rows, files, repeats)


def _together(leads: list[dict[str, Any]]) -> None:
    """Keys of what is gated are made at random in each instance: what counts is which statements share one."""
    shared: dict[str, list[str]] = {}
    for row in leads:
        shared.setdefault(row["key"], []).append(row["statement"])
    for row in leads:
        row["key"] = sorted(shared[row["key"]])


def _opened(table: str, row: dict[str, Any]) -> bool:
    """The register tells each time that sealed rows were opened: who is killed and runs again opens them again."""
    return table == "journal" and row["what"] == "opened"


def _sent(row: dict[str, Any]) -> Any:
    """What the register holds of a message: the line of the ledger and what it rested on, without keyed hashes."""
    detail = json.loads(row["detail"])
    kept = {name: value for name, value in detail.items() if name not in CHANCE["ledger"] | TRIED["ledger"]}
    return kept | {"grounds": [{**each, "content": ""} for each in detail["grounds"] or ()]}


def _published(row: dict[str, Any]) -> Any:
    """What the register holds of a view in a collection, without keyed hashes."""
    detail = json.loads(row["detail"])
    return detail | {"bodies": "", "grounds": {**detail["grounds"], "content": ""}}


def _as_is(row: dict[str, Any]) -> Any:
    return row["detail"]


_UNKEYED = {"sent": _sent, "published": _published}


def _row(row: dict[str, Any], dropped: set[str], aliases: dict[str, str]) -> dict[str, Any]:
    kept = {column: value for column, value in row.items() if column not in dropped}
    if "collection" in kept:
        kept["collection"] = aliases.get(kept["collection"], kept["collection"])
    return kept
