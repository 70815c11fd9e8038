"""The same threat, whatever the order of arrival; a new version only when meaning changed."""

import itertools

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import Affected, Facts, Kind, Observable, Range, identity
from normalize.identity import combine, kind_of, meaning, merge_keys, urgency
from tlp import Label

CVES = st.lists(st.sampled_from(["CVE-2024-0001", "CVE-2024-0002", "CVE-2025-12345"]), unique=True).map(tuple)
LEVELS = st.sampled_from([None, "low", "medium", "high"])
PRODUCTS = st.builds(
    Affected,
    vendor=st.sampled_from(["Fortinet", "fortinet"]),
    product=st.sampled_from(["FortiOS", "FortiProxy"]),
    versions=st.sampled_from(["", "<7.2.5", "nieuwste"]),
    ranges=st.sampled_from([(), (Range((("<", "7.2.5"),)),)]),
    status=st.sampled_from(["affected", "fixed", "not-affected", "unknown"]),
)
OBSERVABLES = st.builds(
    Observable,
    type=st.just("ipv4"),
    value=st.sampled_from(["192.0.2.1", "192.0.2.2"]),
    role=st.sampled_from(["attacker", "victim", "unknown"]),
    port=st.sampled_from([None, 3389]),
    own=st.booleans(),
)
FACTS = st.builds(
    Facts,
    tracking=st.lists(st.sampled_from(["NCSC-2026-0412", "1"]), unique=True).map(tuple),
    cves=CVES,
    affected=st.lists(PRODUCTS, max_size=3).map(tuple),
    sectors=st.lists(st.sampled_from(["SBI:25", "NIS2:energy"]), unique=True).map(tuple),
    observables=st.lists(OBSERVABLES, max_size=3).map(tuple),
    kans=LEVELS,
    schade=LEVELS,
    cvss=st.sampled_from([None, 5.0, 9.8]),
    exploited=st.sampled_from([None, True, False]),
    exposure=st.sampled_from([None, "open-rdp", "open-smb"]),
    remedies=st.lists(st.sampled_from(["Werk bij", "Zet uit"]), unique=True).map(tuple),
    withdrawn=st.booleans(),
)


@given(st.lists(FACTS, min_size=1, max_size=4))
def test_combine_does_not_depend_on_order(parts: list[Facts]) -> None:
    assert len({msgspec.json.encode(combine(order)) for order in itertools.permutations(parts)}) == 1


@given(st.lists(FACTS, min_size=2, max_size=4))
def test_combine_loses_nothing_and_takes_the_graver(parts: list[Facts]) -> None:
    whole = combine(parts)
    assert set(whole.cves) == {cve for part in parts for cve in part.cves}
    assert {o.value for o in whole.observables} == {o.value for part in parts for o in part.observables}
    assert whole.exploited is (
        True if any(p.exploited for p in parts) else None if all(p.exploited is None for p in parts) else False
    )
    assert whole.withdrawn is all(part.withdrawn for part in parts)
    affected = {(a.product, a.versions) for p in parts for a in p.affected if a.status == "affected"}
    assert affected <= {(a.product, a.versions) for a in whole.affected if a.status == "affected"}
    for seen in whole.observables:
        alike = [o for p in parts for o in p.observables if (o.value, o.port) == (seen.value, seen.port)]
        assert seen.own is any(o.own for o in alike)
        assert (seen.role == "victim") is any(o.role == "victim" for o in alike)


def test_joined_facts_have_no_say_in_withdrawal() -> None:
    withdrawn, record = Facts(cves=("CVE-2024-0001",), withdrawn=True), Facts(cves=("CVE-2024-0001",), cvss=9.8)
    assert combine([withdrawn], [record]) == Facts(cves=("CVE-2024-0001",), withdrawn=True, cvss=9.8)
    assert not combine([withdrawn, record]).withdrawn


def test_safe_for_one_cve_is_not_safe_for_another() -> None:
    both = Facts(cves=("CVE-2024-0001", "CVE-2024-0002"), affected=(Affected("Fortinet", "FortiOS", "<7.2.8"),))
    fixed = Affected("fortinet", "FortiOS", "7.2.5", status="fixed")
    one = Facts(cves=("CVE-2024-0001",), affected=(fixed,))
    assert fixed not in combine([both], [one]).affected
    assert fixed in combine([both, msgspec.structs.replace(one, cves=both.cves)]).affected


