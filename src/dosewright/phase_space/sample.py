"""A part of a phase space, drawn at random: whole histories, or single particles."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import Particles
from dosewright.phase_space.histories import Kept, begun

HISTORIES, PARTICLES = 1, 2  # streams of their own: no two kinds of drawing share random numbers
LARGE = 1e15  # beyond it a binomial number is its mean to all digits that count


@dataclass
class Sample:
    """Draws whole histories, those that sent nothing included, so that what is kept is like a shorter run.

    Weights stay, and original histories are drawn with the same probability as particles: everything per history keeps
    its expectation, and its variance is that of the smaller number of histories.

    Parameters
    ----------
    share
        Probability with which a history is kept, above 0, at most 1.
    """

    share: float
    seed: int = 1
    _random: np.random.Generator = field(init=False)
    _begun: int = 0
    _drawn: int = 0
    _stays: bool = False
    _kept: Kept = field(default_factory=Kept)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng((self.seed, HISTORIES))

    def over(self, batches: Iterable[Particles]) -> Iterator[Particles]:
        """Yield what is kept of the batches."""
        for particles in begun(batches):
            starts = np.flatnonzero(particles.histories > 0)
            chosen = self._random.random(len(starts)) < self.share
            empty = particles.histories[starts] - 1
            histories = np.zeros(len(particles), np.int64)
            histories[starts] = chosen + self._random.binomial(empty, self.share)
            self._begun += int(empty.sum()) + len(starts)
            self._drawn += int(histories.sum())
            stays = self._spread(starts, chosen, len(particles))
            self._stays = bool(stays[-1])
            yield self._kept.of(particles, stays, histories)

    def original_histories(self, given: float) -> float:
        """Return how many of `given` histories were kept, those included that sent nothing and were not counted."""
        rest = max(given - self._begun, 0.0)
        if rest > LARGE:
            return float(round(self._drawn + rest * self.share))
        return float(self._drawn + self._random.binomial(round(rest), self.share))

    def _spread(self, starts: NDArray[np.intp], chosen: NDArray[np.bool_], records: int) -> NDArray[np.bool_]:
        """Return for each record whether its history stays; the first may belong to one of the batch before."""
        marks = np.zeros(records, np.int64)
        marks[starts] = 1
        stays: NDArray[np.bool_] = np.concatenate(([self._stays], chosen))[np.cumsum(marks)]
        return stays


@dataclass
class ParticleSample:
    """Draws single particles, whatever history they are of; original histories stay, weights are divided by the share.

    Everything per history keeps its expectation, and errors over histories stay right. But particles of one history
    are torn apart, and fewer of them with larger weights say less than as many whole histories.
    """

    share: float
    seed: int = 1
    _random: np.random.Generator = field(init=False)
    _kept: Kept = field(default_factory=Kept)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng((self.seed, PARTICLES))

    def over(self, batches: Iterable[Particles]) -> Iterator[Particles]:
        """Yield what is kept of the batches."""
        for particles in begun(batches):
            kept = self._kept.of(particles, self._random.random(len(particles)) < self.share)
            yield replace(kept, weight=kept.weight / np.float32(self.share))
