"""`oktt doctor`: what is in order, what is not, and what to do."""

import smtplib
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app import AppError, database, keys
from config import ConfigError
from config import settings as configuration
from config.settings import Settings
from pii_guard import GuardError
from pii_guard.policy import check_sources


def examine(folder: Path) -> list[dict[str, Any]]:
    """Each check as {"what","ok","says"}; never raises for what it finds."""
    return [{"what": what, "ok": ok, "says": says} for what, ok, says in _checks(folder)]


def _checks(folder: Path) -> Iterator[tuple[str, bool, str]]:
    try:
        settings = configuration.load(folder)
    except ConfigError as error:
        yield "configuration", False, str(error)
        return
    yield "configuration", True, f"{len(settings.sources)} sources, {len(settings.rules)} release rules"
    yield _policy(settings)
    yield _keys(settings)
    yield _database(settings)
    yield _folder(settings)
    yield _smtp(settings)
    yield _clock(settings)


def _policy(settings: Settings) -> tuple[str, bool, str]:
    source = next(iter(settings.sources.values()), None)
    if source is None:
        return "legal policy", False, "sources.toml names no source: add a table [source.<id>]"
    try:
        regime = settings.policy.regime(source, datetime.now(UTC))
        check_sources(settings.policy, settings.sources.values(), datetime.now(UTC))
    except GuardError as error:
        return "legal policy", False, str(error)
    return "legal policy", True, f"regime {regime} is in force; policy {settings.policy.hash[:12]}"


def _keys(settings: Settings) -> tuple[str, bool, str]:
    try:
        keys.load(settings.file(settings.main.keys.instance))
    except AppError as error:
        return "keys", False, str(error)
    return "keys", True, "instance key is there and readable by its owner only"


def _database(settings: Settings) -> tuple[str, bool, str]:
    try:
        engine = database.connect(settings.database_url)
    except AppError as error:
        return "database", False, str(error)
    try:
        database.require_current(engine)
        return "database", True, f"{engine.dialect.name}, at this version"
    except AppError as error:
        return "database", False, str(error)
    except sa.exc.SQLAlchemyError as error:
        reason = type(error.orig).__name__ if isinstance(error, sa.exc.DBAPIError) else type(error).__name__
        return "database", False, f"cannot be reached ({reason}): check [database] url in oktt.toml and that it runs"
    finally:
        engine.dispose()


def _folder(settings: Settings) -> tuple[str, bool, str]:
    target = settings.dir / "outbox"
    try:
        target.mkdir(exist_ok=True)
        probe = target / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        return "outbox", False, f"{target} cannot be written ({error.strerror}): correct its owner and permissions"
    return "outbox", True, "messages of the file channel go to outbox/"


def _smtp(settings: Settings) -> tuple[str, bool, str]:
    smtp = settings.main.smtp
    if smtp is None:
        return "smtp", True, "not set up: e-mail is written to outbox/ as .eml files"
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
        return "smtp", False, f"{smtp.host} port {smtp.port} does not answer ({type(error).__name__}): check [smtp]"
    return "smtp", True, f"{smtp.host} port {smtp.port} answers"


def _clock(settings: Settings) -> tuple[str, bool, str]:
    if settings.main.app.test_clock:
        return "clock", True, "test_clock = true: OKTT_NOW sets the time; never in production"
    year = datetime.now(UTC).year
    return "clock", year >= 2025, f"the year is {year}" + ("" if year >= 2025 else ": set the system's clock")
