"""What the log of a run tells of the particles that came to a plane."""

import numpy as np
import pytest

from dosewright.materials.photons.lookup import position
from dosewright.scoring.deposit import Tally
from dosewright.scoring.lineage import BORN, ENTERED, INTERACTED
from dosewright.scoring.planes import ENERGY, PARTICLE, PLACE, PLANE, SPECIES, WEIGHT, counted, has_room
from dosewright.simulation.lineage import Story, stories
from dosewright.simulation.planes import Plane, ReusePlane
from dosewright.simulation.problem import Problem
from dosewright.simulation.reduction_settings import DirectionalSplitting, ReductionSettings
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

from .plane_runs import Array, beam, problem_with, run
from .scene_runs import one_voxel, slab

EVENTS = 1 << 21
FIRST, SECOND = slab("first", "G4_Al", 0.0, 10.0, width_mm=200.0), slab("second", "G4_Cu", 50.0, 55.0, width_mm=200.0)


def told(problem: Problem, histories: int, seed: int = 1) -> tuple[Tally, Array, Story]:
    """Run with a log; return the tally, what was recorded, and the stories of that."""
    tally, rows = run(problem, histories, seed, EVENTS)
    return tally, rows, stories(rows, tally.log[1 : 1 + counted(tally.log)])


def of_row(story: Story, row: int) -> list[tuple[int, int, int]]:
    """Return generation, kind and part of the events of one record, the latest first."""
    mine = story.of == row
    return list(zip(story.generation[mine].tolist(), story.kind[mine].tolist(), story.part[mine].tolist(), strict=True))


def straight(story: Story, rows: Array) -> Array:
    """Return the records whose particle never interacted, and was not set free by one that did."""
    return np.setdiff1d(np.arange(len(rows)), story.of[story.kind == INTERACTED])


def test_photons_that_go_straight_have_crossed_what_lies_on_their_way_and_nothing_else() -> None:
    """Between two foils only the first, behind both; a part beside the beam is never told of."""
    beside = slab("beside", "G4_Pb", 60.0, 70.0, width_mm=20.0, at_mm=(90.0, 0.0))
    planes = [Plane((0, 0, -20.0)), Plane((0, 0, 30.0)), Plane((0, 0, 80.0))]
    _, rows, story = told(problem_with(planes, beam(1.0), "photon", parts=(FIRST, SECOND, beside)), 2000)
    fill = 3
    here = [(0, BORN, fill)]
    behind_one = [(0, ENTERED, fill), (0, ENTERED, 0), *here]
    behind_both = [(0, ENTERED, fill), (0, ENTERED, 1), *behind_one]
    kinds = {0: here, 1: behind_one, 2: behind_both}
    free = straight(story, rows)
    assert len(free) > 3000
    for row in free.tolist():
        assert of_row(story, row) == kinds[int(rows[row, PLANE])]
    z = story.place_cm[np.isin(story.of, free[rows[free, PLANE] == 2]), 2].reshape(-1, 5)
    np.testing.assert_allclose(z - [[5.5, 5.0, 1.0, 0.0, -5.0]], 0.0, atol=1e-6)


def test_what_leaves_a_target_was_born_in_it() -> None:
    """Photons: in the tungsten, where an electron, the primary or of its children, interacted at the same place."""
    target = slab("target", "G4_W", 0.0, 1.0, width_mm=100.0)
    _, rows, story = told(problem_with([Plane((0, 0, 20.0))], beam(6.0), "electron", parts=(target,)), 1000)
    photons = np.flatnonzero(rows[:, SPECIES] == PHOTON)
    born = (story.generation == 0) & (story.kind == BORN) & np.isin(story.of, photons)
    assert np.array_equal(story.of[born], photons) and len(photons) > 500  # once each
    assert np.all(story.part[born] == 0) and np.all(story.species[born] == PHOTON)
    assert np.all((story.place_cm[born, 2] >= 0.0) & (story.place_cm[born, 2] <= 0.1))
    made = np.flatnonzero(born) + 1
    assert np.all(story.generation[made] == 1) and np.all(story.kind[made] == INTERACTED)
    np.testing.assert_array_equal(story.place_cm[made], story.place_cm[born])
    annihilated = story.species[made] == POSITRON
    assert np.all((story.energy_MeV[made] >= story.energy_MeV[born]) | annihilated)
    oldest = np.append(story.of[1:] != story.of[:-1], True)
    assert np.all(story.kind[oldest] == BORN) and np.all(story.species[oldest] == ELECTRON)
    assert np.all(story.place_cm[oldest, 2] == -5.0) and np.all(story.part[oldest] == 1)
    electrons = np.flatnonzero(rows[:, SPECIES] == ELECTRON)
    assert np.all(np.isin(electrons, story.of[story.kind == BORN]))


