"""The scene of a run file: parts of solids and modules, what lies between them, and where they are in the run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dosewright.core.errors import InputError, nearest, refuse
from dosewright.core.frame import Rigid, turned_axes
from dosewright.core.matter import Material
from dosewright.core.scene import Part, Scene
from dosewright.formats.text.scene_file import read_scene
from dosewright.geometry.modules.build import all_parts, assumptions_of, parts_of
from dosewright.geometry.modules.turned import turned_about_z
from dosewright.geometry.scene_check.problems import scene_problems
from dosewright.simulation.run_file.phantom_tables import Scene as SceneTable
from dosewright.simulation.run_file.values import Triple
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY, Resolvers
from dosewright.simulation.setup.scene_moves import PlannedOpening, at_plan, set_module

VACUUM, AIR = "vacuum", "air"
AIR_NAME = "G4_AIR"


@dataclass(frozen=True)
class PlacedScene:
    """Parts (those of modules too), what fills the space between them (None: vacuum), the way to the run's axes (mm).

    `of_module` has the names of the parts that each module is made of; `assumptions` say what was taken in making them;
    `planned` is the control point of a plan that modules stand at, if any.
    """

    scene: Scene
    parts: tuple[Part, ...]
    fill: Material | None
    to_run: Rigid
    of_module: dict[str, tuple[str, ...]]
    assumptions: tuple[str, ...] = ()
    planned: PlannedOpening | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names that regions may have: of parts, and of modules as wholes."""
        return (*self.of_module, *(part.name for part in self.parts))

    @property
    def materials(self) -> tuple[Material, ...]:
        """All materials, each once."""
        found = [part.material for part in self.parts if part.material is not None]
        return tuple({material.name: material for material in [*found, *([self.fill] if self.fill else [])]}.values())


def placed_scene(table: SceneTable, resolvers: Resolvers = WITHOUT_LIBRARY) -> PlacedScene:
    """Read a scene and put it where the run file says; refuses what its file, its modules or its fill have wrong."""
    scene, said = read_scene(Path(table.file), resolvers.material, resolvers.mlc_design)
    for wanted in table.set:
        scene = set_module(scene, wanted)
    planned = None
    if table.plan is not None:
        scene, planned = at_plan(scene, table)
    of_module: dict[str, tuple[str, ...]] = {}
    turns: dict[str, float] = {}
    assumptions = [*said, *(planned.said() if planned else ())]
    problems: list[str] = []
    for module in scene.modules:
        try:
            made = parts_of(module)
            of_module[module.name] = tuple(part.name for part in made)
            if planned is not None:
                turns |= {part.name: planned.collimator_deg for part in _outermost(made)}
            assumptions += assumptions_of(module)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    parts = turned_about_z(all_parts(scene), turns)
    if wrong := scene_problems(parts):
        raise InputError(*wrong)
    fill = scene.fill if table.fill is None else fill_of(table.fill, parts, resolvers.material)
    to_run = way_of(table.origin_mm, table.rotation_deg)
    return PlacedScene(scene, parts, fill, to_run, of_module, tuple(assumptions), planned)


def _outermost(parts: Sequence[Part]) -> list[Part]:
    """Return the parts that lie in none of the others."""
    names = {part.name for part in parts}
    return [part for part in parts if part.parent not in names]


def way_of(origin_mm: Triple, rotation_deg: Triple) -> Rigid:
    """Return the way of axes that are turned about the x, then the y, then the z of the run, and then moved (mm)."""
    return Rigid(turned_axes(rotation_deg), np.array(origin_mm, float))


def fill_of(word: str, parts: tuple[Part, ...], material: Callable[[str], Material]) -> Material | None:
    """Return what a word fills the scene with: nothing, air, a material of the scene or of the library."""
    if word == VACUUM:
        return None
    if word == AIR:
        return material(AIR_NAME)
    own = {part.material.name: part.material for part in parts if part.material is not None}
    if word in own:
        return own[word]
    try:
        return material(word)
    except InputError as error:
        if "Did you mean" in str(error):
            raise
        hint, allowed = nearest(word, (VACUUM, AIR, *own)), "vacuum, air, a material of the scene or of the library"
        raise refuse(f"Unknown fill of the scene {word!r}.{hint}", allowed=allowed) from error
