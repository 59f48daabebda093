"""Error-driven stopping: the largest mean error of the dose in the voxels that count.

Source: FRED manual, variance reduction (version 3.70), whose words these are: DD, DCO, DDType, DGRef.
"""

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.scoring.statistics import LIGHTEST_G_CM3

Array = NDArray[np.float64]

CUT_OFF_PERCENT = 50.0  # of the maximum; the example of FRED's manual, which gives no default
FEWEST_CHECKED = 20  # batches or iterations: the error of each voxel is then known to 16 %, 1 / sqrt(2 (N - 1))
CHECKS_TO_PASS = 2  # in a row


@dataclass(frozen=True)
class DoseErrorMeasure:
    """How mean errors of the dose are told, and of which voxels.

    Parameters
    ----------
    cut_off_percent
        Voxels with more than so many percent of the maximum count (DCO). The maximum is the plain one, and so a little
        too high where there is noise: by some two of its errors. Voxels lighter than 0.1 g/cm3 neither count nor
        give the maximum: in air a single stopping particle makes a dose of its own.
    relative_to_maximum
        Errors relative to the maximum (GLOBAL), else to the dose of the voxel (LOCAL).
    reference_Gy
        Taken instead of the maximum for GLOBAL errors (DGRef), not for the cut-off; in the unit of the dose.
    """

    cut_off_percent: float = CUT_OFF_PERCENT
    relative_to_maximum: bool = True
    reference_Gy: float | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.cut_off_percent < 100:
            raise refuse("The dose cut-off is a percentage of the maximum", given=self.cut_off_percent,
                         allowed="0 to below 100")  # fmt: skip
        if self.reference_Gy is not None and not 0 < self.reference_Gy < math.inf:
            raise refuse("The reference dose must be positive", given=self.reference_Gy)
        if self.reference_Gy is not None and not self.relative_to_maximum:
            raise refuse("A reference dose is for global errors", given="local errors", allowed="global errors")

    @property
    def words(self) -> str:
        """Say what the errors are percent of, and of which voxels they are."""
        of = "of their dose"
        if self.relative_to_maximum:
            of = "of the maximum" if self.reference_Gy is None else f"of {self.reference_Gy:g} Gy"
        return f"percent {of}, voxels above {self.cut_off_percent:g} % of the maximum"

    def per(self, scale: float) -> Self:
        """Return the measure for doses that are to be multiplied by `scale`."""
        if self.reference_Gy is None:
            return self
        return type(self)(self.cut_off_percent, self.relative_to_maximum, self.reference_Gy / scale)


USUAL = DoseErrorMeasure()


@dataclass(frozen=True)
class DoseErrorGoal:
    """Reached when the mean error of every voxel that counts is below so many percent (DD)."""

    percent: float
    measure: DoseErrorMeasure = USUAL

    def __post_init__(self) -> None:
        if not 0 < self.percent <= 100:
            raise refuse("The dose error is a percentage", given=self.percent, allowed="above 0, up to 100")

    @property
    def words(self) -> str:
        """Say what must be reached."""
        return f"a mean error below {self.percent:g} % in every voxel ({self.measure.words})"

    def per(self, scale: float) -> Self:
        """Return the goal for doses that are to be multiplied by `scale`."""
        return type(self)(self.percent, self.measure.per(scale))


@dataclass(frozen=True)
class DoseErrors:
    """The mean errors of the dose in the voxels that count, percent; infinite while nothing is known.

    Parameters
    ----------
    voxels
        How many count.
    failing
        How many of them are not below the goal; None where none was given.
    """

    largest_percent: float = math.inf
    mean_percent: float = math.inf
    voxels: int = 0
    failing: int | None = None

    @property
    def met(self) -> bool:
        """Whether every voxel is below the goal."""
        return self.voxels > 0 and self.failing == 0

    def as_json(self) -> dict[str, float | int | None]:
        """Return plain values; unknown errors are None."""
        known = self.voxels > 0
        return {
            "largest_percent": self.largest_percent if known else None,
            "mean_percent": self.mean_percent if known else None,
            "voxels": self.voxels,
            "failing": self.failing,
        }


NOTHING_KNOWN = DoseErrors()


@dataclass(frozen=True)
class Streak:
    """How many checks in a row were passed, up to the one at `at` batches.

    Made of counts alone, so that a run that was killed decides as if it had not been.
    """

    at: int = 0
    passes: int = 0

    def after(self, at: int, previous: int, *, met: bool) -> "Streak":
        """Return the streak with the check at `at` batches, the one before which was at `previous`."""
        if at == self.at:
            return self
        before = self.passes if self.at == previous else 0
        return Streak(at, before + 1 if met and at >= FEWEST_CHECKED else 0)

    @property
    def long_enough(self) -> bool:
        """Whether one lucky crossing cannot have made it."""
        return self.passes >= CHECKS_TO_PASS


NONE_PASSED = Streak()


def dose_errors(
    dose: Array, error: Array, density_g_cm3: Array, measure: DoseErrorMeasure = USUAL, percent: float | None = None
) -> DoseErrors:
    """Return the largest and the plain mean of the mean errors, and how many voxels do not pass.

    Parameters
    ----------
    dose, error
        The mean and its standard error, in the same unit, any shape.
    density_g_cm3
        Of the voxels.
    percent
        The goal; a voxel passes below it.
    """
    chosen = counting(dose, density_g_cm3, measure.cut_off_percent)
    if not chosen.any():
        return NOTHING_KNOWN
    relative = relative_errors(dose, error, chosen, measure)
    failing = None if percent is None else int((~(relative < 0.01 * percent)).sum())
    return DoseErrors(100 * float(relative.max()), 100 * float(relative.mean()), int(relative.size), failing)


def counting(dose: Array, density_g_cm3: Array, cut_off_percent: float) -> NDArray[np.bool_]:
    """Say, flat, which voxels have more than a percentage of the maximum; light ones are left out of both."""
    flat, solid = dose.ravel(), density_g_cm3.ravel() >= LIGHTEST_G_CM3
    maximum = float(flat[solid].max(initial=0.0))
    return solid & (flat > 0.0) & (flat > 0.01 * cut_off_percent * maximum)


def relative_errors(dose: Array, error: Array, chosen: NDArray[np.bool_], measure: DoseErrorMeasure) -> Array:
    """Return the mean errors of the chosen voxels, relative to what the measure says."""
    doses, errors = dose.ravel()[chosen], error.ravel()[chosen]
    if not measure.relative_to_maximum:
        return np.asarray(errors / doses)
    return np.asarray(errors / (doses.max() if measure.reference_Gy is None else measure.reference_Gy))
