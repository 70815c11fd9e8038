"""Profiles from an operator's file: NDJSON, or CSV with the same names. All or nothing.

`read(path)` gives every Incoming of the file, or raises SubscriberError with `line N: field: what is wrong, what to
do`, never a value. A byte order mark, CRLF and empty lines are fine. JSON shape: the contract, "Subscribers";
`clearance` is a label or `{"highest": label, "until": time}`.

CSV: comma-separated, a header with the JSON names, an empty cell = the key is absent, lists separated by `;`, and

    software    `vendor|product|version`, `vendor|product`, a CPE 2.3 name or a purl
    channels    `type:target`, options after `|`: `email:a@b.nl|digest=monday+friday|pgp=FILE`,
                `webhook:https://...|secret_file=FILE`, `kafka:topic`, `taxii`, `file`
    quiet       `22:00-07:00`, options after `|`: `22:00-07:00|days=1+2+3|tz=Europe/Amsterdam|holidays=NL`
    clearance   `AMBER`, or with its end `AMBER|2026-12-31T00:00:00Z`
    scope       two columns, `scope.sectors` and `scope.regions`
    verified, serves_members    `true` or `false` (also yes/no, ja/nee, 1/0)
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from subscribers import Incoming, SubscriberError
from subscribers.checks import FieldError, incoming
from subscribers.wire import Line

_ALLOWED = {
    "kind": "company, partnership, supplier, cert, vital, public",
    "size": "zzp, mkb, large",
    "maturity": "basic, mature",
    "language": "nl, en",
    "min_urgency": "today, this-week, info",
    "type": "email, webhook, taxii, file, kafka",
    "digest": "monday, friday",
}
_PATH = re.compile(r" - at `\$\.?([^`]*)`$")
_LISTS = ("sectors", "networks", "domains", "members", "opt_out")
_SWITCH = dict.fromkeys(("true", "yes", "ja", "1"), True) | dict.fromkeys(("false", "no", "nee", "0"), False)
T = TypeVar("T")

_DECODER = msgspec.json.Decoder(Line)


def read(path: Path) -> list[Incoming]:
    """Every subscriber of a file, in its order. Raises SubscriberError, also for a file that cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SubscriberError(f"the file cannot be read ({error.strerror}): check its name and rights") from None
    return parse(data)


