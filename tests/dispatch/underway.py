"""Deliveries as they are sent: stored, under way, accepted (dispatch.handing)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import sqlalchemy as sa

from dispatch import Delivery, handing
from dispatch.handing import Held
from tests.dispatch.views import NOW
from tlp import Label


def underway(
    conn: sa.Connection,
    delivery: Delivery,
    message: bytes = b"",
    *,
    label: Label = Label.AMBER,
    view: str = "",
    message_id: str = "<x>",
    digest: str = "",
) -> Delivery:
    """A claimed delivery whose bytes were stored and now leave."""
    handing.store(conn, [Held(delivery, message, label, view, message_id, digest, b"[]")])
    return left(conn, delivery)


def left(conn: sa.Connection, delivery: Delivery) -> Delivery:
    """The same of one that holds its bytes from an attempt before."""
    assert handing.step(conn, delivery.worker, (), "", NOW, [delivery.id])
    return replace(delivery, state="sending", attempts=delivery.attempts + 1)


def accepted(conn: sa.Connection, delivery: Delivery, said: str = "", at: datetime = NOW) -> Sequence[str]:
    """The other side took it: settled, with its line in the ledger; which were."""
    handing.step(conn, delivery.worker, [delivery.id], said, at, ())
    return [each.line.delivery for each in handing.settle(conn, [delivery.worker], at, {delivery.subject})]
