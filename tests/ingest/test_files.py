"""Files, folders and archives: fixed order, bounds, and nothing of a name shown."""

import bz2
import gzip
import io
import lzma
import os
import struct
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import RawDocument, Source, SourceError, Unreadable
from ingest.files import FilesReader, Limits

SOURCE = Source(id="market", name="Market party")
KEY = b"a key of thirty-two bytes, or so"
AT = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
LIMITS = Limits()
SMALL = Limits(max_bytes=1000, max_unpacked=3000, max_members=5, max_ratio=50, ratio_floor=2000)


def read(*paths: Path, limits: Limits = LIMITS, key: bytes = KEY) -> list[RawDocument | Unreadable]:
    return list(FilesReader(paths, SOURCE, key=key, clock=lambda: AT, limits=limits).read())


def bodies(found: Sequence[RawDocument | Unreadable]) -> list[bytes]:
    return [document.body for document in found if isinstance(document, RawDocument)]


def reasons(found: Sequence[RawDocument | Unreadable]) -> list[str]:
    return [document.reason for document in found if isinstance(document, Unreadable)]


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return packed.getvalue()


def test_a_file_is_a_document_with_a_hashed_name(tmp_path: Path) -> None:
    path = tmp_path / "Jansen-incident.JSON"
    path.write_bytes(b"{}")
    (document,) = read(path)
    assert isinstance(document, RawDocument)
    assert document.body == b"{}"
    assert document.received_at == AT
    assert len(document.origin) == len("3fa9c1d2.json")
    assert document.origin.endswith(".json")
    assert "ansen" not in document.origin


def test_extensions_that_could_say_something_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "report.p-jansen"
    path.write_bytes(b"{}")
    assert "." not in read(path)[0].origin


def test_a_folder_is_read_in_one_order_with_ordinals(tmp_path: Path) -> None:
    for name in ("b/2.json", "b/1.json", "a.json", "c.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = read(tmp_path)
    assert bodies(found) == [b"a.json", b"b/1.json", b"b/2.json", b"c.json"]
    assert [document.origin.split(" ", 1)[1] for document in found] == [f"(file {n} of 4)" for n in (1, 2, 3, 4)]
    assert found == read(tmp_path)


def series(*paths: Path) -> list[str]:
    return [each.series for each in read(*paths) if isinstance(each, RawDocument)]


def test_a_file_of_the_same_name_is_a_later_state_of_it(tmp_path: Path) -> None:
    """By its name below what was named, whatever folder that is, in archives too; never by a mail's attachment."""
    for folder in ("monday", "tuesday"):
        (tmp_path / folder / "lists").mkdir(parents=True)
        (tmp_path / folder / "c2.csv").write_bytes(folder.encode())
        (tmp_path / folder / "lists/c2.csv").write_bytes(folder.encode())
        (tmp_path / folder / "lists.zip").write_bytes(zipped({"c2.csv": folder.encode(), "dns.csv": b"d"}))
    monday, tuesday = series(tmp_path / "monday"), series(tmp_path / "tuesday")
    assert monday == tuesday
    assert len(set(monday)) == len(monday) == 4
    assert series(tmp_path / "tuesday/c2.csv") == [monday[0]]
    assert "c2" not in "".join(monday)
    assert series(tmp_path / "monday/c2.csv") != [
        each.series
        for each in FilesReader(
            [tmp_path / "monday/c2.csv"], SOURCE, key=b"another key of 32 bytes ....", clock=lambda: AT
        ).read()
        if isinstance(each, RawDocument)
    ]
    (tmp_path / "mail.eml").write_bytes(
        b"From: a@example.nl\nTo: b@example.nl\nSubject: x\nMIME-Version: 1.0\nContent-Type: text/csv; name=c2.csv\n"
        b"Content-Disposition: attachment; filename=c2.csv\n\nip\n198.51.100.7\n"
    )
    assert series(tmp_path / "mail.eml") == [""]


def test_a_path_that_is_not_there_is_named_as_typed(tmp_path: Path) -> None:
    there = tmp_path / "a.json"
    there.write_bytes(b"{}")
    reader = FilesReader([there, Path("no/such.json")], SOURCE, key=KEY, clock=lambda: AT)
    with pytest.raises(SourceError, match=r"^no/such\.json: no such file"):
        next(reader.read())


def test_keys_depend_on_source_content_and_key_only(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    (tmp_path / "b.json").write_bytes(b"{}")
    one, two = read(tmp_path)
    assert isinstance(one, RawDocument)
    assert isinstance(two, RawDocument)
    assert one.key == two.key
    (other,) = read(tmp_path / "a.json", key=b"k" * 100)
    assert isinstance(other, RawDocument)
    assert other.key != one.key
    (elsewhere,) = FilesReader([tmp_path / "a.json"], Source("x", "X"), key=KEY, clock=lambda: AT).read()
    assert isinstance(elsewhere, RawDocument)
    assert elsewhere.key != one.key


@pytest.mark.parametrize(
    ("name", "pack"), [("a.json.gz", gzip.compress), ("a.bz2", bz2.compress), ("a.xz", lzma.compress)]
)
def test_compressed_files(tmp_path: Path, name: str, pack) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / name).write_bytes(pack(b'{"a": 1}') + pack(b" "))
    assert bodies(read(tmp_path / name)) == [b'{"a": 1} ']


def test_a_zip_by_name_with_archives_in_it(tmp_path: Path) -> None:
    inner = zipped({"y.csv": b"y", "x.csv": b"x"})
    (tmp_path / "a.zip").write_bytes(zipped({"c.gz": gzip.compress(b"c"), "b.zip": inner, "a.csv": b"a"}))
    found = read(tmp_path / "a.zip")
    assert bodies(found) == [b"a", b"x", b"y", b"c"]
    assert found[1].origin.endswith(".csv (file 2 of 4)")


def test_a_third_level_is_refused_and_the_rest_goes_on(tmp_path: Path) -> None:
    deep = zipped({"a.zip": zipped({"b.zip": zipped({"c": b"c"})}), "d.csv": b"d"})
    (tmp_path / "a.zip").write_bytes(deep)
    found = read(tmp_path / "a.zip")
    assert bodies(found) == [b"d"]
    assert reasons(found) == ["an archive in an archive in an archive"]


def test_an_archive_over_its_limit_gives_one_refusal_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({f"{n}.csv": os.urandom(400).hex().encode() for n in range(4)}))
    (refused,) = read(tmp_path / "a.zip", limits=SMALL)
    assert isinstance(refused, Unreadable)
    assert refused.stage == "fetch"
    assert "unpacks to more than" in refused.reason


