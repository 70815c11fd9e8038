"""Recogniser for accounts in structured data: JSON, key=value, XML, LDIF, CEF and LEEF, by the name of the field."""

import re

from pii_guard.login_names import LOGIN_FORM, user
from pii_guard.span import Found, Words

_ACTIONS = (
    *("created", "updated", "modified", "changed", "approved", "performed", "requested", "submitted", "executed"),
    *("initiated", "deleted", "closed", "opened", "resolved", "reported", "uploaded", "reviewed", "verified"),
    *("lastmodified", "last_modified", "last_updated", "assigned", "granted", "revoked", "signed", "viewed"),
)
_DONE = (
    *("aangemaakt", "gewijzigd", "ingevoerd", "verwerkt", "opgevraagd", "afgehandeld", "behandeld", "geraadpleegd"),
    *("goedgekeurd", "verwijderd", "gemuteerd", "toegewezen", "bijgewerkt", "ingezien", "mutatie", "uitgevoerd"),
)
_SURE = (
    *(f"{action}{sign}by" for action in _ACTIONS for sign in ("", "_", "-")),
    *(f"{action}{sign}door" for action in _DONE for sign in ("", "_", "-")),
    *("upn", "sam", "samaccountname", "unique_name", "usrname", "suser", "duser", "preferred_username"),
    *("nameidentifier", "alternateid", "principalname", "psu-id", "set_id", "auid", "identity", "eap-identity"),
    *("user.name", "related.user", "assigned_to", "assignedto", "requestor", "requester", "assignee", "approver"),
    *("submitter", "reviewer", "clerk", "cashier", "kassier", "behandelaar", "raadpleger", "gebr", "initiator"),
    *("xauthuser", "unauthuser", "cs-username", "remote_user", "auth_user", "loginid", "login_id"),
)
"""Fields that hold an account, whatever it looks like."""
_LOOSE = (
    *("sub", "by", "door", "agent", "handler", "actor", "medewerker", "employee", "editor", "who", "wie", "staff"),
    *("subject", "principal", "owner", "author", "analyst", "analist", "operator", "teller", "user.id"),
)
"""Fields that hold an account where the value looks like one."""
_OBJECTS = ("user", "actor", "principal", "subject", "initiator", "requester", "author", "committer", "gebruiker")
_OF = tuple(f"{key}{sign}" for key in (*_SURE, *_LOOSE) for sign in ('"', "'", "=", "\\"))
FIELDS = Words(*_OF, *(f"{key}{sign}" for key in _SURE for sign in (":", ">")))
OBJECTS = Words(*(f"{key}{sign}" for key in _OBJECTS for sign in ('":', '\\":')))
_NAME = r"[\w.+\\-]{2,64}"
_FIELD = re.compile(
    rf"(?:(?P<sure>{'|'.join(map(re.escape, sorted(_SURE, key=len, reverse=True)))})"
    rf"|(?P<loose>{'|'.join(map(re.escape, sorted(_LOOSE, key=len, reverse=True)))}))"
    r"(?:\\?[\"'])?\s{0,3}(?P<sign>[:=]|>(?=\w))\s{0,3}(?:\[\s{0,3})?"
    rf"(?:(?P<open>\\?[\"'])(?P<quoted>{_NAME})(?P=open)|(?P<bare>{_NAME})(?=[\s,;&|)\]}}<]|$))"
)
_OBJECT = re.compile(r"[a-z]+\\?\":\s{0,3}\{[^{}]{1,400}")
_WITHIN = re.compile(
    r"\"(?:name|login|sam|uid|upn|username|user_name|nick|(?P<id>id))\\?\":\s{0,3}\\?\"(?P<name>[\w.+\\-]{2,64}?)\\?\""
)
"""`"user": {"domain": ..., "name": "jjansen"}`."""
_PROGRAM = re.compile(
    r".*(?:service|client|system|server|daemon|cron|worker|proxy|gateway|script|module|import|batch|account).*"
    r"|.*(?:bot|agent|beat|[_-]at|[_-]by|[_-]id|[_-]job)|.*\.(?:exe|py|sh|php|js|dll|jar|html?)"
    r"|(?:v?\d|[0-9a-f]{8}-|s-1-|dr-|urn).*|[a-z]+-\d+"
).fullmatch
"""What such fields hold besides: programs, fields to sort by, numbers."""


def fields(lower: str) -> Found:
    """Accounts in fields that are called so."""
    for at in FIELDS.places(lower):
        if at and (lower[at - 1].isalnum() or lower[at - 6 : at] == "user-a"):
            continue
        match = _FIELD.match(lower, at)
        if match is None or (match.group("loose") == "agent" and lower[at - 1 : at] in ("-", "_")):
            continue
        group = "quoted" if match.group("quoted") else "bare"
        name = match.group(group)
        said = group == "bare" and match.group("sign") == ":" and lower[match.end() : match.end() + 1] == " "
        if (match.group("sure") and not said) or (LOGIN_FORM(name) and not _PROGRAM(name)):
            yield from user(lower, *match.span(group), 0.7)
    for at in OBJECTS.places(lower):
        held = _OBJECT.match(lower, at)
        for match in _WITHIN.finditer(lower, *held.span()) if held else ():
            name = match.group("name")
            if not match.group("id") or (LOGIN_FORM(name) and not _PROGRAM(name)):
                yield from user(lower, *match.span("name"), 0.7)
