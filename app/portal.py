"""What the portal asks of the rooms below: what somebody would have got, what everybody may see, proofs, the end."""

import dataclasses
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from app import returning
from app.service import Service
from app.views import shown
from dispatch import View, body, wording
from dispatch.render import clean
from dispatch.view import compose
from filtering.disclosure import marked, reader
from filtering.index import Index
from filtering.match import Matching
from ingest import dns
from normalize import Facts, identity
from subscribers import Subscriber, links, proofs, registry
from tlp import PUBLIC, Clearance, Label, Permit, Reader
from tlp.enforce import enforce
from triage import Released, advice, decide, releases
from web import Glimpse, Portal

MONTH = timedelta(days=30)
MOST = 200
"""Items at most that somebody is shown what of them he would have got: the newest."""


def portal(service: Service, lookup: dns.Lookup | None = None) -> Portal:
    """Of one instance. `lookup`: of TXT records; None: as this machine looks them up."""
    settings = service.settings.main
    return Portal(
        title=settings.mail.name,
        contact=settings.mail.contact,
        clearance=Clearance(Label(settings.web.clearance)),
        key=service.keys.derive,
        glimpses=partial(glimpses, service),
        bulletin=partial(bulletin, service),
        texts=lookup or dns.lookup(),
        left=service.forget_index,
        origin=_origin(settings.web.base_url),
        marks=partial(returning.contact_marks, service.keys),
    )


def _origin(base_url: str) -> str:
    """As browsers name it (RFC 6454 6.2), which passkeys are bound to: they need https, or this machine's own name."""
    at = urlsplit(base_url)
    if not at.hostname or (at.scheme != "https" and at.hostname != "localhost"):
        return ""
    port = {"https": 443, "http": 80}.get(at.scheme)
    return f"{at.scheme}://{at.hostname}" + (f":{at.port}" if at.port not in (None, port) else "")


def glimpses(service: Service, connection: sa.Connection, candidate: Subscriber) -> list[Glimpse]:
    """What this subscriber, who is in no registry yet, would have got of what was released in the last month; newest
    first. Nothing that is sealed is opened: without proven networks nothing of it would be its own."""
    now = service.clock()
    index, found = Index.build([candidate], 0), []
    editions = any(each.digest for each in candidate.contacts)
    for item in releases.standing(connection, since=now - MONTH)[: -MOST - 1 : -1]:
        released = _out(service, connection, item)
        if released is None:
            continue
        asked = Matching(
            released.item, index, now, urgency=released.stated, consents=released.consents, label=released.label
        )
        told = asked.explain(candidate)
        edition = told.outcome in ("digest", "urgency")  # what is not urgent enough for a message stands in editions
        if not (editions if edition else told.outcome in ("deliver", "quiet")):
            continue
        view = _view(service, released, reader(candidate, told.concerned, confidential=False), candidate.language)
        if view is not None and not view.withdrawn:
            found.append(Glimpse(item, wording.plain(view.title, 200), view.label.value, view.urgency, edition))
    return found


def bulletin(service: Service, connection: sa.Connection, item: str, language: str) -> Mapping[str, Any] | None:
    """What everybody may see of an item, with the course of action for a firm, as a page is filled with it; None:
    nothing (any more)."""
    released = _out(service, connection, item)
    view = None if released is None else _view(service, released, PUBLIC, language)
    if view is None or view.withdrawn or view.label is not Label.CLEAR:
        return None
    marks = advice.marks_of(view.objects) if view.kind in ("report", "indicators") else frozenset[str]()
    of = advice.About(view.kind, view.exposure, view.affected, view.title, marks)
    said = clean(advice.steps(of, "mkb", "nl" if language == "nl" else "en"))
    filled = body.content(view, said, "mkb", language, "alert", view.received_at)
    return {"title_of": filled.pop("title"), "w": wording.words(language), "item": item} | filled


def tidy(service: Service) -> int:
    """Forget links that work no more, with what was filled in; how many."""
    now = service.clock()
    with service.reading() as connection:
        if not links.ended(connection, now):
            return 0
    with service.transaction() as connection:
        return links.purge(connection, now)


def recheck(service: Service, lookup: dns.Lookup | None = None) -> int:
    """Look again at every proof by DNS that is a year old; how many were looked at. Once a day."""
    now, key, texts = service.clock(), service.keys.derive("proofs"), lookup or dns.lookup()
    with service.reading() as connection:
        waiting = [(each.id, proofs.due(each.claims, now)) for each in registry.giving(connection)]
    count = 0
    for who, claims in waiting:
        for claim in claims:
            looked = proofs.look(claim, who, key, texts, now)
            with service.transaction() as connection:
                registry.claim(connection, who, looked.claim, now)
            count += 1
    return count


def _out(service: Service, connection: sa.Connection, item: str) -> Released | None:
    consents = service.settings.consents
    return decide.out(connection, service.guard, item, lambda case: shown(service, case), consents)


def _view(service: Service, released: Released, who: Reader, language: str) -> View | None:
    """What that reader may see; of what is gated, nothing."""
    permit = enforce(marked(released.item, released.consents, released.label), who, service.clock())
    if not isinstance(permit, Permit):
        return None
    named = service.settings.named.values()
    view = compose(
        released, permit, reader=permit.reader, sources={each.id: each.name for each in named}, explanation=None,
        urgency=released.urgency, language=language, grades={each.id: each.reliability for each in named},
    )  # fmt: skip
    seen = Facts(kans=view.kans, schade=view.schade, cvss=view.cvss, exploited=view.exploited)
    return dataclasses.replace(view, urgency=released.stated or identity.urgency(seen))
