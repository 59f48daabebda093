"""What a run tells of cuts, batch after batch: the smallest energy and range of each target particle in each region."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.scoring.planes import ENERGY, HISTORY, SPECIES, WEIGHT
from dosewright.simulation.lineage import Story
from dosewright.studies.entries import Entries, born, cut, left, told
from dosewright.studies.regions import Regions
from dosewright.studies.target import Target
from dosewright.transport.tracks import PHOTON

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

PRODUCTION, LIMITS, RUN = "production", "limits", "run"
WAYS = {PRODUCTION: born, LIMITS: left, RUN: cut}  # of ending particles, and what they meet
KINDS = {PRODUCTION: ("photon", "electron", "positron"), LIMITS: ("photon", "electron", "positron"),
         RUN: ("photon", "electron")}  # one cut of a run file holds for electrons and positrons  # fmt: skip
MOST_ENTRIES = 100  # of a particle, told apart


class Smallest(NamedTuple):
    """The smallest energy (MeV) and range (cm) of target particles, in the columns of `KINDS`; arrays of one length.

    Each target particle `of` stands once for each region and kind that it or an ancestor was met in.
    """

    of: Whole
    region: Whole
    kind: Whole
    energy_MeV: Array
    range_cm: Array

    def at(self, region: int, kind: int) -> "Smallest":
        """Return what belongs to one region and kind."""
        chosen = (self.region == region) & (self.kind == kind)
        return Smallest._make(column[chosen] for column in self)

    def among(self, regions: Sequence[int]) -> "Smallest":
        """Return what belongs to some regions."""
        chosen = np.isin(self.region, regions)
        return Smallest._make(column[chosen] for column in self)

    @property
    def places(self) -> list[tuple[int, int]]:
        """Return each region and kind that there is something of."""
        found = np.unique(np.stack([self.region, self.kind]), axis=1)
        return [(int(region), int(kind)) for region, kind in found.T]


class Found(NamedTuple):
    """What one way of ending particles would meet.

    Attributes
    ----------
    smallest
        For each target particle.
    numbers
        Weight of the target particles with so many entries, 0 to `MOST_ENTRIES` and more.
    pairs
        Weight of the pairs of entries of the same target particle, [region, region], both halves alike.
    """

    smallest: Smallest
    numbers: Array
    pairs: Array


@dataclass
class _Sums:
    """Pieces of `Found`."""

    smallest: list[Smallest]
    numbers: Array
    pairs: Array


@dataclass
class Collected:
    """Target particles and what cuts would meet in their stories, added batch by batch."""

    regions: Regions
    _targets: list[Target] = field(default_factory=list)
    _sums: dict[str, _Sums] = field(default_factory=dict)
    _counted: int = 0
    highest_MeV: float = 0.0

    def add(self, rows: Array, story: Story, histories_before: int) -> None:
        """Add the target particles of a batch, rows as in `scoring.planes`, and their stories."""
        history = rows[:, HISTORY].astype(np.int64) + histories_before
        weight = rows[:, WEIGHT].copy()
        self._targets.append(Target(history, rows[:, SPECIES].astype(np.int64), weight))
        one = told(story, rows[:, ENERGY])
        for way, entries_of in WAYS.items():
            self._add(way, entries_of(one), weight)
        self._counted += len(rows)
        self.highest_MeV = max(self.highest_MeV, story.energy_MeV.max(initial=0.0))

    def _add(self, way: str, entries: Entries, weight: Array) -> None:
        size = len(self.regions.regions)
        sums = self._sums.setdefault(way, _Sums([], np.zeros(MOST_ENTRIES + 1), np.zeros((size, size))))
        range_cm = self.regions.range_cm(entries.part, entries.species, entries.energy_MeV)
        in_matter = np.isfinite(range_cm)  # elsewhere nothing is ended
        entries, range_cm = Entries._make(column[in_matter] for column in entries), range_cm[in_matter]
        region = self.regions.of_part[entries.part]
        kind = np.minimum(entries.species - PHOTON, len(KINDS[way]) - 1)
        found = smallest_of(entries.of, region, kind, entries.energy_MeV, range_cm)
        sums.smallest.append(found._replace(of=found.of + self._counted))
        numbers = np.bincount(entries.of, minlength=len(weight))
        sums.numbers += np.bincount(np.minimum(numbers, MOST_ENTRIES), weight, MOST_ENTRIES + 1)
        sums.pairs += pairs_of(entries.of, region, size, weight)

    @property
    def count(self) -> int:
        """How many target particles there are."""
        return self._counted

    def target(self) -> Target:
        """Return all target particles."""
        return Target._make(np.concatenate(columns) for columns in zip(*self._targets, strict=True))

    def found(self, way: str) -> Found:
        """Return what a way of ending particles would meet."""
        sums = self._sums[way]
        joined = Smallest._make(np.concatenate(columns) for columns in zip(*sums.smallest, strict=True))
        return Found(joined, sums.numbers, sums.pairs)


def smallest_of(of: Whole, region: Whole, kind: Whole, energy_MeV: Array, range_cm: Array) -> Smallest:
    """Return the smallest energy and range of each target particle in each region, of each kind."""
    if not of.size:
        return Smallest(of, region, kind, energy_MeV, range_cm)
    order = np.lexsort((kind, region, of))
    of, region, kind = of[order], region[order], kind[order]
    new = (np.diff(of, prepend=-1) != 0) | (np.diff(region, prepend=-1) != 0) | (np.diff(kind, prepend=-1) != 0)
    first = np.flatnonzero(new)
    lowest, shortest = (np.minimum.reduceat(values[order], first) for values in (energy_MeV, range_cm))
    return Smallest(of[first], region[first], kind[first], lowest, shortest)


def pairs_of(of: Whole, region: Whole, regions: int, weight: Array) -> Array:
    """Return the weight of the pairs of entries of the same target particle, [region, region]."""
    counts = np.bincount(of * regions + region, minlength=len(weight) * regions).reshape(len(weight), regions)
    pairs: Array = (counts * weight[:, None]).T @ counts
    within = (counts * (counts - 1) / 2 * weight[:, None]).sum(axis=0)
    np.fill_diagonal(pairs, within)
    return pairs
