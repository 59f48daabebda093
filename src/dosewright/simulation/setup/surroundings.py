"""A phantom in its scene: what the problem is packed from, and the mass and the assumptions that the scene adds."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.core.solids import Triple
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.mass import mass_on
from dosewright.geometry.scene.flat import flattened
from dosewright.geometry.scene.masses import LINES, scene_mass_on
from dosewright.geometry.scene.pack import MARGIN_CM
from dosewright.geometry.scene_check.problems import scene_problems
from dosewright.geometry.voxels import Voxels
from dosewright.simulation.planes import ReusePlane, even_world
from dosewright.simulation.problem import Problem
from dosewright.simulation.run_file.source_tables import AnySource, PhaseSpaceSource
from dosewright.simulation.setup.aim import aim_warnings
from dosewright.simulation.setup.phantom import PhantomVoxels
from dosewright.simulation.setup.scene import PlacedScene
from dosewright.transport.coupled import CoupledProblem
from dosewright.transport.repeated_loop import RepeatedProblem


@dataclass(frozen=True)
class Around:
    """What a problem is packed from: voxels, parts, what fills the space between, and ways to the box of voxels (mm).

    Where there is no phantom the voxels are one that nothing ever enters, in the axes of the run.
    """

    voxels: Voxels
    parts: tuple[Part, ...]
    fill: Material | None
    scene_to_box: Rigid
    run_to_box: Rigid

    @classmethod
    def of(cls, phantom: PhantomVoxels | None, scene: PlacedScene | None) -> "Around":
        """Put a phantom into a scene; parts that overlap, and one that cuts the phantom, are refused by name."""
        if scene is None:
            if phantom is None:
                raise ValueError("neither phantom nor scene")
            to_box = phantom.voxels.frame.inverse()
            return cls(phantom.voxels, (), None, Rigid.identity(), to_box)
        voxels = _no_voxels(scene) if phantom is None else phantom.voxels
        to_box = voxels.frame.inverse()
        scene_to_box = scene.to_run.then(to_box)
        corners = None if phantom is None else _corners(voxels)
        if problems := scene_problems(scene.parts, corners, scene_to_box):
            raise InputError(*problems)
        return cls(voxels, scene.parts, scene.fill, scene_to_box, to_box)


def _corners(voxels: Voxels) -> tuple[Triple, Triple]:
    """Return the lowest and the highest corner of a box of voxels in its own axes, mm."""
    (x0, x1), (y0, y1), (z0, z1) = ((float(edges[0]), float(edges[-1])) for edges in voxels.edges_mm)
    return (x0, y0, z0), (x1, y1, z1)


def _no_voxels(scene: PlacedScene) -> Voxels:
    """Return one voxel of the scene's own matter."""
    material = scene.materials[0]
    edges = np.array([0.0, 1.0])
    density = np.full((1, 1, 1), material.density_g_cm3, np.float32)
    return Voxels((edges, edges, edges), Rigid.identity(), np.zeros((1, 1, 1), np.uint8), density, (material,))


def in_scene(
    problem: Problem,
    phantom: PhantomVoxels | None,
    scene: PlacedScene | None,
    source: AnySource,
    places_mm: NDArray[np.float64] | None = None,
) -> tuple[Problem, tuple[str, ...]]:
    """Return a problem whose scene reaches to the source and has its mass on the score grid, and what to know of it.

    `places_mm` (n, 3) are those that the particles of a phase space start between, in the axes of the run.
    """
    if scene is None:
        return problem, ()
    if scene.fill is not None:
        problem = _reaching(problem, phantom, source, places_mm)
    said = [_what_fills(scene, source), *scene.assumptions, *aim_warnings(scene, source)]
    grid = problem.score_grid
    if grid is not None:
        to_box = Rigid.identity() if phantom is None else phantom.voxels.frame.inverse()
        mass = scene_mass_on(problem.scene, to_box, grid)
        if phantom is not None:
            mass += mass_on(phantom.voxels, grid)
        problem = replace(problem, mass_g=mass, density_g_cm3=mass / grid.voxel_volume_cm3)
        said.append(
            f"Doses on the score grid divide by the mass of the scene on {LINES**2} lines through each voxel: where a "
            "surface that is not normal to z cuts a voxel, its mass is off by a few percent."
        )
    if any(part.turns for part in scene.parts):
        turning = ", ".join(part.name for part in scene.parts if part.turns)
        said.append(f"Each history meets at a random angle of its own what turns: {turning}.")
    return problem, tuple(said)


def _reaching(
    problem: Problem, phantom: PhantomVoxels | None, source: AnySource, places_mm: NDArray[np.float64] | None
) -> Problem:
    """Return a problem in which what fills the scene reaches around the place of the source as well."""
    if places_mm is None and (place_mm := getattr(source, "position_mm", None)) is not None:
        places_mm = np.array([place_mm])
    if places_mm is None or isinstance(problem.packed, RepeatedProblem):
        return problem
    to_box = Rigid.identity() if phantom is None else phantom.voxels.frame.inverse()
    at = to_box.points(places_mm) / MM_PER_CM
    around = MARGIN_CM + 0.5 * float(np.linalg.norm(getattr(source, "extent_mm", 0.0))) / MM_PER_CM
    low, high = np.split(problem.scene.world, 2)
    world = np.concatenate([np.minimum(low, at.min(axis=0) - around), np.maximum(high, at.max(axis=0) + around)])
    wider = problem.scene._replace(world=world)
    if isinstance(problem.packed, CoupledProblem):
        return replace(problem, packed=problem.packed._replace(scene=wider))
    return replace(problem, packed=problem.packed._replace(scene=flattened(wider)))


def mirrored_alike(problem: Problem, reuse: ReusePlane | None, run_to_box: Rigid) -> Problem:
    """Return a problem whose scene reaches as far on both sides, where particles are mirrored."""
    if reuse is None or not isinstance(problem.packed, CoupledProblem) or not len(problem.scene.cells):
        return problem
    scene = problem.scene._replace(world=even_world(problem.scene.world, reuse, run_to_box))
    return replace(problem, packed=problem.packed._replace(scene=scene))


def _what_fills(scene: PlacedScene, source: AnySource) -> str:
    fill = "vacuum" if scene.fill is None else scene.fill.name
    placed = isinstance(source, PhaseSpaceSource) or getattr(source, "position_mm", None) is not None
    reach = "all of it and the source" if placed else "all of it"
    return f"Between the parts of the scene is {fill}; beyond a box around {reach} is vacuum."
