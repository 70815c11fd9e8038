# ruff: noqa: E501 - tables of documents
"""The canary in MISP events that Hypothesis makes: attributes of every type, objects, tags, galaxies, event reports,
proposals and sightings, a value at any of their places.

Nothing in them says that a value is an attacker's (`to_ids` is false throughout), so none may stay in the open.
"""

import importlib.resources
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from pii_guard.guard import Guard
from tests.pii_guard.test_canary import uuid_of
from tests.pii_guard.test_canary_generated import REGIMES, assert_nothing, canaries

AT = "1772438400"
SHA1 = "0123456789abcdef0123456789abcdef01234567"
TYPES = tuple(
    json.loads(importlib.resources.files("pymisp").joinpath("data/describeTypes.json").read_text())["result"]["types"]
)
OBJECTS = ("person", "email", "file", "network-connection", "domain-ip", "user-account", "victim", "url", "iets-anders")
RELATIONS = ("ip", "ip-src", "ip-dst", "from", "to", "filename", "text", "name", "url", "comment", "onbekend")
Json = dict[str, Any]


@st.composite
def texts(draw: st.DrawFn) -> str:
    """A value, alone or in a sentence; or nothing personal."""
    value = draw(canaries).value
    return draw(st.sampled_from([value, f"Gezien bij {value}, vandaag.", f"zie ({value})", "zoutvat"]))


@st.composite
def values(draw: st.DrawFn, kind: str) -> str:
    """What stands in an attribute of a type: of two parts where the type has two."""
    one = draw(canaries).value
    if "|" not in kind:
        return draw(st.sampled_from([one, f"https://x.example/?m={one}", f"mailto:{one}", f"zie {one}"]))
    other = draw(st.sampled_from([SHA1, "443", draw(canaries).value]))
    return draw(st.sampled_from([f"{one}|{other}", f"{other}|{one}", one]))


@st.composite
def attributes(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(TYPES))
    made: Json = {
        "type": kind, "value": draw(values(kind)), "category": draw(st.sampled_from(["Other", "Network activity", "Targeting data"])),
        "to_ids": False, "timestamp": AT,
    }  # fmt: skip
    around: dict[str, st.SearchStrategy[Any]] = {
        "comment": texts(),
        "data": texts(),
        "object_relation": st.sampled_from(RELATIONS) | texts(),
        "Tag": st.lists(tags, max_size=2),
        "Galaxy": st.lists(galaxies(), max_size=1),
        "Sighting": st.lists(sightings(), max_size=2),
        "ShadowAttribute": st.lists(proposals(), max_size=1),
        "deleted": st.just(True),
        "first_seen": texts(),
    }
    for name in draw(st.lists(st.sampled_from(sorted(around)), max_size=3, unique=True)):
        made[name] = draw(around[name])
    return made


tags = st.builds(
    lambda form, text: {"name": form.format(text)},
    st.sampled_from(["{}", "tlp:{}", 'misp-galaxy:tool="{}"', 'misp-galaxy:threat-actor="{}"', 'oktt:melder="{}"']),
    texts(),
)


@st.composite
def proposals(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(TYPES))
    return {"type": kind, "value": draw(values(kind)), "comment": draw(texts()), "Org": {"name": draw(texts())}}


@st.composite
def sightings(draw: st.DrawFn) -> Json:
    kind = draw(st.sampled_from(["0", "1", "2"]))
    return {"type": kind, "date_sighting": AT, "source": draw(texts()), "Organisation": {"name": draw(texts())}}


@st.composite
def galaxies(draw: st.DrawFn) -> Json:
    cluster = {
        "value": draw(texts()), "description": draw(texts()), "authors": [draw(texts())],
        "meta": {"synonyms": [draw(texts())], "refs": [f"https://x.example/{draw(texts())}"], "country": draw(texts())},
    }  # fmt: skip
    kind = draw(st.sampled_from(["threat-actor", "malpedia", "mitre-attack-pattern", "sector", "country", "onbekend"]))
    return {"type": kind, "name": draw(texts()), "description": draw(texts()), "GalaxyCluster": [cluster]}


@st.composite
def things(draw: st.DrawFn) -> Json:
    return {
        "name": draw(st.sampled_from(OBJECTS) | texts()), "comment": draw(texts()), "description": draw(texts()),
        "uuid": uuid_of("object", draw(st.integers(0, 3))), "Attribute": draw(st.lists(attributes(), max_size=3)),
        "ObjectReference": [{"referenced_uuid": uuid_of("object", 1), "relationship_type": draw(texts()), "comment": draw(texts())}],
    }  # fmt: skip


@st.composite
def events(draw: st.DrawFn) -> Json:
    lists: dict[str, st.SearchStrategy[Any]] = {
        "Attribute": st.lists(attributes(), min_size=1, max_size=4),
        "Object": st.lists(things(), max_size=2),
        "Tag": st.lists(tags, max_size=2),
        "Galaxy": st.lists(galaxies(), max_size=2),
        "EventReport": st.lists(st.builds(lambda a, b: {"name": a, "content": b}, texts(), texts()), max_size=2),
        "ShadowAttribute": st.lists(proposals(), max_size=2),
        "RelatedEvent": st.lists(st.builds(lambda a: {"Event": {"info": a}}, texts()), max_size=1),
        "Orgc": st.builds(lambda a: {"name": a}, texts()),
        "event_creator_email": texts(),
        "extends_uuid": texts(),
        "onbekend": texts(),
    }
    event: Json = {
        "uuid": uuid_of("event", 0), "info": draw(texts()), "date": "2026-03-02", "timestamp": AT, "published": True,
        "distribution": "3", "Attribute": [{"type": "domain", "value": "kwaad.example", "to_ids": True, "timestamp": AT}],
    }  # fmt: skip
    for name in draw(st.lists(st.sampled_from(sorted(lists)), min_size=1, max_size=5, unique=True)):
        event[name] = draw(lists[name])
    return draw(st.sampled_from([event, {"Event": event}, {"response": [{"Event": event}]}, [event]]))


@settings(max_examples=120)
@given(events(), st.sampled_from(REGIMES))
def test_no_value_of_any_event_comes_through(guard: Guard, event: Json, regime: str) -> None:
    assert_nothing(guard, json.dumps(event).encode(), regime)
