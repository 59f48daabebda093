"""The variance reduction of a run file: from the axes of the run to those of the box of voxels."""

from pathlib import Path

import numpy as np

from dosewright.core.errors import refuse
from dosewright.core.frame import Rigid
from dosewright.core.xy_limits import XyLimits
from dosewright.formats.text.xy_limits import read_xy_limits
from dosewright.geometry.scene.xy_limits import limits_of
from dosewright.simulation.reduction_settings import DirectionalSplitting, ReductionSettings, UniformSplitting
from dosewright.simulation.run_file.source_tables import AnySource, PointSource
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.run_file.transport_tables import Directional
from dosewright.simulation.run_file.values import AUTO, OFF
from dosewright.simulation.setup.scene import PlacedScene

PARALLEL = 1.0e-6  # how far a cosine of axes that fit may be from 0 or 1


def reduction_settings(run_file: RunFile, scene: PlacedScene, run_to_box: Rigid) -> ReductionSettings:
    """Return what a run asks for, its field and plane in the axes of the box of voxels (mm)."""
    table = run_file.variance_reduction
    split: UniformSplitting | DirectionalSplitting | None = None
    if table.bremsstrahlung_splitting:
        split = UniformSplitting(table.bremsstrahlung_splitting)
    elif table.directional is not None:
        split = _in_box(table.directional, run_to_box, equal_weight=False)
    elif table.equal_weight is not None:
        split = _in_box(table.equal_weight, run_to_box, equal_weight=True)
    limits = _limits(table.xy_limits, run_file.source, scene)
    return ReductionSettings(split, table.russian_roulette, table.voxel_splitting, limits, float(table.roulette_value))


def _in_box(directional: Directional, run_to_box: Rigid, *, equal_weight: bool) -> DirectionalSplitting:
    """Turn a field into the axes of the box; refuse a box whose axes do not lie along those of the run."""
    turn = np.round(run_to_box.rotation)
    if abs(turn[2, 2]) != 1.0 or np.abs(run_to_box.rotation - turn).max() > PARALLEL:
        key = "variance_reduction." + ("equal_weight" if equal_weight else "directional")
        raise refuse("A field normal to z needs voxels with the z axis of the run", where=f"{key}.at_mm",
                     given="an image whose axes are turned", allowed="axes along those of the run")  # fmt: skip
    x, y, z = run_to_box.points(np.array(directional.at_mm))
    plane = run_to_box.points(np.array([*directional.at_mm[:2], directional.electron_plane_mm]))[2]
    a, b = np.abs(turn[:2, :2]) @ np.array(directional.field_mm)
    return DirectionalSplitting(directional.n, (float(a), float(b)), (float(x), float(y), float(z)), float(plane),
                                equal_weight)  # fmt: skip


def _limits(word: str, source: AnySource, scene: PlacedScene) -> XyLimits | None:
    """Return the limits of a file, or those of the parts along the beam; None where they are off."""
    if word == OFF:
        return None
    if word == AUTO:
        return limits_of(scene.parts, _beam(source, scene))
    return read_xy_limits(Path(word))


def _beam(source: AnySource, scene: PlacedScene) -> int:
    """Say which way the beam runs along the z of the scene; backwards, as IEC 61217 has it, where a source has none."""
    flight = getattr(source, "direction", None)
    if flight is None and isinstance(source, PointSource):
        flight = np.subtract(source.field_at_mm, source.position_mm)
    if flight is None:
        return -1
    return 1 if scene.to_run.inverse().directions(np.array(flight))[2] > 0 else -1
