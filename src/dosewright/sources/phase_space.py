"""A phase space as a source: whole original histories, one batch after another, packed as the kernels read them.

Only the records of a batch are held. A batch has whole histories with all uses of their records, so that sums over
batches know how much particles of one history belong together (Walters, Kawrakow
and Rogers, Med. Phys. 29, 2745, 2002).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.particles import (
    ELECTRON,
    NEUTRON,
    PHOTON,
    POSITRON,
    PROTON,
    SPECIES,
    Particles,
    PhaseSpaceReader,
)
from dosewright.sources import records

Rows = NDArray[np.float32]
Mask = NDArray[np.bool_]

READ_AT_ONCE = 1 << 16  # records
MOST_OF_ONE_HISTORY = 1 << 22  # records; they must be held together
UNIT = 1.0e-3  # how far the length of a direction may be from one
MIRRORS = {
    "none": (0,),
    "x": (0, records.FLIPS_X),
    "y": (0, records.FLIPS_Y),
    "xy": (0, records.FLIPS_X, records.FLIPS_Y, records.FLIPS_X | records.FLIPS_Y),
}

# What became of the records of a batch: numbers by kind, and the weighted energy (MeV) of neutrons. Without energy are
# those without weight too.
READ, PHOTONS, ELECTRONS, POSITRONS, FILTERED, NEUTRONS, NEUTRON_MEV, WITHOUT_ENERGY = range(8)
COUNTS = 8
_FOLLOWED = {PHOTON: PHOTONS, ELECTRON: ELECTRONS, POSITRON: POSITRONS}


@dataclass(frozen=True)
class Bits:
    """Bits of an extra whole number of each record: all of these, at least one of these (if any), none of these."""

    column: str
    all: tuple[int, ...] = ()
    any: tuple[int, ...] = ()
    none: tuple[int, ...] = ()

    def hold(self, particles: Particles) -> Mask:
        """Say for which records they are as asked."""
        word = particles.extra[self.column]
        value = word.astype(np.int64) & ((1 << 8 * word.dtype.itemsize) - 1 if word.dtype.itemsize < 8 else -1)
        every, some, no = (_word(bits) for bits in (self.all, self.any, self.none))
        held: Mask = ((value & every) == every) & ((value & no) == 0)
        return held & ((value & some) != 0) if self.any else held


def _word(bits: Sequence[int]) -> np.int64:
    """Return a number with these bits set; bit 63 is the sign."""
    word = 0
    for bit in bits:
        word |= 1 << bit
    return np.uint64(word).astype(np.int64)


@dataclass(frozen=True)
class Selection:
    """Which records are used: of some species, within a range of kinetic energy (MeV), with some bits."""

    species: tuple[int, ...] = tuple(SPECIES)
    energy_MeV: tuple[float, float] = (0.0, np.inf)
    bits: tuple[Bits, ...] = ()

    def keeps(self, particles: Particles) -> Mask:
        """Say for each record whether it is used."""
        low, high = self.energy_MeV
        kept = np.isin(particles.species, self.species)
        kept &= (particles.energy_MeV >= low) & (particles.energy_MeV <= high)
        for bits in self.bits:
            kept &= bits.hold(particles)
        return kept


@dataclass(frozen=True)
class Packing:
    """How records become rows.

    Parameters
    ----------
    species
        The number of each species in the kernels, by its code; what is missing is not followed.
    selection
        Which records are used.
    highest_MeV
        What is followed must not have more.
    """

    species: dict[int, int]
    selection: Selection = field(default_factory=Selection)
    highest_MeV: float = np.inf

    def packed(self, particles: Particles, first: int) -> tuple[Rows, NDArray[np.float64], NDArray[np.intp]]:
        """Return rows, counts, and which records the rows are, of records from number `first` of the file on.

        Refuses what is no particle.
        """
        counts = np.zeros(COUNTS)
        counts[READ] = len(particles)
        self._refuse_broken(particles, first)
        kept = self.selection.keeps(particles)
        counts[FILTERED] = len(particles) - np.count_nonzero(kept)
        species = particles.species
        if protons := int(np.count_nonzero(kept & (species == PROTON))):
            raise refuse_protons(protons)
        neutrons = kept & (species == NEUTRON)
        counts[NEUTRONS] = np.count_nonzero(neutrons)
        counts[NEUTRON_MEV] = np.dot(
            particles.energy_MeV[neutrons].astype(np.float64), particles.weight[neutrons].astype(np.float64)
        )
        kept &= ~neutrons
        still = kept & ((particles.energy_MeV <= 0.0) | (particles.weight == 0.0))
        counts[WITHOUT_ENERGY] = np.count_nonzero(still)
        kept &= ~still
        beyond = kept & (particles.energy_MeV > self.highest_MeV)
        _refuse_one(particles, beyond, "energy_MeV", f"up to {self.highest_MeV:g} MeV", first)
        for code, row in _FOLLOWED.items():
            counts[row] = np.count_nonzero(kept & (species == code))
        chosen = np.flatnonzero(kept)
        return self._rows(particles, chosen), counts, chosen

    def _rows(self, particles: Particles, chosen: NDArray[np.intp]) -> Rows:
        rows = np.empty((chosen.size, records.COLUMNS), np.float32)
        for column, values in (
            (records.X, particles.x_cm), (records.Y, particles.y_cm), (records.Z, particles.z_cm),
            (records.U, particles.u), (records.V, particles.v), (records.W, particles.w),
            (records.ENERGY, particles.energy_MeV), (records.WEIGHT, particles.weight),
        ):  # fmt: skip
            rows[:, column] = values[chosen]
        number = np.zeros(max(SPECIES) + 1, np.float32)
        for code, of_kernel in self.species.items():
            number[code] = of_kernel
        rows[:, records.SPECIES] = number[particles.species[chosen]]
        return rows

    def _refuse_broken(self, particles: Particles, first: int) -> None:
        """Refuse records that are no particles, by the number of the first one (from 1)."""
        u, v, w = (getattr(particles, name).astype(np.float64) for name in "uvw")
        place = particles.x_cm.astype(np.float64) + particles.y_cm + particles.z_cm
        looks: tuple[tuple[Mask, str, str], ...] = (
            (~np.isin(particles.species, tuple(SPECIES)), "species", ", ".join(SPECIES.values())),
            (~np.isfinite(particles.energy_MeV), "energy_MeV", "finite energies"),
            (~np.isfinite(place), "x_cm", "finite places"),
            (~(np.isfinite(particles.weight) & (particles.weight >= 0)), "weight", "finite weights, none below 0"),
            (~(np.abs(u * u + v * v + w * w - 1.0) <= UNIT), "w", "directions of length one"),
        )  # fmt: skip
        for wrong, name, allowed in looks:
            _refuse_one(particles, wrong, name, allowed, first)


def _refuse_one(particles: Particles, wrong: Mask, name: str, allowed: str, first: int) -> None:
    """Refuse records of a wrong value, if there are any, by the number of the first one."""
    if wrong.any():
        at = int(np.argmax(wrong))
        given = f"{name} = {getattr(particles, name)[at]:g} in record {first + at + 1}"
        raise refuse("The phase space holds a record that cannot be followed", given=given, allowed=allowed)


def refuse_protons(number: int) -> Exception:
    """Return the refusal of protons in a phase space."""
    return refuse(
        "Protons of a phase space cannot be followed",
        given=f"{number} protons",
        allowed="photons, electrons, positrons; source.filter.species to leave the others out",
    )


@dataclass(frozen=True)
class Portion:
    """Some whole histories: rows for the kernels, and what they are.

    Parameters
    ----------
    rows
        One for each record that is followed, see `sources.records`.
    first, end
        Numbers of the first record and of the one after the last, from 0, in the file.
    begun
        Original histories that begin in it, those that sent nothing not counted.
    counts
        What became of its records.
    at_end
        Nothing follows it.
    history
        Which of the histories that begin in it each row belongs to, from 0.
    """

    rows: Rows
    first: int
    end: int
    begun: int
    counts: NDArray[np.float64]
    at_end: bool
    history: NDArray[np.int64]


class HistoryReader:
    """Reads a phase space from a record on, whole histories at a time; goes on where it was."""

    def __init__(self, reader: PhaseSpaceReader, packing: Packing, first: int = 0) -> None:
        self.packing, self.position = packing, first
        self._batches: Iterator[Particles] = reader.batches(first=first, size=READ_AT_ONCE)
        self._held: Particles | None = None

    def take(self, least: int) -> Portion | None:
        """Return the next whole histories of at least so many records, or all that is left; None if nothing is."""
        first, slices = self.position, []
        taken = 0
        while (held := self._ahead()) is not None:
            begins = max(least - taken, 0)
            starts = np.flatnonzero(held.histories[begins:] > 0)
            cut = begins + int(starts[0]) if starts.size else len(held)
            if cut > 0:
                slices.append(held[:cut])
                taken += cut
            self._held = held[cut:]
            if starts.size:
                break
            if taken > least + MOST_OF_ONE_HISTORY:
                raise refuse("One original history has too many records to be held", given=f"more than {taken}",
                             allowed="marks of new histories in the file")  # fmt: skip
        if not slices:
            return None
        self.position += taken
        return self._portion(first, slices)

    def _ahead(self) -> Particles | None:
        """Return what was read and not taken, or the next records; None at the end."""
        while self._held is None or len(self._held) == 0:
            self._held = next(self._batches, None)
            if self._held is None:
                return None
        return self._held

    def _portion(self, first: int, slices: list[Particles]) -> Portion:
        packed, chosen, at = [], [], first
        for particles in slices:
            rows, counts, which = self.packing.packed(particles, at)
            packed.append((rows, counts))
            chosen.append(which + (at - first))
            at += len(particles)
        number = np.cumsum(np.concatenate([particles.histories > 0 for particles in slices]))
        number -= number[0]
        begun = sum(int(np.count_nonzero(particles.histories > 0)) for particles in slices)
        begun += 0 if slices[0].histories[0] > 0 else 1  # the file may begin within a history
        rows = np.concatenate([rows for rows, _ in packed])
        return Portion(rows, first, at, begun, np.sum([counts for _, counts in packed], axis=0), self._ahead() is None,
                       number[np.concatenate(chosen)])  # fmt: skip


def uses_of(rows: int, uses: int, mirror: str) -> NDArray[np.int64]:
    """Return all uses of so many rows, those of a row one after another, as the kernels know them.

    Mirrored in x (or y): every even use; in both: none, x, y, both, and again.
    """
    flips = np.resize(np.array(MIRRORS[mirror], np.int64), uses)
    codes: NDArray[np.int64] = ((np.arange(rows, dtype=np.int64) << records.ROW_SHIFT)[:, None] | flips).ravel()
    return codes
