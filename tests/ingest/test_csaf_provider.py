"""CSAF providers over real TLS: every way of listing, hashes and signatures, what changed, and what is not given."""

import hashlib
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pysequoia import SignatureMode, Tsk, sign

import ingest.csaf
from ingest import Expected, Feed, Given, RawDocument, Reached, Source, SourceError, Unreadable
from ingest.csaf import CsafReader
from ingest.csaf_lists import provider, rolie
from tests.ingest.providers import METADATA, CsafProvider, Way
from tests.ingest.webserver import LOOPBACK, Reply, WebServer, web_server
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
WAYS: list[Way] = ["rolie", "changes", "index", "listing"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[WebServer]:
    with web_server(tmp_path) as started:
        yield started


class Polls:
    """Polls of a provider, each from where the one before ended."""

    def __init__(self, server: WebServer, path: str = METADATA, tlp: Label = Label.CLEAR, **more: Any) -> None:
        feed = Feed(server.url(path), **{"ca_file": server.ca_file, "private": LOOPBACK, **more})
        self.source = Source("vendor", "Vendor", kind="csaf", tlp=tlp, feed=feed)
        self.position = ""
        self.given: list[Given] = []

    def poll(self, at: datetime = NOW) -> list[bytes]:
        """The documents that came. What an error cuts off has its position too."""
        self.given = []
        try:
            for each in CsafReader(self.source, key=b"k" * 32, clock=lambda: at).read(self.position):
                self.given.append(each)
        finally:
            reached = [each.position for each in self.given if isinstance(each, Reached)]
            self.position = reached[-1] if reached else self.position
        return [each.body for each in self.given if isinstance(each, RawDocument)]

    @property
    def refused(self) -> list[str]:
        return [each.reason for each in self.given if isinstance(each, Unreadable)]


def three(server: WebServer, way: Way = "rolie", **more: Any) -> CsafProvider:
    """A provider of three documents of this year."""
    provider = CsafProvider(server, way, **more)
    for number, day in enumerate(("2026-02-20", "2026-02-25", "2026-03-01"), 1):
        provider.publish(f"2026/a-{number}.json", b'{"number": %d}' % number, f"{day}T10:00:00.000Z")
    provider.list_them()
    return provider


def body(number: int) -> bytes:
    return b'{"number": %d}' % number


@pytest.mark.parametrize("way", WAYS)
def test_only_what_changed(server: WebServer, way: Way) -> None:
    provider = three(server, way)
    polls = Polls(server)
    assert sorted(polls.poll()) == [body(1), body(2), body(3)]
    assert Expected(3) in polls.given
    assert polls.refused == []
    assert polls.poll() == []
    provider.publish("2026/a-4.json", body(4), "2026-02-21T00:00:00Z")  # listed late: older than what was taken
    provider.list_them()
    assert polls.poll() == [body(4)]
    provider.publish("2026/a-1.json", body(11), "2026-03-02T07:00:00Z", modified="Mon, 02 Mar 2026 07:30:00 GMT")
    provider.list_them()
    later = NOW + (timedelta(days=1) if way in ("index", "listing") else timedelta(hours=1))
    assert body(11) in polls.poll(later)
    assert body(11) not in polls.poll(later)


def test_lists_without_times_ask_the_server(server: WebServer) -> None:
    """Once a day, and only what changed since: If-Modified-Since."""
    provider = three(server, "index")
    polls = Polls(server)
    polls.poll()
    server.requests.clear()
    polls.poll(NOW + timedelta(hours=23))
    assert not server.asked("/csaf/2026/a-1.json")
    asked = "Mon, 02 Mar 2026 07:00:00 GMT"
    for path in provider.times:
        server[f"/csaf/{path}"] = Reply(b"changed", modified=asked)
    assert polls.poll(NOW + timedelta(hours=25)) == []
    assert server.asked("/csaf/2026/a-1.json")[0].headers["If-Modified-Since"] == asked


def test_the_first_poll_goes_back_as_far_as_it_is_told(server: WebServer) -> None:
    three(server)
    assert Polls(server, since=timedelta(days=6)).poll() == [body(2), body(3)]
    assert Polls(server, since=timedelta(hours=1)).poll() == []


@pytest.mark.parametrize("path", ["", "/"])
def test_a_domain_alone(server: WebServer, path: str) -> None:
    three(server)
    assert len(Polls(server, path).poll()) == 3


def test_a_feed_or_a_folder_without_metadata(server: WebServer) -> None:
    three(server, sign=False)
    assert len(Polls(server, "/csaf/feed.json").poll()) == 3
    three(server, "changes", sign=False)
    assert len(Polls(server, "/csaf/").poll()) == 3


@pytest.mark.parametrize("way", WAYS)
def test_what_is_not_what_its_hash_or_signature_says(server: WebServer, way: Way) -> None:
    """Refused by itself, the rest is taken; asked for again, and taken once it is right."""
    provider = three(server, way)
    good = provider.server.routes["/csaf/2026/a-1.json.asc"], provider.server.routes["/csaf/2026/a-2.json.sha512"]
    server["/csaf/2026/a-1.json.asc"] = Reply(bytes(sign(provider.key.signer(), b"x", mode=SignatureMode.DETACHED)))
    server["/csaf/2026/a-2.json.sha512"] = Reply(hashlib.sha512(b"x").hexdigest().encode())
    polls = Polls(server)
    assert polls.poll() == [body(3)]
    assert sorted(polls.refused) == [
        "its OpenPGP signature is not right; it is asked for again",
        "not what its hash says; it is asked for again",
    ]
    assert polls.poll() == []
    server["/csaf/2026/a-1.json.asc"], server["/csaf/2026/a-2.json.sha512"] = good
    assert sorted(polls.poll()) == [body(1), body(2)]
    assert polls.poll() == []


@pytest.mark.parametrize("made", ["stranger", "junk", "empty", "key"])
def test_signatures_that_sign_nothing(server: WebServer, made: str) -> None:
    provider = three(server)
    stranger = Tsk.generate("stranger <s@stranger.example>")
    signature = {
        "stranger": bytes(sign(stranger.signer(), body(1), mode=SignatureMode.DETACHED)),
        "junk": b"-----BEGIN PGP SIGNATURE-----\n\nnone\n-----END PGP SIGNATURE-----\n",
        "empty": b"",
        "key": str(provider.key.extract_certificate()).encode(),
    }[made]
    server["/csaf/2026/a-1.json.asc"] = Reply(signature)
    polls = Polls(server)
    assert polls.poll() == [body(2), body(3)]
    assert polls.refused == ["its OpenPGP signature is not right; it is asked for again"]


def test_without_signatures_it_is_taken_and_told_once(server: WebServer) -> None:
    provider = three(server, sign=False)
    polls = Polls(server)
    assert len(polls.poll()) == 3
    assert polls.refused == ["documents without an OpenPGP signature that can be checked; they are taken all the same"]
    provider.publish("2026/a-4.json", body(4), "2026-03-02T00:00:00Z")
    provider.list_them()
    assert polls.poll() == [body(4)]
    assert polls.refused == []


@pytest.mark.parametrize("key", ["", "junk", "of another"])
def test_a_key_that_is_not_there_is_no_signature(server: WebServer, key: str) -> None:
    """Nor is one with another fingerprint than the provider's metadata say: key servers are not trusted."""
    three(server)
    if key == "of another":
        key = str(Tsk.generate("another <a@another.example>").extract_certificate())
    server["/csaf/key.asc"] = Reply(key.encode(), status=200 if key else 404)
    polls = Polls(server)
    assert len(polls.poll()) == 3
    assert len(polls.refused) == 1


def test_what_lies_beside_documents_has_a_bound(server: WebServer) -> None:
    provider = three(server)
    metadata = json.loads(provider.server.routes[METADATA].body)  # type: ignore[union-attr]
    (key,) = metadata["public_openpgp_keys"]
    others = [{**key, "url": server.url(f"/key-{number}.asc")} for number in range(30)]
    server[METADATA] = Reply(json.dumps({**metadata, "public_openpgp_keys": others}).encode())
    server["/csaf/2026/a-2.json.sha512"] = Reply(b" " * 70_000 + hashlib.sha512(body(2)).hexdigest().encode())
    polls = Polls(server)
    assert polls.poll() == [body(1), body(3)]
    assert "not what its hash says; it is asked for again" in polls.refused
    assert len([each for each in server.requests if each.path.startswith("/key-")]) == 20


@pytest.mark.parametrize("beside", ["sha512", "asc"])
def test_a_hash_or_signature_without_end_is_not_downloaded(server: WebServer, beside: str) -> None:
    three(server)
    server[f"/csaf/2026/a-2.json.{beside}"] = Reply(b" " * 4096, fault="endless")
    polls = Polls(server)  # up to 256 MiB of a document
    started = time.monotonic()
    assert polls.poll() == [body(1), body(3)]
    assert time.monotonic() - started < 5
    why = {"sha512": "not what its hash says", "asc": "its OpenPGP signature is not right"}[beside]
    assert polls.refused == [f"{why}; it is asked for again"]


def test_the_weaker_hash_where_there_is_no_better_one(server: WebServer) -> None:
    three(server)
    for number in (1, 2):
        del server.routes[f"/csaf/2026/a-{number}.json.sha512"]
    server["/csaf/2026/a-1.json.sha256"] = Reply(b"0" * 64)
    del server.routes["/csaf/2026/a-2.json.sha256"]
    polls = Polls(server)
    assert polls.poll() == [body(2), body(3)]
    assert polls.refused == ["not what its hash says; it is asked for again"]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_what_is_listed_and_not_given(server: WebServer, status: int) -> None:
    three(server)
    route = server.routes["/csaf/2026/a-1.json"]
    server["/csaf/2026/a-1.json"] = Reply(status=status)
    polls = Polls(server)
    assert polls.poll() == [body(2), body(3)]
    assert polls.refused == [f"listed, and not given ({status}): perhaps restricted; it is asked for again"]
    assert polls.poll() == []
    server["/csaf/2026/a-1.json"] = route
    assert polls.poll() == [body(1)]


def test_one_document_that_breaks_off_does_not_keep_the_others(server: WebServer) -> None:
    three(server)
    route = server.routes["/csaf/2026/a-1.json"]
    server["/csaf/2026/a-1.json"] = Reply(body(1), fault="half")
    polls = Polls(server)
    assert polls.poll() == [body(2), body(3)]
    assert polls.refused == ["cannot be had (the connection broke off before all was there); it is asked for again"]
    server["/csaf/2026/a-1.json"] = route
    assert polls.poll() == [body(1)]


def test_a_source_that_breaks_down_is_told_as_that(server: WebServer) -> None:
    """What was taken before counts, what could not be had is no refusal, and the next poll goes on."""
    provider = CsafProvider(server)
    for number in range(1, 8):
        provider.publish(f"2026/a-{number}.json", body(number), f"2026-02-2{number}T10:00:00Z")
    provider.list_them()
    good = dict(server.routes)
    for number in range(4, 8):
        server[f"/csaf/2026/a-{number}.json"] = Reply(status=500)
    polls = Polls(server)
    with pytest.raises(SourceError, match=r"\(500\)"):
        polls.poll()
    assert len([each for each in polls.given if isinstance(each, RawDocument)]) == 3
    assert polls.refused == []
    server.routes = good
    assert polls.poll() == [body(number) for number in (7, 4, 5, 6)]


def test_the_oldest_that_fail_for_good_keep_nothing_newer_out(server: WebServer) -> None:
    provider = CsafProvider(server)
    for number in range(1, 8):
        provider.publish(f"2026/a-{number}.json", body(number), f"2026-02-2{number}T10:00:00Z")
    provider.list_them()
    for number in (1, 2, 3):
        server[f"/csaf/2026/a-{number}.json"] = Reply(status=500)
    polls = Polls(server)
    with pytest.raises(SourceError, match=r"\(500\)"):
        polls.poll()
    with pytest.raises(SourceError, match=r"\(500\)"):
        polls.poll()
    assert [each.body for each in polls.given if isinstance(each, RawDocument)] == list(map(body, range(4, 8)))


def test_a_source_that_is_busy_is_left_alone(server: WebServer) -> None:
    three(server)
    route = server.routes["/csaf/2026/a-2.json"]
    server["/csaf/2026/a-2.json"] = Reply(status=429, headers={"Retry-After": "120"})
    polls = Polls(server)
    with pytest.raises(SourceError) as error:
        polls.poll()
    assert error.value.retry_after == timedelta(seconds=120)
    server["/csaf/2026/a-2.json"] = route
    assert polls.poll() == [body(3), body(2)]


def test_labels_of_lists(server: WebServer) -> None:
    """A document without a label of its own has its list's, never a wider one than its source's."""

    def label(of_list: str | None, of_source: Label) -> Label:
        three(server, label=of_list)
        polls = Polls(server, tlp=of_source)
        polls.poll()
        (found,) = {each.source.tlp for each in polls.given if isinstance(each, RawDocument)}
        return found

    assert label("WHITE", Label.CLEAR) == Label.CLEAR
    assert label("WHITE", Label.AMBER) == Label.AMBER
    assert label("AMBER", Label.CLEAR) == Label.AMBER
    assert label("UNLABELED", Label.GREEN) == Label.GREEN
    assert label("PURPLE", Label.CLEAR) == Label.RED


def test_several_feeds_one_of_them_for_others(server: WebServer) -> None:
    provider = three(server)
    provider.publish("2026/b-1.json", b"b", "2026-03-01T00:00:00Z")
    server["/csaf/green.json"] = Reply(provider.feed(["2026/b-1.json", "2026/a-1.json"]))
    server["/csaf/red.json"] = Reply(status=403)
    feeds = [("GREEN", "green.json"), ("RED", "red.json"), ("WHITE", "feed.json")]
    rolie = [{"url": server.url(f"/csaf/{name}"), "tlp_label": label} for label, name in feeds]
    server[METADATA] = Reply(json.dumps({"distributions": [{"rolie": {"feeds": rolie}}]}).encode())
    polls = Polls(server)
    assert len(polls.poll()) == 4
    labels = {each.body: each.source.tlp for each in polls.given if isinstance(each, RawDocument)}
    assert labels == {b"b": Label.GREEN, body(1): Label.GREEN, body(2): Label.CLEAR, body(3): Label.CLEAR}
    server["/csaf/feed.json"] = Reply(status=500)
    provider.publish("2026/b-2.json", b"b2", "2026-03-02T00:00:00Z")
    server["/csaf/green.json"] = Reply(provider.feed(["2026/b-1.json", "2026/b-2.json"]))
    with pytest.raises(SourceError, match=r"\(500\)"):
        polls.poll()
    assert [each.body for each in polls.given if isinstance(each, RawDocument)] == [b"b2"]
    server["/csaf/feed.json"] = Reply(provider.feed(["2026/a-1.json", "2026/a-2.json", "2026/a-3.json"]))
    assert polls.poll() == [], "what the broken list held is still known"


def test_lists_with_flaws(server: WebServer) -> None:
    provider = three(server)
    feed = json.loads(provider.feed(provider.times))
    feed["feed"]["entry"][1:1] = [7, {"id": "jan@example.nl"}, {"content": {"src": "ftp://x/"}}, {"link": [None]}]
    feed["feed"]["entry"][0]["updated"] = "yesterday"
    server["/csaf/feed.json"] = Reply(json.dumps(feed).encode())
    polls = Polls(server)
    assert len(polls.poll()) == 3
    flaws = [(each.reason, each.path) for each in polls.given if isinstance(each, Unreadable)]
    assert flaws == [("names no document", f"/feed/entry/{number}") for number in (1, 2, 3, 4)]


def test_rows_with_flaws(server: WebServer) -> None:
    three(server, "changes")
    server["/csaf/changes.csv"] = Reply(
        b'\xef\xbb\xbf2026/a-1.json,2026-02-20T10:00:00Z\n\nnothing\n"2026/a-2.json","soon"\n"2026/a-3.json","2026-03-01"\n'
    )
    polls = Polls(server)
    assert polls.poll() == [body(1), body(3)]
    assert [each.path for each in polls.given if isinstance(each, Unreadable)] == ["row 3", "row 4"]


@pytest.mark.parametrize(
    ("path", "content", "words"),
    [
        (METADATA, b"<html>", "no JSON object"),
        (METADATA, b"[" * 100_000, "no JSON object"),
        (METADATA, b'{"distributions": [{"rolie": 3}, 4, {"directory_url": 5}]}', "neither feeds nor directories"),
        ("/csaf/feed.json", b'{"feed": {"entry": 3}}', "no ROLIE feed"),
        ("/csaf/feed.json", b'{"entries": []}', "no ROLIE feed"),
    ],
)
def test_what_is_no_list(server: WebServer, path: str, content: bytes, words: str) -> None:
    three(server)
    server[path] = Reply(content)
    with pytest.raises(SourceError, match=words):
        Polls(server).poll()


def test_a_login_page_is_no_changes_csv(server: WebServer) -> None:
    three(server, "changes")
    server["/csaf/changes.csv"] = Reply(b"<html>\n<body>Log in</body>\n</html>")
    with pytest.raises(SourceError, match=r"its changes\.csv is no list"):
        Polls(server).poll()


def test_a_list_may_be_longer_than_a_position(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are remembered one by one; what is older is known, also when many changed at the same moment, and
    also when a poll is cut off at any document."""
    monkeypatch.setattr(ingest.csaf, "KEPT", 5)
    monkeypatch.setattr(ingest.csaf, "BATCH", 1)
    provider = CsafProvider(server, sign=False)
    for number in range(20):
        provider.publish(f"2026/a-{number:02}.json", body(number), f"2026-02-{10 + number // 8}T10:00:00Z")
    provider.list_them()
    taken: list[bytes] = []
    polls = Polls(server)
    while True:
        reader = CsafReader(polls.source, key=b"k" * 32, clock=lambda: NOW).read(polls.position)
        before = len(taken)
        for each in reader:
            if isinstance(each, RawDocument):
                taken.append(each.body)
            if isinstance(each, Reached):
                polls.position = each.position
                if len(taken) >= before + 3:
                    break  # killed here
        else:
            break
        reader.close()  # type: ignore[attr-defined]
    assert set(taken) == {body(number) for number in range(20)}
    assert polls.poll() == []
    assert len(json.loads(polls.position)["seen"]) == 5


def test_redirects_and_references_into_private_networks(tmp_path: Path, server: WebServer) -> None:
    """A provider may lie elsewhere, on the public internet; an advisory there may not be in ours."""
    three(server)
    with web_server(tmp_path, address="127.0.0.2") as inside:
        feed = {
            "feed": {"entry": [{"content": {"src": inside.url("/secret.json", "127.0.0.2")}, "updated": "2026-03-01"}]}
        }
        server["/csaf/feed.json"] = Reply(json.dumps(feed).encode())
        polls = Polls(server)
        assert polls.poll() == []
        assert "private network" in polls.refused[0]
        assert not inside.requests


def lists_of(corpus: Path, server: WebServer, host: str, name: str) -> bytes:
    """A real list, whose host is now the server."""
    return (corpus / "csaf" / name).read_bytes().replace(host.encode(), server.url("").encode())


def beside(server: WebServer, path: str, file: Path) -> bytes:
    """A real document, and its hash."""
    content = file.read_bytes()
    server[path] = Reply(content)
    server[f"{path}.sha512"] = Reply(f"{hashlib.sha512(content).hexdigest()} {file.name}".encode())
    return content


@pytest.mark.corpus
def test_lists_of_real_providers(corpus: Path, server: WebServer) -> None:
    """Each as its publisher wrote it: what is at hand is taken, the rest is listed and not given."""
    csaf = corpus / "csaf"
    forever = {"since": timedelta(days=36500), "tlp": Label.CLEAR}

    host = "https://cert-portal.siemens.com"
    server["/siemens.json"] = Reply(lists_of(corpus, server, host, "siemens-ssa-feed-tlp-white.json"))
    siemens = beside(server, "/productcert/csaf/ssa-426509.json", csaf / "ssa-426509.json")
    polls = Polls(server, "/siemens.json", **forever)
    assert polls.poll() == [siemens]

    host = "https://raw.githubusercontent.com"
    name = "/cisagov/CSAF/develop/csaf_files/IT/white/2024/va-24-201-01.json"
    server["/cisa.json"] = Reply(lists_of(corpus, server, host, "cisa/it-cisa-csaf-it-feed-tlp-white.json"))
    cisa = beside(server, name, csaf / "cisa" / "va-24-201-01.json")
    polls = Polls(server, "/cisa.json", **forever)
    assert polls.poll() == [cisa]
    assert sum("not given (404)" in each for each in polls.refused) == len(polls.refused) - 1 > 0
    server[f"{name}.sha512"] = Reply(b"0" * 128)  # which is found, though this provider writes `ref` for `rel`
    polls = Polls(server, "/cisa.json", **forever)
    assert polls.poll() == []
    assert any("not what its hash says" in each for each in polls.refused)

    server["/cisa/changes.csv"] = Reply(lists_of(corpus, server, host, "cisa/it-changes.csv"))
    cisa = beside(server, "/cisa/csaf_files/IT/white/2024/va-24-201-01.json", csaf / "cisa" / "va-24-201-01.json")
    assert Polls(server, "/cisa/", **forever).poll() == [cisa]

    server["/redhat/changes.csv"] = Reply((csaf / "redhat-changes.csv").read_bytes())
    polls = Polls(server, "/redhat/", **forever)
    assert polls.poll() == []
    assert (Expected(3) in polls.given, len(polls.refused)) == (True, 3)

    server["/bund/index.txt"] = Reply((csaf / "cert-bund-index.txt").read_bytes())
    bund = beside(server, "/bund/2025/wid-sec-w-2025-0001.json", csaf / "wid-sec-w-2025-0001.json")
    assert bund in Polls(server, "/bund/", **forever).poll()


@pytest.mark.corpus
def test_metadata_of_the_standard(corpus: Path) -> None:
    """The examples of OASIS name what they name."""
    example = (corpus / "csaf/oasis-examples/example-01-provider-metadata.json").read_bytes()
    found = provider(example, "https://www.example.com/")
    assert found.feeds or found.folders
    assert found.keys
    feed = (corpus / "csaf/oasis-examples/example-01-feed-tlp-white.json").read_bytes()
    listed, flaws = rolie(feed, "https://psirt.example.com/", Label.CLEAR)
    assert flaws == []
    assert all(each.at and each.hashes and each.signature for each in listed)
    assert listed
