"""Where whoever gets a message from a partnership says that it was read: `/f/TOKEN`, an address for each message."""

from app.service import Service
from dispatch import Delivery, feedback, forwards
from subscribers import Subscriber
from tlp import Label


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
