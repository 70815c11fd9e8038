"""One address, one document: conditional, packed or not, and what becomes of validators that lie."""

import gzip
import io
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ingest import Feed, Given, RawDocument, Reached, Source, SourceError, Unreadable
from ingest.downloads import DownloadReader, Validators
from tests.ingest.webserver import LOOPBACK, Reply, WebServer, web_server

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with web_server(tmp_path) as started:
        yield started


def read(
    server: WebServer, position: str = "", at: datetime = NOW, path: str = "/kev.json", **more: Any
) -> list[Given]:
    feed = Feed(server.url(path), ca_file=server.ca_file, private=LOOPBACK, **more)
    source = Source("kev", "KEV", kind="http", feed=feed)
    return list(DownloadReader(source, key=b"k" * 32, clock=lambda: at).read(position))


def bodies(given: list[Given]) -> list[bytes]:
    return [each.body for each in given if isinstance(each, RawDocument)]


def series(given: list[Given]) -> str:
    (found,) = [each.series for each in given if isinstance(each, RawDocument)]
    return found


def position(given: list[Given]) -> str:
    (found,) = [each.position for each in given if isinstance(each, Reached)]
    return found


@pytest.mark.parametrize(
    "validator", [{"etag": '"1"'}, {"modified": "Mon, 02 Mar 2026 07:00:00 GMT"}], ids=["etag", "modified"]
)
def test_what_did_not_change_is_not_sent(server: WebServer, validator: dict[str, str]) -> None:
    server["/kev.json"] = Reply(b"{}", **validator)  # type: ignore[arg-type]
    first = read(server)
    assert bodies(first) == [b"{}"]
    assert isinstance(first[-1], Reached)
    assert read(server, position(first)) == []
    server["/kev.json"] = Reply(b"[]", etag='"2"')
    again = read(server, position(first))
    assert bodies(again) == [b"[]"]
    assert read(server, position(again)) == []


def test_an_address_gives_states_of_one_document(server: WebServer) -> None:
    server["/kev.json"], server["/other.json"] = Reply(b"{}"), Reply(b"{}")
    one, other = series(read(server)), series(read(server, path="/other.json"))
    server["/kev.json"] = Reply(b"[]")
    assert one == series(read(server)) != other
    assert len(one) == 32


def test_an_etag_that_lies_does_so_for_a_day(server: WebServer) -> None:
    server["/kev.json"] = Reply(b"{}", etag='"same"')
    first = position(read(server))
    server["/kev.json"] = Reply(b"[]", etag='"same"')
    assert read(server, first, NOW + timedelta(hours=23)) == []
    assert bodies(read(server, first, NOW + timedelta(hours=24))) == [b"[]"]
    assert bodies(read(server, first, NOW - timedelta(hours=1))) == [b"[]"], "nor is a time that lies ahead believed"


def test_positions_that_mean_nothing_are_from_the_start(server: WebServer) -> None:
    server["/kev.json"] = Reply(b"{}", etag='"1"')
    server["/other.json"] = Reply(b"[]", etag='"1"')
    known = position(read(server))
    assert bodies(read(server, known, path="/other.json")) == [b"[]"]
    for wrong in ("{}", "[]", "null", "x", '{"etag": 1}', "\x00", '{"url":"' + "x" * 10000):
        assert bodies(read(server, wrong)) == [b"{}"]


def test_nothing_new_without_being_asked(server: WebServer) -> None:
    server["/kev.json"] = Reply(status=304)
    with pytest.raises(SourceError, match="was not asked that"):
        read(server)


def test_validators_that_are_none_are_not_kept(server: WebServer) -> None:
    server["/kev.json"] = Reply(b"{}", headers={"ETag": '"' + "x" * 5000 + '"', "Last-Modified": "\xe9t\xe9"})
    known = position(read(server))
    assert len(known) < 300
    assert bodies(read(server, known)) == [b"{}"]


@pytest.mark.parametrize(
    "value",
    ["jan.jansen@example.nl 192.0.2.7", '"jan.jansen@example.nl"', '"192.0.2.7"', "x-192.0.2.7-1", '"2001:db8::7"'],
)
def test_values_in_the_place_of_validators_are_not_kept(server: WebServer, value: str) -> None:
    server["/kev.json"] = Reply(b"{}", headers={"ETag": value, "Last-Modified": value})
    known = msgspec.json.decode(position(read(server)), type=Validators)
    assert (known.etag, known.modified) == ("", "")


@pytest.mark.parametrize("value", ['W/"5f3a-62b1c:1"', '"33a64df5=="', '"1.2.3"', "0x8DB4:A"])
def test_etags_as_servers_write_them_are_kept(server: WebServer, value: str) -> None:
    server["/kev.json"] = Reply(b"{}", headers={"ETag": value})
    assert msgspec.json.decode(position(read(server)), type=Validators).etag == value


def test_packed_documents_within_bounds(server: WebServer) -> None:
    server["/kev.json"] = Reply(gzip.compress(b"epss"))
    assert bodies(read(server)) == [b"epss"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("jan@example.nl.json", "[1]")
        archive.writestr("b.json", "[2]")
        archive.writestr("bomb.json", bytes(3 << 20))
    server["/kev.json"] = Reply(packed.getvalue())
    given = read(server, max_bytes=1 << 20)
    assert bodies(given) == [b"[2]", b"[1]"]
    assert [each.reason for each in given if isinstance(each, Unreadable)] == ["larger than 1 MiB"]
    assert "jan@" not in repr([each for each in given if not isinstance(each, RawDocument)])
    server["/kev.json"] = Reply(gzip.compress(bytes(300 << 20), 1))
    (refused, reached) = read(server)
    assert isinstance(refused, Unreadable)
    assert "unpacks to more than" in refused.reason
    assert isinstance(reached, Reached), "and it is not asked for again until it changes"


def test_an_empty_answer_is_refused(server: WebServer) -> None:
    server["/kev.json"] = Reply(b"")
    assert [each.reason for each in read(server) if isinstance(each, Unreadable)] == ["an empty file"]
