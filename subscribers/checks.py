"""What the fields of a profile may hold, and their canonical form. Messages never hold a value."""

import ipaddress
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

from normalize import NormalizeError, products, sectors, suffixes
from subscribers import Contact, Incoming, Profile, Quiet, Scope, Software
from subscribers.components import salvaged
from subscribers.wire import ChannelIn, ClearanceIn, Line, QuietIn, ScopeIn
from tlp import Clearance, Label

ID_LENGTH = 100
TEXT_LENGTH = 300
WIDEST = {4: 8, 6: 16}
"""The shortest prefix that one organisation can hold: a wider one is a slip of the pen that would catch all."""

_AS = re.compile(r"(?:AS|as|As)(\d{1,10})")
_DOMAIN_PART = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d")
_COUNTRY = re.compile(r"[A-Z]{2}")
_REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}")
_MAIL = re.compile(r"[^@\s,;:<>()\[\]\\\"]{1,64}@[^@\s,;:<>()\[\]\\\"]{1,255}")
_LABELS = {label.value: label for label in Label} | {"WHITE": Label.CLEAR, "AMBER STRICT": Label.AMBER_STRICT}


_TAKEN = frozenset({"clear", "test", "contribute"})
"""Names of TAXII collections that everybody has: a subscriber's own is called by its id."""


class FieldError(Exception):
    """`field: what is wrong, what to do`; the importer puts the line before it."""


def incoming(line: Line) -> Incoming:
    """The checked, canonical subscriber. Raises FieldError."""
    return Incoming(
        id=_id(line.id),
        name=_text("name", line.name),
        language=line.language,
        clearance=_clearance(line.clearance),
        profile=Profile(
            kind=line.kind,
            size=line.size,
            maturity=line.maturity,
            sectors=_each("sectors", line.sectors, _sector),
            country=_matching("country", line.country.upper(), _COUNTRY, "two letters such as NL"),
            region=line.region and _matching("region", line.region.upper(), _REGION, "ISO 3166-2 such as NL-NB"),
            software=tuple(software(f"software[{n}]", one) for n, one in enumerate(line.software)),
            networks=_each("networks", line.networks, _network),
            domains=_each("domains", line.domains, _domain),
            members=_each("members", line.members, _member),
            scope=_scope(line.scope),
            serves_members=line.serves_members,
            verified=line.verified,
            min_urgency=line.min_urgency,
            opt_out=_each("opt_out", line.opt_out, _text),
            quiet=line.quiet and _quiet(line.quiet),
        ),
        contacts=tuple(_contact(f"channels[{n}]", one) for n, one in enumerate(line.channels)),
    )


def _each(field: str, values: Sequence[str], check: Callable[[str, str], str]) -> tuple[str, ...]:
    """Checked, in the order given, each once."""
    if not values:
        return ()
    return tuple(dict.fromkeys(check(f"{field}[{n}]", value) for n, value in enumerate(values)))


def _id(value: str) -> str:
    text = _text("id", value, ID_LENGTH)
    if text.casefold() in _TAKEN:
        raise FieldError("id: the name of a common TAXII collection: give it another")
    return text


def _text(field: str, value: str, longest: int = TEXT_LENGTH) -> str:
    value = value.strip()
    if not value:
        raise FieldError(f"{field}: is empty: fill it in")
    if len(value) > longest:
        raise FieldError(f"{field}: longer than {longest} signs: shorten it")
    if not value.isprintable():
        raise FieldError(f"{field}: holds a sign that cannot be printed: take it out")
    return value


def _member(field: str, value: str) -> str:
    return _text(field, value, ID_LENGTH)


def _matching(field: str, value: str, form: re.Pattern[str], wanted: str) -> str:
    if not form.fullmatch(value):
        raise FieldError(f"{field}: not of the form {wanted}: correct it")
    return value


def _clearance(value: str | ClearanceIn) -> Clearance:
    if isinstance(value, str):
        return Clearance(_label("clearance", value))
    return Clearance(
        _label("clearance.highest", value.highest),
        None if value.until is None else _aware("clearance.until", value.until),
    )


def _label(field: str, value: str) -> Label:
    found = _LABELS.get(value.strip().upper().removeprefix("TLP:"))
    if found is None:
        raise FieldError(f"{field}: no TLP label: write CLEAR, GREEN, AMBER, AMBER+STRICT or RED")
    return found


def _aware(field: str, value: datetime) -> datetime:
    if value.tzinfo is None:
        raise FieldError(f"{field}: a time without zone: write it as 2026-12-31T00:00:00Z")
    return value


@lru_cache(maxsize=8192)
def _canonical_sector(value: str) -> str | None:
    try:
        return sectors.parse(value)
    except NormalizeError:
        return None


def _sector(field: str, value: str) -> str:
    found = _canonical_sector(value)
    if found is None:
        raise FieldError(f"{field}: no known sector: write a code of SBI:, NACE:, NIS2: or STIX:, as SBI:25.62")
    return found


