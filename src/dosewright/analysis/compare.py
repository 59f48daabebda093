"""Two doses side by side: absolute ratio, difference and normalised copy.

Both images must hold the same quantity (physical with physical, beam with beam, the same number of fractions) on the
same grid; what differs is refused here or must be resampled before. A wrong absolute dose must not hide behind a
normalisation: report `high_dose_ratio` wherever `normalised` is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import refuse
from dosewright.core.grid import Image

HIGHEST_VOXELS = 100  # as in IDEAL's mean uncertainty, so that no single noisy voxel sets the level
HIGHEST_PART = 0.01  # of the voxels above zero: small images have no hundred voxels at their maximum


@dataclass(frozen=True)
class Ratio:
    """The ratio of two mean doses.

    Parameters
    ----------
    value
        Mean of the evaluated dose over mean of the reference, in the same region.
    uncertainty
        One standard deviation of `value` from the statistics of the evaluated dose, as if the voxels were independent;
        None where no uncertainty was given. One particle crosses many voxels, so this is the lower end.
    uncertainty_correlated
        The same as if all voxels rose and fell together: an upper end, far too high (`relative_bound` is a closer one).
    voxels
        Size of the region.
    level_Gy
        The reference dose at which the region begins.
    """

    value: float
    uncertainty: float | None
    uncertainty_correlated: float | None
    voxels: int
    level_Gy: float


def robust_maximum(dose: Image) -> float:
    """Return the mean of the 100 highest voxels, or of the highest hundredth of all above zero where that is fewer."""
    values = _doses(dose)
    values = values[values > 0]
    if not values.size:
        return 0.0
    count = max(1, min(HIGHEST_VOXELS, round(HIGHEST_PART * values.size)))
    return float(np.partition(values, -count)[-count:].mean())


def high_dose_ratio(
    evaluated: Image, reference: Image, level: float = 0.5, relative_uncertainty: Image | None = None
) -> Ratio:
    """Return the ratio of the mean doses where the reference reaches `level` of its robust maximum.

    `relative_uncertainty` is that of the evaluated dose (one standard deviation over the dose, per voxel).
    """
    _same_grid(evaluated, reference)
    if not 0 < level <= 1:
        raise refuse("The level of the high-dose region is a part of the maximum", given=level, allowed="above 0, to 1")
    level_Gy = level * robust_maximum(reference)
    if not level_Gy > 0:
        raise refuse("The reference dose is nowhere above zero, so there is no high-dose region")
    region = _doses(reference) >= level_Gy
    doses, sum_of_reference = _doses(evaluated)[region], float(_doses(reference)[region].sum())
    value = float(doses.sum()) / sum_of_reference
    if relative_uncertainty is None:
        return Ratio(value, None, None, int(region.sum()), level_Gy)
    _same_grid(relative_uncertainty, reference)
    deviation = np.abs(doses * _doses(relative_uncertainty)[region])
    independent = float(np.sqrt(np.square(deviation).sum())) / sum_of_reference
    return Ratio(value, independent, float(deviation.sum()) / sum_of_reference, int(region.sum()), level_Gy)


@dataclass(frozen=True)
class Histories:
    """What the histories of one beam left in a region.

    Parameters
    ----------
    dose
        The beam's part of the region's dose, in any unit.
    primaries
        Independent histories, all of one weight.
    mean_MeV, most_MeV
        Energy left in the region per primary, and the most that one can leave: its own.
    """

    dose: float
    primaries: int
    mean_MeV: float
    most_MeV: float


def relative_bound(beams: Sequence[Histories]) -> float:
    """Return an upper end of the relative standard deviation of the dose of a region that beams give together.

    What one history leaves lies between zero and its energy, so its variance is at most ``mean (most - mean)`` (Bhatia
    and Davis, Am. Math. Mon. 107 (2000) 353), and histories are independent. Dose stands for energy over mass, with
    one mean mass of the region. Stratified primaries vary less.
    """
    total = sum(beam.dose for beam in beams)
    if not total > 0 or any(beam.primaries < 1 for beam in beams):
        return float("nan")
    variance = sum(
        beam.dose**2 * max(beam.most_MeV / beam.mean_MeV - 1.0, 0.0) / beam.primaries for beam in beams if beam.dose > 0
    )
    return float(np.sqrt(variance)) / total


def difference(evaluated: Image, reference: Image) -> Image:
    """Return evaluated minus reference."""
    _same_grid(evaluated, reference)
    return Image(reference.grid, _doses(evaluated) - _doses(reference))


def normalised(evaluated: Image, reference: Image, level: float = 0.5) -> Image:
    """Return the evaluated dose scaled so that its high-dose ratio is one; state the ratio beside it."""
    return Image(evaluated.grid, _doses(evaluated) / high_dose_ratio(evaluated, reference, level).value)


def mean_ratios(evaluated: Image, reference: Image, fractions: Mapping[str, NDArray[np.floating]]) -> dict[str, float]:
    """Return the ratio of mean doses per structure (partial volumes [z, y, x]); nan where the reference has none."""
    _same_grid(evaluated, reference)
    ratios = {}
    for name, fraction in fractions.items():
        if fraction.shape != reference.values.shape:
            raise refuse("Partial volumes must fit the doses", given=fraction.shape, allowed=reference.values.shape)
        ours, theirs = (float(np.vdot(fraction, _doses(image))) for image in (evaluated, reference))
        ratios[name] = ours / theirs if theirs > 0 else float("nan")
    return ratios


def _doses(image: Image) -> NDArray[np.float64]:
    return np.asarray(image.values, np.float64)


def _same_grid(a: Image, b: Image) -> None:
    if not a.grid.matches(b.grid):
        raise refuse(
            "Doses are compared voxel by voxel only on one grid; resample one of them first",
            given=f"{a.grid.shape} voxels of {a.grid.spacing_mm} mm at {a.grid.origin_mm}",
            allowed=f"{b.grid.shape} voxels of {b.grid.spacing_mm} mm at {b.grid.origin_mm}",
        )
