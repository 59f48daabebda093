"""Histograms without noise against known ones; ``python -m benchmarks.dvh_noise`` writes the page.

Doses are made by formulas, so every histogram without noise is known. Noise is added as from ten batches, whose scatter
gives the uncertainty, as in a calculation; neighbours are independent, or correlated along one axis as along a beam.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.gamma_noise import BATCHES, CORRELATIONS
from dosewright.analysis.dvh import Dvh, structure_dvh
from dosewright.analysis.dvh_noise import LEFT_OVER, noisy_dvh
from dosewright.analysis.voxel_noise import correlated_normal, voxel_noise
from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure

Floats = NDArray[np.float64]

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "dvh_noise.md"
GRID = Grid((30, 30, 30), (2.5, 2.5, 2.5), (-36.25, -36.25, -36.25))
TOP_GY = 60.0
NOISE_PERCENT = (1.0, 3.0)
DRAWINGS = 3
VOLUMES_PERCENT = (98.0, 95.0, 50.0, 2.0)
PLANNED_OVER_TRUE = 0.99  # the correlation of noise is read from the dose minus the planned one


def places() -> tuple[Floats, Floats, Floats]:
    """Return x, y, z of all voxels, mm."""
    z, y, x = np.meshgrid(*(GRID.centres_mm(axis) for axis in (2, 1, 0)), indexing="ij")
    return x, y, z


def ball() -> Floats:
    """An even dose that falls from 80 to 20 % within 7 mm around a radius of 24 mm."""
    x, y, z = places()
    dose: Floats = TOP_GY / (1 + np.exp((np.sqrt(x**2 + y**2 + z**2) - 24.0) / 2.5))
    return dose


def slope() -> Floats:
    """A dose that rises by 0.5 Gy/mm."""
    dose: Floats = 40.0 + 0.5 * places()[0]
    return dose


def waves() -> Floats:
    """An even dose with waves of 2 %, 25 mm long."""
    x, y, z = places()
    dose: Floats = TOP_GY * (1 + 0.02 * np.sin(2 * np.pi * x / 25.0) * np.cos(2 * np.pi * (y + z) / 25.0))
    return dose


def sphere(radius_mm: float, spacing_mm: float) -> Structure:
    """Return a sphere around the origin as contours."""
    angle = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    heights = np.arange(-radius_mm + spacing_mm / 2, radius_mm, spacing_mm)
    rings = [np.sqrt(radius_mm**2 - z**2) * np.stack([np.cos(angle), np.sin(angle)]) for z in heights]
    contours = (np.column_stack([*ring, np.full(180, z)]) for ring, z in zip(rings, heights, strict=True))
    return Structure(1, "s", "PTV", tuple(contours))


CASES = (
    ("even, sphere of 14 cm³", ball, 15.0),
    ("even, sphere of 0.3 cm³", ball, 4.0),
    ("even and its rim, sphere of 65 cm³", ball, 25.0),
    ("slope of 0.5 Gy/mm, sphere of 14 cm³", slope, 15.0),
    ("waves of 2 %, sphere of 14 cm³", waves, 15.0),
)


@dataclass
class Row:
    """Doses at a volume without noise, in drawings: the truth (Gy), plain, found and stated; how much was covered."""

    case: str
    correlation: str
    noise_percent: float
    volume_percent: float
    truth: float
    plain: list[float] = field(default_factory=list)
    found: list[float] = field(default_factory=list)
    stated: list[float] = field(default_factory=list)
    in_band: list[float] = field(default_factory=list)

    @property
    def errors(self) -> Floats:
        """Found minus true in each drawing, Gy."""
        return np.array(self.found) - self.truth

    @property
    def left(self) -> float:
        """What is left of the error of the plain figure, over the correction; nan where nothing was corrected."""
        correction = float(np.mean(self.plain) - np.mean(self.found))
        return float(self.errors.mean()) / correction if abs(correction) > 0.002 * TOP_GY else float("nan")


def rows(name: str, true: Floats, structure: Structure) -> list[Row]:
    """Measure one case."""
    exact, planned = structure_dvh(Image(GRID, true), structure), Image(GRID, PLANNED_OVER_TRUE * true)
    all_rows = []
    for word, correlation in CORRELATIONS.items():
        for percent in NOISE_PERCENT:
            some = [Row(name, word, percent, v, exact.dose_at_volume(v)) for v in VOLUMES_PERCENT]
            for seed in range(DRAWINGS):
                dose, relative = noisy(true, percent, correlation, seed)
                result = noisy_dvh(dose, voxel_noise(dose, relative, planned), structure)
                lower, upper = result.band_cm3
                volume = np.interp(result.plain.dose_Gy, exact.dose_Gy, exact.volume_cm3_at, right=0.0)
                inside = (volume >= lower - 1e-3 * volume[0]) & (volume <= upper + 1e-3 * volume[0])
                for row in some:
                    value, sigma = result.figure(_dose_at(row.volume_percent))
                    row.plain.append(result.plain.dose_at_volume(row.volume_percent))
                    row.found.append(value)
                    row.stated.append(sigma)
                    row.in_band.append(float(inside[_falling(exact, result.plain.dose_Gy)].mean()))
            all_rows += some
    return all_rows


def _dose_at(percent: float) -> Callable[[Dvh], float]:
    return lambda curve: curve.dose_at_volume(percent)


def _falling(exact: Dvh, edges: Floats) -> NDArray[np.bool_]:
    """Say which edges lie where the true curve falls, from 99.9 to 0.1 % of the volume: elsewhere all is covered."""
    chosen: NDArray[np.bool_] = (edges >= exact.dose_at_volume(99.9)) & (edges <= exact.dose_at_volume(0.1))
    return chosen


def noisy(dose: Floats, percent: float, correlation: tuple[float, ...], seed: int) -> tuple[Image, Image]:
    """Return a dose with the noise of ten batches and its relative uncertainty; the noise is that at the maximum."""
    random = np.random.default_rng(seed)
    scale = np.sqrt(BATCHES) * percent / 100 * np.sqrt(np.maximum(dose, 1e-3) * dose.max())
    batches = [dose + scale * correlated_normal(GRID.array_shape, correlation, random) for _ in range(BATCHES)]
    mean = np.mean(batches, axis=0)
    spread = np.std(batches, axis=0, ddof=1) / np.sqrt(BATCHES)
    return Image(GRID, mean), Image(GRID, spread / np.maximum(mean, 1e-9))


def table(found: list[Row]) -> str:
    """Return the figures as text, doses in percent of the maximum."""
    lines = [
        "| case | noise | figure | without noise (Gy) | plain, mean error (Gy) | noise-free, mean error (Gy) "
        "| root mean square (Gy) | stated σ (Gy) | within 2σ | left of the correction | curve in the band |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in found:
        covered = np.abs(row.errors) <= 2 * np.array(row.stated) + 0.01
        left = "" if np.isnan(row.left) else f"{row.left:+.2f}"
        lines.append(
            f"| {row.case} | {row.noise_percent:g} %, {row.correlation} | D{row.volume_percent:g} | {row.truth:.2f} | "
            f"{np.mean(row.plain) - row.truth:+.2f} | {row.errors.mean():+.2f} | {np.sqrt(np.mean(row.errors**2)):.2f} "
            f"| {np.sqrt(np.mean(np.square(row.stated))):.2f} | {100 * covered.mean():.0f} % | {left} | "
            f"{100 * np.mean(row.in_band):.0f} % |"
        )
    return "\n".join(lines)


def summary(found: list[Row]) -> str:
    """Return bias and coverage by noise, over all cases."""
    lines = [
        "| noise | figure | plain, mean error (Gy) | noise-free, mean error (Gy) | root mean square (Gy) "
        "| stated σ, root mean square (Gy) | within 1σ | within 2σ | left of the correction, root mean square |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for percent in NOISE_PERCENT:
        for volume in VOLUMES_PERCENT:
            some = [r for r in found if (r.noise_percent, r.volume_percent) == (percent, volume)]
            plain = np.concatenate([np.array(r.plain) - r.truth for r in some])
            error = np.concatenate([r.errors for r in some])
            stated = np.concatenate([np.array(r.stated) for r in some])
            left = np.array([r.left for r in some if not np.isnan(r.left)])
            one, two = (100 * np.mean(np.abs(error) <= times * stated + 0.01) for times in (1, 2))
            lines.append(
                f"| {percent:g} % | D{volume:g} | {plain.mean():+.2f} | {error.mean():+.2f} | "
                f"{np.sqrt(np.mean(error**2)):.2f} | {np.sqrt(np.mean(stated**2)):.2f} | {one:.0f} % | {two:.0f} % | "
                + (f"{np.sqrt(np.mean(left**2)):.2f} |" if left.size else "|")
            )
    return "\n".join(lines)


TOP = f"""# Histograms without the noise

