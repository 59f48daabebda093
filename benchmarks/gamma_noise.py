"""Pass rates corrected for noise against known rates; ``python -m benchmarks.gamma_noise`` writes the page.

Doses are made by formulas, so the rate without noise is known. Noise is added as from ten batches, whose scatter gives
the uncertainty, as in a calculation; with neighbours independent, and correlated along one axis as along a beam.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dosewright.analysis.gamma import GammaCriteria, gamma, pass_rate
from dosewright.analysis.gamma_noise import noiseless_rate_searched, noiseless_rates
from dosewright.analysis.voxel_noise import correlated_normal, voxel_noise
from dosewright.core.grid import Grid, Image

Floats = NDArray[np.float64]

PAGE = Path(__file__).parents[1] / "docs" / "measured" / "gamma_noise.md"
PICTURE = PAGE.with_suffix(".png")
NOISE_PERCENT = (0.5, 1.0, 2.0, 3.0, 5.0)
CORRELATIONS = {"independent": (0.0, 0.0, 0.0), "correlated": (0.8, 0.3, 0.3)}
BATCHES = 10
DRAWINGS = 4
HALF_MM = 50.0
GRID = Grid((40, 40, 40), (2.5, 2.5, 2.5), (-48.75, -48.75, -48.75))
SMALL = np.zeros(GRID.array_shape, bool)
SMALL[16:24, 16:24, 16:24] = True  # 8 cm3, 512 voxels
DIRECTIONS = ("looked at", "searched")


@dataclass(frozen=True)
class Case:
    """A planned dose and one that differs from it without noise."""

    name: str
    shift_mm: tuple[float, float]
    scale: float
    waves: float
    criteria: tuple[float, float]


CASES = (
    Case("nearly equal", (0.8, 0.5), 1.005, 0.012, (2.0, 2.0)),
    Case("scaled, waves", (1.5, 0.8), 1.012, 0.02, (2.0, 2.0)),
    Case("range 2.5 mm off", (2.5, 0.0), 1.0, 0.005, (2.0, 2.0)),
    Case("scaled, waves", (1.5, 0.8), 1.012, 0.02, (1.0, 1.0)),
)


def field(shift_mm: tuple[float, float] = (0.0, 0.0), scale: float = 1.0, waves: float = 0.0) -> Floats:
    """Return a dose like a spread-out Bragg peak's, 60 Gy, moved along x and y, scaled and with waves."""
    z, y, x = np.meshgrid(*(GRID.centres_mm(axis) for axis in (2, 1, 0)), indexing="ij")
    lateral = 1 / (1 + np.exp((np.hypot(y - shift_mm[1], z) - 0.6 * HALF_MM) / 2.5))
    depth = 0.55 + 0.45 / (1 + np.exp(-(x / HALF_MM + 0.1) / 0.1))
    end = 1 / (1 + np.exp((x - shift_mm[0] - 0.6 * HALF_MM) / 1.5))
    rough = 1 + waves * np.sin(3 * np.pi * y / HALF_MM) * np.cos(2 * np.pi * z / HALF_MM)
    dose: Floats = 60 * scale * rough * lateral * depth * end
    return dose


def noisy(dose: Floats, percent: float, correlation: tuple[float, ...], seed: int) -> tuple[Image, Image]:
    """Return a dose with the noise of ten batches and its relative uncertainty; the noise is that at the maximum."""
    random = np.random.default_rng(seed)
    sigma = percent / 100 * np.sqrt(dose * dose.max())  # as many particles as dose
    scale = np.sqrt(BATCHES) * sigma
    batches = [dose + scale * correlated_normal(GRID.array_shape, correlation, random) for _ in range(BATCHES)]
    mean = np.mean(batches, axis=0)
    spread = np.std(batches, axis=0, ddof=1) / np.sqrt(BATCHES)
    return Image(GRID, mean), Image(GRID, spread / np.maximum(mean, 1e-9))


