"""A phantom in the place of the patient."""

from dosewright.commissioning.phantom import Phantom
from dosewright.geometry.patient_report import Patient, PatientReport, material_use


def phantom_patient(phantom: Phantom, place_mm: tuple[float, float, float]) -> Patient:
    """Place a phantom with its own reference point at a place: the isocentre of the plan, or shifted from there."""
    voxels = phantom.voxels(place_mm)
    size = " x ".join(f"{s:g}" for s in phantom.size_mm)
    point = ", ".join(f"{p:g}" for p in phantom.isocenter_mm)
    said = (
        f"Phantom {phantom.name!r}: {size} mm of {phantom.material.name} ({phantom.density_g_cm3:g} g/cm3) with "
        f"{len(phantom.inserts)} inserts; the point ({point}) mm from its lower corner lies at "
        f"({', '.join(f'{p:g}' for p in place_mm)}) mm."
    )
    told = (said, *phantom.assumptions)
    report = PatientReport(phantom.grid(place_mm), None, 0, 0, material_use(voxels), (), told, ())
    return Patient(voxels, report)
