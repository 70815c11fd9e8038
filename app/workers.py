"""Due work: rules on new items, messages from the outbox, editions, retention; once, or in a loop for `oktt run`."""

import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from app import desk, digests, door, following, pipeline, polling, portal, releasing, retention, returning, sending
from app.observe import log, place
from app.service import Service
from app.views import Views, looks, shown
from dispatch import Delivery, grouping, handing, outbox, publication
from ingest import RawDocument, SourceError
from ingest.files import FilesReader
from pii_guard import journal
from subscribers import Subscriber, registry
from triage import cases, decide, releases

Progress = Callable[[str, int | None], AbstractContextManager[Callable[..., None]]]
BATCH = 100
PAUSE = 5.0
UNSENT = timedelta(days=8)
"""How long ago something was released that an edition, or an alert that waits, may still have to carry."""
HERE = ZoneInfo("Europe/Amsterdam")


def apply_rules(service: Service) -> int:
    """Let the release rules look at what is new (or what they saw under other rules or subscribers). How many went.

    What was released lately for other advice or templates than today's is new again first: it could not leave.
    """
    _reopen_void(service)
    rules = hashlib.blake2b(msgspec.json.encode(service.settings.rules), digest_size=16).hexdigest()
    with service.reading() as connection:
        mark = f"{rules}/{registry.revision(connection)}"
        items = decide.undecided(connection, mark)
    released = 0
    while items:
        seen, went = desk.by_rules(service, items[:BATCH], mark)
        items, released = items[seen:], released + went
    return released


def _reopen_void(service: Service) -> None:
    now = service.clock()
    with service.reading() as connection:
        void = releases.void(connection, looks(service), now - UNSENT)
    if void:
        with service.transaction() as connection:
            for item in void:
                decide.reopen(connection, item, now)


def due(service: Service, *, now: bool = False) -> int:
    """How many messages are due."""
    with service.reading() as connection:
        return outbox.due(connection, service.clock(), hurry=now)


def dispatch(service: Service, *, now: bool = False, progress: Progress | None = None) -> dict[str, int]:
    """Send what is due, once. Counts by what became of it."""
    worker = f"{_host()}/{os.getpid()}/{_started(os.getpid())}"
    dead = _requeue_dead(service)
    returning.read(service)  # first: nothing more goes to who cannot be reached
    sender = sending.Sender(service)
    sender.out.settle(dead)
    with (progress or _silent)("Sending", due(service, now=now)) as advance:
        try:
            while True:  # some thousand rows of large audiences, then what is due: nothing waits until all are made
                more = releasing.spread(service)
                claimed = _claimed(service, worker, hurry=now)
                if not (more or claimed or following.remind(service)):  # it looks through all that was sent: at the end
                    break
                _send(sender, claimed)
                advance(len(claimed))
        finally:
            sender.out.finish(worker)
    return {status: sender.out.counts[status] for status in ("sent", "retry", "failed", "cancelled")}


def _send(sender: sending.Sender, claimed: Sequence[Delivery]) -> None:
    """One by one, where together does not work: what goes wrong with one does not keep the others. What was handed over
    by then is settled, or left to its lease."""
    try:
        pipeline.send(sender, claimed)
    except Exception as error:
        if len(claimed) == 1:
            sender.out.put_back(claimed[0], error)
        else:
            log.error("deliveries", error=type(error).__name__, place=place(error))
            sender.out.settle({each.worker for each in claimed})
            with sender.service.reading() as connection:
                left = handing.untouched(connection, claimed)
            for each in left:
                _send(sender, [each])


def _claimed(service: Service, worker: str, *, hurry: bool) -> list[Delivery]:
    """Some that are due, and what may go with them in one message."""
    with service.transaction() as connection:
        now = service.clock()
        claimed = outbox.claim(connection, now, BATCH, worker, hurry=hurry)
        return claimed + grouping.company(connection, claimed, now, hurry=hurry)


def open_collections(service: Service) -> None:
    """A TAXII collection for each subscriber that has that channel, with what it is entitled to of what stands.

    What a reader becomes entitled to later is appended then (domain-rules: TAXII); running it again changes nothing.
    """
    with service.reading() as connection:
        revision = registry.revision(connection)
        if revision == service.collections_at:
            return
        known = {*publication.subscribed(connection)} - publication.RESERVED
        closed = registry.by_numbers(connection, service.index(connection).confidential)
        wanted = [each for each in closed if each.id not in known and any(one.type == "taxii" for one in each.contacts)]
    if wanted:
        _open(service, wanted)
    service.collections_at = revision