@dataclass(frozen=True)
class Row:
    """Rates of one case, direction, region, correlation and noise, percent: truth, plain ones, corrected ones."""

    case: Case
    direction: str
    region: str
    correlation: str
    noise_percent: float
    truth: float
    plain: list[float]
    corrected: list[float]
    stated: list[float]

    @property
    def refused(self) -> bool:
        """Whether no corrected rate was given."""
        return not self.corrected


def rows(case: Case) -> Iterator[Row]:
    """Measure one case."""
    planned, true = field(), field(case.shift_mm, case.scale, case.waves)
    tps = Image(GRID, planned)
    criteria = GammaCriteria(*case.criteria, reference_dose_Gy=float(planned.max()))
    regions = {"whole": np.ones(GRID.array_shape, bool), "small": SMALL}

    def plain(dose: Image) -> dict[tuple[str, str], float]:
        image = gamma(dose, tps, criteria)
        found = {("looked at", name): pass_rate(image, where)[0] for name, where in regions.items()}
        return found | {("searched", "whole"): pass_rate(gamma(tps, dose, criteria))[0]}

    truth = plain(Image(GRID, true))
    for word, correlation in CORRELATIONS.items():
        for percent in NOISE_PERCENT:
            seen: dict[tuple[str, str], Row] = {
                key: Row(case, *key, word, percent, rate, [], [], []) for key, rate in truth.items()
            }
            for seed in range(DRAWINGS):
                dose, relative = noisy(true, percent, correlation, seed)
                noise = voxel_noise(dose, relative, tps)
                found = {
                    ("looked at", name): rate
                    for name, rate in noiseless_rates(dose, tps, criteria, noise, regions).items()
                } | {("searched", "whole"): noiseless_rate_searched(dose, tps, tps, criteria, noise)}
                for key, rate in plain(dose).items():
                    corrected = found[key]
                    seen[key].plain.append(rate)
                    if corrected is not None:
                        seen[key].corrected.append(corrected.percent)
                        seen[key].stated.append(corrected.uncertainty)
            yield from seen.values()


