"""The octets of a page: of rows as they lie. Made when they are asked for, and once more by `oktt prove`."""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

from dispatch.blocks import Block
from dispatch.pages import Row
from web.answers import encode
from web.taxii_query import next_token


def envelope(route: str, rows: Sequence[Row] | Sequence[Block], *, more: bool) -> bytes:
    """What a route answers with these rows: `{}` where there are none (3.7), and `next` where it goes on."""
    if not rows:
        return b"{}"
    onward = b'"more":true,"next":' + encode(next_token(rows[-1].seq)) if more else b'"more":false'
    return b"{" + onward + b"," + _CONTENT[route](rows) + b"}"


def digest(route: str, rows: Sequence[Row] | Sequence[Block], body: bytes) -> str:
    """SHA-256 (hexadecimal) by which an answer is known again: of the hashes of its objects, which lie with a block;
    where it has none, of its octets. What stands around the objects follows from their numbers."""
    hashes = b"".join([each.digest for each in rows]) if _CONTENT[route] is _objects else body
    return sha256(hashes).hexdigest()


def _objects(rows: Sequence[Row] | Sequence[Block]) -> bytes:
    return b'"objects":[' + b",".join([row.body for row in rows]) + b"]"


def _manifest(rows: Sequence[Row]) -> bytes:
    records = [
        {
            "id": row.object_id,
            "date_added": row.added,
            "version": row.version,
            "media_type": row.media_type,
        }
        for row in rows
    ]
    return b'"objects":' + encode(records)


def _versions(rows: Sequence[Row]) -> bytes:
    return b'"versions":' + encode([row.version for row in rows])


_CONTENT: dict[str, Callable[[Any], bytes]] = {
    "objects": _objects,
    "object": _objects,
    "manifest": _manifest,
    "versions": _versions,
}
