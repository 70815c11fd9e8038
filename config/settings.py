"""oktt.toml, sources.toml, rules.toml and legal.toml -> Settings. Errors name file, line and key, and the next step."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args

import msgspec
from msgspec import Struct

from config import ConfigError
from config.sources import SourceTable, WrongKeyError, of_table
from ingest import CONTRIBUTED, Source
from pii_guard import GuardError
from pii_guard.policy import Policy, check_sources
from pii_guard.policy import load as load_policy
from tlp import Label
from triage.rules import DeskSettings, Rule

DEFAULTS = Path(__file__).parent / "defaults"
FILES = ("oktt.toml", "sources.toml", "legal.toml", "rules.toml")
T = TypeVar("T")


class App(Struct, frozen=True, forbid_unknown_fields=True):
    """`[app]`."""

    test_clock: bool = False
    """Let OKTT_NOW set the clock: for tests and the demo, never in production."""


class Database(Struct, frozen=True, forbid_unknown_fields=True):
    """`[database]`."""

    url: str = ""
    """Empty: SQLite in DIR/oktt.db; else postgresql://user@host/name (password through PGPASSFILE)."""


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """`[keys]`: files outside backups of the data."""

    instance: str = "instance.key"
    """32 random bytes that every keyed hash, seal and chain is derived from; `oktt init` makes it."""


class Smtp(Struct, frozen=True, forbid_unknown_fields=True):
    """`[smtp]`; without this table e-mail is written as .eml files to DIR/outbox/."""

    host: str
    port: int = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str = ""
    password_file: str = ""
    timeout: float = 30.0


class Mail(Struct, frozen=True, forbid_unknown_fields=True):
    """`[mail]`: how messages present the service."""

    name: str = "OKTT"
    sender: str = "OKTT <meldingen@oktt.example>"
    """Its domain is also the right-hand side of Message-IDs."""
    site: str = "oktt.example"
    """Where recipients check that a message is ours; shown, never linked."""
    contact: str = "meldpunt@oktt.example"


class Web(Struct, frozen=True, forbid_unknown_fields=True):
    """`[web]`."""

    host: str = "127.0.0.1"
    port: int = 8080
    base_url: str = ""
    """How clients reach it, for absolute addresses behind a proxy: https://oktt.example. Empty: relative ones."""
    title: str = "OKTT"


class Main(Struct, frozen=True, forbid_unknown_fields=True):
    """oktt.toml."""

    app: App = App()
    database: Database = Database()
    keys: Keys = Keys()
    smtp: Smtp | None = None
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

    @property
    def database_url(self) -> str:
        """The database's address; SQLite in DIR unless the setting points elsewhere."""
        return self.main.database.url or f"sqlite:///{self.dir.resolve() / 'oktt.db'}"

    @property
    def consents(self) -> dict[str, frozenset[str]]:
        """Source id -> reader kinds to which its RED and AMBER+STRICT may go."""
        return {source.id: source.consent for source in self.sources.values()}

    def file(self, name: str) -> Path:
        """A file that a setting names, relative to DIR."""
        return self.dir / name

    def source(self, name: str) -> Source:
        """A source by id; `subscriber:ID` is what that subscriber hands in: AMBER where it carries no label, under the
        regime in force. Raises ConfigError that lists those there are."""
        if name.startswith(CONTRIBUTED) and name != CONTRIBUTED:
            return Source(name, "A subscriber", language="nl")
        try:
            return self.sources[name]
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
    sources = _File(folder / "sources.toml").sources()
    rules = _File(folder / "rules.toml").rules()
    return Settings(folder, main, sources, rules, _policy(folder, sources))


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


