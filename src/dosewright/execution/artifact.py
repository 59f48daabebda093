"""A data file, then its JSON sidecar with SHA-256, written last: no sidecar, no artifact.

A process killed at any moment leaves either a complete artifact or none; what it left half done carries a
temporary name and is never read.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dosewright.core.whole_file import FILE_MODE as FILE_MODE
from dosewright.core.whole_file import write_whole, write_whole_text

FOLDER_MODE = 0o700
CHUNK_BYTES = 1 << 20


def private_folder(path: Path) -> Path:
    """Make a folder, and the missing ones above it, readable by its owner only; return it."""
    missing = [p for p in (path, *path.parents) if not p.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=FOLDER_MODE, exist_ok=True)
    return path


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def sidecar_of(path: Path) -> Path:
    """Return where the sidecar of a data file lies."""
    return path.with_name(path.name + ".json")


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Make the folder, then the file by ``write(temporary)``, whole or not at all."""
    private_folder(path.parent)
    write_whole(path, write)


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, atomically, keys in the given order."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    private_folder(path.parent)
    write_whole_text(path, text)


def publish(path: Path, write: Callable[[Path], None], meta: dict[str, Any]) -> None:
    """Make the data file `path` by ``write(temporary)``, then its sidecar with hash, size and `meta`.

    Publishing again replaces the artifact: the old sidecar goes first, so that it never vouches for new data.
    """
    sidecar = sidecar_of(path)
    sidecar.unlink(missing_ok=True)
    write_atomically(path, write)
    write_json(sidecar, {"sha256": file_sha256(path), "size": path.stat().st_size, "meta": meta})


def verified(path: Path) -> dict[str, Any] | None:
    """Return the `meta` of an artifact, or None unless its sidecar exists and its data are unchanged."""
    try:
        sidecar = json.loads(sidecar_of(path).read_text(encoding="utf-8"))
        same = path.stat().st_size == sidecar["size"] and file_sha256(path) == sidecar["sha256"]
        meta = sidecar["meta"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return meta if same and isinstance(meta, dict) else None
