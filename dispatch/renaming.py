"""Which id an object has in a collection: never one id and version with two contents.

Domain rules (TAXII): two readers' different cuts never share an id. So an object keeps the id its source gave it for
as long as that id and version mean the same bytes in every collection. Where a reader's cut of it differs (a
statement it may not see, addresses of its own), the object gets an id of that collection: a keyed hash of the
source's id, version-4 form, so that nobody can find the source's id or another reader's. From then on the object
keeps that id in that collection; what refers to it is rewritten, and becomes a cut itself where that changes it.
A renamed object is ours (STIX 2.1 3.6: only its creator makes versions): `created_by_ref` is the hub's identity.
"""

import hmac
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import sqlalchemy as sa

from dispatch.sequence import CHUNK, Prepared, published
from ingest.columns import instant_text, metadata
from tlp import Label
from tlp.markings import STIX_ID, definition

renamed = sa.Table(
    "renamed",
    metadata,
    sa.Column("collection", sa.String(36), primary_key=True),
    sa.Column("source_id", sa.String, primary_key=True),
    sa.Column("object_id", sa.String, nullable=False),
    sa.Column("generation", sa.Integer, nullable=False),
)
"""Objects that have an id of their own in a collection. `generation` rises when the id was revoked for good."""

HUB: dict[str, Any] = {
    "type": "identity",
    "spec_version": "2.1",
    "id": "identity--0d6c1f3e-8c5b-4f5a-9b1e-7a2d4e6f8a01",
    "created": "2026-01-01T00:00:00.000Z",
    "modified": "2026-01-01T00:00:00.000Z",
    "name": "OKTT",
    "identity_class": "organization",
}
"""Creator of what was cut for a reader."""

_TLP = {STIX_ID[label]: definition(label) for label in Label}
"""The five TLP markings mean the same everywhere, also where a source wrote them differently."""

_NAMES = sa.select(renamed.c.source_id, renamed.c.object_id, renamed.c.generation).where(
    renamed.c.collection == sa.bindparam("collection"), renamed.c.source_id.in_(sa.bindparam("keys", expanding=True))
)
_KNOWN = (
    sa.select(
        published.c.object_id, published.c.collection, published.c.seq, published.c.version,
        published.c.digest, published.c.withdrawn, published.c.revoked,
    )
    .where(published.c.object_id.in_(sa.bindparam("names", expanding=True)))
    .order_by(published.c.seq)
)  # fmt: skip
_OLDEST = datetime.min.replace(tzinfo=UTC)
_encode = msgspec.json.Encoder(order="deterministic").encode


class _Known(NamedTuple):
    """A row that was published before, in whatever collection."""

    collection: str
    seq: int
    version: datetime
    digest: bytes
    withdrawn: bool
    revoked: bool


@dataclass(slots=True)
class _Cut:
    """One object on its way: as the view has it, and as it will be."""

    key: str
    """The source's id; with a hash behind it for a second object of the same id and version."""
    source: dict[str, Any]
    version: datetime | None
    text: str
    name: str
    renamed: bool = False
    body: bytes = b""
    digest: bytes = b""
    final: dict[str, Any] = field(default_factory=dict)


def prepare(
    conn: sa.Connection, collection: str, salt: bytes, objects: Sequence[dict[str, Any]], now: datetime
) -> list[Prepared]:
    """Objects of a view -> what has to stand in the collection for it, each once. Under the lock."""
    cuts = _distinct(objects)
    names = _Names(conn, collection, salt)
    names.load(cuts)
    _settle(cuts, names)
    return [_finished(cut, names.here(cut.name), now) for cut in cuts]


def version_of(obj: dict[str, Any]) -> tuple[datetime | None, str]:
    """(instant, text as it stands) of an object's version; (None, "") when it has none (most SCOs)."""
    text = obj.get("modified") or obj.get("created")
    try:
        moment = msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return None, ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC), text or ""


