"""The web, wired to the rooms below, and served."""

import signal
import socket
from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from app import answering, contributing, database, forwarding, listing, portal, returning
from app.concerns import Concerns
from app.service import Service
from dispatch import publication
from dispatch.pages import Link
from filtering.disclosure import reader
from ingest import dns
from subscribers import Subscriber, registry
from tlp import PUBLIC, Label, Permit, Refusal
from tlp.enforce import enforce
from triage import releases
from web import Services, WebError, forward, unsubscribe
from web.server import create_app, server_config


def application(service: Service, lookup: dns.Lookup | None = None) -> FastAPI:
    """The application of one instance. `lookup`: of TXT records; None: as this machine looks them up."""
    web = service.settings.main.web
    concerns, marks, state = Concerns(service), answering.marks(service), database.State(service.engine)
    services = Services(
        subscriber=registry.get,
        permitted=lambda *question: permitted(service, concerns, *question),
        contribute=partial(contributing.contribute, service),
        current=lambda: database.require_current(service.engine),
        listing=partial(listing.listing, service),
        seal=marks.seal,
        content=marks.content,
        state=state,
        commit=state.commit,
        portal=portal.portal(service, lookup),
    )
    made = create_app(
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
    leaving = unsubscribe.router(
        service.engine,
        service.clock,
        key=service.keys.derive("unsubscribe"),
        marks=partial(returning.contact_marks, service.keys),
        service=web.title,
        contact=service.settings.main.mail.contact,
    )
    made.include_router(leaving)
    made.include_router(
        forward.router(
            service.engine, service.clock, partial(forwarding.told, service), key=forwarding.key(service),
            service=web.title, contact=service.settings.main.mail.contact,
        )
    )  # fmt: skip
    return made


def permitted(
    service: Service,
    concerns: Concerns,
    connection: sa.Connection,
    subscriber: Subscriber | None,
    links: Collection[Link],
    now: datetime,
) -> list[Link]:
    """What of these this reader may see now: TLP on each request, by the labels of today."""
    items = sorted({link.item for link in links})
    marked = releases.marks_of(connection, items, service.settings.consents)
    answers: dict[tuple[str, bool], Permit | Refusal] = {}
    seen = []
    for link in links:
        marks, clear = marked.get(link.item, ()), link.label is Label.CLEAR
        if marks and (link.item, clear) not in answers:
            concerned = (
                not clear and subscriber is not None and (concerns.ask(connection, subscriber, link.item, marks, now))
            )
            who = PUBLIC if subscriber is None else reader(subscriber, concerned, confidential=True)
            answers[link.item, clear] = enforce(marks, who, now)
        answer = answers.get((link.item, clear))
        if link.item == publication.TEST or (isinstance(answer, Permit) and link.statements <= answer.visible):
            seen.append(link)
    return seen


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
