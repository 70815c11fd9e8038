"""Canaries: known personal values in every place of every format, to look for afterwards in all that was kept.

Each value stands in one place only, so that a value found again names the place it came through. Nobody real: names
invented, addresses and MAC numbers reserved for documentation (RFC 5737, 3849, 7042), BSNs from the test series
9999x, IBANs from a bank that does not exist, telephone numbers are libphonenumber's examples.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from stdnum import iban

from pii_guard import Category
from tests.app import canary_forms
from tests.app.canary_forms import SCO, SHORTEST


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


def forms(canary: Canary) -> frozenset[bytes]:
    """Every form in which a value might have been kept, in lower case."""
    return canary_forms.forms(canary.category, canary.value)


class Search:
    """For many values at once. What is searched is folded to lower case, so that a form counts in any case.

    Each form is known by eight of its bytes. All runs of eight bytes are looked up in one pass, and only where one is
    met the form itself is looked for.
    """

    def __init__(self, planted: Iterable[Canary]) -> None:
        pairs = [(each, form) for each in planted for form in forms(each)]
        common: Counter[bytes] = Counter()
        for _, form in pairs:
            common.update(set(_windows(form)))
        self._starts: dict[int, list[tuple[bytes, Canary]]] = {}
        for each, form in pairs:
            rarest = min(_windows(form), key=common.__getitem__)
            self._starts.setdefault(memoryview(rarest).cast("Q")[0], []).append((form, each))
        self._keys = frozenset(self._starts)

    def hits(self, kept: bytes) -> list[Canary]:
        """Which of them are in there in any form."""
        folded = kept.lower()
        met: set[int] = set()
        for shift in range(min(SHORTEST, len(folded))):
            whole = (len(folded) - shift) // SHORTEST * SHORTEST
            met |= self._keys.intersection(memoryview(folded)[shift : shift + whole].cast("Q"))
        found = {each for number in met for form, each in self._starts[number] if form in folded}
        return sorted(found, key=lambda each: (each.place, each.value))


def _windows(form: bytes) -> list[bytes]:
    """Its start, middle and end."""
    return [form[at : at + SHORTEST] for at in (0, (len(form) - SHORTEST) // 2, len(form) - SHORTEST)]


def once(said: bytes) -> bytes:
    """Each line once: logs and answers say the same again and again."""
    return b"\n".join(dict.fromkeys(said.splitlines()))


def search(kept: bytes, planted: Iterable[Canary]) -> list[Canary]:
    """What Search finds, found plainly."""
    folded = kept.lower()
    return [one for one in planted if any(form in folded for form in forms(one))]


__all__ = ["SCO", "Canary", "Document", "Planter", "Search", "documents", "forms", "once", "search", "write"]
