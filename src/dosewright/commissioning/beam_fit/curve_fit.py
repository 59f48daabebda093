"""Mean energy, spread and scale of one measured depth dose, by least squares."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from dosewright.commissioning.beam_fit.measurements import Curve
from dosewright.commissioning.demonstration.water_depth_dose import energy_for_range_MeV, range_in_water_mm
from dosewright.core.errors import refuse

Array = NDArray[np.float64]
Calculated = Callable[[float, float, Array], Array]

BEYOND = 1.06  # of the range: what is measured further out is background
LARGEST_SPREAD = 0.03  # of the energy
ENERGY_WINDOW = 0.03  # about the energy of the range, in which the mean energy is sought
FIRST_SPREAD = 0.007


@dataclass(frozen=True)
class CurveFit:
    """What a depth dose says; uncertainties are 1 sigma, enlarged where the fit is worse than the points claim.

    Parameters
    ----------
    mean_MeV, sigma_MeV
        Mean energy and its 1 sigma spread at the model plane.
    scale
        Measured dose over the dose of one proton (Gy mm2).
    fitted
        The fit at the measured depths that count, in the unit of the measurement.
    used
        Which of the measured points count.
    """

    nominal_MeV: float
    mean_MeV: float
    mean_uncertainty_MeV: float
    sigma_MeV: float
    sigma_uncertainty_MeV: float
    scale: float
    scale_uncertainty: float
    chi2_per_point: float
    fitted: Array
    used: NDArray[np.bool_]


def fit_curve(curve: Curve, calculated: Calculated, upstream_mm: float, depth_uncertainty_mm: float = 0.0) -> CurveFit:
    """Fit energy, spread and scale.

    Parameters
    ----------
    calculated
        Dose times area per proton (Gy mm2) that the chamber sees, of mean energy, spread (MeV) and depths (mm).
    upstream_mm
        Water equivalent of the air between the model plane and the water.
    depth_uncertainty_mm
        1 sigma of all depths together; it adds to the uncertainty of the energy.
    """
    used = curve.depth_mm <= BEYOND * (curve.range_mm + upstream_mm)
    depth, dose, sigma = curve.depth_mm[used] + upstream_mm, curve.dose[used], curve.sigma[used]
    start = float(energy_for_range_MeV(curve.range_mm + upstream_mm))
    height = float(dose.max() / calculated(start, FIRST_SPREAD * start, depth).max())

    def residuals(x: Array) -> Array:
        return np.asarray((x[2] * height * calculated(x[0] * start, x[1] * start, depth) - dose) / sigma)

    best = least_squares(
        residuals, [1.0, FIRST_SPREAD, 1.0], x_scale=[1e-3, 1e-3, 1e-2], diff_step=[1e-5, 1e-3, 1e-4],
        bounds=([1 - ENERGY_WINDOW, 1e-5, 0.1], [1 + ENERGY_WINDOW, LARGEST_SPREAD, 10.0]),
    )  # fmt: skip
    if not best.success:
        raise refuse(f"The depth dose of {curve.nominal_MeV:g} MeV could not be fitted", given=best.message)
    chi2 = float(2 * best.cost / max(dose.size - 3, 1))
    covariance = np.linalg.pinv(best.jac.T @ best.jac) * max(chi2, 1.0)
    error = np.sqrt(np.diag(covariance))
    mean = float(best.x[0] * start)
    per_mm = float(
        energy_for_range_MeV(range_in_water_mm(mean) + 0.5) - energy_for_range_MeV(range_in_water_mm(mean) - 0.5)
    )
    fitted = np.asarray(best.x[2] * height * calculated(mean, best.x[1] * start, depth))
    return CurveFit(
        curve.nominal_MeV, mean, float(np.hypot(error[0] * start, per_mm * depth_uncertainty_mm)),
        float(best.x[1] * start), float(error[1] * start), float(best.x[2] * height), float(error[2] * height),
        chi2, fitted, used,
    )  # fmt: skip
