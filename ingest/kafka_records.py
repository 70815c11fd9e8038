"""Batches of Kafka records, unpacked within a bound: gzip, Snappy, LZ4, Zstandard.

kafka-python unpacks whatever a batch unpacks to, and one that it cannot read stops its partition for ever. Here such a
batch is one record whose value is `Unread`: it says why, and the next one is read. Headers of records, which nobody
asks for, are not made into objects: a batch may hold millions of them.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import cramjam
import kafka.errors
import lz4.frame
import zstandard
from kafka.consumer.fetcher import Fetcher
from kafka.record import legacy_records
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch
from kafka.record.util import decode_varint

from ingest.archives import amount

LEAST = 16 << 20
"""What a batch may unpack to whatever one document may: it holds many."""
_STEP = 1 << 20
_XERIAL = b"\x82SNAPPY\x00"
"""How snappy-java frames blocks; other producers send one block as it is."""
_MAGIC = 2
"""Batches since Kafka 0.11 (2017)."""


class _TooMuchError(Exception):
    """It unpacks to more than it may."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands for the records of a batch that cannot be unpacked, or for those of it that come after a damaged one."""

    reason: str
    first: int
    """The first record that it may stand for; the one that carries it is the last."""

    def __len__(self) -> int:
        return 0


def gunzip(packed: Any, most: int = LEAST) -> bytes:
    """One gzip stream of at most `most` bytes."""
    unpacker = zlib.decompressobj(wbits=31)
    unpacked = unpacker.decompress(packed, most + 1)
    if len(unpacked) > most:
        raise _TooMuchError
    if not unpacker.eof:
        raise EOFError
    return unpacked


def unsnap(packed: Any, most: int = LEAST) -> bytes:
    """Blocks of Snappy, which say themselves how long they get, and are held to it."""
    packed = memoryview(packed)
    if bytes(packed[: len(_XERIAL)]) != _XERIAL:
        return _block(packed, most)
    at, left, blocks = 16, most, list[bytes]()
    while at < len(packed):
        (length,) = struct.unpack_from(">I", packed, at)
        if at + 4 + length > len(packed):
            raise EOFError
        blocks.append(_block(packed[at + 4 : at + 4 + length], left))
        left -= len(blocks[-1])
        at += 4 + length
    return b"".join(blocks)


def _block(packed: memoryview, most: int) -> bytes:
    if cramjam.snappy.decompress_raw_len(packed) > most:
        raise _TooMuchError
    return bytes(cramjam.snappy.decompress_raw(packed))


def unlz4(packed: Any, most: int = LEAST) -> bytes:
    """One frame of LZ4."""
    unpacker = lz4.frame.LZ4FrameDecompressor()

    def blocks() -> Iterator[bytes]:
        rest = bytes(packed)
        while not unpacker.eof:
            if unpacker.needs_input and not rest:
                raise EOFError
            yield unpacker.decompress(rest, _STEP)
            rest = b""

    return _gathered(blocks(), most)


def unzstd(packed: Any, most: int = LEAST) -> bytes:
    """Frames of Zstandard. The library itself refuses those that need more than 128 MiB of memory."""
    with zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True) as stream:
        return _gathered(iter(lambda: stream.read(_STEP), b""), most)


def _gathered(blocks: Iterator[bytes], most: int) -> bytes:
    taken, total = list[bytes](), 0
    for block in blocks:
        total += len(block)
        if total > most:
            raise _TooMuchError
        taken.append(block)
    return b"".join(taken)


_UNPACK: dict[int, Callable[[Any, int], bytes]] = {
    DefaultRecordBatch.CODEC_GZIP: gunzip,
    DefaultRecordBatch.CODEC_SNAPPY: unsnap,
    DefaultRecordBatch.CODEC_LZ4: unlz4,
    DefaultRecordBatch.CODEC_ZSTD: unzstd,
}
_DAMAGED = (
    *(EOFError, ValueError, IndexError, OSError, RuntimeError, AssertionError, struct.error, zlib.error),
    *(cramjam.DecompressionError, zstandard.ZstdError, kafka.errors.KafkaError),
)
"""What the libraries raise on bytes that are none of theirs."""


class Batch(DefaultRecordBatch):  # type: ignore[misc]
    """A batch that unpacks to at most `most` bytes."""

    most: int
    _buffer: Any
    _pos: int
    _decompressed: bool

    def _maybe_uncompress(self) -> None:
        if not self._decompressed and self.compression_type:
            unpack = _UNPACK.get(self.compression_type, _unknown)
            self._buffer, self._pos = unpack(memoryview(self._buffer)[self._pos :], self.most), 0
        self._decompressed = True

    def _read_msg(self) -> Any:
        """A record without its headers. Control batches, of which they are read, are not packed."""
        if self.is_control_batch:
            return super()._read_msg()
        data = self._buffer
        length, start = decode_varint(data, self._pos)
        moment, at = decode_varint(data, start + 1)
        offset, at = decode_varint(data, at)
        key, at = _bytes(data, at)
        value, at = _bytes(data, at)
        if length < 0 or not at <= start + length <= len(data):
            raise IndexError
        self._pos = start + length
        stamp = self.max_timestamp if self.timestamp_type == self.LOG_APPEND_TIME else self.first_timestamp + moment
        return DefaultRecord(length, self.base_offset + offset, stamp, self.timestamp_type, key, value, [])


def _bytes(data: Any, at: int) -> tuple[bytes | None, int]:
    length, at = decode_varint(data, at)
    return (None, at) if length < 0 else (bytes(data[at : at + length]), at + length)


def _unknown(packed: Any, most: int) -> bytes:
    raise NotImplementedError


class _Batches:
    """The batches of an answer, as `Fetcher.PartitionRecords` asks for them."""

    def __init__(self, batches: Any, most: int) -> None:
        self._batches, self._most = batches, most

    def next_batch(self) -> "_Told | None":
        batch = self._batches.next_batch()
        if batch is None:
            return None
        if batch.magic == _MAGIC:
            batch = Batch(batch._buffer)
            batch.most = self._most
        return _Told(batch, self._most)


class _Told:
    """A batch, as it is; what cannot be read of it is one last record, that says so."""

    def __init__(self, batch: Any, most: int) -> None:
        self._batch, self._most = batch, most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        first = self._batch.base_offset
        try:
            for record in self._batch:
                yield record
                first = record.offset + 1
        except _TooMuchError:
            reason = f"a batch of records that unpacks to more than {amount(self._most)}"
        except NotImplementedError:
            reason = "a batch of records that is compressed in a way that Kafka does not know"
        except _DAMAGED:
            reason = "a batch of records that is damaged, from here to its end"
        else:
            return
        last = max(self._batch.last_offset if self._batch.magic == _MAGIC else first, first)
        yield DefaultRecord(0, last, 0, 0, None, Unread(reason, first), [])


class Records(Fetcher.PartitionRecords):  # type: ignore[misc]
    """What a consumer's fetcher makes of an answer. `partial(Records, most)` takes the place of its own class."""

    def __init__(self, most: int, *args: Any, **more: Any) -> None:
        self._most = max(most, LEAST)
        super().__init__(*args, **more)

    def _unpack_records(self, tp: Any, records: Any, *deserializers: Any) -> Any:
        return super()._unpack_records(tp, _Batches(records, self._most), *deserializers)


legacy_records.gzip_decode, legacy_records.snappy_decode, legacy_records.lz4_decode = gunzip, unsnap, unlz4
legacy_records.lz4_decode_old_kafka = unlz4  # which finds its wrong checksum, and calls it damaged