@given(st.lists(st.tuples(CVES, st.sampled_from(["NCSC-2026-0412", "RHSA-2024:3666", ""])), min_size=2, max_size=4))
def test_what_merges_does_not_depend_on_order(statements: list[tuple[tuple[str, ...], str]]) -> None:
    """Statements that share a key are one threat, and so are those that a third one connects."""
    named = {
        f"k{index}": set(merge_keys("advisory", "s", f"k{index}", "", Facts(cves=cves, tracking=(t,) if t else ()), ()))
        for index, (cves, t) in enumerate(statements)
    }
    outcomes = set()
    for order in itertools.permutations(named):
        clusters: list[tuple[set[str], set[str]]] = []
        for name in order:
            touching = [cluster for cluster in clusters if cluster[1] & named[name]]
            clusters = [cluster for cluster in clusters if cluster not in touching]
            clusters.append(({name}.union(*(c[0] for c in touching)), named[name].union(*(c[1] for c in touching))))
        outcomes.add(frozenset(frozenset(names) for names, _ in clusters))
    assert len(outcomes) == 1


def test_one_part_is_itself_and_none_is_an_error() -> None:
    facts = Facts(cves=("CVE-2024-0001",))
    assert combine([facts]) is facts
    with pytest.raises(ValueError, match="nothing"):
        combine([])


BASE = Facts(
    cves=("CVE-2024-0001",),
    affected=(Affected("Fortinet", "FortiOS", "<7.2.5", (Range((("<", "7.2.5"),)),)),),
    kans="medium",
    schade="medium",
    cvss=7.5,
    exploited=False,
    remedies=("Werk bij naar 7.2.5",),
    observables=(Observable("ipv4", "192.0.2.1", "attacker"),),
)


@pytest.mark.parametrize(
    "change",
    [
        {"affected": (Affected("Fortinet", "FortiOS", "<7.2.6", (Range((("<", "7.2.6"),)),)),)},
        {"affected": (Affected("Fortinet", "FortiOS", "<7.2.5", (Range((("<", "7.2.5"),)),), status="fixed"),)},
        {"affected": (*BASE.affected, Affected("Fortinet", "FortiProxy"))},
        {"exploited": True},
        {"kans": "high"},
        {"schade": "high"},
        {"cvss": 9.8},
        {"remedies": ("Werk bij naar 7.2.6",)},
        {"observables": (Observable("ipv4", "192.0.2.2", "attacker"),)},
        {"withdrawn": True},
        {"cves": ("CVE-2024-0001", "CVE-2024-0002")},
        {"sectors": ("SBI:25",)},
    ],
)
def test_a_change_of_meaning_makes_a_version(change: dict[str, object]) -> None:
    assert _meaning(msgspec.structs.replace(BASE, **change)) != _meaning(BASE)


@pytest.mark.parametrize(
    "change",
    [
        {"cvss": 7.9},
        {"epss": 0.5},
        {"tracking": ("NCSC-2026-0412",)},
        {"remedies": ("WERK bij  naar\n7.2.5",)},
        {"affected": (Affected("FORTINET", "FortiOS", "lager dan 7.2.5", (Range((("<", "7.2.5"),)),)),) * 2},
        {"observables": (msgspec.structs.replace(BASE.observables[0], detail={"tag": "x"}),)},
    ],
)
def test_other_bytes_alone_make_none(change: dict[str, object]) -> None:
    assert _meaning(msgspec.structs.replace(BASE, **change)) == _meaning(BASE)


def test_a_label_makes_a_version() -> None:
    assert meaning("advisory", Label.GREEN, BASE) != meaning("advisory", Label.CLEAR, BASE)


def test_an_unreadable_range_keeps_its_sign() -> None:
    below, above = (Facts(affected=(Affected("a", "b", text),)) for text in ("<x 1", ">x 1"))
    assert _meaning(below) != _meaning(above)


@given(FACTS, st.randoms())
def test_meaning_does_not_depend_on_order(facts: Facts, random: object) -> None:
    turned = msgspec.structs.replace(
        facts,
        affected=facts.affected[::-1],
        cves=facts.cves[::-1],
        observables=facts.observables[::-1],
        remedies=facts.remedies[::-1],
    )
    assert _meaning(turned) == _meaning(facts)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (Facts(exploited=True), "today"),
        (Facts(kans="high", schade="high"), "today"),
        (Facts(kans="high", schade="medium"), "this-week"),
        (Facts(schade="high"), "this-week"),
        (Facts(cvss=9.0), "this-week"),
        (Facts(cvss=8.9, kans="medium", exploited=False), "info"),
        (Facts(), "info"),
    ],
)
def test_urgency(facts: Facts, expected: str) -> None:
    assert urgency(facts) == expected


def test_kind_of_the_weightiest() -> None:
    assert kind_of(["news", "advisory", "facts"]) == "advisory"
    assert kind_of(["indicators", "report"]) == "report"
    with pytest.raises(ValueError, match="min"):
        kind_of([])


