"""What holds of an import and of what the subscriber gave itself."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from subscribers import Claim, Contact, Incoming, Own, Profile, Said, registry
from subscribers.own import KINDS, effective

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
OPEN, PROVEN = Claim("b.example", NOW), Claim("192.0.2.0/24", NOW, NOW, "dns", NOW)
MAIL = Contact("email", address="a@een.example", digest=("monday",))


@pytest.mark.parametrize(
    ("verified", "claims", "domains", "networks", "counts"),
    [
        (True, (), ("een.example",), (), True),
        (False, (), ("een.example",), (), False),
        (True, (OPEN,), ("een.example",), (), True),
        (False, (OPEN,), ("een.example", "b.example"), (), False),
        (True, (OPEN, PROVEN), ("een.example",), ("192.0.2.0/24",), True),
        (False, (OPEN, PROVEN), (), ("192.0.2.0/24",), True),
    ],
)
def test_what_is_proven_counts_and_nothing_else_comes_along(
    verified: bool, claims: tuple[Claim, ...], domains: tuple[str, ...], networks: tuple[str, ...], counts: bool
) -> None:
    one = Incoming("een", "Een", profile=Profile(domains=("een.example",), verified=verified))
    profile = effective(one, Own(claims=claims), 1, NOW).profile
    assert (profile.domains, profile.networks, profile.verified) == (domains, networks, counts)


def test_a_pause_keeps_its_ways_out_and_takes_all_that_goes_there() -> None:
    one = Incoming("een", "Een", contacts=(MAIL, Contact("taxii")))
    found = effective(one, Own(said=Said(paused=True, digest=("monday",))), 1, NOW)
    assert [each.type for each in found.contacts] == ["email", "taxii"], "a delivery names its channel by place"
    assert found.contacts[0].digest == ()
    assert found.profile.opt_out == KINDS


def test_addresses_are_found_as_they_are_now(connection: sa.Connection) -> None:
    def at(address: str) -> list[str]:
        return [each.id for each in registry.at_address(connection, address)]

    registry.upsert(connection, [Incoming("een", "Een", contacts=(MAIL, MAIL)), Incoming("twee", "Twee")], NOW)
    assert at("A@een.example") == ["een"]
    moved = Contact("email", address="nieuw@een.example")
    registry.upsert(connection, [Incoming("een", "Een", contacts=(moved,))], NOW + timedelta(days=1))
    assert (at("a@een.example"), at("nieuw@een.example")) == ([], ["een"])
    registry.upsert(connection, [Incoming("twee", "Twee", contacts=(moved,))], NOW + timedelta(days=1))
    assert at("nieuw@een.example") == ["een", "twee"]
    registry.remove(connection, "een", NOW)
    assert at("nieuw@een.example") == ["twee"]


def test_a_proof_that_is_looked_at_again_makes_no_new_revision(connection: sa.Connection) -> None:
    registry.upsert(connection, [Incoming("een", "Een")], NOW)
    registry.claim(connection, "een", PROVEN, NOW)
    before = registry.revision(connection)
    registry.claim(connection, "een", Claim(PROVEN.what, NOW, NOW + timedelta(days=1), "dns"), NOW)
    assert registry.revision(connection) == before
    registry.claim(connection, "een", Claim(PROVEN.what, NOW), NOW)
    assert registry.revision(connection) == before + 1
    assert [each.id for each in registry.giving(connection)] == ["een"]
