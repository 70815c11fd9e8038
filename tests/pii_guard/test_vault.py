"""The vault: nothing of what is gated can be read where it lies; it is opened for a purpose, on record; keys shred."""

from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from msgspec import structs

from ingest import Source
from normalize import Draft, Facts, Observable
from pii_guard import GuardError, Item, Statement
from pii_guard.guard import Guard
from pii_guard.policy import Policy
from pii_guard.vault import Openings, Vault, month_of
from tests.conftest import NOW
from tests.pii_guard.held import Held

VICTIM, OTHER, C2 = "198.51.100.7", "198.51.100.8", "203.0.113.66"
MONTH = "2026-03"
HERE = object()


def rows(*values: str) -> tuple[Observable, ...]:
    mine = (
        Observable("ipv4", each, "victim", "report:scan_rdp", 64500, "NL", 3389, "tcp", NOW, {"tag": f"rdp-{each[-1]}"})
        for each in values
    )
    return (Observable("ipv4", C2, "attacker", "c2"), *mine)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
def made(policy: Policy, held: Held) -> Guard:
    return Guard(policy, b"a key of the tests, 32 bytes ...", Vault(held))


def stated(guard: Guard, *values: str, regime: str = "wbdwb", source: str = "shadowserver") -> Statement:
    facts = Facts(observables=rows(*(values or (VICTIM, OTHER))), exposure="open-rdp")
    draft = Draft("exposure", "scan_rdp/2026-03-02", "Open RDP", "", "en", facts)
    answer = guard.admit(draft, Source(source, source, regime=regime), NOW)
    assert isinstance(answer, Item)
    return guard.named(answer.statements[0], None, same=False)


def stored(guard: Guard, sealed: bytes) -> Statement:
    (statement,) = guard.restore("OKTT-2026-0001", 1, [sealed]).statements
    return statement


def opened(guard: Guard, sealed: bytes, openings: Openings | None = None) -> Statement:
    with guard.vault.accounting(HERE, openings):
        item = guard.vault.opened(HERE, guard.restore("OKTT-2026-0001", 1, [sealed]), "match")
    return item.statements[0]


def test_nothing_gated_can_be_read_where_it_lies(made: Guard) -> None:
    sealed = made.seal(stated(made))
    for value in (VICTIM, OTHER, "rdp-7", "rdp-8"):
        for form in (value.encode(), value.encode().hex().encode(), msgspec.json.encode(value.encode())[1:-2]):
            assert form not in sealed
    assert C2.encode() in sealed, "what is no secret lies open"


def test_a_closed_row_counts_and_says_nothing(made: Guard) -> None:
    statement = stated(made)
    closed = stored(made, made.seal(statement)).facts.observables
    handle = f"sealed-{statement.key[:16]}-"
    assert [row.value for row in closed] == [C2, f"{handle}0", f"{handle}1"]
    for row, was in zip(closed[1:], statement.facts.observables[1:], strict=True):
        assert row == structs.replace(was, value=row.value, detail={})


def test_it_opens_to_what_was_received(made: Guard) -> None:
    statement = stated(made)
    assert opened(made, made.seal(statement)) == statement
    assert made.seal(stored(made, sealed := made.seal(statement))) == sealed, "what is closed is not closed again"


def test_no_two_records_have_a_key_in_common(made: Guard) -> None:
    assert stored(made, made.seal(stated(made))).vault != stored(made, made.seal(stated(made))).vault


def test_without_a_basis_nothing_is_sealed(made: Guard, held: Held) -> None:
    closed = stored(made, made.seal(stated(made, regime="no-basis")))
    assert closed.vault == b""
    assert held.keys == {}
    assert not any(row.own for row in closed.facts.observables)


def test_an_opening_is_counted_once_for_each_purpose(made: Guard) -> None:
    item = made.restore("OKTT-2026-0001", 1, [made.seal(stated(made))])
    openings = Openings()
    with made.vault.accounting(HERE, openings):
        for purpose in ("match", "match", "notify"):
            made.vault.opened(HERE, item, purpose)  # type: ignore[arg-type]
    key = item.statements[0].key
    assert openings.counts == {(key, "match"): 2, (key, "notify"): 2}
    assert openings.rows == {}, "nothing that was opened outlives its transaction"


def test_nothing_is_opened_where_no_register_tells_of_it(made: Guard) -> None:
    item = made.restore("OKTT-2026-0001", 1, [made.seal(stated(made))])
    with pytest.raises(GuardError, match="register"):
        made.vault.opened(HERE, item, "match")


def test_what_the_policy_does_not_allow_to_open_stays_closed(made: Guard) -> None:
    item = made.restore("OKTT-2026-0001", 1, [made.seal(stated(made))])
    openings = Openings()
    with made.vault.accounting(HERE, openings):
        assert made.vault.opened(HERE, item, "match", lambda _: False) == item
    assert openings.counts == {}


