"""Each process against data and theory, as pictures for the pages: ``python -m benchmarks.proton_processes``.

Writes docs/measured/process_*.png. Points are made by the whole transport with the other processes off.
"""

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import skew
from tests.materials.test_stopping import AIR, GRAPHITE, ICRU_90, ICRU_90_MEV, WATER_78
from tests.physics.single_tracks import energy_in_columns, stopping_depths
from tests.physics.slab_scattering import share_seen, share_untouched
from tests.physics.test_processes import ICRU_90_78_EV, PSTAR_75_EV, THIN_AND_THICK, untouched
from tests.physics.theory import (
    csda_range_mm,
    range_straggling,
    share_losing_more,
    share_within,
)
from tests.physics.water_runs import distal_mm, pencil_on_slabs

from benchmarks.process_page import COLOURS, MEASURED, band, plain
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

WORDS = {
    "G4_WATER": "water",
    "G4_BONE_CORTICAL_ICRP": "cortical bone",
    "G4_LUNG_ICRP": "lung tissue",
    "G4_Ti": "titanium",
    "G4_BRASS": "brass",
    "G4_Pb": "lead",
}


def save(picture: Figure, name: str) -> None:
    """Write a picture beside the measured pages."""
    MEASURED.mkdir(parents=True, exist_ok=True)
    picture.savefig(MEASURED / f"process_{name}.png", dpi=100)
    print(f"docs/measured/process_{name}.png")


def energy_loss() -> None:
    """Stopping powers over ICRU 90; ends of tracks over PSTAR and ICRU 90."""
    picture = Figure(figsize=(9, 3.5), layout="constrained")
    left, right = picture.subplots(1, 2)
    for medium, colour in zip((WATER_78, AIR, GRAPHITE), COLOURS, strict=False):
        ratio = proton_mass_stopping_power(medium, ICRU_90_MEV) / ICRU_90[medium.name]
        left.plot(ICRU_90_MEV, 100 * (ratio - 1), "o-", color=colour, label=medium.name)
    left.set(xscale="log", xlabel="Energy (MeV)", ylabel="stopping power - ICRU 90 (%)", ylim=(-0.5, 0.5))
    for name, water_eV, ranges, colour in (
        ("PSTAR, I = 75 eV", 75.0, PSTAR_75_EV, COLOURS[1]),
        ("ICRU 90, I = 78 eV", 78.0, ICRU_90_78_EV, COLOURS[0]),
    ):
        differences = [100 * (end_of_track_mm(e, r, water_eV) / (10 * r) - 1) for e, r in ranges.items()]
        right.plot(list(ranges), differences, "o-", color=colour, label=name)
    right.set(xscale="log", xlabel="Energy (MeV)", ylabel="CSDA range, transport - table (%)", ylim=(-0.5, 0.5))
    for axes, ticks in ((left, (1, 10, 100)), (right, (10, 20, 50, 100, 200))):
        band(axes, 0.3)
        plain(axes.xaxis, ticks)
    save(picture, "energy_loss")


def end_of_track_mm(energy: float, range_cm: float, water_eV: float) -> float:
    """Return where a proton without fluctuations and deflections ends, to 0.05 % of its range."""
    depth, off = 10.1 * range_cm, ("nuclear", "straggling", "scattering")
    run = pencil_on_slabs(energy, 20, depth, depth / 2000, off=off, dx_mm=100.0, water_eV=water_eV, cut_MeV=0.1)
    return float(run.z_mm[np.nonzero(run.depth_dose)[0][-1]] + csda_range_mm("G4_WATER", 1.0, 0.1))


def straggling() -> None:
    """Width and skewness of the range; losses in a thin layer."""
    picture = Figure(figsize=(12, 3.5), layout="constrained")
    width, third, thin = picture.subplots(1, 3)
    energies = np.array([50.0, 70.0, 100.0, 150.0, 200.0, 250.0])
    for name, colour in zip(("G4_WATER", "G4_BONE_CORTICAL_ICRP", "G4_Ti"), COLOURS, strict=False):
        theory = [range_straggling(name, e, 0.5) for e in energies]
        ranges = [float(csda_range_mm(name, named(name).density_g_cm3, e)) for e in energies]
        depths = [stopping_depths(name, e, r, t[0]) for e, r, t in zip(energies, ranges, theory, strict=True)]
        share = 100 * np.array([t[0] for t in theory]) / ranges
        width.plot(energies, share, "-", color=colour, label=WORDS[name])
        width.plot(energies, [100 * d.std() / r for d, r in zip(depths, ranges, strict=True)], "o", color=colour)
        third.plot(energies, [t[1] for t in theory], "-", color=colour)
        third.plot(energies, [skew(d) for d in depths], "o", color=colour)
    width.set(xlabel="Energy (MeV)", ylabel="sigma of the range (% of it)")
    width.legend(frameon=False, fontsize=8)
    third.set(xlabel="Energy (MeV)", ylabel="skewness of the range", ylim=(-0.2, 0.2))
    losses = energy_in_columns("G4_WATER", 200.0, np.array([0.0, 0.5, 300.0]), max_step_mm=0.25)[0]
    surplus = np.linspace(-0.1, 0.5, 61)
    thin.plot(surplus, share_losing_more(named("G4_WATER"), 200.0, 0.05, surplus), color=COLOURS[0], label="theory")
    thin.plot(surplus, [(losses > losses.mean() + s).mean() for s in surplus], ".", color=COLOURS[1], label="transport")
    thin.set(yscale="log", ylim=(1e-4, 1.2), xlabel="loss above the mean (MeV)", ylabel="share of protons losing more")
    thin.set_title("200 MeV, 0.5 mm of water", fontsize=9)
    thin.legend(frameon=False, fontsize=8)
    save(picture, "straggling")


