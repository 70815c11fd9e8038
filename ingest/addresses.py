"""Which addresses live sources may be at: those of the public internet, and private ones where a table says so.

It is asked of the address that a socket is connected to (HTTP, IMAP) or is about to be (Kafka), never of a name: one
that says something else the next time (DNS rebinding) gains nothing by it.
"""

import ipaddress
from collections.abc import Iterable

from ingest import Network

REFUSED = (
    "its host, or one that it refers to, has an address in a private network; where that is meant, set private in its "
    "table of sources.toml"
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def allowed(peer: str, private: Iterable[Network]) -> bool:
    """May we speak with this address, as a socket gives it? Addresses that carry another are what they carry."""
    address = ipaddress.ip_address(peer.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        address = inner or address
    return _public(address) or any(address in network for network in private)


def _public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.is_site_local:
        return False
    return address.is_global and not address.is_multicast
