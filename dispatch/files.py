"""The file channel: a message becomes a file. Writing it again replaces it by the same bytes."""

import contextlib
import os
import re
from pathlib import Path

from dispatch import Delivery, DispatchError, Outcome
from subscribers import Contact

_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


class FileChannel:
    """Writes `<delivery id><suffix>` in a folder: the .eml files of `outbox/` when no SMTP server is set."""

    def __init__(self, folder: Path, suffix: str = ".eml") -> None:
        self.folder, self.suffix = folder, suffix

    def send(self, delivery: Delivery, contact: Contact, message: bytes) -> Outcome:  # noqa: ARG002
        """Write the message, whole or not at all, and only then call it sent. A full disk is a retry."""
        if not _NAME.fullmatch(delivery.id):
            raise DispatchError("a delivery's id has to be letters and digits")
        target = self.folder / f"{delivery.id}{self.suffix}"
        partial = self.folder / f".{delivery.id}.{os.getpid()}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with partial.open("wb") as file:
                file.write(message)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(target)
            self._sync_folder()
        except OSError as error:
            with contextlib.suppress(OSError):
                partial.unlink()
            return Outcome("retry", f"file-{error.errno}")
        return Outcome("sent", "file")

    def close(self) -> None:
        """Nothing is kept open."""

    def _sync_folder(self) -> None:
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
