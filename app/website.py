"""The web, wired to the rooms below, and served."""

import signal
import socket
from collections.abc import Callable
from datetime import datetime
from functools import partial

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from app import answering, contributing, database, listing, portal
from app.concerns import Concerns
from app.service import Service
from dispatch import publication
from filtering.disclosure import reader
from ingest import dns
from subscribers import Subscriber, registry
from tlp import PUBLIC, Label, Permit
from tlp.enforce import enforce
from triage import releases
from web import Services, WebError
from web.server import create_app, server_config


def application(service: Service, lookup: dns.Lookup | None = None) -> FastAPI:
    """The application of one instance. `lookup`: of TXT records; None: as this machine looks them up."""
    web = service.settings.main.web
    concerns, marks = Concerns(service), answering.marks(service)
    services = Services(
        subscriber=registry.get,
        permitted=lambda *question: permitted(service, concerns, *question),
        contribute=partial(contributing.contribute, service),
        current=lambda: database.require_current(service.engine),
        listing=partial(listing.listing, service),
        seal=marks.seal,
        content=marks.content,
        portal=portal.portal(service, lookup),
    )
    return create_app(
        service.engine,
        services,
        clock=service.clock,
        registry=service.metrics.registry,
        title=web.title,
        contact=service.settings.main.mail.contact,
        base_url=web.base_url,
        answer_key=service.keys.derive("answers"),
        per_minute=web.requests_per_minute,
    )


def permitted(
    service: Service,
    concerns: Concerns,
    connection: sa.Connection,
    subscriber: Subscriber | None,
    item: str,
    statements: frozenset[str],
    label: Label,
    now: datetime,
) -> bool:
    """May this reader now see what was composed of these statements? TLP on each request, by the labels of today."""
    if item == publication.TEST:
        return True
    marked = releases.marks(connection, item, service.settings.consents)
    if not marked:
        return False
    who = PUBLIC
    if subscriber is not None:
        concerned = label is not Label.CLEAR and concerns.ask(connection, subscriber, item, marked, now)
        who = reader(subscriber, concerned, confidential=True)
    answer = enforce(marked, who, now)
    return isinstance(answer, Permit) and statements <= answer.visible


def serve(service: Service, port: int | None, announce: Callable[[str], None]) -> None:
    """Serve until Ctrl-C or SIGTERM, which both are an orderly end. Raises WebError when it cannot listen there."""
    web = service.settings.main.web
    wanted = web.port if port is None else port
    listening = socket.socket(socket.AF_INET6 if ":" in web.host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((web.host, wanted))
        listening.listen()  # from here on: who reads the announcement may connect
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "a port is 0-65535"
        listening.close()
        raise WebError(
            f"cannot listen on {web.host} port {wanted} ({reason}): set [web] in oktt.toml, or --port"
        ) from None
    bound = listening.getsockname()[1]
    served = "TAXII 2.1 at /taxii2/, portal at /portal/, public feed at /feed.atom"
    announce(f"Serving http://{web.host}:{bound}/ ({served}); Ctrl-C stops it.")
    made = application(service)
    server = uvicorn.Server(server_config(made, web.host, bound))
    # uvicorn ends in order and then raises the signal once more: whoever runs us in a `with` has an end of its own.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    try:
        server.run(sockets=[listening])
    finally:
        made.state.ledger.flush()


def _end(*_: object) -> None:
    raise SystemExit(0)
