"""A CSAF provider (CSAF 2.0 section 7): what it lists and has changed, each document held against hash and signature.

Documents come oldest change first, so that all before the last one taken is known. The position remembers which of the
newest were taken, not a moment alone: providers list what is a week old today. What is listed and not given (perhaps
restricted), or is not what its hash or signature says, is refused by itself and asked for again.
"""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from hashlib import blake2b
from urllib.parse import urljoin, urlsplit

import msgspec
from msgspec import Struct

from ingest import Expected, Feed, Given, RawDocument, Reached, Source, SourceError, Unreadable
from ingest.archives import Limits
from ingest.csaf_lists import Flaw, Listed, ListError, Provider, changes, index, kind_of_hash, listing, provider, rolie
from ingest.http import StatusError, TooMuchError, Web
from ingest.live import Live
from ingest.opening import Opener
from ingest.signatures import certificates, same_hash, signed
from tlp import Label, strictest

WELL_KNOWN = "/.well-known/csaf/provider-metadata.json"
BATCH = 20
"""Documents between two positions."""
KEPT = 2500
"""Documents, the newest, that a position remembers one by one; what is older than those is taken to be known."""
AGAIN = 500
"""Documents that are asked for again."""
TROUBLE = 3
"""Documents in a row that cannot be had: then it is the source."""
RECHECK = timedelta(days=1)
"""How often a document is asked for again of which no list says when it changed."""
SKEW = timedelta(hours=1)
"""How far clocks may be apart."""
MOST_KEYS, KEY, BESIDE = 20, 1 << 20, 64 << 10
"""OpenPGP keys of a provider; bytes of one, and of a hash or signature. What is longer is read no further, and is
none."""
_RESTRICTED = {401, 403, 404, 410}


class Position(Struct, frozen=True):
    """What was taken."""

    provider: str = ""
    """A hash of its address: what was taken of another means nothing."""
    floor: datetime | None = None
    last: str = ""
    """What changed before `floor` is known, and of what changed at that moment what sorts up to this."""
    seen: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    checked: datetime | None = None
    """When documents without a time were last asked for, all of them."""
    unsigned: bool = False
    """It was told that there are documents without a signature that can be checked."""


class CsafReader(Live):
    """One poll of a provider. `key` keys the hashes of names and contents."""

    def read(self, position: str = "") -> Iterator[Given]:
        """Documents that are new or changed. Raises SourceError."""
        limits = Limits(max_bytes=self._feed.max_bytes)
        opener = Opener(self._source, key=self._key, clock=self._clock, limits=limits)
        with Web(self._source, clock=self._clock, bounds=self._bounds) as web:
            yield from _Pull(web, self._source, self._feed, opener, self._clock()).given(position)


