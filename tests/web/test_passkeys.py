"""Passkeys in Debian's Chromium, with an authenticator of its DevTools; and answers that somebody forged."""

import base64
import dataclasses
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2.cose import ES256
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData
from playwright.sync_api import Page, sync_playwright

from tests import browser
from tests.app.house import House, opened
from tests.web.test_portal import BAKER, Visitor
from web.forms import Forms
from web.passkeys import Passkeys, WrongPasskeyError, of
from web.server import server_config

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ORIGIN = "https://oktt.example"


@contextmanager
def served(house: House) -> Iterator[tuple[str, Visitor]]:
    """The portal on a free port of this machine, whose name for browsers is `localhost`; and a visitor beside."""
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://localhost:{listening.getsockname()[1]}"
    main = house.service.settings.main
    named = msgspec.structs.replace(main, web=msgspec.structs.replace(main.web, base_url=address))
    house.service.settings = dataclasses.replace(house.service.settings, main=named)
    visitor = Visitor(house)
    server = uvicorn.Server(server_config(visitor.app, "127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield address, visitor
    finally:
        server.should_exit = True
        thread.join(60)
        visitor.app.state.ledger.flush()


@contextmanager
def browsing(visitor: Visitor, address: str) -> Iterator[tuple[Page, Any]]:
    """A browser of somebody who is subscribed, and its DevTools."""
    visitor.join()  # before Chromium: each has an event loop of its own
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=browser.CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        try:
            page = running.new_context(base_url=address).new_page()
            page.set_default_timeout(60_000)
            devtools = page.context.new_cdp_session(page)
            devtools.send("WebAuthn.enable")
            yield page, devtools
        finally:
            running.close()


def authenticator(devtools: Any) -> str:
    """A telephone that knows its owner."""
    options = {
        "protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }  # fmt: skip
    return str(devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"])


def log_in(page: Page, visitor: Visitor) -> None:
    visitor.house.later(hours=1)  # a mailbox is sent a few links an hour
    page.context.clear_cookies()
    page.goto("/portal/login")
    page.fill("#address", BAKER["address"])
    page.click("main button")
    page.goto(visitor.link(BAKER["address"]))
    page.click("main button")


@pytest.mark.skipif(not browser.WANTED, reason="Chromium is not installed (make services)")
def test_a_passkey_is_made_shown_and_taken_away(tmp_path: Path) -> None:
    house = opened(tmp_path)
    with served(house) as (address, visitor), browsing(visitor, address) as (page, devtools):
        (name,) = visitor.everybody()
        telephone = authenticator(devtools)
        refused: list[str] = []
        page.on("console", lambda said: refused.append(said.text) if said.type == "error" else None)
        page.set_viewport_size({"width": 320, "height": 640})
        log_in(page, visitor)
        page.goto("/portal/factor")
        assert browser.overflow(page) == []
        page.fill("#name", "Telefoon")
        page.click("form[data-passkey] button")
        page.wait_for_selector("pre")
        assert len(page.inner_text("pre").split()) == 8, "codes on paper, for who loses it"
        page.goto("/portal/factor")
        assert "Telefoon" in page.inner_text("main")
        page.fill("#name", "Nog een keer")
        page.click("form[data-passkey] button")
        page.wait_for_selector("#passkey-failed:not([hidden])")  # that telephone has one already

        log_in(page, visitor)
        assert page.url.endswith("/portal/second")
        page.click("form[data-passkey] button")
        page.wait_for_url("**/portal/account")
        (credential,) = devtools.send("WebAuthn.getCredentials", {"authenticatorId": telephone})["credentials"]
        with house.service.reading() as connection:
            (kept,) = of(connection, name)
        assert kept.count == credential["signCount"] > 0
        assert kept.used_at is not None

        # A copy of it, whose counter stood still, does not open.
        log_in(page, visitor)
        devtools.send("WebAuthn.clearCredentials", {"authenticatorId": telephone})
        old = credential | {"signCount": 0}
        devtools.send("WebAuthn.addCredential", {"authenticatorId": telephone, "credential": old})
        page.click("form[data-passkey] button")
        page.wait_for_selector("form[data-passkey] p.wrong:not([hidden])")
        devtools.send("WebAuthn.clearCredentials", {"authenticatorId": telephone})
        devtools.send("WebAuthn.addCredential", {"authenticatorId": telephone, "credential": credential})
        page.goto("/portal/second")
        page.click("form[data-passkey] button")
        page.wait_for_url("**/portal/account")

        house.later(minutes=11)  # what changes the log-in asks for it anew
        page.goto("/portal/factor")
        assert page.url.endswith("/portal/second/factor")
        page.click("form[data-passkey] button")
        page.wait_for_url("**/portal/factor")
        page.click("button[value=forget]")
        page.wait_for_url("**/portal/account?done=factor_off")
        log_in(page, visitor)
        assert page.url.endswith("/portal/account")
        assert not [each for each in refused if "422" not in each], "nothing that the page's policy forbids"

        plain = page.context.browser.new_context(base_url=address, java_script_enabled=False)  # type: ignore[union-attr]
        plain.add_cookies(page.context.cookies())  # type: ignore[arg-type]
        without = plain.new_page()
        without.goto("/portal/factor")
        assert not without.is_visible("form[data-passkey]")
        assert without.is_visible("#code"), "codes need no script"


@dataclass
class Key:
    """An authenticator that says what a test wants."""

    private: ec.EllipticCurvePrivateKey = dataclasses.field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    name: bytes = b"a credential that nobody else has"
    count: int = 0
    rp: str = "oktt.example"

    def made(self, challenge: str, origin: str = ORIGIN) -> str:
        """The answer to `create`."""
        public = ES256.from_cryptography_key(self.private.public_key())
        held = AttestedCredentialData.create(Aaguid.NONE, self.name, public)
        said = AuthenticatorData.create(self._rp, 0x41, self.count, held)
        whole = AttestationObject.create("none", said, {})
        client = _client("webauthn.create", challenge, origin)
        return self._answer({"clientDataJSON": _text(client), "attestationObject": _text(whole)})

    def shown(self, challenge: str, origin: str = ORIGIN) -> str:
        """The answer to `get`."""
        self.count += 1
        said = AuthenticatorData.create(self._rp, 0x01, self.count)
        client = _client("webauthn.get", challenge, origin)
        signature = self.private.sign(said + sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._answer(
            {"clientDataJSON": _text(client), "authenticatorData": _text(said), "signature": _text(signature)}
        )

    @property
    def _rp(self) -> bytes:
        return sha256(self.rp.encode()).digest()

    def _answer(self, response: dict[str, str]) -> str:
        name = _text(self.name)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def _client(kind: str, challenge: str, origin: str) -> bytes:
    return json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode()


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def test_an_answer_that_somebody_forged_opens_nothing(connection: sa.Connection) -> None:
    ours, theirs = Passkeys(ORIGIN, "OKTT", b"k" * 32), Key(name=b"of somebody else")
    forms, mine = Forms(b"f" * 32, lambda: NOW), Key()

    def challenge() -> str:
        return forms.token("passkey")

    for wrong in (
        mine.made(first := challenge(), "https://oktt.example.evil.example"), mine.made(challenge()), "{}", "", "[",
        mine.shown(first), Key(rp="evil.example").made(first), mine.made(first)[:-60], '{"id": {}}',
    ):  # fmt: skip
        with pytest.raises(WrongPasskeyError):
            ours.add(connection, "kvk-1", "Telefoon", first, wrong, NOW)
    ours.add(connection, "kvk-1", "Telefoon", first, mine.made(first), NOW)
    ours.add(connection, "kvk-2", "Sleutel", first, theirs.made(first), NOW)
    with pytest.raises(WrongPasskeyError):  # another's credential is nobody else's too
        ours.add(connection, "kvk-2", "Geleend", first, mine.made(first), NOW)

    asked = challenge()
    good = mine.shown(asked)
    for wrong in (
        theirs.shown(asked), mine.shown(asked, "http://oktt.example"), mine.shown(challenge()), mine.made(asked),
        Key(name=mine.name).shown(asked), "null", "",
    ):  # fmt: skip
        assert not ours.opens(connection, "kvk-1", asked, wrong, NOW)
    assert ours.opens(connection, "kvk-1", asked, good, NOW)
    assert not ours.opens(connection, "kvk-1", asked, good, NOW), "replayed: the counter stands still"
    assert forms.take(connection, asked, "passkey")
    assert not forms.take(connection, asked, "passkey"), "nor is a challenge taken twice"
