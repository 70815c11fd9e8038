"""Handing in: POST to the collection `contribute` (TAXII 2.1 5.5), and the status of it (4.3).

An envelope goes through the door as one document, in memory; what the guard let through lies with the analysts then,
so that a status is complete when it is given. It says of each object whether it was taken in and, if not, at which
stage and why.

An id that is made of a value (UUIDv5, STIX 2.1 2.9) can be tried for that value. Such ids are told in the answer to
the POST, to whoever sent them, and are not kept: in the status that can be fetched later their objects are named by
their place in the envelope.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import msgspec
import sqlalchemy as sa
from fastapi import Request, Response

from dispatch.publication import Collection
from ingest.columns import instant_text
from normalize.stix_types import OBSERVABLES, REQUIRED, is_id, is_time
from web import Services, Verdict, statuses
from web.answers import MEDIA_TYPE, answer
from web.entry import Caller
from web.taxii_query import TaxiiError

CONTRIBUTE = Collection(
    "9c1f9a52-7d0e-4a8b-b4c6-52e1c7d3a903",
    "contribute",
    None,
    "OKTT contributions",
    "Hand in what you know: STIX 2.1 objects, for the analysts. Readers never learn who handed it in.",
)
"""The same in every installation. Nothing lies in it, so it has no row."""
MOST = 10_000
"""Objects in one envelope."""
_MOST_TOLD = 1000
"""Objects that a status names of each outcome; the counts are of all."""


class _Envelope(msgspec.Struct):
    """3.7. Other properties are left alone (7.1); a bundle passes too, since it has the same `objects`."""

    objects: list[msgspec.Raw]


def contribute(engine: sa.Engine, services: Services, caller: Caller, body: bytes) -> Response:
    """Take in an envelope: 202 and its status. Raises TaxiiError when it is none."""
    objects = _objects(body)
    caller.asked.objects = len(objects)
    verdicts = services.contribute(caller.subscriber.id, body, objects)
    with engine.begin() as conn:
        return answer(keep(conn, caller.subscriber.id, objects, verdicts, caller.now), 202)


def keep(
    conn: sa.Connection, subscriber: str, objects: Sequence[Any], verdicts: Sequence[Verdict], now: datetime
) -> dict[str, Any]:
    """The status of what was handed in, for its sender; kept without what could be tried for a value."""
    told = _resource(objects, verdicts, now)
    kept = {**told, **{name: [_without_value(each) for each in told[name]] for name in ("successes", "failures")}}
    statuses.keep(conn, subscriber, _bare(kept), now)
    return _bare(told)


def status(caller: Caller, request: Request) -> Response:
    """4.3 Get Status: its owner's alone; another's is as unknown as none."""
    name = request.path_params["status"]
    found = None if "\0" in name else statuses.find(caller.look.conn, caller.subscriber.id, name)
    if found is None:
        raise TaxiiError(
            404, "No such status", "Unknown here, not yours, or older than statuses are kept; a POST gives a new one"
        )
    return Response(found, headers={"Content-Type": MEDIA_TYPE})


def _objects(body: bytes) -> list[Any]:
    try:
        raw = msgspec.json.decode(body, type=_Envelope).objects
        if len(raw) > MOST:  # not 413, which is for octets (4.2.1)
            raise TaxiiError(422, "Too many objects", f"At most {MOST} in an envelope: send the others in another one")
        objects = [msgspec.json.decode(each) for each in raw]
    except msgspec.ValidationError:
        raise TaxiiError(
            422, "Not an envelope", 'An envelope is a JSON object with a list of STIX objects: {"objects": [...]}'
        ) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise TaxiiError(422, "Not JSON", "The body cannot be read as JSON in UTF-8; nothing of it was kept") from None
    except RecursionError:
        raise TaxiiError(422, "Nested too deep", "The body is nested deeper than is read") from None
    if not objects:
        raise TaxiiError(422, "Nothing in it", "`objects` is empty: an envelope that is sent has at least one object")
    return objects


def _resource(objects: Sequence[Any], verdicts: Sequence[Verdict], now: datetime) -> dict[str, Any]:
    """The status resource; each detail with the place of its object, under `at`, until it is told."""
    details: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for at, (obj, verdict) in enumerate(zip(objects, verdicts, strict=True)):
        if len(details[verdict.taken]) < _MOST_TOLD:
            detail = {"id": _id(obj, at), "version": _version(obj, now), "at": at}
            details[verdict.taken].append(detail | ({"message": verdict.message} if verdict.message else {}))
    taken = sum(each.taken for each in verdicts)
    return {
        "id": str(uuid4()),
        "status": "complete",
        "request_timestamp": instant_text(now),
        "total_count": len(objects),
        "success_count": taken,
        "successes": details[True],
        "failure_count": len(objects) - taken,
        "failures": details[False],
        "pending_count": 0,
    }


def _bare(resource: dict[str, Any]) -> dict[str, Any]:
    """As TAXII has it: without our own `at`, and without empty lists (2)."""
    lists = {
        name: [{key: value for key, value in each.items() if key != "at"} for each in resource[name]]
        for name in ("successes", "failures")
    }
    return {name: lists.get(name, value) for name, value in resource.items() if lists.get(name, True)}


def _id(obj: Any, at: int) -> str:
    """Its STIX id; what has none is named by its place."""
    found = obj.get("id") if isinstance(obj, dict) else None
    return str(found) if is_id(found) else f"objects/{at}"


def _version(obj: Any, now: datetime) -> str:
    """`modified`, else `created`; an object without is of the moment it came (4.3)."""
    stated = (obj.get(name) for name in ("modified", "created")) if isinstance(obj, dict) else ()
    return next((str(each) for each in stated if is_time(each)), instant_text(now))


def _without_value(detail: dict[str, Any]) -> dict[str, Any]:
    """With its id only where that is random, of a type that STIX knows: nothing can be made out of it."""
    kind, _, identifier = detail["id"].partition("--")
    random = kind in REQUIRED and kind not in OBSERVABLES and identifier and UUID(identifier).version == 4
    return detail if random else detail | {"id": f"objects/{detail['at']}"}
