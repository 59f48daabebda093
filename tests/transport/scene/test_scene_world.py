"""A scene and what is in it: the box of voxels, score grids, what turns, what misses all."""

from dataclasses import replace

import numpy as np
import pytest

from dosewright.core.frame import Rigid
from dosewright.core.grid import Grid
from dosewright.core.jit import kernel
from dosewright.core.random import start_stream
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement
from dosewright.core.solids import Box
from dosewright.geometry.trace import PATIENT, SCENE, Place, Ray
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import ESCAPED, STARTED, Tally, empty_tally
from dosewright.scoring.leaving import Leaving, leaving_bins
from dosewright.simulation.coupled_problem import coupled_problem
from dosewright.simulation.coupled_settings import CoupledSettings, RegionCuts
from dosewright.simulation.problem import Problem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room
from dosewright.transport.scene.electrons import walk_in_scene
from dosewright.transport.scene.photons import fly_in_scene
from dosewright.transport.tracks import ELECTRON, PHOTON, Track, empty_stack
from tests.physics.coupled_runs import PHOTONS, narrow_beam

from .scene_runs import FORWARD, mean_and_error, one_voxel, run, scene_problem, slab

SETTINGS = CoupledSettings(photon_cut_MeV=0.01, electron_cut_MeV=0.1, dose_to_water=False)
AIR = named("G4_AIR")


def voxels_in_water(particle: str, energy_MeV: float, settings: CoupledSettings) -> Problem:
    """A box of voxels of water inside a slab of water."""
    inner = one_voxel((-20, -20, 20), (20, 20, 60), (4, 4, 4))
    around = slab("water", "G4_WATER", 0.0, 120.0, width_mm=200.0)
    return scene_problem([around], narrow_beam(energy_MeV), particle, settings, voxels=inner, begin_mm=-10.0)


def all_voxels(particle: str, energy_MeV: float, settings: CoupledSettings) -> Problem:
    """The same as one phantom of voxels."""
    across = np.concatenate([[-100.0], np.linspace(-20, 20, 5), [100.0]])
    deep = np.concatenate([[0.0], np.linspace(20, 60, 5), [120.0]])
    density = np.ones((6, 6, 6), np.float32)
    water = Voxels(
        (across, across, deep), Rigid.identity(), np.zeros((6, 6, 6), np.uint8), density, (named("G4_WATER"),)
    )
    return coupled_problem(
        voxels=water,
        source=narrow_beam(energy_MeV),
        particle=particle,
        weights=np.ones(1),
        to_patient=Rigid(FORWARD.rotation, np.array([0.0, 0.0, -10.0])),
        settings=settings,
    )


def agree(particle: str, energy_MeV: float, histories: int, largest_error: float, beyond: float = 0.0) -> None:
    """Compare layers of the box, and what is around it, to four standard errors (and some share beyond)."""
    one, two = (
        run(problem(particle, energy_MeV, SETTINGS), histories, batches=20, seed=seed)
        for seed, problem in enumerate((voxels_in_water, all_voxels))
    )
    inner = two.energy[:, 1:-1, 1:-1, 1:-1]
    here = np.column_stack([one.energy.sum((2, 3)), one.parts[:, 0]])
    there = np.column_stack([inner.sum((2, 3)), two.energy.sum((1, 2, 3)) - inner.sum((1, 2, 3))])
    (a, da), (b, db) = mean_and_error(here), mean_and_error(there)
    assert np.hypot(da, db)[0] < largest_error * b[0]
    assert (abs(a - b) < 4 * np.hypot(da, db) + beyond * b).all()
    assert one.capped == 0.0


@pytest.mark.parametrize(
    ("particle", "energy_MeV", "histories"), [("photon", 0.2, 200_000), ("electron", 10.0, 10_000)]
)
def test_voxels_inside_a_scene_of_their_matter_change_nothing(particle: str, energy_MeV: float, histories: int) -> None:
    """Layers of the box and the water around it: what is scattered back comes back. First layer to 1.5 %."""
    agree(particle, energy_MeV, histories, 0.015)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("particle", "energy_MeV", "histories"), [("photon", 0.2, 8_000_000), ("electron", 10.0, 400_000)]
)
def test_voxels_inside_a_scene_change_less_than_three_in_a_thousand(
    particle: str, energy_MeV: float, histories: int
) -> None:
    agree(particle, energy_MeV, histories, 0.003, beyond=0.003)


