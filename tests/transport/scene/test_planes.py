"""Particles that go through planes on their way through scenes and voxels."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid
from dosewright.core.random import Stream
from dosewright.geometry.trace import Ray, to_patient_axes
from dosewright.scoring.deposit import BEFORE_PATIENT, BINDING, DEPOSITED, ESCAPED, STARTED, Tally, empty_tally
from dosewright.scoring.planes import DIRECTION, ENERGY, HISTORY, PLACE, PLANE, SPECIES, WEIGHT, counted, has_room
from dosewright.simulation.coupled_settings import CoupledSettings
from dosewright.simulation.planes import Plane, ReusePlane
from dosewright.sources import emit
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.coupled_loop import run_coupled_histories
from dosewright.transport.loop_cpu import empty_room
from dosewright.transport.tracks import ELECTRON, PHOTON

from .plane_runs import FAR, SETTINGS, beam, cone, net_energy, problem_with, run
from .scene_runs import one_voxel, slab


def unexplained(tally: Tally) -> float:
    """Return the energy that the account does not explain, as a share of what started."""
    a = tally.account
    return float(abs(a[STARTED] - a[DEPOSITED] - a[BEFORE_PATIENT] - a[ESCAPED] - a[BINDING]) / a[STARTED])


# Before the world of the scene, in it, and behind it; the last one is tilted.
HEIGHTS = (-120.0, -20.0, 410.0, 900.0)
TILTED = Plane((10.0, -20.0, 300.0), (0.3, -0.2, 1.0))


@pytest.mark.parametrize("with_scene", [True, False])
def test_planes_in_vacuum_record_what_the_source_emits(with_scene: bool) -> None:
    """Places, directions and energies of each history to the rounding of double precision."""
    planes = [*(Plane((0.0, 0.0, z)) for z in HEIGHTS), TILTED]
    voxels = one_voxel((-2, -2, 400), (2, 2, 401)) if not with_scene else None
    source = cone(2.0)
    problem = problem_with(planes, source, "photon", parts=(FAR,) if with_scene else (), voxels=voxels)
    count = 2000
    _, rows = run(problem, count)
    packed = problem.packed
    assert isinstance(packed, CoupledProblem)
    born = []
    for history in range(count):
        x, y, z, u, v, w, energy, _ = emit.emit(source, 0, Stream(np.uint64(1), np.uint64(history), np.uint64(0)))
        born.append((*to_patient_axes(packed.geometry, Ray(x, y, z, u, v, w)), energy))
    at, along = np.array(born)[:, :3], np.array(born)[:, 3:6]
    for number, plane in enumerate(planes):
        normal = np.array(plane.normal) / np.linalg.norm(plane.normal)
        way = ((np.array(plane.point_mm) / 10 - at) @ normal) / (along @ normal)
        there = at + way[:, None] * along
        touched = np.all(np.abs(there[:, :2]) < 3.0, axis=1) & (there[:, 2] > 39.9)  # by the block or the voxel
        mine = rows[rows[:, PLANE] == number]
        mine = mine[np.argsort(mine[:, HISTORY], kind="stable")]
        clean = np.flatnonzero(~touched)
        free = np.isin(mine[:, HISTORY], clean)
        assert np.array_equal(mine[free][:, HISTORY], clean)  # once each
        assert np.abs(mine[free][:, PLACE : PLACE + 3] - there[clean]).max() < 1e-10
        assert np.abs(mine[free][:, DIRECTION : DIRECTION + 3] - along[clean]).max() < 1e-14
        assert np.all(mine[free][:, ENERGY] == 2.0) and np.all(mine[:, WEIGHT] == 1.0)
        assert np.all(mine[free][:, SPECIES] == PHOTON)


@pytest.mark.parametrize(("particle", "energy_MeV"), [("photon", 6.0), ("electron", 10.0), ("positron", 3.0)])
@pytest.mark.parametrize("where", ["faces", "between"])
def test_energy_between_two_planes_is_what_is_left_there(particle: str, energy_MeV: float, where: str) -> None:
    """On the faces of a plate, or beside them, all that crosses is counted: to 1e-9 of the energy started."""
    low, high = (0.0, 20.0) if where == "faces" else (-3.0, 24.0)
    planes = [Plane((0, 0, low), backwards=True), Plane((0, 0, high), backwards=True)]
    plate = slab("plate", "G4_Al", 0.0, 20.0, width_mm=200.0)
    tally, rows = run(problem_with(planes, beam(energy_MeV), particle, parts=(plate,)), 3000)
    left = net_energy(rows, 0) - net_energy(rows, 1)
    assert left == pytest.approx(
        tally.account[BEFORE_PATIENT] + tally.account[BINDING], abs=1e-6 * tally.account[STARTED]
    )
    assert (rows[:, DIRECTION + 2] < 0).any() and unexplained(tally) < 1e-5
    assert np.abs(rows[rows[:, PLANE] == 0][:, PLACE + 2] - low / 10).max() < 1e-12


@pytest.mark.parametrize("depth_mm", [4.0, 11.3])
def test_electrons_have_the_energy_of_where_they_are_inside_a_plate(depth_mm: float) -> None:
    """What goes through a plane inside water is what is left beyond it, and leaves: to 0.3 %.

    Single losses are scored somewhere on their step, and losses of a step fluctuate around the line to its end.
    """
    plane = Plane((0, 0, depth_mm), backwards=True)
    water = slab("water", "G4_WATER", 0.0, 60.0, width_mm=400.0)
    grid = Grid((1, 1, 1), (400.0, 400.0, 60.0 - depth_mm), (0.0, 0.0, 0.5 * (60.0 + depth_mm)))
    ends = [Plane((0, 0, 60.0), backwards=True)]
    tally, rows = run(problem_with([plane, *ends], beam(10.0), "electron", parts=(water,), grid=grid), 3000)
    through, rear = net_energy(rows, 0), net_energy(rows, 1)
    assert (rows[rows[:, PLANE] == 0][:, SPECIES] == ELECTRON).sum() > 2500
    assert through - rear == pytest.approx(tally.energy.sum(), rel=3e-3)


def test_what_a_plane_ends_goes_no_further() -> None:
    """A plane that kills inside a plate: nothing behind it, and what it had counts as escaped."""
    planes = [
        Plane((0, 0, 10.0), kills=True),
        Plane((0, 0, 10.5), backwards=True),
        Plane((0, 0, 500.0), backwards=True),
    ]
    plate = slab("plate", "G4_WATER", 0.0, 20.0, width_mm=200.0)
    for particle in ("electron", "photon"):
        tally, rows = run(problem_with(planes, beam(6.0), particle, parts=(plate,)), 1000)
        assert set(rows[:, PLANE]) == {0.0} and unexplained(tally) < 1e-5
        assert (rows[:, DIRECTION + 2] > 0).all()
        assert (rows[:, ENERGY] * rows[:, WEIGHT]).sum() < tally.account[ESCAPED]


def test_range_rejection_asks_for_planes_too() -> None:
    """Electrons that cannot leave their part may still reach a plane in it."""
    plane = Plane((0, 0, 8.0), backwards=True)
    water = slab("water", "G4_WATER", 0.0, 100.0, width_mm=400.0)
    numbers = [
        len(run(problem_with([plane], beam(2.0), "electron", parts=(water,), settings=settings), 1500)[1])
        for settings in (SETTINGS, CoupledSettings(range_rejection_MeV=5.0))
    ]
    assert numbers[0] > 300 and numbers[1] == pytest.approx(numbers[0], rel=0.25)


@pytest.mark.parametrize("scene", [True, False])
@pytest.mark.parametrize("particle", ["photon", "electron"])
def test_planes_on_the_faces_of_the_voxels_see_all_that_goes_in_and_out(particle: str, scene: bool) -> None:
    """What goes in less what comes out is what the voxels keep, with and without a scene: to 1e-5."""
    planes = [Plane((0, 0, 0.0), backwards=True), Plane((0, 0, 30.0), backwards=True)]
    voxels = one_voxel((-100, -100, 0), (100, 100, 30), (2, 2, 6))
    behind = slab("behind", "G4_Al", -420.0, -400.0, width_mm=20.0)
    tally, rows = run(
        problem_with(planes, beam(6.0), particle, parts=(behind,) if scene else (), voxels=voxels, begin_mm=-50.0), 2000
    )
    kept = tally.account[DEPOSITED] + tally.account[BINDING]
    assert net_energy(rows, 0) - net_energy(rows, 1) == pytest.approx(kept, rel=1e-4)
    assert (rows[:, DIRECTION + 2] < 0).any()
    assert np.abs(rows[rows[:, PLANE] == 0][:, PLACE + 2]).max() < 1.1e-4


def test_a_plane_through_the_voxels_is_refused() -> None:
    voxels = one_voxel((-10, -10, 0), (10, 10, 30))
    with pytest.raises(InputError, match="from z = 0 to 30 mm"):
        problem_with([Plane((0, 0, 15.0))], beam(6.0), "photon", parts=(), voxels=voxels)


def test_only_what_is_wanted_is_recorded() -> None:
    plate = slab("plate", "G4_W", 0.0, 3.0, width_mm=200.0)
    at = (0.0, 0.0, 5.0)
    planes = [Plane(at), Plane(at, particles=("photon",)), Plane(at, particles=("electron", "positron"))]
    _, rows = run(problem_with(planes, beam(15.0), "electron", parts=(plate,)), 300)
    species = [set(rows[rows[:, PLANE] == p][:, SPECIES]) for p in range(3)]
    assert species[0] == species[1] | species[2] and species[1] == {float(PHOTON)} and PHOTON not in species[2]


def test_without_room_crossings_are_counted() -> None:
    problem = problem_with([Plane((0, 0, 0.0))], beam(1.0), "photon")
    packed = problem.packed
    assert isinstance(packed, CoupledProblem)
    tally = empty_tally(packed.scoring, 1, 0, problem.tallied_parts, 10)
    run_coupled_histories(packed, np.uint64(0), np.zeros(100, np.int64), np.uint64(1), tally, empty_room())
    assert counted(tally.crossings) == 100 and not has_room(tally.crossings)
    assert np.all(tally.crossings[1:, HISTORY] == np.arange(10))


@pytest.mark.parametrize("scene", [True, False])
@pytest.mark.parametrize("mirror", ["none", "x", "y", "xy"])
def test_particles_go_on_as_several_that_share_a_weight(scene: bool, mirror: str) -> None:
    """Through vacuum: five of a fifth of the weight each, mirrored in turn; some enter the box, others miss it."""
    voxels = one_voxel((-15, -25, 400), (30, 20, 401))
    planes = [Plane((0.0, 0.0, z)) for z in (-30.0, 100.0)]
    reuse = ReusePlane(20.0, 5, mirror)
    parts = (slab("behind", "G4_Al", -420.0, -400.0, width_mm=600.0),) if scene else ()
    problem = problem_with(planes, cone(0.02), "photon", parts=parts, voxels=voxels, reuse=reuse)
    tally, rows = run(problem, 500)
    first, second = (rows[rows[:, PLANE] == number] for number in range(2))
    assert np.all(first[:, WEIGHT] == 1.0) and len(first) == 500
    assert np.bincount(second[:, HISTORY].astype(int), second[:, WEIGHT]) == pytest.approx(np.ones(500))
    turned = [(1, 1)] + [(-1, 1)] * ("x" in mirror) + [(1, -1)] * ("y" in mirror) + [(-1, -1)] * (mirror == "xy")
    shares = [len(range(turn, 5, len(turned))) / 5 for turn in range(len(turned))]
    first = first[np.argsort(first[:, HISTORY])]
    for (a, b), share in zip(turned, shares, strict=True):
        along = first[:, DIRECTION : DIRECTION + 2]
        at = first[:, PLACE : PLACE + 2] + 13.0 * along / first[:, DIRECTION + 2 : DIRECTION + 3]
        for history in range(0, 500, 50):
            mine = second[second[:, HISTORY] == history]
            there = np.abs(mine[:, PLACE : PLACE + 2] - at[history] * (a, b)).max(axis=1) < 1e-6
            assert mine[there][:, WEIGHT].sum() == pytest.approx(share)
            assert np.abs(mine[there][:, DIRECTION : DIRECTION + 2] - along[history] * (a, b)).max() < 1e-12
    assert unexplained(tally) < 1e-5


@pytest.mark.parametrize(("particle", "energy_MeV"), [("photon", 4.0), ("electron", 10.0)])
def test_reuse_inside_matter_leaves_the_mean_as_it_is(particle: str, energy_MeV: float) -> None:
    """Of what goes on behind a plane in water, the energy that is left there: within 4 standard errors, 3 % at most."""
    water = slab("water", "G4_WATER", 0.0, 100.0, width_mm=400.0)
    grid = Grid((1, 1, 1), (400.0, 400.0, 90.0), (0.0, 0.0, 55.0))
    means = []
    for reuse in (None, ReusePlane(10.0, 4, "xy")):
        problem = problem_with([], beam(energy_MeV), particle, parts=(water,), grid=grid, reuse=reuse)
        packed = problem.packed
        assert isinstance(packed, CoupledProblem)
        sums = []
        for batch in range(10):
            tally = empty_tally(packed.scoring, 1, 0, problem.tallied_parts)
            nobody = np.zeros(2500 if particle == "photon" else 100, np.int64)
            run_coupled_histories(packed, np.uint64(10_000 * batch), nobody, np.uint64(1), tally, empty_room())
            sums.append(tally.energy.sum() / nobody.size)
            assert unexplained(tally) < 1e-5
        means.append((np.mean(sums), np.std(sums, ddof=1) / np.sqrt(10)))
    (plain, plain_error), (several, several_error) = means
    error = np.hypot(plain_error, several_error)
    assert error < 0.03 * plain and abs(plain - several) < 4 * error
