"""What the scene of a run was, and how its variance was reduced, for the summary."""

from typing import Any

from dosewright.core.modules import MODULES
from dosewright.simulation.run_file.tables import OFF, RunFile
from dosewright.simulation.setup.prepare import Prepared

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
             "parts": len(scene.of_module[module.name])}
            for module in scene.scene.modules
        ],
        "fill": "vacuum" if scene.fill is None else scene.fill.name,
        "origin_mm": list(table.origin_mm),
        "rotation_deg": list(table.rotation_deg),
        "variance_reduction": _reductions(run_file),
    }  # fmt: skip


def _reductions(run_file: RunFile) -> dict[str, Any]:
    """Return what of the variance reduction is on."""
    table = run_file.variance_reduction.model_dump(mode="json", exclude_none=True)
    limited = table["xy_limits"] != OFF
    return {
        key: value for key, value in table.items() if value and value != OFF and (key != "roulette_value" or limited)
    } | ({"roulette_value": table["roulette_value"]} if limited else {})
