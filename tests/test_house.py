"""The house itself: layers, names, one maker for each type that opens a door, documentation that is true."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from app import generate
from app.cli import cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
MAKERS = {
    ("pii_guard", "Item"): "pii_guard/guard.py",
    ("triage", "Released"): "triage/decide.py",
    ("tlp", "Permit"): "tlp/enforce.py",
    ("dispatch", "View"): "dispatch/view.py",
}


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def commands() -> dict[str, Any]:
    """Every command by its full name: `subscribers import`."""
    found: dict[str, Any] = {}

    def walk(group: Any, prefix: str) -> None:
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                walk(command, f"{prefix}{name} ")
            else:
                found[f"{prefix}{name}"] = command

    walk(typer.main.get_command(cli), "")
    return found


def test_imports_keep_the_layers() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    checked = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout


def test_package_names_belong_to_this_distribution() -> None:
    owners = packages_distributions()
    for room in ROOMS:
        assert set(owners.get(room, ["oktt"])) == {"oktt"}, f"{room} belongs to somebody else too"
        module = __import__(room)
        assert module.__file__ is not None
        assert Path(module.__file__).is_relative_to(ROOT), f"{room} is imported from elsewhere"
    assert distribution("oktt").version == PROJECT["project"]["version"]


@cache
def calls() -> dict[str, tuple[set[tuple[str, str]], set[str]]]:
    """Module -> what it imports from where, and what it calls, as written."""
    found = {}
    for path in sources():
        nodes = list(ast.walk(ast.parse(path.read_text())))
        imports = (node for node in nodes if isinstance(node, ast.ImportFrom))
        imported = {(node.module or "", each.name) for node in imports for each in node.names}
        called = (node.func for node in nodes if isinstance(node, ast.Call))
        named = (each for each in called if isinstance(each, ast.Name | ast.Attribute))
        found[str(path.relative_to(ROOT))] = imported, {ast.unparse(each) for each in named}
    return found


@pytest.mark.parametrize(("contract", "maker"), MAKERS.items())
def test_types_that_open_a_door_are_made_in_one_place(contract: tuple[str, str], maker: str) -> None:
    room, name = contract
    made = {
        path
        for path, (imported, called) in calls().items()
        if f"{room}.{name}" in called or (name in called and (room, name) in imported)
    }
    assert made == {maker}


def test_a_contract_imports_no_submodule_of_its_own() -> None:
    for room in ROOMS:
        tree = ast.parse((ROOT / room / "__init__.py").read_text())
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name == room or name.startswith(f"{room}.") for name in names), room


def test_only_table_owners_speak_sql() -> None:
    allowed = re.compile(
        r"(app|web|dispatch|subscribers)/|triage/(cases|documents|exposures|inbox|leads|merging|joining|composition|decide|releases|scores|expiry)\.|ingest/(columns|cursors)\.|pii_guard/(audit|journal|policies|subjects)\."
    )
    for path in sources():
        if "sqlalchemy" in path.read_text():
            assert allowed.match(str(path.relative_to(ROOT))), f"{path} imports SQLAlchemy and owns no table"


def test_what_people_read_is_there_in_both_languages() -> None:
    """The same words, with the same places to fill in."""

    def shape(said: Any) -> Any:
        if isinstance(said, dict):
            return {name: shape(each) for name, each in said.items()}
        return sorted(set(re.findall(r"\{\w*\}", str(said))))

    files = sorted(path for room in ("web", "dispatch") for path in (ROOT / room / "templates").glob("*.nl.toml"))
    assert len(files) > 5
    for path in files:
        other = path.with_name(path.name.replace(".nl.", ".en."))
        assert shape(tomllib.loads(path.read_text())) == shape(tomllib.loads(other.read_text())), path.name


def test_every_command_helps_and_is_documented() -> None:
    manual = (ROOT / "docs" / "commands.md").read_text()
    for name, command in commands().items():
        assert command.help, name
        assert f"`oktt {name}" in manual, f"docs/commands.md does not tell of `oktt {name}`"
        for parameter in command.params:
            if parameter.param_type_name == "option" and parameter.name != "help":
                assert parameter.help, f"{name} {parameter.opts}"
                assert parameter.opts[0] in manual, f"docs/commands.md does not tell of {name} {parameter.opts[0]}"


def test_the_manual_tells_of_no_command_that_is_not_there() -> None:
    known = commands()
    manual = (ROOT / "docs" / "commands.md").read_text()
    for told in re.findall(r"^### `oktt ([a-z -]+?)(?: [A-Z\[.].*)?`", manual, re.M):
        assert told.strip() in known


def readme() -> list[list[str]]:
    """Every command of the README, as words."""
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines()]
    return [shlex.split(line) for line in lines if line]


def test_the_targets_of_the_readme_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {word for words in readme() if words[0] == "make" for word in words[1:]}
    assert {"demo", "serve", "install", "check", "test", "bench"} <= named <= targets


def test_the_commands_of_the_readme_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OKTT_NOW", "2026-03-02T08:00:00Z")
    (tmp_path / "feeds").mkdir()
    advisory = json.loads(min((ROOT / "samples" / "week" / "1-monday" / "ncsc-nl").glob("*.json")).read_text())
    advisory["document"]["distribution"]["tlp"]["label"] = "AMBER"  # what CLEAR rules leave to a person
    (tmp_path / "feeds" / "advisory.json").write_text(json.dumps(advisory))
    named = {"id": "kvk-12345678", "name": "Voorbeeld Metaal BV"}
    people = (json.dumps(each) for each in (*generate.subscribers(20, seed=1), named))
    (tmp_path / "subscribers.ndjson").write_text("\n".join(people))
    bom = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [{"name": "FortiOS"}]}
    (tmp_path / "bom.json").write_text(json.dumps(bom))
    ran = []
    for words in readme():
        if words[0] != "oktt" or words[1] == "run":
            continue
        shown = CliRunner().invoke(cli, words[1:])
        assert shown.exit_code == 0, (words, shown.output, shown.exception)
        ran.append(words[1])
        if words[1] == "init":
            settings = tmp_path / "var" / "oktt.toml"
            settings.write_text(settings.read_text() + "\n[app]\ntest_clock = true\n")
    assert {"init", "ingest", "release", "dispatch"} <= set(ran)


def test_no_address_of_an_index_in_the_locks() -> None:
    for lock in ROOT.glob("requirements*.txt"):
        text = lock.read_text()
        assert "://" not in text, lock.name
        assert text.count("--hash=sha256:") >= text.count("==")
