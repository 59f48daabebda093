"""GAMOS's squared dose: doses and sums of squares in binary, little endian.

What the manual says and what the code writes differ, and both are read:

* as written: float32 events; three uint64 counts of voxels; float32 edges in mm along x, y, z; float32 rotation matrix
  by rows; a word of 8 bytes that says which voxels follow; all doses then all squares as float32, or a uint64 index
  with two float32 for each filled voxel. Of the word only the lower half is written: the upper holds whatever was in
  memory. It counts 0 all, 1 filled, 2 cross, or from 1 on in older versions; the file's size and indices tell which.
* as documented: float32 throughout, edges in cm, no rotation and no word.

With N events and X what one event gives, dose = sum(X) / N and squares = sum(X^2) / N^2; the variance of the mean is
(squares N - dose^2) / (N - 1).
Source: GAMOS user's guide (CIEMAT), and the files it writes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np

from dosewright.core.dose_file import PER_HISTORY, DoseFile, check_histories, mean_squares, uncertainty_of
from dosewright.core.errors import InputError, refuse
from dosewright.core.whole_file import write_whole
from dosewright.formats.dose.numbers import Array, count_of_edges, edges_of_cm, named, singles, voxels_of, whole_file

ALL, FILLED, CROSS = "sqdose", "sqdose_filled", "sqdose_cross"
WORDS: Final = {0: (ALL,), 1: (FILLED, ALL), 2: (CROSS, FILLED)}  # newer versions, then older ones
TO_WRITE: Final = {ALL: 0, FILLED: 1}
ONE = np.dtype([("index", "<u8"), ("dose", "<f4"), ("squares", "<f4")])
# Below this a single-precision number loses digits, and the variance with them.
SMALLEST: Final = float(np.finfo(np.float32).tiny)
PER_EVENT = (
    "A squared-dose file does not say whether it holds means or sums: Gy per original history was taken (older "
    "versions of GAMOS wrote sums over all events)."
)
OLDER = (
    "The file's word {word} is that of an older version of GAMOS, by the file's size; those wrote sums over all "
    "events. The values were taken for {taken}."
)
TOO_SMALL = "In {voxels} voxels the squares are too small for single precision; their uncertainty was taken as 100 %."
SUMS = "The values were taken for sums over all events, as asked, and divided by their number."


@dataclass(frozen=True)
class Header:
    """What stands before the doses, and where they begin."""

    histories: float
    shape: tuple[int, int, int]
    edges: Array  # along x, y, z, one after the other
    to_mm: float
    rotation: Array
    word: int | None
    starts: int

    @property
    def size(self) -> int:
        """Number of voxels."""
        nx, ny, nz = self.shape
        return nx * ny * nz

    @property
    def in_cross(self) -> int:
        """Number of voxels in the middle row and the middle column of each slice."""
        nx, ny, nz = self.shape
        return (nx + ny - 1) * nz


def fits(data: bytes) -> bool:
    """Say whether bytes are a whole squared-dose file of some kind."""
    return any(_kind(data, header) is not None for header in _headers(data))


def read_sqdose(path: Path, *, sums: bool = False) -> DoseFile:
    """Read a squared-dose file; `sums` says that it holds sums over all events (older GAMOS)."""
    data = whole_file(path)
    headers = _headers(data)
    for header in headers:
        kind = _kind(data, header)
        if kind is not None:
            return _dose(data, header, kind, sums, path.name)
    if headers and len(data) > headers[0].starts:
        nx, ny, nz = headers[0].shape
        raise refuse("The values do not fill the voxels",
                     given=f"{len(data) - headers[0].starts} bytes for {nx} x {ny} x {nz} voxels",
                     allowed=f"{8 * headers[0].size} bytes, or 16 for each filled voxel in ascending order",
                     where=path.name)  # fmt: skip
    raise refuse("The file is no squared-dose file: its counts of voxels make no sense, or it is cut off",
                 given=f"{len(data)} bytes", where=path.name)  # fmt: skip


def _headers(data: bytes) -> list[Header]:
    """Return the headers that the bytes may begin with: as written, as documented."""
    found = []
    if len(data) >= 28:
        shape = voxels_of(np.frombuffer(data, "<u8", 3, 4).astype(np.float64))
        if shape is not None and len(data) >= 28 + 4 * count_of_edges(shape) + 44:
            end = 28 + 4 * count_of_edges(shape)
            rotation = singles(data, 9, end).reshape(3, 3)
            word = int(np.frombuffer(data, "<u4", 1, end + 36)[0])
            found.append(_header(data, shape, 28, 1.0, rotation, word, end + 44))
    if len(data) >= 16:
        shape = voxels_of(singles(data, 3, 4))
        if shape is not None and len(data) >= 16 + 4 * count_of_edges(shape):
            found.append(_header(data, shape, 16, 10.0, np.eye(3), None, 16 + 4 * count_of_edges(shape)))
    return found


def _header(
    data: bytes, shape: tuple[int, int, int], at: int, to_mm: float, rotation: Array, word: int | None, starts: int
) -> Header:
    histories = float(np.frombuffer(data, "<f4", 1, 0)[0])
    edges = singles(data, count_of_edges(shape), at)
    return Header(histories, shape, edges, to_mm, rotation, word, starts)


def _kind(data: bytes, header: Header) -> str | None:
    """Return which voxels follow, by the word and by what the rest of the bytes can be; None if by neither."""
    rest = len(data) - header.starts
    if header.word is None:
        return ALL if rest == 8 * header.size else None
    for kind in WORDS.get(header.word, ()):
        if kind == FILLED and rest and rest % ONE.itemsize == 0 and _indices_ascend(data, header):
            return kind
        if kind == ALL and rest == 8 * header.size:
            return kind
        if kind == CROSS and rest == 8 * header.in_cross:
            return kind
    return None


def _indices_ascend(data: bytes, header: Header) -> bool:
    indices = np.frombuffer(data, ONE, offset=header.starts)["index"]
    return bool(indices.max() < header.size and (np.diff(indices.astype(np.int64)) > 0).all())


def _dose(data: bytes, header: Header, kind: str, sums: bool, where: str) -> DoseFile:
    n = header.histories
    check_histories(n, where)
    dose, squares = _values(data, header, kind)
    if sums:
        dose, squares = dose / n, squares / n**2
    problems, assumed = [], [SUMS if sums else PER_EVENT]
    if header.word is None:
        assumed.append("The file was read as its manual says: all values single precision, edges in cm.")
    elif kind != WORDS[header.word][0]:
        problems.append(
            OLDER.format(word=header.word, taken="sums" if sums else "means; if they are sums, ask for sums")
        )
    if kind == FILLED:
        assumed.append("The file does not say how many voxels are filled; one cut off between two cannot be told.")
    if kind == CROSS:
        problems.append("The file holds the middle row and column of each slice only; elsewhere the dose is 0 here.")
    lost = (dose != 0) & (squares < SMALLEST)
    if lost.any():
        squares = np.where(lost, dose**2, squares)
        problems.append(TOO_SMALL.format(voxels=int(lost.sum())))
    if not np.allclose(header.rotation, np.eye(3), atol=1e-6):
        assumed.append("The file holds a rotation: the edges were taken along the turned axes.")
    try:
        return DoseFile(
            edges_mm=edges_of_cm(header.edges, header.shape, to_mm=header.to_mm),
            dose=dose,
            uncertainty=uncertainty_of(dose, squares, n),
            histories=n,
            squares=squares,
            unit=PER_HISTORY,
            direction=_rotation(header.rotation),
            format=kind,
            assumed=tuple(assumed),
            problems=tuple(problems),
        )
    except InputError as error:
        raise named(error, where) from error


def _values(data: bytes, header: Header, kind: str) -> tuple[Array, Array]:
    """Return dose and squares of all voxels, [z, y, x]."""
    nx, ny, nz = header.shape
    if kind == ALL:
        values = singles(data, 2 * header.size, header.starts)
        dose, squares = values.reshape(2, nz, ny, nx)
        return dose, squares
    dose, squares = np.zeros(header.size), np.zeros(header.size)
    if kind == FILLED:
        filled = np.frombuffer(data, ONE, offset=header.starts)
        at = filled["index"].astype(np.int64)
        dose[at], squares[at] = filled["dose"], filled["squares"]
    else:
        middle = np.zeros((nz, ny, nx), bool)
        middle[:, ny // 2, :] = middle[:, :, nx // 2] = True
        values = np.frombuffer(data, "<f4", 2 * header.in_cross, header.starts).reshape(2, -1)
        dose[middle.ravel()], squares[middle.ravel()] = values
    return dose.reshape(nz, ny, nx), squares.reshape(nz, ny, nx)


def _rotation(matrix: Array) -> Array:
    """Return the matrix with its single-precision errors taken out; what is no rotation is refused."""
    if not np.isfinite(matrix).all() or not np.allclose(matrix @ matrix.T, np.eye(3), atol=1e-4):
        raise refuse("The rotation matrix of the file is none", given=matrix.ravel().tolist())
    u, _, v = np.linalg.svd(matrix)
    nearest_rotation: Array = u @ v
    if np.linalg.det(nearest_rotation) < 0:
        raise refuse("The rotation matrix of the file is a reflection", given=matrix.ravel().tolist())
    return nearest_rotation


def lost_squares(dose: DoseFile) -> int:
    """Return in how many voxels the squares are too small for the file."""
    squares = mean_squares(dose)
    return 0 if squares is None else int(((dose.dose != 0) & (squares < SMALLEST)).sum())


def write_sqdose(path: Path, dose: DoseFile, *, kind: str = ALL) -> None:
    """Write a squared-dose file as GAMOS's code does, of all voxels or of the filled ones.

    Raises `InputError` where histories or squares are not known.
    """
    squares = mean_squares(dose)
    if squares is None or dose.histories is None:
        raise refuse("A squared-dose file needs the number of histories and the uncertainty, and the dose lacks one",
                     where=path.name)  # fmt: skip
    largest = np.finfo(np.float32).max
    if np.abs(dose.dose).max() > largest or squares.max() > largest:
        raise refuse("The dose does not fit single precision", where=path.name)
    write_whole(path, lambda to: _write(to, dose, squares, kind))


def _write(path: Path, dose: DoseFile, squares: Array, kind: str) -> None:
    with path.open("wb") as file:
        _put(file, [dose.histories or 0.0], "<f4")
        _put(file, dose.shape, "<u8")
        for edges in dose.edges_mm:
            _put(file, edges, "<f4")
        _put(file, dose.direction.ravel(), "<f4")
        _put(file, [TO_WRITE[kind]], "<u8")
        if kind == ALL:
            _put(file, dose.dose.ravel(), "<f4")
            _put(file, squares.ravel(), "<f4")
            return
        at = np.flatnonzero(dose.dose)
        filled = np.empty(len(at), ONE)
        filled["index"], filled["dose"], filled["squares"] = at, dose.dose.ravel()[at], squares.ravel()[at]
        file.write(filled.tobytes())


def _put(file: IO[bytes], values: object, dtype: str) -> None:
    file.write(np.asarray(values).astype(dtype).tobytes())
