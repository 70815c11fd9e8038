"""Canaries: known personal values in every place of every format, to look for afterwards in all that was kept.

Each value stands in one place only, so that a value found again names the place it came through. Nobody real: names
invented, addresses and MAC numbers reserved for documentation (RFC 5737, 3849, 7042), BSNs from the test series
9999x, IBANs from a bank that does not exist, telephone numbers are libphonenumber's examples.
"""

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote
from uuid import UUID, uuid5

from stdnum import iban

from pii_guard import Category

SCO = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1 2.9
SHORTEST = 7
"""Canaries are longer than this, so that none is found by accident."""


@dataclass(frozen=True)
class Canary:
    """One planted value: its category, the value, and where it was planted."""

    category: Category
    value: str
    place: str


@dataclass(frozen=True)
class Document:
    """A document with canaries in it, as its source would send it."""

    source: str
    body: bytes
    format: str
    """As `oktt ingest --format` names it; what cannot be read at all is `auto`."""
    name: str
    """File name; some carry a canary too."""


@dataclass
class Planter:
    """Makes values, each one once, and remembers where they went."""

    planted: list[Canary] = field(default_factory=list)

    def _keep(self, category: Category, value: str, place: str) -> str:
        assert len(value) >= SHORTEST
        self.planted.append(Canary(category, value, place))
        return value

    @property
    def number(self) -> int:
        return len(self.planted) + 100

    def email(self, place: str) -> str:
        return self._keep("email", f"lek{self.number}q@persoon.example", place)

    def name(self, place: str) -> str:
        return self._keep("name", f"Quirijn Zwaluwstaart{_letters(self.number)}", place)

    def user(self, place: str) -> str:
        return self._keep("username", f"qzwaluw{self.number}x", place)

    def secret(self, place: str) -> str:
        return self._keep("credential", f"Welkom!{self.number}Qz", place)

    def ipv4(self, place: str) -> str:
        block = ("203.0.113", "198.51.100", "192.0.2")[self.number % 3]
        taken = {one.value for one in self.planted}
        return self._keep("ipv4", next(ip for n in range(254, 100, -1) if (ip := f"{block}.{n}") not in taken), place)

    def ipv6(self, place: str) -> str:
        return self._keep("ipv6", f"2001:db8:ca11:{self.number:x}::5", place)

    def mac(self, place: str) -> str:
        return self._keep("mac", f"00:00:5e:00:53:{self.number % 256:02x}", place)

    def bsn(self, place: str) -> str:
        taken = {one.value for one in self.planted}
        return self._keep("bsn", next(text for text in _bsns() if text not in taken), place)

    def iban(self, place: str) -> str:
        rest = f"OKTT{self.number:010d}"
        return self._keep("iban", f"NL{iban.calc_check_digits('NL00' + rest)}{rest}", place)

    def prose(self, place: str) -> str:
        """A Dutch sentence with what recognisers must find."""
        return (
            f"Neem contact op met {self.email(place)}; BSN {self.bsn(place)}, rekening {self.iban(place)}, "
            f"vanaf adres {self.ipv4(place) if len(self.planted) % 4 == 0 else self.ipv6(place)}."
        )


def _letters(number: int) -> str:
    return "".join(chr(ord("a") + int(digit)) for digit in str(number))


def _bsns() -> Iterable[str]:
    """Numbers of the test series that pass the eleven test (Wabb, besluit BSN)."""
    for number in range(999900000, 999999999):
        digits = [int(digit) for digit in str(number)]
        weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
        if sum(w * d for w, d in zip(weights, digits, strict=True)) % 11 == 0:
            yield str(number)


def documents() -> tuple[list[Document], list[Canary]]:
    """Every document, and every value in them. The same ones every time."""
    from tests.app import canary_feeds, canary_stix

    planter = Planter()
    made = [*canary_stix.documents(planter), *canary_feeds.documents(planter)]
    return made, planter.planted


def write(folder: Path) -> tuple[list[tuple[str, Path]], list[Canary]]:
    """The documents as files, one folder a source: [(source id, path)], and every value in them and in their names."""
    made, planted = documents()
    written = []
    for one in made:
        path = folder / one.source / one.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(one.body)
        written.append((one.source, path))
    return written, planted


def forms(canary: Canary) -> set[bytes]:
    """Every form in which a value might have been kept: as it is, defanged, encoded, hashed, as the id of an object."""
    value = canary.value
    texts = {value, value.casefold(), value.upper()}
    if canary.category in ("ipv4", "email"):
        texts |= {
            value.replace(".", "[.]"),
            value.replace(".", "(.)"),
            value.replace("@", "[@]"),
            value.replace("@", " at "),
        }
    if canary.category == "ipv4":
        texts |= {value.replace(".", "-"), ".".join(reversed(value.split("."))) + ".in-addr.arpa"}
    if canary.category == "mac":
        texts |= {value.replace(":", "-"), value.replace(":", "")}
    if canary.category == "iban":
        texts.add(" ".join(value[at : at + 4] for at in range(0, len(value), 4)))
    if canary.category == "name":
        texts |= {value.split()[-1], value.split()[-1].casefold(), value.replace(" ", "."), value.replace(" ", "_")}
    found = {text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16-le")}
    found |= {quote(text, safe="").encode() for text in texts} | {json.dumps(text)[1:-1].encode() for text in texts}
    for raw in (value.encode(), value.casefold().encode()):
        found |= _base64(raw) | {raw.hex().encode(), raw.hex().upper().encode()}
        for algorithm in (hashlib.sha256, hashlib.sha1, hashlib.md5):
            found |= {algorithm(raw).hexdigest().encode(), algorithm(raw).digest()}
    return {one for one in found | _ids(value) if len(one) >= SHORTEST}


def _base64(raw: bytes) -> set[bytes]:
    """What base64 of any text that contains the value must contain, for each of the three alignments."""
    found = set()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        core = coded[0 if shift == 0 else shift + 1 : -1]
        found.add(core)
    return {one for one in found if len(one) >= SHORTEST}


def _ids(value: str) -> set[bytes]:
    """Deterministic STIX ids: anybody can hash all of IPv4 (STIX 2.1 2.9)."""
    keys = ("value", "account_login", "user_id", "name", "path")
    contributed: list[dict[str, str]] = [{key: value} for key in keys]
    contributed += [{key: value.casefold()} for key in keys]
    names = {json.dumps(one, separators=(",", ":"), ensure_ascii=False) for one in contributed} | {value}
    return {str(uuid5(SCO, name)).encode() for name in names}


def search(kept: bytes, planted: Iterable[Canary]) -> list[Canary]:
    """Which canaries are in there in any form; empty is what a test wants. Case is checked as kept and folded."""
    folded = kept.lower()
    return [one for one in planted if any(form in kept or form.lower() in folded for form in forms(one))]