def test_shredded_is_closed_for_good_and_no_fault(made: Guard, held: Held) -> None:
    sealed = made.seal(stated(made))
    held.destroy("shadowserver", MONTH, 1)
    openings = Openings()
    statement = opened(made, sealed, openings)
    assert statement == stored(made, sealed)
    assert len(statement.facts.observables) == 3
    assert openings.counts == {}
    held.make("shadowserver", MONTH, 1)
    assert opened(made, sealed) == statement, "another key of that name opens nothing, and is no fault of the data"


def test_keys_are_of_one_source_and_month(made: Guard, held: Held) -> None:
    one, other = (made.seal(stated(made, source=source)) for source in ("shadowserver", "market"))
    assert {each[:2] for each in held.keys} == {("shadowserver", MONTH), ("market", MONTH)}
    held.destroy("market", MONTH, 1)
    assert opened(made, one).facts.observables[1].value == VICTIM
    assert opened(made, other).facts.observables[1].value.startswith("sealed-")
    late = NOW + timedelta(days=30)
    assert month_of(late) == "2026-04"


def test_a_record_that_was_changed_or_moved_is_told_from_a_shredded_one(made: Guard) -> None:
    one, other = stored(made, made.seal(stated(made))), stored(made, made.seal(stated(made, "198.51.100.9")))
    moved = structs.replace(other, key="another statement", vault=one.vault)
    changed = structs.replace(one, vault=one.vault[:-1] + bytes([one.vault[-1] ^ 1]))
    ruled = structs.replace(one, policy="another policy")
    for each in (moved, changed, ruled, structs.replace(one, regime="oktt"), structs.replace(one, vault=b"\xc1")):
        with pytest.raises(GuardError, match="changed outside OKTT") as caught:
            opened(made, made.seal(each))
        assert VICTIM not in str(caught.value)


def test_rotation_leaves_nothing_under_the_old_key(made: Guard, held: Held) -> None:
    statement = stated(made)
    sealed = made.seal(statement)
    held.make("shadowserver", MONTH, 2)
    again = made.rewrapped(sealed)
    assert again is not None
    assert made.rewrapped(again) is None, "running it again changes nothing"
    held.destroy("shadowserver", MONTH, 1)
    assert opened(made, again) == statement
    assert opened(made, sealed).facts.observables[1].value.startswith("sealed-"), "an old copy"
    assert made.rewrapped(sealed) is None, "what is shredded comes under no other key"


def test_what_expires_is_taken_out_unseen_by_its_category(made: Guard, held: Held) -> None:
    sealed = made.seal(stated(made))
    before = stored(made, sealed)
    after = made.reguard(before, Source("shadowserver", "Shadowserver", regime="wbdwb"), NOW + timedelta(days=181))
    assert after is not None
    assert [row.value for row in after.facts.observables if row.own] == []
    with made.vault.accounting(HERE):
        trimmed = made.vault.trimmed(HERE, after)
        assert made.vault.same(HERE, stated(made), trimmed), "the same again is no news"
        assert not made.vault.same(HERE, stated(made, VICTIM), trimmed)
    held.keys.clear()
    with made.vault.accounting(HERE):
        assert not made.vault.same(HERE, stated(made), trimmed), "nobody can tell any more"


def test_what_is_left_opens_after_some_rows_went(made: Guard) -> None:
    before = stored(made, made.seal(stated(made)))
    gone = structs.replace(before.facts, observables=before.facts.observables[:1] + before.facts.observables[2:])
    with made.vault.accounting(HERE):
        left = made.vault.trimmed(HERE, structs.replace(before, facts=gone))
    again = opened(made, made.seal(left))
    assert [row.value for row in again.facts.observables] == [C2, OTHER]
    assert len(left.vault) < len(before.vault)


Named = Callable[[Statement], str]


def test_a_name_says_nothing_and_changes_with_the_rows(made: Guard, policy: Policy) -> None:
    one = stated(made)
    same = made.named(stated(made), one, same=True)
    other = made.named(stated(made, VICTIM), one, same=False)
    assert (same.gated, same.meaning) == (one.gated, one.meaning)
    assert other.gated != one.gated
    assert other.meaning != one.meaning
    assert stated(made, "198.51.100.77").gated == one.gated, "it is not made of values"
    assert stated(Guard(policy, b"another key of the tests ......."), VICTIM).gated != one.gated


def test_a_list_that_comes_again_is_known_while_its_key_is_there(made: Guard, held: Held) -> None:
    (one,) = made.contents(stated(made))
    assert made.contents(stated(made)) == (one,)
    assert one not in made.contents(stated(made, VICTIM))
    later = structs.replace(stated(made), received_at=NOW + timedelta(days=40))
    assert one in made.contents(later), "in a later month too"
    held.destroy("shadowserver", MONTH, 1)
    assert one not in made.contents(later)
    assert held.newest("shadowserver", MONTH) is None, "asking makes no key anew"
    assert one not in made.contents(stated(made))


def test_a_guard_without_keys_seals_nothing_gated(policy: Policy) -> None:
    bare = Guard(policy, b"a key of the tests, 32 bytes ...")
    with pytest.raises(GuardError, match=r"\[keys\]"):
        bare.seal(stated(bare))
