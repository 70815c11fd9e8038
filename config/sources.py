"""A table of sources.toml -> a Source, and how it is reached when it is live."""

import re
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ingest import Feed, Known, Network, Source, SourceKind
from tlp import Label
from tlp.tags import folded


class SourceTable(Struct, frozen=True, forbid_unknown_fields=True):
    """`[source.<id>]` of sources.toml."""

    name: str
    kind: SourceKind = "files"
    tlp: Label = Label.AMBER
    public: bool = False
    regime: str | None = None
    reliability: Literal["A", "B", "C", "D", "E", "F"] = "F"
    language: str = "en"
    attacker_ip: Literal["strip", "keep"] = "strip"
    consent: tuple[Literal["company", "partnership", "supplier", "cert"], ...] = ()
    path: str | None = None
    formats: tuple[Known, ...] = ()
    url: str = ""
    every: str = "1h"
    since: str = "30d"
    user: str = ""
    secret_file: str = ""
    collections: tuple[str, ...] = ()
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    private: bool | tuple[str, ...] = False
    max_bytes: Annotated[int, msgspec.Meta(ge=1)] = 256 << 20


FEED_KEYS = (
    *("url", "every", "since", "user", "secret_file", "collections", "ca_file", "client_cert", "client_key", "private"),
    "max_bytes",
)
SCHEMES: dict[SourceKind, tuple[str, ...]] = {
    "http": ("https", "http"),
    "csaf": ("https", "http"),
    "taxii": ("https", "http"),
    "misp": ("https", "http"),
    "imap": ("imaps", "imap"),
    "kafka": ("kafka",),
}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class WrongKeyError(Exception):
    """A key of the table that holds what it cannot; no value stands in it."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(reason)
        self.key, self.reason = key, reason


def of_table(name: str, table: SourceTable, given: Mapping[str, Any], home: Path) -> Source:
    """The source. `given`: the keys that stand in the file; `home`: the folder that its paths start from."""
    plain = {key: getattr(table, key) for key in SourceTable.__struct_fields__ if key not in FEED_KEYS}
    sets = {"consent": frozenset(table.consent), "formats": frozenset(table.formats)}
    return Source(id=name, **{**plain, **sets}, feed=_feed(table, given, home))


def labels_of(given: Mapping[str, Any]) -> dict[str, Label]:
    """Tags of namespaces other than TLP's own, folded, and the labels that they mean."""
    words = {label.value: label for label in Label}
    for tag, label in given.items():
        if label not in words:
            raise WrongKeyError(tag, f"a tag means one of {' '.join(words)}; write one of them")
        if folded(tag).startswith("tlp:"):
            raise WrongKeyError(tag, "what TLP's own tags mean is fixed; remove the line")
    return {folded(tag): words[label] for tag, label in given.items()}


def _feed(table: SourceTable, given: Mapping[str, Any], home: Path) -> Feed | None:
    """None for files, which have none of its keys."""
    if table.kind == "files":
        for key in FEED_KEYS:
            if key in given:
                raise WrongKeyError(key, "for live sources only; give it another kind, or remove the key")
        return None
    if "path" in given:
        raise WrongKeyError("path", 'for kind = "files" only; remove the key')
    return Feed(
        url=_address(table.kind, table.url),
        every=_duration("every", table.every),
        since=_duration("since", table.since),
        user=table.user,
        secret_file=home / table.secret_file if table.secret_file else None,
        collections=table.collections,
        ca_file=home / table.ca_file if table.ca_file else None,
        **_client(table, home),
        private=_networks(table.private),
        max_bytes=table.max_bytes,
    )


def _address(kind: SourceKind, url: str) -> str:
    example = f"write {SCHEMES[kind][0]}://host/..."
    if not url:
        raise WrongKeyError("url", f"missing, and a source of kind {kind} needs one; {example}")
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and (kind == "kafka" or parts.port != 0)
    except ValueError:
        whole = False
    if not whole or parts.scheme not in SCHEMES[kind] or re.search(r"[\s\x00-\x1f]", url):
        raise WrongKeyError("url", f"no address of a source of kind {kind}; {example}")
    if "@" in parts.netloc:
        raise WrongKeyError("url", "names a user or password; write those as user and secret_file")
    return url


def _client(table: SourceTable, home: Path) -> dict[str, Path | None]:
    """Our certificate and its key."""
    if table.client_key and not table.client_cert:
        raise WrongKeyError("client_key", "without client_cert; add the certificate, or remove the key")
    if table.client_cert and table.url.startswith("http:"):
        raise WrongKeyError("client_cert", "is never shown without TLS; write https:// in url, or remove the key")
    given = {"client_cert": table.client_cert, "client_key": table.client_key}
    return {key: home / name if name else None for key, name in given.items()}


def _networks(private: bool | tuple[str, ...]) -> tuple[Network, ...]:
    """`true` means any."""
    if isinstance(private, bool):
        private = ("0.0.0.0/0", "::/0") if private else ()
    try:
        return tuple(map(ip_network, private))
    except ValueError:
        raise WrongKeyError("private", 'no network; write true, or ["10.1.2.0/24"]') from None


def _duration(key: str, text: str) -> timedelta:
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if found is None:
        raise WrongKeyError(key, "no length of time; write 30m, 1h or 30d")
    return timedelta(**{_UNITS[found.group(2)]: int(found.group(1))})
