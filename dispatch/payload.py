"""Rendered -> what a program gets by webhook or topic: JSON with the words of the message and its STIX 2.1 objects.

The bytes are a function of the delivery and its content, as those of a mail are. What stands in it is what the reader
may see: it is made of the same views.
"""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import msgspec

from dispatch import Delivery
from dispatch.render import Rendered
from tlp import Label


def payload(delivery: Delivery, rendered: Rendered, label: Label, objects: Iterable[dict[str, Any]]) -> bytes:
    """`{"type","timestamp","data"}` (Standard Webhooks); `data.stix` is null where nothing may be shown this way."""
    held = list({each["id"]: each for each in objects}.values())
    bundle = {"type": "bundle", "id": f"bundle--{uuid5(NAMESPACE_URL, f'oktt:{delivery.id}')}", "objects": held}
    data = {
        "id": delivery.id,
        "item": delivery.subject,
        "version": delivery.version,
        "tlp": label.value,
        "language": rendered.language,
        "title": rendered.subject,
        "text": rendered.text,
        "stix": bundle if held else None,
    }
    return msgspec.json.encode({"type": delivery.kind, "timestamp": delivery.queued_at, "data": data})
