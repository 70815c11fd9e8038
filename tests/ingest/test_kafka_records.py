"""Batches of Kafka records that no honest broker gives: damaged, lying, or made to fill the memory."""

import gzip
import resource
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import cramjam
import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from kafka import TopicPartition
from kafka.record import MemoryRecords, MemoryRecordsBuilder
from kafka.record.default_records import DefaultRecordBatch
from kafka.record.util import calc_crc32c

from ingest.kafka_records import LEAST, Records, Unread

PACKERS: dict[int, Callable[[bytes], bytes]] = {
    1: lambda data: gzip.compress(data, 1),
    2: lambda data: bytes(cramjam.snappy.compress_raw(data)),
    3: lz4.frame.compress,
    4: zstandard.compress,
}
SIZE = DefaultRecordBatch.HEADER_STRUCT.size


def batch(
    values: list[bytes],
    codec: int = 0,
    change: Callable[[bytes], bytes] = bytes,
    pack: Callable[[bytes], bytes] | None = None,
    first: int = 0,
    headers: list[tuple[str, bytes]] | None = None,
) -> bytes:
    """A batch as a producer makes it, packed; `change` alters what is packed, `pack` the packing."""
    builder = MemoryRecordsBuilder(2, 0, 1 << 30, offset=first)
    for value in values:
        builder.append(timestamp=None, key=b"k", value=value, headers=headers or [])
    builder.close()
    whole = bytes(builder.buffer())
    body = (pack or PACKERS.get(codec, bytes))(change(whole[SIZE:]))
    header = list(DefaultRecordBatch.HEADER_STRUCT.unpack_from(whole))
    header[0], header[1], header[5] = first, SIZE - 12 + len(body), header[5] | codec
    made = bytearray(DefaultRecordBatch.HEADER_STRUCT.pack(*header) + body)
    header[4] = calc_crc32c(memoryview(made)[DefaultRecordBatch.ATTRIBUTES_OFFSET :])
    return DefaultRecordBatch.HEADER_STRUCT.pack(*header) + body


def values(data: bytes, most: int = LEAST, start: int = 0) -> list[Any]:
    """What a consumer's fetcher would take from such an answer."""
    records = partial(Records, most)(start, TopicPartition("t", 0), MemoryRecords(data))
    taken: list[Any] = []
    while records:
        taken += records.take(2)
    assert [each.offset for each in taken] == sorted(each.offset for each in taken)
    return [each.value for each in taken]


@pytest.mark.parametrize("codec", range(5))
def test_records_as_they_are(codec: int) -> None:
    sent = [b"a" * number for number in range(50)]
    assert values(batch(sent, codec, headers=[("trace", b"1"), ("other", b"")])) == sent
    assert values(batch(sent, codec), start=30) == sent[30:]


@pytest.mark.parametrize("codec", range(1, 5))
@pytest.mark.parametrize("cut", [0.0, 0.3, 0.99])
def test_a_damaged_batch_costs_itself_alone(codec: int, cut: float) -> None:
    sent = [b"%d" % number * 9 for number in range(40)]
    damaged = batch(sent, codec, pack=lambda data: PACKERS[codec](data)[: int(len(PACKERS[codec](data)) * cut)])
    taken = values(batch([b"before"]) + damaged + batch([b"after"], codec, first=40))
    assert taken[0] == b"before"
    assert taken[-1] == b"after"
    assert isinstance(taken[-2], Unread)
    assert taken[-2].reason == "a batch of records that is damaged, from here to its end"
    assert taken[1:-2] == sent[: len(taken) - 3]


@given(st.binary(max_size=60), st.integers(0, 7))
def test_batches_of_anything_end(junk: bytes, codec: int) -> None:
    for each in (partial(batch, pack=lambda _: junk), partial(batch, change=lambda _: junk)):
        taken = values(each([b"a", b"b"], codec) + batch([b"after"], first=2))
        assert taken[-1] == b"after"


