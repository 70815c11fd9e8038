"""The house itself: layers, names, one maker for each type that opens a door, documentation that is true."""

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

import pytest
import typer.main
from click import Command, Group
from typer.testing import CliRunner

from app.cli import cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
ROOMS: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]
MAKERS = {
    "Item": "pii_guard/guard.py",
    "Released": "triage/decide.py",
    "Permit": "tlp/enforce.py",
    "View": "dispatch/view.py",
}


def sources() -> list[Path]:
    return [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]


def commands() -> dict[str, Command]:
    """Every command by its full name: `subscribers import`."""
    found: dict[str, Command] = {}

    def walk(group: Group, prefix: str) -> None:
        for name, command in group.commands.items():
            full = f"{prefix}{name}"
            if isinstance(command, Group):
                walk(command, f"{full} ")
            else:
                found[full] = command

    root = typer.main.get_command(cli)
    assert isinstance(root, Group)
    walk(root, "")
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


@pytest.mark.parametrize(("name", "maker"), MAKERS.items())
def test_types_that_open_a_door_are_made_in_one_place(name: str, maker: str) -> None:
    made = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
                if called == name:
                    made.add(str(path.relative_to(ROOT)))
    assert made == {maker}


def test_a_contract_imports_no_submodule_of_its_own() -> None:
    for room in ROOMS:
        tree = ast.parse((ROOT / room / "__init__.py").read_text())
        for node in ast.walk(tree):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name == room or name.startswith(f"{room}.") for name in names), room


def test_only_table_owners_speak_sql() -> None:
    allowed = re.compile(r"^(app|web|config)/|^triage/(inbox|merging|decide)|^dispatch/|^ingest/(columns|cursors)|^subscribers/|^pii_guard/journal")
    for path in sources():
        if "sqlalchemy" in path.read_text():
            assert allowed.match(str(path.relative_to(ROOT))), f"{path} imports SQLAlchemy and owns no table"


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
    for told in re.findall(r"^### `oktt ([a-z -]+?)(?: [A-Z\[.].*)?`", (ROOT / "docs" / "commands.md").read_text(), re.M):
        assert told.strip() in known


def test_the_commands_of_the_readme_exist() -> None:
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    lines = [line.split(" #")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    seen = 0
    for line in lines:
        words = shlex.split(line)
        if words[0] == "make":
            assert set(words[1:]) <= targets, line
            seen += 1
        elif words[0] == "oktt":
            name = next((known for known in commands() if words[1:][: len(known.split())] == known.split()), None)
            assert name, line
            shown = CliRunner().invoke(cli, [*name.split(), "--help"])
            assert shown.exit_code == 0
            for flag in (word for word in words if word.startswith("--")):
                assert flag in shown.stdout, line
            seen += 1
    assert seen >= 5


def test_no_address_of_an_index_in_the_locks() -> None:
    for lock in ROOT.glob("requirements*.txt"):
        text = lock.read_text()
        assert "://" not in text, lock.name
        assert text.count("--hash=sha256:") >= text.count("==")
