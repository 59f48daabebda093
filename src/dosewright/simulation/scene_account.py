"""What the scene of a run was, and how its variance was reduced, for the summary."""

from typing import Any

from dosewright.core.modules import MODULES, Jaws, Mlc
from dosewright.core.scene import Module
from dosewright.simulation.run_file.tables import RunFile
from dosewright.simulation.run_file.values import OFF
from dosewright.simulation.setup.prepare import Prepared
from dosewright.simulation.setup.scene_moves import PlannedOpening

KINDS = {kind: word for word, kind in MODULES.items()}


def scene_account(run_file: RunFile, prepared: Prepared) -> dict[str, Any]:
    """Return the numbers of parts, the modules, where the scene lies, what fills it, and the reductions used."""
    scene, table = prepared.scene, run_file.scene
    if scene is None or table is None:
        raise ValueError("there is no scene")
    return {
        "parts": len(scene.parts),
        "modules": [
            {"name": module.name, "kind": KINDS.get(type(module), type(module).__name__),
             "parts": len(scene.of_module[module.name]), **_opening_of(module)}
            for module in scene.scene.modules
        ],
        "fill": "vacuum" if scene.fill is None else scene.fill.name,
        "origin_mm": list(table.origin_mm),
        "rotation_deg": list(table.rotation_deg),
        **({"plan": _plan(scene.planned)} if scene.planned else {}),
        "variance_reduction": _reductions(run_file),
    }  # fmt: skip


def _opening_of(module: Module) -> dict[str, Any]:
    """Return where jaws and leaves stand, at the isocentre plane."""
    if isinstance(module, Jaws):
        return {"opening_mm": [module.negative_mm, module.positive_mm]}
    if isinstance(module, Mlc):
        return {"openings_mm": [[pair.negative_mm, pair.positive_mm] for pair in module.pairs]}
    return {}


def _plan(planned: PlannedOpening) -> dict[str, Any]:
    """Return where in the plan jaws and leaves stand; the file's hash is among the inputs."""
    beam, point = planned.beam, planned.point
    return {
        "beam": beam.number,
        "beam_name": beam.name,
        "machine": beam.machine,
        "control_point": planned.number,
        "control_points": len(beam.control_points),
        "collimator_deg": planned.collimator_deg,
        "gantry_deg_not_applied": point.gantry_deg,
        "couch_deg_not_applied": point.couch_deg,
    }


def _reductions(run_file: RunFile) -> dict[str, Any]:
    """Return what of the variance reduction is on."""
    table = run_file.variance_reduction.model_dump(mode="json", exclude_none=True)
    limited = table["xy_limits"] != OFF
    return {
        key: value for key, value in table.items() if value and value != OFF and (key != "roulette_value" or limited)
    } | ({"roulette_value": table["roulette_value"]} if limited else {})
