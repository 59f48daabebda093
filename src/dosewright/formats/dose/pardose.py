"""pardose: what one part of a parallel DOSXYZnrc run deposited, in binary, little endian.

float64 histories, int32 counts of voxels, float32 energies deposited (MeV, summed over histories, x fastest), float32
sums of their squares, history by history. Neither edges nor masses are in the file: a phantom gives them.
Source: EGSnrc (NRC), DOSXYZnrc Users Manual, PIRS-794revB, on recombining parallel runs.
"""

from pathlib import Path
from typing import Final

import numpy as np

from dosewright.core.dose_file import PER_HISTORY, DoseFile, check_histories, mean_squares, uncertainty_of
from dosewright.core.errors import InputError, refuse
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.core.whole_file import write_whole
from dosewright.formats.dose.numbers import named, singles, voxels_of, whole_file

PARDOSE: Final = "pardose"
HEADER_BYTES = 20
ASSUMED = "A pardose file holds energies: masses and edges were taken from the phantom given."
NO_MASS = "Voxels without mass were given no dose, though energy was deposited there."


def fits(data: bytes) -> bool:
    """Say whether bytes are a whole pardose file."""
    shape = _shape(data)
    return shape is not None and len(data) == HEADER_BYTES + 8 * int(np.prod(np.array(shape, np.int64)))


def read_pardose(path: Path, phantom: VoxelPhantom | None) -> DoseFile:
    """Read a pardose file; the phantom must have its numbers of voxels."""
    data = whole_file(path)
    shape = _shape(data)
    if shape is None:
        raise refuse("The file is no pardose file: its counts of voxels make no sense", where=path.name)
    nx, ny, nz = shape
    if not fits(data):
        raise refuse("The values do not fill the voxels", given=f"{len(data)} bytes",
                     allowed=f"{HEADER_BYTES + 8 * nx * ny * nz} bytes", where=path.name)  # fmt: skip
    if phantom is None:
        raise refuse("A pardose file holds neither edges nor masses: the phantom of the run is needed",
                     allowed="an egsphant file of the same voxels", where=path.name)  # fmt: skip
    if phantom.shape != shape:
        raise refuse("The phantom has other voxels than the pardose file", given=phantom.shape, allowed=shape,
                     where=path.name)  # fmt: skip
    n = float(np.frombuffer(data, "<f8", 1)[0])
    check_histories(n, path.name)
    energy, squared = singles(data, 2 * nx * ny * nz, HEADER_BYTES).reshape(2, nz, ny, nx)
    mass = phantom.mass_g
    problems = (NO_MASS,) if ((energy != 0) & (mass == 0)).any() else ()
    Gy = np.divide(MEV_PER_G_IN_GY, mass, out=np.zeros_like(mass), where=mass > 0)
    dose, squares = energy * Gy / n, squared * Gy**2 / n**2
    try:
        return DoseFile(
            edges_mm=phantom.edges_mm,
            dose=dose,
            uncertainty=uncertainty_of(dose, squares, n),
            histories=n,
            squares=squares,
            unit=PER_HISTORY,
            format=PARDOSE,
            assumed=(ASSUMED,),
            problems=problems,
        )
    except InputError as error:
        raise named(error, path.name) from error


def write_pardose(path: Path, dose: DoseFile, phantom: VoxelPhantom | None) -> None:
    """Write a pardose file; the phantom gives the masses that turn dose into energy."""
    squares = mean_squares(dose)
    if squares is None or dose.histories is None:
        raise refuse("A pardose file needs the number of histories and the uncertainty, and the dose lacks one",
                     where=path.name)  # fmt: skip
    if phantom is None or phantom.shape != dose.shape:
        raise refuse("A pardose file holds energies: the phantom of the same voxels is needed", where=path.name)
    n, MeV = dose.histories, phantom.mass_g / MEV_PER_G_IN_GY
    parts = (
        np.array([n], "<f8"),
        np.array(dose.shape, "<i4"),
        (dose.dose * MeV * n).astype("<f4"),
        (squares * MeV**2 * n**2).astype("<f4"),
    )
    write_whole(path, lambda to: to.write_bytes(b"".join(part.tobytes() for part in parts)))


def _shape(data: bytes) -> tuple[int, int, int] | None:
    return None if len(data) < HEADER_BYTES else voxels_of(np.frombuffer(data, "<i4", 3, 8).astype(np.float64))
