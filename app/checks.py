"""`oktt doctor`: what is in order, what is not, and what to do."""

import os
import smtplib
import ssl
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from app import AppError, channels, database, keys, returning
from app.keys import Files
from app.service import clock
from config import ConfigError
from config import settings as configuration
from config.settings import Settings
from dispatch import DispatchError, contacts, encryption
from ingest import SourceError, cursors
from ingest.http import Web
from pii_guard import GuardError, explaining
from pii_guard.policy import check_sources
from subscribers import Contact, registry
from web import auth

Status = Literal["ok", "warning", "fault"]
"""A warning: it works, and part of what is configured or registered does nothing."""
Result = tuple[str, Status, str]
LATE = 3
"""How many times its interval a source may not have been read."""


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
    yield from _portal(settings)
    yield from _signatures(settings)
    yield from _bounces(settings)
    yield _clock(settings)
    yield from _sources(settings)
    if stored[1] == "ok":
        yield from _stored(settings)


def _policy(settings: Settings) -> Result:
    source = next(iter(settings.sources.values()), None)
    if source is None:
        return "legal policy", "fault", "sources.toml names no source: add a table [source.<id>]"
    try:
        regime = settings.policy.regime(source, datetime.now(UTC))
        check_sources(settings.policy, settings.sources.values(), datetime.now(UTC))
    except GuardError as error:
        return "legal policy", "fault", str(error)
    says = f"regime {regime} is in force; policy {settings.policy.hash[:12]}"
    if waiting := len(explaining.unreviewed(settings.policy, datetime.now(UTC).date())):
        says += f"; {waiting} rules await legal review: `oktt legal check`"
    return "legal policy", "ok", says


def _keys(settings: Settings) -> Result:
    try:
        keys.load(settings.instance_key)
        for key in Files(settings.vault, b"doctor").standing():
            keys.read(settings.vault / key.file)
    except AppError as error:
        return "keys", "fault", str(error)
    inside = [
        each
        for each in (settings.instance_key, settings.vault)
        if each.resolve().is_relative_to(settings.dir.resolve())
    ]
    if inside:
        named = " and ".join(each.name for each in inside)
        says = f"{named} lies in the instance's folder, so that every backup of it holds it: move it to {settings.keys}"
        return "keys", "warning", f"{says} and correct [keys] in oktt.toml"
    return "keys", "ok", "instance key and keys of the vault are readable by their owner only, and apart from the data"


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
        trusted = ssl.create_default_context(cafile=settings.file(smtp.ca_file) if smtp.ca_file else None)
        if smtp.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(smtp.host, smtp.port, timeout=5, context=trusted)
        else:
            server = smtplib.SMTP(smtp.host, smtp.port, timeout=5)
        with server:
            if smtp.security == "starttls":
                server.starttls(context=trusted)
            server.noop()
    except (OSError, smtplib.SMTPException) as error:
        return "smtp", "fault", f"{smtp.host} port {smtp.port} does not answer ({type(error).__name__}): check [smtp]"
    return "smtp", "ok", f"{smtp.host} port {smtp.port} answers"


def _portal(settings: Settings) -> Iterator[Result]:
    """Links that go out by mail have to lead to us, and browsers keep a log-in over https alone."""
    base = settings.main.web.base_url
    if settings.main.smtp is not None and not base.startswith("https://"):
        leads = base or "this machine alone"
        yield "portal", "warning", f"links in its mails lead to {leads}: set [web] base_url to https://..."


def _bounces(settings: Settings) -> Iterator[Result]:
    """Can mail that comes back be read?"""
    given = settings.main.bounces
    if given is None:
        return
    if not given.folder:
        yield "bounces", "ok", "mail that comes back is read from a mailbox every five minutes"
        return
    folder = settings.file(given.folder)
    if not os.access(folder / "new", os.R_OK | os.W_OK | os.X_OK):
        says = f"{folder} is no Maildir whose new/ we may read and empty: correct folder in [bounces], or its owner"
        yield "bounces", "fault", says
    elif left := sum(1 for _ in (folder / "cur").glob("*")):
        yield "bounces", "warning", f"{left} mails in {folder}/cur say nothing we understand: look at them, delete them"
    else:
        yield "bounces", "ok", "mail that comes back is read before each sending"


def _signatures(settings: Settings) -> Iterator[Result]:
    """Can our keys be used, and what has to stand in the DNS?"""
    try:
        found = channels.signatures(settings)
    except DispatchError as error:
        yield "signatures", "fault", str(error)
        return
    if found.dkim is None:
        if settings.main.smtp is not None:
            yield (
                "dkim",
                "warning",
                "mail is not signed: make a key, and name it in dkim_key of [mail] (docs/sending.md)",
            )
        return
    name = f"{found.dkim.selector}._domainkey.{found.dkim.domain}"
    yield "dkim", "ok", f"mail is signed; the DNS has to say of {name}, as TXT: {found.dkim.record}"


def _clock(settings: Settings) -> Result:
    if settings.main.app.test_clock:
        return "clock", "ok", "test_clock = true: OKTT_NOW sets the time; never in production"
    year = datetime.now(UTC).year
    if year < 2025:
        return "clock", "fault", f"the year is {year}: set the system's clock"
    return "clock", "ok", f"the year is {year}"