def table(found: list[Row]) -> str:
    """Return the figures as text."""
    lines = [
        "| case | criterion | noise | Monte Carlo | region | without noise | plain | corrected | off by | stated "
        "| within 2σ |",
        "|---|---|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in found:
        start = (
            f"| {row.case.name} | {row.case.criteria[0]:g} %/{row.case.criteria[1]:g} mm | "
            f"{row.noise_percent:g} %, {row.correlation} | {row.direction} | {row.region} | {row.truth:.2f} | "
            f"{np.mean(row.plain):.2f} | "
        )
        if row.refused:
            lines.append(start + "none | | | |")
            continue
        error = np.array(row.corrected) - row.truth
        covered = np.mean(np.abs(error) <= 2 * np.array(row.stated) + 0.05)
        lines.append(
            start + f"{np.mean(row.corrected):.2f} | {np.sqrt(np.mean(error**2)):.2f} | "
            f"{np.mean(row.stated):.2f} | {100 * covered:.0f} % |"
        )
    return "\n".join(lines)


def summary(found: list[Row]) -> str:
    """Return bias and coverage by noise, over all cases."""
    lines = [
        "| Monte Carlo | region | noise | plain, mean error | corrected, mean error | corrected, root mean square "
        "| stated σ, root mean square | within 1σ | within 2σ | no rate given |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for direction, region in (("looked at", "whole"), ("looked at", "small"), ("searched", "whole")):
        for percent in NOISE_PERCENT:
            some = [r for r in found if (r.direction, r.region, r.noise_percent) == (direction, region, percent)]
            plain = np.concatenate([np.array(r.plain) - r.truth for r in some])
            error = np.concatenate([np.array(r.corrected) - r.truth for r in some])
            stated = np.concatenate([np.array(r.stated) for r in some])
            if not len(error):
                lines.append(f"| {direction} | {region} | {percent:g} % | {plain.mean():+.2f} | | | | | | all |")
                continue
            one, two = (100 * np.mean(np.abs(error) <= times * stated + 0.05) for times in (1, 2))
            lines.append(
                f"| {direction} | {region} | {percent:g} % | {plain.mean():+.2f} | {error.mean():+.2f} | "
                f"{np.sqrt(np.mean(error**2)):.2f} | {np.sqrt(np.mean(stated**2)):.2f} | {one:.0f} % | {two:.0f} % | "
                f"{len(plain) - len(error)} of {len(plain)} |"
            )
    return "\n".join(lines)


def draw(found: list[Row]) -> None:
    """Draw rates over noise, one panel per case and direction."""
    figure = Figure(figsize=(11.0, 5.4), layout="constrained")
    panels = figure.subplots(2, len(CASES), sharex=True, sharey="col")
    for column, case in enumerate(CASES):
        for line, direction in enumerate(DIRECTIONS):
            axes = panels[line, column]
            some = [r for r in found if r.case is case and r.direction == direction and r.region == "whole"]
            _panel(axes, some)
            if line == 0:
                axes.set_title(f"{case.name}\n{case.criteria[0]:g} %/{case.criteria[1]:g} mm", fontsize=9)
            else:
                axes.set_xlabel("noise at the maximum (1 σ, %)", fontsize=8)
            if column == 0:
                axes.set_ylabel(f"Monte Carlo {direction}\npass rate (%)", fontsize=8)
    handles, labels = panels[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, fontsize=8, frameon=False)
    figure.savefig(PICTURE, dpi=110)


def _panel(axes: Axes, some: list[Row]) -> None:
    axes.axhline(some[0].truth, color="#22303a", linewidth=1, label="without noise")
    for word, offset, colour in (("independent", -0.06, "#0072B2"), ("correlated", 0.06, "#D55E00")):
        part = [r for r in some if r.correlation == word]
        axes.plot(
            [r.noise_percent + offset for r in part], [np.mean(r.plain) for r in part],
            "x--", color=colour, markersize=5, linewidth=0.8, label=f"plain, {word}",
        )  # fmt: skip
        given = [r for r in part if not r.refused]
        axes.errorbar(
            [r.noise_percent + offset for r in given], [np.mean(r.corrected) for r in given],
            yerr=[np.sqrt(np.mean(np.square(r.stated))) for r in given],
            fmt="o", color=colour, markersize=4, capsize=2, label=f"corrected ± stated σ, {word}",
        )  # fmt: skip
    axes.tick_params(labelsize=7)
    axes.grid(color="#e7ecee", linewidth=0.6)


TOP = f"""# Gamma without the noise

Written by `python -m benchmarks.gamma_noise`. Doses made by formulas on {GRID.shape[0]}³ voxels of
{GRID.spacing_mm[0]:g} mm, compared as [Gamma](../howto/gamma.md) describes; the pass rate without noise is known. Noise
is added as from {BATCHES} batches, whose scatter gives the uncertainty that the correction is told; its size is that at
the maximum, and it grows towards low dose as one over the root of dose. *Correlated*: 0.8 between neighbours along one
axis and 0.3 along the others; the method measures that itself. Each figure is from {DRAWINGS} drawings. *Small* is a
cube of 512 voxels. Errors within 0.05 % count as covered.

![pass rates over noise](gamma_noise.png)
"""


def main() -> None:
    """Measure all cases and write the page."""
    found: list[Row] = []
    for case in CASES:
        found.extend(rows(case))
        print(case, flush=True)
    draw(found)
    PAGE.write_text(
        f"{TOP}\n## By noise, all cases\n\n{summary(found)}\n\n## Each case\n\n{table(found)}\n",
        encoding="utf-8",
    )
    print(summary(found))


if __name__ == "__main__":
    main()
