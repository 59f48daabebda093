"""Size, divergence and their correlation at the model plane, from spot sizes at several planes.

After a drift s the variance is S11 + 2 s S12 + s^2 S22, plus what scattering in air adds: linear in the three
unknowns, so the fit has one solution. Where that is no possible beam, the nearest possible one is sought.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from dosewright.commissioning.beam_fit.air import spread_mm2
from dosewright.commissioning.beam_fit.measurements import SpotSizes
from dosewright.core.errors import refuse

Array = NDArray[np.float64]


@dataclass(frozen=True)
class AxisFit:
    """Covariance of position and slope at the model plane (mm, rad) along one axis, and how it fits.

    `uncertainty` holds the 1 sigma of size (mm), divergence (rad) and correlation; `at_edge` says that the best
    solution was no possible beam.
    """

    cov: Array
    uncertainty: tuple[float, float, float]
    chi2_per_point: float
    fitted_mm: Array
    at_edge: bool

    @property
    def size(self) -> tuple[float, float, float]:
        """Size (mm), divergence (rad) and correlation."""
        return as_size(np.array([self.cov[0, 0], self.cov[0, 1], self.cov[1, 1]]))


def as_size(s: Array) -> tuple[float, float, float]:
    """Return size, divergence and correlation of the three entries of a covariance."""
    sigma, slope = float(np.sqrt(max(s[0], 0.0))), float(np.sqrt(max(s[2], 0.0)))
    return sigma, slope, float(s[1] / (sigma * slope)) if sigma * slope > 0 else 0.0


@dataclass(frozen=True)
class OpticsFit:
    """The two axes of a spot at one nominal energy; air widens it `air_factor` times as much as the formula says."""

    nominal_MeV: float
    x: AxisFit
    y: AxisFit
    air_factor: float = 1.0


def fit_optics(spots: SpotSizes, energy_MeV: float, plane_mm: float, medium: str, air_factor: float = 1.0) -> OpticsFit:
    """Fit both axes; the mean energy `energy_MeV` and `air_factor` are for the scattering in air."""
    drift = plane_mm - spots.z_mm
    if drift.min() < 0 and medium == "air" and drift.min() < -1e-6:
        raise refuse(f"Spots of {spots.nominal_MeV:g} MeV were measured upstream of the model plane",
                     given=f"z up to {spots.z_mm.max():g} mm", allowed=f"z below plane_mm = {plane_mm:g}")  # fmt: skip
    added = air_factor * spread_mm2(energy_MeV, drift) if medium == "air" else np.zeros_like(drift)
    axes = [fit_axis(drift, sigma, spots.relative, added) for sigma in (spots.sigma_x_mm, spots.sigma_y_mm)]
    return OpticsFit(spots.nominal_MeV, axes[0], axes[1], air_factor)


def fit_axis(drift_mm: Array, sigma_mm: Array, relative: float, added_mm2: Array) -> AxisFit:
    """Fit one axis: sizes after drifts, their relative 1 sigma, and the variance that air added."""
    error = 2 * relative * sigma_mm**2  # of a variance
    design = np.stack([np.ones_like(drift_mm), 2 * drift_mm, drift_mm**2], axis=1)
    scale = np.array([1.0, 1e-3, 1e-6])
    weighted = design * scale / error[:, None]
    target = (sigma_mm**2 - added_mm2) / error
    entries = np.linalg.lstsq(weighted, target, rcond=None)[0] * scale
    at_edge = not _possible(entries)
    if at_edge:
        entries = _nearest_possible(weighted / scale, target)
    chi2 = float(np.sum((design @ entries / error - target) ** 2) / max(drift_mm.size - 3, 1))
    inverse = np.linalg.pinv(weighted.T @ weighted) * np.outer(scale, scale) * max(chi2, 1.0)
    fitted = np.sqrt(np.maximum(design @ entries + added_mm2, 0.0))
    cov = np.array([[entries[0], entries[1]], [entries[1], entries[2]]])
    return AxisFit(cov, _uncertainty(entries, inverse), chi2, fitted, at_edge)


def _possible(s: Array) -> bool:
    return bool(s[0] > 0 and s[2] > 0 and s[0] * s[2] > s[1] ** 2)


def _nearest_possible(weighted: Array, target: Array) -> Array:
    """Fit the Cholesky factor of the covariance: whatever it is, the beam is possible."""

    def entries(x: Array) -> Array:
        a, b, c = x[0], 1e-3 * x[1], 1e-3 * x[2]
        return np.array([a * a, a * b, b * b + c * c])

    best = least_squares(lambda x: weighted @ entries(x) - target, [3.0, 0.0, 1.0])
    return entries(best.x)


def _uncertainty(s: Array, inverse: Array) -> tuple[float, float, float]:
    """Carry the covariance of the three entries over to size, divergence and correlation."""
    sigma, slope, correlation = as_size(s)
    if sigma * slope == 0:
        return float("inf"), float("inf"), float("inf")
    jacobian = np.array([
        [0.5 / sigma, 0.0, 0.0],
        [0.0, 0.0, 0.5 / slope],
        [-0.5 * correlation / s[0], 1.0 / (sigma * slope), -0.5 * correlation / s[2]],
    ])  # fmt: skip
    error = np.sqrt(np.maximum(np.diag(jacobian @ inverse @ jacobian.T), 0.0))
    return float(error[0]), float(error[1]), float(error[2])