def _network(field: str, value: str) -> str:
    value = value.strip()
    if found := _AS.fullmatch(value):
        if not 0 < int(found[1]) < 2**32:
            raise FieldError(f"{field}: no AS number: it lies between AS1 and AS4294967295")
        return f"AS{int(found[1])}"
    try:
        network = ipaddress.ip_network(value)
    except ValueError as error:
        if "host bits" in str(error):
            raise FieldError(f"{field}: an address inside a prefix: write its first address, or /32") from None
        raise FieldError(f"{field}: no prefix or AS number: write 192.0.2.0/24, 2001:db8::/48 or AS64500") from None
    if network.prefixlen < WIDEST[network.version]:
        raise FieldError(f"{field}: wider than /{WIDEST[network.version]}, as nobody holds: correct it")
    return str(network)


def _domain(field: str, value: str) -> str:
    name = value.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            raise FieldError(f"{field}: no domain name: write it as voorbeeld.nl") from None
    parts = name.split(".")
    if len(parts) < 2 or len(name) > 253 or not all(map(_DOMAIN_PART.fullmatch, parts)) or parts[-1].isdigit():
        raise FieldError(f"{field}: no domain name: write it as voorbeeld.nl, without *, scheme or path")
    if suffixes.public(name):
        raise FieldError(f"{field}: a public suffix (as co.uk), below which anybody registers: write the name below it")
    return name


def software(field: str, one: Software) -> Software:
    """A checked line of software. Raises FieldError."""
    if not (one.product.strip() or one.cpe or one.purl):
        raise FieldError(f"{field}: names no product: give product (with vendor), cpe or purl")
    kept = salvaged(one)  # a CPE or purl that cannot be parsed is text: matched as *possibly*, and listed for repair
    if one.cpe and products.cpe_parts(one.cpe) is None and (kept is None or not one.cpe.startswith("cpe:")):
        raise FieldError(f"{field}.cpe: no CPE 2.3 name of one product: write cpe:2.3:a:vendor:product:...")
    if one.purl and products.purl_parts(one.purl) is None and (kept is None or not one.purl.startswith("pkg:")):
        raise FieldError(f"{field}.purl: no package URL: write it as pkg:pypi/django@4.2.1")
    if kept is None:
        raise FieldError(f"{field}: names no product: give product (with vendor), cpe or purl")
    for name in ("vendor", "product", "version"):
        if value := getattr(one, name):
            _text(f"{field}.{name}", value)
    version = one.version.strip() if one.version else None
    return Software(kept.vendor.strip(), kept.product.strip(), version or None, one.cpe or None, one.purl or None)


def _scope(scope: ScopeIn) -> Scope:
    def region(field: str, value: str) -> str:
        return _matching(field, value.upper(), _REGION, "ISO 3166-2 such as NL-NB")

    return Scope(_each("scope.sectors", scope.sectors, _sector), _each("scope.regions", scope.regions, region))


@lru_cache(maxsize=256)
def _has_holidays(country: str) -> bool:
    from holidays import list_supported_countries  # a tenth of a second, which few need

    return country in list_supported_countries()


def _quiet(quiet: QuietIn) -> Quiet:
    for field, value in (("quiet.from", quiet.start), ("quiet.to", quiet.end)):
        _matching(field, value, _CLOCK, "a time such as 22:00")
    if not all(1 <= day <= 7 for day in quiet.days):
        raise FieldError("quiet.days: no day of the week: 1 is Monday, 7 is Sunday")
    if not _zone(quiet.tz):
        raise FieldError("quiet.tz: no known time zone: write it as Europe/Amsterdam")
    if quiet.holidays and not _has_holidays(quiet.holidays):
        raise FieldError("quiet.holidays: no country whose public holidays are known: write it as NL")
    return Quiet(quiet.start, quiet.end, tuple(sorted(set(quiet.days))), quiet.tz, quiet.holidays)


@lru_cache(maxsize=1024)
def _zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):
        return False
    return True


def _contact(field: str, one: ChannelIn) -> Contact:
    if one.type == "email" and not _MAIL.fullmatch(one.address):
        raise FieldError(f"{field}.address: no e-mail address: write one address, without a name")
    if one.type == "webhook" and not re.fullmatch(r"https?://[^\s/]+\S*", one.url):
        raise FieldError(f"{field}.url: no web address: write it with https://")
    if one.type == "kafka" and not re.fullmatch(r"[A-Za-z0-9._-]{1,249}", one.topic):
        raise FieldError(f"{field}.topic: no topic name: use letters, digits, dots, dashes and underscores")
    for name in ("address", "url", "secret_file", "topic"):
        if not getattr(one, name).isprintable():
            raise FieldError(f"{field}.{name}: holds a sign that cannot be printed: take it out")
    return Contact(
        one.type, one.address, one.url, one.secret_file, one.topic, tuple(dict.fromkeys(one.digest)), one.smime, one.pgp
    )
