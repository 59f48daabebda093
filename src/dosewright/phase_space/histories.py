"""Original histories while records are read, numbered, and left out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.particles import Particles

INCREMENT = "incremental_history"  # the extra column of IAEA files that says the same as `histories`


def begun(batches: Iterable[Particles]) -> Iterator[Particles]:
    """Yield all batches that hold something; the very first record begins a history, whatever its mark says."""
    first = True
    for particles in batches:
        if not len(particles):
            continue
        if first and particles.histories[0] <= 0:
            histories = particles.histories.copy()
            histories[0] = 1
            particles = replace(particles, histories=histories)
        first = False
        yield particles


@dataclass
class Numbering:
    """Numbers the histories that sent something, from 0, through all batches.

    Parameters
    ----------
    seen
        Histories that have begun so far.
    """

    seen: int = 0

    def of(self, particles: Particles) -> NDArray[np.int64]:
        """Return the number of the history of each record of the next batch."""
        numbers = np.cumsum(particles.histories > 0, dtype=np.int64)
        numbers += self.seen - 1
        self.seen = int(numbers[-1]) + 1
        return numbers


@dataclass
class Kept:
    """Leaves records out; histories that they began begin with the next record that stays.

    Parameters
    ----------
    owed
        Histories begun since the last record that was kept.
    """

    owed: int = 0

    def of(
        self, particles: Particles, stays: NDArray[np.bool_], histories: NDArray[np.int64] | None = None
    ) -> Particles:
        """Return the records that stay; `histories` replaces the marks of all records of the batch."""
        total = np.cumsum(particles.histories if histories is None else histories, dtype=np.int64)
        total += self.owed
        kept, at = particles[stays], total[stays]
        self.owed = int(total[-1] - (at[-1] if len(at) else 0))
        marks = np.diff(at, prepend=0)
        extra = dict(kept.extra)
        if INCREMENT in extra:
            extra[INCREMENT] = marks.astype(extra[INCREMENT].dtype)
        return replace(kept, histories=marks, extra=extra)
