"""Batch sums to means and uncertainties.

Batches are fixed ranges of histories; batch i of n_i histories gives the sum s_i in a voxel. Then
``var(mean) = (sum s_i^2/n_i - S^2/N) / ((batches - 1) N)`` with S and N the totals, which allows unequal batches.

A phase space holds only the M histories that sent something, out of N. Its batches are of m_i such histories each, and
the variance of the sum over them is that of M independent ones. That M itself is drawn, out of N, adds
``1/M - 1/N`` to the square of the relative uncertainty (the variance of a sum of M terms, M binomial).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

TOP_VOXELS = 100  # IDEAL: the mean of the 100 highest doses stands for the maximum
THRESHOLD_PERCENT = 50.0  # IDEAL: voxels above half of it count
LIGHTEST_G_CM3 = 0.1


@dataclass
class BatchSums:
    """Running sums over a prefix of batches; flat arrays, one entry per voxel.

    `sent` is the number of histories that sent something, all of them but for phase spaces.
    """

    total: Array
    squares: Array
    histories: int = 0
    batches: int = 0
    sent: int = 0

    @classmethod
    def empty(cls, voxels: int) -> "BatchSums":
        """Return sums over no batch."""
        return cls(np.zeros(voxels), np.zeros(voxels))

    def add(self, batch: Array, histories: int, sent: int | None = None) -> None:
        """Add one batch of `histories`, of which `sent` (None: all) sent something."""
        sent = histories if sent is None else sent
        self.total += batch
        np.multiply(batch, batch, out=batch)
        batch /= sent
        self.squares += batch
        self.histories += histories
        self.sent += sent
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
        spread = self.squares[hit] - self.total[hit] ** 2 / self.sent
        variance = np.maximum(spread, 0.0) / ((self.batches - 1) * self.sent)
        relative[hit] = np.sqrt(variance) * self.sent / self.total[hit]
        if self.sent < self.histories:
            relative[hit] = np.hypot(relative[hit], np.sqrt(1.0 / self.sent - 1.0 / self.histories))
        return relative


def mean_uncertainty_percent(
    dose: Array,
    relative: Array,
    density_g_cm3: Array,
    top_voxels: int = TOP_VOXELS,
    dose_threshold_percent: float = THRESHOLD_PERCENT,
) -> float:
    """Return IDEAL's mean uncertainty: the plain mean over the voxels of high dose; infinite while nothing is known."""
    chosen = high_dose_voxels(dose, density_g_cm3, top_voxels, dose_threshold_percent)
    return 100.0 * float(relative.ravel()[chosen].mean()) if chosen.any() else float("inf")


def high_dose_voxels(
    dose: Array,
    density_g_cm3: Array,
    top_voxels: int = TOP_VOXELS,
    dose_threshold_percent: float = THRESHOLD_PERCENT,
) -> NDArray[np.bool_]:
    """Say, flat, which voxels are above a percentage (half) of the mean of the (100) highest doses.

    Voxels lighter than 0.1 g/cm3 are left out: in air a single stopping particle makes a dose of its own.
    """
    solid = density_g_cm3.ravel() >= LIGHTEST_G_CM3
    flat = dose.ravel()
    highest = flat[solid]
    if highest.size == 0:
        return solid
    number = min(top_voxels, highest.size)
    level = 0.01 * dose_threshold_percent * float(np.partition(highest, -number)[-number:].mean())
    return solid & (flat > level)
