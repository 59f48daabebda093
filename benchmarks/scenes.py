"""Transport through scenes of solids against voxels, formulas and the scene's own parts, and what rays cost.

``python -m benchmarks.scenes`` writes docs/measured/scenes.md with its pictures.
"""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from tests.physics import coupled_runs
from tests.physics.coupled_runs import PHOTONS, mean_and_error, narrow_beam, slabs
from tests.transport.scene import proton_scenes, scene_runs
from tests.transport.scene.evenly_filled import COARSE, FINE, SLOW, dose_in_divided_layers
from tests.transport.scene.proton_scenes import ALONG_Z, HALF_MM, PMMA, pencil, problem_of, r80_mm, water

from benchmarks import scene_rays
from benchmarks.process_page import COLOURS, Page, Row
from dosewright.core.grid import Grid
from dosewright.core.modules import RangeModulator
from dosewright.geometry.beam.range_shifter import plate
from dosewright.geometry.modules.build import parts_of
from dosewright.materials.library import named
from dosewright.scoring.leaving import Leaving
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.problem import Problem, TransportSettings, proton_problem
from dosewright.sources import emit
from dosewright.sources.pencil_beams import PencilBeams

Floats = NDArray[np.float64]
Layers = Sequence[tuple[str, float]]  # material, thickness (mm)

BATCHES = 20
SETTINGS = CoupledSettings(photon_cut_MeV=0.01, electron_cut_MeV=0.1, dose_to_water=False)
THICK: Layers = (("G4_WATER", 100.0), ("G4_Al", 50.0), ("G4_Pb", 20.0), ("G4_WATER", 100.0))
STOPPING: Layers = (("G4_WATER", 20.0), ("G4_Al", 10.0), ("G4_Cu", 3.0))
RANGE: Layers = (("G4_PLEXIGLASS", 40.0), ("G4_WATER", 40.0), ("G4_Al", 10.0), ("G4_WATER", 60.0))
FOILS: Layers = (("G4_W", 0.02), ("G4_W", 0.05), ("G4_W", 0.1), ("G4_W", 0.2))
WHOLE, FANO = 0.3, 0.3  # bounds, percent
TURNS = 4  # of measuring a time, each the best of several
SHIFTER_MEV, SHIFTER_MM, GAP_MM = 130.0, 40.0, 60.0
WHEEL_MEV, WHEEL_AT_MM, LOWER_MM, PLATES_MM, SHARES = 120.0, 80.0, -60.0, (15.0, 30.0, 45.0), (0.2, 0.25, 0.3)

TEXT = """Made by `python -m benchmarks.scenes{share}`. Errors are standard errors of the mean over batches; with a
difference stands that of both runs together. Processor times are those of one core."""


@dataclass(frozen=True)
class Case:
    """A beam on slabs."""

    name: str
    particle: str
    energy_MeV: float
    layers: Layers
    histories: int


CASES = (
    Case("photons, 1 MeV", "photon", 1.0, THICK, 300_000),
    Case("photons, 6 MeV", "photon", 6.0, THICK, 300_000),
    Case("electrons, 10 MeV", "electron", 10.0, STOPPING, 60_000),
    Case("protons, 130 MeV", "proton", 130.0, RANGE, 160_000),
    Case("electrons, 6 MeV, tungsten foils", "electron", 6.0, FOILS, 150_000),
)


