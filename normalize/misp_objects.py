"""MISP attributes as STIX 2.1 observables, and the patterns that look for them.

Ids of observables follow from their values as STIX 2.1 2.9 has it; the guard gives new ones to what it changes.
"""

import hashlib
import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

import msgspec

from normalize import ObservableType
from normalize.products import cpe_parts
from normalize.stix_facts import Key, address

Object = dict[str, Any]

_SCO = UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
_PREFERRED = ("MD5", "SHA-1", "SHA-256", "SHA-512", "SHA3-256", "SHA3-512", "SSDEEP", "TLSH")
_CONTRIBUTE: Mapping[str, tuple[str, ...]] = {
    "autonomous-system": ("number",),
    "email-message": ("from_ref", "subject", "body"),
    "file": ("hashes", "name", "parent_directory_ref", "extensions"),
    "network-traffic": ("start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"),
    "mutex": ("name",),
    "software": ("name", "cpe", "swid", "vendor", "version"),
    "windows-registry-key": ("key", "values"),
    "x509-certificate": ("hashes", "serial_number"),
}
"""Properties from which an id is made (STIX 2.1 6, "ID Contributing Properties"); of the others: the value."""

_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,64}").fullmatch
_DIGEST = re.compile(r"\S{3,300}").fullmatch
_LENGTHS = {"MD5": 32, "SHA-1": 40, "SHA-224": 56, "SHA-256": 64, "SHA-384": 96, "SHA-512": 128, "IMPHASH": 32}
_NUMBER = re.compile(r"(?:AS)?\s*(\d{1,10})", re.IGNORECASE | re.ASCII).fullmatch
_PORT = re.compile(r"\d{1,5}", re.ASCII).fullmatch
_ADDRESS_TYPES: Mapping[ObservableType, str] = {
    "ipv4": "ipv4-addr",
    "ipv6": "ipv6-addr",
    "domain": "domain-name",
    "url": "url",
    "email": "email-addr",
    "mac": "mac-addr",
}
_OF_TYPE = {name: kind for kind, name in _ADDRESS_TYPES.items()}
_LONGEST = 10_000
_Reader = Callable[[str, str], list[Object]]

