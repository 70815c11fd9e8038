"""One person's value out of a statement: wherever STIX has room for it, and what is left is valid."""

from typing import Any
from uuid import UUID, uuid5

import msgspec
import pytest
import stix2
from hypothesis import given
from hypothesis import strategies as st

from ingest import Source
from normalize import Affected, Draft, Facts, Observable
from pii_guard import Item, Statement
from pii_guard.forms import Type
from pii_guard.guard import Guard
from pii_guard.policy_file import load
from pii_guard.sought import Sought
from tests.conftest import NOW
from tests.pii_guard.conftest import SHIPPED
from tests.pii_guard.test_expiry import obj

GUARD = Guard(load(SHIPPED.read_text(encoding="utf-8"), "legal.toml"), b"a key of the tests, 32 bytes ...")
SOURCE = Source("market", "Market", regime="wbdwb", public=True)
SCO = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
MAIL, C2, NAME = "baas@aanvaller.example", "203.0.113.66", "zwarte_piet77"


def sco(kind: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(SCO, msgspec.json.encode(properties).decode())}",
        **properties,
    }  # fmt: skip


ADDRESS, BOX = sco("ipv4-addr", value=C2), sco("email-addr", value=MAIL)
DOMAIN = sco("domain-name", value="aanvaller.example")
URL = sco("url", value="http://aanvaller.example/inlog")
MESSAGE = sco("email-message", is_multipart=False, from_ref=BOX["id"], subject="Uw rekening")
FILE = sco("file", name="loader.exe", hashes={"MD5": "d41d8cd98f00b204e9800998ecf8427e"})
ACCOUNT = sco("user-account", account_login=NAME, account_type="unix")
ATTACKER = obj(
    "indicator", 1, name="C2", description=f"Belt naar {C2}, daarna {MAIL}.", indicator_types=["malicious-activity"],
    pattern_type="stix", valid_from="2026-03-01T00:00:00Z",
    pattern=f"[ipv4-addr:value = '{C2}' OR email-addr:value = '{MAIL}' OR domain-name:value = 'evil.example']",
)  # fmt: skip
ONLY = {**ATTACKER, "id": f"indicator--{UUID(int=9, version=4)}", "pattern": f"[ipv4-addr:value = '{C2}']"}
MALWARE = obj(
    "malware", 2, name="Emotet", is_family=True, description=f"Zie http://aanvaller.example/inlog en {C2}.",
    external_references=[
        {"source_name": "x", "url": "http://aanvaller.example/inlog"}, {"source_name": "y", "url": "https://y.example/a"},
    ],
)  # fmt: skip
LINKS = [
    obj("relationship", 10 + n, relationship_type="indicates", source_ref=each["id"], target_ref=MALWARE["id"])
    for n, each in enumerate((ATTACKER, ONLY))
]
BEACON = obj(
    "relationship", 20, relationship_type="communicates-with", source_ref=MALWARE["id"], target_ref=ADDRESS["id"]
)
SEEN = obj(
    "observed-data", 21, first_observed="2026-03-01T00:00:00Z", last_observed="2026-03-01T00:00:00Z", number_observed=1,
    object_refs=[ADDRESS["id"], DOMAIN["id"]],
)  # fmt: skip
GRAPH = (ADDRESS, BOX, DOMAIN, URL, MESSAGE, FILE, ACCOUNT, ATTACKER, ONLY, MALWARE, *LINKS, BEACON, SEEN)
ROWS = (
    Observable("ipv4", C2, "attacker", "c2", 64500, "NL"),
    Observable("email", MAIL, "attacker", "phishing"),
    Observable("url", "http://aanvaller.example/inlog", "attacker", "c2"),
    Observable("domain", "evil.example", "attacker", "c2"),
    Observable("username", NAME, "attacker", "c2"),
)
FACTS = Facts(
    observables=ROWS, remedies=(f"Blokkeer {C2}.", "Werk bij."), affected=(Affected("Aanvaller", "Portal", "1.0"),)
)


def stated(objects: Any = GRAPH, **more: Any) -> Statement:
    given = {"title": f"C2 op {C2}", "summary": f"Van {MAIL} en {C2[:-2]}[.]66.", "facts": FACTS} | more
    draft = Draft("report", "k", language="nl", objects=tuple(objects), references=("https://y.example/a",), **given)
    answer = GUARD.admit(draft, SOURCE, NOW)
    assert isinstance(answer, Item)
    return answer.statements[0]


def erased(statement: Statement, kind: Type, value: str) -> Statement:
    made = GUARD.erase(statement, SOURCE, Sought(kind, value))
    assert made is not None
    return made