def test_a_codec_that_there_is_not() -> None:
    taken = values(batch([b"a"], 6) + batch([b"after"], first=1))
    assert "Kafka does not know" in taken[0].reason
    assert taken[1:] == [b"after"]


@pytest.mark.parametrize("codec", range(1, 5))
def test_exactly_as_much_as_it_may(codec: int) -> None:
    room = LEAST - len(batch([bytes(LEAST >> 1)])) + SIZE + (LEAST >> 1)
    assert len(values(batch([bytes(room)], codec))[0]) == room
    (told,) = values(batch([bytes(room + 1)], codec))
    assert told == Unread("a batch of records that unpacks to more than 16 MiB", 0)
    assert len(values(batch([bytes(room + 1)], codec), LEAST + 1)[0]) == room + 1


def test_snappy_in_blocks_as_java_frames_them() -> None:
    def framed(data: bytes) -> bytes:
        blocks = [bytes(cramjam.snappy.compress_raw(data[at : at + 100])) for at in range(0, len(data), 100)]
        return b"\x82SNAPPY\x00\0\0\0\1\0\0\0\1" + b"".join(len(each).to_bytes(4, "big") + each for each in blocks)

    sent = [b"%d" % number * 9 for number in range(40)]
    assert values(batch(sent, 2, pack=framed)) == sent
    block = bytes(cramjam.snappy.compress_raw(bytes(LEAST // 4)))
    many = b"\x82SNAPPY\x00" + bytes(8) + (len(block).to_bytes(4, "big") + block) * 5
    assert "unpacks to more than" in values(batch([b""], 2, pack=lambda _: many))[0].reason


def test_old_batches_are_bounded_too() -> None:
    builder = MemoryRecordsBuilder(1, 1, 1 << 30)
    builder.append(timestamp=1, key=None, value=b"old")
    builder.close()
    assert values(bytes(builder.buffer())) == [b"old"]
    builder = MemoryRecordsBuilder(1, 1, 1 << 30)
    builder.append(timestamp=1, key=None, value=bytes(LEAST + 1))
    builder.close()
    assert isinstance(values(bytes(builder.buffer()))[0], Unread)


BOMB = f"""
import resource, sys, zlib
sys.path[:0] = {sys.path!r}
import lz4.frame, zstandard
from tests.ingest.test_kafka_records import batch, values
kind, piece, total = sys.argv[1], bytes(1 << 20), 1 << 10
if kind == "zstd":
    packer = zstandard.ZstdCompressor(level=1).compressobj()
    packed = b"".join(packer.compress(piece) for _ in range(total)) + packer.flush()
elif kind == "gzip":
    packer = zlib.compressobj(1, wbits=31)
    packed = b"".join(packer.compress(piece) for _ in range(total)) + packer.flush()
elif kind == "lz4":
    packer = lz4.frame.LZ4FrameCompressor()
    packed = packer.begin() + b"".join(packer.compress(piece) for _ in range(total)) + packer.flush()
else:
    packed = b"\\xff\\xff\\xff\\xff\\x0f" + bytes(1000)  # says that it holds 4 GB
codec = ["", "gzip", "snappy", "lz4", "zstd"].index(kind)
made = batch([b"x"], codec, pack=lambda _: packed)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
taken = values(made)
print(taken[0].reason, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, sep="|")
"""


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_a_bomb_of_a_gigabyte_takes_no_memory(codec: str) -> None:
    ran = subprocess.run([sys.executable, "-c", BOMB, codec], check=True, capture_output=True, text=True)
    reason, grown = ran.stdout.split("|")
    assert reason == "a batch of records that unpacks to more than 16 MiB"
    assert int(grown) < 64 << 10  # kB


def test_a_million_headers_are_none_of_ours() -> None:
    """Each would cost some hundred bytes of memory for the two that it has."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert values(batch([b"v"], 4, headers=[("", b"")] * 1_000_000)) == [b"v"]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 400 << 10
