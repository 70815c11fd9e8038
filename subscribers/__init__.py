"""Who wants what, and who may see what.

A Subscriber is stored by `subscribers.registry`; its Profile is what matching reads, its Contacts are where
messages go. An operator's import replaces profile fields and never touches what the subscriber itself gave
(opt-outs, proofs, answers, its word on its own profile, and the inventories of its software: SBOMs, tables, products
given by hand).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

from msgspec import Struct

from normalize import Urgency
from tlp import Clearance

SubscriberKind = Literal["company", "partnership", "supplier", "cert", "vital", "public"]
Size = Literal["zzp", "mkb", "large"]
Maturity = Literal["basic", "mature"]
ChannelType = Literal["email", "webhook", "taxii", "file", "kafka"]
InventorySource = Literal["sbom", "csv", "hand"]
FRESH_DAYS = 90
"""How old an inventory of software may be before its subscriber is asked to renew it (`[desk] software_days`)."""


class SubscriberError(Exception):
    """A profile that cannot be understood. Names line and field, and never the value."""


class Software(Struct, frozen=True):
    """One product in use, by vendor and product, CPE 2.3 or purl. No version: every version is possible."""

    vendor: str = ""
    product: str = ""
    version: str | None = None
    cpe: str | None = None
    purl: str | None = None


class Inventory(Struct, frozen=True):
    """A list of software in use that came from the subscriber, and when: the same name again replaces it."""

    name: str
    source: InventorySource
    at: datetime
    software: tuple[Software, ...] = ()

    def stale(self, now: datetime, days: int = FRESH_DAYS) -> bool:
        """Is it so old that it may no longer be true?"""
        return now - self.at > timedelta(days=days)


class Claim(Struct, frozen=True, omit_defaults=True):
    """A prefix, AS number or domain that a subscriber says it holds, and whether that is proven."""

    what: str
    at: datetime
    """When it was said."""
    proven_at: datetime | None = None
    """Since when it is proven; None: it does not count."""
    by: str = ""
    """`dns`, or the analyst who saw the proof."""
    checked_at: datetime | None = None
    """When the proof was last looked at, whatever came of it."""
    under: str = ""
    """The id of whom its record in the DNS is, where that is not the subscriber's any more (`registry.rename`)."""


class Scope(Struct, frozen=True):
    """Constituency of a partnership or CERT, beside its members and networks."""

    sectors: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


