"""Everything HTTP; thin. `web.server.create_app(...)` builds it; rooms below do the work.

TAXII 2.1 (`web.taxii` reads, `web.contribute` hands in, `web.ledger` tells what was asked) with a page for browsers,
the public Atom feed, subscribers' pages (`web.portal`), health and metrics. GET changes nothing but access records.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from dispatch.feedback import Message
from dispatch.pages import Link
from normalize import Urgency
from subscribers import Contact, Subscriber
from tlp import Clearance


class WebError(Exception):
    """Something the web cannot be started with; names the setting and the next step."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one object that was handed in. The message names stage and reason, never a value."""

    taken: bool
    message: str = ""


class Glimpse(NamedTuple):
    """One item that somebody would have got."""

    item: str
    title: str
    label: str
    urgency: Urgency
    edition: bool
    """In a digest only."""


@dataclass(frozen=True, slots=True)
class Portal:
    """What the subscribers' pages ask beside."""

    title: str
    contact: str
    """Whom a person can ask."""
    clearance: Clearance
    """Of who subscribes here."""
    key: Callable[[str], bytes]
    """Derived for a purpose."""
    glimpses: Callable[[Connection, Subscriber], Sequence[Glimpse]]
    """What a subscriber would have got last month."""
    bulletin: Callable[[Connection, str, str], Mapping[str, Any] | None]
    """What everybody may see of an item, in a language, as its page is filled; None: nothing."""
    texts: Callable[[str], tuple[str, ...] | None]
    """TXT records of a name; None: nobody answers."""
    left: Callable[[], None]
    """After somebody was removed: forget copies of the profile."""
    origin: str
    """As browsers name our site (https://oktt.example), which passkeys are bound to; empty: there are none."""
    marks: Callable[[str, Contact], tuple[str, str]]
    """Under what an address of a subscriber is known, and by itself (dispatch.contacts)."""


async def _another() -> object:
    return object()


@dataclass(frozen=True, slots=True)
class Services:
    """What the web asks of the rooms below, wired by the front door."""

    subscriber: Callable[[Connection, str], Subscriber | None]
    """By id; None: no such subscriber (any more)."""
    permitted: Callable[[Connection, Subscriber | None, Collection[Link], datetime], Collection[Link]]
    """What of these may this reader (None: the public) see now? Decided from the releases that stand and
    `tlp.enforce`; asked once a request for all of a page."""
    contribute: Callable[[str, bytes, Sequence[Any]], Sequence[Verdict]]
    """Bring what this subscriber handed in through the door: the envelope as it came, and its objects; a verdict each.
    Handing it in again changes nothing."""
    current: Callable[[], None]
    """Raises when the database is not at this version of the program."""
    seal: Callable[[bytes], str]
    """Keyed hash, by which an edit of the request ledger shows."""
    content: Callable[[datetime, str], str]
    """Keyed hash of what was answered, by the key of that moment's month."""
    listing: Callable[[Message], bytes | None] = lambda _: None
    """All rows of its recipient's own that a message is about, as CSV; None: nothing stands of it."""
    state: Callable[[], Awaitable[object]] = _another
    """As long as it is the same, nothing was committed to the database; always another: nothing is known of it."""
    commit: Callable[[Connection], None] = Connection.commit
    """Commit what changes nothing of what `state` is asked for."""
    portal: Portal | None = None
    """None: there are no subscribers' pages."""
