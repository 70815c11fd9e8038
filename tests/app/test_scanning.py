"""`oktt guard scan`: what is found in files, where, and that nothing is stored and no value is shown."""

import gzip
import io
import json
import os
import zipfile
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from app.cli import cli
from app.scanning import Found, Unread, scan_paths
from app.scanning_markup import html, xml
from ingest import SourceError
from ingest.archives import Limits
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


def test_xml_has_the_path_of_each_element_and_attribute(tmp_path: Path) -> None:
    text = (
        '<?xml version="1.0" encoding="iso-8859-1"?>\n'
        f"<feed><item><title>é</title></item><item who='{MAIL}'>van &#49;98.51.100.77 <b>en</b><bsn>{BSN}</bsn>"
        f"<!-- {IBAN} --></item><x{ADDRESS}/></feed>"
    )
    path = tmp_path / "a.xml"
    path.write_bytes(text.encode("iso-8859-1"))
    assert found(path) == [
        ("/feed[1]/item[2]/@who", "email", 0, len(MAIL)),
        ("/feed[1]/item[2]", "ipv4", 4, 4 + len(ADDRESS)),
        ("/feed[1]/item[2]/bsn[1]", "bsn", 0, 9),
        ("/feed[1]/item[2]/comment()", "iban", 1, 1 + len(IBAN)),
    ]


@pytest.mark.parametrize("text", ["<!DOCTYPE r [<!ENTITY x '198.51.100.77'>]><r>&x;</r>", "<r><q>198.51.100.77</r>"])
def test_what_is_no_xml_is_read_as_a_page(tmp_path: Path, text: str) -> None:
    assert {row[1] for row in found(written(tmp_path, "a.xml", text))} == {"ipv4"}


def test_a_page_is_read_as_a_reader_sees_it(tmp_path: Path) -> None:
    text = (
        "<!doctype html><html><body><p>Bel ons<p>host 198.<b>51</b>.100.77<br>x<img alt='"
        f"{MAIL}'><script>var a = '{IBAN}'</script><a href='mailto:{MAIL}'>mail</a></body></html>"
    )
    assert found(written(tmp_path, "a.html", text)) == [
        ("/html[1]/body[1]/p[1]/p[1]", "ipv4", 5, 5 + len(ADDRESS)),
        ("/html[1]/body[1]/p[1]/p[1]/img[1]/@alt", "email", 0, len(MAIL)),
        ("/html[1]/body[1]/p[1]/p[1]/script[1]", "iban", 9, 9 + len(IBAN)),
        ("/html[1]/body[1]/p[1]/p[1]/a/@href", "email", 7, 7 + len(MAIL)),
    ]


def a_mail() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = f"Melding é {ADDRESS}", "cert@hub.example", MAIL
    mail.set_content(f"Geachte,\n\nuw systeem {ADDRESS} is besmet.\n", cte="base64")
    mail.add_alternative(f"<p>uw systeem <b>{ADDRESS}</b></p>", subtype="html")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", f"ip,bsn\n{ADDRESS},{BSN}\n")
        archive.writestr("b.json", json.dumps({"iban": IBAN}))
    mail.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename=f"{BSN}.zip")
    inner = EmailMessage()
    inner["Subject"] = "Doorgestuurd"
    inner.set_content(f"van {MAIL}")
    mail.add_attachment(inner)
    return mail


def test_a_mail_is_read_part_by_part(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(a_mail().as_bytes())
    rows = [row for row in scan_paths([path], "auto") if isinstance(row, Found)]
    where = {(row.file.removeprefix(str(path)), row.path, row.category) for row in rows}
    assert where >= {
        (" (headers)", "", "ipv4"),
        (" (headers)", "", "email"),
        (" (part 1.1)", "", "ipv4"),
        (" (part 1.2)", "/p[1]", "ipv4"),  # as a reader sees it, not in its <b>
        (" (part 2, file 1 of 2)", "/1/0", "ipv4"),
        (" (part 2, file 1 of 2)", "/1/1", "bsn"),
        (" (part 2, file 2 of 2)", "/iban", "iban"),
        (" (part 3.1)", "", "email"),
    }
    (plain,) = [row for row in rows if row.file.endswith("(part 1.1)") and row.category == "ipv4"]
    assert "Geachte,\n\nuw systeem 198.51.100.77 is besmet.\n"[plain.start : plain.end] == ADDRESS
    assert not any(BSN in row.file for row in rows), "the name of an attachment comes from outside"


@pytest.mark.parametrize("cut", [0.3, 0.6, 0.9])
def test_a_mail_that_is_cut_off_is_told_and_read_as_far_as_it_goes(tmp_path: Path, cut: float) -> None:
    path = tmp_path / "a.eml"
    body = a_mail().as_bytes()
    path.write_bytes(body[: int(len(body) * cut)])
    rows = list(scan_paths([path], "auto"))
    assert any(isinstance(row, Unread) for row in rows)
    assert {row.category for row in rows if isinstance(row, Found)} >= {"email", "ipv4"}


def test_more_than_is_read_is_read_as_text(tmp_path: Path) -> None:
    small = Limits(max_bytes=200)
    for name, text in (
        ("a.xml", f"<r>{'x ' * 200}{ADDRESS}</r>"),
        ("a.eml", f"From: {MAIL}\nSubject: b\n\n{'x ' * 200}"),
    ):
        path = written(tmp_path, name, text)
        rows = list(scan_paths([path], "auto", small))
        assert [type(row) for row in rows if isinstance(row, Unread)] == [Unread]
        assert any(isinstance(row, Found) and row.path == "" for row in rows)


@settings(max_examples=60)
@given(st.text(alphabet=st.sampled_from("<>/!-?&;='\"ab[] \n]CDATAx"), max_size=80))
def test_no_markup_raises(text: str) -> None:
    assert html(f"<{text}") is not None or "<![" in f"<{text}", "a declaration may be more than is read"
    xml(f"<a>{text}</a>".encode())
