"""Whatever is published, taken back and published again: an id has one meaning, and nothing points into the void."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch import View, pages, publication
from dispatch.pages import Filters
from ingest.columns import metadata
from subscribers import Contact, Profile, Subscriber
from tlp import Clearance, Label

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ALIASES = ("clear", "kvk-1", "kvk-2")
ITEMS = ("OKTT-2026-0001", "OKTT-2026-0002")


def node(number: int, name: str, day: int, refs: frozenset[int]) -> dict[str, Any]:
    return {
        "type": "note", "spec_version": "2.1", "id": object_id(number), "created": "2026-03-01T00:00:00.000Z",
        "modified": f"2026-03-0{day}T00:00:00.000Z", "content": name,
        "object_refs": [object_id(each) for each in sorted(refs)],
    }  # fmt: skip


def observable(number: int, name: str) -> dict[str, Any]:
    return {"type": "domain-name", "spec_version": "2.1", "id": object_id(number), "value": f"{name}.example"}


def object_id(number: int) -> str:
    kind = "note" if number < 3 else "domain-name"
    return f"{kind}--{number:08d}-2222-4222-8222-222222222222"


names = st.sampled_from(["een", "twee"])
nodes = st.builds(node, st.integers(0, 2), names, st.integers(1, 2), st.frozensets(st.integers(0, 4), max_size=3))
objects = st.lists(st.one_of(nodes, st.builds(observable, st.integers(3, 4), names)), max_size=6)
publishing = st.tuples(st.sampled_from(ALIASES), st.sampled_from(ITEMS), objects)
withdrawing = st.tuples(st.none(), st.sampled_from(ITEMS), st.just([]))
steps = st.lists(st.one_of(publishing, publishing, withdrawing), max_size=8)


def view(alias: str, item: str, shown: list[dict[str, Any]]) -> View:
    reader = "public" if alias == "clear" else alias
    return View(
        item=item, version=1, kind="report", title="", summary="", label=Label.CLEAR, urgency="info", reader=reader,
        sources=(), cves=(), affected=(), sectors=(), observables=(), remedies=(), references=(), kans=None,
        schade=None, cvss=None, epss=None, exploited=None, exposure=None, withdrawn=False, source_time=None,
        received_at=NOW, reasons=(), objects=tuple(shown), statements=frozenset({"a"}),
    )  # fmt: skip


def rows(conn: sa.Connection, alias: str) -> list[tuple[int, str, str, bytes]]:
    found = publication.find(conn, alias)
    assert found is not None
    filters = Filters(versions=("all",))
    page = pages.page(conn, found.id, lambda links: links, limit=1000, filters=filters)
    whole = pages.at(conn, found.id, [(row.seq, row.seq) for row in page.rows])
    return [(row.seq, row.object_id, row.version, row.body) for row in whole]


def fresh() -> sa.Engine:
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine)
    with engine.begin() as conn:
        publication.ensure(conn, NOW, random=bytes)
        for number, alias in enumerate(ALIASES[1:]):
            who = Subscriber(alias, number, "", "nl", Clearance(), Profile(), (Contact(type="taxii"),), NOW)
            publication.collection_for(conn, who, NOW, random=lambda size, seed=number: bytes([seed + 1]) * size)
    return engine


@settings(max_examples=40)
@given(steps)
def test_one_meaning_no_gaps_and_nothing_twice(actions: list[tuple[str | None, str, list[dict[str, Any]]]]) -> None:
    meanings: dict[tuple[str, str], bytes] = {}
    last_seen = dict.fromkeys(ALIASES, 0)
    seen: dict[str, set[int]] = {alias: set() for alias in ALIASES}
    shown: dict[tuple[str, str], list[dict[str, Any]]] = {}
    engine = fresh()
    with engine.begin() as conn:
        for alias, item, some in actions:
            if alias is None:
                publication.withdraw(conn, item, NOW)
                shown = {key: held for key, held in shown.items() if key[1] != item}
            else:
                publication.publish(conn, alias, view(alias, item, some), NOW)
                assert publication.publish(conn, alias, view(alias, item, some), NOW).appended == 0
                shown[alias, item] = some
            for each in ALIASES:
                there = rows(conn, each)
                for seq, name, version, body in there:
                    assert meanings.setdefault((name, version), body) == body, "an id and version mean one thing"
                    assert seq > last_seen[each] or seq in seen[each], "what is new comes after all that was there"
                    seen[each].add(seq)
                last_seen[each] = max([seq for seq, *_ in there], default=last_seen[each])
                check_content(there, [held for (where, _), held in shown.items() if where == each])
    engine.dispose()


def check_content(there: list[tuple[int, str, str, bytes]], views: list[list[dict[str, Any]]]) -> None:
    """What is served says what the views say, under whatever names; what is gone is revoked."""
    decoded = [msgspec.json.decode(body) for *_, body in there]
    live = [obj for obj in decoded if not obj.get("revoked")]
    ids = {obj["id"] for obj in live}
    said = {(obj["type"], obj.get("content") or obj["value"]) for obj in live if obj["type"] != "identity"}
    views = [newest(held) for held in views]
    wanted = {(obj["type"], obj.get("content") or obj["value"]) for held in views for obj in held}
    assert wanted <= said
    for held in views:
        sources = {obj["id"] for obj in held}
        for obj in held:
            if all(ref in sources for ref in obj.get("object_refs", ())):
                same = [each for each in live if each.get("content") == obj.get("content")]
                assert any(set(each.get("object_refs", ())) <= ids for each in same)


def newest(held: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An older version of what the same view holds newer is not shown."""
    last = {obj["id"]: max(each.get("modified", "") for each in held if each["id"] == obj["id"]) for obj in held}
    return [obj for obj in held if obj.get("modified", "") == last[obj["id"]]]
