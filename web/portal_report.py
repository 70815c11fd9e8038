"""Handing in at the portal what looks suspicious: text, a mail, and what was seen. Through the same door as TAXII's
`contribute`, and AMBER unless it says otherwise. The status page tells what became of it, and holds no value.
"""

import ipaddress
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
import sqlalchemy as sa
from fastapi import APIRouter, Request, Response

from ingest.columns import instant_text
from ingest.messages import MessageError
from pii_guard.forms import refanged
from web import contribute, portal_mail, statuses
from web.portal_frame import ALONE, PATIENCE, Fields, Frame, Who, first, see

MOST = 400_000
"""Octets of what is handed in at a time."""
MOST_MAIL = 2 << 20
"""Octets of a mail that is handed in as a file."""
LINES = 500
"""Addresses, domains and hashes that one contribution lists."""
KINDS = ("phishing", "mail", "system", "other")
_HASHES = {32: "MD5", 40: "SHA-1", 64: "SHA-256"}
_DOMAIN = re.compile(
    r"(?=.{4,253}\Z)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII
)


class Report(NamedTuple):
    """What somebody filled in."""

    kind: str
    title: str
    text: str
    seen: tuple[str, ...]


def add(routes: APIRouter, frame: Frame) -> None:
    """These pages."""
    reports = Reports(frame)
    routes.add_api_route("/portal/report", frame.shown(reports.form), methods=["GET", "HEAD"])
    routes.add_api_route("/portal/report", frame.posted(reports.hand_in, most=MOST), methods=["POST"])
    routes.add_api_route("/portal/report/mail", lambda: see("/portal/report"), methods=["GET", "HEAD"])
    routes.add_api_route("/portal/report/mail", frame.posted(reports.mail, most=MOST_MAIL), methods=["POST"])
    routes.add_api_route("/portal/report/{status}", frame.shown(reports.status), methods=["GET", "HEAD"])


class Reports:
    """Handing in, and what became of it."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    def form(self, conn: sa.Connection, request: Request, who: Who) -> Response:  # noqa: ARG002
        """The form."""
        return self._form(who, Report("phishing", "", "", ()), ())

    def _form(self, who: Who, filled: Report, wrong: Sequence[str], *, read: bool = False) -> Response:
        return self.frame.page(
            "report", who.language, who=who.session.id, here="report", filled=filled, wrong=wrong, read=read,
            kinds=KINDS, status=422 if wrong else 200, switch="/portal/report",
        )  # fmt: skip

    def mail(self, request: Request, given: Fields) -> Response:  # noqa: ARG002
        """A mail as a file: the form, filled in with what it says and where it leads, to look at. Nothing is kept."""
        who = self.frame.sender(request)
        if not isinstance(who, Who):
            return who
        if not ALONE.acquire(blocking=False):
            return self.frame.wait(request, who.language, PATIENCE)
        try:
            title, text, seen = portal_mail.read(request.state.file)
        except MessageError:
            return self._form(who, Report("mail", "", "", ()), ["mail"])
        finally:
            ALONE.release()
        lines = tuple(each for each in seen if pattern(each))[:LINES]
        return self._form(who, Report("phishing", title, text, lines), (), read=True)

    def hand_in(self, request: Request, given: Fields) -> Response:
        """Through the door. The form is used up first: pressed twice, it is handed in once."""
        frame, now = self.frame, self.frame.clock()
        lines = tuple(each.strip() for each in first(given, "seen").splitlines() if each.strip())
        kind = first(given, "kind")
        filled = Report(kind if kind in KINDS else "other", first(given, "title")[:200], first(given, "text"), lines)
        with frame.engine.begin() as conn:
            who = frame.who(conn, request)
            if who is None:
                return see("/portal/login")
            if wait := frame.busy(request, who.session.id, who.language):
                return wait
            patterns = [pattern(each) for each in lines]
            wrong = [] if filled.title else ["title"]
            wrong += ["seen"] if None in patterns or len(lines) > LINES else []
            wrong += [] if filled.text or lines else ["text"]
            if wrong:
                return self._form(who, filled, wrong)
            if not frame.forms.take(conn, first(given, "token"), who.session.id):
                return frame.say(who.language, "again", status=409, to="/portal/report")
        objects = list(bundle(filled, [each for each in patterns if each], instant_text(now)))
        body = msgspec.json.encode({"objects": objects})
        verdicts = frame.services.contribute(who.subscriber.id, body, objects)
        with frame.engine.begin() as conn:
            told = contribute.keep(conn, who.subscriber.id, objects, verdicts, now)
        return see(f"/portal/report/{told['id']}")

    def status(self, conn: sa.Connection, request: Request, who: Who) -> Response:
        """How much was taken in, and why the rest was not."""
        name, language = request.path_params["status"], who.language
        found = None if "\0" in name else statuses.find(conn, who.subscriber.id, name)
        if found is None:
            return self.frame.say(language, "no_report", status=404, to="/portal/report")
        told = msgspec.json.decode(found)
        refused, taken = (
            [each.get("message", "") for each in told.get(name, ())] for name in ("failures", "successes")
        )
        return self.frame.page(
            "status", language, who=who.session.id, here="report", told=told,
            reasons=[each for each in dict.fromkeys(refused) if each],
            held=any("looks first" in each for each in taken),
        )  # fmt: skip


def bundle(report: Report, patterns: Sequence[str], at: str) -> Iterator[dict[str, Any]]:
    """As STIX 2.1: a report, of indicators where there are any. Ids are random, so that nothing is told by them."""
    made = [
        {
            "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid4()}", "created": at, "modified": at,
            "indicator_types": ["malicious-activity"], "pattern": each, "pattern_type": "stix", "valid_from": at,
        }
        for each in dict.fromkeys(patterns)
    ]  # fmt: skip
    about = made or [
        {
            "type": "identity", "spec_version": "2.1", "id": f"identity--{uuid4()}", "created": at, "modified": at,
            "name": "OKTT", "identity_class": "organization",
        }
    ]  # fmt: skip
    yield {
        "type": "report", "spec_version": "2.1", "id": f"report--{uuid4()}", "created": at, "modified": at,
        "name": report.title, "description": report.text or report.title, "published": at,
        "report_types": ["threat-report"], "labels": [f"reported-{report.kind}"],
        "object_refs": [each["id"] for each in about],
    }  # fmt: skip
    yield from about


def pattern(line: str) -> str | None:
    """An address, domain, web address or hash, perhaps defanged, as a STIX pattern. None: it is none of these."""
    text = re.sub("^hxxp", "http", refanged(line).strip().strip("<>\"'"), flags=re.IGNORECASE)
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    if re.match(r"https?://[^\s/]+\S*\Z", text, re.IGNORECASE):
        return f"[url:value = '{quoted}']"
    try:
        address = ipaddress.ip_address(text)
        return f"[ipv{address.version}-addr:value = '{address}']"
    except ValueError:
        pass
    if (kind := _HASHES.get(len(text))) and re.fullmatch(r"[0-9a-fA-F]+", text):
        return f"[file:hashes.'{kind}' = '{text.lower()}']"
    if "@" in text and _DOMAIN.fullmatch(text.rpartition("@")[2].lower()) and " " not in text:
        return f"[email-addr:value = '{quoted}']"
    return f"[domain-name:value = '{text.lower()}']" if _DOMAIN.fullmatch(text.lower()) else None
