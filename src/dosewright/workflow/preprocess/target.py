"""From a study and a request to one problem per beam: what particles travel through, and where dose is scored."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from dosewright.commissioning.site.catalog import Library
from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid, gantry_to_patient
from dosewright.core.grid import Grid
from dosewright.core.looks import tried
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.core.plan import IonBeam
from dosewright.core.structures import Structure, StructureSet
from dosewright.formats.dicom.ct import CtSeries
from dosewright.formats.dicom.matching import CT, STRUCTURES
from dosewright.formats.dicom.study import Study, StudyLook
from dosewright.formats.text.site_settings import Calculation
from dosewright.geometry.patient import external_of, patient_voxels
from dosewright.geometry.patient_report import Patient
from dosewright.geometry.water_patient import water_in_external
from dosewright.workflow.preprocess.dose_grid import NO_CT_GRID, SPACING_WITHOUT_TPS_MM, DoseGrid, GridWishes, dose_grid
from dosewright.workflow.preprocess.phantom_patient import phantom_patient
from dosewright.workflow.preprocess.tps_doses import TpsDoses
from dosewright.workflow.request import DoseRequest, Wishes

NO_PATIENT = (
    "There is neither a CT nor a structure set with an EXTERNAL beside the plan. Put the CT into the folder of the "
    "plan, or calculate on a phantom with -p (dosewright query -P lists them)."
)


@dataclass(frozen=True)
class Target:
    """What the beams meet and where the dose is scored; `box` is the regular grid of the voxels."""

    patient: Patient
    score: DoseGrid
    assumptions: tuple[str, ...]
    warnings: tuple[str, ...]
    table: HounsfieldTable | None = None


def build_target(
    study: Study, request: DoseRequest, library: Library, tps: TpsDoses, beams: tuple[IonBeam, ...]
) -> Target:
    """Build the phantom, the patient from the CT, or the water-filled EXTERNAL, and choose the dose grid.

    Raises
    ------
    InputError
        Neither CT nor structures nor phantom; unknown protocol, phantom, structures or materials.
    """
    site = library.settings.calculation
    if request.phantom is not None:
        phantom = library.phantom(request.phantom)
        place = shifted(common_isocentre(beams), request.phantom_shift_mm)
        own = phantom.dose_box.grid(place) if phantom.dose_box is not None else None
        return _target(phantom_patient(phantom, place), request, tps, site, own=own)
    overrides = override_materials(request, library)
    if study.ct is not None:
        table = hounsfield_table(study.ct, request, library)
        patient = patient_voxels(study.ct.image, table, study.structures, overrides, tps.grid, site.air_margin_mm)
        return _target(patient, request, tps, site, table)
    external = external_of(study.structures)
    if study.structures is None or external is None:
        raise InputError(NO_PATIENT)
    base = tps.grid if tps.grid is not None else _grid_around(external, site.air_margin_mm)
    patient = water_in_external(study.structures, base, overrides=overrides, margin_mm=site.air_margin_mm)
    return _target(patient, request, tps, site)


def shifted(
    point_mm: tuple[float, float, float], by_mm: tuple[float, float, float] | None
) -> tuple[float, float, float]:
    """Return where a phantom is placed: the isocentre, moved by the shift that is wished for."""
    x, y, z = (p + s for p, s in zip(point_mm, by_mm or (0.0, 0.0, 0.0), strict=True))
    return x, y, z


def beam_frame(beam: IonBeam) -> Rigid:
    """Return the way from a beam's gantry coordinates to patient coordinates."""
    return gantry_to_patient(
        gantry_deg=beam.gantry_deg,
        couch_deg=beam.couch_deg,
        patient_position=beam.patient_position,
        isocenter_mm=np.array(beam.isocenter_mm),
        pitch_deg=beam.pitch_deg,
        roll_deg=beam.roll_deg,
    )


