"""What programs get: by webhook, signed, what their subscriber may see and no more; and who wants no more gets none."""

import json
from pathlib import Path

from dispatch.webhook import key_of, signature
from tests.app.instance import FEEDS, FORTINET, done, lay, make, person
from tests.app.test_smtp import SOON, counts, dispatch, ledger
from tests.dispatch.test_webhook import SECRET, Hook, hook, serving

__all__ = ["hook", "serving"]  # fixtures


def test_a_subscriber_gets_its_messages_by_webhook_until_it_says_gone(hook: Hook, tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    ways = {"type": "webhook", "url": hook.url, "secret_file": "hook.secret"}, {"type": "kafka", "topic": "t"}
    firm = person("een", *ways, software=FORTINET, networks=["198.51.100.0/25"])
    make(instance, people=[firm], settings=f'[webhooks]\nprivate = true\nca_file = "{hook.ca_file}"\n')
    secret = instance / "hook.secret"
    secret.touch(0o600)
    secret.write_text(SECRET)
    lay(tmp_path / "in", {name: FEEDS[name] for name in ("ncsc-nl", "shadowserver")})
    done(instance, "ingest", tmp_path / "in/ncsc-nl/9001.json", "--source", "ncsc-nl")

    hook.status = 503
    assert dispatch(instance) == counts(retry=1, failed=1), "there is no broker"
    hook.status = 204
    assert dispatch(instance, SOON) == counts(sent=1)
    (first, _), (headers, body) = hook.got
    assert first["webhook-id"] == headers["webhook-id"]
    made = signature(key_of(SECRET), headers["webhook-id"], headers["webhook-timestamp"], body)
    assert headers["webhook-signature"] == made
    told = json.loads(body)
    assert told["type"] == "alert"
    assert told["data"]["item"].startswith("OKTT-2026-")
    assert told["data"]["tlp"] == "CLEAR"
    assert {each["type"] for each in told["data"]["stix"]["objects"]} >= {"marking-definition", "vulnerability"}
    assert [row["reason"] for row in ledger(instance)] == ["no-kafka", "http-204"]

    hook.status = 410
    report = next((tmp_path / "in/shadowserver").iterdir())
    done(instance, "ingest", report, "--source", "shadowserver", now=SOON)
    assert dispatch(instance, SOON)["failed"] >= 1
    shown = done(instance, "subscribers", "show", "kvk-een", "--json", now=SOON).row["contacts"]
    assert [each.get("silent") for each in shown] == ["opt-out", None]
