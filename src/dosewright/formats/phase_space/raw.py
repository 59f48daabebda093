"""Files of records of one length: read in runs, grown under a temporary name, their values checked."""

import mmap
import os
import secrets
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.particles import COLUMNS, SPECIES, Particles
from dosewright.core.whole_file import FILE_MODE

BATCH = 1 << 15  # records: their columns stay in the cache of a core
WRITTEN_BEHIND = 1 << 25  # bytes
BLOCK = 1 << 20  # bytes
# Direction cosines are single precision, and some files were made from printed numbers of four digits.
LARGEST_DIRECTION_SQUARED = 1 + 1e-4
FLOATS = tuple(name for name in COLUMNS if name not in ("species", "histories"))


def size_of(path: Path) -> int:
    """Return the bytes of a file that is there; anything else is refused."""
    try:
        if path.is_file():
            return path.stat().st_size
    except (OSError, ValueError) as error:
        raise refuse("The file cannot be read", given=type(error).__name__, where=path) from error
    raise refuse("There is no such file", given=path)


def runs(
    path: Path, dtype: np.dtype[np.void], first: int, count: int, size: int, *, offset: int = 0
) -> Iterator[NDArray[np.void]]:
    """Yield `count` records from number `first` on, at most `size` at once, in a buffer that the next run overwrites.

    Parameters
    ----------
    dtype
        A packed structured type, its itemsize the length of a record.
    offset
        Bytes before record 0.
    """
    if size < 1:
        raise refuse("A run of records needs a size", given=size, allowed="1 and more")
    if (first + count) * dtype.itemsize + offset > size_of(path):
        raise refuse("The file is shorter than its header says", given=f"{size_of(path)} bytes",
                     allowed=f"{(first + count) * dtype.itemsize + offset} bytes", where=path)  # fmt: skip
    buffer = np.empty(min(size, count), dtype)
    with path.open("rb", buffering=0) as file:
        file.seek(offset + first * dtype.itemsize)
        while count:
            run = buffer[: min(size, count)]
            _fill(file, run, path)
            yield run
            count -= len(run)


def _fill(file: FileIO, run: NDArray[np.void], path: Path) -> None:
    """Read until the run is full; a read may return less than was asked for."""
    view = memoryview(run.view(np.uint8).data)
    while view:
        got = file.readinto(view)
        if not got:
            raise refuse("The file ended while it was read", where=path)
        view = view[got:]


def _checksum(file: FileIO, first: int, last: int) -> int | None:
    """Return the checksum of the bytes from `first` up to `last`; None where there are not so many."""
    file.seek(first)
    checksum, left = 0, last - first
    while left:
        block = file.read(min(BLOCK, left))
        if not block:
            return None
        checksum, left = zlib.crc32(block, checksum), left - len(block)
    return checksum


def _from_disk(path: Path, block: mmap.mmap) -> FileIO:
    """Open a file whose bytes come from the disk, not from what the system remembers of them, where it can.

    Some file systems refuse that when the file is opened, some when it is read into a block for the first time.
    """
    file = None
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_DIRECT), "rb", buffering=0)
        file.readinto(block)
        file.seek(0)
        return file
    except OSError:
        if file is not None:
            file.close()
        return path.open("rb", buffering=0)


def bounded(first: int, count: int | None, particles: int) -> tuple[int, int]:
    """Return the first record and how many, none beyond the end; a start before the file is refused."""
    if first < 0 or (count is not None and count < 0):
        raise refuse("Records are counted from 0", given=f"first {first}, count {count}")
    left = max(particles - first, 0)
    return first, left if count is None else min(count, left)


