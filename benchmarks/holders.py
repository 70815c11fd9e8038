"""The target group's networks: 1.8 million holders of three million prefixes, invented, and always the same.

Four in five are IPv4, most of them single addresses, the widest a /24; the rest are IPv6 /56. They lie in ranges that
are nobody's on the internet (RFC 1918, RFC 6598, RFC 3849), and none in another.
"""

import random
import socket
from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import chain

HOLDERS = 1_800_000
PREFIXES = 3_000_000
LENGTHS = (32, 31, 30, 29, 28, 27, 26, 25, 24)
SHARES = (66, 10, 10, 7, 4, 1.8, 0.8, 0.3, 0.1)
_RANGES = tuple(map(IPv4Network, ("10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12")))


def networks(holders: int = HOLDERS, count: int = PREFIXES) -> Iterator[tuple[str, ...]]:
    """What each holder has: one prefix, and as many of them another as there are more prefixes than holders."""
    draw = random.Random(7)
    four, six = _fours(draw), _sixes()
    for number in range(holders):
        one = next(six if number % 5 == 4 else four)
        yield (one, next(six if number % 5 == 3 else four)) if number < count - holders else (one,)


def _fours(draw: random.Random) -> Iterator[str]:
    """One after the other, each at the next address that is a multiple of its size."""
    blocks = chain.from_iterable(range(int(net[0]), int(net[-1]) + 1, 256) for net in _RANGES)
    at, left = 0, 0
    while True:
        for length in draw.choices(LENGTHS, SHARES, k=10_000):
            size = 1 << (32 - length)
            skip = -at % size
            if skip + size > left:
                at, left, skip = next(blocks), 256, 0
            yield f"{socket.inet_ntoa((at + skip).to_bytes(4))}/{length}"
            at, left = at + skip + size, left - skip - size


def _sixes() -> Iterator[str]:
    return (f"2001:db8:{number >> 8:x}:{(number & 255) << 8:x}::/56" for number in range(1 << 24))


def inside(prefix: str) -> str:
    """An address in a prefix of these, its last or so."""
    address, _, length = prefix.partition("/")
    if ":" in address:
        return f"{address}1"
    value = int.from_bytes(socket.inet_aton(address)) | (1 << (32 - int(length))) - 1
    return socket.inet_ntoa(value.to_bytes(4))
