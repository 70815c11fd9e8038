"""The four files of an instance: what is read, and what is said of what cannot be used."""

import re
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from msgspec import Struct

from config import ConfigError
from config.settings import (
    DEFAULTS,
    FILES,
    Bounces,
    Database,
    Kafka,
    Keys,
    Mail,
    Main,
    Smtp,
    Web,
    Webhooks,
    load,
    write_defaults,
)
from config.sources import SourceTable
from ingest import Feed
from tlp import Label
from triage.rules import DeskSettings

SECRET = "geheimewaarde"
STRUCTS: dict[str, type[Struct]] = {
    "database": Database, "keys": Keys, "smtp": Smtp, "bounces": Bounces, "webhooks": Webhooks, "kafka": Kafka,
    "mail": Mail, "web": Web, "desk": DeskSettings,
}  # fmt: skip
TABLE = re.compile(r"^(?:# )?\[(\w+)\]$(.*?)(?=^(?:# )?\[|\Z)", re.MULTILINE | re.DOTALL)
KEY = re.compile(r"^(?:# )?(\w+) = ", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_defaults(tmp_path / "var")
    return tmp_path / "var"


def refused(folder: Path, name: str, text: str) -> str:
    """What is said of a file with this text: FILE:LINE: KEY: reason; next step. Never the value."""
    (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(folder)
    said = str(caught.value)
    assert said.startswith(f"{folder / name}:"), said
    assert SECRET not in said
    return said.removeprefix(f"{folder / name}:")


def test_the_defaults_are_what_the_program_assumes(folder: Path) -> None:
    settings = load(folder)
    assert settings.main == Main()
    assert set(settings.sources) == {"ncsc-nl", "kev", "epss", "cve", "shadowserver", "market", "news"}
    assert [rule.id for rule in settings.rules] == ["ncsc-advisory", "public-digest", "exposure"]
    assert settings.policy.regimes
    assert settings.database_url == f"sqlite:///{folder.resolve() / 'oktt.db'}"


def test_each_key_is_named_in_the_file_that_init_writes() -> None:
    text = (DEFAULTS / "oktt.toml").read_text()
    named = {head: set(KEY.findall(body)) for head, body in TABLE.findall(text)}
    for table in Main.__struct_fields__:
        if table != "app":  # of tests alone
            assert set(STRUCTS[table].__struct_fields__) == named[table], table
    head = set(re.findall(r"^#   (\w+) ", (DEFAULTS / "sources.toml").read_text(), re.MULTILINE))
    assert set(SourceTable.__struct_fields__) - {"name"} <= head


def test_a_source_is_amber_and_doubtful_unless_it_says_otherwise(folder: Path) -> None:
    (folder / "sources.toml").write_text('[source.x]\nname = "X"\n')
    source = load(folder).source("x")
    assert (source.tlp, source.public, source.reliability, source.attacker_ip) == (Label.AMBER, False, "F", "strip")
    assert load(folder).consents == {"x": frozenset()}


def test_a_source_gives_anything_unless_it_says_otherwise(folder: Path) -> None:
    gives = {name: source.formats for name, source in load(folder).sources.items()}
    assert (gives["ncsc-nl"], gives["market"]) == ({"csaf", "rss"}, frozenset())
    assert load(folder).source("market").gives("stix")
    assert load(folder).source("kev").gives("kev")
    assert not load(folder).source("kev").gives("stix")


def test_what_tags_mean_holds_for_every_source(folder: Path) -> None:
    text = "[labels]\n'Cert-XX:TLP=\"wit\"' = 'CLEAR'\n[source.x]\nname = 'X'\n"
    (folder / "sources.toml").write_text(text, encoding="utf-8")
    settings = load(folder)
    assert settings.source("x").labels == settings.source("subscriber:a").labels == {"cert-xx:tlp=wit": Label.CLEAR}


def test_consent_on_record(folder: Path) -> None:
    (folder / "sources.toml").write_text('[source.x]\nname = "X"\nconsent = ["cert", "supplier"]\n')
    assert load(folder).consents == {"x": frozenset({"cert", "supplier"})}


def test_writing_the_defaults_never_overwrites(tmp_path: Path) -> None:
    assert write_defaults(tmp_path) == list(FILES)
    (tmp_path / "rules.toml").write_text("# mine\n")
    (tmp_path / "oktt.toml").unlink()
    assert write_defaults(tmp_path) == ["oktt.toml"]
    assert (tmp_path / "rules.toml").read_text() == "# mine\n"
    assert (tmp_path / "oktt.toml").read_text() == (DEFAULTS / "oktt.toml").read_text()
    assert load(tmp_path).rules == ()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("")
    with pytest.raises(ConfigError, match="--dir"):
        write_defaults(tmp_path / "var")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_says_what_to_run(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=rf"{name} is not there: run `oktt init`"):
        load(folder)


@pytest.mark.parametrize("name", FILES)
def test_bytes_that_are_no_text(folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match=rf"{name} cannot be read as UTF-8"):
        load(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_folder_in_place_of_a_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(ConfigError, match=rf"{name} cannot be read"):
        load(folder)


@pytest.mark.parametrize("name", FILES)
def test_what_is_no_toml_is_told_by_line(folder: Path, name: str) -> None:
    text = (folder / name).read_text() + f"\n{SECRET} = \n"
    assert refused(folder, name, text).startswith(f"{len(text.splitlines())}: not TOML: ")


def live(lines: str) -> str:
    """A table of a live source."""
    return f"[source.x]\nname = 'X'\nkind = 'http'\n{lines}\n"


@pytest.mark.parametrize(
    ("name", "text", "start"),
    [
        ("oktt.toml", f"[desk]\n{SECRET.upper()} = 3\n", f"2: desk.{SECRET.upper()}: unknown key"),
        ("oktt.toml", f"\n\n{SECRET.upper()} = 3\n", f"3: {SECRET.upper()}: unknown key"),
        ("oktt.toml", f"[desk]\n\nperson_over = '{SECRET}'\n", "3: desk.person_over: Expected `int`, got `str`"),
        ("oktt.toml", "[smtp]\nport = 25\n", "1: smtp: Object missing required field `host`"),
        ("oktt.toml", f"[smtp]\nhost = 'h'\nsecurity = '{SECRET}'\n", "3: smtp.security: not one of"),
        ("oktt.toml", f"desk = '{SECRET}'\n", "1: desk: Expected `object`, got `str`"),
        ("oktt.toml", f"[desk]\nanalysts = ['a', {{x = '{SECRET}'}}]\n", "2: desk.analysts: Expected `str`"),
        ("sources.toml", f"[source.x]\nname = 'X'\ntlp = '{SECRET}'\n", "3: source.x.tlp: not one of"),
        ("sources.toml", "[source.x]\nname = 'X'\ntlp = 'amber'\n", "3: source.x.tlp: not one of"),
        ("sources.toml", f"[source.x]\nname = 'X'\nkind = '{SECRET}'\n", "3: source.x.kind: not one of"),
        ("sources.toml", f"[source.x]\nname = 'X'\nconsent = ['{SECRET}']\n", "3: source.x.consent: not one of"),
        ("sources.toml", f"[source.x]\nname = 'X'\nformats = ['{SECRET}']\n", "3: source.x.formats: not one of"),
        ("sources.toml", "[source.a]\nname = 'A'\n[source.b]\ntlp = 'RED'\n", "3: source.b: Object missing"),
        ("sources.toml", f"[source]\nx = '{SECRET}'\n", "2: source.x: Expected `object`"),
        ("sources.toml", f"source = '{SECRET}'\n", "1: source: write tables"),
        ("sources.toml", "[bron.x]\nname = 'X'\n", "1: bron: unknown key"),
        ("sources.toml", "[labels]\n'x:TLP=\"wit\"' = 'WHITE'\n", "2: labels.x:TLP=\"wit\": a tag means one of CLEAR"),
        ("sources.toml", "\n[labels]\n'TLP:red' = 'CLEAR'\n", "3: labels.TLP:red: what TLP's own tags mean is fixed"),
        ("sources.toml", f"[source.x]\nname = 'X'\nregime = '{SECRET}'\n", "3: source.x.regime: no such regime"),
        (
            "sources.toml",
            "[source.x]\nname = 'X'\nregime = 'no-basis'\nkind = 'imap'\nurl = 'imaps://h/INBOX'",
            "4: source.x.kind: imap",
        ),
        ("sources.toml", "[source.x]\nname = 'X'\nkind = 'http'\n", "1: source.x.url: missing, and a source of kind"),
        ("sources.toml", f"[source.x]\nname = 'X'\nurl = 'https://{SECRET}'\n", "3: source.x.url: for live sources"),
        ("sources.toml", live(f"url = 'http:{SECRET}'"), "4: source.x.url: no address of a source of kind http"),
        ("sources.toml", live(f"url = 'imaps://{SECRET}/'"), "4: source.x.url: no address of a source of kind http"),
        ("sources.toml", live(f"url = 'https://[{SECRET}/'"), "4: source.x.url: no address of a source of kind http"),
        ("sources.toml", live(f"url = 'https://a/{SECRET} b'"), "4: source.x.url: no address of a source of kind http"),
        ("sources.toml", live(f"url = 'https://me:{SECRET}@a/'"), "4: source.x.url: names a user or password"),
        ("sources.toml", live("url = 'https://a/'\nevery = '90'"), "5: source.x.every: no length of time"),
        ("sources.toml", live("url = 'https://a/'\nsince = '0d'"), "5: source.x.since: no length of time"),
        ("sources.toml", live("url = 'https://a/'\nmax_bytes = 0"), "5: source.x.max_bytes: Expected `int` >= 1"),
        ("sources.toml", live("url = 'https://a/'\npath = 'b'"), "5: source.x.path: for kind"),
        ("sources.toml", live(f"url = 'https://a/'\nprivate = ['{SECRET}']"), "5: source.x.private: no network"),
        ("sources.toml", live("url = 'https://a/'\nprivate = ['10.1.2.3/8']"), "5: source.x.private: no network"),
        ("sources.toml", live("url = 'https://a/'\nprivate = 'true'"), "5: source.x.private: Expected"),
        ("sources.toml", live("url = 'https://a/'\nclient_key = 'b'"), "5: source.x.client_key: without client_cert"),
        ("sources.toml", live("url = 'http://a/'\nclient_cert = 'b'"), "5: source.x.client_cert: is never shown"),
        ("rules.toml", "[[rule]]\nid = 'a'\nwhy = 'w'\n\n[[rule]]\nid = 'a'\nwhy = 'w'\n", "6: rule.1.id: two rules"),
        ("rules.toml", "[[rule]]\nid = 'a'\nwhy = ''\n[[rule]]\nid = 'b'\nwhy = ''\nx = 1\n", "7: rule.1.x: unknown"),
        ("rules.toml", f"[[rule]]\nid = 'a'\nwhy = 'w'\ntlp = '{SECRET}'\n", "4: rule.0.tlp: not one of"),
        ("rules.toml", "[[rule]]\nid = 'a'\n", "1: rule.0: Object missing required field `why`"),
        ("rules.toml", "[rule]\nid = 'a'\nwhy = 'w'\n", "1: rule: write tables"),
        ("rules.toml", "rule = 5\n", "1: rule: write tables"),
        ("rules.toml", "[[regel]]\nid = 'a'\n", "1: regel: unknown key"),
        ("legal.toml", "[regime.x]\nvalid_from = 2024-01-01\n", "1: regime.x.jurisdiction: is missing"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_by_line_and_key(folder: Path, name: str, text: str, start: str) -> None:
    said = refused(folder, name, text)
    assert said.startswith(start), said
    assert re.search(r"[;:] (remove|correct|use|write|give|choose|have|add|this file holds)", said), said


def test_what_may_stand_there_is_told(folder: Path) -> None:
    said = refused(folder, "sources.toml", "[source.x]\nname = 'X'\ntlp = 'ROOD'\n")
    assert said.endswith("use CLEAR GREEN AMBER AMBER+STRICT RED")
    said = refused(folder, "oktt.toml", "[smtp]\nhost = 'h'\nsecurity = 'ssl'\n")
    assert said.endswith("use starttls tls none")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('id = "no-basis.text"', 'id = "no-basis.person"'),
        ('action = "gate"', f'action = "{SECRET}"'),
        ("item = 1825", "item = -1"),
        ('jurisdiction = "NL"', 'jurisdictie = "NL"'),
    ],
)
def test_the_legal_policy_is_told_by_line(folder: Path, old: str, new: str) -> None:
    before = (folder / "legal.toml").read_text()
    line = before[: before.index(old)].count("\n") + 1
    said = refused(folder, "legal.toml", before.replace(old, new, 1))
    number, key, *_ = said.split(": ")
    assert key.startswith("regime.")
    assert abs(int(number) - line) <= 1, said


def test_an_unknown_source_lists_those_there_are(folder: Path) -> None:
    with pytest.raises(ConfigError, match="there are: cve, epss, kev, market, ncsc-nl, news, shadowserver") as caught:
        load(folder).source(SECRET)
    assert SECRET not in str(caught.value)


def test_a_database_elsewhere(folder: Path) -> None:
    (folder / "oktt.toml").write_text('[database]\nurl = "postgresql://oktt@db.example/oktt"\n')
    assert load(folder).database_url == "postgresql://oktt@db.example/oktt"


def test_how_a_live_source_is_reached(folder: Path) -> None:
    (folder / "sources.toml").write_text(
        live(
            "url = 'https://a.example/'\nevery = '15m'\nsecret_file = 'keys/a'\nca_file = '/etc/ca.pem'"
            "\nprivate = ['10.1.2.0/24', 'fd00::/8']\nclient_cert = 'a.pem'\nclient_key = 'keys/a.key'"
        )
        + "[source.y]\nname = 'Y'\nkind = 'kafka'\nurl = 'kafka://a:9092,b:9093'\ncollections = ['t']\n"
    )
    sources = load(folder).sources
    assert sources["x"].feed == Feed(
        "https://a.example/",
        every=timedelta(minutes=15),
        secret_file=folder / "keys" / "a",
        ca_file=Path("/etc/ca.pem"),
        private=(ip_network("10.1.2.0/24"), ip_network("fd00::/8")),
        client_cert=folder / "a.pem",
        client_key=folder / "keys" / "a.key",
    )
    assert sources["y"].feed == Feed("kafka://a:9092,b:9093", collections=("t",))
    (folder / "sources.toml").write_text(live("url = 'https://a.example/'\nprivate = true"))
    anywhere = load(folder).source("x").feed
    assert anywhere
    assert anywhere.private == (ip_network("0.0.0.0/0"), ip_network("::/0"))
