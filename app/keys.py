"""The instance key: every keyed hash, seal and chain in the system derives from one file (HKDF, RFC 5869)."""

import os
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app import AppError


class Keyring:
    """Derives one key for each purpose; two purposes never share one."""

    def __init__(self, instance: bytes) -> None:
        self._instance = instance

    def derive(self, purpose: str) -> bytes:
        """32 bytes for a purpose such as `documents`, `seal`, `journal`."""
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"oktt/1/{purpose}".encode()).derive(self._instance)


def create(path: Path) -> bool:
    """Make the key file if it is not there, readable by its owner only. True: it was made."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    except OSError as error:
        raise AppError(f"{path} cannot be made ({error.strerror}): check [keys] in oktt.toml and the folder") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(os.urandom(32).hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return True


def load(path: Path) -> Keyring:
    """Read the key file. Raises AppError when it is missing, open to others, or not 32 bytes in hexadecimal."""
    try:
        if path.stat().st_mode & 0o077:
            raise AppError(f"{path} can be read by others: chmod 600 {path}")
        instance = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        raise AppError(f"{path} is not there: run `oktt init`, or put back the key of this database") from None
    except (OSError, ValueError):
        raise AppError(f"{path} is not a key file: put back the key of this database") from None
    if len(instance) != 32:
        raise AppError(f"{path} does not hold 32 bytes: put back the key of this database")
    return Keyring(instance)
