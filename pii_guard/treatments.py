"""How each kind of property is treated: the words of `pii_guard.paths`, as functions.

A treatment takes the Walk (which object, which draft), a value and its path below the object; it gives back what may
stay, the very same object when nothing changed, or GONE.
"""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

from normalize import Role
from normalize.patterns import PatternValue
from pii_guard import Category
from pii_guard.paths import CATEGORY_OF_TYPE, EXTENSIONS, NESTED, PERSONAL_TYPES, PROPERTIES, Table
from pii_guard.patterns import Patterns
from pii_guard.policy import Ruling
from pii_guard.shapes import ALGORITHM, DIGEST, DOMAIN, HEX, ID, LANGUAGE, TIME, is_address
from pii_guard.values import Eraser
from tlp.markings import KNOWN


class _Gone:
    """Nothing of the value stays."""


GONE: Final = _Gone()
UNKNOWN = Ruling("strip", "unknown-property", "Only what is known to need no protection stays (AVG art. 25)")
NEVER = Ruling("strip", "never-kept", "Not needed for the notification (data minimisation, AVG art. 5(1)(c))")
_AUTHOR = re.compile(r"^[ \t]*(?:author|auteur|creator)\b[^\r\n]*", re.IGNORECASE | re.MULTILINE)
_SELECTOR = re.compile(r"[a-z0-9_-]{1,250}(?:\.(?:\[\d{1,6}\]|[A-Za-z0-9_-]{1,250})){0,20}").fullmatch
_HIVES = {
    "HKLM": "HKEY_LOCAL_MACHINE",
    "HKCU": "HKEY_CURRENT_USER",
    "HKCR": "HKEY_CLASSES_ROOT",
    "HKCC": "HKEY_CURRENT_CONFIG",
}
_TRANSLATED = frozenset({"name", "description", "abstract", "content", "explanation", "objective"})
_DATA = (bool, int, float)


class Walk:
    """Where a treatment is: the draft's eraser, ids and patterns, and the object in hand."""

    __slots__ = ("clean", "eraser", "ids", "index", "inner", "obj", "patterns", "times")

    def __init__(self, eraser: Eraser, ids: frozenset[str], patterns: Patterns) -> None:
        self.eraser, self.ids, self.patterns = eraser, ids, patterns
        self.clean: AbstractSet[str] = eraser.nothing_in
        self.times: set[str] = set()
        """Timestamps that were met before."""
        self.index = 0
        self.obj: Mapping[str, Any] = {}
        self.inner: list[tuple[dict[str, Any], str]] = []
        """References below the top level of the object in hand: the dict they stand in, and their key."""

    def role(self) -> Role:
        """Of the object in hand as a whole."""
        return self.eraser.roles.of_value("", "", str(self.obj.get("id", "")))

    def strip(self, ruling: Ruling, category: Category, path: str) -> _Gone:
        """Write down that something went."""
        self.eraser.ledger.record(category, "unknown", ruling, path, self.index)
        return GONE


Treat = Callable[[Walk, Any, str], Any]


def wrong(walk: Walk, path: str) -> _Gone:
    """A value of another type than STIX gives the property: unknown, so it goes."""
    return walk.strip(UNKNOWN, "free-text", path)


def plain(walk: Walk, value: Any, path: str) -> Any:
    """Numbers and true or false."""
    return value if isinstance(value, _DATA) else wrong(walk, path)


def time(walk: Walk, value: Any, path: str) -> Any:
    """A timestamp, by its form."""
    if type(value) is not str:
        return wrong(walk, path)
    if value not in walk.times:
        if not TIME(value):
            return wrong(walk, path)
        walk.times.add(value)
    return value


