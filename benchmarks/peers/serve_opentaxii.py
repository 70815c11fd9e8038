"""OpenTAXII, run by the peers' own Python: `serve_opentaxii.py DIR PORT` lays what is in DIR/objects.json into the
database OPENTAXII_DATABASE and serves it to everybody, by gunicorn with one worker (benchmarks/taxii.py)."""

import datetime
import json
import os
import sys
from pathlib import Path

home, port = Path(sys.argv[1]), sys.argv[2]
kept = {"db_connection": os.environ["OPENTAXII_DATABASE"], "create_tables": True}
accounts = {"db_connection": f"sqlite:///{home}/accounts.db", "create_tables": True, "secret": "bench"}
settings = {
    "domain": f"127.0.0.1:{port}",
    "auth_api": {"class": "opentaxii.auth.sqldb.SQLDatabaseAPI", "parameters": accounts},
    "taxii1": None,
    "taxii2": {
        "public_discovery": True,
        "max_content_length": 1_000_000,
        "title": "bench",
        "contact": "bench",
        "description": "bench",
        "persistence_api": {"class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI", "parameters": kept},
    },
    "logging": {"opentaxii": "warning", "root": "warning"},
}
(home / "opentaxii.yml").write_text(json.dumps(settings))
os.environ["OPENTAXII_CONFIG"] = str(home / "opentaxii.yml")

from gunicorn.app.base import BaseApplication  # noqa: E402
from opentaxii.http import app  # noqa: E402
from opentaxii.persistence.sqldb.taxii2models import STIXObject  # noqa: E402
from sqlalchemy import text  # noqa: E402


def fill() -> None:
    """The rows that its own `add_objects` makes, at once."""
    api = app.taxii_server.servers.taxii2.persistence.api
    root = api.add_api_root("bench", "bench", True, True)
    collection = api.add_collection(root.id, "bench", "bench", "bench", True, False)
    added = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
    rows = []
    for number, each in enumerate(json.loads((home / "objects.json").read_bytes())):
        rows.append({
            "id": each.pop("id"), "type": each.pop("type"), "spec_version": each.pop("spec_version"),
            "collection_id": collection.id, "date_added": added + datetime.timedelta(microseconds=number),
            "version": datetime.datetime.fromisoformat(each["modified"].replace("Z", "+00:00")),
            "serialized_data": each,
        })  # fmt: skip
    api.db.session.execute(STIXObject.__table__.insert(), rows)
    api.db.session.execute(text("ANALYZE"))  # without it a page takes ten minutes; the bench's server has no autovacuum
    api.db.session.commit()
    (home / "collection").write_text(f"/taxii2/{root.id}/collections/{collection.id}/objects/")


class Server(BaseApplication):
    """gunicorn."""

    def load_config(self) -> None:
        """One worker, as ours has one process."""
        for name, value in {"bind": f"127.0.0.1:{port}", "workers": 1, "timeout": 600, "loglevel": "error"}.items():
            self.cfg.set(name, value)

    def load(self) -> object:
        """What it serves."""
        return app


with app.app_context():
    fill()
Server().run()