_NEVER_SHARED = tuple(
    map(
        ipaddress.ip_network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.168.0.0/16", "224.0.0.0/4", "240.0.0.0/4"),
            *("::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
        ),
    )
)
"""RFC 6890: addresses that are everybody's own, and multicast. (Documentation's are not: people test with them.)"""
_EVERYBODYS = frozenset(
    (
        # Public resolvers, which malware asks as everybody does.
        *("1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220"),
        *("2606:4700:4700::1111", "2606:4700:4700::1001", "2001:4860:4860::8888", "2001:4860:4860::8844"),
        *("2620:fe::fe", "localhost"),
        # Files without content.
        *(hashlib.new(name, b"", usedforsecurity=False).hexdigest()
          for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512")),
    )
)  # fmt: skip


class MalformedError(ValueError):
    """The value is not what its type says."""


def identified(obj: Object) -> Object:
    """The observable with the id that follows from its value."""
    kind = obj["type"]
    parts = {name: obj[name] for name in _CONTRIBUTE.get(kind, ("value",)) if name in obj}
    if hashes := parts.get("hashes"):
        chosen = next((name for name in _PREFERRED if name in hashes), min(hashes))
        parts["hashes"] = {chosen: hashes[chosen]}
    text = msgspec.json.encode(parts, order="sorted").decode()
    return {"type": kind, "spec_version": "2.1", "id": f"{kind}--{uuid5(_SCO, text)}", **obj}


def observed(way: str, value: str) -> list[Object]:
    """The observables that a value is, itself first. Raises MalformedError, and KeyError for a way that has none."""
    how, _, argument = way.partition(":")
    return _READERS[how](value, argument)


def keys_of(obj: Object) -> list[Key]:
    """Under which type and value the facts know an observable."""
    kind = obj["type"]
    if kind in _OF_TYPE:
        found = address(_OF_TYPE[kind], obj["value"])
        return [found] if found else []
    if kind == "autonomous-system":
        return [("asn", f"AS{obj['number']}")]
    of: ObservableType = "certificate" if kind == "x509-certificate" else "hash"
    if hashes := obj.get("hashes"):
        return [(of, digest.lower()) for digest in hashes.values()]
    return [("file", obj["name"])] if kind == "file" else []


def harmless(value: str) -> bool:
    """Is this a value of everybody, about which there is nothing to tell anybody?"""
    if value.lower() in _EVERYBODYS:
        return True
    if "." not in value and ":" not in value:
        return False
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return any(network.version == own.version and network.subnet_of(own) for own in _NEVER_SHARED)  # type: ignore[arg-type]


def pattern(obj: Object, objects: Mapping[str, Object]) -> str | None:
    """The STIX pattern that looks for an observable; None: there is nothing to look for.

    Any of a file's hashes finds it; its name does where it has none. `objects`: by id, what it refers to.
    """
    kind = obj["type"]
    if hashes := obj.get("hashes"):
        tests = (f"{kind}:hashes.{_text(name) if '-' in name else name} = {_text(hashes[name])}" for name in hashes)
        return f"[{' OR '.join(tests)}]"
    if kind == "network-traffic":
        end = objects[obj["dst_ref"]]["value"]
        return f"[{kind}:dst_ref.value = {_text(end)} AND {kind}:dst_port = {obj['dst_port']}]"
    if kind == "autonomous-system":
        return f"[{kind}:number = {obj['number']}]"
    for name in ("value", "key", "name", "subject"):
        if name in obj and kind != "software":
            return f"[{kind}:{name} = {_text(obj[name])}]"
    return None


def file(names: Sequence[str], hashes: Mapping[str, str], size: int | None = None) -> Object:
    """One file: by all its hashes, and the first of its names."""
    made: Object = {"type": "file"}
    if hashes:
        made["hashes"] = dict(hashes)
    if names:
        made["name"] = names[0]
    if size is not None:
        made["size"] = size
    return identified(made)


def digest(value: str, algorithm: str) -> str:
    """A digest as it is written; hexadecimal ones of the right length. Raises MalformedError."""
    text = value.strip()
    if algorithm in ("SSDEEP", "TLSH", "VHASH"):
        well = _DIGEST(text)
    else:
        text = text.lower()
        well = _HEX(text) if len(text) == _LENGTHS.get(algorithm, len(text)) else None
    if not well:
        raise MalformedError
    return text


def _addressed(kind: ObservableType, value: str) -> Object:
    found = address(kind, value)
    if found is None or len(found[1]) > _LONGEST:
        raise MalformedError
    what, text = found
    if what == "cidr":
        what = "ipv6" if ":" in text else "ipv4"
    return identified({"type": _ADDRESS_TYPES[what], "value": text})


def _plainly(kind: ObservableType) -> _Reader:
    return lambda value, _: [_addressed(kind, value)]


def _named(kind: str, name: str, **fixed: Any) -> _Reader:
    return lambda value, _: [identified({"type": kind, name: _short(value), **fixed})]


def _file(value: str, algorithm: str) -> list[Object]:
    if not algorithm:  # a name, perhaps with a digest that STIX has no word for
        return [file([_short(value.rpartition("|")[0] or value)], {})]
    name, _, last = value.rpartition("|")
    return [file([_short(name)] if name else [], {algorithm: digest(last, algorithm)})]


def _end_with_port(kind: ObservableType) -> _Reader:
    def read(value: str, _: str) -> list[Object]:
        host, _, port = value.rpartition("|")
        end = _addressed(kind, host)
        if not _PORT(port) or not 0 < int(port) < 65536:
            raise MalformedError
        protocol = {"ipv4-addr": "ipv4", "ipv6-addr": "ipv6"}.get(end["type"], "tcp")
        traffic = {"type": "network-traffic", "dst_ref": end["id"], "dst_port": int(port), "protocols": [protocol]}
        return [identified(traffic), end]

    return read


def _domain_and_address(value: str, _: str) -> list[Object]:
    name, _, text = value.partition("|")
    host, target = _addressed("domain", name), _addressed("ipv4", text)
    return [host | {"resolves_to_refs": [target["id"]]} if host["type"] == "domain-name" else host, target]


def _certificate(value: str, algorithm: str) -> list[Object]:
    text = digest(value.replace(":", ""), algorithm)
    return [identified({"type": "x509-certificate", "hashes": {algorithm: text}})]


def _system(value: str, _: str) -> list[Object]:
    found = _NUMBER(value.strip())
    if found is None:
        raise MalformedError
    return [identified({"type": "autonomous-system", "number": int(found[1])})]


def _registry(value: str, argument: str) -> list[Object]:
    key, _, data = value.partition("|") if argument == "value" else (value, "", "")
    made: Object = {"type": "windows-registry-key", "key": _short(key)}
    if data:
        made["values"] = [{"data": _short(data)}]
    return [identified(made)]


def _software(value: str, _: str) -> list[Object]:
    parts = cpe_parts(value)
    if parts is None:
        raise MalformedError
    vendor, product, version = parts
    made: Object = {"type": "software", "name": product, "vendor": vendor, "version": version}
    if value.startswith("cpe:2.3:"):
        made["cpe"] = value
    return [identified({name: text for name, text in made.items() if text})]


def _short(value: str) -> str:
    if not value.strip() or len(value) > _LONGEST:
        raise MalformedError
    return value


def _text(value: str) -> str:
    r"""A string of the pattern language (STIX 2.1 9.6): backslash and quote are escaped."""
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


_READERS: Mapping[str, _Reader] = {
    "hash": lambda value, algorithm: [file([], {algorithm: digest(value, algorithm)})],
    "file": _file,
    "file+hash": _file,
    "certificate": _certificate,
    "ip": _plainly("ipv4"),
    "ip+port": _end_with_port("ipv4"),
    "domain": _plainly("domain"),
    "domain+port": _end_with_port("domain"),
    "domain+ip": _domain_and_address,
    "url": _plainly("url"),
    "email": _plainly("email"),
    "mac": _plainly("mac"),
    "as": _system,
    "regkey": _registry,
    "regkey+value": lambda value, _: _registry(value, "value"),
    "mutex": _named("mutex", "name"),
    "subject": _named("email-message", "subject", is_multipart=False),
    "cpe": _software,
}
"""Way (`misp_types`) -> how a value of it is read."""
OBSERVED = frozenset(_READERS)