def hexadecimal(walk: Walk, value: Any, path: str) -> Any:
    """Hexadecimal digits; decimal ones alone are looked at as any number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and HEX(value):
        return value if not value.isdigit() or walk.eraser.clean(value, path, walk.index) else GONE
    return wrong(walk, path)


def hashes(walk: Walk, value: Any, path: str) -> Any:
    """Digests of known algorithms, by their form."""
    if not isinstance(value, dict):
        return wrong(walk, path)
    kept = {k: v for k, v in value.items() if isinstance(v, str) and ALGORITHM(k) and DIGEST(v)}
    if len(kept) == len(value):
        return value
    wrong(walk, f"{path}/*")
    return kept or GONE


def word(walk: Walk, value: Any, path: str) -> Any:
    """A term of a vocabulary, a language, a version of a specification."""
    if type(value) is str:
        return value if value in walk.clean or walk.eraser.clean(value, path, walk.index) else GONE
    return plain(walk, value, path)


def language(walk: Walk, value: Any, path: str) -> Any:
    """The tag of a language (RFC 5646)."""
    return value if isinstance(value, str) and LANGUAGE(value) else wrong(walk, path)


def term(walk: Walk, value: Any, path: str) -> Any:
    """The name of a thing."""
    if type(value) is str:
        return value if value in walk.clean else walk.eraser.text(value, path, walk.index)
    return wrong(walk, path)


def version(walk: Walk, value: Any, path: str) -> Any:
    """A version, CPE or software id."""
    if not isinstance(value, str):
        return plain(walk, value, path)
    kept = walk.eraser.version(value, path, walk.index)
    return GONE if kept is None else value


def prose(walk: Walk, value: Any, path: str) -> Any:
    """Free text that need not be there."""
    if not isinstance(value, str):
        return wrong(walk, path)
    kept = walk.eraser.prose(value, path, walk.index)
    return GONE if kept is None else kept


def title(walk: Walk, value: Any, path: str) -> Any:
    """Free text that has to be there."""
    kept = prose(walk, value, path)
    return walk.eraser.withheld() if kept is GONE else kept


def url(walk: Walk, value: Any, path: str) -> Any:
    """A URL that points at more."""
    if not isinstance(value, str):
        return wrong(walk, path)
    kept = walk.eraser.reference(value, path, walk.index)
    return GONE if kept is None else kept


def observed_url(walk: Walk, value: Any, path: str) -> Any:
    """A URL that is itself what was seen."""
    if not isinstance(value, str):
        return wrong(walk, path)
    role = walk.eraser.roles.of_value("url", value, str(walk.obj.get("id", "")))
    kept = walk.eraser.observed_url(value, role, path, walk.index)
    return GONE if kept is None else kept


def file_path(walk: Walk, value: Any, path: str) -> Any:
    """A path, file name or registry key."""
    if not isinstance(value, str):
        return wrong(walk, path)
    return walk.eraser.file_path(value, walk.role(), path, walk.index)


def registry_key(walk: Walk, value: Any, path: str) -> Any:
    """A registry key, with its hive's full name (STIX 2.1 6.16)."""
    if isinstance(value, str):
        hive, rest = value[:4].upper(), value[4:]
        if hive in _HIVES and rest[:1] in ("", "\\"):
            value = _HIVES[hive] + rest
        elif value[:3].upper() == "HKU" and value[3:4] in ("", "\\"):
            value = f"HKEY_USERS{value[3:]}"
    return file_path(walk, value, path)


def registry_data(walk: Walk, value: Any, path: str) -> Any:
    """What a registry value holds: anything, so it is read as prose."""
    return prose(walk, value, path) if isinstance(value, str) else plain(walk, value, path)


def domain(walk: Walk, value: Any, path: str) -> Any:
    """A domain name, which may hold an address."""
    if isinstance(value, str):
        return value if DOMAIN(value) or walk.eraser.clean(value, path, walk.index) else GONE
    return wrong(walk, path)


def account(walk: Walk, value: Any, path: str) -> Any:
    """The name of an account."""
    if not isinstance(value, str):
        return wrong(walk, path)
    return value if walk.eraser.action("username", walk.role(), path, walk.index, value=value) == "keep" else GONE


def reference(walk: Walk, value: Any, path: str) -> Any:
    """A reference to an object: within the draft, or to something that is nobody's."""
    if not isinstance(value, str):
        return wrong(walk, path)
    if value in walk.ids or of_nobody(value):
        return value
    parsed = ID(value)
    if parsed is None or parsed[1] not in PERSONAL_TYPES:
        return wrong(walk, path)
    category = CATEGORY_OF_TYPE.get(parsed[1], "url-personal")
    ruling = walk.eraser.rulings[category, "unknown"]
    return value if ruling.action == "keep" else walk.strip(ruling, category, path)


def of_nobody(identifier: str) -> bool:
    """Is this the id of an object that gives nobody away? An identity's UUIDv5 is made of a value: perhaps a name."""
    parsed = ID(identifier)
    if parsed is None:
        return False
    kind, uuid_version = parsed.groups()
    return kind in TREATMENTS and kind not in PERSONAL_TYPES and (kind != "identity" or uuid_version == "4")


def references(walk: Walk, value: Any, path: str) -> Any:
    """A list of references."""
    if not isinstance(value, list):
        return wrong(walk, path)
    kept = [ref for ref in value if reference(walk, ref, path) is not GONE]
    return value if len(kept) == len(value) else kept or GONE


def markings(walk: Walk, value: Any, path: str) -> Any:
    """References to marking definitions; those outside the draft may be known to the reader."""
    if not isinstance(value, list):
        return wrong(walk, path)
    kept = [ref for ref in value if is_marking(ref)]
    return value if len(kept) == len(value) else kept or GONE