class _Pull:
    """One poll while it lasts."""

    def __init__(self, web: Web, source: Source, feed: Feed, opener: Opener, now: datetime) -> None:
        self._web, self._source, self._feed, self._opener, self._now = web, source, feed, opener, now
        self._known = Position()
        self._taken, self._again = set[str](), set[str]()
        self._unsigned = False
        self._keys = certificates(b"", "")
        self._error: SourceError | None = None
        """Of a list that could not be read: told at the end, when what the others list was taken."""

    def given(self, position: str) -> Iterator[Given]:
        """What changed, and positions between."""
        self._recall(position)
        found = self._provider()
        for url, fingerprint in found.keys[:MOST_KEYS]:
            self._keys += certificates(self._beside(url, KEY) or b"", fingerprint)
        listed: dict[str, Listed] = {}
        # What stands in two lists has the stricter label.
        for url, label in sorted(found.feeds or found.folders, key=lambda each: each[1].rank if each[1] else -1):
            try:
                documents, flaws = self._feed_of(url, label) if found.feeds else self._folder(url, label)
            except SourceError as error:
                self._error = self._error or error
                continue
            yield from (Unreadable(self._opener.origin(url), "fetch", each.reason, each.path) for each in flaws)
            listed |= {each.url: each for each in documents}
        ordered = sorted(listed.values(), key=lambda each: (each.at is not None, each.at or self._now, _token(each)))
        yield from self._changed(ordered)
        if self._error is not None:
            raise self._error

    def _changed(self, ordered: list[Listed]) -> Iterator[Given]:
        """Documents oldest change first. One that cannot be had is told once another can: perhaps it is the source.
        Those that could not be had before come last, so that they keep nothing newer out."""
        wanted = sorted((each for each in ordered if self._wanted(each)), key=lambda each: _token(each) in self._again)
        yield Expected(len(wanted))
        trouble: list[Unreadable] = []
        for number, each in enumerate(wanted, 1):
            self._web.adapter.until()
            try:
                document = self._document(each)
            except SourceError as error:
                trouble.append(self._refused(each, f"cannot be had ({_plain(error, self._source)})"))
                if _of_source(error) or len(trouble) == TROUBLE:
                    yield self._reached(ordered, done=False)
                    raise
                continue
            yield from trouble
            trouble = []
            if isinstance(document, RawDocument) and self._unsigned and not self._known.unsigned:
                yield self._without_signature()
            if document is not None:
                yield document
            if number % BATCH == 0:
                yield self._reached(ordered, done=False)
        yield from trouble
        yield self._reached(ordered, done=True)

    def _document(self, each: Listed) -> RawDocument | Unreadable | None:
        """One document, if it changed and is what hash and signature say. Raises SourceError when it cannot be had."""
        try:
            answer = self._web.get(each.url, self._conditions(each))
        except StatusError as error:
            if error.status not in _RESTRICTED:
                raise
            return self._refused(each, f"listed, and not given ({error.status}): perhaps restricted")
        if answer.status == 304:
            self._took(each)
            return None
        if not self._same_hash(each, answer.body):
            return self._refused(each, "not what its hash says")
        signature = self._beside(each.signature, BESIDE) if each.signature and self._keys else None
        if signature is None:
            self._unsigned = True
        elif not signed(answer.body, signature, self._keys):
            return self._refused(each, "its OpenPGP signature is not right")
        self._took(each)
        document = self._opener.document(self._origin(each), answer.body)
        if each.label is None or isinstance(document, Unreadable):
            return document
        # What carries no label of its own has that of its list, and never a wider one than its source's.
        return replace(document, source=replace(self._source, tlp=strictest([self._source.tlp, each.label])))

    def _same_hash(self, each: Listed, body: bytes) -> bool:
        """Against the better hash that there is; none is none."""
        for url in each.hashes:
            if (said := self._beside(url, BESIDE)) is not None:
                return same_hash(body, kind_of_hash(url), said)
        return True

    def _beside(self, url: str, most: int | None = None) -> bytes | None:
        """A file that belongs to others, of at most so many bytes (empty: it has more); None: there is none."""
        try:
            return self._web.get(url, most=most).body
        except TooMuchError:
            if most is None:
                raise
            return b""
        except StatusError as error:
            if error.status not in _RESTRICTED:
                raise
            return None

    def _provider(self) -> Provider:
        url = self._feed.url
        path = urlsplit(url).path
        if path.endswith("/") and path != "/":
            return Provider((), ((url, None),), ())
        answer = self._web.get(urljoin(url, WELL_KNOWN) if path in ("", "/") else url)
        try:
            return provider(answer.body, answer.url)
        except ListError as error:
            raise self._wrong("what lies at its address", error) from None

    def _feed_of(self, url: str, label: Label | None) -> tuple[list[Listed], list[Flaw]]:
        try:
            answer = self._web.get(url)
        except StatusError as error:
            if error.status in (401, 403) and label not in (None, Label.CLEAR):
                return [], []  # a feed for others than us
            raise
        try:
            return rolie(answer.body, answer.url, label)
        except ListError as error:
            raise self._wrong("a feed of its", error) from None

    def _folder(self, url: str, label: Label | None) -> tuple[list[Listed], list[Flaw]]:
        """By changes.csv; where there is none by index.txt, which tells no times; or as the web server lists it."""
        try:
            if (body := self._beside(urljoin(url, "changes.csv"))) is not None:
                return changes(body, url, label)
        except ListError as error:
            raise self._wrong("its changes.csv", error) from None
        if (body := self._beside(urljoin(url, "index.txt"))) is not None:
            return index(body, url, label), []
        found, years = listing(self._web.get(url).body, url, label)
        for year in years:
            found += listing(self._web.get(year).body, year, label)[0]
        if not found:
            raise SourceError(f"{self._source.id}: neither changes.csv nor index.txt nor a listing of its directory")
        return found, []

    def _recall(self, position: str) -> None:
        name = blake2b(self._feed.url.encode(), digest_size=8).hexdigest()
        try:
            known = msgspec.json.decode(position, type=Position)
        except msgspec.DecodeError:
            known = Position()
        if known.provider != name:
            known = Position(name)
        self._known = known if known.floor else msgspec.structs.replace(known, floor=self._now - self._feed.since)
        self._taken, self._again, self._unsigned = set(known.seen), set(known.again), known.unsigned

    def _wanted(self, each: Listed) -> bool:
        token, known = _token(each), self._known
        if token in self._again:
            return True
        if each.at is None:
            stale = known.checked is not None and self._now - known.checked >= RECHECK
            return stale or token not in self._taken
        return token not in self._taken and self._above(each.at, token)

    def _above(self, at: datetime, token: str) -> bool:
        return self._known.floor is None or (at, token) > (self._known.floor, self._known.last)

    def _conditions(self, each: Listed) -> dict[str, str]:
        """Of what no list says when it changed the server may know."""
        if each.at is not None or _token(each) in self._again:
            return {}
        since = self._known.checked - SKEW if self._known.checked else self._now - self._feed.since
        return {"If-Modified-Since": format_datetime(since, usegmt=True)}

    def _took(self, each: Listed) -> None:
        self._taken.add(_token(each))
        self._again.discard(_token(each))

    def _refused(self, each: Listed, reason: str) -> Unreadable:
        self._again.add(_token(each))
        return Unreadable(self._origin(each), "fetch", f"{reason}; it is asked for again")

    def _without_signature(self) -> Unreadable:
        self._known = msgspec.structs.replace(self._known, unsigned=True)
        reason = "documents without an OpenPGP signature that can be checked; they are taken all the same"
        return Unreadable(self._opener.origin(self._feed.url), "fetch", reason)

    def _reached(self, ordered: list[Listed], *, done: bool) -> Reached:
        """Where we are: `ordered` is all that is listed, up to the last that was taken or refused."""
        known, tokens = self._known, [_token(each) for each in ordered]
        dated = [(each.at, token) for each, token in zip(ordered, tokens, strict=True) if each.at is not None]
        taken = [(at, token) for at, token in dated if token in self._taken and self._above(at, token)]
        floor, last = known.floor, known.last
        if (dropped := taken[:-KEPT]) and self._error is None:
            floor, last = dropped[-1]
        timeless = [token for each, token in zip(ordered, tokens, strict=True) if each.at is None]
        seen = [token for token in timeless if token in self._taken] + [token for _, token in taken[-KEPT:]]
        if self._error is not None:  # a list that is not there now will be there again
            seen = [*sorted(self._taken.difference(tokens)), *seen]
        again = [token for token in tokens if token in self._again]
        if done and self._error is None:
            known = msgspec.structs.replace(known, checked=self._checked())
        where = {"floor": floor, "last": last, "seen": tuple(seen[-KEPT:]), "again": tuple(again[-AGAIN:])}
        return Reached(msgspec.json.encode(msgspec.structs.replace(known, **where)).decode())

    def _checked(self) -> datetime:
        """When all documents without a time were last asked for."""
        before = self._known.checked
        return before if before is not None and self._now - before < RECHECK else self._now

    def _origin(self, each: Listed) -> str:
        return self._opener.origin(urlsplit(each.url).path)

    def _wrong(self, what: str, error: ListError) -> SourceError:
        return SourceError(f"{self._source.id}: {what} {error}")


def _token(each: Listed) -> str:
    """What stands for a document as it was listed: 48 bits."""
    digest = blake2b(f"{each.url}\0{each.at}".encode(), digest_size=6).digest()
    return base64.urlsafe_b64encode(digest).decode()


def _of_source(error: SourceError) -> bool:
    """Is it the source that cannot be read, and not one document?"""
    return error.retry_after is not None or (isinstance(error, StatusError) and error.status in (429, 503))


def _plain(error: SourceError, source: Source) -> str:
    return str(error).removeprefix(f"{source.id}: ")
