"""Recognised by content, decoded robustly, refused in words; nothing but NormalizeError comes out."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Format, RawDocument, Source
from normalize import Normalized, NormalizeError
from normalize.read import normalize, readable
from normalize.recognise import recognise

SOURCE = Source(id="market", name="Market party")
BUNDLE = (
    '{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000001","objects":[{"type":"url","spec_version":"2.1",'
    '"id":"url--00000000-0000-4000-8000-000000000002","value":"https://evil.example/patiënt"}]}'
)
STIX = b'{"type":"malware","id":"malware--00000000-0000-4000-8000-000000000001"}'


def raw(body: bytes, kind: Format = "auto") -> RawDocument:
    return RawDocument(SOURCE, body, "3fa9c1d2.json", datetime(2026, 3, 2, tzinfo=UTC), kind)


def refusal(body: bytes, kind: Format = "auto") -> NormalizeError:
    with pytest.raises(NormalizeError) as refused:
        normalize(raw(body, kind))
    return refused.value


def test_a_list_that_names_itself_nowhere_is_known_by_where_it_came_from() -> None:
    monday, tuesday = b"ip\n198.51.100.7\n", b"ip\n198.51.100.7\n198.51.100.8\n"
    for series, same in (("", False), ("0a1b", True)):
        keys = {normalize(replace(raw(body), series=series)).drafts[0].key for body in (monday, tuesday)}
        assert (len(keys) == 1) is same
    named = BUNDLE.encode()
    assert normalize(raw(named)) == normalize(replace(raw(named), series="0a1b")), "what has a name keeps it"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (STIX, "stix"),
        (b"[" + STIX + b"]", "stix"),
        (b'{"objects":[' + STIX + b'],"more":true,"next":"x"}', "stix"),
        (b' {"objects": [], "id": "x", "type": "bundle"}', "stix"),
        (b'{"vulnerabilities":[], "document":{"csaf_version":"2.0"}}', "csaf"),
        (b'{"title":"x","catalogVersion":"1","vulnerabilities":[]}', "kev"),
        (b'{"dataType":"CVE_RECORD","cveMetadata":{},"containers":{}}', "cve"),
        (b'{"Event":{"info":"x"}}', "misp"),
        (b'{"response":[{"Event":{}}]}', "misp"),
        (b'{"info":"x","Attribute":[]}', "misp"),
        (b'{"ReporterInfo":{},"Report":{}}', "xarf"),
        (b'{"status":"OK","data":[{"cve":"CVE-2020-5902","epss":"0.1"}]}', "epss"),
        (b"#model_version:v2022.01.01\ncve,epss,percentile\n", "epss"),
        (b"cve,epss\nCVE-2020-5902,0.1\n", "epss"),
        (b'<?xml version="1.0"?>\n<!-- <html> --><rss version="2.0"/>', "rss"),
        (b'<feed xmlns="http://www.w3.org/2005/Atom"/>', "rss"),
        (b"<rdf:RDF xmlns:rdf='x'/>", "rss"),
        ('<?xml version="1.0" encoding="utf-16"?><rss/>'.encode("utf-16"), "rss"),
        (b"value,entity_type,description\nevil.example,hostname,x\n", "csv"),
    ],
)
def test_formats_by_content(body: bytes, kind: str) -> None:
    assert recognise(readable(body)[0]) == kind


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"feed":{}}', "CSAF distribution file"),
        (b'{"service":{}}', "CSAF distribution file"),
        (b'{"categories":{}}', "CSAF distribution file"),
        (b'{"aggregator":{},"aggregator_version":"2.0"}', "CSAF distribution file"),
        (b'{"canonical_url":"x","metadata_version":"2.0"}', "CSAF distribution file"),
        (b'"2023/a.json","2024-08-15T11:45:05+00:00"\n', "list of changes"),
        (b"2025/wid-sec-w-2025-0001.json\n", "index of files"),
        (b'{"$schema":"https://json-schema.org/draft/2020-12/schema"}', "a JSON schema, not data"),
        (b'{"bomFormat":"CycloneDX"}', "bill of materials"),
        (b'{"namespace":"tlp","predicates":[]}', "taxonomy"),
        (b"[file:name = 'a']\n[file:name = 'b']\n", "STIX patterns by themselves"),
        (b"<bom xmlns='x'/>", "bill of materials"),
        (b"<html><body/></html>", "a web page"),
        (b"<x/>", "not a format that is known"),
        (b"# A heading\n\nSome | text |\n|---|---|\n", "a page of text (Markdown) for people, not a feed"),
        (b"PK\x03\x04\x14\x00\x06\x00", "not a format that is known"),
        (b"%PDF-1.4\n", "not a format that is known"),
        (b'{"a": 1}', "not a format that is known"),
        (b"[]", "an empty list"),
        (b"[1]", "not a format that is known"),
        (b'["scan_rdp"]', "a list of words, not of documents"),
        (b'<{\n"type": "identity"}>', "not valid JSON: its braces are others"),
        (b'{"/discovery": {}, "api1": {}}', "all that a TAXII server holds, not a bundle"),
        (b"Message-ID: <a@b>\nSubject: x\n\n", "a mail without a story"),
        (b'{"Event":{}}', "no MISP event in it"),
        (b'[{"SharingGroup":{}}]', "a list of MISP sharing groups, not an event"),
        (b'{"uuid":"x","GalaxyCluster":[]}', "a MISP galaxy, not an event"),
        (b'{"Object":[{}]}', "parts of a MISP event without the event"),
        (b'{"5be1e65d-8198-497b-bdf5-5ec20a016219":{"info":"x"}}', "the manifest of a MISP feed"),
        (b'{"a":1}\n{"a":1}\n', "one document a file"),
        (b'{"type": "bundle", ', "cut off"),
        (b'{"type": NaN}', "not valid JSON"),
    ],
)
def test_what_is_not_read_is_refused_in_words(body: bytes, reason: str) -> None:
    error = refusal(body)
    assert reason in error.reason
    assert error.stage == "parse"


def test_broken_json_is_located_by_line_and_not_quoted() -> None:
    error = refusal(b'{\n "jansen": 1,\n oops }')
    assert error.path == "line 3"
    assert "jansen" not in str(error)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_every_encoding_gives_the_same(encoding: str) -> None:
    found = normalize(raw(BUNDLE.encode(encoding)))
    (observable,) = found.drafts[0].facts.observables
    assert observable.value == "https://evil.example/patiënt"
    assert [p.reason for p in found.problems] == (["not UTF-8; read as Windows-1252"] if encoding == "cp1252" else [])


@pytest.mark.parametrize(("open_", "close"), [(b"[", b"]"), (b'{"objects":[', b"]}"), (b'{"a":', b"}")])
def test_deep_nesting_is_refused(open_: bytes, close: bytes) -> None:
    assert "nested deeper" in refusal(open_ * 50_000 + b"1" + close * 50_000).reason


def test_of_a_key_given_twice_the_last_counts() -> None:
    body = (
        b'{"type":"x","type":"bundle","objects":[{"type":"url","id":"url--'
        + b"0" * 8
        + b'-0000-4000-8000-000000000001",'
    )
    found = normalize(raw(body + b'"value":"https://a.example","value":"https://b.example"}]}'))
    assert [o.value for o in found.drafts[0].facts.observables] == ["https://b.example"]
    assert "a.example" not in str(found)


@pytest.mark.parametrize("body", [b"x\n" + b"-" * 65_000, b"<!--" * 16_000, b"<!--" * 16_000 + b"--><br/>"])
def test_signs_without_an_end_take_no_time(body: bytes) -> None:
    with pytest.raises(NormalizeError, match="not a format that is known"):
        recognise(body)


def test_a_stated_format_overrides_the_content() -> None:
    assert "a table without a column of values" in refusal(BUNDLE.encode(), "csv").reason
    assert refusal(b'{"vulnerabilities":[]}', "stix").stage == "shape"


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    try:
        found = normalize(raw(body))
    except NormalizeError:
        return
    assert isinstance(found, Normalized)


@given(st.text(alphabet='{}[]":,\\ abtype1dobjects\n', max_size=80))
def test_anything_like_json_is_read_or_refused(text: str) -> None:
    with pytest.raises(NormalizeError):
        normalize(raw(b'{"type":"bundle","objects":' + text.encode()))


@pytest.mark.corpus
def test_every_file_of_the_corpus_is_read_or_refused(corpus: Path) -> None:
    """Whatever lies in the corpus, of any format: drafts, or a refusal with a reason."""
    kinds: dict[str, set[str]] = {}
    for path in sorted(corpus.rglob("*")):
        if not path.is_file():
            continue
        folder = path.relative_to(corpus).parts[0]
        try:
            kind = normalize(raw(path.read_bytes())).format
            kinds.setdefault(folder, set()).add(kind)
        except NormalizeError:
            continue
    assert kinds == {
        "cpe": {"cve"},
        "csaf": {"csaf"},
        "ioc-csv": {"csv"},
        "kev": {"kev", "cve"},
        "misp": {"misp"},
        "ncsc-nl": {"list"},
        "rss": {"rss"},
        "shadowserver": {"shadowserver", "xarf", "csv", "rss"},
        "stix21": {"stix"},
    }


@pytest.mark.parametrize(
    "text", [r'{"path":"C:\\Users\\jan"}', "value,note\nkwaad.example,jan@b.example ~ caf\u00e9 + 1 \\\n"]
)
def test_utf_7_is_read_as_what_it_means_and_noted(text: str) -> None:
    """RFC 2152; some encode more than they have to."""
    for body in (text.encode("utf-7"), text.encode("utf-7").replace(b"@", b"+AEA-")):
        found, problem = readable(body)
        assert found.decode() == text
        assert problem is not None
        assert problem.reason == "not UTF-8; read as UTF-7"


@pytest.mark.parametrize(
    "body",
    [
        b'{"tel": "+31612345678", "script": "+ADw-script+AD4-"}',  # a plus that is one: only its signs are UTF-7
        b'{"hash": "q+AFwxJ9+4="}', b'{"sign": "A+AA"}', b'{"at": "2026-03-02T08:00:00+0100 C++"}',
        "{\"name\": \"caf\u00e9 +AFw-\"}".encode(),
    ],
)  # fmt: skip
def test_what_only_looks_like_utf_7_stays(body: bytes) -> None:
    assert readable(body) == (body, None)
