"""Feeds as they come: badly formed, active, wrongly dated."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Draft, NormalizeError, news
from tlp import Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
NEWS = Source("news", "Nieuws", language="nl", public=True)


def rss(*items: str, head: str = '<rss version="2.0"><channel><title>t</title>') -> bytes:
    return (head + "".join(f"<item>{item}</item>" for item in items) + "</channel></rss>").encode()


def stories(body: bytes) -> tuple[Draft, ...]:
    return news.drafts(body, NEWS, NOW).drafts


def one(item: str) -> Draft:
    (draft,) = stories(rss(item))
    return draft


STORY = (
    "<title>Kritiek lek: CVE-2026-0001</title><link>https://example.org/a</link><guid>g1</guid>"
    "<pubDate>Mon, 02 Mar 2026 06:30:00 +0100</pubDate>"
    "<description>&lt;p&gt;Werk &lt;b&gt;nu&lt;/b&gt; bij.&lt;/p&gt;&lt;p&gt;Zie cve-2026-0002 en "
    '&lt;a href="https://example.com/b?x=1&amp;amp;y=2"&gt;hier&lt;/a&gt;.&lt;/p&gt;</description>'
    "<author>jan@example.org (Jan)</author>"
)


def test_a_story_is_read() -> None:
    draft = one(STORY)
    assert (draft.kind, draft.key, draft.title) == ("news", "g1", "Kritiek lek: CVE-2026-0001")
    assert draft.summary == "Werk nu bij.\nZie cve-2026-0002 en hier."
    assert draft.facts.cves == ("CVE-2026-0001", "CVE-2026-0002")
    assert draft.references == ("https://example.org/a", "https://example.com/b?x=1&y=2")
    assert draft.source_time == datetime(2026, 3, 2, 5, 30, tzinfo=UTC)
    assert (draft.language, draft.label) == ("nl", None)
    assert [thing["type"] for thing in draft.objects] == ["report", "identity", "vulnerability", "vulnerability"]
    assert "jan@" not in repr(draft)


def test_active_content_is_taken_out() -> None:
    markup = (
        "<![CDATA[<p onclick='a()'>Tekst<script>kwaad()</script><style>p{}</style><iframe src='https://evil.example/'>"
        "</iframe><img src=x onerror=a()> &amp;lt;b&amp;gt; <a href='javascript:kwaad()'>klik</a></p>]]>"
    )
    draft = one(f"<title>T &lt;script&gt;x()&lt;/script&gt;itel</title><description>{markup}</description>")
    assert draft.title == "T itel"
    assert draft.summary == "Tekst &lt;b&gt; klik"
    assert draft.references == ()


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        ("Mon, 15 Jan 2024 14:30:22 GMT+0100", datetime(2024, 1, 15, 13, 30, 22, tzinfo=UTC)),
        ("Fri, 15 Jan 2024 14:30:22 GMT", datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC)),
        ("Mon, 15 Jan 2024 14:30 GMT", datetime(2024, 1, 15, 14, 30, tzinfo=UTC)),
        ("2024-01-15T14:30:22Z", datetime(2024, 1, 15, 14, 30, 22, tzinfo=UTC)),
        ("2024-01-15", datetime(2024, 1, 15, tzinfo=UTC)),
    ],
)
def test_wrong_dates_are_read(stated: str, read: datetime) -> None:
    assert one(f"<title>t</title><pubDate>{stated}</pubDate>").source_time == read


def test_a_date_that_cannot_be_read_is_noted_and_costs_nothing_else() -> None:
    result = news.drafts(rss("<title>t</title><pubDate>binnenkort</pubDate>"), NEWS, NOW)
    assert result.drafts[0].source_time is None
    assert [(p.reason, p.path) for p in result.problems] == [("a date that cannot be read", "entry 1")]


def test_without_guid_the_link_is_the_key_and_without_link_the_text() -> None:
    assert one("<title>t</title><link>https://example.org/a</link>").key == "https://example.org/a"
    first, same, other = (one(f"<title>{title}</title>").key for title in ("t", "t", "u"))
    assert first == same != other


def test_the_same_story_twice_in_a_feed_is_one() -> None:
    assert len(stories(rss(STORY, STORY))) == 1


def test_the_label_in_the_text_holds() -> None:
    assert one("<title>[TLP:GREEN] t</title><description>TLP:AMBER+STRICT</description>").label is Label.AMBER_STRICT
    marked = one("<title>TLP:CLEAR t</title>")
    assert all(thing.get("object_marking_refs") for thing in marked.objects if thing["type"] == "report")


def test_a_story_without_title_and_text_is_refused_and_the_rest_goes_on() -> None:
    result = news.drafts(rss("<link>https://example.org/a</link>", STORY), NEWS, NOW)
    assert [(p.reason, p.path) for p in result.problems] == [("a story without title and text", "entry 1")]
    assert len(result.drafts) == 1


def test_undeclared_namespaces_and_wrong_encodings_are_read() -> None:
    (draft,) = stories(rss("<title>t</title><itunes:subtitle>x</itunes:subtitle>"))
    assert draft.title == "t"
    head = '<?xml version="1.0" encoding="us-ascii"?><rss version="2.0"><channel>'
    (draft,) = stories(rss("<title>Ünïcode</title>", head=head))
    assert draft.title == "Ünïcode"


def test_atom_and_rdf_are_read() -> None:
    atom = (
        b'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><id>f</id><title>f</title><entry><id>tag:e</id>'
        b'<title type="html">a &lt;b&gt;c&lt;/b&gt;</title><link href="https://example.org/e"/>'
        b"<updated>2026-03-01T00:00:00Z</updated><content>text</content></entry></feed>"
    )
    (draft,) = stories(atom)
    assert (draft.key, draft.title, draft.summary) == ("tag:e", "a c", "text")
    assert draft.source_time == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_document_that_names_a_file_is_not_opened(tmp_path: Path) -> None:
    secret = tmp_path / "secret.xml"
    secret.write_bytes(rss(STORY))
    with pytest.raises(NormalizeError):
        news.drafts(os.fsencode(secret), NEWS, NOW)


def test_entities_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("geheim")
    head = f'<!DOCTYPE rss [<!ENTITY x SYSTEM "{secret.as_uri()}">]><rss version="2.0"><channel>'
    assert "geheim" not in repr(news.drafts(rss("<title>t &x;</title>", head=head), NEWS, NOW))


@pytest.mark.parametrize("body", [b"", b"{}", b"<html><body>x</body></html>", b"\x00\x01", b"<"])
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    assert not news.sniff(body)
    with pytest.raises(NormalizeError):
        news.drafts(body, NEWS, NOW)


@given(st.binary(max_size=120), st.text(alphabet="<>&;/!-[]= \"'abTLP:html", max_size=60))
def test_any_bytes_are_stories_or_a_refusal(tail: bytes, markup: str) -> None:
    for body in (tail, rss(markup), rss(f"<title>{markup}</title>", STORY)[:-9] + tail, b"<rss><channel><item>" + tail):
        try:
            result = news.drafts(body, NEWS, NOW)
        except NormalizeError:
            continue
        assert all(draft.title and draft.key for draft in result.drafts)


@pytest.mark.corpus
def test_every_public_feed_is_read(corpus: Path) -> None:
    counts = {}
    for file in sorted((corpus / "rss").rglob("*")):
        if not file.is_file() or file.suffix == ".md":
            continue
        body = file.read_bytes()
        assert news.sniff(body[:65536]), file.name
        result = news.drafts(body, NEWS, NOW)
        counts[file.name] = len(result.drafts)
        assert result.drafts or result.problems, file.name
        assert not any(sign in draft.summary for draft in result.drafts for sign in ("<script", "javascript:"))
    assert sum(counts.values()) >= 85
    assert [name for name, count in counts.items() if not count] == [
        "item_guid_isPermaLink_conflict_link.xml", "rss_item_link_corrupted_ampersands.xml", "undeclared_namespace.xml",
        "utf-8-bom.xml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "declared", ["", '<?xml version="1.0" encoding="gb2312"?>', '<?xml version="1.0" encoding="utf-16"?>']
)
def test_an_element_with_thousands_of_attributes_is_refused(declared: str) -> None:
    attributes = " ".join(f'a{number}="b"' for number in range(5000))
    feed = f'{declared}<rss version="2.0"><channel {attributes}><item><title>t</title></item></channel></rss>'
    body = feed.encode("utf-16" if "utf-16" in declared else "ascii")
    with pytest.raises(NormalizeError, match="attributes"):
        news.drafts(body, NEWS, NOW)


@pytest.mark.parametrize("version", ["0.91", "0.92", "0.93", "0.94", "1.0", "2.0", "9.9"])
def test_every_version_of_rss_is_read(version: str) -> None:
    head = f'<?xml version="1.0"?><rss version="{version}"><channel><title>t</title><language>en-us</language>'
    (draft,) = stories(rss(STORY, head=head))
    assert (draft.title, draft.language) == ("Kritiek lek: CVE-2026-0001", "en")


@pytest.mark.parametrize(
    ("declared", "written"),
    [("utf-8", "cp1252"), ("iso-8859-1", "utf-8"), ("us-ascii", "cp1252"), ("no-such", "utf-8"), ("utf-16", "utf-8")],
)
def test_a_wrong_declared_encoding_costs_no_story(declared: str, written: str) -> None:
    head = f'<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel><title>t</title>'
    body = rss("<title>Lek in Café-software</title>", head=head).decode().encode(written)
    (draft,) = stories(body)
    assert draft.title.startswith("Lek in Caf")
    assert draft.title.endswith("-software")


def test_trackers_are_cut_from_the_addresses_of_a_story() -> None:
    draft = one("<title>t</title><link>https://example.org/a?utm_source=rss&amp;id=7</link>")
    assert draft.references == ("https://example.org/a?id=7",)


def test_addresses_and_tags_without_an_end_take_no_time() -> None:
    counted = "https://links.example.com/" + "z" * 200_000
    draft = one(f"<title>t</title><link>{counted}</link><description>&lt;{'a' * 200_000}</description>")
    assert (draft.title, draft.references) == ("t", ())


def test_deep_and_endless_markup_costs_a_story_or_the_feed_and_no_time() -> None:
    deep = f"<title>t</title><description><![CDATA[{'<div>' * 5000}x]]></description>"
    result = news.drafts(rss(deep, STORY), NEWS, NOW)
    assert [draft.title for draft in result.drafts] == ["t", "Kritiek lek: CVE-2026-0001"]
    assert [(p.reason, p.path) for p in result.problems] == [("text with more markup than is read", "entry 1")]
    with pytest.raises(NormalizeError, match="more markup") as refused:
        news.drafts(rss("<title>t</title><description>" + "&lt;b&gt;" * 200_000 + "</description>"), NEWS, NOW)
    assert refused.value.stage == "shape"
