"""What the TAXII server answers in: its media type, and the error resource (TAXII 2.1 1.6.8, 3.6.1)."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import msgspec
from fastapi import Response

MEDIA_TYPE = "application/taxii+json;version=2.1"
encode = msgspec.json.Encoder().encode


def answer(resource: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A resource of TAXII."""
    return Response(encode(resource), status, headers={**(headers or {}), "Content-Type": MEDIA_TYPE})


def error(
    status: int, title: str, description: str = "", headers: Mapping[str, str] | None = None, *, name: str | None = None
) -> Response:
    """The error resource (3.6.1). `name`: of the request in the ledger."""
    resource = {"title": title, "error_id": name or str(uuid4()), "http_status": str(status)}
    if description:
        resource["description"] = description
    return answer(resource, status, headers)


def accepts(accept: str | None) -> bool:
    """Does an Accept header allow our media type? None: anything (RFC 9110 12.5.1); no version: the latest (1.6.8)."""
    return accept is None or any(is_ours(part, wildcard=True) for part in accept.split(","))


def is_ours(media_type: str, *, wildcard: bool = False) -> bool:
    """Is this our media type? With `wildcard`, as a part of an Accept header."""
    name, *parameters = (part.strip().lower() for part in media_type.split(";"))
    values = {key.strip(): value.strip().strip('"') for key, _, value in (each.partition("=") for each in parameters)}
    if wildcard and re.fullmatch(r"0(\.0*)?", values.get("q", "1")):
        return False
    if wildcard and name in {"*/*", "application/*"}:
        return True
    return name == "application/taxii+json" and values.get("version", "2.1") == "2.1"
