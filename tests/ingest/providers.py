"""A CSAF provider on the web server of the tests: documents, hashes, signatures, and every way to list them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pysequoia import SignatureMode, Tsk, sign

from tests.ingest.webserver import Reply, WebServer

Way = Literal["rolie", "changes", "index", "listing"]
METADATA = "/.well-known/csaf/provider-metadata.json"


@dataclass
class CsafProvider:
    """`publish` documents, then `list_them`; again after each change."""

    server: WebServer
    way: Way = "rolie"
    sign: bool = True
    label: str | None = "WHITE"
    key: Tsk = field(default_factory=lambda: Tsk.generate("provider <csaf@provider.example>"))
    times: dict[str, str] = field(default_factory=dict)

    def publish(self, path: str, body: bytes, at: str, **more: Any) -> None:
        """A document with what lies beside it."""
        self.times[path] = at
        self.server[f"/csaf/{path}"] = Reply(body, **more)
        self.server[f"/csaf/{path}.sha512"] = Reply(f"{hashlib.sha512(body).hexdigest()}  {path}\n".encode())
        self.server[f"/csaf/{path}.sha256"] = Reply(f"{hashlib.sha256(body).hexdigest()}  {path}\n".encode())
        if self.sign:
            signature = sign(self.key.signer(), body, mode=SignatureMode.DETACHED)
            self.server[f"/csaf/{path}.asc"] = Reply(bytes(signature))

    def list_them(self, paths: Iterable[str] | None = None) -> None:
        """Metadata, and the list that its way asks for."""
        listed = {path: self.times[path] for path in (self.times if paths is None else paths)}
        newest_first = sorted(listed, key=lambda path: listed[path], reverse=True)
        url = self.server.url
        distribution: dict[str, Any] = {"directory_url": url("/csaf/")}
        match self.way:
            case "rolie":
                feed = {"summary": "all", "tlp_label": self.label, "url": url("/csaf/feed.json")}
                distribution = {"rolie": {"feeds": [feed]}}
                self.server["/csaf/feed.json"] = Reply(self.feed(newest_first))
            case "changes":
                rows = "".join(f'"{path}","{listed[path]}"\r\n' for path in newest_first)
                self.server["/csaf/changes.csv"] = Reply(rows.encode())
            case "index":
                self.server["/csaf/index.txt"] = Reply("\n".join(newest_first).encode())
            case "listing":
                self._listing(newest_first)
        certificate = self.key.extract_certificate()
        keys = [{"fingerprint": certificate.fingerprint, "url": url("/csaf/key.asc")}] if self.sign else []
        metadata = {
            "canonical_url": url(METADATA),
            "distributions": [distribution],
            "last_updated": "2026-03-02T07:00:00Z",
            "list_on_CSAF_aggregators": True,
            "metadata_version": "2.0",
            "mirror_on_CSAF_aggregators": True,
            "public_openpgp_keys": keys,
            "publisher": {"category": "vendor", "name": "Provider", "namespace": "https://provider.example"},
            "role": "csaf_trusted_provider",
        }
        self.server[METADATA] = Reply(json.dumps(metadata).encode())
        self.server["/csaf/key.asc"] = Reply(str(certificate).encode())

    def feed(self, paths: Iterable[str]) -> bytes:
        """A ROLIE feed of these documents."""
        entries = [self.entry(path) for path in paths]
        return json.dumps({"feed": {"id": "all", "title": "All", "updated": "", "entry": entries}}).encode()

    def entry(self, path: str) -> Mapping[str, Any]:
        """One of them."""
        url = self.server.url(f"/csaf/{path}")
        links = [{"rel": "self", "href": url}, {"rel": "hash", "href": f"{url}.sha256"}]
        links += [{"rel": "hash", "href": f"{url}.sha512"}, {"rel": "signature", "href": f"{url}.asc"}]
        content = {"type": "application/json", "src": url}
        return {"id": path, "title": path, "link": links, "updated": self.times[path], "content": content}

    def _listing(self, paths: Iterable[str]) -> None:
        """As Apache's mod_autoindex makes it."""
        years: dict[str, list[str]] = {}
        for path in paths:
            year, _, name = path.rpartition("/")
            years.setdefault(year, []).append(name)
        top = ['<a href="?C=N;O=D">Name</a>', '<a href="/">Parent Directory</a>']
        self.server["/csaf/"] = Reply(_page([*top, *(f'<a href="{year}/">{year}/</a>' for year in years if year)]))
        for year, names in years.items():
            beside = (f'<a href="{name}{end}">{name}</a>' for name in names for end in ("", ".sha512", ".asc"))
            self.server[f"/csaf/{year}/"] = Reply(_page(beside))


def _page(lines: Iterable[str]) -> bytes:
    return ("<html><body><pre>" + "\n".join(lines) + "</pre></body></html>").encode()
