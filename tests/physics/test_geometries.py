"""Slabs, gaps and an interface in water against theory, and sizes of steps and voxels that must not matter."""

from collections.abc import Callable

import numpy as np
import pytest

from dosewright.analysis.profile import Profile, peak
from tests.physics.theory import (
    energy_behind,
    stopping_MeV_per_mm,
    water_equivalent_mm,
)
from tests.physics.voxel_runs import pencil_in_voxels
from tests.physics.water_runs import DEFAULTS, Run, core_sigma_mm, distal_mm, merged, pencil_on_slabs

ENERGY = 150.0
STEP_MM = DEFAULTS.max_step_mm
SLABS = {
    "cortical bone": (40.0, 60.0, "G4_BONE_CORTICAL_ICRP", 1.92),
    "lung": (40.0, 100.0, "G4_LUNG_ICRP", 0.26),
    "air gap": (40.0, 140.0, "G4_AIR", 1.20479e-3),
    "titanium": (40.0, 60.0, "G4_Ti", 4.54),
}


def depth_dose_between(run: Run, low_mm: float, high_mm: float) -> float:
    return float(run.depth_dose[(run.z_mm > low_mm) & (run.z_mm < high_mm)].mean())


@pytest.mark.parametrize("medium", SLABS)
def test_slabs_shift_the_range_by_their_water_equivalent(medium: str) -> None:
    """R80 behind a slab as in water, moved by thickness less water-equivalent thickness, to 0.1 mm.

    Nuclear interactions are off, and deflections: detours behind a slab that scatters strongly shorten the range (by
    0.1 mm behind titanium), and water-equivalent thickness knows nothing of them. 20 000 protons know R80 to 0.02 mm.
    """
    low, high, name, density = SLABS[medium]
    water = pencil_on_slabs(ENERGY, 20_000, 170.0, 0.5, off=("nuclear", "scattering"), dx_mm=2.0)
    slab = pencil_on_slabs(ENERGY, 20_000, 270.0, 0.5, off=("nuclear", "scattering"), dx_mm=2.0, slabs=(SLABS[medium],))
    r80 = distal_mm(water.depth_dose, water.z_mm, 0.8)
    behind = slab.z_mm > high
    shifted = distal_mm(slab.depth_dose[behind], slab.z_mm[behind], 0.8)
    at_face = float(energy_behind("G4_WATER", 1.0, low, ENERGY))
    expected = r80 + (high - low) - water_equivalent_mm(name, density, high - low, at_face)
    assert shifted == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("medium", SLABS)
def test_plateaus_in_and_behind_slabs_follow_the_stopping_powers(medium: str) -> None:
    """Mean losses of CSDA in the slab, and in 15 mm behind it, to 1 %; nuclear interactions off."""
    low, high, name, density = SLABS[medium]
    run = pencil_on_slabs(ENERGY, 20_000, 270.0, 0.5, off=("nuclear",), dx_mm=2.0, slabs=(SLABS[medium],))
    at_face = float(energy_behind("G4_WATER", 1.0, low, ENERGY))
    at_back = float(energy_behind(name, density, high - low, at_face))
    in_slab = 10 * (at_face - at_back) / (high - low)
    later = float(energy_behind("G4_WATER", 1.0, 15.0, at_back))
    assert depth_dose_between(run, low, high) == pytest.approx(in_slab, rel=0.01)
    assert depth_dose_between(run, high, high + 15.0) == pytest.approx((at_back - later) / 1.5, rel=0.01)


def test_an_air_gap_spreads_the_beam_by_its_angle() -> None:
    """Core sigma behind 100 mm of air: that before, with the angle times the gap added as a straight line, to 2 %."""
    open_, gap = (
        pencil_on_slabs(ENERGY, 30_000, 190.0, 1.0, off=("nuclear", "hard_scattering"), slabs=s, dx_mm=0.5)
        for s in ((), ((80.0, 180.0, "G4_AIR", 1.20479e-3),))
    )
    before = rms_mm(open_, 79.5)
    covariance, angle2 = spread_moments(80.0)
    expected = np.sqrt(before**2 + 2 * covariance * 100.0 + angle2 * 100.0**2)
    assert rms_mm(gap, 180.5) == pytest.approx(expected, rel=0.02)


