"""The page at /taxii2/ for a browser, docs/taxii.md, and every snippet of both, run."""

import base64
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from dispatch.publication import TEST_INDICATOR
from web import html, onboarding
from web.answers import MEDIA_TYPE
from web.taxii import COMMON

DOCS = (Path(__file__).parents[2] / "docs" / "taxii.md").read_text(encoding="utf-8")
BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
CURL = ("test", "list", "clear", "contribute", "requests")


@pytest.fixture
def folder(served: Any, tmp_path: Path) -> Path:
    """Where somebody works who has just filled in a credential."""
    login = served.join("kvk-1")
    tool = {"id": "tool--1", "type": "tool", "name": "x", "modified": "2026-03-01T00:00:00Z"}
    served.publish("clear", "OKTT-2026-0001", tool)
    (tmp_path / "envelope.json").write_text(json.dumps({"objects": [tool]}))
    (tmp_path / "login.json").write_text(json.dumps(login))
    return tmp_path


def run(folder: Path, *command: str) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def filled(folder: Path, snippet: str) -> str:
    login = json.loads((folder / "login.json").read_text())
    return snippet.replace("USER", login["user"]).replace("PASSWORD", login["password"])


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@on_sqlite
def test_the_snippets_for_curl_do_what_they_say(served: Any, folder: Path) -> None:
    made = onboarding.snippets(served.url, COMMON)
    run(folder, "bash", "-c", filled(folder, made["netrc"]))
    assert (folder / "oktt.netrc").stat().st_mode & 0o077 == 0
    said = {name: json.loads(run(folder, "bash", "-c", made[name])) for name in CURL}
    assert TEST_INDICATOR in said["test"]["objects"]
    assert [each["alias"] for each in said["list"]["collections"]] == ["clear", "test", "kvk-1", "contribute"]
    assert [each["id"] for each in said["clear"]["objects"]] == ["tool--1"]
    assert (said["contribute"]["status"], said["contribute"]["success_count"]) == ("complete", 1)
    assert list(said["requests"]) == ["requests"]


@on_sqlite
def test_the_snippets_for_python_do_what_they_say(served: Any, folder: Path) -> None:
    made = onboarding.snippets(served.url, COMMON)
    printed = run(folder, sys.executable, "-c", filled(folder, made["python"]))
    assert TEST_INDICATOR["id"] in printed.splitlines()
    run(folder, sys.executable, "-c", filled(folder, made["bundle"]))
    bundle = json.loads((folder / "oktt.json").read_text())
    assert (bundle["type"], [each["id"] for each in bundle["objects"]]) == ("bundle", ["tool--1"])


@on_sqlite
def test_the_settings_for_misp_and_opencti_lead_to_collections(served: Any) -> None:
    """Put together as those programs do: base, root and collection; the key is HTTP Basic's."""
    login = served.join("kvk-1")
    made = onboarding.snippets(served.url, COMMON)
    misp, opencti = made["misp-push"], made["opencti-feed"]
    key = base64.b64encode(f"{login['user']}:{login['password']}".encode()).decode()
    at = f"{misp['Base URL']}/{misp['API Root']}/collections/{misp['Collection']}/"
    answer = httpx.get(at, headers={"Authorization": f"Basic {key}", "Accept": MEDIA_TYPE})
    assert answer.json()["can_write"] is True
    at = f"{opencti['TAXII server URL']}/collections/{opencti['TAXII collection']}/objects/"
    answer = httpx.get(at, headers={"Authorization": f"Bearer {login['token']}", "Accept": MEDIA_TYPE})
    assert answer.status_code == 200
    connector = dict(line.split("=", 1) for line in made["opencti-connector"].splitlines())
    root = httpx.get(connector["TAXII2_DISCOVERY_URL"], auth=(login["user"], login["password"])).json()["default"]
    title = connector["TAXII2_COLLECTIONS"].removeprefix(root.rstrip("/").rpartition("/")[2] + ".")
    listed = httpx.get(f"{served.url}{root}collections/", auth=(login["user"], login["password"])).json()["collections"]
    assert title in {each["title"] for each in listed}


def test_the_documentation_has_the_same_snippets() -> None:
    for name, snippet in onboarding.snippets("https://oktt.example", COMMON).items():
        if isinstance(snippet, str):
            assert f"\n{snippet}\n```" in DOCS, name
        else:
            assert all(f"| {key} | `{value}` |" in DOCS for key, value in snippet.items()), name
    for told in (*COMMON.values(), TEST_INDICATOR["id"]):
        assert told in DOCS


@pytest.mark.parametrize(("languages", "tongue"), [("en-GB,en;q=0.9", "en"), ("nl,en;q=0.8", "nl"), (None, "nl")])
@on_sqlite
def test_a_browser_gets_a_page_without_logging_in(served: Any, languages: str | None, tongue: str) -> None:
    headers = BROWSER | ({"Accept-Language": languages} if languages else {})
    answer = httpx.get(f"{served.url}/taxii2/", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert (answer.headers["content-language"], answer.headers["vary"]) == (tongue, "Accept, Accept-Language")
    assert f'<html lang="{tongue}">' in answer.text
    assert ("Hand in" in answer.text, "Zelf aanleveren" in answer.text) == (tongue == "en", tongue == "nl")
    for snippet in onboarding.snippets(served.url, COMMON).values():
        for text in [snippet] if isinstance(snippet, str) else snippet.values():
            assert text in unescape(answer.text)
    assert not re.search(r"<script|<form|<img|<link|src=|href=(?!.\?lang=)|\son\w+=", answer.text)
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    digest = base64.b64encode(sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("accept", "page"),
    [("text/html", True), (f"text/html,{MEDIA_TYPE}", True), (f"{MEDIA_TYPE},text/html", False), ("*/*", False),
     (f"text/html;q=0.5,{MEDIA_TYPE}", False), ("text/html;q=0", False), (MEDIA_TYPE, False)],
)  # fmt: skip
@on_sqlite
def test_a_taxii_client_gets_what_it_asks_for(served: Any, accept: str, page: bool) -> None:
    answer = httpx.get(f"{served.url}/taxii2/", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (
        (200, "text/html; charset=utf-8") if page else (401, MEDIA_TYPE)
    )


@on_sqlite
def test_the_address_is_the_configured_one_and_an_odd_host_is_not_repeated(
    world: Any, serve: Callable[..., Any]
) -> None:
    serve(world)
    odd = httpx.get(f"{world.url}/taxii2/", headers=BROWSER | {"Host": "x$(id)"})
    assert "$(id)" not in odd.text
    assert "https://oktt.example/taxii2/" in odd.text
    world.registry = CollectorRegistry()
    serve(world, base_url="https://feeds.example/")
    assert "https://feeds.example/taxii2/oktt/" in httpx.get(f"{world.url}/taxii2/", headers=BROWSER).text


@given(st.text(max_size=60))
def test_any_header_can_be_ranked(header: str) -> None:
    assert isinstance(onboarding.wanted(header), bool)
    assert html.language(header) in html.LANGUAGES
