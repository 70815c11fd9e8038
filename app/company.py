"""What goes with a message in one: of what waits for the same recipient, that which asks for the same."""

from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from app.ahead import Ahead
from app.alerts import Alerts, Made, Part
from app.observe import log, place
from dispatch import Delivery, grouping, mail, outbox
from dispatch.outbox import CancelReason
from subscribers import Contact, Subscriber

_FILES = 5_000_000
"""Bytes of attachments of a message that tells several: a mail server refuses what is too large."""
Cancel = Callable[[sa.Connection, Delivery, CancelReason], None]


class Company:
    """Finds it, for one thread. Each passes the checks that it would pass alone (`Alerts.told`), or stays behind."""

    def __init__(self, alerts: Alerts, cancel: Cancel) -> None:
        self._alerts = alerts
        self._cancel = cancel
        self._actions: dict[str, tuple[Any, ...] | None] = {}
        """What those ask for that were looked at and stayed behind: none is looked at for all others."""

    def made(
        self,
        connection: sa.Connection,
        ahead: Ahead,
        part: Part,
        others: Sequence[Delivery],
        subscriber: Subscriber,
        contact: Contact,
    ) -> tuple[Made, list[Delivery]]:
        """The message, and what goes with it: as much as there is room for; nothing, where it cannot be made so."""
        found = self._found(connection, ahead, part, others, subscriber, contact)
        try:
            made = self._alerts.message(connection, ahead, subscriber, part, found)
            while found and _large(made):
                found.pop()
                made = self._alerts.message(connection, ahead, subscriber, part, found)
        except sa.exc.SQLAlchemyError:
            raise
        except Exception as error:
            if not found:
                raise
            log.warning("alone", delivery=part.delivery.id, error=type(error).__name__, place=place(error))
            found.clear()
            made = self._alerts.message(connection, ahead, subscriber, part)
        return made, [each.delivery for each in found]

    def _found(
        self,
        connection: sa.Connection,
        ahead: Ahead,
        part: Part,
        others: Sequence[Delivery],
        subscriber: Subscriber,
        contact: Contact,
    ) -> list[Part]:
        """In an order that the next attempt has too. What was fixed before and may not go is cancelled."""
        self._actions.pop(part.delivery.id, None)
        action, found = part.action, list[Part]()
        fixed = grouping.followers(connection, part.delivery) if outbox.leads(part.delivery) else []
        for other in fixed or (others if action else ()):
            if not fixed and (len(found) + 1 == grouping.MOST or self._actions.get(other.id, action) != action):
                continue
            beside = [*ahead.telling(subscriber.id), part.view.item, *(each.view.item for each in found)]
            try:
                told = self._alerts.told(connection, ahead, other, subscriber, contact, beside)
            except sa.exc.SQLAlchemyError:
                raise
            except Exception as error:  # by itself it will fail by name
                log.warning("alone", delivery=other.id, error=type(error).__name__, place=place(error))
                continue
            if isinstance(told, Part) and told.action == action is not None:
                found.append(told)
                self._actions.pop(other.id, None)
            elif not fixed:
                self._actions[other.id] = told.action if isinstance(told, Part) else None
            elif isinstance(told, str):
                self._cancel(connection, other, told)
        return sorted(found, key=lambda each: (each.delivery.subject, each.delivery.id))


def _large(made: Made) -> bool:
    """Is it more than a message with several may be?"""
    text = max(len(made.rendered.text.encode()), len(made.rendered.html.encode()))
    return text > mail.MOST or sum(len(each.body) for each in made.files) > _FILES