class Quiet(Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """Quiet hours, local time: `from` 22:00 `to` 07:00; days 1 (Monday) to 7, empty = all."""

    start: str
    end: str
    days: tuple[int, ...] = ()
    tz: str = "Europe/Amsterdam"
    holidays: str = ""
    """Country (ISO 3166-1) whose public holidays are quiet all day; empty: none."""


class Contact(Struct, frozen=True):
    """A channel: where messages for a subscriber go."""

    type: ChannelType
    address: str = ""
    url: str = ""
    secret_file: str = ""
    topic: str = ""
    digest: tuple[Literal["monday", "friday"], ...] = ()
    smime: str = ""
    pgp: str = ""

    @property
    def place(self) -> tuple[str, ...]:
        """Where it leads, whatever else is said of it."""
        return self.type, self.address.casefold(), self.url, self.topic

    @property
    def confidential(self) -> bool:
        """Is this way out closed to others? TAXII with credentials, encrypted mail, a webhook over https to the
        subscriber's own server. Plain mail, plain http, a file and a topic, whose readers we do not know, are not."""
        if self.type == "email":
            return bool(self.smime or self.pgp)
        return self.type == "taxii" or (self.type == "webhook" and self.url.startswith("https://"))


class Ways(NamedTuple):
    """What there is a way out for."""

    confidential: bool
    """One that is closed to others."""
    alerts: bool
    editions: bool
    """What goes in an edition only. A TAXII collection is a way for both."""


class Profile(Struct, frozen=True):
    """What decides whom an item concerns."""

    kind: SubscriberKind = "company"
    size: Size = "mkb"
    maturity: Maturity = "basic"
    sectors: tuple[str, ...] = ()
    country: str = "NL"
    region: str = ""
    software: tuple[Software, ...] = ()
    """What the operator states; of a Subscriber also what its inventories hold."""
    networks: tuple[str, ...] = ()
    """Prefixes (`192.0.2.0/24`) and AS numbers (`AS64500`)."""
    domains: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    scope: Scope = Scope()
    serves_members: bool = False
    verified: bool = True
    min_urgency: Urgency = "info"
    opt_out: tuple[str, ...] = ()
    """Kinds, or products."""
    quiet: Quiet | None = None


class Subscriber(Struct, frozen=True):
    """One organisation that gets alerts."""

    id: str
    number: int
    """Small, never reused: the subscriber's bit in every bitmap."""
    name: str
    language: Literal["nl", "en"]
    clearance: Clearance
    profile: Profile
    contacts: tuple[Contact, ...]
    changed_at: datetime
    inventories: tuple[Inventory, ...] = ()
    """Where its software came from, as far as it did not come from the operator."""
    claims: tuple[Claim, ...] = ()
    """What it says it holds; what is proven of that stands in the profile."""
    confirmed_at: datetime | None = None
    """When it last said that its profile is right; None: it never did."""
    revision: int = 0
    """Of the registry, since which it stands so; 0: it stands nowhere."""

    def contact(self, meant: Contact, then: Sequence[Contact]) -> Contact | None:
        """Where something goes that was meant for one of the contacts it had then: there still, or, where that is gone,
        to one of that type that is new. No two of them lead to one. None: nowhere any more."""
        stands = next((each for each in self.contacts if each.place == meant.place), None)
        if stands is not None:
            return stands
        before, now = ([each for each in some if each.type == meant.type] for some in (then, self.contacts))
        gone, new = _lacking(before, now), _lacking(now, before)
        return dict(zip(gone, new.values(), strict=False)).get(meant.place)

    @property
    def ways(self) -> Ways:
        """Which ways out its contacts are."""
        confidential = alerts = editions = False
        for each in self.contacts:
            confidential = confidential or each.confidential
            alerts, editions = True, editions or bool(each.digest) or each.type == "taxii"
        return Ways(confidential, alerts, editions)


def _lacking(some: Sequence[Contact], others: Sequence[Contact]) -> dict[tuple[str, ...], Contact]:
    """Those of some that lead where none of the others does."""
    known = {each.place for each in others}
    return {each.place: each for each in some if each.place not in known}


class Incoming(Struct, frozen=True):
    """One subscriber as an operator's import states it: no number yet, and nothing the subscriber gave itself."""

    id: str
    name: str
    language: Literal["nl", "en"] = "nl"
    clearance: Clearance = Clearance()
    profile: Profile = Profile()
    contacts: tuple[Contact, ...] = ()


class Said(Struct, frozen=True, omit_defaults=True):
    """A profile as the subscriber states it itself: all of it holds in place of what an operator imports."""

    sectors: tuple[str, ...] = ()
    size: Size = "mkb"
    region: str = ""
    language: Literal["nl", "en"] = "nl"
    min_urgency: Urgency = "info"
    quiet: Quiet | None = None
    digest: tuple[Literal["monday", "friday"], ...] = ()
    """Editions that go to its mail addresses."""
    kvk: str = ""
    """Its number at the Chamber of Commerce; nobody checked that it is its own."""
    paused: bool = False
    """It wants nothing for a while: no kind of message, no edition."""
    confirmed_at: datetime | None = None


class Own(Struct, frozen=True, omit_defaults=True):
    """What the subscriber gave itself. An import never touches it; `subscribers.own` says what holds then."""

    opt_out: tuple[str, ...] = ()
    inventories: tuple[Inventory, ...] = ()
    said: Said | None = None
    claims: tuple[Claim, ...] = ()
    name: str = ""
    """Empty: the operator's."""
    address: str = ""
    """Mail goes there instead of to the first address that the operator states. Empty: it does not."""
