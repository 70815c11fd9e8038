"""How a subscriber proves that a domain or network is its own: by a TXT record that only who holds it can set.

`_oktt-challenge.DOMAIN`, or the same below the zone of a prefix in in-addr.arpa or ip6.arpa, has to hold a text that is
this subscriber's alone. Prefixes that are no zone of their own, and AS numbers, an analyst looks into. A proof by DNS
is looked at again each year, and the record has to be there still.
"""

import base64
import hashlib
import hmac
import ipaddress
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from msgspec.structs import replace

from subscribers import Claim, SubscriberError
from subscribers.checks import FieldError, incoming
from subscribers.own import network
from subscribers.wire import Line

HOLDS = timedelta(days=365)
"""After so long a proof is looked at again..."""
PATIENCE = timedelta(days=30)
"""...and if the record is gone, or nobody answers, it counts this much longer."""
MOST = 50
"""Networks and domains that one subscriber can name."""
DNS = "dns"
Texts = Callable[[str], tuple[str, ...] | None]


def named(text: str) -> str:
    """A prefix, AS number or domain in its canonical form; an address stands for itself. Raises SubscriberError."""
    text = text.strip()
    if "/" not in text:
        with suppress(ValueError):
            text = str(ipaddress.ip_network(text))
    number = text[:2].upper() == "AS" and text[2:].isdecimal()
    try:
        if number or "/" in text:
            return incoming(Line("x", "x", networks=(text,))).profile.networks[0]
        return incoming(Line("x", "x", domains=(text,))).profile.domains[0]
    except FieldError as error:
        raise SubscriberError(str(error)) from None


def record(what: str) -> str | None:
    """The name at which the proof is looked for; None: an analyst has to look into it."""
    if not network(what):
        return f"_oktt-challenge.{what}"
    if what.startswith("AS"):
        return None
    prefix = ipaddress.ip_network(what)
    step = 8 if prefix.version == 4 else 4
    if prefix.prefixlen % step:
        return None
    kept = prefix.prefixlen // step
    digits = prefix.network_address.reverse_pointer.split(".")
    return ".".join(["_oktt-challenge", *digits[len(digits) - 2 - kept :]])


def text(key: bytes, subscriber: str, what: str) -> str:
    """What the record has to hold: a keyed hash, so that nothing about it is stored."""
    said = hmac.new(key, f"{subscriber}\0{what}".encode(), hashlib.sha256).digest()[:20]
    return f"oktt-challenge={base64.b32encode(said).decode().lower()}"


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at the DNS came to."""

    claim: Claim
    answer: str
    """`proven`; `missing`: no such text there; `silent`: nobody answered; `by-hand`: there is no record to look at."""


def look(claim: Claim, subscriber: str, key: bytes, texts: Texts, now: datetime) -> Looked:
    """Look at the DNS. A proof that stood, and is not found now, counts until `PATIENCE` has passed too."""
    name = record(claim.what)
    if name is None:
        return Looked(claim, "by-hand")
    found = texts(name)
    wanted = text(key, claim.under or subscriber, claim.what)
    if found is not None and any(hmac.compare_digest(each.strip().encode(), wanted.encode()) for each in found):
        return Looked(replace(claim, proven_at=now, by=DNS, checked_at=now), "proven")
    lost = claim.by == DNS and claim.proven_at is not None and now - claim.proven_at > HOLDS + PATIENCE
    left = replace(claim, checked_at=now, **({"proven_at": None, "by": ""} if lost else {}))
    return Looked(left, "silent" if found is None else "missing")


def due(claims: Iterable[Claim], now: datetime) -> list[Claim]:
    """Those whose proof by DNS is to be looked at again; at most once a day each."""
    day = timedelta(days=1)
    return [
        each
        for each in claims
        if each.by == DNS
        and each.proven_at is not None
        and now - each.proven_at > HOLDS
        and (each.checked_at is None or now - each.checked_at > day)
    ]


def old(claims: Iterable[Claim], now: datetime) -> list[Claim]:
    """Those that an analyst proved, more than a year ago: to be looked into again by hand."""
    return [each for each in claims if each.proven_at is not None and each.by != DNS and now - each.proven_at > HOLDS]
