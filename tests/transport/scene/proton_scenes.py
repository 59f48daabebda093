"""What tests of protons in scenes share: water behind solids, runs, and what is read off depth doses."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.core.shapes import Placement, Shape
from dosewright.core.solids import Box
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import Tally, empty_tally
from dosewright.simulation.problem import Problem, TransportSettings, phantom_problem
from dosewright.sources import emit
from dosewright.sources.emit import Source
from dosewright.transport.loop_cpu import empty_room, run_histories

Array = NDArray[np.float64]
NOTHING = np.zeros(0)
WATER, PMMA, AIR = named("G4_WATER"), named("G4_PLEXIGLASS"), named("G4_AIR")
ALONG_Z = Rigid(np.diag([1.0, -1.0, -1.0]), np.zeros(3))  # beams fly along +z of the box
HALF_MM = 150.0


def pencil(energy_MeV: float, start_z_mm: float, *, x_mm: float = 0.0, sigma_mm: float = 3.0) -> Source:
    """A parallel pencil beam along +z that starts on a plane of constant z of the box."""
    row = np.zeros((1, emit.PENCIL_COLUMNS))
    row[0, emit.MEAN_ENERGY], row[0, emit.START_Z], row[0, emit.X] = energy_MeV, -start_z_mm / 10, x_mm / 10
    row[0, emit.XX] = row[0, emit.YY] = sigma_mm / 10
    return Source(emit.PENCILS, row, np.zeros(3), np.zeros(2), NOTHING, NOTHING, NOTHING)


def water(depth_mm: float = 150.0, voxel_mm: float = 1.0, from_mm: float = 0.0) -> Voxels:
    """Layers of water, 300 x 300 mm."""
    across, layers = np.array([-HALF_MM, HALF_MM]), round(depth_mm / voxel_mm)
    edges = (across, across, from_mm + np.linspace(0.0, depth_mm, layers + 1))
    shape = (layers, 1, 1)
    return Voxels(edges, Rigid.identity(), np.zeros(shape, np.uint8), np.ones(shape, np.float32), (WATER,))


def part(
    name: str, shape: Shape, material: Material | None, centre_mm: tuple[float, float, float], **more: object
) -> Part:
    """A part in the axes of the voxels."""
    return Part(name, shape, material, Placement(centre_mm), **more)


def slab(name: str, material: Material, from_mm: float, to_mm: float, **more: object) -> Part:
    """A plate as wide as the water, between two z."""
    size = (2 * HALF_MM, 2 * HALF_MM, to_mm - from_mm)
    return part(name, Box(size), material, (0.0, 0.0, (from_mm + to_mm) / 2), **more)


def problem_of(
    parts: Sequence[Part], voxels: Voxels, source: Source, fill: Material | None = None, **settings: object
) -> Problem:
    """A source in front of water in a scene."""
    return phantom_problem(
        voxels=voxels, source=source, weights=np.ones(1), to_patient=ALONG_Z, settings=TransportSettings(**settings),
        parts=parts, fill=fill,
    )  # fmt: skip


def run(problem: Problem, histories: int, *, seed: int = 3) -> Tally:
    """Run histories into a tally of their own."""
    tally = empty_tally(problem.scoring, problem.mass_g.size, parts=problem.tallied_parts)
    pencils = np.zeros(histories, np.int64)
    run_histories(problem.packed, np.uint64(0), pencils, np.uint64(seed), tally, empty_room())
    return tally


def r80_mm(by_layer: Array, voxel_mm: float = 1.0) -> float:
    """Depth of the distal 80 %, between the middles of layers."""
    top = int(np.argmax(by_layer))
    at = top + int(np.argmax(by_layer[top:] < 0.8 * by_layer[top]))
    before, after = by_layer[at - 1], by_layer[at]
    return float(voxel_mm * (at - 0.5 + (before - 0.8 * by_layer[top]) / (before - after)))