def voxels_and_boxes(page: Page, share: float) -> None:
    """Compare slabs of a scene with the same slabs as voxels."""
    rows, series = [], []
    for case in CASES:
        boxes, voxels = (_by_slab(case, share, in_scene) for in_scene in (True, False))
        (here, of_here), (there, of_there) = mean_and_error(boxes.sum(1)), mean_and_error(voxels.sum(1))
        whole, error = float(100 * (here / there - 1)), float(100 * np.hypot(of_here, of_there) / there)
        (one, of_one), (other, of_other) = mean_and_error(boxes), mean_and_error(voxels)
        each, errors = 100 * (one / other - 1), 100 * np.hypot(of_one, of_other) / other
        k = int(np.argmax(np.abs(each / errors)))
        met = abs(whole) < WHOLE + 2 * error and bool((np.abs(each) < WHOLE + 3 * errors).all())
        slab = f"{each[k]:+.2f} ± {errors[k]:.2f} ({k + 1}: {case.layers[k][0][3:]})"
        rows.append(Row((case.name, f"{here:.4f}", f"{there:.4f}", f"{whole:+.2f} ± {error:.2f}", slab), met))
        series.append((case.name, each, errors))
    page.section(
        "The same slabs as boxes of a scene and as voxels",
        "A narrow beam on slabs 300 mm wide: photons on 100 mm of water, 50 of aluminium, 20 of lead, 100 of water; "
        "electrons on 20 mm of water, 10 of aluminium, 3 of copper; protons on 40 mm of PMMA, 40 of water, 10 of "
        "aluminium, 60 of water; electrons on tungsten foils of 0.02, 0.05, 0.1 and 0.2 mm. Energy in all slabs (MeV "
        "per primary) and the difference of boxes from voxels in percent; that of the slab farthest from agreement in "
        "terms of its error. Bounds: 0.3 % and two standard errors in all, 0.3 % and three in each slab.",
    )
    page.table(("beam", "boxes", "voxels", "all slabs (%)", "worst slab (%)"), rows)
    picture = Figure(figsize=(9.5, 4.2), layout="constrained")
    axes = picture.subplots()
    for n, (name, each, errors) in enumerate(series):
        places = np.arange(each.size) + 1 + 0.08 * (n - 2)
        axes.errorbar(places, each, errors, fmt="o", ms=4, color=COLOURS[n], label=name)
    axes.axhspan(-WHOLE, WHOLE, color="0.92", zorder=0)
    axes.axhline(0, color="0.6", lw=0.8)
    axes.set(xlabel="slab", ylabel="boxes over voxels less one (%)", xticks=range(1, 5))
    axes.legend(frameon=False, fontsize=8)
    page.picture(picture, "slabs", "Difference of the energy in slabs of a scene from that in slabs of voxels")


def _by_slab(case: Case, share: float, in_scene: bool) -> Floats:
    """Return the energy by slab, MeV per primary [batch, slab]."""
    histories = case.histories if case.particle == "proton" else _some(case.histories, share)
    faces = np.append(0.0, np.cumsum([thickness for _, thickness in case.layers]))
    parts = [scene_runs.slab(f"slab {n}", name, low, high)
             for n, ((name, _), (low, high)) in enumerate(zip(case.layers, pairwise(faces), strict=True))]  # fmt: skip
    named_slabs = [(low / 10, high / 10, name, 0.0)
                   for (name, _), (low, high) in zip(case.layers, pairwise(faces), strict=True)]  # fmt: skip
    voxels = slabs(faces / 10, named_slabs)
    if case.particle == "proton":
        nowhere = proton_scenes.water(1.0, 1.0, from_mm=float(faces[-1]) + 1.0)
        problem = problem_of(parts if in_scene else (), nowhere if in_scene else voxels, pencil(case.energy_MeV, -10.0),
                             dose_to_water=False)  # fmt: skip
        return _protons_by_slab(problem, histories, in_scene)
    if in_scene:
        problem = scene_runs.scene_problem(parts, narrow_beam(case.energy_MeV), case.particle, SETTINGS, begin_mm=-10.0)
        return scene_runs.run(problem, histories, batches=BATCHES).parts[:, :-1]
    done = coupled_runs.run(voxels, narrow_beam(case.energy_MeV), case.particle, SETTINGS, histories,
                            batches=BATCHES, seed=2)  # fmt: skip
    return done.layer_energy()


def _protons_by_slab(problem: Problem, histories: int, in_scene: bool) -> Floats:
    size = histories // BATCHES
    tallies = [proton_scenes.run(problem, size, seed=100 * in_scene + batch) for batch in range(BATCHES)]
    return np.array([tally.parts[:-1] if in_scene else tally.energy for tally in tallies]) / size


