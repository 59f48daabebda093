"""Particles of a phase space, in columns, and what its files say of themselves.

Lengths are in cm and energies kinetic in MeV, single precision: what all these files store, so that a file read and
written again is the same to the last bit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

# IAEA phase-space codes (IAEA INDC(NDS)-0484, 2006, table 2).
PHOTON, ELECTRON, POSITRON, NEUTRON, PROTON = 1, 2, 3, 4, 5
SPECIES = {PHOTON: "photon", ELECTRON: "electron", POSITRON: "positron", NEUTRON: "neutron", PROTON: "proton"}


@dataclass(frozen=True)
class Particles:
    """A run of consecutive records, each column of length n.

    Parameters
    ----------
    species
        int8, one of `SPECIES`.
    energy_MeV
        float32, kinetic.
    x_cm, y_cm, z_cm
        float32, place.
    u, v, w
        float32, direction cosines; the sign of w is that of the file, its size follows from u and v.
    weight
        float32.
    histories
        int64: original histories begun with this record. 0: it belongs to that of the record before; 1: it is the
        first of a new one; k: so are k - 1 histories before it that sent nothing here, where a file counts them.
    extra
        What else each record holds, by name, in the order of the file: float32, int32 or int64 columns.
    """

    species: NDArray[np.int8]
    energy_MeV: NDArray[np.float32]
    x_cm: NDArray[np.float32]
    y_cm: NDArray[np.float32]
    z_cm: NDArray[np.float32]
    u: NDArray[np.float32]
    v: NDArray[np.float32]
    w: NDArray[np.float32]
    weight: NDArray[np.float32]
    histories: NDArray[np.int64]
    extra: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.species)

    def __getitem__(self, chosen: slice | NDArray[np.generic]) -> "Particles":
        """Return some of them: a slice, a mask or indices."""
        extra = {name: column[chosen] for name, column in self.extra.items()}
        return replace(self, extra=extra, **{name: getattr(self, name)[chosen] for name in COLUMNS})


COLUMNS = ("species", "energy_MeV", "x_cm", "y_cm", "z_cm", "u", "v", "w", "weight", "histories")


@dataclass(frozen=True)
class PhaseSpaceInfo:
    """What a phase space says of itself, and what its records say.

    Parameters
    ----------
    format
        One of ``iaea``, ``egs_mode0``, ``egs_mode2``, ``topas_binary``, ``topas_limited``, ``topas_ascii``,
        ``gamos_text``, ``native``.
    counts
        Records by species code; None where only reading them all would tell.
    particles
        Number of records.
    original_histories
        Histories of the source that made them, those that sent nothing included; None where nobody wrote it.
    energy_max_MeV
        Highest kinetic energy, None if unknown.
    constants
        Columns that are the same for all records and not stored, by name (``z_cm``, ``weight``, ...).
    extra
        Names of extra columns with their numpy type (``"f4"``, ``"i4"``, ``"i8"``), in the order of a record.
    header
        What else a header holds, by its own words; kept when the same format is written.
    problems
        What is wrong with the file but did not stop it from being read, a sentence each.
    """

    format: str
    particles: int
    original_histories: float | None
    counts: dict[int, int] | None = None
    energy_max_MeV: float | None = None
    constants: dict[str, float] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    header: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


class PhaseSpaceReader(Protocol):
    """An open phase space; reading keeps no more than a batch in memory."""

    path: Path
    info: PhaseSpaceInfo

    def batches(self, first: int = 0, count: int | None = None, size: int = 1 << 15) -> Iterator[Particles]:
        """Read records from `first` on, `count` or all that follow, in runs of at most `size`."""
        ...


class PhaseSpaceWriter(Protocol):
    """A phase space being written under a temporary name; a context that fails or is left unfinished keeps nothing.

    What a format cannot hold is left out; `formats.phase_space.losses` says so beforehand.
    """

    def write(self, particles: Particles) -> None:
        """Add records."""
        ...

    def save_header(self, original_histories: float) -> None:
        """Write the header as of now, so that what is there can be recovered if the run is killed."""
        ...

    def kept(self) -> dict[str, Any] | None:
        """Bring all to disk and return what another process needs to go on, plain values; None: it could not.

        What was written survives from now on where this context fails.
        """
        ...

    def take_up(self, kept: dict[str, Any]) -> bool:
        """Go on with what another process has kept, before anything is written; say whether it is still there."""
        ...

    def finish(self, original_histories: float) -> PhaseSpaceInfo:
        """Write the header, verify size, counts and values of what was written, and rename; return what it is."""
        ...

    def __enter__(self) -> "PhaseSpaceWriter": ...

    def __exit__(self, *raised: object) -> None: ...


@dataclass(frozen=True)
class Layout:
    """What a phase space is asked to hold when it is written.

    Parameters
    ----------
    constants
        Columns that are the same for all records and need not be stored; writing another value is refused.
    extra
        Extra columns with their numpy type, in order.
    title
        One line.
    header
        Words of a header of the same format, kept.
    big_endian
        Byte order, where the format leaves it open.
    """

    constants: dict[str, float] = field(default_factory=dict)
    extra: dict[str, str] = field(default_factory=dict)
    title: str = "phase space"
    header: dict[str, str] = field(default_factory=dict)
    big_endian: bool = False
