"""Batch sums to means and uncertainties.

Batches are fixed ranges of histories; batch i of n_i histories gives the sum s_i in a voxel. Then
``var(mean) = (sum s_i^2/n_i - S^2/N) / ((batches - 1) N)`` with S and N the totals, which allows unequal batches.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOP_VOXELS = 100  # IDEAL: the mean of the 100 highest doses stands for the maximum
LEVEL = 0.5  # IDEAL: voxels above half of it count
LIGHTEST_G_CM3 = 0.1


@dataclass
class BatchSums:
    """Running sums over a prefix of batches; flat arrays, one entry per voxel."""

    total: Array
    squares: Array
    histories: int = 0
    batches: int = 0

    @classmethod
    def empty(cls, voxels: int) -> "BatchSums":
        """Return sums over no batch."""
        return cls(np.zeros(voxels), np.zeros(voxels))

    def add(self, batch: Array, histories: int) -> None:
        """Add one batch of `histories`."""
        self.total += batch
        np.multiply(batch, batch, out=batch)
        batch /= histories
        self.squares += batch
        self.histories += histories
        self.batches += 1

    def mean(self) -> Array:
        """Return the mean per history."""
        return self.total / max(self.histories, 1)

    def relative_uncertainty(self) -> Array:
        """Return the relative standard error of the mean, one where nothing was scored."""
        relative = np.ones_like(self.total)
        hit = self.total > 0
        if self.batches < 2:
            return relative
        spread = self.squares[hit] - self.total[hit] ** 2 / self.histories
        variance = np.maximum(spread, 0.0) / ((self.batches - 1) * self.histories)
        relative[hit] = np.sqrt(variance) * self.histories / self.total[hit]
        return relative


def mean_uncertainty_percent(dose: Array, relative: Array, density_g_cm3: Array) -> float:
    """Return IDEAL's mean uncertainty: the plain mean over voxels above half the mean of the 100 highest doses.

    Voxels lighter than 0.1 g/cm3 are left out: in air a single stopping particle makes a dose of its own. Infinite
    while nothing is known.
    """
    solid = density_g_cm3.ravel() >= LIGHTEST_G_CM3
    flat, relative = dose.ravel()[solid], relative.ravel()[solid]
    if flat.size == 0:
        return float("inf")
    top = np.partition(flat, -min(TOP_VOXELS, flat.size))[-min(TOP_VOXELS, flat.size) :]
    chosen = flat > LEVEL * top.mean()
    if not chosen.any():
        return float("inf")
    return 100.0 * float(relative[chosen].mean())