def attenuation(page: Page, share: float) -> None:
    """Compare what passes slabs as it came with the exponential."""
    rows = []
    for seed, energy in enumerate((0.06, 1.0, 6.0)):
        absorbed = CoupledSettings(photon_cut_MeV=0.999 * energy, electron_cut_MeV=50.0, dose_to_water=False)
        for name in ("G4_WATER", "G4_Pb"):
            material = named(name)
            probe = scene_runs.scene_problem([scene_runs.slab("s", name, 0.0, 1.0)], narrow_beam(energy), "photon",
                                             absorbed).packed.photons.attenuation  # type: ignore[union-attr]  # fmt: skip
            mu = 0.1 * material.density_g_cm3 * float(np.interp(energy, probe.energies, probe.total[1]))  # 1/mm
            source, left = narrow_beam(energy), Leaving(1, energy, 1800)  # within a tenth of a degree
            halves = [scene_runs.slab("one", name, 0.0, 0.5 / mu), scene_runs.slab("other", name, 1.0 / mu, 1.5 / mu)]
            problem = scene_runs.scene_problem(halves, source, "photon", absorbed, leaving=left, begin_mm=-20.0)
            number = 2 * seed + (name == "G4_Pb")
            done = scene_runs.run(problem, _some(1_000_000, share), batches=BATCHES, seed=number)
            found, error = mean_and_error(done.leaving[:, PHOTONS, 0, 0])
            expected = float(np.exp(-1.0))
            difference, error = 100 * (found / expected - 1), 100 * error / expected
            cells = (f"{energy:g} MeV, {name[3:].lower() if name == 'G4_WATER' else 'lead'}", f"{found:.4f}",
                     f"{expected:.4f}", f"{difference:+.2f} ± {error:.2f}")  # fmt: skip
            rows.append(Row(cells, bool(abs(difference) < 3 * error + 0.1)))
    page.section(
        "Attenuation",
        "Photons through two slabs of half a mean free path each with vacuum between; what comes out as it went in "
        "against exp(-mu x), mu from the tables. Bound 0.1 % and three standard errors.",
    )
    page.table(("photons", "found", "expected", "difference (%)"), rows)


def range_shifter(page: Page) -> None:
    """Compare a plate of a scene with a device of voxels in the beam line."""
    source = pencil(SHIFTER_MEV, -GAP_MM - SHIFTER_MM - 50.0)
    shifter = proton_scenes.slab("shifter", PMMA, -GAP_MM - SHIFTER_MM, -GAP_MM)
    in_scene = proton_scenes.run(problem_of((shifter,), water(), source), 60_000)
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY], row[0, emit.XX], row[0, emit.YY] = SHIFTER_MEV, 0.3, 0.3
    row[0, emit.START_Z] = (GAP_MM + SHIFTER_MM + 50.0) / 10
    beamline = proton_problem(
        voxels=water(), pencil_beams=PencilBeams(row, np.ones(1), 150.0, "vacuum", None, ()),
        beamline=(plate("shifter", PMMA, SHIFTER_MM, GAP_MM),), to_patient=ALONG_Z,
        score_grid=Grid((1, 1, 150), (2 * HALF_MM, 2 * HALF_MM, 1.0), (0.0, 0.0, 0.5)), settings=TransportSettings(),
    )  # fmt: skip
    device = proton_scenes.run(beamline, 60_000, seed=4)
    here, there = (r80_mm(tally.energy) for tally in (in_scene, device))
    page.section(
        "Range shifter",
        f"{SHIFTER_MEV:g} MeV protons through {SHIFTER_MM:g} mm of PMMA, {GAP_MM:g} mm before water: R80 in mm behind "
        "a part of a scene and behind a device of voxels. Bound 0.05 mm; the statistical error is 0.01 mm.",
    )
    row_of_r80 = Row(("R80 (mm)", f"{here:.3f}", f"{there:.3f}", f"{here - there:+.3f}"), abs(here - there) < 0.05)
    page.table(("", "scene", "device", "difference"), [row_of_r80])


def wheel(page: Page) -> None:
    """Compare a wheel that turns with its thicknesses in their shares of a turn."""
    source, turning, fixed = pencil(WHEEL_MEV, -200.0, x_mm=WHEEL_AT_MM), 400_000, 60_000
    module = RangeModulator(
        "wheel", hub_inner_mm=5.0, hub_outer_mm=20.0, outer_mm=140.0, blades=3, thickness_mm=PLATES_MM, weights=SHARES,
        material=PMMA, centre_mm=(0.0, 0.0, LOWER_MM - PLATES_MM[-1] / 2),
    )  # fmt: skip
    found = proton_scenes.run(problem_of(parts_of(module), water(120.0), source), turning).energy / turning
    wanted = np.zeros(found.size)
    for seed, (thickness, weight) in enumerate(zip((0.0, *PLATES_MM), (1 - sum(SHARES), *SHARES), strict=True)):
        plates = (proton_scenes.slab("plate", PMMA, LOWER_MM - thickness, LOWER_MM),) if thickness else ()
        tally = proton_scenes.run(problem_of(plates, water(120.0), source), fixed, seed=20 + seed)
        wanted += weight * tally.energy / fixed
    blocks, expected = (curve.reshape(-1, 20).sum(axis=1) for curve in (found, wanted))
    deep = expected > 0.2 * expected.max()
    each = 100 * (blocks[deep] / expected[deep] - 1)
    whole = 100 * (found.sum() / wanted.sum() - 1)
    picture = Figure(figsize=(9, 4.2), layout="constrained")
    axes = picture.subplots()
    depth = np.arange(found.size) + 0.5
    axes.plot(depth, wanted, color=COLOURS[1], lw=2.5, alpha=0.6, label="thicknesses in their shares")
    axes.plot(depth, found, color=COLOURS[0], lw=1.2, label="wheel that turns")
    axes.set(xlabel="depth (mm)", ylabel="energy per layer of 1 mm and proton (MeV)")
    axes.legend(frameon=False)
    axes.grid(alpha=0.25)
    page.section(
        "Modulator wheel",
        "120 MeV protons through a wheel of three blades of PMMA, 0, 15, 30 and 45 mm in 25, 20, 25 and 30 % of a "
        "turn, against fixed plates in these shares. Energy in blocks of 20 mm and in all. Bounds 1 % and 0.5 %; "
        "shares of a turn are met to 0.2 %, doses of the plates known to 0.2 %.",
    )
    page.table(("", "difference (%)"), [
        Row(("blocks of 20 mm, the worst", f"{each[np.argmax(np.abs(each))]:+.2f}"), bool(np.abs(each).max() < 1.0)),
        Row(("in all", f"{whole:+.2f}"), abs(whole) < 0.5),
    ])  # fmt: skip
    page.picture(picture, "wheel", "Depth dose behind a wheel that turns and behind fixed plates in its shares")