def later(version: datetime, now: datetime) -> tuple[datetime, str]:
    """A version of ours after `version`: now, in STIX's milliseconds, or a millisecond later if that has been."""
    after = max(now, version + timedelta(milliseconds=1))
    after = after.replace(microsecond=after.microsecond // 1000 * 1000)
    return after, stated(after)


def stated(version: datetime) -> str:
    """How a version of ours stands in an object: in milliseconds."""
    return instant_text(version)[:23] + "Z"


def serialised(obj: dict[str, Any]) -> bytes:
    """The bytes of an object: the same for the same content, however its properties were ordered."""
    return _encode(obj)


def _distinct(objects: Iterable[dict[str, Any]]) -> list[_Cut]:
    """The newest version of each object. Real bundles hold two objects of one id and version: the first keeps its
    name, each further one gets a name by its content."""
    newest: dict[str, dict[bytes, _Cut]] = {}
    for given in objects:
        obj = _TLP.get(given["id"], given)
        version, text = version_of(obj)
        digest = sha256(_encode(obj)).digest()
        alike = newest.setdefault(obj["id"], {})
        known = next((cut.version for cut in alike.values()), None)
        if alike and (version or _OLDEST) < (known or _OLDEST):
            continue
        if alike and (version or _OLDEST) > (known or _OLDEST):
            alike.clear()
        key = _content_key(obj["id"], digest) if alike else obj["id"]
        alike.setdefault(digest, _Cut(key, obj, version, text, obj["id"]))
    return [cut for alike in newest.values() for cut in alike.values()]


def _content_key(object_id: str, digest: bytes) -> str:
    return f"{object_id}#{digest.hex()[:32]}"


class _Names:
    """Which names are taken, and for what."""

    def __init__(self, conn: sa.Connection, collection: str, salt: bytes) -> None:
        self._conn, self._collection, self._salt = conn, collection, salt
        self._known: dict[str, list[_Known]] = defaultdict(list)
        self._renamed: dict[str, tuple[str, int]] = {}

    def load(self, cuts: Sequence[_Cut]) -> None:
        """Read what was published under these ids, and give the names that they have here already."""
        for keys in _chunks(sorted({cut.key for cut in cuts})):
            found = self._conn.execute(_NAMES, {"collection": self._collection, "keys": keys})
            self._renamed |= {key: (name, number) for key, name, number in found}
        self._read({cut.name for cut in cuts} | {name for name, _ in self._renamed.values()})
        for cut in cuts:
            if cut.key in self._renamed or "#" in cut.key:
                self.rename(cut)

    def _read(self, names: set[str]) -> None:
        for some in _chunks(sorted(names)):
            for object_id, *rest in self._conn.execute(_KNOWN, {"names": some}):
                self._known[object_id].append(_Known(*rest))

    def here(self, name: str) -> list[_Known]:
        """Rows of this collection under a name, in order."""
        return [row for row in self._known[name] if row.collection == self._collection]

    def conflict(self, cut: _Cut) -> bool:
        """Would this id mean two things, or rise from revocation (STIX 2.1 3.6: revoked is for good)?"""
        if cut.version is None:
            return any(row.digest != cut.digest for row in self._known[cut.name])
        twice = any(row.version == cut.version and row.digest != cut.digest for row in self._known[cut.name])
        return twice or self._dead(cut.name, cut)

    def _dead(self, name: str, cut: _Cut) -> bool:
        own = self.here(name)
        return bool(own) and own[-1].revoked and not cut.source.get("revoked")

    def rename(self, cut: _Cut) -> None:
        """Give a cut the name that it has, or gets, in this collection."""
        if cut.version is not None and "modified" not in cut.source:
            self._rename_unchanging(cut)
            return
        name, generation = self._renamed.get(cut.key, ("", 0))
        if not name or self._dead(name, cut):
            generation += 1
            name = self._mint(cut.key, cut.source["id"], generation)
            self._save(cut.key, name, generation)
        cut.name, cut.renamed = name, True

    def _rename_unchanging(self, cut: _Cut) -> None:
        """A marking definition has no second version: other content is another name, found by the content alone."""
        key = cut.key if "#" in cut.key else _content_key(cut.key, sha256(_encode(cut.source)).digest())
        cut.name, cut.renamed = self._mint(key, cut.source["id"], 1), True
        if cut.name not in self._known:
            self._read({cut.name})

    def _mint(self, key: str, object_id: str, generation: int) -> str:
        digest = hmac.digest(self._salt, f"{generation}|{key}".encode(), "sha256")
        return f"{object_id.partition('--')[0]}--{UUID(bytes=digest[:16], version=4)}"

    def _save(self, key: str, name: str, generation: int) -> None:
        self._renamed[key] = (name, generation)
        if generation > 1:
            where = sa.and_(renamed.c.collection == self._collection, renamed.c.source_id == key)
            self._conn.execute(sa.delete(renamed).where(where))
        row = {"collection": self._collection, "source_id": key, "object_id": name, "generation": generation}
        self._conn.execute(sa.insert(renamed).values(**row))


def _settle(cuts: Sequence[_Cut], names: _Names) -> None:
    """Rename until nothing conflicts. Each round touches only what refers to what the last round renamed."""
    mapping = {cut.source["id"]: cut.name for cut in cuts if cut.renamed and cut.key == cut.source["id"]}
    dirty: Iterable[_Cut] = cuts
    referrers: dict[str, list[_Cut]] | None = None
    while dirty:
        fresh = []
        for cut in dirty:
            _rewrite(cut, mapping)
            if not cut.renamed and names.conflict(cut):
                fresh.append(cut)
        for cut in fresh:
            names.rename(cut)
            mapping[cut.source["id"]] = cut.name
        if fresh and referrers is None:
            referrers = _referrers(cuts)
        touched = {id(cut): cut for cut in fresh}
        for cut in fresh:
            touched |= {id(other): other for other in (referrers or {}).get(cut.source["id"], ())}
        dirty = list(touched.values())


def _rewrite(cut: _Cut, mapping: dict[str, str]) -> None:
    final = _substituted(cut.source, mapping) if mapping else cut.source
    if cut.renamed:
        final = final | {"id": cut.name}
        if "created_by_ref" in final:
            final["created_by_ref"] = HUB["id"]
    cut.final, cut.body = final, _encode(final)
    cut.digest = sha256(cut.body).digest()


def _substituted(value: Any, mapping: dict[str, str]) -> Any:
    """The same value with ids exchanged wherever a whole string is one."""
    if isinstance(value, str):
        return mapping.get(value, value)
    if isinstance(value, dict):
        return {key: _substituted(each, mapping) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_substituted(each, mapping) for each in value]
    return value


def _referrers(cuts: Sequence[_Cut]) -> dict[str, list[_Cut]]:
    ids = {cut.source["id"] for cut in cuts}
    found: dict[str, list[_Cut]] = defaultdict(list)
    for cut in cuts:
        for name in set(_strings(cut.source)) & ids:
            found[name].append(cut)
    return found


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)


def _finished(cut: _Cut, here: Sequence[_Known], now: datetime) -> Prepared:
    """As it will stand. A renamed object that returns to earlier content is a new version of it."""
    live = [row for row in here if not row.withdrawn]
    candidates = live[-1:] if cut.renamed else live
    stands = next((row for row in candidates if row.digest == cut.digest), None)
    same = None if stands is None else stands.seq
    version, text, body, replaces = cut.version, cut.text, cut.body, None
    if stands is not None and version is not None and stands.version != version:  # a version that we made
        version, text = stands.version, stated(stands.version)
        body = _encode(cut.final | {"modified": text})
    elif stands is None and version is not None:
        if cut.renamed and "modified" in cut.final and any(row.version >= version for row in here):
            version, text = later(max(row.version for row in here), now)
            body = _encode(cut.final | {"modified": text})
        else:
            replaces = next((row.seq for row in here if row.version == version), None)
    spec, revoked = cut.final.get("spec_version", "2.1"), cut.final.get("revoked") is True
    return Prepared(cut.name, version, text, spec, cut.digest, body, revoked, cut.renamed, same, replaces)


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]