def test_the_share_that_never_interacted_is_that_of_the_attenuation() -> None:
    """exp(-mu t) within 4 standard errors, 1.4 %; what interacted did so in the slab."""
    water = slab("water", "G4_WATER", 0.0, 50.0, width_mm=400.0)
    problem, count = problem_with([Plane((0, 0, 60.0))], beam(1.0), "photon", parts=(water,)), 40_000
    _, rows, story = told(problem, count)
    packed = problem.packed
    assert isinstance(packed, CoupledProblem)
    attenuation = packed.photons.attenuation
    i, f = position(attenuation, 1.0)
    material = int(packed.scene.cells[0, 6])
    mu = attenuation.total[material, i] * (1 - f) + attenuation.total[material, i + 1] * f
    expected = float(np.exp(-mu * packed.scene.density[0] * 5.0))
    error = np.sqrt(expected * (1 - expected) / count)
    free = straight(story, rows)
    assert 4 * error < 0.014 * expected
    assert len(free) / count == pytest.approx(expected, abs=4 * error)
    assert np.all(rows[free, ENERGY] == 1.0)
    interacted = story.kind == INTERACTED
    assert np.all((story.place_cm[interacted, 2] > 0.0) & (story.place_cm[interacted, 2] < 5.0))
    assert np.all(story.part[interacted] == 0)


@pytest.mark.parametrize("scene", [True, False])
def test_the_voxels_are_a_part_as_well(scene: bool) -> None:
    """What comes out of them has entered and interacted there, within the box."""
    voxels = one_voxel((-50, -50, 0), (50, 50, 30), (2, 2, 6))
    parts = (slab("before", "G4_Al", -20.0, -10.0, width_mm=60.0),) if scene else ()
    planes = [Plane((0, 0, 30.0))]
    _, rows, story = told(problem_with(planes, beam(6.0), "photon", parts=parts, voxels=voxels), 3000)
    box = len(parts) + 1
    assert set(rows[:, SPECIES]) >= {PHOTON, ELECTRON}
    out_of_it = np.flatnonzero((np.abs(rows[:, PLACE : PLACE + 2]) < 5.0).all(axis=1))
    seen = story.of[((story.kind == ENTERED) | (story.kind == BORN)) & (story.part == box)]
    assert np.isin(out_of_it, seen).all() and len(out_of_it) > 2500
    inside = (story.kind == INTERACTED) & (story.part == box)
    assert inside.sum() > 200 and np.all(np.abs(story.place_cm[inside, :2]) <= 5.0 + 1e-5)
    assert np.all((story.place_cm[inside, 2] >= -1e-5) & (story.place_cm[inside, 2] <= 3.0 + 1e-5))
    born = (story.generation == 0) & (story.kind == BORN)
    charged = rows[story.of[born], SPECIES] != PHOTON
    assert set(story.part[born][charged]) <= {0, box} and np.count_nonzero(story.part[born][charged] == box) > 50


def test_a_log_changes_nothing() -> None:
    """Energies in voxels and parts, and what was recorded, are the same to the last bit."""
    voxels = one_voxel((-50, -50, 0), (50, 50, 30), (2, 2, 6))
    parts = (slab("before", "G4_W", -20.0, -19.0, width_mm=60.0),)
    problem = problem_with([Plane((0, 0, 30.0))], beam(10.0), "electron", parts=parts, voxels=voxels)
    (without, plain), (logged, rows) = run(problem, 500), run(problem, 500, events=EVENTS)
    for name in ("energy", "account", "parts"):
        assert getattr(without, name).tobytes() == getattr(logged, name).tobytes(), name
    assert plain[:, : PARTICLE + 1].tobytes() == rows[:, : PARTICLE + 1].tobytes() and len(without.log) == 0


def test_without_room_events_are_counted() -> None:
    problem = problem_with([Plane((0, 0, 80.0))], beam(1.0), "photon", parts=(FIRST, SECOND))
    packed = problem.packed
    assert isinstance(packed, CoupledProblem)
    logs = []
    for events in (10, EVENTS):
        tally, _ = run(problem, 0, events=events)
        run_coupled_histories(packed, np.uint64(0), np.zeros(100, np.int64), np.uint64(1), tally, empty_room())
        logs.append(tally.log)
    assert counted(logs[0]) == counted(logs[1]) > 500 and not has_room(logs[0]) and has_room(logs[1])
    assert np.array_equal(logs[0][1:], logs[1][1:11])


