"""Every kind, register and language has steps; blocks keep to their limits; outside text stays text."""

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import Affected, Kind
from subscribers import Profile
from triage import TriageError, advice

REGISTERS = get_args(advice.Register)
LANGUAGES = get_args(advice.Language)
KINDS = [kind for kind in get_args(Kind) if kind != "facts"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("register", REGISTERS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_has_generic_steps(kind: Kind, register: advice.Register, language: advice.Language) -> None:
    found = advice.steps(kind, register=register, language=language, title="Titel")
    assert len(found.steps) == advice.STEPS[register]
    assert not found.specific
    assert all((found.headline, found.risk, found.time_needed, found.self_check, found.if_you_cannot))
    assert found.forward_text
    assert bool(found.detection) == (register == "mature")


@pytest.mark.parametrize("block", [b for b in advice.load().values() if not b.abstract], ids=lambda block: block.id)
def test_the_catalogue_passes_its_own_lint(block: advice.Block) -> None:
    assert advice.lint(block) == []
    assert block.nl != block.en


@pytest.mark.parametrize("block", [b for b in advice.load().values() if not b.abstract], ids=lambda block: block.id)
def test_the_smallest_firms_read_short_sentences_and_know_whom_to_call(block: advice.Block) -> None:
    text = block.nl.zzp
    said = " ".join(text.read())
    assert "ict-leverancier" in said or "leverancier" in said
    words = {**block.nl.words, "product": "Product", "title": "Titel"}
    for part in text.steps:
        for sentence in advice._fill(part, words).replace("?", ".").split(". "):
            assert len(sentence.split()) <= 22, sentence


@pytest.mark.parametrize(
    ("vendor", "product", "block"),
    [
        ("Fortinet", "FortiOS", "fortinet-fortios"),
        ("Fortinet", "FortiManager", "generic-advisory"),
        ("Ivanti", "Connect Secure", "ivanti-connect-secure"),
        ("Citrix", "NetScaler ADC", "citrix-netscaler"),
        ("Microsoft", "Exchange Server 2019 Cumulative Update 14", "microsoft-exchange"),
        ("Palo Alto Networks", "PAN-OS", "paloalto-panos"),
        ("VMware", "ESXi", "vmware-esxi"),
        ("SonicWall", "SonicOS", "vpn-firewall-other"),
        ("Acme", "Exchange Rates", "generic-advisory"),
    ],
)
def test_products_find_their_block(vendor: str, product: str, block: str) -> None:
    assert advice.choose("advisory", None, [Affected(vendor, product)]).id == block


def test_what_is_not_affected_chooses_nothing() -> None:
    spared = Affected("Fortinet", "FortiOS", status="not-affected")
    assert advice.choose("advisory", None, [spared]).id == "generic-advisory"


@pytest.mark.parametrize(
    ("exposure", "block"),
    [
        ("open-rdp", "open-rdp"),
        ("scan_rdp", "open-rdp"),
        ("scan6_rdp", "open-rdp"),
        ("scan_ldap_tcp", "open-ldap"),
        ("open-smb", "open-smb"),
        ("open-telnet", "open-telnet"),
        ("vulnerable-exchange", "microsoft-exchange"),
        ("event4_sinkhole_http", "infected-device"),
        ("scan_ntp", "open-amplifier"),
        ("device_id", "generic-exposure"),
        (None, "generic-exposure"),
    ],
)
def test_exposures_find_their_block(exposure: str | None, block: str) -> None:
    assert advice.choose("exposure", exposure, ()).id == block


def test_most_of_what_an_item_names_wins_whatever_the_order() -> None:
    several = [Affected("Citrix", "NetScaler ADC"), Affected("Fortinet", "FortiOS"), Affected("Fortinet", "FortiProxy")]
    assert advice.choose("advisory", None, several) == advice.choose("advisory", None, several[::-1])
    assert advice.choose("advisory", None, several).id == "fortinet-fortios"


def test_facts_are_no_item() -> None:
    with pytest.raises(TriageError, match="facts"):
        advice.steps("facts", register="mkb", language="nl")


@given(st.text())
def test_outside_names_are_filled_in_once(name: str) -> None:
    found = advice.steps(
        "news", register="zzp", language="nl", title=f"{name} {{product}}", affected=[Affected("A", name)]
    )
    assert found.headline == f"{name} {{product}}"


def test_an_advice_names_the_one_product_or_speaks_generally() -> None:
    def headline(*products: Affected) -> str:
        return advice.steps("advisory", affected=products, register="mkb", language="nl").headline

    assert headline(Affected("Acme", "Foo"), Affected("Acme", "Foo", "2")) == "Foo: installeer de update"
    assert headline(Affected("Acme", "Foo"), Affected("Acme", "Bar")).startswith("software van Acme")
    assert headline(Affected("Acme", "Foo"), Affected("Bcme", "Bar")).startswith("de genoemde software")


def test_the_version_is_that_of_the_text_not_of_the_reader() -> None:
    versions = {
        advice.steps("exposure", exposure="open-rdp", register=register, language=language).version
        for register in REGISTERS
        for language in LANGUAGES
    }
    assert len(versions) == 1
    assert versions != {advice.steps("exposure", exposure="open-smb", register="mkb", language="nl").version}


def test_registers_follow_size_and_maturity() -> None:
    assert advice.register_of(Profile(size="zzp")) == "zzp"
    assert advice.register_of(Profile(size="large")) == "mkb"
    assert advice.register_of(Profile(size="zzp", maturity="mature")) == "mature"


@pytest.mark.parametrize(
    ("urgency", "at", "until"),
    [
        ("today", "2026-03-02T08:00+00:00", "2026-03-02T23:59+01:00"),
        ("today", "2026-03-02T16:30+00:00", "2026-03-03T12:00+01:00"),
        ("this-week", "2026-03-02T08:00+00:00", "2026-03-06T17:00+01:00"),
        ("this-week", "2026-03-06T08:00+00:00", "2026-03-12T17:00+01:00"),
        ("this-week", "2026-03-27T08:00+00:00", "2026-04-02T17:00+02:00"),
        ("info", "2026-03-02T08:00+00:00", None),
    ],
)
def test_deadlines_are_local_and_skip_weekends(urgency: advice.Urgency, at: str, until: str | None) -> None:
    found = advice.due(urgency, datetime.fromisoformat(at).astimezone(UTC))
    assert found == (None if until is None else datetime.fromisoformat(until))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (('steps = [\n  "Lees', 'steps = [\n  "Extra.",\n  "Lees'), "4 steps, not 3"),
        (("{title}", "{stranger}"), "stranger"),
        (('time = "5 minuten"', 'time = ""'), "empty"),
        (('time = "5 minuten"', f'time = "{"woord " * 120}"'), "more than 120"),
        (('time = "5 minuten"', 'tijd = "5 minuten"'), "time|tijd"),
        (('headline = "{title}"', f'headline = "{"w" * 41}"'), "headline"),
        (('id = "generic-news"', 'id = "other"'), "file's name"),
        (("[nl]", "[nl"), "generic-news.toml"),
        (("[en.mature]", "[en.zzz]"), "mature|zzz"),
    ],
)
def test_a_block_that_breaks_the_rules_is_named(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    for path in advice.BLOCKS.glob("generic-*.toml"):
        text = path.read_text("utf-8")
        if path.stem == "generic-news":
            assert change[0] in text
            text = text.replace(*change)
        (tmp_path / path.name).write_text(text, "utf-8")
    with pytest.raises(TriageError, match=fault):
        advice.load(tmp_path)


def test_a_kind_without_generic_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TriageError, match="generic-advisory"):
        advice.load(tmp_path)