def spread_moments(depth_mm: float) -> tuple[float, float]:
    """Covariance of place and angle (mm) and mean square angle of a pencil in water, from its rms spread in depth.

    In one projection d<x^2>/dz = 2 <x theta> and d<x theta>/dz = <theta^2> (Fermi and Eyges).
    """
    run = pencil_on_slabs(ENERGY, 30_000, 190.0, 1.0, off=("nuclear", "hard_scattering"), slabs=(), dx_mm=0.5)
    z = np.arange(20.5, 140.0, 2.0)
    spread = np.polynomial.Polynomial.fit(z, [rms_mm(run, d) ** 2 for d in z], 5)
    return float(spread.deriv(1)(depth_mm) / 2), float(spread.deriv(2)(depth_mm) / 2)


def rms_mm(run: Run, depth_mm: float) -> float:
    profile = run.energy[int(np.argmin(abs(run.z_mm - depth_mm)))]
    return float(np.sqrt((profile * run.x_mm**2).sum() / profile.sum()))


@pytest.mark.parametrize(
    ("name", "density"),
    [("G4_BONE_CORTICAL_ICRP", 1.92), pytest.param("G4_LUNG_ICRP", 0.26, marks=pytest.mark.slow)],
)
def test_an_interface_along_the_beam(name: str, density: float) -> None:
    """Water on one side, another medium on the other, a beam of 20 mm sigma along the face between; nuclear off.

    Plateau: energy per depth on either side in the ratio of stopping powers at the energies there, to 2 %. Range: R80
    at 15 to 40 mm from the face is that of the medium alone, to 0.4 mm.
    """
    depth = 170.0 if density > 1 else 700.0
    settings = {"off": ("nuclear",), "sigma_mm": 20.0, "dx_mm": 1.0}
    both = pencil_on_slabs(ENERGY, 60_000, depth, 0.5, beside=(name, density), **settings)
    left, right = (both.x_mm < -15.0) & (both.x_mm > -40.0), (both.x_mm > 15.0) & (both.x_mm < 40.0)
    for low, high in ((10.0, 20.0), (40.0, 50.0)):
        rows = (both.z_mm > low) & (both.z_mm < high)
        energies = [energy_behind(n, d, (low + high) / 2, ENERGY) for n, d in (("G4_WATER", 1.0), (name, density))]
        ratio = stopping_MeV_per_mm(name, density, energies[1]) / stopping_MeV_per_mm("G4_WATER", 1.0, energies[0])
        seen = both.energy[rows][:, right].sum() / both.energy[rows][:, left].sum()
        assert seen == pytest.approx(float(ratio), rel=0.02)
    for side, slabs in ((left, ()), (right, ((0.0, 1e4, name, density),))):
        alone = pencil_on_slabs(ENERGY, 20_000, depth, 0.5, slabs=slabs, **settings)
        expected = distal_mm(alone.depth_dose, alone.z_mm, 0.8)
        assert distal_mm(both.energy[:, side].sum(1), both.z_mm, 0.8) == pytest.approx(expected, abs=0.4)


def figures(run: Run) -> dict[str, float]:
    """R80, falloff, peak, doses and widths, and the energy left."""
    depth_dose, z = run.depth_dose, run.z_mm
    r80 = distal_mm(depth_dose, z, 0.8)
    found = {
        "R80": r80,
        "80-20": distal_mm(depth_dose, z, 0.2) - r80,
        "peak": peak(Profile(z, depth_dose))[1],
        "deposited": float(run.energy.sum()),
    }
    for part in (0.05, 0.25, 0.5, 0.75, 0.9):
        found[f"dose at {part}"] = depth_dose_between(run, part * 158.0 - 2.5, part * 158.0 + 2.5)
    return found | {f"sigma at {part}": core_sigma_mm(run, part * 158.0) for part in (0.5, 0.75, 0.9, 0.97)}


