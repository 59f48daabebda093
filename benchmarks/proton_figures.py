"""Figures read from depth doses and lateral profiles, the band that reference codes span, and the bound to be met."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tests.physics.water_runs import Run, core_sigma_mm, distal_mm, merged

from dosewright.analysis.profile import Profile, peak

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT.parent / "shared" / "reference"
MEASURED = ROOT / "docs" / "measured"
DOSE_FRACTIONS = (0.05, 0.25, 0.5, 0.75, 0.9)
SIGMA_FRACTIONS = (0.5, 0.75, 0.9, 0.97)
R80, FALLOFF, PEAK = "R80 (mm)", "80-20 % (mm)", "peak (MeV/cm)"
DEPOSITED, HALO = "deposited (MeV)", "halo beyond 10 mm (%)"

Floats = NDArray[np.float64]
Figures = dict[str, float]


def at(fraction: float) -> str:
    """Name the depth dose at a fraction of R80."""
    return f"dose at {fraction:g} R80 (MeV/cm)"


def sigma_at(fraction: float) -> str:
    """Name the core sigma at a fraction of R80."""
    return f"sigma at {fraction:g} R80 (mm)"


@dataclass(frozen=True)
class Bound:
    """How far a figure may lie outside the band: `relative` of the band's end plus `absolute`."""

    words: str
    relative: float = 0.0
    absolute: float = 0.0


@dataclass(frozen=True)
class Row:
    """One figure: ours with its standard error, the codes', and the bound of the comparison."""

    name: str
    ours: float
    error: float
    codes: dict[str, float]
    band: tuple[float, float] | None
    bound: Bound | None

    @property
    def outside(self) -> float:
        """By how much the figure lies beyond band and bound; zero or less where it is met."""
        if self.band is None or self.bound is None:
            return 0.0
        low, high = self.band
        room = self.bound.absolute
        return max(
            low * (1 - self.bound.relative) - room - self.ours, self.ours - high * (1 + self.bound.relative) - room
        )

    @property
    def verdict(self) -> str:
        """Return `met`, or by how much it is missed, in percent of the band's middle where the bound is relative."""
        if self.band is None or self.bound is None:
            return ""
        if self.outside <= 0:
            return "met"
        share = f" ({100 * self.outside / np.mean(self.band):.2g} %)" if self.bound.relative else ""
        return f"**MISSED by {self.outside:.3g}**{share}"


def distal_figures(depth_dose: Floats, z_mm: Floats) -> Figures:
    """Return range, falloff, and the top of the parabola through the highest bins."""
    r80 = distal_mm(depth_dose, z_mm, 0.8)
    return {R80: r80, FALLOFF: distal_mm(depth_dose, z_mm, 0.2) - r80, PEAK: peak(Profile(z_mm, depth_dose))[1]}


def figures(depth_dose: Floats, z_mm: Floats) -> Figures:
    """Return the distal figures, and the mean depth dose around fractions of R80, 2 % of it and 2.5 mm at most."""
    found = distal_figures(depth_dose, z_mm)
    r80 = found[R80]
    for f in DOSE_FRACTIONS:
        found[at(f)] = float(depth_dose[abs(z_mm - f * r80) <= min(2.5, 0.02 * r80)].mean())
    return found


def lateral_figures(run: Run) -> Figures:
    """Return the core sigmas (slabs of 2.5 mm) and the halo at half range (2 % of the range on either side)."""
    r80 = distal_mm(run.depth_dose, run.z_mm, 0.8)
    half = round(1.25 / run.dz_mm - 0.5)
    found = {sigma_at(f): core_sigma_mm(run, f * r80, half_window=half) for f in SIGMA_FRACTIONS}
    profile = run.energy[abs(run.z_mm - 0.5 * r80) <= 0.02 * r80].sum(0)
    found[HALO] = 100 * float(profile[abs(run.x_mm) > 10].sum() / profile.sum())
    return found


def ours(run: Run, *, lateral: bool = True) -> Figures:
    """Return all figures of a run."""
    found = figures(run.depth_dose, run.z_mm) | (lateral_figures(run) if lateral else {})
    return found | {DEPOSITED: float(run.energy.sum())}


def theirs(code: dict[str, Any]) -> Figures:
    """Return those figures that a reference file holds."""
    z = depths_mm(code)
    found = figures(np.array(code["idd"]), z)
    if rows := code["lateral"]:
        depth, sigma = ([r[key] for r in rows] for key in ("depth_mm", "sigma_core_mm"))
        found |= {sigma_at(f): float(np.interp(f * found[R80], depth, sigma)) for f in SIGMA_FRACTIONS}
    if "halo_fraction" in code:
        found[HALO] = 100 * next(r[1] for r in code["halo_fraction"]["rows"] if r[0] == 0.5)
    return found | {DEPOSITED: code["energy_deposited_MeV_per_primary"]}


def with_error(runs: Sequence[Run], read: Callable[[Run], Figures]) -> tuple[Figures, Figures]:
    """Return the figures of all runs together, and their standard errors from the spread of the single runs."""
    each = [read(run) for run in runs]
    whole = read(merged(runs))
    error = {name: float(np.std([e[name] for e in each], ddof=1) / np.sqrt(len(each))) for name in whole}
    return whole, error


def reference(name: str) -> dict[str, Any]:
    """Read one file of reference figures."""
    read: dict[str, Any] = json.loads((REFERENCE / f"ion_{name}.json").read_text(encoding="utf-8"))
    return read


def depths_mm(code: dict[str, Any]) -> Floats:
    """Return the bin centres of a reference depth dose."""
    return np.asarray((np.arange(len(code["idd"])) + 0.5) * code["dz_mm"], float)


def table(rows: Sequence[Row]) -> list[str]:
    """Return a case as a Markdown table."""
    names = list(dict.fromkeys(name for row in rows for name in row.codes))
    head = ["", "Dosewright", *names, "band", "bound", "verdict"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        codes = [f"{row.codes[n]:.5g}" if n in row.codes else "" for n in names]
        band = f"{row.band[0]:.5g} to {row.band[1]:.5g}" if row.band and any(row.band) else ""
        bound = row.bound.words if row.bound and row.band else ""
        cells = [row.name, f"{row.ours:.5g} ± {row.error:.1g}", *codes, band, bound, row.verdict]
        lines.append("| " + " | ".join(cells) + " |")
    return lines