@pytest.mark.parametrize("mirror", ["none", "xy"])
def test_particles_used_again_have_one_story(mirror: str) -> None:
    """Copies are no children; where a mirrored one goes on in another part, it has come into that."""
    left = slab("left", "G4_Al", 10.0, 30.0, width_mm=60.0, at_mm=(-31.0, 0.0))
    right = slab("right", "G4_Cu", 10.0, 30.0, width_mm=60.0, at_mm=(31.0, 0.0))
    reuse = ReusePlane(20.0, 4, mirror)
    source = beam(1.0)._replace(extent=np.array([4.0, 4.0, 0.0]))
    _, rows, story = told(problem_with([Plane((0, 0, 80.0))], source, "photon", parts=(left, right), reuse=reuse), 300)
    free = straight(story, rows)
    assert np.all(story.generation[np.isin(story.of, free)] == 0) and len(free) > 400
    both = set()
    for row in free.tolist():
        events = of_row(story, row)
        assert events[-1] == (0, BORN, 2) and [kind for _, kind, _ in events].count(BORN) == 1
        both.add(tuple(part for _, kind, part in events if kind == ENTERED and part != 2))
    changes = {(1, 0), (0, 1)}
    assert both & {(0,), (1,)} and (changes <= both) == (mirror == "xy") and bool(changes & both) == (mirror == "xy")


def test_splitting_leaves_stories_as_they_are() -> None:
    """Scattered photons of a split event are the photon that came, children are children: within 4 standard errors.

    Weights of photons in the field by generation and number of own interactions; the beam is one of photons, on lead.
    """
    lead = (slab("lead", "G4_Pb", 0.0, 10.0, width_mm=100.0),)
    directed = ReductionSettings(DirectionalSplitting(20, (600.0, 600.0), (0.0, 0.0, 300.0), 250.0))
    found = []
    for reduction, count in ((ReductionSettings(), 30_000), (directed, 3_000)):
        problem = problem_with([Plane((0, 0, 300.0))], beam(4.0), "photon", parts=lead, reduction=reduction)
        sums = []
        for batch in range(10):
            _, rows, story = told(problem, count // 10, seed=batch + 1)
            aimed = (np.abs(rows[:, PLACE : PLACE + 2]) < 30.0).all(axis=1) & (rows[:, SPECIES] == PHOTON)
            own = (story.generation == 0) & (story.kind == INTERACTED)
            many = np.minimum(np.bincount(story.of[own], minlength=len(rows)), 1)
            child = np.zeros(len(rows), np.int64)
            child[story.of[story.generation > 0]] = 1
            weights = np.bincount((2 * child + many)[aimed], rows[aimed, WEIGHT], 4)
            sums.append(weights / (count // 10))
        found.append((np.mean(sums, axis=0), np.std(sums, axis=0, ddof=1) / np.sqrt(10)))
    (plain, error), (split, of_split) = found
    assert np.all(np.abs(split - plain) < 4 * np.hypot(error, of_split) + 1e-12), (plain, split, error, of_split)
    assert np.all(plain > 0.005) and error[1] < 0.03 * plain[1] and of_split[1] < 0.06 * split[1]


@pytest.mark.slow
def test_splitting_leaves_origins_as_they_are() -> None:
    """Photons of an electron beam in the field by where they were made, and if scattered: within 4 standard errors.

    Electrons and what they make are directed, split and played with; a target, a filter, and electrons split in it.
    """
    parts = (slab("target", "G4_W", 0.0, 1.0, width_mm=100.0), slab("filter", "G4_Cu", 60.0, 80.0, width_mm=300.0))
    directed = ReductionSettings(DirectionalSplitting(50, (200.0, 200.0), (0.0, 0.0, 300.0), 75.0))
    found = []
    for reduction, count in ((ReductionSettings(), 60_000), (directed, 4_000)):
        problem = problem_with([Plane((0, 0, 300.0))], beam(6.0), "electron", parts=parts, reduction=reduction)
        sums = []
        for batch in range(20):
            _, rows, story = told(problem, count // 20, seed=batch + 1)
            aimed = (np.abs(rows[:, PLACE : PLACE + 2]) < 10.0).all(axis=1) & (rows[:, SPECIES] == PHOTON)
            own, born = story.generation == 0, story.kind == BORN
            scattered = np.zeros(len(rows), np.int64)
            scattered[story.of[own & (story.kind == INTERACTED)]] = 1
            origin = story.part[own & born]
            sums.append(np.bincount((2 * origin + scattered)[aimed], rows[aimed, WEIGHT], 4)[:4] / (count // 20))
        found.append((np.mean(sums, axis=0), np.std(sums, axis=0, ddof=1) / np.sqrt(20)))
    (plain, error), (split, of_split) = found
    assert np.all(np.abs(split - plain) < 4 * np.hypot(error, of_split)), (plain, split, error, of_split)
    assert np.all(np.hypot(error, of_split)[:2] < 0.05 * plain[:2])
