"""The whole target group, generated: 1.8 million subscribers, 1.4 million of them one-person firms.

Drawn from a hundred thousand that `app.generate` draws one by one, each of them many times: under an id of its own, in
a region of its own, with domains and networks that nobody else has.
"""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain

import msgspec
from msgspec import structs

from app import firms, generate
from benchmarks.holders import networks
from subscribers import Incoming, Profile, Software, Subscriber, importing

TARGET_GROUP = 1_800_000
PATTERNS = 100_000
USED = {100: "Rare", 10_000: "Common", 500_000: "Usual"}
"""Products of Oktt, each used by so many."""
NOBODYS = "SBI:01.47"
"""A sector that hardly anybody has: an advisory that names it goes to nobody for want of a list of software."""
_WHEN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_REGIONS = sorted({place[1] for place in firms.PLACES})


def incoming(count: int) -> Iterator[Incoming]:
    """So many subscribers, the same each time; some of them, spread evenly, use one of the products of `USED` more."""
    draw = random.Random(7)
    made = generate.subscribers(min(PATTERNS, count), 7)
    patterns = importing.parse(b"\n".join(map(msgspec.json.encode, made)))
    lines = [(wanted, Software("Oktt", name, "1.0")) for wanted, name in USED.items()]
    own = chain.from_iterable(networks())
    for number in range(1, count + 1):
        one = patterns[(number - 1) % len(patterns)]
        profile = one.profile
        more = tuple(line for wanted, line in lines if _is_one(number, wanted, count))
        changed = structs.replace(
            profile,
            region=draw.choice(_REGIONS),
            software=(*profile.software, *more),
            networks=tuple(text if text.startswith("AS") else next(own) for text in profile.networks),
            domains=tuple(f"{number}-{name}" for name in profile.domains),
            members=_near(profile, number, len(patterns)),
        )
        yield structs.replace(one, id=f"kvk-{number:08d}", profile=changed)


def registered(incoming: Iterator[Incoming]) -> Iterator[Subscriber]:
    """As the registry hands them out."""
    for number, one in enumerate(incoming, start=1):
        given = one.id, number, one.name, one.language, one.clearance, one.profile, one.contacts
        yield Subscriber(*given, _WHEN)


def _is_one(number: int, wanted: int, count: int) -> bool:
    """Exactly so many of them, spread evenly."""
    return number * wanted // count > (number - 1) * wanted // count


def _near(profile: Profile, number: int, patterns: int) -> tuple[str, ...]:
    first = (number - 1) // patterns * patterns
    return tuple(f"kvk-{first + int(member[4:]):08d}" for member in profile.members)
