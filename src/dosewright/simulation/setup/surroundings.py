"""A phantom in its scene: what the problem is packed from, and the mass and the assumptions that the scene adds."""

from dataclasses import dataclass, replace

import numpy as np

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid
from dosewright.core.matter import Material
from dosewright.core.scene import Part
from dosewright.core.solids import Triple
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.mass import mass_on
from dosewright.geometry.scene.clearance import refuse_overlap
from dosewright.geometry.scene.masses import LINES, scene_mass_on
from dosewright.geometry.scene_check.placed import place
from dosewright.geometry.voxels import Voxels
from dosewright.simulation.problem import Problem
from dosewright.simulation.setup.phantom import PhantomVoxels
from dosewright.simulation.setup.scene import PlacedScene


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
        """Put a phantom into a scene; a part that overlaps the phantom is refused by name."""
        if scene is None:
            if phantom is None:
                raise ValueError("neither phantom nor scene")
            to_box = phantom.voxels.frame.inverse()
            return cls(phantom.voxels, (), None, Rigid.identity(), to_box)
        voxels = _no_voxels(scene) if phantom is None else phantom.voxels
        to_box = voxels.frame.inverse()
        if phantom is not None:
            placed, problems = place(scene.parts)
            if problems:
                raise InputError(*problems)
            low, high = (np.array([edges[end] for edges in voxels.edges_mm]) for end in (0, -1))
            refuse_overlap(placed, low, high, voxels.frame.then(scene.to_run.inverse()), voxels.frame)
        return cls(voxels, scene.parts, scene.fill, scene.to_run.then(to_box), to_box)


def _no_voxels(scene: PlacedScene) -> Voxels:
    """Return one voxel of the scene's own matter."""
    material = scene.materials[0]
    edges = np.array([0.0, 1.0])
    density = np.full((1, 1, 1), material.density_g_cm3, np.float32)
    return Voxels((edges, edges, edges), Rigid.identity(), np.zeros((1, 1, 1), np.uint8), density, (material,))


def in_scene(
    problem: Problem, phantom: PhantomVoxels | None, scene: PlacedScene | None, source_mm: Triple | None
) -> tuple[Problem, tuple[str, ...]]:
    """Return a problem with the mass of the scene on its score grid, and what a reader should know of the scene.

    `source_mm` is where the source starts, in the axes of the run; None for one without a place.
    """
    if scene is None:
        return problem, ()
    said = [_what_fills(scene), *scene.assumptions, *_far_source(problem, phantom, scene, source_mm)]
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


def _far_source(
    problem: Problem, phantom: PhantomVoxels | None, scene: PlacedScene, source_mm: Triple | None
) -> tuple[str, ...]:
    """Say where a source starts beyond what fills the scene."""
    if source_mm is None or scene.fill is None:
        return ()
    to_box = Rigid.identity() if phantom is None else phantom.voxels.frame.inverse()
    low, high = np.split(problem.scene.world, 2)
    at = to_box.points(np.array(source_mm)) / MM_PER_CM
    if np.all((at >= low) & (at <= high)):
        return ()
    return (f"The source lies outside the box around the scene: there is no {scene.fill.name} on its way to it.",)


def _what_fills(scene: PlacedScene) -> str:
    fill = "vacuum" if scene.fill is None else scene.fill.name
    return f"Between the parts of the scene is {fill}; beyond a box around all of it, 10 mm wider, is vacuum."
