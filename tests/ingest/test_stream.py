"""Topics of partners, read from a real Kafka broker (KRaft)."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from socket import create_server
from typing import Any
from uuid import uuid4

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from dispatch import Delivery, Outcome
from dispatch import topic as outgoing
from dispatch.topic import KafkaChannel
from ingest import RawDocument, Reached, Source, SourceError, cursors
from ingest.kafka_records import LEAST
from ingest.stream import BATCH
from subscribers import Contact
from tests.ingest.reading import HASTY, made, pull, source, whole, words
from tests.ingest.servers import PASSWORD, USER, Broker, broker, secret_file
from tests.ingest.webserver import Authority

TODAY = datetime.now(UTC)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with broker(tmp_path_factory.mktemp("kafka")) as started:
        yield started


@pytest.fixture(scope="module")
def admin(server: Broker) -> Iterator[KafkaAdminClient]:
    opened = KafkaAdminClient(bootstrap_servers=f"localhost:{server.plain}", client_id="admin")
    yield opened
    opened.close()


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid4().hex[:12]}"


def made_topic(admin: KafkaAdminClient, topic: str, partitions: int = 1) -> None:
    admin.create_topics([NewTopic(topic, partitions, 1)])


def send(server: Broker, topic: str, values: Sequence[bytes | None], **settings: Any) -> None:
    """Put records into a topic (of one partition, where it is not there yet)."""
    partition, at = settings.pop("partition", None), settings.pop("at", None)
    producer = KafkaProducer(bootstrap_servers=f"localhost:{server.plain}", **settings)
    for value in values:
        moment = int(at.timestamp() * 1000) if at else None
        producer.send(topic, value, key=b"k" if value is None else None, partition=partition, timestamp_ms=moment)
    producer.flush()
    producer.close()


def read(server: Broker, *topics: str, port: int = 0, **feed: Any) -> Source:
    return source("kafka", f"kafka://localhost:{port or server.plain}", collections=topics, **feed)


def numbers(first: int, last: int) -> list[bytes]:
    return [b'{"n":%d}' % number for number in range(first, last)]


def test_a_record_is_a_document(server: Broker, topic: str) -> None:
    send(server, topic, [b'{"a":1}', None, b"", b'{"a":2}'])
    pulled = whole(read(server, topic), now=TODAY)
    assert pulled.bodies == [b'{"a":1}', b'{"a":2}']
    assert [each.origin.partition(" ")[2] for each in pulled.documents] == [
        "(partition 0, record 0)",
        "(partition 0, record 3)",
    ]
    assert [each.reason for each in pulled.refused] == ["an empty record"]
    assert pulled.expected == 4
    assert topic not in pulled.position + str(pulled.documents[0].origin)


def test_the_next_poll_goes_on(server: Broker, topic: str) -> None:
    send(server, topic, numbers(0, 3))
    first = whole(read(server, topic), now=TODAY)
    assert whole(read(server, topic), first.position, TODAY).documents == []
    send(server, topic, numbers(3, 5))
    second = whole(read(server, topic), first.position, TODAY)
    assert second.bodies == numbers(3, 5)


def test_each_position_covers_the_records_before_it(server: Broker, topic: str) -> None:
    send(server, topic, numbers(0, 2 * BATCH + 50))
    pulled = whole(read(server, topic), now=TODAY)
    assert pulled.bodies == numbers(0, 2 * BATCH + 50)
    assert len(pulled.positions) >= 3
    taken = 0
    for each in pulled.order:
        if isinstance(each, RawDocument):
            taken += 1
        elif isinstance(each, Reached):
            assert whole(read(server, topic), each.position, TODAY).bodies == pulled.bodies[taken:]


def test_partitions_and_topics(server: Broker, admin: KafkaAdminClient, topic: str) -> None:
    made_topic(admin, topic, partitions=3)
    made_topic(admin, f"{topic}-empty")
    for partition in range(3):
        send(server, topic, numbers(partition * 10, partition * 10 + 4), partition=partition)
    send(server, f"{topic}-other", numbers(90, 92))
    named = whole(read(server, topic, f"{topic}-empty"), now=TODAY)
    assert sorted(named.bodies) == sorted(numbers(0, 4) + numbers(10, 14) + numbers(20, 24))
    everything = whole(read(server), now=TODAY)
    assert set(numbers(90, 92)) < set(everything.bodies)
    send(server, topic, numbers(50, 51), partition=1)
    assert whole(read(server, topic, f"{topic}-empty"), named.position, TODAY).bodies == numbers(50, 51)


def test_a_topic_that_is_not_there_is_not_made(server: Broker, admin: KafkaAdminClient, topic: str) -> None:
    assert f"topic {topic} of collections is not there" in words(read(server, topic))
    assert topic not in admin.list_topics()


def test_nothing_is_committed_and_no_group_joined(server: Broker, admin: KafkaAdminClient, topic: str) -> None:
    send(server, topic, numbers(0, 3))
    whole(read(server, topic), now=TODAY)
    assert list(admin.list_groups()) == []


def test_what_was_deleted_is_left_out(server: Broker, admin: KafkaAdminClient, topic: str) -> None:
    send(server, topic, numbers(0, 10))
    first = whole(read(server, topic), now=TODAY)
    send(server, topic, numbers(10, 20))
    admin.delete_records({TopicPartition(topic, 0): 15})
    assert whole(read(server, topic), first.position, TODAY).bodies == numbers(15, 20)


def test_a_topic_made_anew_is_read_from_its_start(server: Broker, admin: KafkaAdminClient, topic: str) -> None:
    send(server, topic, numbers(0, 5))
    first = whole(read(server, topic), now=TODAY)
    admin.delete_topics([topic])
    while topic in admin.list_topics():
        time.sleep(0.05)
    send(server, topic, numbers(100, 110))
    assert whole(read(server, topic), first.position, TODAY).bodies == numbers(100, 110)


def test_partitions_that_are_not_seen_once_are_not_forgotten(server: Broker, topic: str) -> None:
    """A broker may hide a topic for a while; it stands where it stood."""
    for name in (topic, f"{topic}-b"):
        send(server, name, numbers(0, 3))
    first = whole(read(server, topic, f"{topic}-b"), now=TODAY)
    without = whole(read(server, f"{topic}-b"), first.position, TODAY)
    assert whole(read(server, topic, f"{topic}-b"), without.position, TODAY).documents == []
    many = {f"{number:016x}/0": 1 for number in range(5000)}
    position = whole(read(server, topic), json.dumps(many), TODAY).position
    assert len(position) < cursors.MOST
    assert whole(read(server, topic), position, TODAY).documents == []


def test_aborted_transactions_are_not_read(server: Broker, topic: str) -> None:
    producer = KafkaProducer(bootstrap_servers=f"localhost:{server.plain}", transactional_id=f"t-{topic}")
    producer.init_transactions()
    for values, keep in ((numbers(0, 2), True), (numbers(2, 4), False), (numbers(4, 6), True)):
        producer.begin_transaction()
        for value in values:
            producer.send(topic, value)
        producer.flush()
        producer.commit_transaction() if keep else producer.abort_transaction()
    producer.close()
    pulled = whole(read(server, topic), now=TODAY)
    assert pulled.bodies == numbers(0, 2) + numbers(4, 6)
    assert whole(read(server, topic), pulled.position, TODAY).documents == []


def test_the_first_poll_goes_back_as_far_as_said(server: Broker, topic: str) -> None:
    send(server, topic, numbers(0, 3), at=TODAY - timedelta(days=4))
    send(server, topic, numbers(3, 5), at=TODAY - timedelta(hours=1))
    assert whole(read(server, topic, since=timedelta(days=1)), now=TODAY).bodies == numbers(3, 5)
    old = whole(read(server, topic, since=timedelta(minutes=1)), now=TODAY)
    assert old.documents == []
    send(server, topic, numbers(5, 6), at=TODAY - timedelta(days=2))
    assert whole(read(server, topic, since=timedelta(minutes=1)), old.position, TODAY).bodies == numbers(5, 6)


@pytest.mark.parametrize("position", ["", "{", "[]", '{"x/0":1}', '{"x":"y"}', "\x00"])
def test_positions_that_cannot_be_read(server: Broker, topic: str, position: str) -> None:
    send(server, topic, numbers(0, 3))
    assert whole(read(server, topic), position, TODAY).bodies == numbers(0, 3)


CODECS = ("gzip", "snappy", "lz4", "zstd")


@pytest.mark.parametrize("codec", CODECS)
def test_compressed_records(server: Broker, admin: KafkaAdminClient, topic: str, codec: str) -> None:
    """The broker packs them, with the libraries that producers in Java use."""
    admin.create_topics([NewTopic(topic, 1, 1, topic_configs={"compression.type": codec})])
    values = [b'{"n":%d,"x":"%s"}' % (number, b"abcdefgh" * (number % 300)) for number in range(2 * BATCH)]
    send(server, topic, values, linger_ms=50)
    pulled = whole(read(server, topic), now=TODAY)
    assert pulled.bodies == values
    assert pulled.refused == []
    middle = pulled.positions[0]
    assert whole(read(server, topic), middle, TODAY).bodies == values[BATCH:]


@pytest.mark.parametrize("codec", CODECS)
def test_a_batch_that_unpacks_to_too_much(server: Broker, admin: KafkaAdminClient, topic: str, codec: str) -> None:
    """It costs itself alone, and is not read again."""
    large = {"compression.type": codec, "max.message.bytes": str(4 * LEAST)}
    admin.create_topics([NewTopic(topic, 1, 1, topic_configs=large)])
    send(server, topic, numbers(0, 2))
    send(server, topic, [bytes(LEAST + 1)], max_request_size=2 * LEAST, linger_ms=0)
    send(server, topic, numbers(2, 4))
    pulled = whole(read(server, topic, max_bytes=4000), now=TODAY)
    assert pulled.bodies == numbers(0, 4)
    ((told),) = pulled.refused
    assert (told.stage, told.reason) == ("fetch", "a batch of records that unpacks to more than 16 MiB")
    assert told.origin.endswith("(partition 0, record 2)")
    again = whole(read(server, topic, max_bytes=4000), pulled.position, TODAY)
    assert (again.documents, again.refused) == ([], [])
    assert len(whole(read(server, topic), now=TODAY).documents) == 5


def test_a_record_that_is_too_large(server: Broker, topic: str) -> None:
    send(server, topic, [b"x" * 5000, b"y"], compression_type="gzip", linger_ms=50)
    pulled = whole(read(server, topic, max_bytes=4000), now=TODAY)
    assert pulled.bodies == [b"y"]
    assert pulled.refused[0].reason.startswith("larger than")


@pytest.mark.parametrize("way", ["scram", "login"])
def test_credentials_over_tls(server: Broker, topic: str, way: str, tmp_path: Path) -> None:
    send(server, topic, numbers(0, 3))
    port = getattr(server, way)
    given = {"user": USER, "ca_file": server.ca_file}
    assert whole(
        read(server, topic, port=port, secret_file=secret_file(tmp_path), **given), now=TODAY
    ).bodies == numbers(0, 3)


def test_tls_without_credentials(server: Broker, topic: str) -> None:
    send(server, topic, numbers(0, 3))
    assert whole(read(server, topic, port=server.tls, ca_file=server.ca_file), now=TODAY).bodies == numbers(0, 3)


@pytest.mark.parametrize("way", ["scram", "login"])
def test_a_wrong_password(
    server: Broker, topic: str, way: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = secret_file(tmp_path, "not-the-password")
    started = time.monotonic()
    told = words(read(server, topic, port=getattr(server, way), user=USER, secret_file=wrong, ca_file=server.ca_file))
    assert time.monotonic() - started < 4  # one attempt, not one after another
    assert told == "partner: it does not accept our credentials: check user and secret_file"
    assert "not-the-password" not in caplog.text


def test_no_password_without_tls(server: Broker, topic: str, tmp_path: Path) -> None:
    """A broker without TLS is not told the password."""
    given = read(server, topic, user=USER, secret_file=secret_file(tmp_path), ca_file=server.ca_file)
    told = str(pull(given, bounds=HASTY).error)
    assert "TLS fails" in told or "broke off" in told or "took too long" in told


def test_an_authority_that_is_not_trusted(server: Broker, topic: str, tmp_path: Path) -> None:
    stranger = Authority(tmp_path).file
    assert "TLS certificate is not trusted" in words(read(server, topic, port=server.tls, ca_file=stranger))
    other = source("kafka", f"kafka://127.0.0.1:{server.tls}", ca_file=server.ca_file)
    assert "it is for another name" in words(other)


def test_a_broker_that_refers_to_a_private_network(server: Broker) -> None:
    started = time.monotonic()
    told = words(source("kafka", f"kafka://localhost:{server.elsewhere}"))
    assert "refers to, has an address in a private network" in told
    assert told.count("partner: ") == 1
    assert time.monotonic() - started < 10


def test_a_broker_in_a_private_network(server: Broker) -> None:
    assert "has an address in a private network" in words(
        source("kafka", f"kafka://localhost:{server.plain}", private=())
    )


def test_nobody_there_and_nobody_answers(tmp_path: Path) -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        told = str(pull(source("kafka", f"kafka://127.0.0.1:{port}"), bounds=HASTY).error)
        assert "took too long" in told
    told = str(pull(source("kafka", f"kafka://127.0.0.1:{port}"), bounds=HASTY).error)
    assert "refuses the connection" in told
    told = str(pull(source("kafka", "kafka://nobody.invalid"), bounds=HASTY).error)
    assert "cannot be resolved" in told


def test_a_broker_that_stops_answering_in_the_middle(server: Broker, topic: str) -> None:
    send(server, topic, [b"%d" % number + b"x" * 100_000 for number in range(300)])
    taken: list[bytes] = []
    position = error = ""
    try:
        for each in made(read(server, topic), TODAY, HASTY).read(""):
            if isinstance(each, RawDocument):
                taken.append(each.body)
            elif isinstance(each, Reached):
                position = each.position
                os.kill(server.pid, signal.SIGSTOP)
    except SourceError as ended:
        error = str(ended)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert error.startswith("partner: its broker")
    assert 0 < len(taken) < 300
    rest = whole(read(server, topic), position, TODAY)
    assert {*taken, *rest.bodies} == {b"%d" % number + b"x" * 100_000 for number in range(300)}


def test_reading_is_left_in_the_middle(server: Broker, topic: str) -> None:
    """Nothing stays behind: no thread, no connection."""
    send(server, topic, numbers(0, 500))
    reading = made(read(server, topic), TODAY).read("")
    next(reading), next(reading)
    reading.close()  # type: ignore[attr-defined]
    until = time.monotonic() + 240
    while any(each.name.startswith("kafka-io") and "admin" not in each.name for each in threading.enumerate()):
        assert time.monotonic() < until, threading.enumerate()
        time.sleep(0.05)


def test_our_own_messages_go_to_a_topic(server: Broker, admin: KafkaAdminClient, topic: str) -> None:
    """The way out (dispatch.topic): here, since this is where there is a broker."""
    made_topic(admin, topic)
    contact = Contact("kafka", topic=topic)
    delivery = Delivery("0" * 32, "alert", "OKTT-2026-0412", 1, "kvk-1", 0, "sending", TODAY, TODAY)
    channel = KafkaChannel(
        outgoing.Broker((f"localhost:{server.scram}",), USER, PASSWORD, ca_file=server.ca_file, timeout=60)
    )
    try:
        assert channel.send(delivery, contact, b"one") == Outcome("sent", "kafka")
        assert channel.send(delivery, contact, b"one") == Outcome("sent", "kafka"), "again, with the same key"
        assert channel.send(delivery, contact, b"x" * (2 << 20)).status == "failed", "larger than the broker takes"
        assert channel.send(delivery, Contact("kafka", topic="no topic!"), b"x").status == "failed"
    finally:
        channel.close()
    consumer = KafkaConsumer(
        topic, bootstrap_servers=f"localhost:{server.plain}", auto_offset_reset="earliest", consumer_timeout_ms=60_000
    )
    first, second = (next(consumer) for _ in range(2))
    assert (first.key, first.value) == (second.key, second.value) == (delivery.id.encode(), b"one")
    consumer.close()
    wrong = KafkaChannel(
        outgoing.Broker((f"localhost:{server.scram}",), USER, "wrong", ca_file=server.ca_file, timeout=3)
    )
    assert wrong.send(delivery, contact, b"one").status == "retry"
    wrong.close()
    assert KafkaChannel(None).send(delivery, contact, b"one") == Outcome("failed", "no-kafka")