def scattering() -> None:
    """Width of the projected angle over the thickness, and its ratio to theory."""
    picture = Figure(figsize=(6, 5.5), layout="constrained")
    above, below = picture.subplots(2, 1, sharex=True, height_ratios=(2.2, 1))
    angles = np.geomspace(2e-4, 0.25, 80)
    for (name, low, high), colour in zip(THIN_AND_THICK, COLOURS, strict=True):
        thickness = np.geomspace(low, high, 5)
        expected = [float(np.interp(0.6827, share_within(name, t, 160.0, angles), angles)) for t in thickness]
        seen = []
        for t, angle in zip(thickness, expected, strict=True):
            marks = angle * np.linspace(0.7, 1.4, 29)
            seen.append(float(np.interp(0.6827, share_seen(name, t, 160.0, marks, 30_000), marks)))
        mass = thickness / 10 * named(name).density_g_cm3
        above.plot(mass, 1000 * np.array(expected), "-", color=colour, label=WORDS[name])
        above.plot(mass, 1000 * np.array(seen), "o", color=colour)
        below.plot(mass, 100 * (np.array(seen) / expected - 1), "o-", color=colour, linewidth=0.8)
    above.set(xscale="log", yscale="log", ylabel="half width of 68 % (mrad)")
    above.legend(frameon=False, fontsize=8)
    below.set(xlabel="thickness (g/cm2)", ylabel="transport - theory (%)", ylim=(-10, 10))
    below.axhspan(-2, 2, color="0.92", zorder=0)
    below.axhline(0, color="0.6", linewidth=0.8)
    plain(below.xaxis, (0.5, 1, 2, 4, 8))
    plain(above.yaxis, (5, 10, 20, 40))
    save(picture, "scattering")


def fluence() -> None:
    """Share of protons that no nuclear interaction has touched."""
    picture = Figure(figsize=(5, 3.5), layout="constrained")
    axes = picture.subplots()
    for energy, depths, colour in ((100.0, (20.0, 40.0, 70.0), COLOURS[1]), (200.0, (50.0, 150.0, 250.0), COLOURS[0])):
        fine = np.linspace(1.0, depths[-1], 40)
        label = f"{energy:g} MeV, cross sections"
        axes.plot(fine, [untouched("G4_WATER", d, energy) for d in fine], "-", color=colour, label=label)
        axes.plot(depths, [share_untouched("G4_WATER", d, energy, 30_000) for d in depths], "o", color=colour)
    axes.set(xlabel="Depth in water (mm)", ylabel="share without nuclear interaction")
    axes.legend(frameon=False, fontsize=8)
    save(picture, "fluence")


def step_size() -> None:
    """Range and falloff over the longest step."""
    picture = Figure(figsize=(5, 3.5), layout="constrained")
    axes = picture.subplots()
    steps = np.array([0.25, 0.5, 1.0, 2.0, 4.0])
    for energy, depth, colour in ((70.0, 50.0, COLOURS[1]), (150.0, 180.0, COLOURS[0])):
        runs = [
            pencil_on_slabs(energy, 40_000, depth, 0.2, off=("nuclear",), dx_mm=10.0, max_step_mm=float(s))
            for s in steps
        ]
        r80 = np.array([distal_mm(r.depth_dose, r.z_mm, 0.8) for r in runs])
        r20 = np.array([distal_mm(r.depth_dose, r.z_mm, 0.2) for r in runs])
        axes.plot(steps, r80 - r80[0], "o-", color=colour, label=f"R80, {energy:g} MeV")
        axes.plot(steps, (r20 - r80) - (r20 - r80)[0], "s--", color=colour, label=f"80-20, {energy:g} MeV")
    axes.set(xscale="log", xlabel="longest step (mm)", ylabel="change (mm)", ylim=(-0.2, 0.2))
    plain(axes.xaxis, steps.tolist())
    axes.axhline(0, color="0.6", linewidth=0.8)
    axes.legend(frameon=False, fontsize=8)
    save(picture, "step")


def main() -> None:
    """Draw them all."""
    energy_loss()
    straggling()
    scattering()
    fluence()
    step_size()


if __name__ == "__main__":
    main()