def _open(service: Service, wanted: Sequence[Subscriber]) -> None:
    now = service.clock()
    with service.transaction() as connection:
        known = {*publication.subscribed(connection)}
        fresh = [each for each in wanted if publication.collection_for(connection, each, now) not in known]
        if not fresh:
            return
        told: list[journal.Entry] = []
        for item in releases.standing(connection):
            case = cases.opened(connection, service.guard, item, service.settings.consents)
            released = decide.released(connection, case, shown(service, case))
            if released is None:
                continue
            views = Views(service, connection, released, "exchange")
            # What a person approved went to those there were; who came later needs a rule (domain-rules: Decisions).
            ruled = released.decision.by.startswith("rule:")
            asked = views.reached(("deliver", "quiet", "digest"))
            for subscriber in fresh:
                if subscriber.number in asked and (ruled or subscriber.number in released.audience):
                    told += releasing.publish_to(service, connection, views, subscriber, now)
        journal.append(connection, told, key=service.keys.derive("journal"), at=now)


def read_folders(service: Service) -> int:
    """Bring what lies in the folders of `[source.x] path` through the door; what was read before changes nothing."""
    count = 0
    for source in service.settings.sources.values():
        if source.kind != "files" or source.path is None:
            continue
        folder = Path(source.path)
        reader = FilesReader(
            [folder if folder.is_absolute() else service.settings.dir / folder],
            source,
            key=service.keys.derive("documents"),
            clock=service.clock,
        )
        try:
            for found in reader.read():
                if isinstance(found, RawDocument):
                    pipeline.admit(service, found)
                else:
                    door.unreadable(service, source.id, found)
                count += 1
            door.succeeded(service, source.id)
        except SourceError as error:
            door.failed(service, source.id, str(error))
    return count


@contextmanager
def background(service: Service) -> Iterator[None]:
    """`oktt run`: do what is due every few seconds beside the web, until the block ends."""
    stop = threading.Event()
    worker = threading.Thread(target=_loop, args=(service, stop), name="worker")
    poller = threading.Thread(target=_polls, args=(service, stop), name="poller")
    worker.start()
    poller.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()
        poller.join()


def _polls(service: Service, stop: threading.Event) -> None:
    """Live sources are read beside all else: a long pull keeps no message waiting."""

    def poll(service: Service) -> None:
        polling.keep_up(service, stop)

    while not stop.is_set():
        _attempt(poll, service)
        stop.wait(PAUSE)


def _loop(service: Service, stop: threading.Event) -> None:
    purged = None
    _attempt(Service.save_index, service)  # built or restored outside of any transaction that writes
    work = (read_folders, open_collections, apply_rules, digests.build_due, dispatch, portal.tidy)
    while True:
        for each in work:
            _attempt(each, service)
            if stop.is_set():
                return
        today = service.clock().astimezone(HERE).date()
        if purged != today and _attempt(retention.purge, service):
            purged = today
            _attempt(portal.recheck, service)
            _attempt(Service.save_index, service)
        if stop.wait(PAUSE):
            return


def _attempt(work: Callable[[Service], object], service: Service) -> bool:
    """What goes wrong in one kind of work is told, and does not keep the others from theirs."""
    try:
        work(service)
    except Exception as error:
        log.error("worker", work=work.__name__, error=type(error).__name__, place=place(error))
        return False
    return True


def _requeue_dead(service: Service) -> list[str]:
    """Claims of processes of this machine that are no more come back at once, not when their lease runs out. Whose."""
    here = _host()
    with service.transaction() as connection:
        dead = []
        for holder in outbox.holders(connection) | handing.holders(connection):
            host, _, rest = holder.partition("/")
            pid, _, started = rest.partition("/")
            if host == here and pid.isdigit() and _started(int(pid)) != started:
                dead.append(holder)
        outbox.requeue_expired(connection, service.clock(), dead)
    return dead


def _host() -> str:
    """This machine's name, short enough that a worker's name fits its column."""
    return socket.gethostname()[:32]


def _started(pid: int) -> str:
    """When a process started, in the kernel's ticks: with its pid it is unique. Empty: there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


@contextmanager
def _silent(_: str, __: int | None) -> Iterator[Any]:
    yield lambda *_: None