def is_marking(ref: Any) -> bool:
    """Is this the id of a marking definition?"""
    return isinstance(ref, str) and (ref in KNOWN or (ref.startswith("marking-definition--") and ID(ref) is not None))


def granular(walk: Walk, value: Any, path: str) -> Any:
    """Granular markings stay whole, for `pii_guard.redact` to lift to the object when it changed.

    One whose selectors are not what they should be keeps its marking alone, which lifts it (stricter).
    """
    if not isinstance(value, list):
        return wrong(walk, path)
    if all(_is_granular(walk, entry, path) for entry in value):
        return value
    refs = [entry.get("marking_ref") for entry in value if isinstance(entry, dict)]
    wrong(walk, path)
    return [{"marking_ref": ref} for ref in refs if isinstance(ref, str) and ID(ref)] or GONE


def _is_granular(walk: Walk, entry: Any, path: str) -> bool:
    if not isinstance(entry, dict) or not entry.keys() <= {"marking_ref", "selectors", "lang"}:
        return False
    selectors, lang, ref = entry.get("selectors"), entry.get("lang", "en"), entry.get("marking_ref")
    if not isinstance(selectors, list) or not (isinstance(lang, str) and LANGUAGE(lang)):
        return False
    if ref is not None and not (isinstance(ref, str) and ref.startswith("marking-definition--") and ID(ref)):
        return False
    return all(isinstance(s, str) and _SELECTOR(s) and walk.eraser.clean(s, path, walk.index) for s in selectors)


def identifier(_walk: Walk, value: Any, _path: str) -> Any:
    """The object's own id and type, which were read before."""
    return value


def never(category: Category) -> Treat:
    """What is never kept: that it was there is all that stays."""

    def treat(walk: Walk, value: Any, path: str) -> Any:
        ruling = walk.eraser.rulings[category, "unknown"]
        if isinstance(value, str):
            walk.eraser.mark(category, ruling, value)
        return walk.strip(ruling if ruling.action in ("strip", "refuse") else NEVER, category, path)

    return treat


def address(category: Category) -> Treat:
    """An address as an object of its own."""

    def treat(walk: Walk, value: Any, path: str) -> Any:
        if not isinstance(value, str) or not is_address(category, value):
            return wrong(walk, path)
        role = walk.eraser.roles.of_value(str(walk.obj.get("type")), value, str(walk.obj.get("id", "")))
        return value if walk.eraser.action(category, role, path, walk.index, value=value) == "keep" else GONE

    return treat


def pattern(walk: Walk, value: Any, path: str) -> Any:
    """A pattern, without the comparisons whose values may not stay; nothing left: GONE."""
    if not isinstance(value, str):
        return wrong(walk, path)
    if walk.obj.get("pattern_type", "stix") != "stix":
        if walk.eraser.wordless:  # a rule file names its author, and anybody else
            return prose(walk, value, path)
        return _AUTHOR.sub("", value) if walk.eraser.clean(_AUTHOR.sub("", value), path, walk.index) else GONE
    read = walk.patterns.reading(value)
    if read is None:
        return walk.strip(UNKNOWN, "free-text", path)
    kept = read.without(lambda compared: not may_compare(walk, compared, path))
    return GONE if kept is None else kept


def may_compare(walk: Walk, compared: PatternValue, path: str) -> bool:
    """May this comparison stay in a pattern?"""
    kind, value, eraser = compared.type, compared.value, walk.eraser
    place = walk.patterns.place(kind, compared.path)
    if not place.allowed:
        return walk.strip(UNKNOWN, "free-text", path) is not GONE
    if place.forbidden is not None:
        never(place.forbidden)(walk, value, path)
        return False
    if not place.plain:  # a name in quotes can be anything
        return walk.strip(UNKNOWN, "free-text", path) is not GONE
    if not isinstance(value, str):
        return True
    if (place.first == "hashes" and DIGEST(value)) or (kind == "domain-name" and DOMAIN(value)):
        return True
    role = eraser.roles.of_value(kind, value)
    if place.category is not None:
        return eraser.action(place.category, role, path, walk.index, value=value) == "keep"
    if kind == "url":
        return eraser.observed_url(value, role, path, walk.index) == value
    bare = value.replace("\\", "") if compared.operator in ("MATCHES", "LIKE") else value
    if kind in ("file", "directory", "windows-registry-key", "process"):
        return eraser.file_path(bare, role, path, walk.index) == bare
    return eraser.clean(bare, path, walk.index)


def extensions(walk: Walk, value: Any, path: str) -> Any:
    """Known extensions; every other goes."""
    if not isinstance(value, dict):
        return wrong(walk, path)
    kept: dict[str, Any] = {}
    for name, content in value.items():
        treat = _EXTENSIONS.get(name)
        stays = GONE if treat is None else treat(walk, content, f"{path}/{name}")
        if treat is None:
            walk.strip(UNKNOWN, "free-text", f"{path}/*")
        if stays is not GONE:
            kept[name] = stays
    return (value if kept == value and not walk.inner else kept) if kept else GONE


