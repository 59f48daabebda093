"""A plan as a script in FRED's language: what `calc` would deliver, to be run or edited.

The patient stays in DICOM axes; each field has its origin at the isocentre, its front along the beam and its left along
the x of the gantry. Optics stand as the squared size about the isocentre, a + b z + c z^2, which holds the whole
covariance. Each beam is a step; what stands in it is there in its step only.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

import dosewright
from dosewright.core.errors import InputError, refuse
from dosewright.core.frame import Rigid
from dosewright.core.grid import Image
from dosewright.core.plan import IonBeam
from dosewright.core.solids import Box, Device, Solid
from dosewright.core.units import MM_PER_CM
from dosewright.geometry.beam.beamline import heights_mm, words
from dosewright.materials.elements import element
from dosewright.sources import emit
from dosewright.sources.pencil_beams import drifted, reach_mm
from dosewright.workflow.postprocess.summary import NOT_CLINICAL
from dosewright.workflow.preprocess.case import Case
from dosewright.workflow.preprocess.target import Target
from dosewright.workflow.treatment.beams import FLIGHT
from dosewright.workflow.treatment.numbered_voxels import numbered_voxels, table_text, with_explicit_excitation
from dosewright.workflow.treatment.plan_portions import PATIENT, plan_portions
from dosewright.workflow.treatment.portion import Portion

INPUT, TABLE, BEAMS, CT = "fred.inp", "hu_table.inp", "pencil_beams.inp", "CT.mhd"
HISTORIES = 1_000_000  # of a beam, where nobody says another number
COLUMNS = ("P.x", "P.y", "P.z", "v.x", "v.y", "T", "Estdev", "N", "sigmaSqr_D_ISO", "sigmaSqr_aX", "sigmaSqr_bX",
           "sigmaSqr_cX", "sigmaSqr_aY", "sigmaSqr_bY", "sigmaSqr_cY")  # fmt: skip
SCORES = "[Dose, Dose-to-water]"

Array = NDArray[np.float64]
Beams = Sequence[tuple[IonBeam, Portion]]


@dataclass(frozen=True)
class PlanScript:
    """A script: texts by file name, its CT, and what a reader should know, a sentence each."""

    texts: dict[str, str]
    ct: Image
    said: tuple[str, ...]


def plan_script(case: Case, target: Target, histories: int = HISTORIES) -> PlanScript:
    """Return the portions of a case as a script, from which they can be read again; refuses what it cannot say.

    Parameters
    ----------
    case, target
        As `calc` makes them.
    histories
        Of a beam, shared among its pencil beams.
    """
    portions = plan_portions(case, target)
    beams = [(one.beam, portion) for one, portion in zip(case.beams, portions, strict=True)]
    _check(beams)
    study = case.study
    ct = study.ct.image if study.ct is not None and case.request.phantom is None else None
    numbered = numbered_voxels(target.patient, ct, target.table)
    most = max(len(portion.beams.rows) for portion in portions)
    devices = {beam.number: _boxes(beam, portion) for beam, portion in beams}
    lines = [
        f"# A plan as Dosewright {dosewright.__version__} delivers it. {NOT_CLINICAL}",
        "# Lengths in cm, DICOM patient axes; N are particles of all fractions.",
        f"nprim = {max(1, -(-histories // most))}",
        "",
        f"region: Room ; material = {portions[0].around.medium}",
        f"region: {PATIENT} ; CTscan = {CT} ; score = {SCORES}",
        f"include: {TABLE}",
        "",
    ]
    for beam, portion in beams:
        lines += [
            *_field_lines(beam, portion, case.fractions),
            *(line for box in devices[beam.number] for line in box.lines),
        ]
    lines += [f"include: {BEAMS}", ""]
    aside = [box.name for boxes in devices.values() for box in boxes]
    lines += [f"deactivate: {' '.join(aside)}"] if aside else []
    for beam, portion in beams:
        names = " ".join(box.name for box in devices[beam.number])
        lines += [f"activate: {names}"] if names else []
        lines += [f"deliver: {portion.field}"]
        lines += [f"deactivate: {names}"] if names else []
    texts = {INPUT: "\n".join(lines) + "\n", TABLE: table_text(numbered.rows), BEAMS: _beams_text(beams)}
    return PlanScript(texts, numbered.ct, tuple(dict.fromkeys(_said(case, target, numbered.own))))


def _check(beams: Beams) -> None:
    """Refuse what the language cannot say, or says for all beams only."""
    media = {portion.around.medium for _, portion in beams}
    problems: list[str] = []
    if len(media) > 1:
        problems += refuse("The beam models differ in what fills the room, which a script has once",
                           given=", ".join(sorted(media)), allowed="beams of one medium (-b)").problems  # fmt: skip
    for beam, portion in beams:
        for device in portion.around.devices:
            odd = [solid for solid in device.solids if not isinstance(solid.shape, Box) or solid.material is None]
            if odd:
                shape = "a hole" if odd[0].material is None else f"a {type(odd[0].shape).__name__.lower()}"
                problems += refuse(
                    f"Beam {beam.number}: the {words(device)} is not made of boxes, and FRED's regions are boxes",
                    given=f"{odd[0].name!r}, {shape}",
                    allowed="other beams (-b), or --ignore-devices for blocks and compensators",
                ).problems
    if problems:
        raise InputError(*problems)


def _field_lines(beam: IonBeam, portion: Portion, fractions: int) -> list[str]:
    frame = FLIGHT.then(portion.beams.to_room)  # a field flies along +z, x as in the gantry
    name = re.sub(r"[^\w .+-]", "_", beam.name)
    axes = f"f = {_vector(frame.rotation[:, 2])} ; u = {_vector(frame.rotation[:, 1])}"
    return [
        f"# Beam {beam.number} {name}: gantry {beam.gantry_deg:g}, couch {beam.couch_deg:g} degrees, "
        f"{portion.particles:.6g} particles in {fractions} fractions",
        f"field: {beam.number} ; O = {_vector(frame.translation / MM_PER_CM)} ; {axes}",
    ]


@dataclass(frozen=True)
class _BoxRegion:
    """A region of what stands in a beam, with its lines."""

    name: str
    lines: tuple[str, ...]


def _boxes(beam: IonBeam, portion: Portion) -> list[_BoxRegion]:
    """Return the boxes of what stands in a beam, as wide as the beam can be where they reach beyond it."""
    found = []
    for device in portion.around.devices:
        for number, solid in enumerate(device.solids, 1):
            word = re.sub(r"\W+", "_", device.id)
            found.append(_box(portion, device, solid, f"B{beam.number}_{word}_{number}"))
    return found


def _box(portion: Portion, device: Device, solid: Solid, name: str) -> _BoxRegion:
    shape, material = solid.shape, solid.material
    if not isinstance(shape, Box) or material is None:
        raise AssertionError("checked before")
    centre, size = np.array(solid.centre_mm), np.array(shape.size_mm)
    heights = heights_mm((device,))
    if heights is not None and np.allclose(solid.rotation, np.eye(3), atol=1e-9):
        span = np.array([*reach_mm(portion.pencils, heights[0]), (-np.inf, np.inf)]).T
        low, high = np.maximum(centre - size / 2, span[0]), np.minimum(centre + size / 2, span[1])
        centre, size = (low + high) / 2, high - low
    placed = Rigid(solid.rotation, centre).then(portion.beams.to_room)
    axes = f"f = {_vector(placed.rotation[:, 2])} ; u = {_vector(placed.rotation[:, 1])}"
    medium = with_explicit_excitation(material)
    symbols = ",".join(element(z).symbol for z in medium.mass_fractions)
    shares = ",".join(f"{100 * share:.9g}" for share in medium.mass_fractions.values())
    lines = (
        f"material: {name}_medium ; rho = {solid.density_g_cm3:.9g} ; Ipot = {medium.mean_excitation_eV:.9g} ; "
        f"composition = [{symbols}] ; weights = [{shares}]",
        f"region: {name} ; O = {_vector(placed.translation / MM_PER_CM)} ; {axes} ; "
        f"L = {_vector(size / MM_PER_CM)} ; material = {name}_medium",
    )
    return _BoxRegion(name, lines)


def _beams_text(beams: Beams) -> str:
    """Return the pencil beams of all fields as rows."""
    lines = []
    for beam, portion in beams:
        number = beam.number
        lines.append(f"pbmaster: {number} ; particle = proton ; Xsec = emittance ; columns = [{', '.join(COLUMNS)}]")
        for n, (row, particles) in enumerate(zip(portion.beams.rows, portion.beams.particles, strict=True), 1):
            values = " ".join(f"{value + 0.0:.12g}" for value in _pencil_values(row, particles))
            lines.append(f"pb: {n} {number} {values}")
    return "\n".join(lines) + "\n"


def _pencil_values(row: Array, particles: float) -> Iterable[float]:
    """Return a pencil beam by the columns: lengths cm, the squared size about the isocentre in cm2, cm and 1."""
    start = row[emit.START_Z]
    about: list[float] = []
    for width, along, rest in ((emit.XX, emit.XS, emit.SS_X), (emit.YY, emit.YS, emit.SS_Y)):
        cov = np.array([[row[width] ** 2, row[width] * row[along]],
                        [row[width] * row[along], row[along] ** 2 + row[rest] ** 2]])  # fmt: skip
        at = drifted(cov, start)  # cm, as the row
        about += [at[0, 0], 2 * at[0, 1], at[1, 1]]
    # Rows fly along -z with y as in the gantry; a field flies along +z: half a turn about x.
    return (row[emit.X], -row[emit.Y], -start, row[emit.SLOPE_X], -row[emit.SLOPE_Y], row[emit.MEAN_ENERGY],
            row[emit.ENERGY_SIGMA], particles, start, *about)  # fmt: skip


def _said(case: Case, target: Target, own: int) -> list[str]:
    said = [
        "The dose of a script is scored on the voxels of the CT, as with -f; N are particles of all fractions.",
        f"{own:,} voxels that are not what the CT protocol makes of their number (air outside, structures with a "
        "material) have numbers below it.",
    ]
    if any(one.correction.dose_factor != 1.0 for one in case.beams):
        said.append("The site's dose factor is part of N.")
    if case.request.remove_outside:
        said.append("Doses outside the EXTERNAL are not removed by a script.")
    if case.request.dose_to == "medium":
        said.append("A script scores the dose to medium and that to water.")
    return [*case.assumptions, *case.warnings, *target.assumptions, *target.warnings, *said]


def _vector(values: Sequence[float] | Array) -> str:
    return "[" + ", ".join(f"{float(value) + 0.0:.12g}" for value in values) + "]"
