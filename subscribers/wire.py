"""One subscriber as an import file states it: the contract's JSON shape, types checked and nothing more."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from normalize import Urgency
from subscribers import ChannelType, Maturity, Quiet, Scope, Size, Software, SubscriberKind


class ClearanceIn(Struct, frozen=True, forbid_unknown_fields=True):
    """A clearance with its end."""

    highest: str
    until: datetime | None = None


class SoftwareIn(Software, frozen=True, forbid_unknown_fields=True):
    """As the contract has it."""


class ScopeIn(Scope, frozen=True, forbid_unknown_fields=True):
    """As the contract has it."""


class QuietIn(Quiet, frozen=True, forbid_unknown_fields=True, rename={"start": "from", "end": "to"}):
    """As the contract has it."""


class ChannelIn(Struct, frozen=True, forbid_unknown_fields=True):
    """As the contract has it."""

    type: ChannelType
    address: str = ""
    url: str = ""
    secret_file: str = ""
    topic: str = ""
    digest: tuple[Literal["monday", "friday"], ...] = ()
    smime: str = ""
    pgp: str = ""


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """One subscriber as the file states it: the contract's JSON shape, unchecked beyond types."""

    id: str
    name: str
    kind: SubscriberKind = "company"
    size: Size = "mkb"
    maturity: Maturity = "basic"
    sectors: tuple[str, ...] = ()
    country: str = "NL"
    region: str = ""
    language: Literal["nl", "en"] = "nl"
    software: tuple[SoftwareIn, ...] = ()
    networks: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    clearance: str | ClearanceIn = "CLEAR"
    min_urgency: Urgency = "info"
    channels: tuple[ChannelIn, ...] = ()
    members: tuple[str, ...] = ()
    scope: ScopeIn = ScopeIn()
    serves_members: bool = False
    verified: bool = True
    opt_out: tuple[str, ...] = ()
    quiet: QuietIn | None = None