def fano(page: Page, share: float) -> None:
    """Compare water in sheets with undivided water."""
    rows = []
    for case, histories in ((COARSE, 100_000), (FINE, 300_000), (SLOW, 400_000)):
        dose, error = (100 * x for x in dose_in_divided_layers(case, _some(histories, share)))
        sheets = f"{case.sheets} of {10 * case.sheet_cm:g} mm"
        cells = (f"{case.energy_MeV:g} MeV", sheets, f"{dose - 100:+.3f} ± {error:.3f}")
        rows.append(Row(cells, abs(dose - 100) < FANO + 2 * error))
    page.section(
        "Boundaries alone",
        "Fano's theorem: where electrons start evenly, the dose is even. Water without end, every second layer divided "
        "in sheets; difference of the dose in them from that in all, in percent. Bound 0.3 % and two standard errors. "
        "Stretches without deflection are shorter near boundaries, by how near they are: sheets take about 0.2 % too "
        "much by it.",
    )
    page.table(("electrons", "sheets", "difference (%)"), rows)


def rays(page: Page) -> None:
    """Measure the cost of 160 leaves."""
    scene_rays.packed(scene_rays.head() + scene_rays.leaves(1, 10.0)[:2])  # compiles
    without, _ = scene_rays.packed(scene_rays.head())
    collimated, seconds = scene_rays.packed(scene_rays.head() + scene_rays.leaves(40, 60.0))
    rows = []
    for name, x, y in (("in the opening", 100.0, 180.0), ("on opening and leaves", 200.0, 200.0)):
        photons = scene_rays.photons(x, y)
        costs = [(scene_rays.cost(collimated, photons), scene_rays.cost(without, photons)) for _ in range(TURNS)]
        (ours, boundaries), (others, fewer) = (min(both) for both in zip(*costs, strict=True))
        cells = (name, f"{boundaries:.1f}", f"{ours:.2f}", f"{fewer:.1f}", f"{others:.2f}", f"{ours / others:.2f}")
        rows.append(Row(cells, ours / others < 3.0))
    page.section(
        "What 160 leaves cost a ray",
        "Photons from a focus through a filter, a chamber, a made-up collimator of 160 leaves with tongues, grooves "
        f"and round tips ({len(collimated.cells)} cells, packed in {seconds:.1f} s) and water, and the same without. "
        "Boundaries and processor time (us) per photon. Bound 3 times.",
    )
    page.table(("photons", "boundaries", "us", "without leaves: boundaries", "us", "ratio"), rows)


def _some(histories: int, share: float) -> int:
    return max(int(histories * share), 10 * BATCHES)


def main(argv: Sequence[str] | None = None) -> None:
    """Run all and write the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenes", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the histories of photons and electrons")
    share = parser.parse_args(argv).share
    page = Page("scenes", "Scenes of solids, measured", TEXT.format(share="" if share == 1 else f" --share {share:g}"))
    begun = time.process_time()
    voxels_and_boxes(page, share)
    attenuation(page, share)
    fano(page, share)
    range_shifter(page)
    wheel(page)
    rays(page)
    print(f"{time.process_time() - begun:.0f} s of processor time")
    page.write()


if __name__ == "__main__":
    main()
