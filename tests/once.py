"""A program compiles its commands, templates and SQL once, and reads its settings once; the tests make thousands of
instances in one process. What came of the same text before is taken again: by the text, never by the file's name."""

import pickle
import tomllib
from collections import UserDict
from functools import cache
from typing import Any

import jinja2
import sqlalchemy as sa
import typer.main

typer.main.get_command = cache(typer.main.get_command)

_parse = tomllib.loads


@cache
def _pickled(text: str) -> bytes:
    return pickle.dumps(_parse(text))


def _loads(text: str, /) -> dict[str, Any]:
    """A table of one's own, to change at will."""
    found: dict[str, Any] = pickle.loads(_pickled(text))
    return found


tomllib.loads = _loads  # type: ignore[assignment]

_compile = jinja2.Environment.compile
_compiled: dict[tuple[Any, ...], Any] = {}


def _template(self: jinja2.Environment, source: Any, name: Any = None, filename: Any = None, *more: Any) -> Any:
    if not isinstance(source, str) or more:
        return _compile(self, source, name, filename, *more)
    escaped = self.autoescape(name) if callable(self.autoescape) else self.autoescape
    key = (source, name, filename, escaped, self.trim_blocks, self.lstrip_blocks, frozenset(self.filters))
    if key not in _compiled:
        _compiled[key] = _compile(self, source, name, filename)
    return _compiled[key]


jinja2.Environment.compile = _template  # type: ignore[method-assign]


class _Statements(UserDict[tuple[Any, ...], Any]):
    """Compiled statements by what they say; each engine has a dialect of its own, which is left out."""

    def get(self, key: tuple[Any, ...], default: Any = None) -> Any:
        return self.data.get(key[1:], default)

    def __setitem__(self, key: tuple[Any, ...], item: Any) -> None:
        self.data[key[1:]] = item


_statements = {name: _Statements() for name in ("sqlite", "postgresql")}


def _share(connection: sa.Connection) -> None:
    kept = _statements[connection.dialect.name]
    connection.execution_options(compiled_cache=kept)


sa.event.listen(sa.Engine, "engine_connect", _share)
