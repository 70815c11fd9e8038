"""What values of STIX properties look like: a value of such a form is what its property says, and no other's."""

import re
from ipaddress import AddressValueError, IPv4Network, IPv6Network, NetmaskValueError

from pii_guard import Category
from pii_guard.detect_network import is_ip

TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)").fullmatch
HEX = re.compile(r"(?:0x)?[0-9A-Fa-f]{1,4096}|(?:[0-9A-Fa-f]{2}:){7,63}[0-9A-Fa-f]{2}").fullmatch
DIGEST = re.compile(
    r"[0-9A-Fa-f]{16,128}|T1[0-9A-Fa-f]{70}|\d{1,9}:[A-Za-z0-9/+]{3,128}:[A-Za-z0-9/+]{1,128}"
).fullmatch
ALGORITHM = re.compile(
    r"(?:MD[56]|SHA-?(?:1|224|256|384|512)|SHA3-\d{3}|SSDEEP|TLSH|IMPHASH|VHASH|AUTHENTIHASH)", re.IGNORECASE
).fullmatch
ID = re.compile(
    r"([a-z][a-z0-9-]{1,62}[a-z0-9])--[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-([0-9a-fA-F])[0-9a-fA-F]{3}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
).fullmatch
DOMAIN = re.compile(r"[A-Za-z.-]{1,253}").fullmatch
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}").fullmatch
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}").fullmatch


def is_address(category: Category, value: str) -> bool:
    """Is the value what its type says? Prefixes count as addresses."""
    if category in ("ipv4", "ipv6"):
        if "/" not in value:
            return is_ip(value) == category
        try:
            (IPv4Network if category == "ipv4" else IPv6Network)(value, strict=False)
        except (AddressValueError, NetmaskValueError, ValueError):
            return False
        return True
    return _MAC(value) is not None if category == "mac" else value.count("@") == 1 and " " not in value
