"""bindos: DOSXYZnrc's dose without its empty voxels, in binary, little endian.

int32 counts of voxels; float32 edges in cm along x, y, z; int32 number of filled voxels and of blocks; for each block
int32 start and end (the end is not part of it), counted from 0, x fastest; float32 doses of the blocks; float32
relative uncertainties of the blocks. DOSXYZnrc closes the last block one voxel early when the very last voxel of the
grid has dose: then the blocks hold one voxel less than the file says.
Source: EGSnrc (NRC), pull request 405 and DOSXYZnrc Users Manual, PIRS-794revB.
"""

from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.dose_file import PER_HISTORY, DoseFile
from dosewright.core.errors import InputError, refuse
from dosewright.core.whole_file import write_whole
from dosewright.formats.dose.numbers import Array, count_of_edges, edges_of_cm, named, singles, voxels_of, whole_file

BINDOS: Final = "bindos"
ASSUMED_UNIT = "A bindos file does not say its unit: Gy per original history was taken, as DOSXYZnrc writes by default."
LAST_LOST = "The dose of the very last voxel is missing: DOSXYZnrc closes the last block one voxel early."
LAST_FOUND = "The last block ends one voxel early; the one value more was given to the very last voxel."


class Blocks(NamedTuple):
    """Where the filled voxels lie and where their values begin."""

    shape: tuple[int, int, int]
    edges: Array
    voxels: NDArray[np.int64]  # flat index of each value
    starts: int
    said: str = ""


def fits(data: bytes) -> bool:
    """Say whether bytes are a whole bindos file."""
    return isinstance(_blocks(data), Blocks)


def read_bindos(path: Path) -> DoseFile:
    """Read a bindos file."""
    data = whole_file(path)
    blocks = _blocks(data)
    if isinstance(blocks, str):
        raise refuse(f"The file is no bindos file: {blocks}", given=f"{len(data)} bytes", where=path.name)
    nx, ny, nz = blocks.shape
    count = len(blocks.voxels)
    values = singles(data, 2 * count, blocks.starts).reshape(2, count)
    dose, uncertainty = np.zeros(nx * ny * nz), np.ones(nx * ny * nz)
    dose[blocks.voxels], uncertainty[blocks.voxels] = values
    uncertainty[dose == 0] = 1.0
    try:
        return DoseFile(
            edges_mm=edges_of_cm(blocks.edges, blocks.shape),
            dose=dose.reshape(nz, ny, nx),
            uncertainty=uncertainty.reshape(nz, ny, nx),
            unit=PER_HISTORY,
            format=BINDOS,
            assumed=(ASSUMED_UNIT,),
            problems=(blocks.said,) if blocks.said else (),
        )
    except InputError as error:
        raise named(error, path.name) from error


def _blocks(data: bytes) -> Blocks | str:
    """Return the blocks if the file's size is that of their voxels, else why not."""
    if len(data) < 12:
        return "it is too short"
    shape = voxels_of(np.frombuffer(data, "<i4", 3).astype(np.float64))
    if shape is None:
        return "its counts of voxels make no sense"
    size, at = int(np.prod(np.array(shape, np.int64))), 12 + 4 * count_of_edges(shape)
    if len(data) < at + 8:
        return "it is cut off"
    edges = singles(data, count_of_edges(shape), 12)
    filled, count = (int(n) for n in np.frombuffer(data, "<i4", 2, at))
    starts = at + 8 + 8 * count
    if count < 0 or filled < 0 or len(data) < starts:
        return "its blocks go beyond its end"
    ends = np.frombuffer(data, "<i4", 2 * count, at + 8).astype(np.int64).reshape(-1, 2)
    flat = ends.ravel()
    if count and (flat[0] < 0 or flat[-1] > size or (np.diff(flat) < 0).any()):
        return "its blocks do not ascend inside the voxels"
    lengths = ends[:, 1] - ends[:, 0]
    held, values = int(lengths.sum()), (len(data) - starts) // 8
    if (len(data) - starts) % 8 or held > size:
        return "its values do not fill its blocks"
    first = np.repeat(ends[:, 0] - np.concatenate([[0], np.cumsum(lengths)[:-1]]), lengths)
    voxels = first + np.arange(held)
    short = filled == held + 1 and (not count or ends[-1, 1] == size - 1)
    if values == held and (filled == held or short):
        return Blocks(shape, edges, voxels, starts, LAST_LOST if short else "")
    if short and values == held + 1:
        return Blocks(shape, edges, np.append(voxels, size - 1), starts, LAST_FOUND)
    return f"it says {filled} filled voxels, its blocks hold {held}, and there are values for {values}"


def write_bindos(path: Path, dose: DoseFile) -> None:
    """Write a bindos file, its last block whole; raises `InputError` where there is no uncertainty."""
    if dose.uncertainty is None:
        raise refuse("A bindos file needs uncertainties, and the dose has none", where=path.name)
    flat, uncertainty = dose.dose.ravel(), dose.uncertainty.ravel()
    edge = np.diff(np.concatenate([[0], (flat != 0).astype(np.int8), [0]]))
    blocks = np.stack([np.flatnonzero(edge == 1), np.flatnonzero(edge == -1)], axis=1)
    at = np.flatnonzero(flat)
    if len(flat) >= 1 << 31 or np.abs(flat).max() > np.finfo(np.float32).max:
        raise refuse("The dose does not fit a bindos file", where=path.name)
    parts = (
        np.array(dose.shape, "<i4"),
        *((edges / 10.0).astype("<f4") for edges in dose.edges_mm),
        np.array([len(at), len(blocks)], "<i4"),
        blocks.astype("<i4"),
        flat[at].astype("<f4"),
        uncertainty[at].astype("<f4"),
    )
    write_whole(path, lambda to: to.write_bytes(b"".join(part.tobytes() for part in parts)))
