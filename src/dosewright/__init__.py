"""Dosewright: independent Monte Carlo dose for radiotherapy. Not a medical device.

The names below are defined elsewhere and loaded when they are first used, so that the command line starts quickly.
"""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dosewright.analysis.dvh import dvh
    from dosewright.analysis.gamma import GammaCriteria, gamma
    from dosewright.commissioning.site.catalog import Library
    from dosewright.core.beam_model import BeamModel
    from dosewright.core.errors import InputError
    from dosewright.core.frame import Rigid, gantry_to_patient
    from dosewright.core.grid import Grid, Image
    from dosewright.core.matter import Material
    from dosewright.core.plan import IonPlan
    from dosewright.formats.dicom.dose import read_dose
    from dosewright.formats.dicom.study import find_study
    from dosewright.geometry.patient import patient_voxels
    from dosewright.geometry.voxels import Voxels
    from dosewright.materials.library import named
    from dosewright.simulation.goal import Goal
    from dosewright.simulation.problem import TransportSettings, proton_problem
    from dosewright.simulation.result import Result
    from dosewright.simulation.run import simulate
    from dosewright.simulation.run_file.read import read_run_file
    from dosewright.sources.pencil_beams import pencil_beams
    from dosewright.workflow.request import DoseRequest

__version__ = version("dosewright")

_HOMES = {
    "BeamModel": "core.beam_model",
    "DoseRequest": "workflow.request",
    "GammaCriteria": "analysis.gamma",
    "Goal": "simulation.goal",
    "Grid": "core.grid",
    "Image": "core.grid",
    "InputError": "core.errors",
    "IonPlan": "core.plan",
    "Library": "commissioning.site.catalog",
    "Material": "core.matter",
    "Result": "simulation.result",
    "Rigid": "core.frame",
    "TransportSettings": "simulation.problem",
    "Voxels": "geometry.voxels",
    "dvh": "analysis.dvh",
    "find_study": "formats.dicom.study",
    "gamma": "analysis.gamma",
    "gantry_to_patient": "core.frame",
    "named": "materials.library",
    "patient_voxels": "geometry.patient",
    "pencil_beams": "sources.pencil_beams",
    "proton_problem": "simulation.problem",
    "read_dose": "formats.dicom.dose",
    "read_run_file": "simulation.run_file.read",
    "simulate": "simulation.run",
}

__all__ = [
    "BeamModel",
    "DoseRequest",
    "GammaCriteria",
    "Goal",
    "Grid",
    "Image",
    "InputError",
    "IonPlan",
    "Library",
    "Material",
    "Result",
    "Rigid",
    "TransportSettings",
    "Voxels",
    "dvh",
    "find_study",
    "gamma",
    "gantry_to_patient",
    "named",
    "patient_voxels",
    "pencil_beams",
    "proton_problem",
    "read_dose",
    "read_run_file",
    "simulate",
]


def __getattr__(name: str) -> Any:
    """Load a public name from where it is defined."""
    if name not in _HOMES:
        raise AttributeError(f"module 'dosewright' has no attribute {name!r}")
    return getattr(import_module(f"dosewright.{_HOMES[name]}"), name)