def keys(
    kind: Kind = "advisory",
    source: str = "a",
    key: str = "k1",
    title: str = "T",
    refs: tuple[str, ...] = (),
    **facts: object,
) -> set[str]:
    return set(merge_keys(kind, source, key, title, Facts(**facts), refs))  # type: ignore[arg-type]


def test_equal_tracking_ids_or_equal_cve_sets_are_one_threat() -> None:
    two = ("CVE-2024-0001", "CVE-2024-0002")
    assert keys(tracking=("NCSC-2026-0412",)) & keys(source="b", key="k2", tracking=("ncsc-2026-0412",))
    assert keys(cves=two) & keys(kind="news", source="b", key="k2", cves=two[::-1])
    assert not keys(cves=two) & keys(source="b", key="k2", cves=two[:1])
    assert not keys() & keys(source="b", key="k2")


def test_a_bare_number_is_no_ones_elses_tracking_id() -> None:
    assert not keys(tracking=("1",)) & keys(source="b", key="k2", tracking=("1",))
    assert keys(tracking=("1",)) & keys(key="k2", tracking=("1",))


def test_the_same_document_again_is_the_same_threat() -> None:
    for kind in ("advisory", "report", "indicators", "exposure", "news", "facts"):
        assert keys(kind=kind) & keys(kind=kind, title="andere titel", cves=("CVE-2024-0001",))


def test_indicators_republished_with_new_ids_are_the_same() -> None:
    one = (Observable("ipv4", "192.0.2.1"), Observable("domain", "example.org"))
    assert keys("indicators", observables=one) & keys("indicators", "b", "k2", observables=one[::-1])
    assert not keys("indicators", observables=one) & keys("indicators", "b", "k2", observables=one[:1])
    assert keys("report", title="Op X", observables=one) & keys("report", "b", "k2", "op x", observables=one)
    assert not keys("report", title="Op X", observables=one) & keys("report", "b", "k2", "Op Y", observables=one)


def test_news_clusters_by_address_and_by_title() -> None:
    url = "https://www.example.org/a/?utm_source=rss&id=1"
    assert keys("news", key="g1", refs=(url,)) & keys("news", "b", "http://example.org/a?id=1")
    assert not keys("news", key="g1", refs=("https://example.org/x", url)) & keys("news", "b", url)
    title = "Kritieke kwetsbaarheid in FortiOS wordt misbruikt"
    assert keys("news", key="g1", title=title) & keys("news", "b", "g2", title.upper() + "!")
    assert not keys("news", key="g1", title="Security update") & keys("news", "b", "g2", "Security update")


def test_exposures_never_merge_across_sources() -> None:
    rows = (Observable("ipv4", "192.0.2.1", "victim"),)
    same = {"observables": rows, "cves": ("CVE-2024-0001",), "tracking": ("NCSC-2026-0412",)}
    assert not keys("exposure", **same) & keys("exposure", "b", **same)  # type: ignore[arg-type]
    assert keys("exposure", **same) & keys("exposure")  # type: ignore[arg-type]


@given(st.text(max_size=80))
def test_addresses_never_fail(text: str) -> None:
    identity._address(text)
    identity._address("http://" + text)


def _meaning(facts: Facts) -> str:
    return meaning("advisory", Label.GREEN, facts)


def test_a_product_without_versions_adds_nothing_where_a_source_as_reliable_says_which() -> None:
    cves = ("CVE-2024-55591",)
    exact = Facts(cves=cves, affected=(Affected("Fortinet", "FortiOS", "7.0.1", (Range((("=", "7.0.1"),)),)),))
    vague = Facts(cves=cves, affected=(Affected("Fortinet", "FortiOS"),))
    assert identity.precise([vague, exact], "AA") == [(), exact.affected]
    assert identity.precise([vague, exact], "CA") == [(), exact.affected]
    assert identity.precise([vague, exact], "AB") == [vague.affected, exact.affected], "a stranger narrows nothing"
    alone = Facts(cves=("CVE-2024-21762",), affected=vague.affected)
    assert identity.precise([alone, exact], "AA")[0] == vague.affected, "it speaks of another CVE"
    wide = Facts(cves=("CVE-2024-55591", "CVE-2024-21762"), affected=vague.affected)
    assert identity.precise([wide, exact], "AA")[0] == vague.affected, "it speaks of one CVE more"
    within = Facts(cves=cves, affected=(*exact.affected, *vague.affected))
    assert identity.precise([within, Facts(cves=cves)], "AA")[0] == within.affected
