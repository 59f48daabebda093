"""Whether a source stands where the modules of a scene expect it, and flies their way."""

import numpy as np
from numpy.typing import NDArray

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.modules import Jaws, Mlc
from dosewright.core.passive_modules import Block
from dosewright.core.scene import Module
from dosewright.simulation.run_file.source_tables import (
    AnySource,
    PhaseSpaceSource,
    PointSource,
    SpotsSource,
    VolumeSource,
)
from dosewright.simulation.setup.beam_source import beam_source
from dosewright.simulation.setup.scene import PlacedScene

NEAR_MM = 1.0  # of the focus; half way to the isocentre plane edges are off by as much
AGAINST = -0.7  # cosine; a reflection target sends its beam off at right angles


def aim_warnings(scene: PlacedScene, source: AnySource) -> tuple[str, ...]:
    """Return what a reader should know of a point source off the focus, and of one that flies against the beam."""
    if isinstance(source, VolumeSource | PhaseSpaceSource) or (
        isinstance(source, SpotsSource) and source.plan is not None
    ):
        return ()
    flight = -beam_source(source).to_patient.rotation[:, 2]
    told = []
    for module in scene.scene.modules:
        to_run = _axes_of(module, scene)
        along = to_run.directions(np.array([0.0, 0.0, getattr(module, "beam", -1)]))
        if hasattr(module, "beam") and along @ flight < AGAINST:
            told.append(
                f"The source flies against the beam of the module {module.name!r}, which is along {_in_words(along)} "
                "in the axes of the run. Is scene.rotation_deg missing?"
            )
        focus = _focus_mm(module)
        if focus is None or not isinstance(source, PointSource):
            continue
        off = to_run.inverse().points(np.array(source.position_mm)) - focus
        if isinstance(module, Jaws):
            off["YX".index(module.orientation)] = 0.0  # jaws have no focus across
        if np.linalg.norm(off) > NEAR_MM:
            told.append(
                f"The source lies {np.linalg.norm(off):.3g} mm from the focus of the module {module.name!r}, which is "
                f"at {_in_words(to_run.points(focus))} mm in the axes of the run: its field is not the one it says."
            )
    return tuple(told)


def _focus_mm(module: Module) -> NDArray[np.float64] | None:
    """Return where the rays of a module's field begin, in its own axes; None where it has no such place."""
    if isinstance(module, Mlc):
        across = module.cross_focus_mm if module.focused else 0.0
        x, y = (0.0, across) if module.orientation == "X" else (across, 0.0)
        return np.array([x, y, module.focus_z_mm])
    if isinstance(module, Jaws) or (isinstance(module, Block) and module.divergent):
        return np.array([0.0, 0.0, module.focus_z_mm])
    return None


def _axes_of(module: Module, scene: PlacedScene) -> Rigid:
    """Return the way from a module's own axes to those of the run, mm."""
    turn = scene.planned.collimator_deg if scene.planned else 0.0
    way = Rigid(rotation_about("z", turn), np.zeros(3))
    parent = getattr(module, "parent", None)
    while parent is not None:
        part = scene.scene.part(parent)
        way = way.then(Rigid(part.placement.rotation, np.array(part.placement.centre_mm)))
        parent = part.parent
    return way.then(scene.to_run)


def _in_words(values: NDArray[np.float64]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in np.round(values, 3) + 0.0) + ")"
