"""MetaImage: a text header (``.mhd`` with a separate file of values, or ``.mha`` with both in one).

The columns of the grid's direction matrix are written one after the other in ``TransformMatrix``, as ITK does.
Source: the MetaIO documentation of Kitware.
"""

import math
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.grid import Grid, Image
from dosewright.core.whole_file import write_whole, write_whole_text

ELEMENT_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
WRITTEN_TYPES = {code: name for name, code in reversed(ELEMENT_TYPES.items())}
ORIGIN_KEYS = ("Offset", "Position", "Origin")
DIRECTION_KEYS = ("TransformMatrix", "Rotation", "Orientation")
LARGEST_HEADER_BYTES = 1 << 20
LARGEST_VOXELS = 1 << 33
LARGEST_NUMBER = 1e12  # no length in mm, and no sum of such, comes near it
OWN_KEYS = ("ObjectType", "NDims", "BinaryData", "BinaryDataByteOrderMSB", "CompressedData", "TransformMatrix",
            "Offset", "CenterOfRotation", "ElementSpacing", "DimSize", "ElementType", "ElementDataFile")  # fmt: skip


@dataclass(frozen=True)
class MhdHeader:
    """The header: its keys in order, private ones too, and where the values start when they follow it."""

    path: Path
    keys: dict[str, str]
    values_from: int

    def text(self, key: str, default: str | None = None) -> str:
        """Return the value of a key, or refuse its absence."""
        if key in self.keys:
            return self.keys[key]
        if default is None:
            raise refuse(f"The MetaImage header lacks {key!r}.{nearest(key, self.keys)}", where=self.path.name)
        return default

    def numbers(self, key: str, count: int, default: str | None = None) -> list[float]:
        """Return the numbers of a key."""
        words = self.text(key, default).split()
        try:
            values = [float(word) for word in words]
        except ValueError:
            values = []
        if len(values) != count or not all(abs(v) < LARGEST_NUMBER for v in values):
            raise refuse(f"{key} needs {count} numbers", given=self.text(key, default), where=self.path.name)
        return values

    def flag(self, key: str) -> bool:
        """Return a yes-or-no key; absent means no."""
        return self.keys.get(key, "False").casefold() in ("true", "1", "yes")


def read_mhd_header(path: Path) -> dict[str, str]:
    """Return every key of a MetaImage header with its value as text, private keys too, in file order."""
    return dict(_header(path).keys)


def read_mhd(path: Path) -> Image:
    """Read a scalar MetaImage of three dimensions; the values keep their type, in the machine's byte order."""
    header = _header(path)
    dimensions = header.text("NDims", "3")
    if dimensions.strip() != "3":
        raise refuse("Only MetaImages of three dimensions are read", given=dimensions, where=path.name)
    if header.text("ElementNumberOfChannels", "1").strip() != "1":
        raise refuse(
            "Only MetaImages of one channel are read", given=header.text("ElementNumberOfChannels"), where=path.name
        )
    grid = _grid(header)
    dtype = _element_type(header)
    raw = _raw(header, grid.size * dtype.itemsize)
    values = np.frombuffer(raw, dtype).reshape(grid.array_shape)
    return Image(grid, values.astype(dtype.newbyteorder("="), copy=True))


def write_mhd(path: Path, image: Image, *, extra: Mapping[str, str] | None = None, dtype: str = "f4") -> None:
    """Write ``NAME.mhd`` and ``NAME.raw`` (little endian, not compressed), the values first.

    Parameters
    ----------
    path
        Where the header goes; must end in ``.mhd``.
    extra
        Private keys to repeat in the header; values on one line, names without blanks.
    dtype
        NumPy code of the type of the values in the file, such as ``"f4"``, ``"i2"``, ``"u1"``.
    """
    if path.suffix != ".mhd":
        raise refuse("A MetaImage is written as NAME.mhd", given=path.name)
    if dtype not in WRITTEN_TYPES:
        raise refuse("Unknown type of values", given=dtype, allowed=", ".join(WRITTEN_TYPES))
    private = dict(extra or {})
    bad = [
        k for k, v in private.items() if k in OWN_KEYS or not re.fullmatch(r"[A-Za-z]\w*", k) or len(v.splitlines()) > 1
    ]
    if bad:
        raise refuse("These private header keys cannot be written", given=bad)
    raw = path.with_suffix(".raw")
    values = _little(image, dtype)
    write_whole(raw, values.tofile)
    text = "".join(f"{key} = {value}\n" for key, value in _keys(image.grid, dtype, private, raw.name).items())
    write_whole_text(path, text)


def _little(image: Image, dtype: str) -> NDArray[np.generic]:
    """Return the values in the type of the file; whole-number types take no other values than they can hold."""
    little = np.dtype(dtype).newbyteorder("<")
    if little.kind in "iu":
        limits = np.iinfo(little)
        values = image.values
        if not np.all(np.isfinite(values)) or values.min() < limits.min or values.max() > limits.max:
            raise refuse(
                "The values do not fit the type of the file", given=dtype, allowed=f"{limits.min} to {limits.max}"
            )
        if np.any(np.rint(values) != values):
            raise refuse("A whole-number file cannot hold fractions", given=dtype)
    return np.ascontiguousarray(image.values, little)


