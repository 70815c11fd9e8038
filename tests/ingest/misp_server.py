"""A MISP server as its REST answers, and a MISP feed as its files, on the TLS web server; events made here, or real."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.ingest.webserver import Reply, Request, Route, WebServer

KEY = "k" * 40
Event = dict[str, Any]
START = 1_771_000_000
"""13 February 2026."""


def event(number: int, at: int | None = None, *tags: str, **more: Any) -> Event:
    """{"Event": ...} as MISP writes it; number gives id and value."""
    stamp = str(START + number if at is None else at)
    return {
        "Event": {
            "uuid": str(UUID(int=number + (0x4 << 76) + (0x8 << 60))), "info": f"Campaign {number}",
            "date": "2026-02-13", "threat_level_id": "2", "analysis": "2", "published": True,
            "timestamp": stamp, "publish_timestamp": stamp,
            "Orgc": {"name": "Example", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"},
            "Tag": [{"name": name} for name in ("tlp:green", *tags)],
            "Attribute": [
                {"uuid": str(UUID(int=number + (0x4 << 76) + (0x9 << 60))), "type": "domain", "to_ids": True,
                 "category": "Network activity", "value": f"c2-{number}.example", "timestamp": stamp}
            ],
            **more,
        }
    }  # fmt: skip


def listing(whole: Event) -> dict[str, Any]:
    """What a list says of it."""
    kept = ("timestamp", "publish_timestamp", "info", "date", "Tag", "Orgc", "analysis", "threat_level_id", "uuid")
    return {name: whole["Event"][name] for name in kept if name in whole["Event"]}


@dataclass
class Misp:
    """Answers of a server to whoever has the key. `ignores_page`: it gives the first page for ever."""

    web: WebServer
    events: dict[str, Event] = field(default_factory=dict)
    ignores_page: bool = False
    faults: dict[str, Route] = field(default_factory=dict)
    """By path: what it answers instead."""

    def __post_init__(self) -> None:
        user = {"User": {"id": "1", "email": "hub@example.org"}, "Role": {"id": "6", "name": "Read only"}}
        fixed: Mapping[str, Any] = {
            "/servers/getVersion": {"version": "2.5.20", "pymisp_recommended_version": "2.5.34"},
            "/users/view/me": {**user, "UserSetting": []},
            "/attributes/describeTypes.json": {
                "result": {"categories": [], "types": [], "category_type_mappings": {}, "sane_defaults": {}}
            },
        }
        for path, answer in fixed.items():
            self.web[path] = self.guarded(Reply(json.dumps(answer).encode()))
        self.web["/events/restSearch"] = self.guarded(self.search)

    def add(self, *events: Event) -> None:
        """Publish, or publish anew."""
        for each in events:
            uuid = each["Event"]["uuid"]
            self.events[uuid] = each
            self.web[f"/events/view/{uuid}"] = self.guarded(self.view)

    def guarded(self, route: Any) -> Route:
        """For those who have the key."""

        def answer(request: Request) -> Reply:
            path = request.path.partition("?")[0]
            if request.headers["Authorization"] != KEY:
                return Reply(b'{"message":"Authentication failed."}', 403)
            if path in self.faults:
                fault = self.faults[path]
                return fault(request) if callable(fault) else fault.pop(0) if isinstance(fault, list) else fault
            reply: Reply = route(request) if callable(route) else route
            return reply

        return answer

    def view(self, request: Request) -> Reply:
        found = self.events.get(request.path.rpartition("/")[2])
        return Reply(json.dumps(found).encode()) if found else Reply(b"{}", 404)

    def search(self, request: Request) -> Reply:
        asked = json.loads(request.body)
        assert asked["metadata"] == 1
        assert asked["published"] is True
        found = [
            {"Event": listing(each)}
            for each in self.events.values()
            if int(each["Event"]["publish_timestamp"]) >= int(asked["publish_timestamp"])
            and (not asked.get("tags") or {tag["name"] for tag in each["Event"]["Tag"]} & set(asked["tags"]))
        ]
        start = 0 if self.ignores_page else (asked["page"] - 1) * asked["limit"]
        return Reply(json.dumps({"response": found[start : start + asked["limit"]]}).encode())


def lay_feed(web: WebServer, *events: Event, folder: str = "/feed/") -> None:
    """manifest.json and a file an event."""
    for each in events:
        web[f"{folder}{each['Event']['uuid']}.json"] = Reply(json.dumps(each).encode())
    manifest = {each["Event"]["uuid"]: listing(each) for each in events}
    web[f"{folder}manifest.json"] = Reply(json.dumps(manifest).encode())