Written by `python -m benchmarks.dvh_noise`. Doses of up to {TOP_GY:g} Gy made by formulas on {GRID.shape[0]}³ voxels of
{GRID.spacing_mm[0]:g} mm; the histogram without noise is known. Noise is added as from {BATCHES} batches, whose scatter
gives the uncertainty that the method is told; its size is that at the maximum, and its variance goes with the dose.
*Correlated*: 0.8 between neighbours along one axis and 0.3 along the others; the method measures that itself, against a
planned dose 1 % lower. Each figure is from {DRAWINGS} drawings. Errors within 0.01 Gy count as covered. *Left of the
correction* is the mean error of the noise-free figure over what was taken off the plain one; {LEFT_OVER:g} of the
correction is in the stated σ. *Curve in the band*: the part of the true curve, from 99.9 to 0.1 % of the volume, inside
two σ and 0.1 % of the volume; it is a single number for the whole curve.

In the sphere of 0.3 cm³, which 17 voxels hold, there are too few independent doses to deconvolve: half or more of the
error stays there, the stated σ is as large, and the band of a curve that is nearly a step misses parts of it.
"""


def main() -> None:
    """Measure all cases and write the page."""
    found = [row for name, dose, radius in CASES for row in rows(name, dose(), sphere(radius, min(2.5, radius / 4)))]
    PAGE.write_text(f"{TOP}\n## By noise, all cases\n\n{summary(found)}\n\n## Each case\n\n{table(found)}\n", "utf-8")
    print(summary(found))


if __name__ == "__main__":
    main()
