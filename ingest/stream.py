"""Kafka topics of partners: read from offsets that we keep ourselves; no group is joined, nothing is committed.

A poll reads each partition up to where it ended when the poll began. A record is a document. Transactions that were
aborted are not read. What kafka-python may do on the network stands in `ingest.kafka_client`, what a batch of records
may unpack to in `ingest.kafka_records`.
"""

import re
import time
from collections.abc import Iterator
from functools import partial
from hashlib import blake2b
from typing import Any

import kafka.errors
import msgspec
from kafka import KafkaConsumer, TopicPartition

from ingest import Expected, Given, RawDocument, Reached, SourceError, Unreadable
from ingest.archives import amount
from ingest.files import document_key
from ingest.kafka_client import Client, Manager, Socket, reason_of
from ingest.kafka_records import Records, Unread
from ingest.live import Live
from ingest.secrets import secret
from ingest.tls import context

MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
"""Tried in this order; a password is never sent without TLS."""
BATCH = 200
"""Records between two positions."""
_PORT = 9092
_VERSION = (4, 0)
"""The newest protocol that we speak; the broker's own, where that is older."""
MOST_KNOWN = 1500
"""Partitions that a position knows: 48 kB."""

Offsets = dict[str, int]
"""Keyed hash of a topic and number of a partition -> the next record to read."""


