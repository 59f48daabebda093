"""A text phantom of GAMOS and Geant4's DICOM example (.g4dcm): media, voxels, numbers of media, densities.

The number of media; for each its number, from 0 upwards, and its name; voxels along x, y, z; first and last edge of
each axis in mm; then for every voxel, x fastest, then y, then z, the number of its medium and, after all of these, its
density in g/cm3. Blanks and line ends mean the same. What follows (structures of a DICOM set) is left out.
"""

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.voxel_phantom import VoxelPhantom

FORMAT = "g4dcm"
LARGEST_BYTES = 2_000_000_000  # a hundred million voxels
LARGEST_HEADER_BYTES = 100_000
MOST_ALONG = 100_000
MOST_MEDIA = 10_000

_NO_NUMBER = re.compile(rb"(?:^|(?<=\s))\S*[^0-9eE+.\s-]")  # the beginning of the first word that is no number

Array = NDArray[np.float64]


def looks_like_g4dcm(start: bytes) -> bool:
    """Say whether a file begins as such a phantom does: a number of media, then ``0 NAME``."""
    words = start.split(None, 3)
    return len(words) > 2 and words[0].isdigit() and words[1] == b"0" and not _is_number(words[2])


def read_g4dcm(path: Path, *, densities: bool = True) -> VoxelPhantom:
    """Read a phantom; without `densities` those of the file are not looked at and are 0 here, which means unknown."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise refuse("The file is too large for a text phantom", given=f"{path.stat().st_size:,} bytes",
                         allowed=f"{LARGEST_BYTES:,}", where=path.name)  # fmt: skip
        data = path.read_bytes()
    except OSError as error:
        raise refuse("The file cannot be read", given=error.strerror, where=path) from error
    header = _Header(data[:LARGEST_HEADER_BYTES], path.name)
    count = header.whole("the number of media", 1, MOST_MEDIA)
    media = [header.medium(n) for n in range(count)]
    if len(set(media)) < count:
        raise refuse("Two media of the phantom have one name", given=", ".join(media), where=path.name)
    nx, ny, nz = (header.whole(f"the number of voxels along {axis}", 1, MOST_ALONG) for axis in "xyz")
    x, y, z = (header.edges(axis, n) for axis, n in zip("xyz", (nx, ny, nz), strict=True))
    size = nx * ny * nz
    wanted = 2 * size if densities else size
    if 2 * wanted - 1 > len(data) - header.at:  # a digit and a blank are the least that a number takes
        raise _cut_off(path, "its voxels do", (len(data) - header.at + 1) // 2, wanted, densities=False)
    numbers = _numbers(data[header.at :], wanted)
    if len(numbers) < size:
        raise _cut_off(path, "its numbers of media do", len(numbers), size, densities=False)
    medium = numbers[:size]
    wrong = (medium < 0) | (medium >= count) | (medium != np.rint(medium))
    if wrong.any():
        raise refuse("A voxel has the number of no medium", given=f"{medium[wrong][0]:g}", allowed=f"0 to {count - 1}",
                     where=path.name)  # fmt: skip
    if len(numbers) < wanted:
        raise _cut_off(path, "its densities do", len(numbers) - size, size, densities=True)
    density = (numbers[size:] if densities else np.zeros(size)).reshape(nz, ny, nx)
    number = (medium + 1).astype(np.int16).reshape(nz, ny, nx)
    try:
        return VoxelPhantom((x, y, z), tuple(media), number, density, FORMAT)
    except InputError as refused:
        raise InputError(*(f"{problem} Where: {path.name}." for problem in refused.problems)) from None


def _cut_off(path: Path, what: str, given: int, wanted: int, *, densities: bool) -> InputError:
    """Return the refusal of a file that ends too early, or in something that is no number."""
    return refuse(
        f"The phantom ends before {what}, or holds a word that is no number",
        given=f"{given:,} numbers",
        allowed=f"{wanted:,}" + ('; or densities = "media" in [phantom] of a run file' if densities else ""),
        where=path.name,
    )


def _numbers(text: bytes, count: int) -> Array:
    """Return the first numbers of a text, fewer where it ends or something else stands there."""
    # Never with a count: beyond the end of the text numpy then gives whatever lies in the memory.
    stranger = _NO_NUMBER.search(text)
    if stranger is not None:
        text = text[: stranger.start()]
    try:
        values: Array = np.fromstring(text, np.float64, sep=" ")
    except ValueError:
        return np.zeros(0)
    return values[:count]


class _Header:
    """The words before the voxels, taken one after another."""

    def __init__(self, data: bytes, name: str) -> None:
        self._data, self._name, self.at = data, name, 0

    def text(self, what: str) -> str:
        """Take one word."""
        found = re.compile(rb"\s*(\S+)").match(self._data, self.at)
        if found is None:
            raise refuse(f"The phantom ends before {what}", where=self._name)
        self.at = found.end()
        return found[1][:200].decode("utf-8", "replace")

    def number(self, what: str) -> float:
        """Take a finite number."""
        word = self.text(what)
        value = float(word) if _is_number(word.encode()) else float("nan")
        if not np.isfinite(value):
            raise refuse(f"Expected {what}", given=repr(word[:40]), where=self._name)
        return value

    def whole(self, what: str, least: int, most: int) -> int:
        """Take a whole number in a range."""
        value = self.number(what)
        if value != round(value) or not least <= value <= most:
            allowed = f"{least}" if least == most else f"{least} to {most}"
            raise refuse(f"Expected {what}", given=f"{value:g}", allowed=allowed, where=self._name)
        return int(value)

    def medium(self, n: int) -> str:
        """Take the n-th number and name of a medium."""
        self.whole(f"the number of medium {n}", n, n)
        return self.text(f"the name of medium {n}")

    def edges(self, axis: str, voxels: int) -> Array:
        """Take first and last edge of an axis (mm) and return all."""
        first, last = self.number(f"the first edge along {axis}"), self.number(f"the last edge along {axis}")
        if not first < last:
            raise refuse(f"The edges along {axis} do not ascend", given=f"{first:g} to {last:g} mm", where=self._name)
        return np.linspace(first, last, voxels + 1)


def _is_number(word: bytes) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
