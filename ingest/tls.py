"""TLS of live sources: whom we trust, and who we say that we are."""

import ssl
from pathlib import Path

from ingest import Source, SourceError
from ingest.secrets import contents


def context(source: Source, *, named: bool = True) -> ssl.SSLContext:
    """What a connection to the source is made with: its `ca_file`, and its client certificate where it has one (and
    unless it is not to be `named`: a certificate says who we are). Raises SourceError."""
    feed = source.feed
    try:
        made = ssl.create_default_context(cafile=feed.ca_file if feed else None)
    except OSError:  # ssl.SSLError is one
        raise SourceError(f"{source.id}: ca_file holds no certificates that can be read: check it") from None
    if feed and feed.client_cert and named:
        key = feed.client_key or feed.client_cert
        contents(source, "client_key" if feed.client_key else "client_cert", key)
        _load(made, source, feed.client_cert, key)
    return made


def _load(made: ssl.SSLContext, source: Source, certificate: Path, key: Path) -> None:
    try:
        made.load_cert_chain(certificate, key, password=b"")  # or OpenSSL asks for one at the terminal
    except OSError:
        raise SourceError(
            f"{source.id}: client_cert and client_key of [source.{source.id}] in sources.toml are no certificate and "
            "its key that can be read: both have to be PEM, the key without a password"
        ) from None
