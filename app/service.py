"""One opened instance: settings, database, keys, guard, clock, and the matching index as the registry stands."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from app import AppError, database, keys
from app.keys import Files
from app.observe import Metrics, log
from config import settings as configuration
from config.settings import Settings
from dispatch import publication, render
from dispatch.render import Renderer
from filtering import snapshot
from filtering.index import Index
from pii_guard import Item, journal, policies
from pii_guard.disclosure import Disclosure
from pii_guard.guard import Guard
from pii_guard.vault import Opening, Openings, Vault
from subscribers import registry
from triage import inbox

Clock = Callable[[], datetime]
SNAPSHOT_FROM = 20_000
"""Subscribers from which on restoring the index is worth a file: building it takes half a second then."""


@dataclass(slots=True)
class Service:
    """What every command and worker works with. Rooms get its parts as arguments, never the whole."""

    settings: Settings
    engine: sa.Engine
    keys: keys.Keyring
    files: Files
    vault: Vault
    guard: Guard
    clock: Clock
    renderer: Renderer
    metrics: Metrics = field(default_factory=Metrics)
    collections_at: int = -1
    """The registry's revision up to which subscribers with a TAXII channel have their collection."""
    reminded_at: datetime | None = None
    """When it was last looked who has to be reminded, and nobody was left."""
    _index: Index | None = None
    _indexing: threading.RLock = field(default_factory=threading.RLock)
    """Worker, poller and web ask one index: one of them brings it up to date."""

    def close(self) -> None:
        """Give the database's connections back; whoever opened the service does it when done."""
        self.engine.dispose()

    @contextmanager
    def transaction(self, *, dry_run: bool = False) -> Iterator[sa.Connection]:
        """Commit as a whole or not at all; a dry run, not at all. What was opened of the vault comes into the register
        either way."""
        openings = Openings()
        try:
            with self.engine.connect() as connection, connection.begin() as work:
                with self.vault.accounting(connection, openings):
                    yield connection
                if dry_run:
                    work.rollback()
                else:
                    self._register(connection, openings)
        except BaseException:
            self._register_apart(openings)
            raise
        if dry_run:
            self._register_apart(openings)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A consistent look that takes no write lock."""
        with database.reading(self.engine) as connection, self.accounted(connection):
            yield connection

    @contextmanager
    def accounted(self, connection: sa.Connection) -> Iterator[None]:
        """On this connection, which only reads, the vault may be opened in this block; the register tells of it."""
        openings = Openings()
        try:
            with self.vault.accounting(connection, openings):
                yield
        finally:
            self._register_apart(openings)

    def opened(self, connection: sa.Connection, item: Item, purpose: Opening) -> Item:
        """The item with its gated rows as they are, where the policy allows to open them for that purpose."""
        disclosure = self.disclosure(connection)
        allowed = disclosure.may_match if purpose == "match" else lambda _: True
        return self.vault.opened(connection, item, purpose, allowed)

    def _register(self, connection: sa.Connection, openings: Openings) -> None:
        if not openings.counts:
            return
        entries = [
            journal.Entry("opened", statement, {"purpose": purpose, "rows": rows})
            for (statement, purpose), rows in openings.counts.items()
        ]
        journal.append(connection, entries, key=self.keys.derive("journal"), at=self.clock())

    def _register_apart(self, openings: Openings) -> None:
        if openings.counts:
            with self.engine.begin() as connection:
                self._register(connection, openings)

    def disclosure(self, connection: sa.Connection) -> Disclosure:
        """Who may be shown what of gated values, by the policies that let them in and that of today."""
        policy = self.settings.policy
        earlier = partial(policies.earlier, connection)
        return Disclosure(policy, earlier, self.settings.sources, self.keys.derive("tokens"))

    def index(self, connection: sa.Connection) -> Index:
        """The matching index, brought up to the registry's revision; restored from its snapshot, or built anew."""
        with self._indexing:
            if self._index is None:
                self._index = self._opened(connection)
            elif self._index.revision != (revision := registry.revision(connection)):
                self._index.apply(registry.changed_since(connection, self._index.revision), revision)
            return self._index

    def save_index(self) -> None:
        """Save the index again where much has changed since, or it is gone: it may take as long as building it.

        One of its own, so that nobody who asks meanwhile waits or sees half of it; then all ask that one.
        """
        with self.reading() as connection:
            index = self.index(connection)
            saved = index.records.fresh <= _much(index) and self.settings.snapshot.exists()
            if len(index) < SNAPSHOT_FROM or saved:
                return
            index = self._opened(connection)
        with self._indexing:
            if self._index is not None and self._index.revision <= index.revision:
                self._index = index
        with self.reading() as connection:  # who was removed meanwhile stands in no file
            if any(one is None for _, one in registry.changed_since(connection, index.revision)):
                self.forget_index()

    def _opened(self, connection: sa.Connection) -> Index:
        """An index that nobody else asks yet: restored and followed, or built; saved again where that is worth it."""
        revision, index = registry.revision(connection), self._saved(connection)
        built = index is None
        if index is None:
            index = Index.build(registry.every(connection), revision)
        elif index.revision != revision:
            index.apply(registry.changed_since(connection, index.revision), revision)
        if built or index.records.fresh > _much(index):
            self._save(connection, index)
        return index

    def _saved(self, connection: sa.Connection) -> Index | None:
        try:
            data = self.settings.snapshot.read_bytes()
        except OSError:
            return None
        return snapshot.load(data, partial(registry.mark, connection))

    def _save(self, connection: sa.Connection, index: Index) -> None:
        mark = registry.mark(connection, index.revision)
        if len(index) >= SNAPSHOT_FROM and mark is not None:
            try:
                _write(self.settings.snapshot, snapshot.dump(index, mark))
            except OSError as error:  # a full disk: it is only a copy
                log.warning("index-not-saved", error=type(error).__name__)

    def forget_index(self) -> None:
        """After somebody was removed or erased: a snapshot would still hold that profile, and so would drafts of it."""
        for each in self.settings.dir.glob(f"{self.settings.snapshot.name}*"):
            each.unlink(missing_ok=True)