def test_what_becomes_of_a_history_does_not_depend_on_its_neighbours() -> None:
    """Histories in one call, or in several and in another order: the same sums, up to the order of addition."""
    problem = scene_problem([slab("w", "G4_W", -30.0, -29.0), slab("water", "G4_WATER", 0.0, 100.0)], narrow_beam(6.0),
                            "electron", SETTINGS, fill=AIR, voxels=one_voxel((-10, -10, 10), (10, 10, 50), (2, 2, 4)),
                            begin_mm=-50.0)  # fmt: skip

    def sums(ranges: list[tuple[int, int]]) -> Tally:
        tally, room = empty_tally(problem.scoring, 16, 0, problem.tallied_parts), empty_room()
        for first, count in ranges:
            run_coupled_histories(
                problem.packed, np.uint64(first), np.zeros(count, np.int64), np.uint64(7), tally, room
            )
        return tally

    whole, parted = sums([(0, 300)]), sums([(200, 100), (17, 1), (0, 17), (18, 182)])
    np.testing.assert_allclose(parted.energy, whole.energy, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(parted.parts, whole.parts, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(parted.account, whole.account, rtol=1e-11, atol=1e-9)
    assert (whole.parts > 0.0).all()
    assert whole.energy.sum() > 0.0


@pytest.mark.parametrize("water", [False, True])
def test_a_score_grid_sees_parts_and_voxels(water: bool) -> None:
    """A grid that holds everything has the energy of all parts and of the voxels; one beside them has none."""
    settings = replace(SETTINGS, dose_to_water=water)
    parts = [slab("tungsten", "G4_W", 0.0, 5.0, width_mm=60.0), slab("water", "G4_WATER", 5.0, 60.0, width_mm=60.0)]
    voxels = one_voxel((-10, -10, 20), (10, 10, 40), (2, 2, 2))
    grid = Grid((4, 4, 8), (20.0, 20.0, 10.0), (-30.0, -30.0, -5.0))
    problem = scene_problem(parts, narrow_beam(2.0), "photon", settings, voxels=voxels, score_grid=grid, begin_mm=-10.0)
    done = run(problem, 4000)
    whole = done.energy.sum()
    total = done.account.sum(0)
    assert whole == pytest.approx(total[STARTED] - total[ESCAPED], rel=1e-6)
    assert whole > done.parts.sum() > 0.0


def test_a_turning_part_stands_in_the_way_as_often_as_it_should() -> None:
    """A block beside the axis, 90 degrees wide as seen from it, takes a quarter of photons at low energy."""
    block = Box((100.0, 100.0, 10.0))
    quarter = Part("block", block, named("G4_Pb"), Placement((50.0, 50.0, 5.0)), "wheel")
    wheel = Part("wheel", Box((250.0, 250.0, 20.0)), None, Placement((0.0, 0.0, 5.0)), turns=True)
    beam = Rigid(FORWARD.rotation, np.array([20.0, 0.0, -20.0]))
    absorbed = CoupledSettings(photon_cut_MeV=0.0599, electron_cut_MeV=50.0, dose_to_water=False)
    problem = coupled_problem(
        voxels=one_voxel(), source=narrow_beam(0.06), particle="photon", weights=np.ones(1), to_patient=beam,
        settings=absorbed, parts=[wheel, quarter], voxel_box=False,
    )  # fmt: skip
    done = run(problem, 40_000)
    taken, error = mean_and_error(done.parts[:, 1] / 0.06)
    assert error < 0.003
    assert abs(taken - 0.25) < 0.01


def test_what_misses_the_world_escapes_untouched() -> None:
    part = [slab("far", "G4_WATER", 0.0, 10.0, width_mm=10.0)]
    problem = coupled_problem(
        voxels=one_voxel(), source=narrow_beam(1.0), particle="photon", weights=np.ones(1),
        to_patient=Rigid(FORWARD.rotation, np.array([500.0, 0.0, -20.0])), settings=SETTINGS, parts=part,
        voxel_box=False,
    )  # fmt: skip
    done = run(problem, 1000)
    assert done.parts.sum() == 0.0
    assert done.account[:, ESCAPED] == pytest.approx(done.account[:, STARTED])


def test_what_leaves_the_world_is_counted() -> None:
    """All photons go through a sheet that hardly does anything, along z."""
    problem = scene_problem([slab("sheet", "G4_AIR", 0.0, 0.1)], narrow_beam(1.0), "photon", SETTINGS,
                            leaving=Leaving(10, 1.0, 2), begin_mm=-20.0)  # fmt: skip
    done = run(problem, 2000)
    assert done.leaving.mean(0)[PHOTONS, 9, 0] == pytest.approx(1.0, abs=5e-3)


def test_parts_have_cuts_and_densities_of_their_own() -> None:
    """And they do not make photons stop more often in the voxels."""
    parts = [
        slab("target", "G4_W", 0.0, 1.0),
        slab("filter", "G4_W", 2.0, 3.0),
        slab("thin", "G4_W", 4.0, 5.0, density=2.0),
    ]
    settings = replace(SETTINGS, regions=(RegionCuts("target", electron_cut_MeV=0.7),))
    alone = scene_problem([], narrow_beam(1.0), "photon", settings, voxels=one_voxel()).packed
    problem = scene_problem(parts, narrow_beam(1.0), "photon", settings, voxels=one_voxel())
    packed = problem.packed
    assert packed.cuts.electron == pytest.approx([0.1, 0.7, 0.1, 0.1])
    assert packed.scene.density[packed.scene.cells[:, 5] == 2] == pytest.approx([2.0])
    assert problem.part_names == ("target", "filter", "thin")
    np.testing.assert_allclose(
        np.interp([0.05, 1.0, 6.0], packed.photons.attenuation.energies, packed.photons.attenuation.largest),
        np.interp([0.05, 1.0, 6.0], alone.photons.attenuation.energies, alone.photons.attenuation.largest),
        rtol=1e-6,
    )


def test_all_that_a_particle_does_counts_as_much_as_it_weighs() -> None:
    """The same random numbers with a weight of a quarter: a quarter of everything, and so do its children weigh."""
    problem = scene_problem([slab("water", "G4_WATER", 0.0, 50.0)], narrow_beam(6.0), "photon", SETTINGS,
                            leaving=Leaving(2, 6.0, 2), voxels=one_voxel((-10, -10, 60), (10, 10, 70)))  # fmt: skip
    for species in (PHOTON, ELECTRON):
        one, quarter = (weighed(problem, species, weight) for weight in (1.0, 0.25))
        for whole, part in zip(one, quarter, strict=True):
            np.testing.assert_allclose(part, 0.25 * whole, rtol=1e-12)
        assert one[0].sum() > 0.0


def weighed(problem: Problem, species: int, weight: float) -> tuple[np.ndarray, ...]:
    """Follow some particles of one weight; returns tallies and the weights of their children."""
    packed = problem.packed
    tally, stack = empty_tally(packed.scoring, 1, leaving_bins(packed.leaving), problem.tallied_parts), empty_stack()
    waiting = followed(packed, species, weight, 40, tally, stack)
    return tally.parts, tally.account[:4], tally.leaving, tally.leaving_energy, stack[:waiting, 14]


@kernel
def followed(problem, species, weight, count, tally, stack):
    waiting = np.int64(0)
    place = Place(np.int64(SCENE), np.int64(0), np.int64(0), np.int64(0))
    for n in range(count):
        stream = start_stream(np.uint64(3), np.uint64(n))
        track = Track(Ray(0.0, 0.0, 1.0, 0.0, 0.0, 1.0), place, 6.0, species, 0.0, 1.0, weight)
        if species == PHOTON:
            _, waiting, _ = fly_in_scene(problem, track, tally, stack, waiting, stream)
        else:
            _, _, waiting, _ = walk_in_scene(problem, track, np.float32(-1.0), tally, stack, waiting, stream)
    return waiting


def test_the_place_of_the_voxels_is_that_of_their_box() -> None:
    """A history that begins in the box of voxels begins there, with no way through the scene."""
    problem = voxels_in_water("electron", 0.5, SETTINGS)
    inside = problem.packed._replace(geometry=problem.packed.geometry._replace(translation=np.array([0.0, 0.0, 4.0])))
    tally = empty_tally(problem.scoring, 64, 0, problem.tallied_parts)
    run_coupled_histories(inside, np.uint64(0), np.zeros(50, np.int64), np.uint64(1), tally, empty_room())
    assert tally.energy.sum() > 0.95 * tally.account[STARTED]
    assert inside.geometry.cells[PATIENT].tolist() == [4, 4, 4]
