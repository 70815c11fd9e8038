"""The webhook channel: a signed POST (Standard Webhooks 1.0) to a subscriber's own server, over https alone.

`webhook-id` is the delivery's id: who gets a message again knows it. Redirects are not followed, and private networks
not entered unless the settings allow it; the bounds are those of live sources (ingest.http).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from pathlib import Path

import requests

from dispatch import Delivery, Outcome
from dispatch.outbox import POSSIBLY_ACCEPTED
from ingest import Feed, Source, SourceError
from ingest.http import Bounds, StatusError, Web
from ingest.secrets import secret
from subscribers import Contact

GONE = "http-410"
"""The reader wants no more."""
_BOUNDS = Bounds(connect=3.0, idle=5.0, answer=5.0, poll=86_400.0)
"""Everybody else's messages wait as long: one thread sends."""
_ANYWHERE = (ip_network("0.0.0.0/0"), ip_network("::/0"))
_LEAST = 16
"""Octets of a secret."""


class WebhookChannel:
    """`folder`: what files are relative to. For one thread."""

    def __init__(
        self, folder: Path, clock: Callable[[], datetime], *, private: bool = False, ca_file: Path | None = None
    ) -> None:
        self._folder, self._clock, self._ca_file = folder, clock, ca_file
        self._private = _ANYWHERE if private else ()
        self._open: dict[tuple[str, str], tuple[Web, bytes]] = {}
        self._silent: set[str] = set()
        """Addresses that did not answer: not asked again in this run."""

    def send(self, delivery: Delivery, contact: Contact, message: bytes) -> Outcome:
        """Hand the message over once. What is wrong with url or secret fails by name; all else is tried again."""
        if not contact.url.startswith("https://"):
            return Outcome("failed", "webhook-without-tls")
        if contact.url in self._silent:
            return Outcome("retry", "webhook-silent")
        try:
            web, key = self._web(contact)
        except (SourceError, binascii.Error, ValueError):
            return Outcome("failed", "webhook-secret")
        stamp = str(int(self._clock().timestamp()))
        headers = {
            "Content-Type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": stamp,
            "webhook-signature": signature(key, delivery.id, stamp, message),
        }
        try:
            answer = web.session.post(contact.url, data=message, headers=headers)
        except StatusError as error:
            reason = f"http-{error.status}"
            return Outcome("failed" if reason == GONE else "retry", reason, error.retry_after)
        except SourceError:
            self._silent.add(contact.url)
            return Outcome("retry", POSSIBLY_ACCEPTED)
        except requests.RequestException:
            return Outcome("failed", "webhook-address")
        done = 200 <= answer.status_code < 300
        return Outcome("sent" if done else "retry", f"http-{answer.status_code}")

    def close(self) -> None:
        """Give up connections."""
        for web, _ in self._open.values():
            web.session.close()
        self._open.clear()

    def _web(self, contact: Contact) -> tuple[Web, bytes]:
        name = contact.url, contact.secret_file
        if name not in self._open:
            bare = Feed(contact.url, ca_file=self._ca_file, private=self._private)
            file = self._folder / contact.secret_file if contact.secret_file else None
            key = key_of(secret(_source(replace(bare, secret_file=file))))
            self._open[name] = Web(_source(bare), clock=self._clock, bounds=_BOUNDS), key
        return self._open[name]


def _source(feed: Feed) -> Source:
    return Source("webhook", "webhook", kind="http", feed=feed)


def key_of(text: str) -> bytes:
    """`whsec_` and base64 -> the key. Raises ValueError for one that is too short, or none."""
    key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    if len(key) < _LEAST:
        raise ValueError
    return key


def signature(key: bytes, identifier: str, stamp: str, message: bytes) -> str:
    """`v1,` and the base64 of HMAC-SHA-256 over id, timestamp and body."""
    made = hmac.new(key, f"{identifier}.{stamp}.".encode() + message, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(made).decode()}"
