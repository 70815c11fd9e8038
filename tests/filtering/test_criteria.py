"""Each criterion of issue 5, point 1, as a table: who gets it. `outcomes` also holds match and explain together."""

from datetime import UTC, datetime
from typing import Any

import pytest

from filtering.clock import is_quiet
from filtering.index import Index
from filtering.match import match
from normalize import Observable
from subscribers import Quiet, Scope
from tests.filtering.things import NOW, address, affected, item, matching, outcomes, statement, subscriber, uses

SEEN = ("deliver", "no-match")


@pytest.mark.parametrize(
    ("named", "mine", "met"),
    [
        ("SBI:25.62", "SBI:25.62", True),
        ("SBI:C", "SBI:25.62", True),
        ("SBI:25.62", "SBI:C", True),
        ("NACE:25", "SBI:25.62", True),
        ("SBI:25.6", "NACE:25.62", True),
        ("NACE:26", "SBI:25.62", False),
        ("NIS2:energy", "SBI:35.11", True),
        ("NIS2:energy.electricity", "NIS2:energy", True),
        ("NIS2:energy.gas", "NIS2:energy.electricity", False),
        ("STIX:energy", "NIS2:energy.electricity", True),
        ("STIX:manufacturing", "NACE:10.71", True),
        ("STIX:retail", "SBI:47.11", True),
        ("STIX:retail", "NIS2:health", False),
    ],
)
def test_sector(named: str, mine: str, met: bool) -> None:
    """Of any scheme; a code means everything below it, on both sides."""
    assert outcomes(item(statement(sectors=(named,))), subscriber(1, sectors=(mine,))) == [SEEN[not met]]


@pytest.mark.parametrize(
    ("seen", "held", "met"),
    [
        ("www.voorbeeld.nl", "voorbeeld.nl", True),
        ("voorbeeld.nl", "voorbeeld.nl", True),
        ("voorbeeld.nl", "www.voorbeeld.nl", False),
        ("mijnvoorbeeld.nl", "voorbeeld.nl", False),
        ("voorbeeld.co.uk", "co.uk", False),
        ("voorbeeld.co.uk", "voorbeeld.co.uk", True),
        ("iemand.github.io", "github.io", False),
        ("dienst.gov.nl", "gov.nl", False),
        ("xn--bcher-kva.nl", "xn--bcher-kva.nl", True),
    ],
)
def test_domain(seen: str, held: str, met: bool) -> None:
    """Own and below; nobody holds a public suffix."""
    found = item(statement(kind="exposure", observables=(Observable("domain", seen),)))
    who = subscriber(1, domains=(held,))
    assert outcomes(found, who) == [SEEN[not met]]
    reason = next(each for each in matching(found, who).explain(who).reasons if each.criterion == "domain")
    assert reason.matched is met
    assert ("public suffix" in reason.because) is (held in ("co.uk", "github.io", "gov.nl"))


@pytest.mark.parametrize(
    ("profiles", "told"),
    [
        ([{"networks": ("192.0.2.0/24",)}, {"networks": ("192.0.2.0/28",)}], "deliver deliver"),
        ([{"networks": ("192.0.2.0/24",)}, {"networks": ("AS64500",)}], "deliver no-match"),
        ([{"networks": ("198.51.100.0/24",)}, {"networks": ("AS64500",)}], "no-match deliver"),
        ([{"networks": ("192.0.2.0/24",), "verified": False}, {"networks": ("AS64500",)}], "unverified deliver"),
        ([{"networks": ("192.0.2.0/24",)}, {"networks": ("192.0.2.0/24",), "kind": "vital"}], "deliver vital"),
        ([{"networks": ("192.0.2.0/24",)}, {"networks": ("192.0.2.0/24",), "kind": "cert"}], "deliver deliver"),
        ([{"networks": ("192.0.2.0/24",), "country": "BE"}, {"networks": ("2001:db8::/32",)}], "deliver no-match"),
    ],
)
def test_network(profiles: list[dict[str, Any]], told: str) -> None:
    """All who hold it are told; where nobody verified does, the network owner."""
    found = item(statement(kind="exposure", countries=("NL",), observables=(address("192.0.2.7", 64500),)))
    who = [subscriber(number, **profile) for number, profile in enumerate(profiles, 1)]
    assert " ".join(outcomes(found, *who)) == told


