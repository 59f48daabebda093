"""Depth dose of any energy with a Gaussian spread, from the mono-energetic runs.

Curves of neighbouring energies are put over each other by their ranges and interpolated in the logarithm of energy
(Lagrange, four of them); a Gaussian of energies is a weighted sum of such curves.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.commissioning.beam_fit.kernels import Kernels
from dosewright.commissioning.beam_fit.rings import seen
from dosewright.commissioning.demonstration.water_depth_dose import range_in_water_mm
from dosewright.core.errors import refuse

Array = NDArray[np.float64]

SIGMAS, NODES = 4.0, 41  # of the Gaussian of energies
NEIGHBOURS = 4


@dataclass(frozen=True)
class DepthDoses:
    """Dose times area per proton (Gy mm2) that a chamber sees, at each energy of the runs, by part of the range."""

    energy_MeV: Array
    depth: Array
    dose: Array

    @classmethod
    def seen_by(cls, kernels: Kernels, chamber_radius_mm: float | None, spot_sigma_mm: float) -> "DepthDoses":
        """Return what a chamber centred on a Gaussian spot sees; without a radius, everything."""
        return cls(kernels.energy_MeV, kernels.depth, kernels.dose @ seen(chamber_radius_mm, spot_sigma_mm))

    def __call__(self, energy_MeV: float, sigma_MeV: float, depth_mm: Array) -> Array:
        """Return the depth dose of a mean energy and its 1 sigma spread (MeV), at depths in water."""
        deviation = np.linspace(-SIGMAS, SIGMAS, NODES) if sigma_MeV > 0 else np.zeros(1)
        weight = np.exp(-0.5 * deviation**2)
        energies = energy_MeV + sigma_MeV * deviation
        low, high = self.energy_MeV[0], self.energy_MeV[-1]
        if not low <= energies[0] <= energies[-1] <= high:
            raise refuse("The energies of the beam lie outside those of the runs",
                         given=f"{energies[0]:.1f} to {energies[-1]:.1f} MeV",
                         allowed=f"{low:.1f} to {high:.1f} MeV")  # fmt: skip
        return np.asarray(weight @ self._curves(energies, np.asarray(depth_mm, float)) / weight.sum())

    def _curves(self, energies: Array, depth_mm: Array) -> Array:
        """Return mono-energetic curves, [energy, depth]."""
        log = np.log(self.energy_MeV)
        count = min(NEIGHBOURS, log.size)
        first = np.clip(np.searchsorted(self.energy_MeV, energies) - count // 2, 0, log.size - count)
        part = depth_mm / range_in_water_mm(energies)[:, None]
        curves = np.zeros_like(part)
        for n in range(count):
            node = first + n
            share = np.ones(energies.size)
            for m in range(count):
                if m != n:
                    share *= (np.log(energies) - log[first + m]) / (log[node] - log[first + m])
            for k in np.unique(node):
                rows = node == k
                curves[rows] += share[rows, None] * np.interp(part[rows], self.depth, self.dose[k], right=0.0)
        return curves