class StreamReader(Live):
    """One poll of a source's topics. `key` keys the hashes of topics and contents (at least 16 bytes)."""

    def read(self, position: str = "") -> Iterator[Given]:
        """Records as documents, a position after each batch of them. Raises SourceError."""
        self._until = time.monotonic() + self._bounds.poll
        consumer = self._connected()
        try:
            yield from self._records(consumer, _offsets(position))
        except kafka.errors.KafkaError as error:
            refused = consumer._manager.refused and consumer._manager.reason
            raise self._error(reason_of(refused or error)) from None
        finally:
            consumer.close(autocommit=False, timeout_ms=1000)

    def _records(self, consumer: Any, known: Offsets) -> Iterator[Given]:
        ends, at = self._range(consumer, known)
        names = {partition: self._name(consumer, partition) for partition in ends}
        waiting = {partition for partition in ends if at[partition] < ends[partition]}
        if not waiting:
            yield _reached(known, names, at)
            return
        yield Expected(sum(ends[partition] - at[partition] for partition in waiting))
        consumer.assign(sorted(waiting))
        for partition in waiting:
            consumer.seek(partition, at[partition])
        moved = time.monotonic()
        while waiting:
            batch = consumer.poll(timeout_ms=500, max_records=BATCH)
            for partition, records in batch.items():
                for record in records:
                    yield from self._document(names[partition], record)
            before = dict(at)
            at |= {partition: consumer.position(partition, timeout_ms=1000) or at[partition] for partition in waiting}
            if at != before:
                moved = time.monotonic()
                yield _reached(known, names, at)
            self._in_time(moved)
            if consumer._manager.refused:
                raise self._error(reason_of(consumer._manager.reason))
            done = {partition for partition in waiting if at[partition] >= ends[partition]}
            consumer.pause(*done)
            waiting -= done

    def _range(self, consumer: Any, known: Offsets) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
        """For each partition: where it ends, and where to start: where the last poll stopped; the earliest record
        there is, when that one is gone; and as far back as `since` for a partition that was not read before."""
        partitions = [
            TopicPartition(topic, number)
            for topic in self._topics(consumer)
            for number in sorted(consumer.partitions_for_topic(topic) or ())
        ]
        if not partitions:
            return {}, {}
        firsts, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        starts: dict[TopicPartition, int] = {}
        for partition in partitions:
            stored = known.get(self._name(consumer, partition))
            if stored is not None:
                starts[partition] = stored if firsts[partition] <= stored <= ends[partition] else firsts[partition]
        since = int((self._clock() - self._feed.since).timestamp() * 1000)
        fresh = {partition: max(since, 0) for partition in partitions if partition not in starts}
        for partition, found in (consumer.offsets_for_times(fresh) if fresh else {}).items():
            starts[partition] = ends[partition] if found is None else found.offset
        return ends, starts

    def _topics(self, consumer: Any) -> list[str]:
        """The topics that the source's table names, or all that we may see."""
        if not self._feed.collections:
            return sorted(topic for topic in consumer.topics() if not topic.startswith("__"))
        for topic in self._feed.collections:
            if not consumer.partitions_for_topic(topic):
                raise self._error(
                    f"topic {topic} of collections is not there, or not ours to read: correct it, or ask the source"
                )
        return list(self._feed.collections)

    def _document(self, name: str, record: Any) -> Iterator[RawDocument | Unreadable]:
        if record.value is None:  # a tombstone: what had this key is to be forgotten, and keys are not ours to know
            return
        topic, _, partition = name.partition("/")
        first = record.value.first if isinstance(record.value, Unread) else record.offset
        numbers = f"record {first}" if first == record.offset else f"records {first} to {record.offset}"
        origin = f"{topic[:8]} (partition {partition}, {numbers})"
        if isinstance(record.value, Unread):
            yield Unreadable(origin, "fetch", record.value.reason)
            return
        body = bytes(record.value)
        if not body:
            yield Unreadable(origin, "fetch", "an empty record")
        elif len(body) > self._feed.max_bytes:
            yield Unreadable(origin, "fetch", f"larger than {amount(self._feed.max_bytes)}")
        else:
            key = document_key(self._key, self._source.id, body)
            yield RawDocument(self._source, body, origin, self._clock(), key=key)

    def _name(self, consumer: Any, partition: TopicPartition) -> str:
        """What a partition is called in positions. A topic that was made anew under its old name is another one."""
        topic = f"{partition.topic}/{consumer._cluster.topic_id(partition.topic) or ''}"
        digest = blake2b(topic.encode(), key=self._key, digest_size=8, person=b"oktt-name").hexdigest()
        return f"{digest}/{partition.partition}"

    def _in_time(self, moved: float) -> None:
        now = time.monotonic()
        if now > moved + self._bounds.idle:
            raise self._error("its broker gives nothing, though it has more: later polls try again")
        if now > self._until:
            raise self._error("the poll took too long; it goes on at the next one")

    def _error(self, reason: str) -> SourceError:
        return SourceError(f"{self._source.id}: {reason}")

    def _connected(self) -> KafkaConsumer:
        """A consumer whose brokers are known. Raises SourceError."""
        password = secret(self._source)
        settings: dict[str, Any] = {
            "bootstrap_servers": _servers(self._feed.url),
            "proxy_url": f"{Socket.SCHEMES[0]}://{','.join(map(str, self._feed.private))}",
            "kafka_client": Client,
            "api_version": _VERSION,
            "allow_auto_create_topics": False,  # on somebody else's broker
            "group_id": None,
            "enable_auto_commit": False,
            "auto_offset_reset": "earliest",
            "isolation_level": "read_committed",
            "fetch_max_bytes": 8 << 20,
            "receive_message_max_bytes": self._feed.max_bytes + (9 << 20),
            "request_timeout_ms": int(self._bounds.idle * 1000),
            "reconnect_backoff_ms": 500,
            "metrics_enabled": False,
        }
        if password or self._feed.ca_file or self._feed.client_cert:
            settings |= {"security_protocol": "SSL", "ssl_context": context(self._source)}
        if not password:
            return self._opened(settings)
        settings |= {"security_protocol": "SASL_SSL", "sasl_plain_username": self._feed.user}
        for mechanism in MECHANISMS:
            offered = settings | {"sasl_mechanism": mechanism, "sasl_plain_password": password}
            try:
                return self._opened(offered)
            except kafka.errors.UnsupportedSaslMechanismError:
                continue
        raise self._error(f"its broker takes none of {', '.join(MECHANISMS)}: ask the source for one of them")

    def _opened(self, settings: dict[str, Any]) -> KafkaConsumer:
        """Raises SourceError; UnsupportedSaslMechanismError when another mechanism may do."""
        consumer = KafkaConsumer(**settings)
        consumer._fetcher.PartitionRecords = partial(Records, self._feed.max_bytes)
        manager: Manager = consumer._manager
        until = time.monotonic() + self._bounds.connect
        opening = manager.bootstrap_async(self._bounds.connect * 1000)
        try:
            while not opening.is_done and time.monotonic() < until and not manager.refused:
                time.sleep(0.01)
            if opening.is_done and opening.succeeded():
                return consumer
            error = manager.reason or kafka.errors.KafkaTimeoutError()
            if isinstance(error, kafka.errors.UnsupportedSaslMechanismError):
                raise error
            raise self._error(reason_of(error))
        except BaseException:
            consumer.close(autocommit=False, timeout_ms=0)
            raise


def _servers(url: str) -> list[str]:
    """`kafka://host:port,host` -> host and port of each."""
    servers = re.sub(r"^kafka://", "", url).rstrip("/").split(",")
    return [each if re.search(r":\d+$", each) else f"{each}:{_PORT}" for each in map(str.strip, servers)]


def _offsets(position: str) -> Offsets:
    """A position that cannot be read means: from the start."""
    try:
        return msgspec.json.decode(position, type=Offsets)
    except msgspec.DecodeError:
        return {}


def _reached(known: Offsets, names: dict[TopicPartition, str], at: dict[TopicPartition, int]) -> Reached:
    """Partitions that are not there now may be there again: of those as many as there is room for."""
    offsets = {names[partition]: offset for partition, offset in at.items()}
    unseen = sorted(known.keys() - offsets.keys())[: max(MOST_KNOWN - len(offsets), 0)]
    offsets |= {name: known[name] for name in unseen}
    return Reached(msgspec.json.encode(offsets, order="deterministic").decode())
