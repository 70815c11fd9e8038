"""A snapshot is used only where it is whole, of this program and of this registry."""

import pytest

from filtering import snapshot
from filtering.index import Index
from tests.filtering.test_following import held
from tests.filtering.things import subscriber

WORLD = [
    subscriber(3, sectors=("SBI:25",), networks=("192.0.2.0/24", "AS64500"), domains=("a.example",)),
    subscriber(5, networks=("2001:db8::/32", "192.0.2.7/32"), region="Utrecht"),
    subscriber(9, kind="supplier", members=("s3",)),
]


@pytest.fixture
def index() -> Index:
    return Index.build(WORLD, 7)


def test_it_comes_back_as_it_was(index: Index) -> None:
    found = snapshot.load(snapshot.dump(index, 11), {7: 11}.get)
    assert found is not None
    assert held(found) == held(index)
    assert found.revision == 7


def test_what_changed_after_it_was_restored(index: Index) -> None:
    """Packed or beside: nobody sees which."""
    found = snapshot.load(snapshot.dump(index, 11), {7: 11}.get)
    assert found is not None
    moved, new = subscriber(5, networks=("192.0.2.7/32", "198.51.100.0/24")), subscriber(12, domains=("a.example",))
    for one in (found, index):
        one.apply([(3, None), (5, moved), (12, new)], 8)
    assert held(found) == held(Index.build([moved, WORLD[2], new]))
    assert found.number(WORLD[0].id) is None
    again = snapshot.load(snapshot.dump(found, 12), {8: 12}.get)
    assert again is not None
    assert held(again) == held(index)


@pytest.mark.parametrize("marks", [{}, {7: 12}, {8: 11}])
def test_that_of_another_registry_is_passed_over(index: Index, marks: dict[int, int]) -> None:
    """Its revision has another mark here, or was never reached."""
    assert snapshot.load(snapshot.dump(index, 11), marks.get) is None


def test_torn_or_changed_it_is_passed_over(index: Index) -> None:
    whole = snapshot.dump(index, 11)
    for length in (0, 1, 30, len(whole) // 2, len(whole) - 1):
        assert snapshot.load(whole[:length], {7: 11}.get) is None
    for at in (0, 15, 16, 30, 40, len(whole) // 2, len(whole) - 1):
        assert snapshot.load(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], {7: 11}.get) is None
    assert snapshot.load(whole, {7: 11}.get) is not None
