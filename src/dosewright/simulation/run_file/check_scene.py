"""Mistakes in a scene, and between it and the rest of a run file."""

from collections.abc import Sequence
from pathlib import Path

from dosewright.core.errors import InputError
from dosewright.formats.text.scene_file import read_scene
from dosewright.simulation.run_file.faults import Fault, faults_from, is_there
from dosewright.simulation.run_file.phantom_tables import Scene
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import AnySource, SpotsSource
from dosewright.simulation.run_file.tables import Goals
from dosewright.simulation.run_file.transport_tables import VarianceReduction
from dosewright.simulation.setup.resolvers import Resolvers
from dosewright.simulation.setup.scene import PlacedScene, fill_of, placed_scene
from dosewright.simulation.setup.scene_moves import at_plan, set_module


def read_placed(scene: Scene, resolvers: Resolvers) -> tuple[PlacedScene | None, list[Fault]]:
    """Return the scene of a run, or what is wrong with its file and its fill."""
    if not is_there(scene.file):
        return None, []  # told with the other files
    if scene.plan is not None and not is_there(scene.plan):
        return None, []
    faults = _move_faults(scene, resolvers)
    if faults:
        return None, faults
    try:
        placed = placed_scene(scene.model_copy(update={"fill": None}), resolvers)
    except InputError as error:
        return None, faults_from(error, ("scene", "file"))
    if not placed.parts:
        faults.append(Fault(("scene", "file"), "The scene has no parts", scene.file, "at least one part or module"))
    if scene.fill is not None:
        try:
            fill_of(scene.fill, placed.parts, resolvers.material)
        except InputError as error:
            faults += faults_from(error, ("scene", "fill"))
    return (None if faults else placed), faults


def _move_faults(scene: Scene, resolvers: Resolvers) -> list[Fault]:
    """Return what is wrong with the places of modules, each at its key; unreadable files are told elsewhere."""
    if scene.plan is None:
        alone = {"beam": None, "control_point": None, "gantry": None, "ignored_devices": ()}
        faults = [
            Fault(("scene", key), f"scene.{key} is of a plan, and there is none", getattr(scene, key), "scene.plan")
            for key, default in alone.items()
            if getattr(scene, key) != default
        ]
    else:
        faults = []
    try:
        moved = read_scene(Path(scene.file), resolvers.material, resolvers.mlc_design)[0]
    except InputError:
        return faults
    wanted = [one.module for one in scene.set]
    for number, one in enumerate(scene.set):
        place = ("scene", "set", number)
        if one.module in wanted[:number]:
            faults.append(Fault(place, f"scene.set moves the module {one.module!r} twice"))
            continue
        try:
            moved = set_module(moved, one)
        except InputError as error:
            faults += faults_from(error, place)
    if scene.plan is not None and not faults:
        try:
            at_plan(moved, scene)
        except InputError as error:
            faults += faults_from(error, ("scene", "plan"))
    return faults


def place_faults(scored: Sequence[Score], goals: Goals | None) -> list[Fault]:
    """Return what a run without a phantom cannot score: it has no voxels, and maybe no dose for a goal."""
    faults = [
        Fault(("score", n), f"Score {score.file_name!r} has no voxels: there is no phantom", None,
              "size_mm, voxel_mm and origin_mm for a grid of its own")
        for n, score in enumerate(scored)
        if score.has_voxels and score.size_mm is None
    ]  # fmt: skip
    grids = any(score.size_mm is not None for score in scored)
    for key in ("uncertainty_percent", "dose_error_percent"):
        if goals is not None and getattr(goals, key) is not None and not grids:
            what = f"goal.{key} is that of a dose, and nothing scores one"
            faults.append(Fault(("goal", key), what, None, "a score with a grid; or histories"))
    return faults


def companion_faults(source: AnySource | None, reduction: VarianceReduction | None) -> list[Fault]:
    """Return what does not go together with a scene."""
    faults = []
    if isinstance(source, SpotsSource) and source.plan is not None:
        what = "The spots of a plan come through the beam line of their beam model, not through a scene"
        faults.append(Fault(("source", "plan"), what, None, "spots of a file, or no scene"))
    for key in ("photon_splitting", "track_length"):
        if reduction is not None and getattr(reduction, key):
            place, what = ("variance_reduction", key), f"variance_reduction.{key} is for a phantom without a scene"
            faults.append(Fault(place, what, getattr(reduction, key), "off"))
    return faults
