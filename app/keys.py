"""Keys, as files that only their owner reads, in a folder that no backup of the data holds.

The instance key: every keyed hash, seal and chain in the system derives from one file (HKDF, RFC 5869). The vault's
keys: a file for each source, month of receipt and generation, named by a keyed hash of the source and the month. Each
holds 32 random bytes in hexadecimal.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app import AppError

MESSAGES = "oktt:messages"
"""As if it were a source: under whose keys messages that wait lie sealed, by the month in which they were queued."""
_SIZE = 32
_NAME = re.compile(r"(?P<source>[0-9a-f]{16})-(?P<month>\d{4}-\d\d)\.(?P<generation>[1-9]\d*)").fullmatch


class Keyring:
    """Derives one key for each purpose; two purposes never share one."""

    def __init__(self, instance: bytes) -> None:
        self._instance = instance
        self.derive = cache(self._derive)
        """32 bytes for a purpose such as `documents`, `seal`, `journal`."""

    def _derive(self, purpose: str) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"oktt/1/{purpose}".encode()).derive(self._instance)


class Standing(NamedTuple):
    """A key that is there."""

    source: str
    """Short keyed hash of its source (`Files.name`)."""
    month: str
    generation: int

    @property
    def file(self) -> str:
        """How its file is called."""
        return f"{self.source}-{self.month}.{self.generation}"


class Files:
    """`pii_guard.vault.Keys` in a folder. Another process's new and destroyed keys are noticed at the next question.

    `secret` keys the hashes of the sources' names.
    """

    def __init__(self, folder: Path, secret: bytes) -> None:
        self.folder, self._secret = folder, secret
        self._read: dict[Path, tuple[tuple[int, int], bytes]] = {}
        self._newest: dict[tuple[str, str], int] = {}
        self.name = cache(self._name)
        """How a source stands in names of files."""
        self._path = cache(self._file)  # a message asks for its key four times: what takes time is to make a Path

    def newest(self, source: str, month: str) -> tuple[int, bytes] | None:
        """The latest generation that is there."""
        known = self._newest.get((source, month), 0)
        while self._path(source, month, known + 1).exists():
            known += 1
        key = self.get(source, month, known) if known else None
        if key is None:  # destroyed since, or the first ones were: what the folder holds decides
            name = self.name(source)
            known = max((each.generation for each in self.standing() if each[:2] == (name, month)), default=0)
            key = self.get(source, month, known) if known else None
        if key is None:
            self._newest.pop((source, month), None)
            return None
        self._newest[source, month] = known
        return known, key

    def get(self, source: str, month: str, generation: int) -> bytes | None:
        """One generation; None: it is not there. Raises AppError when it can be read by others or is no key."""
        path = self._path(source, month, generation)
        try:
            found = path.stat()
        except FileNotFoundError:
            self._read.pop(path, None)
            return None
        except OSError as error:
            raise AppError(
                f"{self.folder} cannot be read ({error.strerror}): correct its owner and permissions"
            ) from None
        seen = found.st_ino, found.st_mtime_ns
        known = self._read.get(path)
        if known is None or known[0] != seen:
            known = self._read[path] = seen, read(path)
        return known[1]

    def make(self, source: str, month: str, generation: int) -> bytes:
        """That generation, made if it is not there."""
        _folder(self.folder)
        create(self._path(source, month, generation))
        found = self.get(source, month, generation)
        if found is None:
            raise AppError(f"{self.folder} lost a key as it was made: is another process destroying keys there?")
        return found

    def destroy(self, source: str, month: str, generation: int) -> None:
        """Beyond recovery."""
        self.shred(Standing(self.name(source), month, generation))

    def months(self, source: str) -> list[str]:
        """The months of which there is a key."""
        name = self.name(source)
        return sorted({each.month for each in self.standing() if each.source == name})

    def shred(self, key: Standing) -> None:
        """Overwritten, then removed: on a disk that keeps old blocks the encryption of the disk has to do the rest."""
        path = self.folder / key.file
        self._read.pop(path, None)
        with suppress(FileNotFoundError):
            with path.open("r+b") as file:
                file.write(os.urandom(2 * _SIZE))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _settle(self.folder)

    def standing(self) -> Iterator[Standing]:
        """Every key that is there."""
        names = sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else ()
        for found in map(_NAME, names):
            if found is not None:
                yield Standing(found["source"], found["month"], int(found["generation"]))

    def _name(self, source: str) -> str:
        return hashlib.blake2b(source.encode(), key=self._secret, digest_size=8, person=b"oktt-vault").hexdigest()

    def _file(self, source: str, month: str, generation: int) -> Path:
        return self.folder / Standing(self.name(source), month, generation).file


def create(path: Path) -> bool:
    """Make the key file if it is not there, readable by its owner only. True: it was made.

    Under its name it is whole or not there, whatever is killed when, and whoever makes it at the same time.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(os.urandom(_SIZE).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        _settle(path.parent)
    except OSError as error:
        raise AppError(f"{path} cannot be made ({error.strerror}): check [keys] in oktt.toml and the folder") from None
    return True


def _folder(path: Path) -> None:
    """A folder that only its owner enters."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise AppError(f"{path} cannot be made ({error.strerror}): check [keys] in oktt.toml") from None


def make(path: Path) -> bool:
    """The instance key, and its folder. True: it was made."""
    _folder(path.parent)
    return create(path)


def _settle(folder: Path) -> None:
    """What a folder lists is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def load(path: Path) -> Keyring:
    """Read the instance key. Raises AppError when it is missing, open to others, or not 32 bytes in hexadecimal."""
    return Keyring(read(path))


def read(path: Path) -> bytes:
    """32 bytes of a key file."""
    try:
        if path.stat().st_mode & 0o077:
            raise AppError(f"{path} can be read by others: chmod 600 {path}")
        found = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise AppError(f"{path} is not there: run `oktt init`, or put back the key of this database") from None
    except (OSError, ValueError):
        raise AppError(f"{path} is not a key file: put back the key of this database") from None
    if len(found) != _SIZE:
        raise AppError(f"{path} does not hold 32 bytes: put back the key of this database")
    return found
