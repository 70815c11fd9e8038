"""Mails of the portal: a link that somebody asked for, to the address that he gave.

What it says does not depend on whether the address is known: who may not read the mailbox learns nothing.
"""

import tomllib
from datetime import datetime
from functools import cache
from typing import Any

from dispatch import Delivery, outbox, wording
from dispatch.render import Rendered, Renderer
from subscribers.links import Link
from tlp import Label


def order(key: bytes, link: Link, now: datetime) -> Delivery:
    """The delivery of a link, due at once. It is nobody's: whose the address is shows when the link is opened."""
    return outbox.order(key, "link", link.id, 1, "", 0, "email", queued_at=now, due_at=now)


def render(renderer: Renderer, link: Link, address: str, code: str) -> Rendered:
    """The mail. `address`: of the page behind the link; `code`: see dispatch.codes."""
    said, service = _words(link.language)[link.purpose], renderer.service
    until = wording.moment(link.until, link.language)
    about = {"service": service.name, "site": service.site, "contact": service.contact, "until": until}
    common = {name: text.format(**about) for name, text in _words(link.language)["common"].items()}
    return renderer.fill(
        "link",
        {
            "lang": link.language,
            "subject": f"TLP:{Label.CLEAR.value} {said['subject'].format(**about)}",
            "headline": said["headline"].format(**about),
            "lead": said["lead"].format(**about),
            "button": said.get("button", ""),
            "not_asked": said["not_asked"].format(**about),
            "address": address,
            "code": code,
            "number": link.id,
            **common,
        },
    )


@cache
def _words(language: str) -> dict[str, Any]:
    return tomllib.loads((wording.TEMPLATES / f"link.{language}.toml").read_text("utf-8"))
