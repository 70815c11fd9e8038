"""Every form in which a value might have been kept: written otherwise, defanged, encoded, hashed, as a STIX id."""

import base64
import hashlib
import html
import itertools
import json
from functools import cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid5

SCO = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")  # STIX 2.1 2.9
SHORTEST = 8
"""Canaries and their forms are at least this long, so that none is found by accident."""
HASHES = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "blake2b", "blake2s")
_DOTS = ("[.]", "(.)", "{.}", "[dot]", "(dot)", " dot ", "\\.", "-", "_", "%2E", "=2E", "&#46;")
_ATS = ("[@]", "(@)", "[at]", "(at)", " at ", " [at] ", "%40", "=40", "&#64;")


@cache
def forms(category: str, value: str) -> frozenset[bytes]:
    """Folded to lower case, as what is searched has to be."""
    texts = _texts(category, value)
    found = {text.encode(encoding) for text in texts for encoding in ("utf-8", "utf-16-le")}
    for raw in {value.encode(), value.casefold().encode(), value.upper().encode(), value.encode("utf-16-le")}:
        found |= _base64(raw) | {raw.hex().encode(), raw.hex(" ").encode(), raw.hex(":").encode()}
    for raw in {value.encode(), value.casefold().encode(), value.encode() + b"\n"}:
        found |= _hashes(raw)
    return frozenset(one.lower() for one in found | _ids(value) if len(one) >= SHORTEST)


def _texts(category: str, value: str) -> set[str]:
    texts = {value, quote(value, safe=""), json.dumps(value)[1:-1], html.escape(value)}
    if category in ("ipv4", "email"):
        texts |= {value.replace(".", dot) for dot in _DOTS} | {dot.join(value.rsplit(".", 1)) for dot in _DOTS}
        texts |= {value.replace("@", at) for at in _ATS} | {
            value.replace("@", at).replace(".", dot) for at, dot in itertools.product(_ATS, _DOTS[:5])
        }
    if category == "ipv4":
        texts |= _ipv4(IPv4Address(value))
    if category == "ipv6":
        texts |= _ipv6(IPv6Address(value)) | {value.replace(":", sign) for sign in ("[:]", "-", "%3A", "=3A")}
    if category == "mac":
        plain = value.replace(":", "")
        texts |= {value.replace(":", sign) for sign in ("-", "[:]", "%3A", ".")} | {plain}
        texts |= {
            ".".join(plain[at : at + 4] for at in (0, 4, 8)),
            f"{int(plain[:2], 16) ^ 2:02x}{plain[2:6]}fffe{plain[6:]}",
        }
    if category == "iban":
        texts |= {sign.join(value[at : at + 4] for at in range(0, len(value), 4)) for sign in (" ", "-", ".")}
    if category == "bsn":
        texts |= {f"{value[:4]}{sign}{value[4:6]}{sign}{value[6:]}" for sign in ". -"} | {
            f"{value[:3]} {value[3:6]} {value[6:]}"
        }
    if category == "phone":
        texts |= {value.removeprefix("+"), f"0{value[3:]}", f"00{value[1:]}", f"06-{value[4:]}", f"06 {value[4:]}"}
    if category == "name":
        texts |= {value.rsplit(maxsplit=1)[-1], *(value.replace(" ", sign) for sign in ".-_+")}
    return texts


def _ipv4(address: IPv4Address) -> set[str]:
    """As inet_aton and resolvers read it: one number, in octal, in hexadecimal, mapped, reversed."""
    number, octets = int(address), [*address.packed]
    written = {
        str(number), f"0x{number:08x}", f'"{number:08x}"', f"0{number:o}", f"0b{number:032b}", address.reverse_pointer,
        ".".join(f"0{each:o}" for each in octets), ".".join(f"{each:04o}" for each in octets),
        ".".join(f"{each:#x}" for each in octets), ".".join(f"{each:03d}" for each in octets),
        ".".join(map(str, (octets[0], octets[1], octets[2] << 8 | octets[3]))),
        ".".join(map(str, (octets[0], number & 0xFFFFFF))), f"::ffff:{number >> 16:x}:{number & 0xFFFF:x}",
        f"2002:{number >> 16:x}:{number & 0xFFFF:x}", "-".join(map(str, reversed(octets))),
        ".".join(map(str, reversed(octets))),
        "\\x" + "\\x".join(f"{each:02x}" for each in octets),
    }  # fmt: skip
    return written | {json.dumps(octets), json.dumps(octets, separators=(",", ":"))}


def _ipv6(address: IPv6Address) -> set[str]:
    whole = address.exploded
    return {
        address.compressed, whole, whole.replace(":", ""), whole.replace(":", "-"), str(int(address)),
        address.reverse_pointer, ":".join(f"{int(group, 16):x}" for group in whole.split(":")),
        address.compressed.replace(":", "-") + ".ipv6-literal.net",
    }  # fmt: skip


def _base64(raw: bytes) -> set[bytes]:
    """What base64 of any text that contains the value must contain, for each of the three alignments."""
    found = set()
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        core = coded[0 if shift == 0 else shift + 1 : -1]
        found |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return found


def _hashes(raw: bytes) -> set[bytes]:
    found = set()
    digests = [hashlib.new(name, raw).digest() for name in HASHES]
    digests += [hashlib.blake2b(raw, digest_size=size).digest() for size in (16, 32)]
    for digest in digests:
        found |= {digest, digest.hex().encode(), base64.b64encode(digest).rstrip(b"=")}
    return found


def _ids(value: str) -> set[bytes]:
    """Deterministic STIX ids (2.1 2.9: UUIDv5 of the contributing properties): anybody can hash all of IPv4."""
    contributed: list[dict[str, Any]] = []
    for one in {value, value.casefold()}:
        # ipv4-addr ipv6-addr mac-addr email-addr url domain-name; user-account; file, mutex, software; directory;
        # windows-registry-key; x509-certificate; email-message; autonomous-system; artifact
        keys = ("value", "account_login", "user_id", "name", "path", "key", "serial_number", "subject", "url")
        contributed += [{key: one} for key in keys]
        contributed += [{"account_login": one, "user_id": one}, {"body": one}, {"subject": one, "body": one}]
        for kind in ("unix", "windows-local", "windows-domain", "email", "ldap"):
            contributed += [{"account_login": one, "account_type": kind}, {"account_type": kind, "user_id": one}]
        contributed += [{"value": form.format(one)} for form in ("http://{}", "http://{}/", "https://{}/", "mailto:{}")]
    names = {json.dumps(one, separators=(",", ":"), ensure_ascii=False, sort_keys=True) for one in contributed}
    return {str(uuid5(SCO, name)).encode() for name in names | {value, value.casefold()}}
