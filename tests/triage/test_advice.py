"""Every kind, register and language has steps; the block that says most of an item is chosen; blocks can be read."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normalize import Affected, Kind, Urgency
from subscribers import Profile
from triage import TriageError, advice, catalogue, readability
from triage.advice import About
from triage.catalogue import Block, Language, Register

REGISTERS = get_args(Register)
LANGUAGES = get_args(Language)
KINDS = [kind for kind in get_args(Kind) if kind != "facts"]


def chosen(kind: Kind = "advisory", exposure: str | None = None, *named: tuple[str, str], **more: Any) -> str:
    affected = [Affected(vendor, product) for vendor, product in named]
    return advice.choose(About(kind, exposure, affected, **more)).id


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_generic_steps(kind: Kind) -> None:
    for register in REGISTERS:
        for language in LANGUAGES:
            found = advice.steps(About(kind, title="Titel"), register, language)
            assert len(found.steps) == catalogue.STEPS[register]
            assert not found.specific
            assert all((found.headline, found.risk, found.time_needed, found.self_check, found.if_you_cannot))
            assert found.forward_text
            assert bool(found.detection) == (register == "mature")


@pytest.mark.parametrize("block", catalogue.load().values(), ids=lambda block: block.id)
def test_each_register_can_read_its_block(block: Block) -> None:
    """Steps and words are counted when it is loaded; here sentences, jargon, the passive voice and the Flesch score."""
    for language in LANGUAGES:
        words = block.words(language)
        for register in REGISTERS:
            parts = [words.headline, words.risk, *words.text(register).read()]
            said = [words.say(part, "Product", "Titel") for part in parts]
            assert readability.faults(said, register, language) == [], (language, register)
        helper = "leverancier" if language == "nl" else "supplier"
        assert (
            helper in " ".join(words.say(part, "", "") for part in words.zzp.read()) or "installateur" in words.zzp.time
        )
        assert len(words.say(words.risk, "Product", "Titel").split(". ")) <= 3
    assert block.nl != block.en


@pytest.mark.parametrize(
    ("vendor", "product", "block"),
    [
        ("Fortinet", "FortiOS", "fortinet-fortios"),
        ("Fortinet", "FortiManager", "remote-management"),
        ("Ivanti", "Connect Secure", "ivanti-connect-secure"),
        ("Citrix", "NetScaler ADC", "citrix-netscaler"),
        ("Microsoft", "Exchange Server 2019 Cumulative Update 14", "microsoft-exchange"),
        ("Microsoft", "Windows 10 Version 22H2 for x64-based Systems", "microsoft-windows"),
        ("Microsoft", "SharePoint", "business-web-app"),
        ("Microsoft", "Internet Explorer", "ended-software"),
        ("Google", "Chromium V8", "web-browser"),
        ("Palo Alto Networks", "PAN-OS", "paloalto-panos"),
        ("VMware", "ESXi", "vmware-esxi"),
        ("SonicWall", "SonicOS", "vpn-firewall-other"),
        ("Apache", "Log4j2", "software-library"),
        ("Apache", "Tomcat", "business-web-app"),
        ("WordPress", "Elementor", "website-cms"),
        ("Siemens", "SIMATIC S7-1500", "industrial-system"),
        ("Acme", "Exchange Rates", "generic-advisory"),
    ],
)
def test_products_find_their_block(vendor: str, product: str, block: str) -> None:
    assert chosen("advisory", None, (vendor, product)) == block


def test_what_is_not_affected_chooses_nothing() -> None:
    spared = Affected("Fortinet", "FortiOS", status="not-affected")
    assert advice.choose(About("advisory", None, [spared])).id == "generic-advisory"


@pytest.mark.parametrize(
    ("exposure", "block"),
    [
        ("open-rdp", "open-rdp"),
        ("scan_rdp", "open-rdp"),
        ("scan6_rdp", "open-rdp"),
        ("scan_ldap_tcp", "open-ldap"),
        ("open-smb", "open-smb"),
        ("open-telnet", "open-telnet"),
        ("open-cwmp", "open-device-management"),
        ("vulnerable-exchange", "microsoft-exchange"),
        ("event4_sinkhole_http", "infected-device"),
        ("compromised-website", "hacked-website"),
        ("compromised-account", "leaked-logins"),
        ("open-dns-resolver", "open-resolver"),
        ("scan_ntp", "open-ntp"),
        ("scan_ssdp", "open-amplifier"),
        ("device_id", "generic-exposure"),
        (None, "generic-exposure"),
    ],
)
def test_exposures_find_their_block(exposure: str | None, block: str) -> None:
    assert chosen("exposure", exposure) == block


@pytest.mark.parametrize(
    ("title", "marks", "block"),
    [
        ("Phishing uit naam van de bank", (), "phishing"),
        ("2024-07-15-phishing.json", (), "phishing"),
        ("Supply chain attack on a builder", (), "software-library"),
        ("Code updates to Akira Ransomware.", (), "ransomware"),
        ("Campaign", ("T1486", "T1490", "T1566"), "ransomware"),
        ("Campaign", ("remote-access-trojan",), "harmful-software"),
        ("Phishing leads to ransomware", ("T1566",), "phishing"),
        ("All techniques", tuple(f"T{n}" for n in range(1486, 1570)), "generic-report"),
        ("Nothing known", ("T1001",), "generic-report"),
    ],
)
def test_themes_find_their_block(title: str, marks: Sequence[str], block: str) -> None:
    assert chosen("report", title=title, marks=marks) == block
    # A product says more than a theme, and what was seen more than either.
    assert chosen("report", None, ("Fortinet", "FortiOS"), title=title, marks=marks) == "fortinet-fortios"


def test_a_weakness_decides_where_no_product_does() -> None:
    assert chosen("advisory", None, ("Acme", "Foo"), marks=("CWE-89",)) == "web-weakness"
    assert chosen("advisory", None, ("Acme", "Foo"), title="Foo SQL Injection Vulnerability") == "web-weakness"
    assert chosen("advisory", None, ("Acme", "Foo"), marks=("CWE-798",)) == "fixed-password"
    assert chosen("advisory", None, ("Cisco", "Foo"), marks=("CWE-798",)) == "cisco-firewall"


def test_marks_are_those_of_techniques_weaknesses_and_malware() -> None:
    objects = [
        {"type": "attack-pattern", "external_references": [{"external_id": "T1566.002"}, {"source_name": "a blog"}]},
        {"type": "vulnerability", "external_references": [{"external_id": "CWE-798"}, {"external_id": "CVE-2026-1"}]},
        {"type": "malware", "malware_types": ["ransomware"]},
        {"type": "indicator", "external_references": [{"external_id": "T9999"}]},
    ]
    assert advice.marks_of(objects) == {"T1566", "T1566.002", "CWE-798", "ransomware"}


def test_most_of_what_an_item_names_wins_whatever_the_order() -> None:
    several = [Affected("Citrix", "NetScaler ADC"), Affected("Fortinet", "FortiOS"), Affected("Fortinet", "FortiProxy")]
    one, other = (advice.choose(About("advisory", None, each)) for each in (several, several[::-1]))
    assert one == other
    assert one.id == "fortinet-fortios"


def test_facts_are_no_item() -> None:
    with pytest.raises(TriageError, match="facts"):
        advice.steps(About("facts"), "mkb", "nl")


@given(st.text())
def test_outside_names_are_filled_in_once(name: str) -> None:
    found = advice.steps(About("news", None, [Affected("A", name)], f"{name} {{product}}"), "zzp", "nl")
    assert found.headline == f"{name} {{product}}"


def test_an_advice_names_the_one_product_or_speaks_generally() -> None:
    def headline(*products: Affected) -> str:
        return advice.steps(About("advisory", None, products), "mkb", "nl").headline

    assert headline(Affected("Acme", "Foo"), Affected("Acme", "Foo", "2")) == "Foo: installeer de update"
    assert headline(Affected("Acme", "Foo"), Affected("Acme", "Bar")) == "software van Acme: installeer de update"
    assert headline(Affected("Acme", "Foo"), Affected("Bcme", "Bar")) == "Uw software: installeer de update"
    assert headline(Affected("Acme", "F" * 60)) == "Uw software: installeer de update", "what to do is never cut off"


def test_the_version_is_that_of_the_text_not_of_the_reader() -> None:
    rdp = {
        advice.steps(About("exposure", "open-rdp"), r, language).version for r in REGISTERS for language in LANGUAGES
    }
    assert len(rdp) == 1
    assert rdp != {advice.steps(About("exposure", "open-smb"), "mkb", "nl").version}


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
def test_deadlines_are_local_and_skip_weekends(urgency: Urgency, at: str, until: str | None) -> None:
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
        (('id = "generic-news"', 'sources = ["https://example.org"]\nid = "generic-news"'), "sources and the day"),
        (('id = "generic-news"', 'id = "other"'), "file's name"),
        (("[nl]", "[nl"), "generic-news.toml"),
        (("[en.mature]", "[en.zzz]"), "mature|zzz"),
    ],
)
def test_a_block_that_breaks_the_rules_is_named(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    for path in catalogue.BLOCKS.glob("generic-*.toml"):
        text = path.read_text("utf-8")
        if path.stem == "generic-news":
            assert change[0] in text
            text = text.replace(*change)
        (tmp_path / path.name).write_text(text, "utf-8")
    with pytest.raises(TriageError, match=fault):
        catalogue.load(tmp_path)


def test_a_kind_without_generic_steps_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TriageError, match="generic-advisory"):
        catalogue.load(tmp_path)