def objects_of(statement: Statement) -> list[dict[str, Any]]:
    return msgspec.json.decode(statement.objects)


@pytest.mark.parametrize(
    ("kind", "value", "gone"),
    [
        ("ipv4", C2, {"ipv4-addr"}),
        ("email", MAIL, {"email-addr"}),
        ("url", "https://aanvaller.example/inlog", {"url"}),
        ("domain", "aanvaller.example", {"domain-name", "url", "email-addr"}),
        ("username", NAME, set()),
    ],
)
def test_it_is_nowhere_and_what_is_left_is_valid(kind: Type, value: str, gone: set[str]) -> None:
    statement = stated()
    sought = Sought(kind, value)
    assert sought.holds(msgspec.to_builtins(statement.facts)) or sought.holds(objects_of(statement))
    made = erased(statement, kind, value)
    left = objects_of(made)
    assert not sought.holds([made.title, made.summary, msgspec.to_builtins(made.facts), left])
    assert not {each["type"] for each in left} & gone
    stix2.parse({"type": "bundle", "id": f"bundle--{UUID(int=1, version=4)}", "objects": left}, allow_custom=False)
    ids = {each["id"] for each in left}
    for each in left:
        for key, value_ in each.items():
            if key.endswith("_refs") and key != "object_marking_refs":
                assert set(value_) <= ids
            elif key.endswith("_ref"):
                assert value_ in ids


def test_ids_that_were_made_of_it_go_too() -> None:
    made = erased(stated(), "ipv4", C2)
    assert ADDRESS["id"].encode() not in bytes(made.objects)
    before, after = (
        {each["name"]: each["id"] for each in objects if each["type"] == "malware"}
        for objects in (GRAPH, objects_of(made))
    )
    assert before["Emotet"] != after["Emotet"]


def test_what_holds_it_beside_others_keeps_the_others() -> None:
    made = erased(stated(), "ipv4", C2)
    left = {each["type"]: each for each in objects_of(made)}
    assert left["indicator"]["pattern"] == (f"[email-addr:value = '{MAIL}' OR domain-name:value = 'evil.example']")
    assert left["indicator"]["description"] == f"Belt naar [IP-adres verwijderd], daarna {MAIL}."
    assert left["observed-data"]["object_refs"] == [DOMAIN["id"]]
    assert "[IP-adres verwijderd]" in made.title
    assert made.facts.remedies == ("Blokkeer [IP-adres verwijderd].", "Werk bij.")
    rows = [(each.value, each.detail) for each in made.facts.observables]
    assert rows[-1] == ("AS64500", {"count": "1"})
    assert len([each for each in objects_of(made) if each["type"] == "indicator"]) == 1


def test_who_it_is_not_about_is_not_touched() -> None:
    statement = stated()
    assert GUARD.erase(statement, SOURCE, Sought("ipv4", "203.0.113.67")) is None
    assert GUARD.erase(statement, SOURCE, Sought("email", "iemand@aanvaller.example")) is None


def test_what_was_decided_stays_and_the_findings_say_where_it_was() -> None:
    statement = stated()
    made = erased(statement, "ipv4", C2)
    for name in ("key", "source", "kind", "label", "holds", "received_at", "meaning", "policy", "regime"):
        assert getattr(made, name) == getattr(statement, name)
    new = made.findings[len(statement.findings) :]
    assert {each.rule for each in new} == {"subject.erased"}
    assert {"/title", "/facts/observables/*"} <= {each.path for each in new}
    assert C2 not in repr(new)
    assert GUARD.erase(made, SOURCE, Sought("ipv4", C2)) is None


WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
FORMS = st.sampled_from([C2, "203[.]0[.]113[.]66", "203-0-113-66", f"http://{C2}:8080/x", f"{C2}/32", "203.0[.]113.66"])


@given(st.lists(st.tuples(WORDS, FORMS, WORDS), min_size=1, max_size=5))
def test_in_any_text_in_any_form(parts: list[tuple[str, str, str]]) -> None:
    """Whatever stands around it: no more is found of it after, and a second time there is nothing to do."""
    sought = Sought("ipv4", C2)
    text = " ".join(f"{before} {form} {after}" for before, form, after in parts)
    statement = msgspec.structs.replace(stated((), title="t", summary="", facts=Facts()), summary=text)
    made = erased(statement, "ipv4", C2)
    assert not sought.holds(made.summary)
    assert "203" not in made.summary or "203" in "".join(before + after for before, _, after in parts)
    assert GUARD.erase(made, SOURCE, sought) is None
