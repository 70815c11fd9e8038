"""One subscriber's edition as it leaves: what it holds now, and of a partnership the version for its members."""

import hashlib
from collections.abc import Callable

import sqlalchemy as sa

from app import digests
from app.alerts import Alerts, Made
from app.forwarding import Forwarding
from app.service import Service
from app.views import Shelf
from dispatch import Delivery, charts, digest_text, editions, mail
from dispatch.charts import Chart
from dispatch.codes import code_of
from dispatch.digest import Arranged
from dispatch.digest_text import Passing
from dispatch.outbox import CancelReason
from dispatch.render import outside
from dispatch.view import fingerprint
from subscribers import Contact, Subscriber
from triage import advice


class Editions:
    """Makes one edition at a time. `closed`: is a way out closed to others? `sender`: of the version for members."""

    def __init__(
        self, service: Service, shelf: Shelf, alerts: Alerts, closed: Callable[[Contact], bool], sender: mail.Sender
    ) -> None:
        self._service, self._shelf, self._alerts, self._closed = service, shelf, alerts, closed
        self._sender = sender
        self._forwarding = Forwarding(service)

    def made(
        self, connection: sa.Connection, delivery: Delivery, subscriber: Subscriber, contact: Contact
    ) -> Made | CancelReason:
        """The message, of what may be shown now; what it was queued with is only less by now."""
        service, shelf, closed = self._service, self._shelf, self._closed(contact)
        arranged = digests.contents(service, connection, shelf, delivery.subject, subscriber, closed=closed)
        if arranged is None:
            return "no-match"
        version = digests.for_members(connection, shelf, arranged, subscriber)
        passing, files = self._passing(delivery, subscriber, version)
        shown = self._charts(connection, arranged, subscriber)
        rendered = digest_text.render(
            service.renderer, arranged, subscriber, advice.register_of(subscriber.profile), code_of(delivery.id),
            service.settings.main.desk.software_days, passing, shown,
        )  # fmt: skip
        views = shelf.current(connection, arranged.items)
        rests = tuple(
            self._alerts.grounds(
                delivery, views[each.view.item], subscriber, contact, each.view, concerned=each.concerned
            )
            for each in arranged.held
        )  # fmt: skip
        objects = [one for each in arranged.held for one in each.view.objects]
        return Made(
            rendered, arranged.label, _shows(shown, arranged, version), rests, files, objects,
            outside=outside(arranged.label, delivery.subject, subscriber.language),
        )  # fmt: skip

    def _charts(self, connection: sa.Connection, arranged: Arranged, subscriber: Subscriber) -> tuple[Chart, ...]:
        if arranged.window.edition != "monday" or not digests.charted(subscriber):
            return ()
        weeks = editions.history(connection, subscriber.id, arranged.window, charts.WEEKS)
        return charts.charts(weeks, arranged.label, subscriber.language)

    def _passing(
        self, delivery: Delivery, subscriber: Subscriber, version: Arranged | None
    ) -> tuple[Passing | None, tuple[mail.Attachment, ...]]:
        """What is said of the version that may be passed on, and that version. It shows nothing that the edition
        itself does not rest on: its readers see less of the same."""
        if not digests.passes_on(subscriber):
            return None, ()
        if version is None:
            return Passing(None, ""), ()
        link = self._forwarding.address(delivery, subscriber, version.label)
        said = digest_text.for_members(self._service.renderer, version, subscriber, code_of(delivery.id), link)
        return Passing(version.label, link), (mail.enclosed(delivery, said, sender=self._sender),)


def _shows(pictured: tuple[Chart, ...], *parts: Arranged | None) -> str:
    """Hash of all that they show."""
    shown = "".join(str(each.rows) for each in pictured)
    shown += "".join(fingerprint(each.view) for part in parts if part for each in part.held)
    shown += "".join(part.editorial.text for part in parts if part and part.editorial)
    return hashlib.sha256(shown.encode()).hexdigest()
