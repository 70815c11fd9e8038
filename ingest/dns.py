"""TXT records of a name, by a resolver that the caller gives: how a subscriber shows that a domain is its own."""

from collections.abc import Callable

import dns.exception
import dns.resolver

Lookup = Callable[[str], tuple[str, ...] | None]
"""A name -> its TXT records; None: nobody could be asked."""
SECONDS = 5.0
"""For one question, all servers together."""


def lookup(resolver: dns.resolver.Resolver | None = None) -> Lookup:
    """Asks this resolver; None: that of the machine, read when it is first asked."""

    def texts(name: str) -> tuple[str, ...] | None:
        try:
            asked = resolver or dns.resolver.get_default_resolver()
            found = asked.resolve(name, "TXT", lifetime=SECONDS, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError):
            return None
        return tuple(b"".join(each.strings).decode("utf-8", "replace") for each in found)

    return texts
