"""CPE statements: what they say is affected for sure, what perhaps, and what they do not speak of."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from filtering import catalogue, naming, software
from ingest import Source
from normalize import Affected, Facts, cve, cve_applicability
from normalize.lenient import Parts
from normalize.recognise import recognise
from subscribers import Software
from tests.normalize.test_cve import JSON, record

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PROGRAM = Source("cve", "CVE Program", public=True)
VPN = "cpe:2.3:a:voorbeeld:vpn:*:*:*:*:*:*:*:*"
FIRMWARE = "cpe:2.3:o:voorbeeld:r1_firmware:*:*:*:*:*:*:*:*"
DEVICE = "cpe:2.3:h:voorbeeld:r1:-:*:*:*:*:*:*:*"
WINDOWS = "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*"


def match(criteria: str = VPN, vulnerable: Any = True, **bounds: str) -> dict[str, Any]:
    return {"vulnerable": vulnerable, "criteria": criteria, **bounds}


def node(*matches: Any, operator: str = "OR", **more: Any) -> dict[str, Any]:
    return {"operator": operator, "negate": False, "cpeMatch": list(matches), **more}


def read(*statements: Any) -> list[Affected]:
    parts = Parts()
    found = cve_applicability.affected(((each, f"/{number}") for number, each in enumerate(statements)), parts)
    assert parts.problems == []
    return found


def verdict(statement: Any, *lines: Software) -> str | None:
    """Of the first line, of a profile of all: one by one, and in the index of all profiles."""
    held = [naming.installed(line) for line in lines]
    index = catalogue.Catalogue()
    index.add(held, 1)
    found: dict[str, str] = {}
    for product in software.products_of(read(statement)):
        verdicts = [verdict for line in held if (verdict := software.pair(product, line, held))]
        best = max((each[0] for each in verdicts), key=lambda each: software.RANK[each], default=None)
        assert [name for name, users in index.users(product).items() if 1 in users] == ([best] if best else [])
        if (mine := software.pair(product, held[0], held)) is not None:
            found[mine[0]] = software.because(product, held[0], mine, held)
    return min(found, key=lambda each: -software.RANK[each], default=None)  # type: ignore[index]


def shown(*statements: Any) -> list[tuple[str, str, str, str]]:
    return [
        (
            a.status,
            a.product,
            a.versions,
            " or ".join("|".join(b + v for b, v in r.constraints) or "any" for r in a.ranges),
        )
        for a in read(*statements)
    ]


@pytest.mark.parametrize(
    ("entry", "versions", "ranges"),
    [
        (match(versionEndExcluding="1.5"), "< 1.5", "<1.5"),
        (match(versionStartIncluding="1.0", versionEndIncluding="1.5"), ">= 1.0 <= 1.5", ">=1.0|<=1.5"),
        (match(versionStartExcluding="1.0", versionEndExcluding="1.5"), "> 1.0 < 1.5", ">1.0|<1.5"),
        (match(VPN.replace(":*", ":1.2", 1)), "1.2", "=1.2"),
        (match(VPN.replace(":*:*", ":1.2:update3", 1)), "1.2 update3", "=1.2 update3"),
        (match(versionEndExcluding="12.5\\(1\\)su8"), "< 12.5(1)su8", "<12.5(1)su8"),
        (match(), "all versions", "any"),
        (match(VPN.replace(":*", ":-", 1)), "", ""),
        (match(versionStartIncluding="1.0", versionEndExcluding="see notes"), ">= 1.0 < see notes", ""),
        ({"criteria": VPN, "versionEndExcluding": "1.5"}, "< 1.5", "<1.5"),
        (match(vulnerable="true", versionEndExcluding="1.5"), "< 1.5", "<1.5"),
    ],
)
def test_a_match_is_a_product_with_versions(entry: dict[str, Any], versions: str, ranges: str) -> None:
    assert shown({"nodes": [node(entry)]}) == [("affected", "vpn", versions, ranges)]


def test_alternatives_are_one_product() -> None:
    one = {
        "nodes": [node(match(versionEndExcluding="1.5"), match(versionStartIncluding="2.0", versionEndExcluding="2.3"))]
    }
    other = {"nodes": [node(match(versionStartIncluding="3.0", versionEndExcluding="3.1"))]}
    assert shown(one, other) == [
        ("affected", "vpn", "< 1.5, >= 2.0 < 2.3, >= 3.0 < 3.1", "<1.5 or >=2.0|<2.3 or >=3.0|<3.1")
    ]
    (made,) = read(one, other)
    assert (made.vendor, made.cpe) == ("voorbeeld", VPN)


def test_what_cannot_be_read_stands_beside_what_can() -> None:
    both = {"nodes": [node(match(versionEndExcluding="1.5"), match(versionEndExcluding="see notes"))]}
    assert shown(both) == [("affected", "vpn", "< 1.5", "<1.5"), ("affected", "vpn", "< see notes", "")]


def test_on_a_certain_platform_is_possibly_and_outside_is_not() -> None:
    platform = {"operator": "AND", "nodes": [node(match(versionEndExcluding="1.5")), node(match(WINDOWS, False))]}
    inside = {"nodes": [node(match(versionEndExcluding="1.5"), match(WINDOWS, False), operator="AND")]}
    for statement in (platform, inside):
        assert shown(statement) == [("affected", "vpn", "< 1.5", f"<1.5|on{WINDOWS}")]
        assert [verdict(statement, Software("Voorbeeld", "VPN", version)) for version in ("1.4", "1.5")] == [
            "possible", None,
        ]  # fmt: skip
        windows = Software("Microsoft", "Windows", "10")
        assert verdict(statement, Software("Voorbeeld", "VPN", "1.4"), windows) == "exact"


def test_firmware_on_its_own_device_is_that_firmware() -> None:
    own = {"operator": "AND", "nodes": [node(match(FIRMWARE, versionEndExcluding="1.5")), node(match(DEVICE, False))]}
    assert shown(own) == [("affected", "r1 firmware", "< 1.5", "<1.5")]
    other = DEVICE.replace("voorbeeld", "ander")
    foreign = {"operator": "AND", "nodes": [own["nodes"][0], node(match(other, False))]}
    assert shown(foreign) == [("affected", "r1 firmware", "< 1.5", f"<1.5|on{other}")]
    system = node(match(FIRMWARE.replace("r1_firmware", "os"), versionEndExcluding="1.5"))
    model = match(DEVICE.replace(":-:", ":2.0:"), False)
    anywhere = {"operator": "AND", "nodes": [system, node(model, match(other, False))]}
    used = Software("Voorbeeld", "OS", "1.4")
    assert verdict(anywhere, used) == "possible", "which device it runs on is not known"
    assert verdict(anywhere, used, Software("Voorbeeld", "R1", "2.0")) == "exact"
    assert verdict(anywhere, used, Software(cpe=DEVICE.replace(":-:", ":3.0:"))) == "possible", "or on the other"
    assert verdict({**anywhere, "nodes": [system, node(model)]}, used, Software("Voorbeeld", "R1", "3.0")) is None
    assert verdict(anywhere, Software("Voorbeeld", "OS", "1.5"), Software("Voorbeeld", "R1", "2.0")) is None


def test_products_that_have_to_be_there_together_are_possibly() -> None:
    plugin = VPN.replace("vpn", "plugin")
    for statement in (
        {
            "operator": "AND",
            "nodes": [node(match(versionEndExcluding="1.5")), node(match(plugin, versionEndExcluding="3"))],
        },
        {"nodes": [node(match(versionEndExcluding="1.5"), match(plugin, versionEndExcluding="3"), operator="AND")]},
    ):
        assert shown(statement) == [
            ("affected", "vpn", "< 1.5", f"<1.5|on{plugin} <3"), ("affected", "plugin", "< 3", f"<3|on{VPN} <1.5"),
        ]  # fmt: skip
        used, beside = Software("Voorbeeld", "VPN", "1.4"), Software("Voorbeeld", "Plugin", "2.9")
        assert verdict(statement, used) == verdict(statement, beside) == "possible"
        assert verdict(statement, used, beside) == "exact"
        assert verdict(statement, used, Software("Voorbeeld", "Plugin", "3.1")) is None


def test_a_platform_that_is_negated_must_not_be_there() -> None:
    vulnerable, used = node(match(versionEndExcluding="1.5")), Software("Voorbeeld", "VPN", "1.4")
    one = {"operator": "AND", "nodes": [vulnerable, node(match(WINDOWS, False), negate=True)]}
    assert shown(one) == [("affected", "vpn", "< 1.5", f"<1.5|off{WINDOWS}")]
    windows, device = Software("Microsoft", "Windows", "10"), Software("Voorbeeld", "R1", "1.0")
    assert verdict(one, used, windows) is None
    assert verdict(one, used) == "possible", "profiles do not say what is not there"
    both = node(match(WINDOWS, False), match(DEVICE, False), operator="AND", negate=True)
    together = {"operator": "AND", "nodes": [vulnerable, both]}
    assert verdict(together, used, windows, device) is None
    assert verdict(together, used, windows) == "possible"


def test_attributes_of_a_name_are_compared_as_cpe_names_are() -> None:
    """NISTIR 7696: what the profile leaves open is not certain, what it states otherwise is another thing."""
    plugin = {"nodes": [node(match(VPN[:-5] + "wordpress:*:*", versionEndExcluding="1.5"))]}
    assert read(plugin)[0].cpe == "cpe:2.3:a:voorbeeld:vpn:*:*:*:*:*:wordpress:*:*"

    def on(target: str) -> str | None:
        return verdict(plugin, Software(cpe=f"cpe:2.3:a:voorbeeld:vpn:1.4:*:*:*:*:{target}:*:*"))

    assert (on("wordpress"), on("*"), on("android"), on("-")) == ("exact", "possible", None, None)
    assert verdict(plugin, Software("Voorbeeld", "VPN", "1.4")) == "possible"


@pytest.mark.parametrize(
    ("criteria", "mine", "answer"),
    [
        ("8.0:*", "8.0:update3", "exact"),
        ("8.0:*", "8.1:update3", None),
        ("8.0:update3", "8.0:update3", "exact"),
        ("8.0:update3", "8.0:update2", None),
        ("8.0:update3", "8.0:*", "possible"),
        ("8.0:-", "8.0:*", "possible"),
        ("8.0:-", "8.0:-", "exact"),
        ("8.0:-", "8.0:update3", None),
    ],
)
def test_updates(criteria: str, mine: str, answer: str | None) -> None:
    name = VPN.replace(":*:*", ":{}", 1)
    statement = {"nodes": [node(match(name.format(criteria)))]}
    assert verdict(statement, Software(cpe=name.format(mine))) == answer


def test_hardware_and_software_of_one_name_are_two_things() -> None:
    statement = {"nodes": [node(match(DEVICE.replace(":-:", ":*:")))]}
    assert verdict(statement, Software(cpe=DEVICE.replace(":-:", ":1.0:"))) == "exact"
    assert verdict(statement, Software(cpe="cpe:2.3:o:voorbeeld:r1:1.0:*:*:*:*:*:*:*")) is None


def test_too_many_platforms_are_possibly() -> None:
    devices = [match(DEVICE.replace("r1", f"d{number}"), False) for number in range(61)]
    statement = {"operator": "AND", "nodes": [node(match(versionEndExcluding="1.5")), node(*devices)]}
    assert shown(statement) == [("unknown", "vpn", "< 1.5", "<1.5")]


def test_what_is_negated_has_no_versions() -> None:
    for statement in (
        {"negate": True, "nodes": [node(match(versionEndExcluding="1.5"))]},
        {"nodes": [node(match(versionEndExcluding="1.5"), negate=True)]},
    ):
        assert shown(statement) == [("unknown", "vpn", "all but < 1.5", "")]
    twice = {"negate": True, "nodes": [node(match(versionEndExcluding="1.5"), negate=True)]}
    assert shown(twice) == [("affected", "vpn", "< 1.5", "<1.5")]


def test_what_is_not_vulnerable_is_not_named() -> None:
    assert read({"nodes": [node(match(WINDOWS, False), match(DEVICE, "false"))]}) == []


def test_a_name_that_is_none_costs_itself() -> None:
    parts = Parts()
    statement = {"nodes": [node(match("jvnpid:1.0::x:y:1"), match("cpe:2.3:a:*:*:*:*:*:*:*:*:*:*"), match(), 7)]}
    assert len(cve_applicability.affected([(statement, "/a")], parts)) == 1
    assert [each.path for each in parts.problems] == [
        "/a/nodes/0/cpeMatch/0/criteria",
        "/a/nodes/0/cpeMatch/1/criteria",
        "/a/nodes/0/cpeMatch/3",
    ]


def facts(made: Any) -> Facts:
    return cve.drafts(json.dumps(made).encode(), PROGRAM, NOW).drafts[0].facts


def test_in_a_record_it_stands_in_for_what_is_not_said_or_not_readable() -> None:
    exact = {"cpeApplicability": [{"nodes": [node(match(versionEndExcluding="1.5"))]}]}
    vague = record({"version": "see notes", "status": "affected"}, container=exact)
    assert [(a.versions, bool(a.ranges), a.cpe) for a in facts(vague).affected] == [("< 1.5", True, VPN)]
    said = record({"version": "0", "lessThan": "1.4", "status": "affected"}, container=exact)
    assert [a.versions for a in facts(said).affected] == ["< 1.4"]
    nothing = record(container=exact, vendor="n/a", product="n/a")
    assert [a.versions for a in facts(nothing).affected] == ["< 1.5"]
    also = record({"version": "1.0", "status": "affected"}, container=exact, product="Client")
    assert [a.product for a in facts(also).affected] == ["Client", "vpn"]


def test_what_others_add_counts_for_products_that_the_cna_does_not_name() -> None:
    exact = {"cpeApplicability": [{"nodes": [node(match(versionEndExcluding="1.5"), match(FIRMWARE))]}]}
    made = record({"version": "see notes", "status": "affected"})
    made["containers"]["adp"] = [exact]
    assert [(a.product, a.versions) for a in facts(made).affected] == [
        ("VPN", "see notes"), ("r1 firmware", "all versions"),
    ]  # fmt: skip


@given(
    st.sampled_from(["nodes", "operator", "negate", "criteria", "vulnerable", "versionEndExcluding", "cpeMatch"]), JSON
)
def test_a_mutated_statement_is_read_or_refused(key: str, value: Any) -> None:
    entry = {**match(versionEndExcluding="1.5"), key: value}
    statement = {"nodes": [{**node(entry), key: value} if key != "nodes" else value], key: value}
    made = record({"version": "1.0", "status": "affected"}, container={"cpeApplicability": [statement, value]})
    assert facts(made).affected


@pytest.mark.corpus
def test_a_real_statement(corpus: Path) -> None:
    body = (corpus / "cpe" / "nvd-cases" / "with-cpematch" / "CVE-2024-20253.json").read_bytes()
    assert recognise(body) == "cve"
    result = cve.drafts(body, PROGRAM, NOW)
    (draft,) = result.drafts
    assert result.problems == ()
    assert draft.facts.cvss == 10.0
    assert len(draft.facts.affected) == 7, "of one product two editions, and one without"
    assert all(each.ranges and each.status == "affected" for each in draft.facts.affected)
