"""A dose as NIfTI, versions 1 and 2, compressed or not, with its uncertainty as a second file beside it.

NIfTI's axes go to the right, to the front and up (RAS), DICOM's to the left, to the back and up: x and y change sign.
Unit and number of histories are in the description. Source: the NIfTI-1 and NIfTI-2 standards (nifti.nimh.nih.gov).
"""

import gzip
import re
import zlib
from pathlib import Path
from typing import Any, Final

import nibabel
import numpy as np
from nibabel import imageglobals

from dosewright.core.dose_file import ABSOLUTE, DoseFile, dose_image, edges_of
from dosewright.core.errors import InputError, refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.in_voxels import Array
from dosewright.core.whole_file import write_whole
from dosewright.formats.dose.meta_image import UNCERTAINTY
from dosewright.formats.dose.numbers import LARGEST_VOXELS, named, whole_file

NIFTI: Final = "nifti"
GZIP = b"\x1f\x8b"
HARMLESS = "qfac"  # many writers leave it 0; 1 is meant
TIGHTEST = 1100  # no gzip file is packed tighter
HEADER_BYTES = 544  # of NIfTI-2, with what says whether extensions follow
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
TO_MM: Final = {"mm": 1.0, "meter": 1000.0, "micron": 1e-3, "unknown": 1.0}
SAID = re.compile(r"unit=(?P<unit>Gy per history|Gy)(?:; histories=(?P<histories>[\d.e+]+))?$")
SUFFIXES: Final = (".nii.gz", ".nii")
nib: Any = nibabel  # mostly untyped


def looks_like_nifti(start: bytes) -> bool:
    """Say whether a file that begins so is NIfTI, or compressed."""
    return start[:2] == GZIP or start[344:348] == b"n+1\0" or start[4:8] == b"n+2\0"


def read_nifti(path: Path) -> DoseFile:
    """Read a NIfTI file of three dimensions as a dose, with the uncertainty beside it where there is one."""
    image, said, assumed = _image(path)
    stem, suffix = _split(path)
    beside = path.with_name(f"{stem}{UNCERTAINTY}{suffix}")
    uncertainty = None
    if beside.is_file():
        other, _, _ = _image(beside)
        if not other.grid.matches(image.grid):
            raise refuse("The uncertainty beside a dose has other voxels", where=beside.name)
        uncertainty = np.where(image.values == 0, 1.0, other.values)
        assumed.append(f"The uncertainty was taken from {beside.name} beside it.")
    known = SAID.match(said)
    if not known:
        assumed.append("A NIfTI file does not say its unit: Gy was taken.")
    try:
        return DoseFile(
            edges_mm=edges_of(image.grid),
            dose=image.values,
            uncertainty=uncertainty,
            histories=float(known["histories"]) if known and known["histories"] else None,
            unit=known["unit"] if known else ABSOLUTE,
            direction=image.grid.direction,
            format=NIFTI,
            assumed=tuple(assumed),
        )
    except (InputError, ValueError) as error:
        raise named(error if isinstance(error, InputError) else InputError(str(error)), path.name) from error


def _image(path: Path) -> tuple[Image, str, list[str]]:
    """Return the image in patient coordinates, the description, and what was assumed."""
    data = whole_file(path)
    nifti = _opened(data, path.name)
    shape = nifti.shape
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3:
        raise refuse("Only NIfTI files of three dimensions are read", given=nifti.shape, where=path.name)
    assumed: list[str] = []
    unit = _unit(nifti, path.name)
    if unit == "unknown":
        assumed.append("The NIfTI file does not say the unit of its lengths: mm was taken.")
    if not nifti.header["sform_code"] and not nifti.header["qform_code"]:
        assumed.append("The NIfTI file does not say where its voxels lie: centred and along the axes was taken.")
    affine = RAS_TO_LPS @ np.asarray(nifti.affine, np.float64) * np.array([[TO_MM[unit]]] * 3 + [[1.0]])
    values = np.asarray(nifti.get_fdata(caching="unchanged"), np.float64).reshape(shape).transpose(2, 1, 0)
    grid, values = _on_grid(affine, values, path.name)
    description = bytes(nifti.header["descrip"].tobytes()).split(b"\0")[0].decode("latin-1").strip()
    return Image(grid, np.ascontiguousarray(values)), description, assumed


def _unit(nifti: Any, where: str) -> str:
    """Return the unit of lengths."""
    try:
        return str(nifti.header.get_xyzt_units()[0])
    except KeyError as error:
        raise refuse("The unit of the lengths is unknown", given=error.args[0], where=where) from error