def _keys(grid: Grid, dtype: str, private: Mapping[str, str], raw: str) -> dict[str, str]:
    def row(values: object) -> str:
        return " ".join(f"{float(v) + 0.0:.12g}" for v in np.asarray(values).ravel())

    return {
        "ObjectType": "Image",
        "NDims": "3",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        "TransformMatrix": row(grid.direction.T),
        "Offset": row(grid.origin_mm),
        "CenterOfRotation": "0 0 0",
        "ElementSpacing": row(grid.spacing_mm),
        "DimSize": " ".join(str(n) for n in grid.shape),
        **private,
        "ElementType": WRITTEN_TYPES[dtype],
        "ElementDataFile": raw,
    }


def _header(path: Path) -> MhdHeader:
    try:
        with path.open("rb") as stream:
            start = stream.read(LARGEST_HEADER_BYTES)
    except (OSError, ValueError) as error:
        raise refuse("The file cannot be read", given=type(error).__name__, where=path) from error
    keys: dict[str, str] = {}
    position = 0
    while position < len(start):
        end = start.find(b"\n", position)
        end = len(start) if end < 0 else end
        line = start[position:end].decode("utf-8", "replace").strip()
        position = end + 1
        if not line:
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not re.fullmatch(r"[A-Za-z_][\w ]*", key):
            raise refuse("The file is not a MetaImage: a header line has no 'key = value'", given=repr(line[:60]),
                         where=path.name)  # fmt: skip
        keys[key] = value
        if key == "ElementDataFile":
            return MhdHeader(path, keys, position)
    raise refuse("The MetaImage header lacks 'ElementDataFile', its last key", where=path.name)


def _first(header: MhdHeader, names: tuple[str, ...]) -> str:
    return next((name for name in names if name in header.keys), names[0])


def _grid(header: MhdHeader) -> Grid:
    shape = header.numbers("DimSize", 3)
    if any(n != int(n) or n < 1 for n in shape) or math.prod(shape) > LARGEST_VOXELS:
        raise refuse("DimSize needs three positive whole numbers", given=header.text("DimSize"), where=header.path.name)
    spacing = header.numbers(_first(header, ("ElementSpacing", "ElementSize")), 3)
    origin = header.numbers(_first(header, ORIGIN_KEYS), 3, "0 0 0")
    direction = np.array(header.numbers(_first(header, DIRECTION_KEYS), 9, "1 0 0 0 1 0 0 0 1")).reshape(3, 3).T
    try:
        nx, ny, nz = (int(n) for n in shape)
        return Grid((nx, ny, nz), (spacing[0], spacing[1], spacing[2]), (origin[0], origin[1], origin[2]), direction)
    except InputError as error:
        raise InputError(*(f"{problem} Where: {header.path.name}." for problem in error.problems)) from error


def _element_type(header: MhdHeader) -> np.dtype[np.generic]:
    name = header.text("ElementType")
    if name not in ELEMENT_TYPES:
        hint = nearest(name, ELEMENT_TYPES)
        raise refuse(
            f"Unknown ElementType.{hint}", given=name, allowed=", ".join(ELEMENT_TYPES), where=header.path.name
        )
    big = header.flag("BinaryDataByteOrderMSB") or header.flag("ElementByteOrderMSB")
    return np.dtype(ELEMENT_TYPES[name]).newbyteorder(">" if big else "<")


def _raw(header: MhdHeader, size: int) -> bytes:
    """Return exactly the bytes of the values, from the header's own file or the one it names beside it."""
    if not header.flag("BinaryData") and "BinaryData" in header.keys:
        raise refuse("MetaImages with values as text are not read", where=header.path.name)
    name = header.text("ElementDataFile")
    if name in ("LOCAL", "Local", "local"):
        data = header.path.read_bytes()[header.values_from :]
    else:
        data = _beside(header.path, name)
    if header.flag("CompressedData"):
        return _inflated(data, size, header.path)
    skip = int(header.numbers("HeaderSize", 1, "0")[0])
    data = data[len(data) - size :] if skip == -1 and len(data) >= size else data[max(skip, 0) :]
    if len(data) != size:
        raise refuse("The values do not fill the image", given=f"{len(data)} bytes", allowed=f"{size} bytes",
                     where=header.path.name)  # fmt: skip
    return data


def _beside(path: Path, name: str) -> bytes:
    """Return the file of values, which must lie beside its header."""
    if not name or Path(name).name != name or name == "LIST" or "%" in name:
        raise refuse("The values of a MetaImage must lie in one file beside its header", given=name, where=path.name)
    try:
        return path.with_name(name).read_bytes()
    except (OSError, ValueError) as error:
        raise refuse("The file of values cannot be read", given=name, where=path.name) from error


def _inflated(data: bytes, size: int, path: Path) -> bytes:
    """Return decompressed values, never more than the image holds."""
    try:
        worker = zlib.decompressobj(zlib.MAX_WBITS | 32)
        values = worker.decompress(data, size + 1)
    except zlib.error as error:
        raise refuse("The compressed values are damaged", given=str(error), where=path.name) from error
    if len(values) != size:
        raise refuse("The compressed values do not fill the image", allowed=f"{size} bytes", where=path.name)
    return values
