"""Put a file in its place whole or not at all, readable by its owner only."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def place(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file under a temporary name beside `path` (mode 0600), then rename it."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def place_text(path: Path, text: str) -> None:
    """Write a UTF-8 text file whole or not at all."""
    place(path, lambda stream: stream.write(text.encode("utf-8")))
