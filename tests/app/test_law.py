"""Commands for the data protection officer: rules that await review, Woo classes in the register's export."""

from datetime import date
from pathlib import Path

import pytest

from config.settings import load
from pii_guard.explaining import unreviewed
from pii_guard.policy import Policy
from pii_guard.policy_file import load as read
from tests.app.instance import FEEDS, done, lay, make, oktt

SHIPPED = (Path(__file__).parents[2] / "config" / "defaults" / "legal.toml").read_text(encoding="utf-8")
TODAY = date(2026, 3, 2)


def policy(review: str) -> Policy:
    return read(SHIPPED.replace('review = "legal review"', f'review = "{review}"'), "legal.toml")


def test_as_shipped_every_rule_awaits_review() -> None:
    found, shipped = unreviewed(policy("legal review"), TODAY), policy("legal review")
    assert [each["rule"] for each in found] == [rule.id for one in shipped.regimes.values() for rule in one.rules]
    assert {each["why"] for each in found} == {"not reviewed"}
    assert {each["regime"] for each in found if each["started"]} == {"no-basis"} | {
        name for name, one in shipped.regimes.items() if one.valid_from and one.valid_from.date() <= TODAY
    }


@pytest.mark.parametrize(
    ("review", "why"),
    [
        ("reviewed", None),
        ("reviewed until 2026-03-02", None),
        ("reviewed until 2026-03-01", "its term has passed"),
        ("reviewed until 2026-02-30", "its term is no date"),
        ("reviewed by nobody", "not reviewed"),
        ("Reviewed", "not reviewed"),
    ],
)
def test_a_review_holds_until_its_term(review: str, why: str | None) -> None:
    assert {each["why"] for each in unreviewed(policy(review), TODAY)} == ({why} if why else set())


def test_a_rule_has_a_review_of_its_own() -> None:
    text = SHIPPED.replace('id = "oktt.never"\n', 'id = "oktt.never"\nreview = "reviewed until 2027-01-01"\n', 1)
    assert "oktt.never" not in {each["rule"] for each in unreviewed(read(text, "legal.toml"), TODAY)}


def test_the_command_and_the_doctor_tell_until_all_is_reviewed(tmp_path: Path) -> None:
    folder = make(tmp_path / "house")
    ran = oktt(folder, "legal", "check", "--json")
    assert ran.code == 1
    waiting = len(ran.rows)
    told = {each["what"]: each for each in oktt(folder, "doctor", "--json").rows}["legal policy"]
    assert (told["ok"], f"{waiting} rules await legal review" in told["says"]) == (True, True)
    file = folder / "legal.toml"
    file.write_text(file.read_text().replace('review = "legal review"', 'review = "reviewed until 2099-12-31"'))
    assert "Every rule was reviewed" in done(folder, "legal", "check").out
    told = {each["what"]: each for each in oktt(folder, "doctor", "--json").rows}["legal policy"]
    assert "await" not in told["says"]


def test_each_row_of_the_register_has_the_woo_class_of_its_own_policy(tmp_path: Path) -> None:
    folder = make(tmp_path / "house")
    done(folder, "ingest", lay(tmp_path / "feeds", {"ncsc-nl": FEEDS["ncsc-nl"]}) / "ncsc-nl", "--source", "ncsc-nl")
    classes = {name: one.woo for name, one in load(folder).policy.regimes.items()}
    rows = done(folder, "audit", "export").rows
    admitted = [each for each in rows if each["what"] == "admitted"]
    assert admitted
    assert all(each["woo"] == classes[each["detail"]["regime"]] for each in admitted)
    assert all(each["woo"] is None for each in rows if "regime" not in (each["detail"] or {}))
    file = folder / "legal.toml"
    file.write_text(file.read_text().replace('woo = "', 'woo = "Anders: '))
    assert done(folder, "audit", "export").rows[: len(rows)] == rows, "what was decided then has its class of then"
