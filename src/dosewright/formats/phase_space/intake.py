"""What a writer is given: checked, rid of what its format cannot hold, counted; and what it wrote, counted again."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import SPECIES, Layout, Particles, PhaseSpaceInfo, PhaseSpaceReader
from dosewright.formats.phase_space.kept import plain, taken_up
from dosewright.formats.phase_space.raw import check_values
from dosewright.formats.phase_space.totals import SAME, Sums, Totals

EXTRA_TYPES = ("f4", "i4", "i8")
READ_BACK: Final = 1 << 16  # first records that are decoded and compared; of the rest the bytes are


class Intake:
    """The records given to a writer so far: `totals` of all, `first` of those that are read back.

    Parameters
    ----------
    species
        Codes that the format can hold; records of others are left out, and `problems` says how many.
    """

    def __init__(self, path: Path, layout: Layout, species: tuple[int, ...] = tuple(SPECIES)) -> None:
        check_layout(layout)
        self.path = path
        self.layout = layout
        self.totals = Totals()
        self.first = Sums()
        self.left_out = dict.fromkeys(SPECIES, 0)
        self._species = species
        self._given = 0
        self._begun = 0  # histories begun by records left out since the last one kept

    def take(self, particles: Particles) -> Particles:
        """Return those records that the format can hold, the others' histories counted with the next one kept."""
        check_values(particles, first=self._given, where=self.path)
        self._check_constants(particles)
        for name, kind in self.layout.extra.items():
            if name not in particles.extra:
                raise refuse("A column that was announced is missing", given=sorted(particles.extra), allowed=name)
            check_type(name, particles.extra[name], np.dtype(kind))
        self._given += len(particles)
        numbers = np.bincount(particles.species, minlength=max(SPECIES) + 1)
        strange = [code for code in SPECIES if numbers[code] and code not in self._species]
        for code in strange:
            self.left_out[code] += int(numbers[code])
        if strange or self._begun:
            particles, self._begun = chosen(particles, ~np.isin(particles.species, strange), self._begun)
        self.totals.add(particles)
        if self.first.particles < READ_BACK:
            self.first.add(particles[: READ_BACK - self.first.particles])
        return particles

    def kept(self) -> dict[str, Any]:
        """Return what `take_up` needs."""
        return {"totals": plain(self.totals), "first": plain(self.first), "left_out": self.left_out,
                "given": self._given, "begun": self._begun}  # fmt: skip

    def take_up(self, kept: dict[str, Any]) -> None:
        """Go on where another process was."""
        self.totals, self.first = taken_up(Totals, kept["totals"]), taken_up(Sums, kept["first"])
        self.left_out = {int(code): number for code, number in kept["left_out"].items()}
        self._given, self._begun = kept["given"], kept["begun"]

    def problems(self, original_histories: float) -> tuple[str, ...]:
        """Return what was left out, and whether the histories can be true."""
        told = [f"{number} {SPECIES[code]}s were left out: the format cannot hold them."
                for code, number in self.left_out.items() if number]  # fmt: skip
        if original_histories < self.totals.histories:
            told.append(f"The records begin {self.totals.histories} histories, more than the "
                        f"{original_histories:.17g} original histories given.")  # fmt: skip
        return tuple(told)

    def _check_constants(self, particles: Particles) -> None:
        for name, value in self.layout.constants.items():
            column = getattr(particles, name)
            if len(column) and not (column == column.dtype.type(value)).all():
                raise refuse(f"{name} was announced to be the same for all records",
                             given=f"{column.min()} to {column.max()}", allowed=value, where=self.path)  # fmt: skip


def check_layout(layout: Layout) -> None:
    """Refuse constants that are no column and extra columns of other types than float32, int32 and int64."""
    for name, value in layout.constants.items():
        if name not in ("energy_MeV", "x_cm", "y_cm", "z_cm", "u", "v", "w", "weight") or not np.isfinite(value):
            raise refuse("No column can be constant like this", given=f"{name} = {value}",
                         allowed="energy_MeV, x_cm, y_cm, z_cm, u, v, w, weight and a finite number")  # fmt: skip
    for name, kind in layout.extra.items():
        if not name.strip():
            raise refuse("An extra column needs a name", given=repr(name))
        if kind not in EXTRA_TYPES:
            raise refuse(f"The extra column {name} has an unknown type", given=kind, allowed=", ".join(EXTRA_TYPES))


def check_type(name: str, column: NDArray[np.generic], kind: np.dtype[np.generic]) -> None:
    """Refuse a column that a type cannot hold, by its kind or by its values."""
    if column.dtype.kind != kind.kind:
        raise refuse(f"The column {name} is of another type than announced", given=column.dtype, allowed=kind)
    if kind.kind == "i" and column.dtype.itemsize > kind.itemsize and len(column):
        limit = 2 ** (8 * kind.itemsize - 1)
        lowest, highest = int(column.min()), int(column.max())
        if lowest < -limit or highest >= limit:
            raise refuse(f"The column {name} does not fit its type", given=f"{lowest} to {highest}", allowed=kind)


def chosen(particles: Particles, kept: NDArray[np.bool_], begun: int = 0) -> tuple[Particles, int]:
    """Return the records kept, and the histories begun since the last of them.

    Histories of records that are dropped are counted with the next one kept: as its own, or as one that sent nothing.

    Parameters
    ----------
    begun
        Histories begun before these records by dropped ones.
    """
    at = np.flatnonzero(kept)
    if not len(at):
        return particles[at], begun + int(particles.histories.sum())
    sums = np.cumsum(particles.histories)
    histories = np.diff(sums[at], prepend=-begun)
    return replace(particles[at], histories=histories), int(sums[-1] - sums[at[-1]])


def check_original_histories(given: float) -> None:
    """Refuse a number of original histories that cannot be one."""
    if not np.isfinite(given) or given < 0:
        raise refuse("Original histories are a number, 0 or more", given=given)


def check_written(reader: PhaseSpaceReader, intake: Intake, *, unheld: tuple[str, ...] = ()) -> PhaseSpaceInfo:
    """Compare a file with what was given: its header, and its first records, decoded; return what it is.

    That all its bytes are those that were written is for its writer to see.

    Parameters
    ----------
    unheld
        What the format does not hold: ``z_cm``, ``empty histories``.

    Raises
    ------
    InputError
        A number, sum or extreme differs: the file is not to be used.
    """
    given, info, found = intake.totals, reader.info, Sums()
    for particles in reader.batches(0, intake.first.particles):
        found.add(particles)
    wrong = found.differences(intake.first, unheld=unheld)
    if info.particles != given.particles:
        wrong.append(f"{info.particles} particles instead of {given.particles}")
    if info.counts is not None and info.counts != given.counts:
        wrong.append(f"counts {info.counts} instead of {given.counts}")
    if info.energy_max_MeV is not None and not np.isclose(info.energy_max_MeV, given.energy_max_MeV, rtol=SAME):
        wrong.append(f"a highest energy of {info.energy_max_MeV} instead of {given.energy_max_MeV} MeV")
    if wrong:
        raise refuse("What was written does not read back as it was given", given="; ".join(wrong), where=intake.path)
    return info