def w_of(u: NDArray[np.float32], v: NDArray[np.float32], negative: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the third direction cosine, sign and all: sqrt(1 - u^2 - v^2), 0 where rounding made that negative."""
    with np.errstate(invalid="ignore", over="ignore"):  # what is no number is refused by `check_values`
        squared = 1 - np.multiply(u, u, dtype=np.float64) - np.multiply(v, v, dtype=np.float64)
    w: NDArray[np.float32] = np.sqrt(np.maximum(squared, 0)).astype(np.float32)
    np.negative(w, out=w, where=negative)
    return w


def check_values(particles: Particles, *, first: int, where: Path) -> None:
    """Refuse records that no particle can have: unknown species, values not finite, u^2 + v^2 above 1.

    Parameters
    ----------
    first
        Number of the first of these records, for the message.
    """
    species = particles.species
    if len(species) == 0:
        return
    if species.min() < min(SPECIES) or species.max() > max(SPECIES):
        bad = (species < min(SPECIES)) | (species > max(SPECIES))
        raise _refused("unknown particle", bad, species, first, where)
    for name in FLOATS:
        column: NDArray[np.float32] = getattr(particles, name)
        # A sum is one quick pass; only a sum that is not finite needs a second look.
        with np.errstate(over="ignore", invalid="ignore"):
            suspicious = not np.isfinite(column.sum())
        if suspicious and not np.isfinite(column).all():
            raise _refused(f"{name} is not a finite number", ~np.isfinite(column), column, first, where)
    if particles.energy_MeV.min() < 0:
        raise _refused("negative energy", particles.energy_MeV < 0, particles.energy_MeV, first, where)
    with np.errstate(over="ignore", invalid="ignore"):
        squared = particles.u * particles.u + particles.v * particles.v
    if squared.max() > LARGEST_DIRECTION_SQUARED:
        raise _refused("u^2 + v^2 above 1", squared > LARGEST_DIRECTION_SQUARED, squared, first, where)
    if particles.histories.min() < 0:
        raise _refused("negative number of histories", particles.histories < 0, particles.histories, first, where)


def _refused(what: str, bad: NDArray[np.bool_], values: NDArray[np.generic], first: int, where: Path) -> InputError:
    at = int(np.argmax(bad))
    return refuse(f"Record {first + at} of the phase space is damaged: {what}", given=values[at],
                  where=f"{where.name}, {int(bad.sum())} such among {len(bad)} records")  # fmt: skip


class GrowingFile:
    """A file that grows under a hidden temporary name beside its place until `finish` puts it there.

    A process that is killed leaves it under `temporary`; `discard` removes it. What was written goes to disk and out
    of memory as the file grows, so that files of any size leave the memory to others.

    Parameters
    ----------
    head
        First bytes, which `replace_head` may replace by as many others.
    """

    def __init__(self, path: Path, head: bytes = b"") -> None:
        self.path = path
        self.temporary = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}{path.suffix}")
        try:
            descriptor = os.open(self.temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, FILE_MODE)
        except OSError as error:
            raise refuse("The file cannot be written", given=error.strerror, where=path) from error
        self._file = os.fdopen(descriptor, "r+b", buffering=0)
        self._checksum = 0
        self._size = self._on_disk = 0
        self._is_kept = False
        self._head = head
        self._put(memoryview(head))

    def write(self, values: NDArray[np.generic] | bytes) -> None:
        """Add bytes at the end."""
        data = values if isinstance(values, bytes) else np.ascontiguousarray(values).view(np.uint8).data
        view = memoryview(data)
        self._checksum = zlib.crc32(view, self._checksum)
        self._put(view)
        if self._size - self._on_disk >= WRITTEN_BEHIND:
            self.sync()

    def _put(self, view: memoryview) -> None:
        self._size += len(view)
        while view:
            view = view[self._file.write(view) :]

    def replace_head(self, head: bytes) -> None:
        """Replace the first bytes, such as a header of fixed length."""
        if len(head) != len(self._head):
            raise ValueError("the head of a growing file keeps its length")
        self._head = head
        self._file.seek(0)
        self._put(memoryview(head))
        self._size -= len(head)
        self._file.seek(0, os.SEEK_END)

    def sync(self) -> None:
        """Bring what was written to disk, and out of memory."""
        os.fsync(self._file.fileno())
        os.posix_fadvise(self._file.fileno(), self._on_disk, 0, os.POSIX_FADV_DONTNEED)
        self._on_disk = self._size

    def kept(self) -> dict[str, Any]:
        """Bring the file to disk and return what `take_up` needs; `discard` leaves it there from now on."""
        self.sync()
        self._is_kept = True
        return {"name": self.temporary.name, "size": self._size, "checksum": self._checksum, "head": self._head.hex()}

    def take_up(self, kept: dict[str, Any]) -> bool:
        """Go on with a file as another process has kept it, instead of this one; say whether it is still there."""
        temporary, head = self.path.with_name(kept["name"]), bytes.fromhex(kept["head"])
        try:
            file = temporary.open("r+b", buffering=0)
        except OSError:
            return False
        if _checksum(file, len(head), kept["size"]) != kept["checksum"]:
            file.close()
            return False
        self.discard()
        file.truncate(kept["size"])
        file.seek(0, os.SEEK_END)
        self._file, self.temporary, self._is_kept = file, temporary, True
        self._size, self._checksum, self._on_disk = kept["size"], kept["checksum"], 0
        self._head = bytes(len(head))
        self.replace_head(head)
        return True

    def verify(self) -> None:
        """Read back, from the disk, every byte that was written; a file in which others stand is refused."""
        self.sync()
        size, checksum, head = 0, 0, b""
        with mmap.mmap(-1, BLOCK) as block, _from_disk(self.temporary, block) as file:
            while got := file.readinto(block):
                if not size:
                    head = block[: len(self._head)]
                with memoryview(block) as view:
                    checksum = zlib.crc32(view[0 if size else len(head) : got], checksum)
                size += got
        if (head, size, checksum) != (self._head, self._size, self._checksum):
            raise refuse("The file on disk is not what was written to it", where=self.path)

    def finish(self) -> None:
        """Bring the file to disk and put it in its place."""
        self.sync()
        self._file.close()
        self.temporary.replace(self.path)

    def discard(self) -> None:
        """Remove what there is, unless it was finished, or is kept for another process."""
        self._file.close()
        if not self._is_kept:
            self.temporary.unlink(missing_ok=True)

    def __enter__(self) -> "GrowingFile":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
