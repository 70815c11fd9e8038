"""oktt.toml, sources.toml, rules.toml and legal.toml -> Settings. Errors name file, line and key, and the next step."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from msgspec import Struct

from config import ConfigError
from config.sources import SourceTable, WrongKeyError, labels_of, of_table
from config.toml import Toml
from ingest import CONTRIBUTED, OWN, Source
from pii_guard import GuardError
from pii_guard.policy import Policy, check_sources
from pii_guard.policy_file import load as load_policy
from tlp import Label
from triage.rules import DeskSettings, Rule

DEFAULTS = Path(__file__).parent / "defaults"
FILES = ("oktt.toml", "sources.toml", "legal.toml", "rules.toml")


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """`[app]`."""

    test_clock: bool = False
    """Let OKTT_NOW set the clock: for tests and the demo, never in production."""


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """`[database]`."""

    url: str = ""
    """Empty: SQLite in DIR/oktt.db; else postgresql://user@host/name (password through PGPASSFILE)."""


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """`[keys]`: files outside backups of the data. Empty: in DIR.keys, beside DIR."""

    instance: str = ""
    """32 random bytes that every keyed hash, seal and chain is derived from; `oktt init` makes it."""
    vault: str = ""
    """Folder of the keys under which gated values lie sealed: one for each source and month."""


class Smtp(Struct, frozen=True, forbid_unknown_fields=True):
    """`[smtp]`; without this table e-mail is written as .eml files to DIR/outbox/."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    ca_file: str = ""
    """Certificates to trust instead of the machine's."""
    timeout: float = 30.0


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """`[mail]`: how messages present the service."""

    name: str = "OKTT"
    sender: str = "OKTT <meldingen@oktt.example>"
    """Its domain is also the right-hand side of Message-IDs."""
    site: str = "oktt.example"
    """Where recipients check that a message is ours; shown, never linked."""
    contact: str = "meldpunt@oktt.example"
    dkim_key: str = ""
    """PEM file, RSA or Ed25519; `oktt doctor` says what has to stand in the DNS."""
    dkim_selector: str = "oktt"
    smime_cert: str = ""
    smime_key: str = ""
    """PEM files of the hub's own certificate: all mail is signed with it."""
    pgp_key: str = ""
    """OpenPGP: mail to who has an OpenPGP key, and all mail where there is no certificate."""


class Bounces(Struct, frozen=True, forbid_unknown_fields=True):
    """`[bounces]`: mail that comes back is read, and heeded. Without this table it goes to the sender, to a person."""

    address: str
    """bounce@oktt.example: each message goes out with an envelope sender `bounce+TOKEN@oktt.example` of its own."""
    folder: str = ""
    """A Maildir, relative to DIR, or"""
    url: str = ""
    """a mailbox: imaps://host/FOLDER."""
    user: str = ""
    secret_file: str = ""
    ca_file: str = ""
    private: bool = False
    """May the mailbox's host be in a private network?"""


class Web(Struct, frozen=True, forbid_unknown_fields=True):
    """`[web]`."""

    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = ""
    """How clients reach it, for absolute addresses behind a proxy: https://oktt.example. Empty: relative ones."""
    title: str = "OKTT"
    requests_per_minute: int = 1200
    """TAXII requests that one credential has a minute; 0: no limit."""
    clearance: Literal["CLEAR", "GREEN"] = "CLEAR"
    """The strictest label that who subscribes at the portal may see."""

    def address(self, path: str) -> str:
        """Of a page, as a mail names it; without `base_url` on this machine."""
        return f"{self.base_url.rstrip('/') or f'http://{self.host}:{self.port}'}{path}"


class Webhooks(Struct, frozen=True, forbid_unknown_fields=True):
    """`[webhooks]`: to subscribers' own servers, always over https."""

    private: bool = False
    """May they be in private networks?"""
    ca_file: str = ""
    """Certificates to trust instead of the machine's."""


class Kafka(Struct, frozen=True, forbid_unknown_fields=True):
    """`[kafka]`: our own broker, for subscribers' topics."""

    servers: tuple[str, ...]
    """host:port of each."""
    security: Literal["tls", "none"] = "tls"
    user: str = ""
    """SCRAM-SHA-512."""
    password_file: str = ""
    ca_file: str = ""
    timeout: float = 30.0