def parse(data: bytes) -> list[Incoming]:
    """Every subscriber of a file's bytes; NDJSON when its first sign is `{`, else CSV."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise SubscriberError("line 1: the file is UTF-16: save it as UTF-8")
    data = data.removeprefix(b"\xef\xbb\xbf")
    lines = _ndjson(data) if data.lstrip()[:1] in (b"{", b"") else _csv(data)
    found: list[Incoming] = []
    first_seen: dict[str, int] = {}
    for number, line in lines:
        try:
            one = incoming(line)
        except FieldError as error:
            raise SubscriberError(f"line {number}: {error}") from None
        if (before := first_seen.setdefault(one.id, number)) != number:
            raise SubscriberError(f"line {number}: id: the same as on line {before}: keep one of the two")
        found.append(one)
    return found


def _ndjson(data: bytes) -> Iterator[tuple[int, Line]]:
    for number, raw in enumerate(data.split(b"\n"), start=1):
        if text := raw.strip():
            yield number, _decode(number, lambda: _DECODER.decode(text))  # called at once


def _decode(number: int, make: Callable[[], T]) -> T:
    """Errors of the JSON decoder as line and field; its messages may hold values, so they are told anew."""
    try:
        return make()
    except msgspec.ValidationError as error:
        raise SubscriberError(f"line {number}: {_told(str(error))}") from None
    except msgspec.DecodeError:
        raise SubscriberError(f"line {number}: not a JSON object: write one object a line") from None
    except UnicodeDecodeError:
        raise SubscriberError(f"line {number}: not UTF-8: save the file as UTF-8") from None


def _told(message: str) -> str:
    found = _PATH.search(message)
    path = found[1] if found else ""
    field = path or "*"
    if "unknown field" in message:
        return f"{path + '.' if path else ''}*: an unknown key (docs/subscribers.md): take it out or correct its name"
    if "missing required field" in message:
        missing = message.split("`")[1]
        return f"{path + '.' if path else ''}{missing}: is missing: fill it in"
    if "enum value" in message:
        name = path.rpartition(".")[2].partition("[")[0]
        return f"{field}: not one of {_ALLOWED[name]}"
    if message.startswith("Expected"):
        return f"{field}: wrong type: {message[0].lower()}{message[1:].split(' - at', maxsplit=1)[0]}"
    return f"{field}: cannot be read: see the documentation of the import for its form"


def _csv(data: bytes) -> Iterator[tuple[int, Line]]:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise SubscriberError(f"line {number}: not UTF-8: save the file as UTF-8") from None
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    number = 1
    try:
        for row in rows:
            if not any(cell.strip() for cell in row):
                pass
            elif header is None:
                header = _header(number, row)
            else:
                yield number, _row(number, header, row)
            number = rows.line_num + 1
    except csv.Error:
        raise SubscriberError(f"line {number}: a row that is no CSV: check its quotes") from None


def _header(number: int, row: list[str]) -> list[str]:
    known = {*Line.__struct_fields__, "scope.sectors", "scope.regions"} - {"scope"}
    header = [cell.strip() for cell in row]
    for position, cell in enumerate(header, start=1):
        if cell not in known:
            raise SubscriberError(
                f"line {number}: column {position}: an unknown name: the first line has to be a header "
                f"with commas and these names: {', '.join(sorted(known))}"
            )
    if len(set(header)) < len(header):
        raise SubscriberError(f"line {number}: a column stands twice in the header: keep one")
    return header


def _row(number: int, header: list[str], row: list[str]) -> Line:
    if len(row) > len(header):
        raise SubscriberError(f"line {number}: more cells than the header has: quote cells that hold a comma")
    keys: dict[str, Any] = {}
    for name, cell in zip(header, row, strict=False):
        if not (text := cell.strip()):
            continue
        try:
            value = _cell(name, text)
        except ValueError as error:
            raise SubscriberError(f"line {number}: {name}: {error}") from None
        if name.startswith("scope."):
            keys.setdefault("scope", {})[name.removeprefix("scope.")] = value
        else:
            keys[name] = value
    return _decode(number, lambda: msgspec.convert(keys, Line))


def _cell(name: str, text: str) -> Any:
    """A cell as the JSON value it stands for. Raises ValueError with what to do, without the value."""
    if name in _LISTS or name.startswith("scope."):
        return _split(text)
    if name in ("verified", "serves_members"):
        if text.lower() not in _SWITCH:
            raise ValueError("neither true nor false: write one of the two")
        return _SWITCH[text.lower()]
    if name == "software":
        return [software(part) for part in _split(text)]
    if name == "channels":
        return [_channel(part) for part in _split(text)]
    if name == "quiet":
        return _quiet(text)
    if name == "clearance" and "|" in text:
        highest, until = text.split("|", 1)
        return {"highest": highest.strip(), "until": until.strip()}
    return text


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(";") if part.strip()]


def software(text: str) -> dict[str, str]:
    """`vendor|product|version`, `vendor|product`, a CPE or a purl as the keys of a line. Raises ValueError."""
    if text.startswith("cpe:"):
        return {"cpe": text}
    if text.startswith("pkg:"):
        return {"purl": text}
    parts = [part.strip() for part in text.split("|")]
    if not 2 <= len(parts) <= 3:
        raise ValueError("software that is not vendor|product|version, a CPE or a purl: write it as one of these")
    return {key: part for key, part in zip(("vendor", "product", "version"), parts, strict=False) if part}


def _channel(text: str) -> dict[str, Any]:
    head, *options = text.split("|")
    kind, _, target = head.partition(":")
    channel: dict[str, Any] = {"type": kind.strip()}
    place = {"email": "address", "webhook": "url", "kafka": "topic"}.get(kind.strip())
    if target and place is None:
        raise ValueError("a channel that takes no target: leave out what follows the colon")
    if place:
        channel[place] = target.strip()
    for key, value in map(_option, options):
        if key not in ("digest", "pgp", "smime", "secret_file"):
            raise ValueError("an unknown option: use digest, pgp, smime or secret_file")
        channel[key] = value.split("+") if key == "digest" else value
    return channel


def _quiet(text: str) -> dict[str, Any]:
    head, *options = text.split("|")
    start, _, end = head.partition("-")
    quiet: dict[str, Any] = {"from": start.strip(), "to": end.strip()}
    for key, value in map(_option, options):
        if key == "days" and re.fullmatch(r"[1-7](\+[1-7])*", value):
            quiet["days"] = [int(day) for day in value.split("+")]
        elif key == "tz":
            quiet["tz"] = value
        elif key == "holidays":
            quiet["holidays"] = value
        else:
            raise ValueError("an unknown option: use days=1+2+3 (1 is Monday), tz=Europe/Amsterdam or holidays=NL")
    return quiet


def _option(text: str) -> tuple[str, str]:
    key, _, value = text.partition("=")
    return key.strip(), value.strip()
