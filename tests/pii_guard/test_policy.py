"""legal.toml: what is shipped says what domain-rules.md says, and nothing half-read is used."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest import Source
from pii_guard import GuardError
from pii_guard.policy import CATEGORIES, ROLES, Policy, check_sources
from pii_guard.policy_file import load

FILE = Path(__file__).parents[2] / "config" / "defaults" / "legal.toml"
TEXT = FILE.read_text(encoding="utf-8")
SOURCE = Source("market", "Market party")
NETWORK = ("ipv4", "ipv6", "mac", "username", "url-personal", "email", "phone")
PERSON = ("name", "address", "dob", "social", "plate", "iban")


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(TEXT, "legal.toml")


def test_the_table_of_the_domain_rules(policy: Policy) -> None:
    for regime in ("oktt", "wbdwb", "cbw"):
        for category in NETWORK:
            assert policy.decide(regime, SOURCE, category, "attacker").action == "keep"
            assert policy.decide(regime, SOURCE, category, "victim").action == "gate"
            assert policy.decide(regime, SOURCE, category, "unknown").action == "gate"
        assert policy.decide(regime, SOURCE, "free-text", "unknown").action == "hold"
    for regime in policy.regimes:
        for role in ROLES:
            for category in (*PERSON, "bsn", "credential"):
                assert policy.decide(regime, SOURCE, category, role).action == "strip"
    for category in CATEGORIES:
        for role in ROLES:
            assert policy.decide("no-basis", SOURCE, category, role).action == "strip"


def test_reviewed_sources_keep_attackers_addresses_and_nothing_else_without_a_basis(policy: Policy) -> None:
    reviewed = Source("m", "M", attacker_ip="keep")
    kept = {(c, r) for c in CATEGORIES for r in ROLES if policy.decide("no-basis", reviewed, c, r).action == "keep"}
    assert kept == {("ipv4", "attacker"), ("ipv6", "attacker")}


@pytest.mark.parametrize(
    ("at", "regime"),
    [
        (datetime(2024, 9, 30, 21, 59, tzinfo=UTC), "no-basis"),
        (datetime(2024, 9, 30, 22, 0, tzinfo=UTC), "wbdwb"),  # midnight in Amsterdam
        (datetime(2026, 3, 2, tzinfo=UTC), "wbdwb"),
        (datetime(1999, 1, 1, tzinfo=UTC), "no-basis"),
    ],
)
def test_the_date_of_receipt_decides(policy: Policy, at: datetime, regime: str) -> None:
    assert policy.regime(SOURCE, at) == regime
    assert policy.regime(Source("m", "M", regime="cbw"), at) == "cbw"


def test_a_regime_gets_in_force_by_its_date(policy: Policy) -> None:
    dated = load(TEXT.replace("[regime.cbw]", "[regime.cbw]\nvalid_from = 2026-07-01"), "legal.toml")
    assert dated.regime(SOURCE, datetime(2026, 7, 1, tzinfo=UTC)) == "cbw"
    assert dated.hash != policy.hash


def test_the_hash_is_of_the_content(policy: Policy) -> None:
    assert load(TEXT.replace("# ", "#    ").replace("\n\n", "\n\n\n"), "elsewhere.toml").hash == policy.hash
    assert load(TEXT.replace("other = 90", "other = 91"), "legal.toml").hash != policy.hash


def test_retention(policy: Policy) -> None:
    assert policy.retention("wbdwb", "ipv4") == timedelta(days=180)
    assert policy.retention("wbdwb", "phone") == timedelta(days=90)
    assert policy.retention("wbdwb", "credential") == timedelta()
    assert policy.retention("wbdwb") == timedelta(days=1825)


def test_every_rule_has_an_id_of_its_own_and_every_regime_awaits_review(policy: Policy) -> None:
    ids = [rule.id for regime in policy.regimes.values() for rule in regime.rules]
    assert len(ids) == len(set(ids))
    assert {regime.review for regime in policy.regimes.values()} == {"legal review"}
    assert policy.basis("wbdwb").policy == policy.hash


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[regime.cbw]", "colour = 1\n[regime.cbw]", "colour"),
        ("[regime.cbw]", "[regime.cbw]\nvalid_till = 2026-01-01", r"regime\.cbw\.valid_till: unknown key"),
        ('id = "cbw.text"', 'id = "cbw.text"\nrole = "x"', r"regime\.cbw\.rule\[4\]\.role: unknown key"),
        ('categories = ["free-text"]', 'categories = ["free-tekst"]', r"rule\[5\]\.categories: unknown value"),
        ('roles = ["attacker"]', 'roles = ["burglar"]', r"roles: unknown value"),
        ('action = "gate"', 'action = "lend"', r"regime\.oktt\.rule\[2\]\.action: unknown value"),
        ('action = "gate"', 'action = "own"', r"regime\.oktt\.rule\[2\]\.action: own is called gate now"),
        ('action = "gate"', 'action = "token"', r"rule\[2\]\.action: unknown value"),
        ('action = "strip"', 'action = "keep"', r"regime\.no-basis\.rule\[0\]\.action: bsn, credential can only"),
        ('"plate", "iban", "device"]', '"plate", "iban"]', r"regime\.no-basis\.rule: no rule for device x attacker"),
        ('id = "cbw.text"', 'id = "cbw.person"', "stands twice"),
        ("valid_from = 2024-10-01", 'valid_from = "soon"', r"regime\.wbdwb\.valid_from: must be a date"),
        ("other = 90", "other = -1", r"retention\.other: must be 0 to"),
        ("item = 1825\n", "", r"regime\.no-basis\.retention\.item: is missing"),
        ("storage_before_guard = false", 'storage_before_guard = "no"', "must be true or false"),
        ('only_sources = "attacker_ip"', 'only_sources = "friends"', "write a list of source ids"),
        ("[regime.cbw]", "[regime.cbw", "not TOML"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_file_and_key(old: str, new: str, says: str) -> None:
    assert old in TEXT
    with pytest.raises(GuardError, match=says) as caught:
        load(TEXT.replace(old, new, 1), "legal.toml")
    assert str(caught.value).startswith("legal.toml: ")


def test_a_rule_that_is_never_reached_is_refused() -> None:
    rules = TEXT.split("[[regime.cbw.rule]]")
    doubled = "[[regime.cbw.rule]]".join([*rules, rules[-1].replace("cbw.text", "cbw.text-again")])
    with pytest.raises(GuardError, match="never reached"):
        load(doubled, "legal.toml")


@pytest.mark.parametrize("kind", ["imap", "kafka"])
def test_no_basis_takes_no_storage_of_our_own(policy: Policy, kind: str) -> None:
    with pytest.raises(GuardError, match=rf"source\.m\.kind: {kind}"):
        check_sources(policy, [Source("m", "M", kind=kind, regime="no-basis")])  # type: ignore[arg-type]
    check_sources(policy, [Source("m", "M", kind=kind, regime="wbdwb")])  # type: ignore[arg-type]
    following = [Source("m", "M", kind=kind)]  # type: ignore[arg-type]
    check_sources(policy, following, datetime(2026, 3, 2, tzinfo=UTC))
    with pytest.raises(GuardError):
        check_sources(policy, following, datetime(2024, 3, 2, tzinfo=UTC))


def test_an_unknown_regime_of_a_source_is_refused(policy: Policy) -> None:
    with pytest.raises(GuardError, match=r"source\.m\.regime: no such regime"):
        check_sources(policy, [Source("m", "M", regime="nis3")])
