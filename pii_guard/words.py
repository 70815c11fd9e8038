"""Words that tell recognisers apart what looks alike: `words.toml`, as sets."""

import tomllib
from importlib.resources import files

WORDS: dict[str, frozenset[str]] = {
    name: frozenset(word.strip() for word in words.replace("\n", " ").split(","))
    for name, words in tomllib.loads((files("pii_guard") / "words.toml").read_text("utf-8")).items()
}
