"""`oktt doctor`: what is in order, what is not, and what to do."""

import smtplib
import ssl
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from app import AppError, database, keys
from config import ConfigError
from config import settings as configuration
from config.settings import Settings
from pii_guard import GuardError
from pii_guard.policy import check_sources
from subscribers import registry
from web import auth

Status = Literal["ok", "warning", "fault"]
"""A warning: it works, and part of what is configured or registered does nothing."""
Result = tuple[str, Status, str]


def examine(folder: Path) -> list[dict[str, Any]]:
    """Each check as {"what","ok","status","says"}, ok unless it is a fault; never raises for what it finds."""
    return [
        {"what": what, "ok": status != "fault", "status": status, "says": says}
        for what, status, says in _checks(folder)
    ]


def _checks(folder: Path) -> Iterator[Result]:
    try:
        settings = configuration.load(folder)
    except ConfigError as error:
        yield "configuration", "fault", str(error)
        return
    yield "configuration", "ok", f"{len(settings.sources)} sources, {len(settings.rules)} release rules"
    yield _policy(settings)
    yield _keys(settings)
    yield (stored := _database(settings))
    yield _folder(settings)
    yield _smtp(settings)
    yield _clock(settings)
    yield from _idle_sources(settings)
    if stored[1] == "ok":
        yield from _idle_rows(settings)


def _policy(settings: Settings) -> Result:
    source = next(iter(settings.sources.values()), None)
    if source is None:
        return "legal policy", "fault", "sources.toml names no source: add a table [source.<id>]"
    try:
        regime = settings.policy.regime(source, datetime.now(UTC))
        check_sources(settings.policy, settings.sources.values(), datetime.now(UTC))
    except GuardError as error:
        return "legal policy", "fault", str(error)
    return "legal policy", "ok", f"regime {regime} is in force; policy {settings.policy.hash[:12]}"


def _keys(settings: Settings) -> Result:
    try:
        keys.load(settings.file(settings.main.keys.instance))
    except AppError as error:
        return "keys", "fault", str(error)
    return "keys", "ok", "instance key is there and readable by its owner only"


def _database(settings: Settings) -> Result:
    try:
        engine = database.connect(settings.database_url)
    except AppError as error:
        return "database", "fault", str(error)
    try:
        database.require_current(engine)
        return "database", "ok", f"{engine.dialect.name}, at this version"
    except AppError as error:
        return "database", "fault", str(error)
    except sa.exc.SQLAlchemyError as error:
        reason = type(error.orig).__name__ if isinstance(error, sa.exc.DBAPIError) else type(error).__name__
        return "database", "fault", f"cannot be reached ({reason}): check [database] url in oktt.toml and that it runs"
    finally:
        engine.dispose()


def _folder(settings: Settings) -> Result:
    target = settings.dir / "outbox"
    try:
        target.mkdir(exist_ok=True)
        probe = target / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return "outbox", "fault", f"{target} cannot be written ({error.strerror}): correct its owner and permissions"
    return "outbox", "ok", "messages of the file channel go to outbox/"


def _smtp(settings: Settings) -> Result:
    smtp = settings.main.smtp
    if smtp is None:
        return "smtp", "ok", "not set up: e-mail is written to outbox/ as .eml files"
    try:
        if smtp.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=5)
        else:
            server = smtplib.SMTP(smtp.host, smtp.port, timeout=5)
        with server:
            if smtp.security == "starttls":
                server.starttls(context=ssl.create_default_context())
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return "smtp", "fault", f"{smtp.host} port {smtp.port} does not answer ({type(error).__name__}): check [smtp]"
    return "smtp", "ok", f"{smtp.host} port {smtp.port} answers"


def _clock(settings: Settings) -> Result:
    if settings.main.app.test_clock:
        return "clock", "ok", "test_clock = true: OKTT_NOW sets the time; never in production"
    year = datetime.now(UTC).year
    if year < 2025:
        return "clock", "fault", f"the year is {year}: set the system's clock"
    return "clock", "ok", f"the year is {year}"


def _idle_sources(settings: Settings) -> Iterator[Result]:
    """Kinds of sources that sources.toml may name already, and that no part of this version polls."""
    idle = [f"{source.id} ({source.kind})" for source in settings.sources.values() if source.kind != "files"]
    if idle:
        says = f"this version reads files, and polls nothing of {', '.join(idle)}"
        yield "sources", "warning", f'{says}: fetch it otherwise and `oktt ingest` it, or set kind = "files" and a path'


def _idle_rows(settings: Settings) -> Iterator[Result]:
    """Channels and credentials that the registry keeps already, and that no part of this version serves."""
    engine = database.connect(settings.database_url)
    try:
        with database.reading(engine) as connection:
            idle = Counter(
                kind
                for subscriber in registry.every(connection)
                for kind in {contact.type for contact in subscriber.contacts if not contact.served}
            )
            unused = auth.standing(connection, datetime.now(UTC), "api")
    except sa.exc.SQLAlchemyError as error:
        yield "registry", "fault", f"cannot be read ({type(error).__name__}): put the database back from a backup"
        return
    finally:
        engine.dispose()
    if idle:
        told = " and ".join(f"{kind} (subscribers: {count})" for kind, count in sorted(idle.items()))
        says = f"nothing goes by {told} yet: import those with an email, file or taxii channel too"
        yield "channels", "warning", says
    if unused:
        says = f"{unused} for api open nothing yet: `oktt credentials revoke` them; TAXII takes those --for taxii"
        yield "credentials", "warning", says
