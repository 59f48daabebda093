"""What tests of the transport share: boxes, beams, and drivers that are compiled once for all of them."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.jit import kernel
from dosewright.core.random import HIGH_SHIFT, LOW, draw_four, start_stream
from dosewright.core.single import f32
from dosewright.geometry.trace import PATIENT, Place, Ray
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.materials.lookup import COLUMNS, QUANTUM
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.simulation import problem as packing
from dosewright.simulation.problem import TransportSettings
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.history import settled
from dosewright.transport.lanes import EVENT, GOES_ON, INTERACTS, LANES, LEAVES, clear, put, taken
from dosewright.transport.lockstep import advance_lanes
from dosewright.transport.loop_cpu import empty_room, run_histories
from dosewright.transport.scattering import soft_angle, turned_by
from dosewright.transport.step import Problem
from dosewright.transport.tracks import PROTON, Track

Array = NDArray[np.float64]
NOTHING = np.zeros(0)
DOWN = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # beams fly along +z of the box
WIDE_MM = np.array([-5000.0, 5000.0])


def pencil_problem(voxels: Voxels, energy_MeV: float, *, sigma_cm: float = 0.3, **settings: object) -> Problem:
    """One pencil beam along +z at x = y = 0, scored in the voxels themselves."""
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY], row[0, emit.XX], row[0, emit.YY] = energy_MeV, sigma_cm, sigma_cm
    source = Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), NOTHING, NOTHING, NOTHING)
    return packing.phantom_problem(
        voxels=voxels, source=source, weights=np.ones(1), to_patient=DOWN, settings=TransportSettings(**settings)
    ).packed


def slab(name: str, thickness_cm: float, layers: int = 1) -> Voxels:
    """A slab without sides, from z = 0, perhaps cut into layers of voxels."""
    material, deep = named(name), np.linspace(0.0, 10 * thickness_cm, layers + 1)
    shape = (layers, 1, 1)
    density = np.full(shape, material.density_g_cm3, np.float32)
    return Voxels((WIDE_MM, WIDE_MM, deep), Rigid.identity(), np.zeros(shape, np.uint8), density, (material,))


def water_and_bone() -> Voxels:
    """A box of 10 x 10 x 6 cm in voxels of 10 x 10 x 5 mm, with a layer of bone."""
    across, deep = np.linspace(-50, 50, 11), np.linspace(0, 60, 13)
    material = np.zeros((12, 10, 10), np.uint8)
    material[4:6] = 1
    density = np.where(material == 1, 1.85, 1.0).astype(np.float32)
    media = (named("G4_WATER"), named("G4_BONE_CORTICAL_ICRP"))
    return Voxels((across, across, deep), Rigid.identity(), material, density, media)


def without_matter(problem: Problem) -> Problem:
    """The same with tables of zeros, but for the size of a quantum: particles fly straight and lose nothing."""
    values = np.zeros((problem.tables.values.size // COLUMNS, COLUMNS), np.float32)
    values[:, QUANTUM] = 1.0
    return problem._replace(tables=problem.tables._replace(values=values.ravel()))


def run(problem: Problem, histories: int, *, first: int = 0, seed: int = 3) -> Tally:
    """Run histories of the first pencil into a tally of their own."""
    geometry = problem.geometry
    tally = empty_tally(problem.scoring, int(np.prod(geometry.cells[PATIENT])))
    pencils = np.zeros(histories, np.int64)
    run_histories(problem, np.uint64(first), pencils, np.uint64(seed), tally, empty_room())
    return tally


def exits(problem: Problem, energy_MeV: float, protons: int, *, seed: int = 5) -> Array:
    """Directions and energies (u, v, w, MeV) in which protons that enter along +z leave the far side of a slab."""
    out = np.zeros((protons, 4))
    tally = empty_tally(problem.scoring, int(np.prod(problem.geometry.cells[PATIENT])))
    left = _through(problem, energy_MeV, np.uint64(seed), tally, empty_room(), out)
    return out[:left]


@kernel
def _entering(energy, seed, number):
    a, _, _, _, stream = draw_four(start_stream(seed, np.uint64(number)))
    place = Place(np.int64(PATIENT), np.int64(0), np.int64(0), np.int64(0))
    return Track(Ray(0.5, 0.5, 0.0, 0.0, 0.0, 1.0), place, energy, np.int64(PROTON), 0.0, -np.log(a), 1.0), stream


@kernel
def _through(problem, energy, seed, tally, room, out):
    """Fill `out`, one row for each proton that leaves; return how many did."""
    lanes, stack = room
    low, high = np.uint32(seed & LOW), np.uint32(seed >> HIGH_SHIFT)
    begun, flying, left = 0, 0, 0
    for i in range(LANES):
        if begun < out.shape[0]:
            track, stream = _entering(energy, seed, begun)
            put(lanes, i, track, stream)
            begun, flying = begun + 1, flying + 1
    while flying > 0:
        advance_lanes(problem, lanes, low, high)
        for i in range(LANES):
            event = lanes.integers[EVENT + i]
            if event == GOES_ON:
                continue
            track, stream = taken(lanes, i, seed)
            if event == LEAVES:
                a, b, _, _, stream = draw_four(stream)  # half of the last step's deflection is still due
                ray = track.ray
                cosine, sine = soft_angle(f32(max(track.deflection_due, 0.0)), f32(a))
                u, v, w = turned_by(f32(ray.u), f32(ray.v), f32(ray.w), cosine, sine, f32(b))
                out[left, 0], out[left, 1], out[left, 2], out[left, 3] = u, v, w, track.energy
                left += 1
            if event == INTERACTS:
                track, _, stream = settled(problem, track, event, tally, stack, 0, stream)
                if track.energy > 0.0:
                    put(lanes, i, track, stream)
                    continue
            clear(lanes, i)
            flying -= 1
            if begun < out.shape[0]:
                track, stream = _entering(energy, seed, begun)
                put(lanes, i, track, stream)
                begun, flying = begun + 1, flying + 1
    return left
