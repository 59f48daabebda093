"""The project's own phase space being written."""

import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import h5py
import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import Layout, Particles, PhaseSpaceInfo
from dosewright.formats.phase_space.intake import Intake, check_original_histories, check_written
from dosewright.formats.phase_space.native import (
    LARGEST_ATTRIBUTE,
    NAME,
    TYPES,
    VERSION,
    data_name,
    info_text,
    open_native,
    opened,
)
from dosewright.formats.phase_space.raw import WRITTEN_BEHIND, GrowingFile

CHUNK: Final = 1 << 15  # records
CACHE: Final = 4 << 20  # bytes for each data set: a chunk that fills in several writes is compressed once
# Few values compress well at full speed; single precision does not.
FEW_VALUES: Final = {"shuffle": True, "compression": "gzip", "compression_opts": 1}
UNITS = {"energy_MeV": "MeV", "x_cm": "cm", "y_cm": "cm", "z_cm": "cm"}


@dataclass
class NativeWriter:
    """A phase space of our own being written."""

    path: Path
    layout: Layout
    intake: Intake = field(init=False)
    growing: GrowingFile = field(init=False)
    file: h5py.File = field(init=False)
    columns: dict[str, h5py.Dataset] = field(init=False)
    checksums: dict[str, int] = field(default_factory=dict)  # of the columns, by the paths of their data sets
    in_memory: int = 0  # bytes written since the file was last brought to disk

    def __post_init__(self) -> None:
        self.intake = Intake(self.path, self.layout)
        names = [data_name(name) for name in self.layout.extra]
        if len({*names}) < len(names):
            raise refuse("Extra columns need names that differ", given=sorted(self.layout.extra))
        self.growing = GrowingFile(self.path)
        self.file = h5py.File(self.growing.temporary, "w", rdcc_nbytes=CACHE)
        particles, extra = self.file.create_group("particles"), self.file.create_group("extra")
        stored = [(name, kind) for name, kind in TYPES.items() if name not in self.layout.constants]
        self.columns = {name: _data_set(particles, name, kind, UNITS.get(name, "1")) for name, kind in stored}
        for name, kind in self.layout.extra.items():
            data = _data_set(extra, data_name(name), kind, "")
            data.attrs["name"] = name
            self.columns[f"extra {name}"] = data

    def write(self, particles: Particles) -> None:
        """Add records."""
        kept = self.intake.take(particles)
        for name in TYPES:
            if name in self.columns:
                self._append(self.columns[name], getattr(kept, name))
        for name in self.layout.extra:
            self._append(self.columns[f"extra {name}"], kept.extra[name])
        if self.in_memory >= WRITTEN_BEHIND:
            self.growing.sync()
            self.in_memory = 0

    def _append(self, data: h5py.Dataset, column: NDArray[Any]) -> None:
        before, column = data.shape[0], np.ascontiguousarray(column, data.dtype)
        data.resize((before + len(column),))
        if len(column):
            data[before:] = column
        self.in_memory += column.nbytes
        self.checksums[data.name] = zlib.crc32(column.view(np.uint8).data, self.checksums.get(data.name, 0))

    def save_header(self, original_histories: float) -> None:
        """Write the header as of now, so that what is there can be recovered if the run is killed."""
        check_original_histories(original_histories)
        totals = self.intake.totals
        info = PhaseSpaceInfo("native", totals.particles, original_histories, totals.counts, totals.energy_max_MeV,
                              self.layout.constants, self.layout.extra, self.layout.header)  # fmt: skip
        text = info_text(info, self.layout.title)
        if len(text.encode()) >= LARGEST_ATTRIBUTE:
            raise refuse("The header words are too long for the file", given=f"{len(text)} characters",
                         allowed=LARGEST_ATTRIBUTE, where=self.path)  # fmt: skip
        for name, value in (("format", NAME), ("version", str(VERSION)), ("info", text)):
            self.file.attrs[name] = np.bytes_(value.encode())
        self.file.flush()
        self.growing.sync()

    def kept(self) -> None:
        """Return nothing: a kill may leave an HDF5 file that cannot be written on."""

    def take_up(self, kept: dict[str, Any]) -> bool:  # noqa: ARG002
        """Say that there is nothing to go on with."""
        return False

    def finish(self, original_histories: float) -> PhaseSpaceInfo:
        """Write the header, read everything back, and rename."""
        self.save_header(original_histories)
        self.file.close()
        with opened(self.growing.temporary) as file:
            for name, checksum in self.checksums.items():
                if _checksum(file[name]) != checksum:
                    raise refuse("The file on disk is not what was written to it", given=name, where=self.path)
        info = check_written(open_native(self.growing.temporary), self.intake)
        self.growing.finish()
        return replace(info, problems=info.problems + self.intake.problems(original_histories))

    def __enter__(self) -> "NativeWriter":
        return self

    def __exit__(self, *raised: object) -> None:
        self.file.close()
        self.growing.discard()


def _data_set(group: h5py.Group, name: str, kind: str, unit: str) -> h5py.Dataset:
    few = FEW_VALUES if group.name == "/particles" and name in ("species", "histories") else {}
    data = group.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(CHUNK,), fletcher32=True, **few)
    if unit:
        data.attrs["unit"] = unit
    return data


def _checksum(data: h5py.Dataset) -> int:
    checksum, rows = 0, np.empty(CHUNK, data.dtype)
    for first in range(0, len(data), CHUNK):
        part = rows[: len(data) - first]
        data.read_direct(part, np.s_[first : first + len(part)])
        checksum = zlib.crc32(part.view(np.uint8).data, checksum)
    return checksum


def create_native(path: Path, layout: Layout) -> NativeWriter:
    """Begin a phase space of our own.

    Parameters
    ----------
    layout
        Constant columns are not stored; any extra columns are.
    """
    return NativeWriter(path, layout)
