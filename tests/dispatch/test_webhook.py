"""Webhooks to a real server over TLS, as Standard Webhooks has them."""

import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dispatch import Outcome
from dispatch.outbox import POSSIBLY_ACCEPTED
from dispatch.payload import payload
from dispatch.webhook import WebhookChannel, key_of, signature
from subscribers import Contact
from tests.dispatch.test_mail import RENDERED, a_delivery
from tests.dispatch.views import NOW
from tests.ingest.webserver import Authority
from tlp import Label

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE = b'{"test": 2432232314}'


@dataclass
class Hook:
    """A subscriber's server: what came in, and what it answers."""

    folder: Path
    ca_file: Path
    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hook]:
    folder = tmp_path_factory.mktemp("hook")
    authority = Authority(folder)
    hook = Hook(folder, authority.file)
    secret = folder / "hook.secret"
    secret.touch(0o600)
    secret.write_text(SECRET + "\n")

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            hook.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            if not hook.status:
                self.close_connection = True
                return
            self.send_response(hook.status)
            for name, value in {"Content-Length": "0", **hook.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority.certificate("localhost"))
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        hook.url = f"https://localhost:{server.server_address[1]}/in"
        yield hook
        server.shutdown()


@pytest.fixture
def hook(serving: Hook) -> Hook:
    serving.status, serving.headers = 204, {}
    serving.got.clear()
    return serving


def sent(hook: Hook, private: bool = True, ca: bool = True, **contact: str) -> Outcome:
    channel = WebhookChannel(hook.folder, lambda: NOW, private=private, ca_file=hook.ca_file if ca else None)
    try:
        return channel.send(
            a_delivery(), Contact("webhook", **{"url": hook.url, "secret_file": "hook.secret", **contact}), MESSAGE
        )
    finally:
        channel.close()


def test_the_published_example_is_signed_as_published() -> None:
    """The specification's own vector."""
    made = signature(key_of(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", MESSAGE)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_message_is_posted_with_its_id_time_and_signature(hook: Hook) -> None:
    assert sent(hook) == Outcome("sent", "http-204")
    ((headers, body),) = hook.got
    assert body == MESSAGE
    stamp = str(int(NOW.timestamp()))
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == (a_delivery().id, stamp)
    assert headers["webhook-signature"] == signature(key_of(SECRET), a_delivery().id, stamp, MESSAGE)
    assert headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("status", "headers", "outcome"),
    [
        (410, {}, Outcome("failed", "http-410")),
        (429, {"Retry-After": "600"}, Outcome("retry", "http-429", timedelta(minutes=10))),
        (503, {}, Outcome("retry", "http-503")),
        (401, {}, Outcome("retry", "http-401")),
        (0, {}, Outcome("retry", POSSIBLY_ACCEPTED)),
        (302, {"Location": "https://elders.example/"}, Outcome("retry", POSSIBLY_ACCEPTED)),
    ],
)
def test_answers_are_told_apart(hook: Hook, status: int, headers: dict[str, str], outcome: Outcome) -> None:
    hook.status, hook.headers = status, headers
    assert sent(hook) == outcome
    assert len(hook.got) == 1, "no redirect is followed, nothing is tried twice"


def test_who_does_not_answer_is_not_asked_again_at_once(hook: Hook) -> None:
    hook.status = 0
    contact = Contact("webhook", url=hook.url, secret_file="hook.secret")
    channel = WebhookChannel(hook.folder, lambda: NOW, private=True, ca_file=hook.ca_file)
    outcomes = [channel.send(a_delivery(), contact, MESSAGE) for _ in range(3)]
    channel.close()
    assert [each.reason for each in outcomes] == [POSSIBLY_ACCEPTED, "webhook-silent", "webhook-silent"]
    assert {each.status for each in outcomes} == {"retry"}
    assert len(hook.got) == 1


def test_what_is_not_safe_is_not_sent(hook: Hook) -> None:
    assert sent(hook, url=hook.url.replace("https", "http")) == Outcome("failed", "webhook-without-tls")
    assert sent(hook, secret_file="") == Outcome("failed", "webhook-secret")
    assert sent(hook, secret_file="none") == Outcome("failed", "webhook-secret")
    (hook.folder / "short").touch(0o600)
    (hook.folder / "short").write_text("whsec_AAAA")
    assert sent(hook, secret_file="short") == Outcome("failed", "webhook-secret")
    assert sent(hook, private=False).status == "retry", "its server is in a private network"
    assert sent(hook, ca=False).status == "retry", "its certificate is of nobody we know"
    assert hook.got == []


def test_what_programs_get_is_the_message_and_its_objects() -> None:
    objects = [{"id": "x--1", "type": "x"}, {"id": "x--1", "type": "x"}]
    made = payload(a_delivery(), RENDERED, Label.AMBER, objects)
    assert made == payload(a_delivery(), RENDERED, Label.AMBER, objects)
    read = json.loads(made)
    assert (read["type"], read["timestamp"]) == ("alert", "2026-03-02T08:00:00Z")
    assert (read["data"]["tlp"], read["data"]["title"]) == ("AMBER", RENDERED.subject)
    assert read["data"]["stix"]["objects"] == objects[:1]
    assert json.loads(payload(a_delivery(), RENDERED, Label.CLEAR, ()))["data"]["stix"] is None