def compared(
    one: Callable[[int], Run], other: Callable[[int], Run], read: Callable[[Run], dict[str, float]], seeds: int
) -> dict[str, tuple[float, float]]:
    """Relative differences of the figures of two kinds of runs, and their standard errors from runs with own seeds."""
    first, second = [one(s) for s in range(seeds)], [other(s) for s in range(seeds)]
    each = [read(r) for r in (*first, *second)]
    a, b = read(merged(first)), read(merged(second))
    found = {}
    for name in a:
        spread = [np.var([e[name] for e in part], ddof=1) / seeds for part in (each[:seeds], each[seeds:])]
        found[name] = (b[name] / a[name] - 1, float(np.sqrt(sum(spread))) / a[name])
    return found


@pytest.mark.slow
def test_halving_the_longest_step_moves_nothing() -> None:
    """150 MeV with all processes, the usual longest step and half of it: no figure moves by more than 0.3 %.

    Two times 1.6 million protons; what a figure moves within two standard errors (0.2 % at most, mostly 0.1 %) is not
    held against it.
    """

    def run(step: float) -> Callable[[int], Run]:
        return lambda seed: pencil_on_slabs(ENERGY, 200_000, 180.0, 0.5, dx_mm=0.5, max_step_mm=step, seed=seed)

    moved = compared(run(STEP_MM), run(STEP_MM / 2), figures, 8)
    assert max(error for _, error in moved.values()) < 0.002
    assert {name: m for name, m in moved.items() if abs(m[0]) > 0.003 + 2 * m[1]} == {}


def test_halving_the_longest_step_does_not_move_the_range() -> None:
    """Range and width of single energies without nuclear interactions: R80 to 0.03 mm, the falloff to 1 %.

    60 000 protons know R80 to 0.004 mm and the falloff to 0.3 % at 100 MeV.
    """
    coarse, fine = (
        pencil_on_slabs(100.0, 60_000, 90.0, 0.25, off=("nuclear",), dx_mm=10.0, max_step_mm=step)
        for step in (STEP_MM, STEP_MM / 2)
    )
    ranges = [distal_mm(r.depth_dose, r.z_mm, 0.8) for r in (coarse, fine)]
    falloffs = [distal_mm(r.depth_dose, r.z_mm, 0.2) - r80 for r, r80 in zip((coarse, fine), ranges, strict=True)]
    assert ranges[0] == pytest.approx(ranges[1], abs=0.03)
    assert falloffs[0] == pytest.approx(falloffs[1], rel=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("voxel_mm", [0.5, 2.0, 4.0])
def test_the_size_of_voxels_does_not_matter(voxel_mm: float) -> None:
    """150 MeV in voxels of other sizes, scored on one grid of 1 mm: against voxels of 1 mm as for the step size."""

    def run(size: float) -> Callable[[int], Run]:
        return lambda seed: pencil_in_voxels(ENERGY, 50_000, size, seed=seed)

    moved = compared(run(1.0), run(voxel_mm), figures, 6)
    assert {name: m for name, m in moved.items() if abs(m[0]) > 0.003 + 3 * m[1]} == {}


def test_losses_fall_into_the_right_voxels_whatever_their_size() -> None:
    """Depth doses in voxels of 0.5 to 4 mm, added up to slabs of 4 mm: the same energy in each slab.

    Mean losses alone, so that there is no statistics; to 0.3 % but for the two slabs where the tracks end.
    """
    slabs = []
    for voxel in (0.5, 1.0, 2.0, 4.0):
        off = ("nuclear", "straggling", "scattering")
        run = pencil_on_slabs(ENERGY, 2_000, 180.0, voxel, off=off, dx_mm=voxel)
        slabs.append(run.energy.sum(1).reshape(45, -1).sum(1))
    csda = np.array([energy_behind("G4_WATER", 1.0, z, ENERGY) for z in np.arange(0.0, 157.0, 4.0)])
    for energy in slabs:
        assert energy[:38] == pytest.approx(-np.diff(csda)[:38], rel=0.003)
        assert energy.sum() == pytest.approx(ENERGY, rel=1e-5)
