"""Who was told what is taken back, or concerns it no more, is told that, once: whatever comes next."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import workers
from app.service import open_service
from dispatch import DeliveryKind, handing, outbox
from normalize import Affected
from subscribers import Contact, Software
from tests.app.house import House, opened
from tests.app.sink import Sink, listening
from tests.app.test_grouping import lines
from tests.triage.desk import draft
from tlp import Label

BOTH, ONE = Affected("Fortinet", "FortiOS"), Affected("Fortinet", "FortiProxy")
"""What both firms use, and what `twee` alone does."""
FIRST: tuple[tuple[DeliveryKind, int], ...] = (("alert", 1),)


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening(Sink()) as found:
        yield found


@pytest.fixture
def house(tmp_path: Path, url: str, sink: Sink) -> House:
    """An instance that sends to the sink, with two firms."""
    made = opened(tmp_path, url, sink.settings)
    subscribe(made, "een", "FortiOS")
    subscribe(made, "twee", "FortiOS", "FortiProxy")
    return made


def subscribe(house: House, name: str, *products: str) -> None:
    uses = tuple(Software("Fortinet", each) for each in products)
    house.subscribe(name, Contact("email", address=f"{name}@voorbeeld.example"), clearance=Label.AMBER, software=uses)


def said(house: House, *affected: Affected, cves: tuple[str, ...] = ("CVE-2026-0001",), **more: Any) -> str:
    """The source says this of it from now on."""
    house.later(minutes=1)
    known = {"tracking": ("NCSC-2026-0001",), "title": "Lek bij Fortinet", "exploited": True}
    return house.item(draft("doc", affected=affected, cves=cves, **known, **more))


def out(house: House, *affected: Affected, **more: Any) -> str:
    """And somebody releases that."""
    item = said(house, *affected, **more)
    assert house.decide("release", item).state == "released"
    return item


def leave(house: House, times: int = 2) -> None:
    """All that waits, also what waits for something else to be told first."""
    for _ in range(times):
        workers.dispatch(house.service, now=True)
        house.later(minutes=16)


def told(house: House) -> dict[str, list[tuple[DeliveryKind, int]]]:
    """What each firm was sent, in order."""
    found: dict[str, list[tuple[DeliveryKind, int]]] = {"een": [], "twee": []}
    for each in lines(house):
        if each.outcome == "sent":
            found[each.subscriber].append((each.kind, each.version))
    return found


def under_way(house: House, *, died: bool) -> None:
    """A process has all that waits, and the message to `een` in hand; or that was accepted."""
    with house.service.transaction() as connection:
        claimed = {each.subscriber: each for each in outbox.claim(connection, house.now, 10, "w", hurry=True)}
        mine = claimed["een"].id
        assert handing.step(connection, "w", (), "", house.now, [mine])
        assert died or handing.step(connection, "w", [mine], "smtp-250", house.now, ())


def test_a_withdrawal_that_waits_reaches_who_the_next_version_leaves_out(house: House) -> None:
    item = out(house, BOTH)
    leave(house)
    house.decide("withdraw", item)
    out(house, ONE)
    leave(house)
    assert told(house) == {"een": [*FIRST, ("withdrawal", 1)], "twee": [*FIRST, ("update", 2)]}


def test_who_is_not_told_of_the_next_version_after_all_is_told_of_the_withdrawal(house: House) -> None:
    """While it waits that waits; it goes nowhere; then that goes."""
    item = out(house, BOTH)
    leave(house)
    house.decide("withdraw", item)
    out(house, ONE)
    workers.dispatch(house.service)
    assert told(house) == {"een": [*FIRST, ("withdrawal", 1)], "twee": [*FIRST]}
    subscribe(house, "twee", "FortiOS")
    leave(house)
    assert told(house)["twee"] == [*FIRST, ("withdrawal", 1)]


@pytest.mark.parametrize("then", ["", "hold", "decline"])
def test_a_withdrawal_that_waits_goes_while_nobody_has_decided_on_more(house: House, then: str) -> None:
    item = out(house, BOTH)
    leave(house)
    house.decide("withdraw", item)
    said(house, BOTH, ONE)
    if then:
        house.decide(then, item)
    leave(house)
    assert told(house) == {each: [*FIRST, ("withdrawal", 1)] for each in ("een", "twee")}


def test_what_concerns_its_reader_no_more_is_taken_back(house: House, sink: Sink) -> None:
    """Nothing was withdrawn. And whatever comes next: it is told anew, and taken back, once each."""
    item = out(house, BOTH)
    leave(house)
    out(house, ONE)
    leave(house)
    assert told(house) == {"een": [*FIRST, ("withdrawal", 1)], "twee": [*FIRST, ("update", 2)]}
    out(house, ONE, cves=("CVE-2026-0001", "CVE-2026-0002"))
    house.later(hours=5)
    leave(house)
    assert told(house)["een"] == [*FIRST, ("withdrawal", 1)]
    out(house, BOTH, ONE)
    house.later(hours=5)
    leave(house)
    assert told(house)["een"] == [*FIRST, ("withdrawal", 1), ("alert", 4)], "whole: an update names differences"
    house.decide("withdraw", item)
    leave(house)
    assert told(house)["een"] == [*FIRST, ("withdrawal", 1), ("alert", 4), ("withdrawal", 4)]
    assert told(house)["twee"][-1] == ("withdrawal", 4)
    assert [kind for kind, _ in told(house)["twee"]].count("withdrawal") == 1


def test_whom_a_change_of_its_own_leaves_out_is_told_nothing(house: House) -> None:
    """A list of software that was sent half empty is no all-clear. New contacts are no change."""
    out(house, BOTH)
    leave(house)
    subscribe(house, "een", "FortiWeb")
    out(house, BOTH, cves=("CVE-2026-0001", "CVE-2026-0002"))
    house.later(hours=5)
    leave(house)
    assert told(house) == {"een": [*FIRST], "twee": [*FIRST, ("update", 2)]}
    uses = tuple(Software("Fortinet", each) for each in ("FortiOS", "FortiProxy"))
    house.subscribe("twee", Contact("email", address="nieuw@voorbeeld.example"), clearance=Label.AMBER, software=uses)
    out(house, Affected("Fortinet", "FortiMail"))
    house.later(hours=5)
    leave(house)
    assert told(house) == {"een": [*FIRST], "twee": [*FIRST, ("update", 2), ("withdrawal", 2)]}


def test_it_is_taken_back_once(house: House) -> None:
    """Also when what followed is withdrawn in its turn."""
    item = out(house, BOTH)
    leave(house)
    house.decide("withdraw", item)
    leave(house)
    out(house, ONE)
    leave(house)
    house.decide("withdraw", item)
    leave(house)
    assert told(house) == {
        "een": [*FIRST, ("withdrawal", 1)],
        "twee": [*FIRST, ("withdrawal", 1), ("alert", 2), ("withdrawal", 2)],
    }


def test_what_was_withdrawn_and_holds_after_all_is_told_again(house: House) -> None:
    item = out(house, BOTH)
    leave(house)
    house.decide("withdraw", item)
    leave(house)
    said(house, ONE)
    out(house, BOTH)
    leave(house)
    assert told(house) == {each: [*FIRST, ("withdrawal", 1), ("alert", 3)] for each in ("een", "twee")}


@pytest.mark.parametrize("in_hand", [False, True])
def test_what_holds_after_all_before_it_was_taken_back_is_not_taken_back(house: House, *, in_hand: bool) -> None:
    """But who may have been told is told that it holds. Withdrawn again, it is taken back."""
    item = out(house, BOTH)
    leave(house)
    house.decide("withdraw", item)
    if in_hand:
        with house.service.transaction() as connection:
            outbox.claim(connection, house.now, 10, "w")
    said(house, ONE)
    out(house, BOTH)
    house.later(minutes=6)
    leave(house)
    then = ("alert", 3) if in_hand else FIRST[0]
    assert {each[-1] for each in told(house).values()} == {then}
    house.decide("withdraw", item)
    leave(house)
    last = ("withdrawal", 3)
    assert {tuple(each[-2:]) for each in told(house).values()} == {(then, last)}


@pytest.mark.parametrize("withdrawn", [True, False])
@pytest.mark.parametrize("died", [True, False], ids=["died", "accepted"])
def test_what_was_under_way_meanwhile_is_taken_back(house: House, *, withdrawn: bool, died: bool) -> None:
    """A process had the first version in hand while it was taken back, and the next one was decided on."""
    item = out(house, BOTH)
    under_way(house, died=died)
    if withdrawn:
        house.decide("withdraw", item)
    out(house, ONE)
    house.later(minutes=6)
    leave(house, 3)
    assert told(house) == {
        "een": [*([] if died else FIRST), ("withdrawal", 1)],
        "twee": [("alert", 2)],
    }


@pytest.mark.parametrize("under_way", [True, False], ids=["sending", "claimed"])
def test_it_is_taken_back_after_what_a_worker_has_in_hand(house: House, *, under_way: bool) -> None:
    """Of who was told of an earlier version: sent meanwhile, the withdrawal would come before what it takes back."""
    out(house, BOTH)
    leave(house)
    out(house, BOTH, ONE)
    with house.service.transaction() as connection:
        mine = next(
            each.id for each in outbox.claim(connection, house.now, 10, "w", hurry=True) if each.subscriber == "een"
        )
        assert not under_way or handing.step(connection, "w", (), "", house.now, [mine])
    out(house, ONE)
    workers.dispatch(house.service, now=True)
    assert told(house)["een"] == [*FIRST]
    with house.service.transaction() as connection:
        assert under_way or handing.step(connection, "w", (), "", house.now, [mine])
        handing.step(connection, "w", [mine], "smtp-250", house.now, ())
    house.later(minutes=16)
    leave(house)
    assert told(house)["een"] == [*FIRST, ("update", 2), ("withdrawal", 2)]


def test_a_version_of_which_a_part_went_out_takes_nothing_back(house: House) -> None:
    """What it was told of stands in what nobody has decided on yet."""
    market = {"tracking": ("NCSC-2026-0001",), "cves": ("CVE-2026-0001",), "exploited": True}
    item = said(house, ONE)
    house.receive(draft("b", affected=(BOTH,), title="Lek bij Fortinet", **market), source="market")
    house.decide("release", item)
    leave(house)
    assert told(house)["een"] == [("alert", 2)]
    house.receive(draft("b", affected=(BOTH,), title="Lek bij Fortinet", label=Label.AMBER, **market), source="market")
    said(house, ONE, cves=("CVE-2026-0001", "CVE-2026-0003"))
    workers.apply_rules(house.service)
    leave(house)
    assert told(house)["een"] == [("alert", 2)]
    assert house.state(item) == "new"
    assert told(house)["twee"][-1][0] == "update", "a part went out"


def test_a_withdrawal_waits_for_the_waves(house: House) -> None:
    """Of who gets a row later."""
    with (house.service.settings.dir / "oktt.toml").open("a") as settings:
        settings.write("[desk]\nwave_over = 1\n")
    house.service = open_service(house.service.settings.dir)
    house.service.clock = lambda: house.now
    item = out(house, BOTH)
    leave(house, 5)
    house.decide("withdraw", item)
    out(house, BOTH, ONE)
    workers.dispatch(house.service, now=True)
    assert sorted(len(each) for each in told(house).values()) == [1, 2], "the second wave has not opened"
    leave(house, 5)
    assert told(house) == {each: [*FIRST, ("update", 2)] for each in ("een", "twee")}


@pytest.mark.parametrize("in_hand", [False, True])
def test_what_was_taken_in_meanwhile_is_taken_back(house: House, *, in_hand: bool) -> None:
    """Also where nobody had settled yet that it had left."""
    item = out(house, BOTH)
    if in_hand:
        under_way(house, died=False)
    else:
        leave(house)
    other = house.item(draft("b", cves=("CVE-2026-0009",), affected=(ONE,), title="Ander lek"), "kev")
    house.decide("release", other)
    house.decide("withdraw", item)
    more = {"tracking": ("NCSC-2026-0001",), "cves": ("CVE-2026-0009",)}
    house.receive(draft("c", affected=(ONE,), title="Een en hetzelfde", **more), source="market")
    house.later(minutes=6)
    leave(house)
    mine = [(each.subject, each.kind) for each in lines(house) if each.subscriber == "een" and each.outcome == "sent"]
    assert mine == [(item, "alert"), (item, "withdrawal")]


def test_who_is_told_by_the_item_that_took_it_in_is_not_told_otherwise(house: House) -> None:
    item = out(house, BOTH)
    leave(house)
    other = house.item(draft("b", cves=("CVE-2026-0009",), affected=(BOTH,), title="Ander lek"), "kev")
    house.decide("release", other)
    leave(house)
    house.decide("withdraw", item)
    more = {"tracking": ("NCSC-2026-0001",), "cves": ("CVE-2026-0009",)}
    house.receive(draft("c", affected=(BOTH,), title="Een en hetzelfde", **more), source="market")
    house.decide("release", other)
    leave(house)
    mine = [(each.subject, each.kind) for each in lines(house) if each.subscriber == "een" and each.outcome == "sent"]
    assert mine == [(item, "alert"), (other, "alert"), (other, "update")]
