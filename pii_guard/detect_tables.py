"""Recogniser for tables in text: what stands below the head of a column is what the head says.

A head is a line of at least two cells, parted by tabs, semicolons, commas, bars or two blanks and more. Its rows are
the lines below it of as many cells, up to an empty line.
"""

import re
from collections.abc import Iterator

from pii_guard import Category
from pii_guard.detect_hardware import is_somebodys
from pii_guard.login_names import LOGIN_FORM, user
from pii_guard.span import Found, Span, Words, folded

_HEADS: dict[str, Category] = {
    **dict.fromkeys(
        ("user", "username", "user name", "user_name", "userid", "user id", "user_id", "login", "loginname", "logon"),
        "username",
    ),
    **dict.fromkeys(
        ("gebruiker", "gebruikersnaam", "inlognaam", "samaccountname", "account", "accountnaam"), "username"
    ),
    **dict.fromkeys(("password", "passwd", "wachtwoord", "ww", "pw", "pass"), "credential"),
    **dict.fromkeys(("hash", "password hash", "pw_hash", "nt hash", "secret", "token", "pin", "pincode"), "credential"),
    **dict.fromkeys(("plate", "kenteken", "license plate", "licence plate", "registration", "reg"), "plate"),
    **dict.fromkeys(("nummerplaat", "kennzeichen", "license_plate", "licence_plate", "kentekennr", "vrm"), "plate"),
    **dict.fromkeys(("imei", "serial", "serienummer", "serial number", "serienr", "s/n", "imsi", "iccid"), "device"),
    **dict.fromkeys(
        ("sim", "simnummer", "sim-nummer", "sim number", "service tag", "asset tag", "eid", "meid"), "device"
    ),
    **dict.fromkeys(("phone", "mobile", "tel", "telefoon", "mobiel", "gsm", "msisdn", "telefoonnummer"), "phone"),
    **dict.fromkeys(("ani", "dnis", "a_nummer", "b_nummer", "a-nummer", "b-nummer", "callee", "06-nummer"), "phone"),
    **dict.fromkeys(("mac", "mac address", "mac-adres", "bssid"), "mac"),
    **dict.fromkeys(("naam", "name", "achternaam", "voornaam", "surname", "first name", "last name"), "name"),
    **dict.fromkeys(("firstname", "lastname", "fullname", "full name", "klantnaam", "contactpersoon"), "name"),
}
_OF_SOMEBODY = frozenset(("hash", "secret", "token", "pin"))
"""Heads that say so only beside a column of accounts: files have hashes too."""
_PERSONAL = re.compile(r"bsn|mail|tel|phone|mobiel|geb|dob|birth|iban|adres|address|postcode|naam|salar")
"""Heads beside which a column of names is one of persons."""
_PHONE = re.compile(
    r"(?:.{1,12}[ _-])?(?:tel|telefoon|phone|mobiel|mobile|gsm|msisdn|06)"
    r"[ _.-]?(?:nr|no|num|nummer|number)?(?:[ _-].{1,12})?\.?"
).fullmatch
_MAC = re.compile(r"[0-9a-f]{2}(?:[-:._ ]?[0-9a-f]{2}){5}").fullmatch
_LOOSE = frozenset(("account", "login"))
"""Heads of columns that may hold names of other things."""
HEADS = Words(*{word for word in _HEADS if not any(other != word and other in word for other in _HEADS)})
_SIGNS = ("\t", ";", "|", ",")
_BLANKS = "  "
_CELL = {sign: re.compile(rf"(?:^|(?<=[{re.escape(sign)}\n]))[^{re.escape(sign)}\n]*") for sign in _SIGNS}
_CELL[_BLANKS] = re.compile(r"\S(?:[^\S\n]?\S)*")
_EDGES = " \t\"'`*_"
_NOTHING = re.compile(r"[-=_:.*]*|n/?a|none|\(?null\)?|onbekend|unknown|leeg|empty|yes|no|ja|nee").fullmatch
_PLATE = re.compile(r"(?=.*\d)(?=.*[a-z])[a-z0-9]{1,4}(?:[ -][a-z0-9]{1,5}){0,2}").fullmatch
_BEFORE = ("", "\n", "\t", ";", "|", ",", '"', "'", " ", "_")
_ENDS = re.compile(r"[a-z_ ]{1,24}[\"'*` \r]{0,24}(?:[\t;|,\n]|(?<=  ))").match
_MOST = 2000


