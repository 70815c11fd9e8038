"""The octets of a page: of rows as they lie. Made when they are asked for, and once more by `oktt prove`."""

from collections.abc import Callable, Sequence
from typing import Any

from dispatch.blocks import Block
from dispatch.pages import Row
from web.answers import encode
from web.taxii_query import next_token


def envelope(route: str, rows: Sequence[Row] | Sequence[Block], *, more: bool) -> bytes:
    """What a route answers with these rows: `{}` where there are none (3.7), and `next` where it goes on."""
    if not rows:
        return b"{}"
    onward = b'{"more":true,"next":' + encode(next_token(rows[-1].seq)) if more else b'{"more":false'
    return _CONTENT[route](onward, rows)


def _objects(onward: bytes, rows: Sequence[Row] | Sequence[Block]) -> bytes:
    bodies = [row.body for row in rows]
    bodies[0] = onward + b',"objects":[' + bodies[0]
    bodies[-1] += b"]}"
    return b",".join(bodies)  # half a megabyte, copied once


def _manifest(onward: bytes, rows: Sequence[Row]) -> bytes:
    records = [
        {
            "id": row.object_id,
            "date_added": row.added,
            "version": row.version,
            "media_type": row.media_type,
        }
        for row in rows
    ]
    return onward + b',"objects":' + encode(records) + b"}"


def _versions(onward: bytes, rows: Sequence[Row]) -> bytes:
    return onward + b',"versions":' + encode([row.version for row in rows]) + b"}"


_CONTENT: dict[str, Callable[[bytes, Any], bytes]] = {
    "objects": _objects,
    "object": _objects,
    "manifest": _manifest,
    "versions": _versions,
}
