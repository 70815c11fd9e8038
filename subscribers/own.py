"""What holds of a subscriber: what an operator imported, and what it gave itself.

Its word on its profile goes before the operator's. Opt-outs and software are the union. Of networks and domains counts
what is proven: what the operator answers for (`verified`), and each claim by itself. As long as nothing is proven, all
of them stand there unverified, so that an analyst sees whom something could have concerned.
"""

from datetime import datetime
from typing import get_args

from msgspec.structs import replace

from normalize import Kind
from subscribers import Claim, Contact, Incoming, Own, Profile, Said, Subscriber

KINDS: tuple[str, ...] = tuple(each for each in get_args(Kind) if each != "facts")
"""Kinds of messages."""


def effective(one: Incoming, own: Own, number: int, changed_at: datetime, revision: int = 0) -> Subscriber:
    """The subscriber as all others see it."""
    said = own.said
    profile = one.profile if said is None else _stated(one.profile, said)
    paused = KINDS if said is not None and said.paused else ()
    lines = (line for each in own.inventories for line in each.software)
    profile = _held(
        replace(
            profile,
            opt_out=tuple(dict.fromkeys((*profile.opt_out, *own.opt_out, *paused))),
            software=tuple(dict.fromkeys((*profile.software, *lines))),
        ),
        own.claims,
    )
    contacts = reached(one, own)
    contacts = contacts if said is None else tuple(_addressed(each, said) for each in contacts)
    language = one.language if said is None else said.language
    confirmed = None if said is None else said.confirmed_at
    who = one.id, number, own.name or one.name, language, one.clearance, profile, contacts, changed_at
    return Subscriber(*who, own.inventories, own.claims, confirmed, revision)


def reached(one: Incoming, own: Own) -> tuple[Contact, ...]:
    """Where messages go: the operator's channels; its first mail address is the one that the subscriber gave."""
    if not own.address:
        return one.contacts
    at = next((at for at, each in enumerate(one.contacts) if each.type == "email"), None)
    if at is None:
        return (*one.contacts, Contact("email", address=own.address))
    if normal(own.address) in {normal(each.address) for each in one.contacts if each.type == "email"}:
        return one.contacts  # the operator knows it by now
    moved = replace(one.contacts[at], address=own.address)
    return (*one.contacts[:at], moved, *one.contacts[at + 1 :])


def normal(address: str) -> str:
    """A mail address as it is compared: who types capitals means the same."""
    return address.strip().casefold()


def network(what: str) -> bool:
    """Is it a prefix or AS number, and no domain?"""
    return "/" in what or (what.startswith("AS") and what[2:].isdecimal())


def _stated(profile: Profile, said: Said) -> Profile:
    return replace(
        profile, sectors=said.sectors, size=said.size, region=said.region, min_urgency=said.min_urgency,
        quiet=said.quiet,
    )  # fmt: skip


def _held(profile: Profile, claims: tuple[Claim, ...]) -> Profile:
    proven = [each.what for each in claims if each.proven_at is not None]
    if proven:
        base = profile if profile.verified else replace(profile, networks=(), domains=(), verified=True)
        return _with(base, proven)
    return profile if profile.verified else _with(profile, [each.what for each in claims])


def _with(profile: Profile, names: list[str]) -> Profile:
    networks = tuple(dict.fromkeys((*profile.networks, *(each for each in names if network(each)))))
    domains = tuple(dict.fromkeys((*profile.domains, *(each for each in names if not network(each)))))
    return replace(profile, networks=networks, domains=domains)


def _addressed(contact: Contact, said: Said) -> Contact:
    if said.paused:
        return replace(contact, digest=())
    return replace(contact, digest=said.digest) if contact.type == "email" else contact
