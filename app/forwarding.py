"""Where whoever gets a message from a partnership says that it was read: `/f/TOKEN`, an address for each message."""

from collections.abc import Mapping

import sqlalchemy as sa

from app.portal import bulletin
from app.service import Service
from dispatch import Delivery, editions, feedback, forwards
from dispatch.forwards import Passed
from subscribers import Subscriber
from tlp import Label
from triage import TriageError
from web.forward import Told


class Forwarding:
    """The addresses of one instance."""

    def __init__(self, service: Service) -> None:
        self._web = service.settings.main.web
        self._key = key(service)

    def address(self, delivery: Delivery, subscriber: Subscriber, label: Label) -> str:
        """Of a message to a partnership; empty: of this one there is none."""
        if not self._web.base_url or subscriber.profile.kind != "partnership" or label > forwards.WIDEST:
            return ""
        return self._web.address(f"/f/{feedback.token(self._key, delivery.id)}")


def key(service: Service) -> bytes:
    """Of the tokens."""
    return service.keys.derive("forwards")


def told(service: Service, connection: sa.Connection, passed: Passed, language: str) -> Told:
    """What everybody may read of a message that was passed on, as things are now."""
    if passed.kind not in editions.WEEKDAYS:
        return Told(_bulletin(service, connection, passed.subject, language))
    held = sorted(editions.contents(connection, passed.subject, passed.subscriber))
    found = [(item, filled) for item in held if (filled := _bulletin(service, connection, item, language))]
    return Told(listed=tuple({"item": item, "title": of["title_of"], "level": of["level"]} for item, of in found))


def _bulletin(service: Service, connection: sa.Connection, item: str, language: str) -> Mapping[str, str] | None:
    try:
        return bulletin(service, connection, item, language)
    except TriageError:  # its retention has ended
        return None
