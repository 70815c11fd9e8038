"""The octets of a page: of rows as they lie. Made when they are asked for, and once more by `oktt prove`."""

from collections.abc import Sequence

from dispatch.pages import Row
from web.answers import encode
from web.taxii_query import next_token


def envelope(route: str, rows: Sequence[Row], *, more: bool) -> bytes:
    """What a route answers with these rows: `{}` where there are none (3.7), and `next` where it goes on."""
    if not rows:
        return b"{}"
    onward = b'"more":true,"next":' + encode(next_token(rows[-1].seq)) if more else b'"more":false'
    return b"{" + onward + b"," + _CONTENT[route](rows) + b"}"


def _objects(rows: Sequence[Row]) -> bytes:
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


_CONTENT = {"objects": _objects, "object": _objects, "manifest": _manifest, "versions": _versions}
