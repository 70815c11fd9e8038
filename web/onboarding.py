"""/taxii2/ for a person with a browser: how to connect, to copy and paste. The same stands in docs/taxii.md.

No script and no credential: the page holds nothing but our own address and what is the same for everybody.
"""

import re
from typing import Any

from fastapi import Request, Response

from dispatch.publication import TEST_INDICATOR
from web import html
from web.answers import MEDIA_TYPE
from web.html import ranked

_HOST = re.compile(r"[A-Za-z0-9.:\[\]-]+")


def wanted(accept: str | None) -> bool:
    """Does somebody ask who would rather have a page than TAXII?"""
    asked = ranked(accept)
    html, ours = asked.get("text/html"), asked.get("application/taxii+json")
    return html is not None and (ours is None or html < ours)


def address(request: Request, base_url: str) -> str:
    """Our own, as it was configured, or as the browser has it."""
    host = request.headers.get("host", "")
    told = f"{request.url.scheme}://{host}" if _HOST.fullmatch(host) else "https://oktt.example"
    return (base_url or told).rstrip("/")


def page(at: str, tongue: str, title: str, collections: dict[str, str]) -> Response:
    """The page in one language. `at`: our address; `collections`: ids by alias."""
    return html.page(
        "taxii", tongue, headers={"Vary": "Accept, Accept-Language", "Cache-Control": "no-cache"}, title=title, at=at,
        ids=collections, test=TEST_INDICATOR["id"], snippets=snippets(at, collections),
    )  # fmt: skip


def snippets(at: str, ids: dict[str, str]) -> dict[str, Any]:
    """What is copied: name -> text. USER and PASSWORD stand where a reader's own have to."""
    root = f"{at}/taxii2/oktt/"
    curl = f"curl -sS --netrc-file oktt.netrc -H 'Accept: {MEDIA_TYPE}' \\\n  "
    client = 'user="USER", password="PASSWORD"'
    return {
        "netrc": "(umask 077; echo 'default login USER password PASSWORD' > oktt.netrc)",
        "test": f"{curl}{root}collections/test/objects/",
        "list": f"{curl}{root}collections/",
        "clear": f"{curl}'{root}collections/clear/objects/?limit=1000&added_after=2026-01-01T00:00:00Z'",
        "contribute": f"{curl}-H 'Content-Type: {MEDIA_TYPE}' --data-binary @envelope.json \\\n"
        f"  {root}collections/contribute/objects/",
        "requests": f"{curl}{root}requests/",
        "python": f"""\
from taxii2client.v21 import Collection, as_pages

address = "{root}collections/{ids["test"]}/"
with Collection(address, {client}) as collection:
    for page in as_pages(collection.get_objects, per_request=1000):
        for found in page.get("objects", []):
            print(found["id"])""",
        "bundle": f"""\
import json
from uuid import uuid4

from taxii2client.v21 import Collection, as_pages

address = "{root}collections/{ids["clear"]}/"
with Collection(address, {client}) as collection:
    pages = list(as_pages(collection.get_objects, per_request=1000))
objects = [found for page in pages for found in page.get("objects", [])]
bundle = {{"type": "bundle", "id": f"bundle--{{uuid4()}}", "objects": objects}}
with open("oktt.json", "w", encoding="utf-8") as file:
    json.dump(bundle, file)""",
        "misp-push": {
            "Base URL": f"{at}/taxii2", "API Root": "oktt", "Collection": ids["contribute"],
            "API Key": "base64(USER:PASSWORD)",
        },
        "opencti-feed": {
            "TAXII server URL": root.rstrip("/"), "TAXII version": "2.1", "TAXII collection": ids["clear"],
            "Authentication": "Bearer token",
        },
        "opencti-connector": f"""\
TAXII2_DISCOVERY_URL={at}/taxii2/
TAXII2_USERNAME=USER
TAXII2_PASSWORD=PASSWORD
TAXII2_V21=true
TAXII2_COLLECTIONS=oktt.OKTT TLP:CLEAR""",
    }  # fmt: skip
