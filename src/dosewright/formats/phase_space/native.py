"""The project's own phase space: HDF5 with a named column for each quantity, open to any HDF5 tool.

Group ``particles`` holds a data set per column that is not constant, group ``extra`` the extra columns; the attribute
``info`` of the file says the rest, as JSON. Every chunk carries a checksum (Fletcher 32), so that damage is noticed
when it is read.
"""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError, refuse
from dosewright.core.particles import COLUMNS, SPECIES, Layout, Particles, PhaseSpaceInfo
from dosewright.formats.phase_space.intake import check_layout
from dosewright.formats.phase_space.raw import BATCH, bounded, check_values

NAME: Final = "dosewright phase space"
VERSION: Final = 1
LARGEST_CHUNK: Final = 1 << 24  # bytes
LARGEST_ATTRIBUTE: Final = 1 << 16  # bytes
MOST_EXTRA: Final = 1000
TYPES = {name: "i1" if name == "species" else "i8" if name == "histories" else "f4" for name in COLUMNS}
FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading; whatever HDF5 makes of a damaged one becomes a refusal."""
    try:
        with h5py.File(path, "r") as file:
            yield file
    except InputError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, IndexError, MemoryError) as error:
        told = f"{type(error).__name__}: {str(error)[:200]}"
        raise refuse("The HDF5 file is damaged or no phase space", given=told, where=path) from error


@dataclass
class NativeReader:
    """An open phase space of our own."""

    path: Path
    info: PhaseSpaceInfo

    def batches(self, first: int = 0, count: int | None = None, size: int = BATCH) -> Iterator[Particles]:
        """Read records from `first` on, `count` or all that follow, in runs of at most `size`."""
        first, count = bounded(first, count, self.info.particles)
        if size < 1:
            raise refuse("A run of records needs a size", given=size, allowed="1 and more")
        with opened(self.path) as file:
            while count:
                last = first + min(size, count)
                particles = self._read(file, first, last)
                check_values(particles, first=first, where=self.path)
                yield particles
                first, count = last, count - len(particles)

    def _read(self, file: h5py.File, first: int, last: int) -> Particles:
        columns: dict[str, Any] = {}
        for name, kind in TYPES.items():
            if name in self.info.constants:
                columns[name] = np.full(last - first, self.info.constants[name], kind)
            else:
                columns[name] = _rows(file["particles"][name], kind, first, last)
        extra = {
            name: _rows(file["extra"][data_name(name)], kind, first, last) for name, kind in self.info.extra.items()
        }
        return Particles(**columns, extra=extra)


def _rows(data: h5py.Dataset, kind: str, first: int, last: int) -> NDArray[Any]:
    rows = np.empty(last - first, kind)
    if last > first:
        data.read_direct(rows, np.s_[first:last])
    return rows


def data_name(column: str) -> str:
    """Return the name of an extra column's data set: in HDF5 a slash parts groups."""
    return column.replace("/", "_").replace(".", "_")


def open_native(path: Path) -> NativeReader:
    """Open a phase space of our own.

    Raises
    ------
    InputError
        It is none, of a later version, or its columns are not all there.
    """
    with opened(path) as file:
        if _said(file, "format", path) != NAME:
            raise refuse("This HDF5 file is no phase space", given=sorted(file)[:10], allowed=NAME, where=path)
        version = _said(file, "version", path)
        if version != str(VERSION):
            raise refuse("The phase space is of another version", given=version, allowed=VERSION, where=path)
        info = info_of(_said(file, "info", path), path)
        for name, kind in TYPES.items():
            if name not in info.constants:
                _check_rows(file["particles"], name, kind, info.particles, path)
        for name, kind in info.extra.items():
            _check_rows(file["extra"], data_name(name), kind, info.particles, path)
    return NativeReader(path, info)


def _said(file: h5py.File, name: str, path: Path) -> str:
    """Return an attribute, text of fixed length; one too long to be true is refused before it is read."""
    attribute = file.attrs.get_id(name) if name in file.attrs else None
    if attribute is None or attribute.dtype.kind != "S" or attribute.shape != ():
        raise refuse(f"The HDF5 file has no attribute {name}, text of fixed length", where=path)
    if attribute.dtype.itemsize > LARGEST_ATTRIBUTE:
        raise refuse(f"The attribute {name} is too long", allowed=f"{LARGEST_ATTRIBUTE} bytes", where=path)
    return bytes(file.attrs[name]).decode("utf-8")


def _check_rows(group: h5py.Group, name: str, kind: str, particles: int, path: Path) -> None:
    """Refuse a column that is not in this very file, whole, in chunks of a size to be read."""
    link = group.get(name, getlink=True)
    data = group[name] if isinstance(link, h5py.HardLink) else None
    if not isinstance(data, h5py.Dataset) or data.shape != (particles,) or data.dtype != np.dtype(kind):
        given = "none" if data is None else f"{getattr(data, 'dtype', 'a group')} {getattr(data, 'shape', '')}"
        raise refuse(f"The column {name} is missing or not of the type and length announced", given=given,
                     allowed=f"{particles} of {kind}", where=path)  # fmt: skip
    plan = data.id.get_create_plist()
    filters = [plan.get_filter(number)[0] for number in range(plan.get_nfilters())]
    if data.chunks is None or data.chunks[0] * data.dtype.itemsize > LARGEST_CHUNK or not {*filters} <= {*FILTERS}:
        raise refuse(f"The column {name} is not stored in chunks that can be read", given=f"{data.chunks}, {filters}",
                     where=path)  # fmt: skip
    # Chunks that were never written would read as zeros.
    if data.id.get_num_chunks() != -(-particles // data.chunks[0]):
        raise refuse(f"The column {name} is not whole", given=f"{data.id.get_num_chunks()} chunks", where=path)


def info_text(info: PhaseSpaceInfo, title: str) -> str:
    """Return what the file says of itself, as JSON."""
    return json.dumps(
        {
            "title": title,
            "particles": info.particles,
            "original_histories": info.original_histories,
            "counts": {SPECIES[code]: number for code, number in (info.counts or {}).items()},
            "energy_max_MeV": info.energy_max_MeV,
            "constants": info.constants,
            "extra": info.extra,
            "header": info.header,
        }
    )


def info_of(text: str, path: Path) -> PhaseSpaceInfo:
    """Return what a file says of itself, every value checked."""
    said = json.loads(text)
    counts = {code: said["counts"].get(name, 0) for code, name in SPECIES.items()}
    numbers = [said["particles"], *counts.values()]
    energy, original = said["energy_max_MeV"], said["original_histories"]
    whole = all(type(number) is int and 0 <= number < 2**63 for number in numbers)
    finite = all(isinstance(value, int | float) and 0 <= value < np.inf for value in (energy, original))
    if not whole or not finite or sum(counts.values()) != said["particles"]:
        given = f"particles {numbers}, energy {energy}, original histories {original}"
        raise refuse("The numbers of the phase space cannot be true", given=given, where=path)
    header = {str(word): str(value) for word, value in said["header"].items()}
    info = PhaseSpaceInfo("native", said["particles"], float(original), counts, float(energy),
                          said["constants"], said["extra"], header | {"title": str(said["title"])})  # fmt: skip
    check_layout(Layout(constants=info.constants, extra=info.extra))
    if len(info.extra) > MOST_EXTRA:
        raise refuse("The phase space has too many columns", given=len(info.extra), allowed=MOST_EXTRA, where=path)
    return info
