"""`oktt guard scan`: what is found in files, where, and that nothing is stored and no value is shown."""

import gzip
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.cli import cli
from app.scanning import Found, Unread, scan_paths
from ingest import SourceError
from pii_guard import detect
from pii_guard.detect import scan, stream

VALUES = ("jan.jansen@voorbeeld.example", "198.51.100.77", "111222333", "NL91ABNA0417164300")
MAIL, ADDRESS, BSN, IBAN = VALUES


def found(path: Path, layout: Any = "auto") -> list[tuple[str, str, int, int]]:
    return [(r.path, r.category, r.start, r.end) for r in scan_paths([path], layout) if isinstance(r, Found)]


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_text_has_one_path_and_offsets_in_code_points(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", f"é😀 mail {MAIL} nu\r\nhost {ADDRESS}\n")
    text = path.read_bytes().decode()
    rows = found(path)
    assert [(path, category, text[start:end]) for path, category, start, end in rows] == [
        ("", "email", MAIL),
        ("", "ipv4", ADDRESS),
    ]


def test_json_has_the_pointer_of_each_value(tmp_path: Path) -> None:
    document = {"a": {"b/c": [f"x {MAIL}"]}, "bsn": int(BSN), "version": "1.2.3.4", f"k {MAIL}": ADDRESS}
    rows = found(written(tmp_path, "a.json", json.dumps(document)))
    assert rows == [
        ("/a/b~1c/0", "email", 2, 2 + len(MAIL)),
        ("/bsn", "bsn", 0, 9),
        ("/*", "email", 2, 2 + len(MAIL)),
        ("/*", "ipv4", 0, len(ADDRESS)),
    ]


def test_a_key_that_stands_twice_hides_nothing(tmp_path: Path) -> None:
    rows = found(written(tmp_path, "a.json", f'{{"a": "{MAIL}", "a": "x"}}'))
    assert [row[1] for row in rows] == ["email"]


def test_properties_of_stix_are_known(tmp_path: Path) -> None:
    objects = [
        {"type": "user-account", "user_id": "jansen", "display_name": "Jan", "credential": "x"},
        {"type": "ipv4-addr", "value": ADDRESS},
        {"type": "note", "authors": ["Jan Jansen"], "content": f"mail {MAIL}"},
        {"type": "malware", "name": "Emotet", "x_mitre_contributors": ["J. Jansen"]},
    ]
    rows = found(written(tmp_path, "a.json", json.dumps({"type": "bundle", "objects": objects})))
    assert [(path.removeprefix("/objects"), category) for path, category, _, _ in rows] == [
        ("/0/user_id", "username"),
        ("/0/display_name", "name"),
        ("/0/credential", "credential"),
        ("/1/value", "ipv4"),
        ("/2/authors/0", "name"),
        ("/2/content", "email"),
        ("/3/x_mitre_contributors/0", "name"),
    ]


def test_ndjson_counts_its_lines(tmp_path: Path) -> None:
    lines = [{"a": "niets"}, {"mail": MAIL}]
    assert found(written(tmp_path, "a.ndjson", "\n".join(map(json.dumps, lines)))) == [
        ("/1/mail", "email", 0, len(MAIL))
    ]


def test_a_table_has_rows_and_columns_and_heads_help(tmp_path: Path) -> None:
    rows = found(
        written(tmp_path, "a.csv", f'nr,bsn,"kenteken",versie\n1,{BSN},12-ABC-3,1.2.3.4\n2,,,\n3,{BSN},"a,b",x\n')
    )
    assert rows == [("/1/1", "bsn", 0, 9), ("/1/2", "plate", 0, 8), ("/3/1", "bsn", 0, 9)]


def test_archives_are_opened_and_outside_names_are_not_told(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{MAIL}.txt", f"mail {MAIL}")
        archive.writestr("b.json.gz", gzip.compress(json.dumps({"m": MAIL}).encode()))
    rows = list(scan_paths([path], "auto"))
    assert [(row.file, row.path) for row in rows if isinstance(row, Found)] == [
        (f"{path} (file 1 of 2)", "/m"),
        (f"{path} (file 2 of 2)", ""),
    ]


def test_what_cannot_be_read_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    written(tmp_path, "a.json", '{"a": "' + MAIL)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 no archive")
    written(tmp_path, "z.txt", MAIL)
    rows = list(scan_paths([tmp_path], "auto"))
    assert {Path(row.file).name for row in rows if isinstance(row, Unread)} == {"a.json", "pipe", "b.zip"}
    assert {Path(row.file).name for row in rows if isinstance(row, Found)} == {"a.json", "z.txt"}
    with pytest.raises(SourceError, match="no such file"):
        list(scan_paths([tmp_path / "nothing"], "auto"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
def test_other_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(f"mail {MAIL}".encode(encoding))
    assert [row[1] for row in found(path)] == ["email"]


def test_bytes_that_are_no_text_hide_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"\x80\xfa mail " + MAIL.encode() + b"\x80")
    assert found(path) == [("", "email", 8, 8 + len(MAIL))]


def test_as_text_everything_is_text(tmp_path: Path) -> None:
    path = written(tmp_path, "a.json", json.dumps({"a": MAIL}))
    assert found(path, "text") == [("", "email", 7, 7 + len(MAIL))]


WORDS = st.sampled_from(("woord", "regel\n", "en", "\n", "x" * 30, "Lorem ipsum dolor", "12", "a.b", "\t", "é"))


@settings(max_examples=30, deadline=None)
@given(st.lists(WORDS, max_size=60), st.sampled_from(VALUES), st.lists(WORDS, max_size=60), st.integers(1, 4000))
def test_nothing_is_missed_at_a_seam(before: list[str], value: str, after: list[str], size: int) -> None:
    """Pieces and windows of every size find what the whole finds."""
    text = f"{' '.join(before)} bsn {value} {' '.join(after)} " * 12
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    whole = detect.apart(detect._whole(text, bare=False))
    kept = (detect.WINDOW, detect.BLOCK)
    try:
        detect.WINDOW, detect.BLOCK = 700, 2000
        assert list(stream(pieces)) == scan(text)
    finally:
        detect.WINDOW, detect.BLOCK = kept
    spans = scan(text)
    assert all(any(each.start <= one.start and one.end <= each.end for each in spans) for one in whole)


def test_a_large_file_is_read_in_blocks(tmp_path: Path) -> None:
    line = "Er is niets aan de hand, zegt de beheerder van de dienst. " * 40 + "\n"
    text = (line * 200) + f"mail {MAIL}\n" + line * 200 + f"host {ADDRESS}"
    path = written(tmp_path, "a.txt", text)
    assert [(c, text[s:e]) for _, c, s, e in found(path)] == [("email", MAIL), ("ipv4", ADDRESS)]


def test_the_command(tmp_path: Path) -> None:
    path = written(tmp_path, "a.txt", f"mail {MAIL}, host {ADDRESS}, bsn {BSN}")
    before = sorted(tmp_path.rglob("*"))
    run = CliRunner().invoke(cli, ["--dir", str(tmp_path / "none"), "guard", "scan", str(path), "--json"])
    assert run.exit_code == 0, run.output
    rows = [json.loads(line) for line in run.output.splitlines()]
    assert [row["category"] for row in rows] == ["email", "ipv4", "bsn"]
    assert set(rows[0]) == {"file", "path", "category", "start", "end", "confidence", "rule"}
    assert rows[0]["file"] == str(path)
    shown = CliRunner().invoke(cli, ["guard", "scan", str(path)]).output
    assert "email" in shown
    assert not any(value in run.output + shown for value in VALUES)
    assert sorted(tmp_path.rglob("*")) == before
    assert CliRunner().invoke(cli, ["guard", "scan", str(path), "--format", "pdf"]).exit_code == 2
