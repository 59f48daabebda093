"""Numbers in text and bytes of dose files, read without trusting what a file says of its size."""

import re
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse

Array = NDArray[np.float64]

LARGEST_VOXELS = 1 << 31
LARGEST_BYTES = 1 << 33
START_BYTES = 4096
MOST_ALONG = 100_000  # voxels along one axis
# Fortran writes D for double precision, and leaves the letter out before three digits.
FORTRAN = re.compile(rb"(?<=[\d.])[dD](?=[+-]?\d)|(?<=\d)(?=[+-]\d{3}\b)")


def whole_file(path: Path) -> bytes:
    """Return the bytes of a file, or say why they cannot be had; files far too large for a dose are refused."""
    return _read(path, -1)


def start_of(path: Path) -> bytes:
    """Return the first bytes of a file."""
    return _read(path, START_BYTES)


def _read(path: Path, size: int) -> bytes:
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise refuse("The file is too large for a dose", given=f"{path.stat().st_size} bytes",
                         allowed=f"{LARGEST_BYTES} bytes", where=path)  # fmt: skip
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError as error:
        hint = nearest(path.name, [one.name for one in path.parent.glob("*")])
        raise refuse(f"The file cannot be read.{hint}", given="no such file", where=path) from error
    except (OSError, ValueError) as error:
        raise refuse("The file cannot be read", given=getattr(error, "strerror", None) or error, where=path) from error


def numbers_in(text: bytes, where: str) -> Array:
    """Return all numbers of a text, between blanks and ends of lines."""
    try:
        return _parsed(text)
    except ValueError:
        pass
    try:
        return _parsed(FORTRAN.sub(b"e", text))
    except ValueError as error:
        raise refuse("What should be a number is none", given=_first_wrong(text), where=where) from error


def _parsed(text: bytes) -> Array:
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        try:
            return np.fromstring(text, dtype=np.float64, sep=" ")
        except DeprecationWarning as error:
            raise ValueError(str(error)) from error


def _first_wrong(text: bytes) -> str:
    for word in text.split():
        try:
            float(word)
        except ValueError:
            return repr(word[:40].decode("latin-1"))
    return "a character that is no digit"


def singles(data: bytes, count: int, offset: int) -> Array:
    """Return little-endian single-precision numbers in bytes; those that are none are for the caller to refuse."""
    with np.errstate(invalid="ignore"):  # of numbers that signal
        return np.frombuffer(data, "<f4", count, offset).astype(np.float64)


def voxels_of(counts: Array) -> tuple[int, int, int] | None:
    """Return three counts of voxels if they can be such, else None."""
    if len(counts) != 3 or not np.isfinite(counts).all():
        return None
    if any(n != int(n) or not 1 <= n <= MOST_ALONG for n in counts) or np.prod(counts) > LARGEST_VOXELS:
        return None
    nx, ny, nz = (int(n) for n in counts)
    return nx, ny, nz


def edges_of_cm(values: Array, shape: tuple[int, int, int], *, to_mm: float = 10.0) -> tuple[Array, Array, Array]:
    """Split consecutive edges along x, y and z, given in cm, into mm."""
    nx, ny, _ = shape
    # Rounded to 1e-9 mm: 0.1 cm times 10 is 1 mm.
    x, y, z = np.split(np.round(np.asarray(values, np.float64) * to_mm, 9), [nx + 1, nx + ny + 2])
    return x, y, z


def count_of_edges(shape: tuple[int, int, int]) -> int:
    """Return how many edges a file holds for so many voxels."""
    return sum(shape) + 3


def named(error: InputError, where: str) -> InputError:
    """Return an error whose problems name the file."""
    return InputError(*(p if where in p else f"{p} Where: {where}." for p in error.problems))