class Main(Struct, frozen=True, forbid_unknown_fields=True):
    """oktt.toml."""

    app: App = App()
    database: Database = Database()
    keys: Keys = Keys()
    smtp: Smtp | None = None
    bounces: Bounces | None = None
    webhooks: Webhooks = Webhooks()
    kafka: Kafka | None = None
    mail: Mail = Mail()
    web: Web = Web()
    desk: DeskSettings = DeskSettings()


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of one instance."""

    dir: Path
    main: Main
    sources: dict[str, Source]
    rules: tuple[Rule, ...]
    policy: Policy
    labels: Mapping[str, Label] = field(default_factory=dict)
    """`[labels]` of sources.toml."""

    @property
    def database_url(self) -> str:
        """The database's address; SQLite in DIR unless the setting points elsewhere."""
        return self.main.database.url or f"sqlite:///{self.dir.resolve() / 'oktt.db'}"

    @property
    def named(self) -> dict[str, Source]:
        """Every source that readers see by its name: those of sources.toml, and what the analysts write themselves."""
        own = Source(OWN, self.main.mail.name, public=True, reliability="A", language="nl")
        return {OWN: own} | self.sources

    @property
    def consents(self) -> dict[str, frozenset[str]]:
        """Source id -> reader kinds to which its RED and AMBER+STRICT may go."""
        return {source.id: source.consent for source in self.sources.values()}

    @property
    def keys(self) -> Path:
        """Where keys lie that no setting puts elsewhere: beside DIR, so that no copy of DIR holds them."""
        whole = self.dir.resolve()
        return whole.with_name(f"{whole.name}.keys")

    @property
    def instance_key(self) -> Path:
        """The instance key's file; where earlier versions made it, as long as it lies there."""
        if self.main.keys.instance:
            return self.file(self.main.keys.instance)
        earlier = self.dir / "instance.key"
        return earlier if earlier.exists() else self.keys / "instance.key"

    @property
    def vault(self) -> Path:
        """The folder of the vault's keys."""
        return self.file(self.main.keys.vault) if self.main.keys.vault else self.keys / "vault"

    @property
    def snapshot(self) -> Path:
        """The matching index, saved: made anew where it is not there."""
        return self.dir / "index.snapshot"

    def file(self, name: str) -> Path:
        """A file that a setting names, relative to DIR."""
        return self.dir / name

    def source(self, name: str) -> Source:
        """A source by id; `subscriber:ID` is what that subscriber hands in: AMBER where it carries no label, under the
        regime in force. Raises ConfigError that lists those there are."""
        if name.startswith(CONTRIBUTED) and name != CONTRIBUTED:
            return Source(name, "A subscriber", language="nl", labels=self.labels)
        try:
            return self.named[name]
        except KeyError:
            known = ", ".join(sorted(self.sources))
            raise ConfigError(
                f"sources.toml has no source of that id; there are: {known}. Use one or add a table [source.<id>]"
            ) from None


def write_defaults(target: Path) -> list[str]:
    """Write the default files that are not there yet; names of those written."""
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{target} cannot be made a folder ({error.strerror}): choose another --dir") from None
    written = []
    for name in FILES:
        if not (target / name).exists():
            (target / name).write_text((DEFAULTS / name).read_text(encoding="utf-8"), encoding="utf-8")
            written.append(name)
    return written


def load(folder: Path) -> Settings:
    """Read the four files of DIR. Raises ConfigError naming file, line, key and the next step."""
    main = _File(folder / "oktt.toml").read(Main)
    feeds = _File(folder / "sources.toml")
    sources, labels = feeds.sources(), feeds.labels()
    rules = _File(folder / "rules.toml").rules()
    if main.bounces is not None:
        _check_bounces(_File(folder / "oktt.toml"), main.bounces)
    return Settings(folder, main, sources, rules, _policy(folder, sources), labels)


def _check_bounces(file: "_File", given: Bounces) -> None:
    """One place that mail comes back to, and an address whose tokens fit a local part of 64 signs."""
    if bool(given.folder) == bool(given.url) or not re.fullmatch(r"[\w.-]{1,20}@[\w.-]+", given.address, re.ASCII):
        raise ConfigError(
            f"{file.path}:{file.line('bounces')}: bounces: give address as bounce@oktt.example (at most 20 signs "
            "before the @), and either folder (a Maildir) or url (imaps://host/FOLDER)"
        )


def _policy(folder: Path, sources: dict[str, Source]) -> Policy:
    file = _File(folder / "legal.toml")
    file.parsed()
    try:
        policy = load_policy(file.text, str(file.path))
    except GuardError as error:
        raise file.placed(str(error)) from None
    for source in sources.values():
        try:
            check_sources(policy, [source])
        except GuardError as error:
            raise _File(folder / "sources.toml").placed(str(error)) from None
    return policy


class _File(Toml):
    """One of the files of DIR."""

    def __init__(self, path: Path) -> None:
        try:
            super().__init__(path, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(f"{path} is not there: run `oktt init`") from None
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{path} cannot be read as UTF-8 text: check its permissions and encoding") from None

    def sources(self) -> dict[str, Source]:
        whole = self.parsed()
        self.only(whole, "source", "labels")
        labels = self.labels()
        tables = whole.get("source", {})
        if not isinstance(tables, dict):
            raise ConfigError(f"{self.path}:1: source: write tables [source.<id>]")
        result = {}
        for name, values in tables.items():
            read = self.read(SourceTable, values, f"source.{name}")
            try:
                result[name] = replace(of_table(name, read, values, self.path.parent), labels=labels)
            except WrongKeyError as problem:
                key = f"source.{name}.{problem.key}"
                raise ConfigError(f"{self.path}:{self.line(key)}: {key}: {problem.reason}") from None
        return result

    def labels(self) -> dict[str, Label]:
        """`[labels]` of sources.toml: tag of a namespace, folded -> what it means."""
        given = self.parsed().get("labels", {})
        if not isinstance(given, dict):
            raise ConfigError(f"{self.path}:{self.line('labels')}: labels: write a table [labels]")
        try:
            return labels_of(given)
        except WrongKeyError as problem:
            lines = enumerate(self.text.splitlines(), 1)
            line = next((number for number, text in lines if problem.key in text), self.line("labels"))
            raise ConfigError(f"{self.path}:{line}: labels.{problem.key}: {problem.reason}") from None

    def rules(self) -> tuple[Rule, ...]:
        whole = self.parsed()
        self.only(whole, "rule")
        tables = whole.get("rule", [])
        if not isinstance(tables, list):
            raise ConfigError(f"{self.path}:{self.line('rule')}: rule: write tables [[rule]]")
        rules = tuple(self.read(Rule, values, f"rule.{number}") for number, values in enumerate(tables))
        names = [rule.id for rule in rules]
        for number, name in enumerate(names):
            if name in names[:number]:
                key = f"rule.{number}.id"
                raise ConfigError(f"{self.path}:{self.line(key)}: {key}: two rules have the same id: give each its own")
        return rules
