"""TOML with the place of each key: errors name file, line and key, never a value, and say what may stand there."""

import re
import tomllib
from pathlib import Path
from typing import Any, TypeVar, get_args

import msgspec

from config import ConfigError
from tlp import Label

T = TypeVar("T")


def _told(text: str, shape: Any, at: str) -> str:
    """What msgspec says of a value, without the value; and what may stand there instead, where that is a short list."""
    plain = re.sub(r"^Invalid enum value .*$", "not one of the values that are possible", text, flags=re.DOTALL)
    for name in at.split(".") if plain != text else ():
        struct = next(each for each in (shape, *get_args(shape)) if hasattr(each, "__struct_fields__"))
        shape = next(field.type for field in msgspec.structs.fields(struct) if field.name == name)
    values = [label.value for label in Label] if shape is Label else [*get_args(shape)]
    values += [value for inner in get_args(shape) for value in get_args(inner)]
    names = " ".join(value for value in values if isinstance(value, str))
    return f"{plain}; use {names}" if names else f"{plain}; correct it"


class Toml:
    """TOML text, and where its keys stand. `above`: how many lines of the file stand before it."""

    def __init__(self, path: Path, text: str, above: int = 0) -> None:
        self.path, self.text, self.above = path, text, above

    def parsed(self) -> dict[str, Any]:
        """What it says. Raises ConfigError with the line."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            where = re.search(r"line (\d+)", str(error))
            reason = re.sub(r"\s*\(at .*\)$", "", str(error))
            line = (int(where.group(1)) if where else 1) + self.above
            raise ConfigError(f"{self.path}:{line}: not TOML: {reason}; correct it") from None

    def read(self, shape: type[T], values: Any = None, table: str = "") -> T:
        """All of it, or `values` of a table in it, as that type. Raises ConfigError with line and key."""
        try:
            return msgspec.convert(self.parsed() if values is None else values, shape)
        except msgspec.ValidationError as error:
            text, _, at = str(error).partition(" - at `$")
            where = re.sub(r"\[(\d+)\]", r".\1", at).rstrip("`").lstrip(".")
            at = re.sub(r"\[[^\]]*\]", "", at).rstrip("`").lstrip(".")
            unknown = re.search(r"unknown field `([^`]*)`", text)
            key, placed = (
                ".".join(part for part in (table, path, unknown.group(1) if unknown else "") if part)
                for path in (at, where)
            )
            reason = "unknown key; remove it or correct its spelling" if unknown else _told(text, shape, at)
            raise ConfigError(f"{self.path}:{self.line(placed)}: {key}: {reason}") from None

    def only(self, whole: dict[str, Any], *allowed: str) -> None:
        """Raise ConfigError for a key beside those that this file holds."""
        for key in whole:
            if key not in allowed:
                held = " and ".join(allowed)
                raise ConfigError(f"{self.path}:{self.line(key)}: {key}: unknown key; this file holds only {held}")

    def placed(self, text: str) -> ConfigError:
        """What the policy says of a key (`FILE: KEY: reason`), with this file's name and the key's line."""
        key, _, reason = re.sub(r"^.*?\.toml: ", "", text).partition(": ")
        dotted = re.sub(r"\[(\d+)\]", r".\1", key)
        return ConfigError(f"{self.path}:{self.line(dotted)}: {key}: {reason}")

    def line(self, key: str) -> int:
        """The line on which a dotted key stands, or that of the nearest table above it; 1 when neither is found."""
        parts = key.split(".")
        table: list[str] = []
        counts: dict[tuple[str, ...], int] = {}
        best = (0, 1 + self.above)
        for number, line in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*(\[\[?)\s*([^\]]+?)\s*\]", line):
                table = [part.strip(" \"'") for part in header.group(2).split(".")]
                if header.group(1) == "[[":
                    array = tuple(table)
                    counts[array] = counts.get(array, -1) + 1
                    table = [*array, str(counts[array])]
                here = table
            elif assigned := re.match(r"\s*([\w\-.\"']+)\s*=", line):
                here = [*table, *(part.strip(" \"'") for part in assigned.group(1).split("."))]
            else:
                continue
            if here == parts[: len(here)] and len(here) > best[0]:
                best = (len(here), number + self.above)
        return best[1]