def _told(text: str, shape: Any, at: str) -> str:
    """What msgspec says of a value, without the value; and what may stand there instead, where that is a short list."""
    plain = re.sub(r"^Invalid enum value .*$", "not one of the values that are possible", text, flags=re.DOTALL)
    for name in at.split(".") if plain != text else ():
        struct = next(each for each in (shape, *get_args(shape)) if hasattr(each, "__struct_fields__"))
        shape = next(field.type for field in msgspec.structs.fields(struct) if field.name == name)
    values = [label.value for label in Label] if shape is Label else [*get_args(shape)]
    values += [value for inner in get_args(shape) for value in get_args(inner)]
    names = " ".join(value for value in values if isinstance(value, str))
    return f"{plain}; use {names}" if names else f"{plain}; correct it"


class _File:
    """One TOML file, and where its keys stand."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            raise ConfigError(f"{path} is not there: run `oktt init`") from None
        except (OSError, UnicodeDecodeError):
            raise ConfigError(f"{path} cannot be read as UTF-8 text: check its permissions and encoding") from None

    def parsed(self) -> dict[str, Any]:
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            where = re.search(r"line (\d+)", str(error))
            reason = re.sub(r"\s*\(at .*\)$", "", str(error))
            raise ConfigError(f"{self.path}:{where.group(1) if where else 1}: not TOML: {reason}; correct it") from None

    def read(self, shape: type[T], values: Any = None, table: str = "") -> T:
        try:
            return msgspec.convert(self.parsed() if values is None else values, shape)
        except msgspec.ValidationError as error:
            text, _, at = str(error).partition(" - at `$")
            at = re.sub(r"\[[^\]]*\]", "", at).rstrip("`").lstrip(".")
            unknown = re.search(r"unknown field `([^`]*)`", text)
            key = ".".join(part for part in (table, at, unknown.group(1) if unknown else "") if part)
            reason = "unknown key; remove it or correct its spelling" if unknown else _told(text, shape, at)
            raise ConfigError(f"{self.path}:{self.line(key)}: {key}: {reason}") from None

    def sources(self) -> dict[str, Source]:
        whole = self.parsed()
        self._only(whole, "source")
        tables = whole.get("source", {})
        if not isinstance(tables, dict):
            raise ConfigError(f"{self.path}:1: source: write tables [source.<id>]")
        result = {}
        for name, values in tables.items():
            read = self.read(SourceTable, values, f"source.{name}")
            try:
                result[name] = of_table(name, read, values, self.path.parent)
            except WrongKeyError as problem:
                key = f"source.{name}.{problem.key}"
                raise ConfigError(f"{self.path}:{self.line(key)}: {key}: {problem.reason}") from None
        return result

    def rules(self) -> tuple[Rule, ...]:
        whole = self.parsed()
        self._only(whole, "rule")
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

    def _only(self, whole: dict[str, Any], allowed: str) -> None:
        for key in whole:
            if key != allowed:
                raise ConfigError(f"{self.path}:{self.line(key)}: {key}: unknown key; this file holds only {allowed}")

    def placed(self, text: str) -> ConfigError:
        """What the policy says of a key (`FILE: KEY: reason`), with this file's name and the key's line."""
        key, _, reason = re.sub(r"^.*?\.toml: ", "", text).partition(": ")
        dotted = re.sub(r"\[(\d+)\]", r".\1", key)
        return ConfigError(f"{self.path}:{self.line(dotted)}: {key}: {reason}")

    def line(self, key: str) -> int:
        """The line on which a dotted key stands, or that of the nearest table above it; 1 when neither is found."""
        parts = key.split(".")
        table: list[str] = []
        counts: dict[tuple[str, ...], int] = {}
        best = (0, 1)
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
                table = [part.strip(" \"'") for part in header.group(2).split(".")]
                if header.group(1) == "[[":
                    array = tuple(table)
                    counts[array] = counts.get(array, -1) + 1
                    table = [*array, str(counts[array])]
                here = table
            elif assigned := re.match(r"\s*([\w\-.\"']+)\s*=", line):
                here = [*table, *(part.strip(" \"'") for part in assigned.group(1).split("."))]
            else:
                continue
            if here == parts[: len(here)] and len(here) > best[0]:
                best = (len(here), number)
        return best[1]