def _sources(settings: Settings) -> Iterator[Result]:
    """Can what live sources need be used: secrets and certificates? No source is asked for anything."""
    live = [source for source in settings.sources.values() if source.feed is not None]
    faults = 0
    for source in live:
        try:
            Web(source, clock=lambda: datetime.now(UTC)).adapter.close()
        except SourceError as error:
            faults += 1
            yield f"source {source.id}", "fault", str(error).removeprefix(f"{source.id}: ")
    bare = [each.id for each in live if each.feed and each.feed.secret_file and each.feed.url.startswith("http://")]
    if bare:
        yield "sources", "warning", f"{', '.join(bare)}: the secret goes over the net unencrypted: use https"
    elif live and not faults:
        yield "sources", "ok", f"{len(live)} live sources: their secrets and certificates can be used"


def _late(settings: Settings, connection: sa.Connection) -> Iterator[Result]:
    """Live sources that were not read for a while, and why."""
    now = datetime.now(UTC)
    standing = {each.source: each for each in cursors.overview(connection)}
    for source in settings.sources.values():
        found = standing.get(source.id)
        if source.feed is None or found is None:
            continue
        success = found.last_success
        if success is None or now - success > LATE * source.feed.every:
            since = (
                "it was never read to its end" if success is None else f"last read to its end {success:%F %H:%M} UTC"
            )
            why = found.error.removeprefix(f"{source.id}: ") or "is `oktt run` running, or who else runs `oktt poll`?"
            yield f"source {source.id}", "warning", f"late: {since}; {why}"


_NAMED = 10
"""So many subscribers with a key that cannot be used, or whom mail does not reach, are named."""


def _unreached(settings: Settings, connection: sa.Connection) -> Iterator[Result]:
    """Whom mail does not reach, and why mail that comes back cannot be read."""
    standing = cursors.standing(connection, returning.HERE)
    if standing.error:
        yield "bounces", "warning", f"the mailbox of [bounces] cannot be read: {standing.error}"
    try:
        ring = keys.load(settings.instance_key)
    except AppError:  # told above
        return
    now, found = clock(settings)(), []
    for name in contacts.subscribers(connection):
        one = registry.get(connection, name)
        if one is not None and "unreachable" in returning.silences(ring, connection, one, now).values():
            found.append(name)
    if found:
        named = ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
        yield "reach", "warning", f"mail to {named} comes back: ask for another address, and import it"


def _subscribers(settings: Settings, connection: sa.Connection) -> tuple[Counter[str], int, dict[str, str]]:
    """How many have a channel that nothing serves, by kind; how many an inventory that may no longer be true; and whose
    key cannot be used, and why."""
    now, days = datetime.now(UTC), settings.main.desk.software_days
    idle: Counter[str] = Counter()
    stale, unusable = 0, dict[str, str]()
    for subscriber in registry.every(connection):
        for contact in subscriber.contacts:
            try:
                encryption.key_of(contact, settings.dir, now)
            except encryption.KeyUnusableError as error:
                unusable[subscriber.id] = str(error)
        idle.update({contact.type for contact in subscriber.contacts if _idle(settings, contact)})
        stale += any(each.stale(now, days) for each in subscriber.inventories)
    return idle, stale, unusable


def _idle(settings: Settings, contact: Contact) -> bool:
    """Does nothing go this way, as things are set up?"""
    if contact.type == "webhook":
        return not (contact.url.startswith("https://") and contact.secret_file)
    return contact.type == "kafka" and settings.main.kafka is None


def _stored(settings: Settings) -> Iterator[Result]:
    """Sources that are late, inventories that are old; channels and credentials that no part of this version serves."""
    engine = database.connect(settings.database_url)
    try:
        with database.reading(engine) as connection:
            idle, stale, unusable = _subscribers(settings, connection)
            unused = auth.standing(connection, datetime.now(UTC), "api")
            late = [*_late(settings, connection), *_unreached(settings, connection)]
    except sa.exc.SQLAlchemyError as error:
        yield "registry", "fault", f"cannot be read ({type(error).__name__}): put the database back from a backup"
        return
    finally:
        engine.dispose()
    yield from late
    if idle:
        told = " and ".join(f"{kind} (subscribers: {count})" for kind, count in sorted(idle.items()))
        says = f"nothing goes by {told}: a webhook takes an https url and a secret_file, a topic [kafka] in oktt.toml"
        yield "channels", "warning", says
    for subscriber, why in list(unusable.items())[:_NAMED]:
        yield "keys of recipients", "warning", f"{subscriber}: {why}; till then it gets stubs of what is confidential"
    if len(unusable) > _NAMED:
        yield "keys of recipients", "warning", f"and {len(unusable) - _NAMED} more subscribers"
    if stale:
        says = (
            f"{stale} subscribers have one older than {settings.main.desk.software_days} days: ask them for a new one"
        )
        yield "inventories", "warning", f"{says} (`oktt subscribers list` names them)"
    if unused:
        says = f"{unused} for api open nothing yet: `oktt credentials revoke` them; TAXII takes those --for taxii"
        yield "credentials", "warning", says
