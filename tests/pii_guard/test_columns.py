"""What is seen of many objects at once is what a walk through each of them finds: objects, findings and marks."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.inputs import bundle
from ingest import RawDocument, Source
from normalize import Draft, NormalizeError
from normalize.read import normalize
from pii_guard.blocks import Blocks
from pii_guard.columns import Columns
from pii_guard.marks import Marks
from pii_guard.paths import NESTED, PROPERTIES
from pii_guard.patterns import Patterns
from pii_guard.policy import Policy
from pii_guard.policy_file import load
from pii_guard.redact import names_in, rewrite
from pii_guard.roles import of_bundle
from pii_guard.values import Eraser
from tests.app.canary import Planter
from tests.app.canary_stix import documents
from tests.conftest import NOW
from tests.pii_guard.conftest import SHIPPED
from tests.pii_guard.test_canary import CANARIES, filled, uuid_of

POLICY: Policy = load(SHIPPED.read_text(encoding="utf-8"), "legal.toml")
REGIMES = ("wbdwb", "oktt", "cbw", "no-basis")
Object = dict[str, Any]


class Unseeing(Columns):
    """Sees nothing: every object is walked."""

    def __init__(self, walk: Any, blocks: Blocks) -> None:
        self._count, self._judged = len(blocks.objects), []


def decided(objects: Sequence[Object], regime: str, seen: type[Columns], changed: Sequence[str] = ()) -> Any:
    """Everything that the guard says of some objects."""
    patterns = Patterns()
    roles = of_bundle(Blocks(objects), patterns.compared)
    source = Source("market", "Market party", regime=regime)
    eraser = Eraser(POLICY.rulings(regime, source), roles, language="nl", public=False)
    eraser.marks = Marks(b"a key of the tests, 32 bytes ...")
    eraser.marks.under(POLICY, regime)
    eraser.know_names(names_in(Blocks(objects)))
    before = json.dumps(objects)
    made = rewrite(Blocks(objects), eraser, lambda old: f"{old[:-12]}{'9' * 12}", patterns, changed=changed, seen=seen)
    assert json.dumps(objects) == before
    ledger = eraser.ledger
    return made, ledger.findings(), ledger.refused, ledger.suspect, eraser.marks.heaps()


def same(objects: Sequence[Object], changed: Sequence[str] = ()) -> None:
    for regime in REGIMES:
        at_once, one_by_one = (decided(objects, regime, seen, changed) for seen in (Columns, Unseeing))
        for mine, theirs in zip(at_once, one_by_one, strict=True):
            assert mine == theirs


CLEAN: dict[str, tuple[Any, ...]] = {
    "plain": (1, True, 2.5), "time": ("2026-03-01T00:00:00Z", "2026-03-01T00:00:00.123+01:00"),
    "hashes": ({"MD5": "a" * 32}, {"SHA-256": "b" * 64, "SSDEEP": "3:abc:def"}), "hex": ("ab12", 7, "0x1f"),
    "url": ("https://h.example/x", "https://h.example/a?b=c%20d"), "domain": ("h.example", "c2-1042.example"),
    "url-sco": ("https://h.example/", "http://c2-7.example/gate.php", "http://203.0.113.5/x", "no url"),
    "word": ("word", "malicious-activity", 7), "term": ("ZOUTVAT", "C2 1042"), "language": ("nl", "en-GB"),
    "version": ("1.0", "10.2.3.4", "cpe:2.3:a:x:y:1"), "prose": ("Gezien op 3 maart", "", "Wat er staat"),
    "title": ("Week 9", "Een aanval"), "file-path": ("kwaad.exe", "/tmp/x", "C:\\Windows\\x.dll"),
    "registry-key": ("HKEY_LOCAL_MACHINE\\x", "HKLM\\x"), "registry-data": ("aan", 7), "account": ("root", "jan"),
    "address:ipv4": ("203.0.113.5", "198.51.100.7", "203.0.113.0/24"), "address:ipv6": ("2001:db8::9",),
    "address:mac": ("00:00:5e:00:53:01",), "address:email": ("kwaad@h.example",),
    "pattern": (
        "[ipv4-addr:value = '203.0.113.5']", "[domain-name:value = 'c2-7.example']", "[file:name = 'kwaad.exe']",
        "[ipv4-addr:value = '203.0.113.5' OR ipv4-addr:value = '198.51.100.7']", f"[file:hashes.MD5 = '{'a' * 32}']",
        "[url:value = 'http://c2-7.example/gate.php']", "[url:value = 'http://c2-7.example']", "[file:size > 5]",
        "[x-own:thing = 'a']", "[process:command_line = 'a b']", "[mutex:name = 'b'] AND [mutex:name = 'c']",
        "[no",
    ),
    "contents": ({"nl": {"name": "x"}},), "extensions": ({"ntfs-ext": {"sid": "S-1-5"}}, {}),
    "granular": ([{"marking_ref": f"marking-definition--{uuid_of(8)}", "selectors": ["name"]}],),
}  # fmt: skip
IDENTIFIERS = [f"{kind}--{uuid_of(kind, number)}" for kind in PROPERTIES for number in range(2)]
MARKINGS = (f"marking-definition--{uuid_of(8)}", "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421")
ODD = st.sampled_from((None, 1, True, 0, "", "x\ny", [], {}, [[]], [1], [{}], {"a": 1}, "2026-03-01T00:00:00Z\n"))


def values(word: str) -> st.SearchStrategy[Any]:
    """Of a treatment: mostly what it lets through."""
    kind, _, argument = word.partition(":")
    if word in CLEAN:
        made: st.SearchStrategy[Any] = st.sampled_from(CLEAN[word])
    elif word in ("ref", "ref-inside"):
        made = st.sampled_from((*IDENTIFIERS, f"identity--{uuid_of('elsewhere')}"))
    elif word in ("refs", "refs-inside"):
        made = st.lists(st.sampled_from(IDENTIFIERS), min_size=1, max_size=3)
    elif word == "markings":
        made = st.lists(st.sampled_from(MARKINGS), min_size=1, max_size=2)
    elif word in ("words", "terms") or kind == "list-of":
        made = st.lists(st.sampled_from(CLEAN[{"words": "word", "terms": "term"}.get(word, argument)]), max_size=2)
    elif kind in ("list", "table"):
        inner = st.fixed_dictionaries({}, optional={key: values(name) for key, name in NESTED[argument].items()})
        made = st.lists(inner, max_size=2) if kind == "list" else inner
    else:
        made = st.just("x")
    hostile = st.sampled_from(sorted(CANARIES)).flatmap(lambda name: st.sampled_from(filled(word, CANARIES[name])))
    return st.integers(0, 19).flatmap(lambda luck: ODD if luck == 0 else hostile if luck == 1 else made)


@st.composite
def draft(draw: st.DrawFn) -> list[Object]:
    """Objects of a few types, in few layouts, so that many have the same properties."""
    objects: list[Object] = []
    for kind in draw(st.lists(st.sampled_from(sorted(PROPERTIES)), min_size=1, max_size=3)):
        table = PROPERTIES[kind]
        some = draw(st.lists(st.sampled_from(sorted(table)), max_size=8, unique=True))
        layout = [key for key in table if key in some or draw(st.integers(0, 3)) == 0]
        for number in range(draw(st.integers(1, 4))):
            obj: Object = {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid_of(kind, number % 2)}"}
            obj |= {key: draw(values(table[key])) for key in layout if key not in obj}
            if draw(st.integers(0, 29)) == 0:
                obj[draw(st.sampled_from(("x_own", "id", "type", "spec_version")))] = draw(ODD)
            objects.append(obj)
    return draw(st.permutations(objects))


@settings(max_examples=100, deadline=None)
@given(draft())
def test_at_once_is_one_by_one(objects: list[Object]) -> None:
    same(objects)


@settings(max_examples=30, deadline=None)
@given(draft(), st.lists(st.sampled_from(IDENTIFIERS), max_size=4))
def test_what_changed_before_changes_what_refers_to_it(objects: list[Object], changed: list[str]) -> None:
    same([obj for obj in objects if isinstance(obj.get("id"), str)], changed)


def drafts(body: bytes) -> tuple[Draft, ...]:
    try:
        return normalize(RawDocument(Source("market", "Market party"), body, "test", NOW, "stix", "k")).drafts
    except NormalizeError:
        return ()


@pytest.mark.parametrize("document", [*documents(Planter())], ids=range(7))
def test_canaries_at_once_are_canaries_one_by_one(document: Any) -> None:
    for each in drafts(document.body):
        same(each.objects)


def test_a_bundle_is_mostly_seen_at_once() -> None:
    class Counting(Columns):
        walked = 0

        def left(self) -> list[int]:
            Counting.walked = len(found := super().left())
            return found

    (each,) = drafts(bundle(600, 3))
    same(each.objects)
    decided(each.objects, "wbdwb", Counting)
    assert 0 < Counting.walked < 60, "one object in twenty names somebody"