def override_materials(wishes: Wishes, library: Library) -> list[tuple[str, Material]]:
    """Return structure names with their materials, in order; every unknown material is listed."""
    overrides: list[tuple[str, Material]] = []
    problems: list[str] = []
    for roi, name in wishes.overrides:
        unknown: list[str] = []
        material = tried(partial(library.material, name), unknown)
        problems += [f"{problem} Where: -m {roi}:{name}." for problem in unknown]
        if material is not None:
            overrides.append((roi, material))
    if problems:
        raise InputError(*problems)
    return overrides


def hounsfield_table(ct: CtSeries, wishes: Wishes, library: Library) -> HounsfieldTable:
    """Return the CT protocol asked for, else the one that the CT's own keywords choose."""
    if wishes.ct_protocol is not None:
        return library.ct_protocol(wishes.ct_protocol)
    return library.ct_protocol_for(ct.keywords)


def patient_problems(study: StudyLook, wishes: Wishes) -> list[str]:
    """Return everything that keeps the CT and the structures from being used, as far as they are known.

    Structures and CT that a phantom replaces are asked for by other wishes only; which of both goes is the user's
    choice.
    """
    problems: list[str] = []
    ct_known, structures_known = CT not in study.unknown, STRUCTURES not in study.unknown
    if structures_known:
        problems += override_problems(study.structures, wishes)
    if structures_known and wishes.phantom is None:
        before = len(problems)
        external = tried(lambda: external_of(study.structures), problems)
        if ct_known and study.ct is None and external is None and len(problems) == before:
            problems.append(NO_PATIENT)
    if ct_known and wishes.full_ct_grid and study.ct is None:
        problems.append(NO_CT_GRID)
    return problems


def override_problems(structures: StructureSet | None, wishes: Wishes) -> list[str]:
    """Return a problem for each override of a structure that is not there or cannot be filled."""
    if structures is None or not structures.structures:
        return ["Material overrides (-m) need a structure set, and none was found."] if wishes.overrides else []
    problems: list[str] = []
    for roi, material in wishes.overrides:
        unknown: list[str] = []
        structure = tried(partial(structures.named, roi), unknown)
        problems += [f"{problem} Where: -m {roi}:{material}." for problem in unknown]
        if structure is not None and not structure.contours:
            problems.append(f"The structure {roi!r} has no contours; it cannot be filled with {material} (-m).")
    return problems


def _grid_around(external: Structure, margin_mm: float) -> Grid:
    """Return a regular grid around a structure and the margin of air."""
    points = np.concatenate(external.contours)
    low, high = points.min(axis=0) - margin_mm, points.max(axis=0) + margin_mm
    counts = np.ceil((high - low) / SPACING_WITHOUT_TPS_MM).astype(int)
    spacing = (SPACING_WITHOUT_TPS_MM,) * 3
    return Grid(tuple(counts), spacing, tuple(low + SPACING_WITHOUT_TPS_MM / 2))


def common_isocentre(beams: Sequence[IonBeam]) -> tuple[float, float, float]:
    """Return the isocentre of the beams, where a phantom is placed; they must share it."""
    places = {beam.isocenter_mm for beam in beams}
    if len(places) > 1:
        raise InputError(
            f"A phantom (-p) is placed at the isocentre, and these beams have {len(places)}. Choose beams with one "
            f"isocentre (-b) and calculate them one after the other."
        )
    return places.pop()


def _target(
    patient: Patient,
    request: DoseRequest,
    tps: TpsDoses,
    site: Calculation,
    table: HounsfieldTable | None = None,
    own: Grid | None = None,
) -> Target:
    wanted = GridWishes(request.voxel_counts, request.full_ct_grid, site.least_dose_voxel_mm)
    score = dose_grid(tps.grid, patient.report.grid, wanted, ct=table is not None, own=own)
    said = (*patient.report.assumptions, *(use.sentence for use in patient.report.overrides))
    return Target(patient, score, said, patient.report.warnings, table)