@pytest.mark.parametrize(
    ("countries", "regions", "profile", "met"),
    [
        ("NL", "", {"region": "NL-NB"}, True),
        ("", "NL-NB", {"region": "NL-NB"}, True),
        ("", "NL-NB NL-UT", {"region": "NL-UT"}, True),
        ("", "NL-NB", {"region": "NL-UT"}, False),
        ("", "NL-NB", {"region": ""}, True),  # it may be there
        ("", "NL-NB", {"region": "", "country": "BE"}, False),
        ("BE", "NL-NB", {"country": "BE"}, True),
        ("NL", "NL-NB", {"region": "NL-UT"}, True),  # all of it, and a part
        ("", "western-europe", {"region": "NL-UT"}, True),
        ("US", "europe", {"region": "NL-UT"}, True),
        ("", "eastern-asia", {"region": "NL-UT"}, False),
        ("US", "", {"region": "NL-UT"}, False),
    ],
)
def test_place(countries: str, regions: str, profile: dict[str, Any], met: bool) -> None:
    """Countries as a whole, parts of countries and parts of the world; a region that is not known is not elsewhere."""
    found = item(statement(affected=(affected(),), countries=tuple(countries.split()), regions=tuple(regions.split())))
    who = subscriber(1, software=uses(), **profile)
    assert outcomes(found, who) == [SEEN[not met]]
    reasons = {each.criterion: each.matched for each in matching(found, who).explain(who).reasons}
    assert reasons["region" if regions else "country"] is met


def test_of_who_stands_for_others_their_region_counts() -> None:
    found = item(statement(affected=(affected(),), regions=("NL-NB",)))
    member, other = subscriber(1, **MEMBER), subscriber(2, **(MEMBER | {"region": "NL-UT"}))
    seat = {"region": "NL-ZH", "software": uses("Other", "Thing")}
    ours, theirs = (subscriber(n, kind="cert", members=(f"s{n - 2}",), **seat) for n in (3, 4))
    assert outcomes(found, member, other, ours, theirs) == ["deliver", "no-match", "deliver", "no-match"]


MEMBER: dict[str, Any] = {"software": uses(), "sectors": ("SBI:25.62",), "region": "NL-NB"}


@pytest.mark.parametrize(
    ("profile", "met"),
    [
        ({"kind": "supplier", "members": ("s1",)}, True),
        ({"kind": "supplier", "members": ("s9",)}, False),
        ({"kind": "supplier", "scope": Scope(("SBI:25",))}, False),
        ({"kind": "company", "members": ("s1",)}, False),
        ({"kind": "vital", "members": ("s1",)}, False),
        ({"kind": "partnership", "members": ("s1",)}, True),
        ({"kind": "partnership", "scope": Scope(("SBI:25",))}, True),
        ({"kind": "partnership", "scope": Scope(("SBI:26",))}, False),
        ({"kind": "partnership", "scope": Scope((), ("NL-NB",))}, True),
        ({"kind": "partnership", "scope": Scope((), ("NL-UT",))}, False),
        ({"kind": "partnership", "scope": Scope(("NACE:25",), ("NL-NB",))}, True),
        ({"kind": "partnership", "scope": Scope(("SBI:25",), ("NL-UT",))}, False),
        ({"kind": "cert", "scope": Scope(("NACE:C",))}, True),
        ({"kind": "cert", "members": ("s1",), "country": "BE"}, False),
    ],
)
def test_through_clients(profile: dict[str, Any], met: bool) -> None:
    """A supplier through those who gave it a mandate, a partnership through members or scope, a CERT through its
    constituency; nobody else, whatever the profile lists."""
    found = item(statement(affected=(affected(),), countries=("NL",)))
    agent = subscriber(2, software=uses("Other", "Thing"), **profile)
    assert outcomes(found, subscriber(1, **MEMBER), agent) == ["deliver", SEEN[not met]]
    reasons = matching(found, subscriber(1, **MEMBER), agent).explain(agent).reasons
    assert any(each.value.startswith("clients: 1/1") for each in reasons) is met


