"""A file whole or not at all: written under a temporary name beside its place, brought to disk, renamed."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

FILE_MODE = 0o600


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file under a temporary name, then put it in its place, readable by its owner only.

    A process killed meanwhile, or a `write` that fails, leaves the former file. The temporary name is hidden, so that
    it is known for unfinished, and keeps the suffix, since some writers choose a format or append one by it.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
        write(temporary)
        temporary.chmod(FILE_MODE)  # whatever the umask or the writer made of it
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _entries_to_disk(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all; line ends stay as they are."""
    write_whole(path, lambda temporary: temporary.write_bytes(text.encode("utf-8")))


def _entries_to_disk(folder: Path) -> None:
    """Bring a folder's entries to disk; file systems that cannot are left alone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    except OSError:
        return
    finally:
        os.close(descriptor)