def _opened(data: bytes, where: str) -> Any:
    """Return the image; header and size are checked before anything is allocated for it."""
    try:
        start = _unpacked(data, HEADER_BYTES)[0]
        second = start[4:8] == b"n+2\0" or start[:4] in (b"\x1c\x02\0\0", b"\0\0\x02\x1c")
        kind = nib.Nifti2Image if second else nib.Nifti1Image
        start = start[: kind.header_class.template_dtype.itemsize]
        wrong = [w for w in kind.header_class.diagnose_binaryblock(start).splitlines() if HARMLESS not in w]
        if wrong:
            raise refuse("The header of the NIfTI file makes no sense", given="; ".join(wrong), where=where)
        header = kind.header_class(start, check=False)
        size = int(header["vox_offset"]) + _bytes_of(header, where)
        if size > (len(data) if data[:2] != GZIP else TIGHTEST * len(data)):
            raise refuse("The values do not fill the image", given=f"{len(data)} bytes", where=where)
        whole, ended = _unpacked(data, size)
        if len(whole) < size or not ended:
            raise refuse("The values do not fill the image, or are more than it holds", allowed=f"{size} bytes",
                         where=where)  # fmt: skip
        with imageglobals.LoggingOutputSuppressor():
            return kind.from_bytes(whole)
    except InputError:
        raise
    except Exception as error:  # nibabel raises what it meets on damaged headers
        raise refuse("The file is no NIfTI image, or damaged", given=str(error)[:200], where=where) from error


def _bytes_of(header: Any, where: str) -> int:
    """Return how many bytes the values take."""
    shape = [int(n) for n in header.get_data_shape()]
    count = 1
    for n in shape:
        count *= n
    if not shape or min(shape) < 1 or count > LARGEST_VOXELS:
        raise refuse("The counts of voxels make no sense", given=shape, where=where)
    return count * int(header.get_data_dtype().itemsize)


def _unpacked(data: bytes, size: int) -> tuple[bytes, bool]:
    """Return no more than `size` bytes, unpacked where they are compressed, and whether the file ends there."""
    if data[:2] != GZIP:
        return data[:size], len(data) == size
    worker = zlib.decompressobj(zlib.MAX_WBITS | 32)
    unpacked = worker.decompress(data, size)
    if len(unpacked) == size:
        more = worker.decompress(worker.unconsumed_tail, 1)  # to the check sum at the end
        return unpacked, worker.eof and not more
    return unpacked, worker.eof


def _on_grid(affine: Array, values: Array, where: str) -> tuple[Grid, Array]:
    """Return the grid of an affine; left-handed axes are turned round along z."""
    axes = affine[:3, :3]
    spacing = np.linalg.norm(axes, axis=0)
    if not np.isfinite(affine).all() or (spacing <= 0).any():
        raise refuse("The axes of the image make no sense", given=axes.tolist(), where=where)
    direction, origin = axes / spacing, affine[:3, 3]
    if np.linalg.det(direction) < 0:
        origin = origin + axes[:, 2] * (values.shape[0] - 1)
        direction, values = direction * np.array([1.0, 1.0, -1.0]), values[::-1]
    nz, ny, nx = values.shape
    sx, sy, sz = (float(s) for s in spacing)
    x, y, z = (float(v) for v in origin)
    try:
        return Grid((nx, ny, nz), (sx, sy, sz), (x, y, z), direction), values
    except InputError as error:
        raise named(error, where) from error


def write_nifti(path: Path, dose: DoseFile) -> None:
    """Write a dose, and its uncertainty beside it, as NIfTI-1 of single precision; uneven voxels are refused."""
    said = f"unit={dose.unit}" + (f"; histories={dose.histories:.12g}" if dose.histories else "")
    image = dose_image(dose)
    stem, suffix = _split(path)
    if suffix not in SUFFIXES:
        raise refuse("A NIfTI file is written as NAME.nii or NAME.nii.gz", given=path.name)
    beside = path.with_name(f"{stem}{UNCERTAINTY}{suffix}")
    beside.unlink(missing_ok=True)  # that of a former dose is not that of this one
    if dose.uncertainty is not None:
        _write(beside, Image(image.grid, dose.uncertainty), "relative standard error")
    _write(path, image, said)


def _write(path: Path, image: Image, said: str) -> None:
    grid = image.grid
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = grid.direction * grid.spacing_mm, grid.origin_mm
    if max(grid.shape) >= 1 << 15:
        raise refuse("NIfTI-1 holds no more than 32767 voxels along an axis", given=grid.shape, where=path.name)
    with np.errstate(over="raise"):
        try:
            values = np.asarray(image.values.transpose(2, 1, 0), np.float32)
        except FloatingPointError as error:
            raise refuse("The values do not fit single precision", where=path.name) from error
    nifti = nib.Nifti1Image(values, RAS_TO_LPS @ affine)
    nifti.header.set_xyzt_units("mm")
    nifti.header["descrip"] = said.encode("ascii")[:79]
    data = nifti.to_bytes()
    packed = gzip.compress(data, compresslevel=4, mtime=0) if path.name.endswith(".gz") else data
    write_whole(path, lambda to: to.write_bytes(packed))


def _split(path: Path) -> tuple[str, str]:
    suffix = next((s for s in SUFFIXES if path.name.endswith(s)), path.suffix)
    return path.name[: len(path.name) - len(suffix)], suffix