def test_vital_clients_go_to_the_ncsc_and_not_through_their_supplier() -> None:
    found = item(statement(affected=(affected(),)))
    vital, supplier = subscriber(1, kind="vital", **MEMBER), subscriber(2, kind="supplier", members=("s1",))
    assert outcomes(found, vital, supplier)[0] == "vital"
    assert "clients: 0/1" in {each.value for each in matching(found, vital, supplier).explain(supplier).reasons}


def test_clients_come_and_go() -> None:
    found, member = item(statement(affected=(affected(),))), subscriber(1, **MEMBER)
    index = Index.build([subscriber(2, kind="supplier", members=("s1",), software=uses("Other", "Thing"))])

    def told() -> list[int]:
        return list(match(found, index, NOW, urgency=None, consents={}).outcomes["deliver"])

    for _ in range(2):
        assert told() == []
        index.put(member)
        assert told() == [1, 2]
        index.put(subscriber(1))
        assert told() == []
        index.remove(1)


@pytest.mark.parametrize(
    ("quiet", "moment", "wanted"),
    [
        (Quiet("22:00", "07:00"), "2026-03-02T21:00Z", True),  # 22:00
        (Quiet("22:00", "07:00"), "2026-03-02T06:00Z", False),  # 07:00
        (Quiet("22:00", "07:00", (7,)), "2026-03-02T05:00Z", True),  # Monday morning belongs to Sunday
        (Quiet("22:00", "07:00", (1,)), "2026-03-02T05:00Z", False),
        (Quiet("07:00", "07:00"), "2026-03-02T06:00Z", False),  # equal: never
        (Quiet("22:00", "07:00"), "2026-03-29T04:59Z", True),  # summer time began: 06:59
        (Quiet("22:00", "07:00"), "2026-03-29T05:00Z", False),
        (Quiet("02:00", "03:00"), "2026-03-29T01:00Z", False),  # an hour that is not there
        (Quiet("22:00", "07:00"), "2026-10-25T05:59Z", True),  # winter time: 06:59
        (Quiet("22:00", "07:00"), "2026-10-25T06:00Z", False),
        (Quiet("02:00", "03:00"), "2026-10-25T00:30Z", True),  # an hour that is there twice
        (Quiet("02:00", "03:00"), "2026-10-25T01:30Z", True),
        (Quiet("22:00", "07:00", (), "America/New_York"), "2026-03-03T03:00Z", True),
        (Quiet("22:00", "07:00", holidays="NL"), "2026-04-06T10:00Z", True),  # Easter Monday
        (Quiet("22:00", "07:00", holidays="NL"), "2026-04-05T21:30Z", True),  # Easter Sunday, by hours too
        (Quiet("07:00", "07:00", holidays="NL"), "2026-04-26T22:30Z", True),  # King's Day has begun in the Netherlands
        (Quiet("07:00", "07:00", holidays="NL"), "2026-04-27T22:30Z", False),  # and is over
        (Quiet("07:00", "07:00", holidays="BE"), "2026-04-27T10:00Z", False),
    ],
)
def test_quiet_in_local_time(quiet: Quiet, moment: str, wanted: bool) -> None:
    now = datetime.fromisoformat(moment).astimezone(UTC)
    assert is_quiet(quiet, now) is wanted
    user = subscriber(1, software=uses(), quiet=quiet)
    assert outcomes(item(statement(affected=(affected(),))), user, now=now) == ["quiet" if wanted else "deliver"]