def contents(walk: Walk, value: Any, path: str) -> Any:
    """Translations of texts, by language and property."""
    if not isinstance(value, dict):
        return wrong(walk, path)
    kept = {}
    for language, texts in value.items():
        if not LANGUAGE(language) or not isinstance(texts, dict):
            wrong(walk, f"{path}/*")
            continue
        stay = {key: prose(walk, text, f"{path}/*/{key}") for key, text in texts.items() if key in _TRANSLATED}
        if len(stay) < len(texts):
            wrong(walk, f"{path}/*/*")
        stay = {key: text for key, text in stay.items() if text is not GONE}
        if stay:
            kept[language] = stay
    return (value if kept == value else kept) if kept else GONE


def nested(table: Mapping[str, Treat]) -> Treat:
    """An object within an object."""

    def treat(walk: Walk, value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            return wrong(walk, path)
        kept: dict[str, Any] = {}
        same = True
        for key, content in value.items():
            inner = table.get(key)
            if inner is None:
                walk.strip(UNKNOWN, "free-text", f"{path}/*")
                same = False
                continue
            stays = inner(walk, content, f"{path}/{key}")
            if stays is not content:
                same = False
            if stays is not GONE:
                kept[key] = stays
                if inner is _inside or inner is _inside_one:
                    walk.inner.append((kept, key))
                    same = False
        return value if same else kept or GONE

    return treat


def each(treat: Treat, below: str = "/*") -> Treat:
    """Every element of a list; what is left of them."""

    def treat_list(walk: Walk, value: Any, path: str) -> Any:
        if not isinstance(value, list):
            return wrong(walk, path)
        same, kept, inner = True, [], path + below
        for element in value:
            stays = treat(walk, element, inner)
            if stays is not element:
                same = False
            if stays is not GONE:
                kept.append(stays)
        return value if same else kept or GONE

    return treat_list


def external_references(walk: Walk, value: Any, path: str) -> Any:
    """References to other sources; one of which only its source's name is left goes (STIX 2.1 2.5)."""
    kept = _EXTERNAL(walk, value, path)
    if kept is GONE or kept is value:
        return kept
    return [
        entry for entry in kept if entry.keys() & {"url", "external_id", "description"} and "source_name" in entry
    ] or GONE


def _inside(walk: Walk, value: Any, path: str) -> Any:
    return references(walk, value, path)


def _inside_one(walk: Walk, value: Any, path: str) -> Any:
    return reference(walk, value, path)


_SIMPLE: dict[str, Treat] = {
    "id": identifier,
    "type": identifier,
    "plain": plain,
    "time": time,
    "hex": hexadecimal,
    "hashes": hashes,
    "word": word,
    "language": language,
    "words": each(word, ""),
    "term": term,
    "terms": each(term, ""),
    "version": version,
    "prose": prose,
    "title": title,
    "url": url,
    "url-sco": observed_url,
    "file-path": file_path,
    "registry-key": registry_key,
    "registry-data": registry_data,
    "domain": domain,
    "account": account,
    "ref": reference,
    "refs": references,
    "ref-inside": _inside_one,
    "refs-inside": _inside,
    "markings": markings,
    "granular": granular,
    "pattern": pattern,
    "extensions": extensions,
    "contents": contents,
    "list:external-reference": external_references,
}


def _compiled(name: str) -> Treat:
    if name in _SIMPLE:
        return _SIMPLE[name]
    kind, _, argument = name.partition(":")
    if kind == "never":
        return never(argument)  # type: ignore[arg-type]
    if kind == "address":
        return address(argument)  # type: ignore[arg-type]
    if kind == "list-of":
        return each(_compiled(argument))
    table = nested(_table(NESTED[argument]))
    return each(table) if kind == "list" else table


def _table(table: Table) -> dict[str, Treat]:
    return {key: _compiled(name) for key, name in table.items()}


_EXTERNAL: Treat = each(nested(_table(NESTED["external-reference"])))
_EXTENSIONS: dict[str, Treat] = {name: nested(_table(table)) for name, table in EXTENSIONS.items()}
TREATMENTS: dict[str, dict[str, Treat]] = {kind: _table(table) for kind, table in PROPERTIES.items()}
"""Object type -> property -> how it is treated."""
REFERENCES: dict[str, tuple[tuple[str, bool], ...]] = {
    kind: tuple(
        (key, name in ("refs", "markings")) for key, name in table.items() if name in ("ref", "refs", "markings")
    )
    for kind, table in PROPERTIES.items()
}
"""Object type -> its properties that refer to others; whether each is a list."""
