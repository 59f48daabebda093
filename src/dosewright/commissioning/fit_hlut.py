"""A CT protocol by stoichiometric calibration: the scanner's two coefficients from inserts of known composition.

Schneider, Pedroni, Lomax, Phys. Med. Biol. 41, 111 (1996).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from dosewright.commissioning.hlut_fit.attenuation import PUBLISHED, hounsfield, relative_stopping_power
from dosewright.commissioning.hlut_fit.curve import protocol
from dosewright.commissioning.hlut_fit.measurements import HlutMeasurements
from dosewright.commissioning.hlut_fit.tissues import Tissue, tissues
from dosewright.core.matter import HounsfieldTable
from dosewright.materials.hlut import density_at, material_at

Array = NDArray[np.float64]

OUTLIER_SIGMAS = 3.0


@dataclass(frozen=True)
class TissueRow:
    """A tissue: its Hounsfield number here, its relative stopping power, and the one the protocol gives that number."""

    tissue: Tissue
    hu: float
    stopping: float
    by_protocol: float

    @property
    def percent(self) -> float:
        """Relative stopping power of the protocol against that of the tissue."""
        return 100.0 * (self.by_protocol / self.stopping - 1.0)


@dataclass(frozen=True)
class HlutFit:
    """A fitted CT protocol; `k` and `uncertainty` are of the coherent and the photoelectric coefficient."""

    measured: HlutMeasurements
    k: tuple[float, float]
    uncertainty: tuple[float, float]
    chi2_per_insert: float
    calculated_hu: Array
    table: HounsfieldTable
    tissues: tuple[TissueRow, ...]
    notes: tuple[str, ...]


def fit_hlut(measured: HlutMeasurements) -> HlutFit:
    """Fit a CT protocol; uncertainties are 1 sigma, enlarged where the fit is worse than the inserts claim."""
    scale = np.array(PUBLISHED)

    def residuals(x: Array) -> Array:
        return np.asarray((hounsfield(measured.media, x * scale) - measured.hu) / measured.sigma_hu)

    best = least_squares(residuals, [1.0, 1.0], bounds=([0.0, 0.0], [20.0, 20.0]))
    k1, k2 = (best.x * scale).tolist()
    chi2 = float(2 * best.cost / max(measured.hu.size - 2, 1))
    covariance = np.linalg.pinv(best.jac.T @ best.jac) * max(chi2, 1.0)
    u1, u2 = (np.sqrt(np.diag(covariance)) * scale).tolist()
    table = protocol(measured.file.name, (k1, k2), measured.file.highest_hu)
    calculated = hounsfield(measured.media, (k1, k2))
    rows = tissue_rows(table, (k1, k2))
    notes = _notes(measured, calculated, (k1, k2), (u1, u2))
    return HlutFit(measured, (k1, k2), (u1, u2), chi2, calculated, table, rows, notes)


def tissue_rows(table: HounsfieldTable, k: tuple[float, float]) -> tuple[TissueRow, ...]:
    """Return every tissue of the reports as a scanner with coefficients `k` and the protocol see it."""
    known = tissues()
    numbers = hounsfield([one.medium for one in known], k)
    media, densities = material_at(numbers, table), density_at(numbers, table)
    return tuple(
        TissueRow(one, float(hu), relative_stopping_power(one.medium),
                  relative_stopping_power(table.materials[int(m)], float(rho)))
        for one, hu, m, rho in zip(known, numbers, media, densities, strict=True)
    )  # fmt: skip


def _notes(
    measured: HlutMeasurements, calculated: Array, k: tuple[float, float], uncertainty: tuple[float, float]
) -> tuple[str, ...]:
    said = [
        f"Densities above cortical bone continue its line to {measured.file.highest_hu:g} HU: metal is not calibrated."
    ]
    for value, error, name in zip(k, uncertainty, ("coherent", "photoelectric"), strict=True):
        if value < 2 * error:
            said.append(f"The {name} coefficient is not told from zero by these inserts: {value:.3g} ± {error:.2g}.")
    far = np.abs(calculated - measured.hu) > OUTLIER_SIGMAS * measured.sigma_hu
    if far.any():
        names = [f"{one.name} ({c - hu:+.0f} HU)" for one, c, hu, f in
                 zip(measured.media, calculated, measured.hu, far, strict=True) if f]  # fmt: skip
        said.append(f"Inserts beyond {OUTLIER_SIGMAS:g} of their own uncertainty: {', '.join(names)}. Composition and "
                    "density as the maker says, beam hardening and place are to be looked at.")  # fmt: skip
    return tuple(said)