def _much(index: Index) -> int:
    """So many changes beside what is packed make it worth while to save the index again."""
    return max(SNAPSHOT_FROM, len(index) // 10)


def _write(file: Path, data: bytes) -> None:
    """Whole or not at all, for its owner alone. Drafts of processes that were killed go."""
    for left in file.parent.glob(f"{file.name}.*"):
        left.unlink(missing_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)


def make(folder: Path) -> list[str]:
    """`oktt init`: default configuration, instance key, database. Never overwrites; names of what it made."""
    made = configuration.write_defaults(folder)
    settings = configuration.load(folder)
    key = settings.instance_key
    engine = database.connect(settings.database_url)
    try:
        if not key.exists() and database.sealed(engine):
            raise AppError(
                f"{key} is not there, and what the database holds is sealed with it: put it back from a backup"
            )
        if keys.make(key):
            made.append(os.path.relpath(key, folder))
        database.upgrade(engine)
        with engine.begin() as connection:
            publication.ensure(connection, datetime.now(UTC))
    except sa.exc.DBAPIError as error:
        raise database.unreachable(error) from None
    finally:
        engine.dispose()
    return made


def open_service(folder: Path) -> Service:
    """Open an instance that `oktt init` made. Raises ConfigError or AppError with the next step."""
    settings = configuration.load(folder)
    keyring = keys.load(settings.instance_key)
    engine = database.connect(settings.database_url)
    try:
        database.require_current(engine)
        _on_record(engine, settings)
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise database.unreachable(error) from None
    except BaseException:
        engine.dispose()
        raise
    files = Files(settings.vault, keyring.derive("vault"))
    vault = Vault(files, lambda key: _records(engine, guard, key))
    guard = Guard(settings.policy, keyring.derive("guard"), vault)
    mail, web = settings.main.mail, settings.main.web
    public = web.address("/portal/berichten/") if web.base_url else ""
    renderer = Renderer(render.Service(mail.name, mail.site, mail.contact, public))
    return Service(settings, engine, keyring, files, vault, guard, clock(settings), renderer)


def _records(engine: sa.Engine, guard: Guard, key: str) -> list[bytes]:
    """What lies sealed of a statement, outside of any transaction: one may see the moment before a rotation."""
    with database.reading(engine) as connection:
        return inbox.records(connection, guard, key)


def _on_record(engine: sa.Engine, settings: Settings) -> None:
    """The policy with which this process decides, for whoever asks later what it was."""
    with database.reading(engine) as connection:
        if policies.known(connection, settings.policy):
            return
    with engine.begin() as connection:
        policies.keep(connection, settings.policy, clock(settings)())


def clock(settings: Settings) -> Clock:
    """The system's clock; or OKTT_NOW, only where `[app] test_clock = true`."""
    fixed = os.environ.get("OKTT_NOW")
    if fixed is None or not settings.main.app.test_clock:
        return lambda: datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError:
        raise AppError("OKTT_NOW is not an RFC 3339 time such as 2026-03-02T07:30:00Z") from None
    if moment.tzinfo is None:
        raise AppError("OKTT_NOW has no time zone: end it with Z")
    return lambda: moment