def tables(text: str) -> Found:
    """Log-ins, passwords, plates and serial numbers in columns of that name."""
    lower = folded(text)
    done = 0
    for at in HEADS.places(lower) if "\n" in text else ():
        start, end = lower.rfind("\n", 0, at) + 1, lower.find("\n", at)
        if at < done or end < 0 or lower[at - 1 : at] not in _BEFORE or not _ENDS(lower, at):
            continue
        done = end
        sign = next((sign for sign in _SIGNS if sign in lower[start:end]), _BLANKS)
        heads = [lower[a:b] for a, b in _cells(lower, start, end, sign)]
        columns = {number: _HEADS[head] for number, head in enumerate(heads) if head in _HEADS}
        columns |= {number: "phone" for number, head in enumerate(heads) if _PHONE(head) and number not in columns}
        columns |= {number: "mac" for number, head in enumerate(heads) if head.startswith("mac_")}
        known = any(kind == "username" for kind in columns.values()) or any("mail" in head for head in heads)
        pair = len(heads) == 2 and sign in ("|", _BLANKS) and len(columns) < 2  # a name and its value
        above = _cells(lower, lower.rfind("\n", 0, max(0, start - 1)) + 1, max(0, start - 1), sign)
        if len(heads) < 2 or not columns or pair or len(above) == len(heads):  # the last: a row itself
            continue
        for first, last in _rows(lower, end + 1, sign, len(heads)):
            cells = _cells(lower, first, last, sign)
            for number, kind in columns.items():
                if kind == "name" and not any(_PERSONAL.search(head) for at, head in enumerate(heads) if at != number):
                    continue
                if number < len(cells) and (known or heads[number] not in _OF_SOMEBODY):
                    yield from _value(lower, *cells[number], kind, heads[number])
            done = last


def _cells(lower: str, start: int, end: int, sign: str) -> list[tuple[int, int]]:
    """Where each cell of a line begins and ends, without quotes and blanks around it."""
    found: list[tuple[int, int]] = []
    for cell in _CELL[sign].finditer(lower, start, end):
        a, b = cell.span()
        while a < b and lower[a] in _EDGES:
            a += 1
        while a < b and lower[b - 1] in _EDGES + "\r":
            b -= 1
        if a < b or sign != "|":
            found.append((a, b))
    return found


def _rows(lower: str, at: int, sign: str, width: int) -> Iterator[tuple[int, int]]:
    """Start and end of the lines below a head that are of its table."""
    for _ in range(_MOST):
        end = lower.find("\n", at)
        end = len(lower) if end < 0 else end
        cells = len(_cells(lower, at, end, sign))
        if cells < 2 or (sign != _BLANKS and cells != width):
            return
        yield at, end
        at = end + 1


def _value(lower: str, start: int, end: int, kind: Category, head: str) -> Found:
    value = lower[start:end]
    if _NOTHING(value) or not 2 < len(value) < 200:
        return
    digits = sum(map(str.isdigit, value))
    if kind == "username":
        if " " not in value and "@" not in value and (head not in _LOOSE or LOGIN_FORM(value)):
            yield from user(lower, start, end, 0.7)
        return
    fits = {
        "plate": _PLATE(value) is not None,
        "name": not digits and value[0] != "(",
        "phone": 7 <= digits <= 15 and not any(map(str.isalpha, value)),
        "mac": _MAC(value) is not None and is_somebodys(lower, start, end),
        "credential": " " not in value,
    }
    if fits.get(kind, digits > 0 and " " not in value):
        yield Span(kind, start, end, 0.4 if kind == "name" else 0.7, "column")