def test_a_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    for name, pack in (("a.gz", gzip.compress), ("a.xz", lzma.compress), ("a.bz2", bz2.compress)):
        (tmp_path / name).write_bytes(pack(bytes(8 << 20)))
        (refused,) = read(tmp_path / name, limits=Limits(max_bytes=128 << 20, max_unpacked=1 << 30))
        assert isinstance(refused, Unreadable)
        assert "times its size" in refused.reason


def test_sizes_in_the_header_are_not_believed(tmp_path: Path) -> None:
    packed = bytearray(zipped({"a.csv": bytes(100_000)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", packed, packed.index(signature) + offset, 10)
    (tmp_path / "a.zip").write_bytes(packed)
    (refused,) = read(tmp_path / "a.zip", limits=SMALL)
    assert isinstance(refused, Unreadable)


def test_one_large_file_in_an_archive_costs_only_itself(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a": os.urandom(1500), "b": b"b"}))
    found = read(tmp_path / "a.zip", limits=SMALL)
    assert bodies(found) == [b"b"]
    assert reasons(found) == ["larger than 1000 bytes"]


def test_too_many_files(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({str(n): b"x" for n in range(6)}))
    assert reasons(read(tmp_path / "a.zip", limits=SMALL)) == ["the archive holds more than 5 files"]


def test_encrypted_truncated_empty_and_unreadable(tmp_path: Path) -> None:
    packed = bytearray(zipped({"a.csv": b"secret", "b.csv": b"b"}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        packed[packed.index(signature) + offset] |= 1
    (tmp_path / "1.zip").write_bytes(packed)
    (tmp_path / "2.gz").write_bytes(gzip.compress(os.urandom(500))[:-100])
    (tmp_path / "3.json").write_bytes(b"")
    (tmp_path / "4.zip").write_bytes(zipped({"a": b"a"})[:-10])
    (tmp_path / "5.zip").write_bytes(zipped({}))
    (tmp_path / "6.json").write_bytes(b"{}")
    found = read(tmp_path)
    assert bodies(found) == [b"b", b"{}"]
    assert reasons(found) == [
        "encrypted: unpack it first, or have the source send it unencrypted",
        "an archive that is cut off",
        "an empty file",
        "an archive that is cut off",
        "an archive without files",
    ]


def test_links_out_of_the_folder_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "outside.json").write_bytes(b"outside")
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.json").write_bytes(b"a")
    (folder / "1").symlink_to(tmp_path / "outside.json")
    (folder / "2").symlink_to(tmp_path)
    (folder / "3").symlink_to("sub/a.json")
    (folder / "4").symlink_to("sub")
    (folder / "5").symlink_to("nowhere")
    os.mkfifo(folder / "6")
    found = read(folder)
    assert bodies(found) == [b"a", b"a"]
    outside = "a link that points outside of the folder"
    assert reasons(found) == [outside, outside, "a link to nothing", "not a regular file"]


def test_a_spreadsheet_is_one_document(tmp_path: Path) -> None:
    body = zipped({"[Content_Types].xml": b"<x/>", "xl/a.xml": b"<x/>"})
    (tmp_path / "a.xlsx").write_bytes(body)
    assert bodies(read(tmp_path)) == [body]


def test_a_file_over_the_limit(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"x" * 1001)
    assert reasons(read(tmp_path, limits=SMALL)) == ["larger than 1000 bytes"]


@given(st.binary(max_size=300), st.sampled_from([b"PK\x03\x04", b"\x1f\x8b\x08\x00", b"BZh9", b"\xfd7zXZ\x00", b""]))
def test_no_bytes_make_it_fail(tmp_path_factory: pytest.TempPathFactory, tail: bytes, magic: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(magic + tail)
    (found,) = read(path) if magic + tail else [None]
    assert found is None or isinstance(found, RawDocument | Unreadable)


@given(st.data())
def test_damaged_zips_never_fail(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    packed = bytearray(zipped({"a.csv": b"aaaaaaaaaaaaaaaaaaaaaaaaaa", "b.gz": gzip.compress(b"b")}))
    for _ in range(data.draw(st.integers(1, 4))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.zip"
    path.write_bytes(packed)
    for found in read(path, limits=SMALL):
        assert isinstance(found, RawDocument | Unreadable)
