"""A plan and everything that belongs to it, found on disk."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dosewright.core.errors import InputError, refuse
from dosewright.core.looks import Looks
from dosewright.core.plan import IonPlan
from dosewright.core.structures import StructureSet
from dosewright.formats.dicom.ct import CtSeries, read_ct
from dosewright.formats.dicom.dose import DicomDose, read_dose
from dosewright.formats.dicom.folder import Header, read_header, scan
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import read_ion_plan
from dosewright.formats.dicom.matching import CT, DOSES, PLAN, STRUCTURES, Found, match
from dosewright.formats.dicom.saving import MANUFACTURER
from dosewright.formats.dicom.sop_classes import (
    CT_IMAGE,
    NAMES,
    RT_DOSE,
    RT_ION_PLAN,
    RT_PLAN,
    RT_STRUCTURE_SET,
    name_of,
)
from dosewright.formats.dicom.structures import read_structures

Parts = tuple[IonPlan, StructureSet | None, CtSeries | None, tuple[DicomDose, ...]]


@dataclass(frozen=True)
class Chosen:
    """What the user chose instead of leaving it to the search; None and empty leave it.

    `ct` is a file of the series or a folder; `doses` are files. `fraction_group`, `ignore_devices` and `beams` (names
    or numbers) are those of `read_ion_plan`.
    """

    ct: Path | None = None
    structures: Path | None = None
    doses: tuple[Path, ...] = ()
    fraction_group: int | None = None
    ignore_devices: bool = False
    beams: tuple[str, ...] = ()


@dataclass(frozen=True)
class Study:
    """A plan with the CT, the structures and the planned doses that belong to it, each None or empty if missing.

    `input_sha256` names every file used by its kind and SOP Instance UID, so that nothing personal is among its keys.
    """

    plan_path: Path = field(repr=False)
    plan: IonPlan = field(repr=False)
    ct: CtSeries | None = field(repr=False)
    structures: StructureSet | None = field(repr=False)
    doses: tuple[DicomDose, ...] = field(repr=False)
    identity: Identity
    input_sha256: dict[str, str] = field(repr=False, hash=False)
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyLook:
    """What of a study could be read, and every problem of the rest; `study` is None with any problem.

    `unknown` names the parts that were refused, or not looked for because they depend on such (``"plan"``,
    ``"structures"``, ``"CT"``, ``"doses"``). A part that is None and not among them is missing from the study.
    """

    plan: IonPlan | None
    structures: StructureSet | None
    ct: CtSeries | None
    unknown: frozenset[str]
    problems: tuple[str, ...]
    study: Study | None


def find_study(plan: Path, chosen: Chosen | None = None) -> Study:
    """Read a plan, given its file or a folder holding it, and what belongs to it from the same folder and below.

    Every tie that is weaker than a reference by UID is said in `warnings`, which also repeat those of all objects.
    Raises `InputError` if there is no plan or more than one, if several objects fit equally well, or if an object is
    refused; the problems of all objects come together.
    """
    look = look_for_study(plan, chosen)
    if look.study is None:
        raise InputError(*look.problems)
    return look.study


def look_for_study(plan: Path, chosen: Chosen | None = None) -> StudyLook:
    """Look for all parts of a study as `find_study` does; what is refused keeps only what depends on it from a look."""
    chosen, looks = chosen or Chosen(), Looks()
    files = _chosen_files(chosen, looks)
    there = looks.at(PLAN, lambda: _plan_and_headers(plan))
    ion_plan = looks.at(PLAN, lambda: _read_plan(there[0], chosen)) if there else None
    if there is None or ion_plan is None:
        return StudyLook(None, None, None, frozenset({PLAN, STRUCTURES, CT, DOSES}), tuple(looks.problems), None)
    head, headers = there
    found = _found(head, ion_plan, headers, files, looks)
    structures = looks.at(STRUCTURES, lambda: read_structures(found.structures.path) if found.structures else None)
    ct = looks.at(CT, lambda: read_ct([h.path for h in found.ct]) if found.ct else None)
    doses = looks.at(DOSES, lambda: _read_doses(found.doses, chosen, looks.warnings)) or ()
    ion_plan = _with_patient_position(ion_plan, ct, looks.warnings)
    study = None if looks.problems else _study(head, found, (ion_plan, structures, ct, doses), looks.warnings)
    return StudyLook(ion_plan, structures, ct, frozenset(looks.unknown), tuple(looks.problems), study)


def _plan_and_headers(plan: Path) -> tuple[Header, list[Header]]:
    """Return the plan's header, and those of everything in its folder and below."""
    if not plan.exists():
        raise refuse("There is no such file or folder", given=plan.name)
    headers = scan(plan.resolve() if plan.is_dir() else plan.resolve().parent)
    return _the_plan(headers) if plan.is_dir() else _plan_file(plan.resolve()), headers


def _read_plan(head: Header, chosen: Chosen) -> IonPlan:
    return read_ion_plan(
        head.path,
        fraction_group=chosen.fraction_group,
        ignore_devices=chosen.ignore_devices,
        chosen_beams=chosen.beams,
    )


def _study(head: Header, found: Found, parts: Parts, warnings: list[str]) -> Study:
    plan, structures, ct, doses = parts
    _say_other_patients(head, found, warnings)
    for part in (plan, structures, ct, *doses):
        warnings.extend(part.warnings if part else ())
    frame = plan.frame_of_reference_uid or (ct.frame_of_reference_uid if ct else "")
    used = [head, *found.ct, *([found.structures] if found.structures else []), *found.doses]
    return Study(
        plan_path=head.path,
        plan=plan,
        ct=ct,
        structures=structures,
        doses=doses,
        identity=head.identity.within(frame),
        input_sha256=_hashes(used),
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _plan_file(path: Path) -> Header:
    head = read_header(path)
    if head is None:
        raise refuse("The file is no DICOM object", where=path.name)
    return head


def _the_plan(headers: Sequence[Header]) -> Header:
    """Return the one ion plan of a folder."""
    plans = [h for h in headers if h.sop_class_uid == RT_ION_PLAN]
    if len(plans) > 1:
        listed = "; ".join(f"{h.path.name} ({h.label or 'no label'})" for h in plans)
        raise refuse("The folder holds several RT Ion Plans; give the file of one", given=listed)
    if not plans and any(h.sop_class_uid == RT_PLAN for h in headers):
        raise InputError(
            "The folder holds a photon or electron plan (RT Plan) but no RT Ion Plan; only scanned ion plans are "
            "calculated."
        )
    if not plans:
        raise refuse("The folder holds no RT Ion Plan", given=f"{len(headers)} DICOM files")
    return plans[0]


@dataclass(frozen=True)
class _Files:
    """The files that the user chose."""

    structures: tuple[Header, ...]
    doses: tuple[Header, ...]
    slices: tuple[Header, ...]


def _found(head: Header, plan: IonPlan, headers: Sequence[Header], files: _Files, looks: Looks) -> Found:
    """Search what was not chosen."""
    structures, doses, slices = files.structures, files.doses, files.slices
    searched = [
        h
        for h in headers
        if not (structures and h.sop_class_uid == RT_STRUCTURE_SET)
        and not (slices and h.sop_class_uid == CT_IMAGE)
        and not (doses and h.sop_class_uid == RT_DOSE)
    ]
    uid = structures[0].uid if structures else plan.structure_set_uid
    found = match(head, uid, [*searched, *structures, *slices], looks)
    said = looks.warnings
    if slices:
        said = [s for s in said if "the CT series was taken" not in s]
    if doses:
        said = [s for s in said if not s.startswith("No planned dose")]
    strangers = sum(bool(h.plan_uids) and head.uid not in h.plan_uids for h in doses)
    if strangers:
        said.append(f"Doses named with --dose that refer to another plan ({strangers}) are compared all the same.")
    if any(h.manufacturer == MANUFACTURER for h in doses):
        said.append("A dose named with --dose was calculated by Dosewright: its own results are compared.")
    looks.warnings = said
    return Found(structures[0] if structures else found.structures, slices or found.ct, doses or found.doses)


def _chosen_files(chosen: Chosen, looks: Looks) -> _Files:
    """Return the structure set, the doses and the CT slices chosen; a part of which one cannot be taken is unknown."""
    named = [chosen.structures] if chosen.structures else []
    return _Files(
        looks.at(STRUCTURES, lambda: _of_kind("--structures", named, RT_STRUCTURE_SET)) or (),
        looks.at(DOSES, lambda: _of_kind("--dose", chosen.doses, RT_DOSE)) or (),
        looks.at(CT, lambda: _chosen_ct(chosen.ct) if chosen.ct else ()) or (),
    )


def _of_kind(option: str, paths: Sequence[Path], kind: str) -> tuple[Header, ...]:
    """Return the headers of files that must be of one kind; all that are not are refused together."""
    found: list[Header] = []
    problems: list[str] = []
    for path in paths:
        head = read_header(path) if path.is_file() else None
        if head is not None and head.sop_class_uid == kind:
            found.append(head)
            continue
        given = "no such file" if not path.is_file() else name_of(head.sop_class_uid) if head else "no DICOM object"
        problems.extend(refuse(f"What {option} names is no {NAMES[kind]}", given=given, where=path.name).problems)
    if problems:
        raise InputError(*problems)
    return tuple(found)


def _chosen_ct(place: Path) -> tuple[Header, ...]:
    """Return the series of the CT file given, or all CT Images of the folder given."""
    if not place.is_dir():
        (named,) = _of_kind("--ct", [place], CT_IMAGE)
        beside = scan(place.resolve().parent)
        return tuple(h for h in beside if h.sop_class_uid == CT_IMAGE and h.series_uid == named.series_uid)
    found = tuple(h for h in scan(place) if h.sop_class_uid == CT_IMAGE)
    if not found:
        raise refuse("The folder that --ct names holds no CT Image", where=place.name)
    return found


def _read_doses(found: Sequence[Header], chosen: Chosen, warnings: list[str]) -> tuple[DicomDose, ...]:
    """Read the doses; one that is refused is left out aloud unless it was chosen."""
    doses: list[DicomDose] = []
    for head in found:
        try:
            doses.append(read_dose(head.path))
        except InputError as refused:
            if chosen.doses:
                raise
            for problem in refused.problems:  # a warning goes into reports, where a file name may tell a patient's
                warnings.append(f"A planned dose was left out: {problem.replace(head.path.name, 'planned dose')}")
    kinds = [(d.dose_type, d.summation_type, d.beam_number) for d in doses]
    double = sorted({f"{a} {b} {c or ''}".strip() for a, b, c in kinds if kinds.count((a, b, c)) > 1})
    if double:
        raise refuse(
            "Several planned doses say the same of themselves; name those to compare with --dose",
            given=", ".join(double),
        )
    return tuple(doses)


def _with_patient_position(plan: IonPlan, ct: CtSeries | None, warnings: list[str]) -> IonPlan:
    """Fill in the patient position where the plan leaves it empty."""
    stated = ct.patient_position if ct else ""
    others = {b.patient_position for b in plan.beams if b.patient_position} - {stated}
    if stated and others:
        warnings.append(f"The CT was taken {stated}, the plan treats {', '.join(sorted(others))}; the plan counts.")
    if all(b.patient_position for b in plan.beams):
        return plan
    position = stated or "HFS"
    source = "that of the CT" if stated else "ASSUMED, because plan and CT state none"
    warnings.append(f"Patient position {position} was taken: {source}.")
    return replace(
        plan, beams=tuple(b if b.patient_position else replace(b, patient_position=position) for b in plan.beams)
    )


def _say_other_patients(plan: Header, found: Found, warnings: list[str]) -> None:
    parts = (("CT", found.ct[:1]), ("structure set", (found.structures,)), ("planned dose", found.doses))
    for what, headers in parts:
        if any(h is not None and not plan.identity.same_patient(h.identity) for h in headers):
            warnings.append(
                f"The {what} names another patient than the plan (Patient ID); make sure they belong together."
            )


def _hashes(used: Sequence[Header]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, head in enumerate(used, 1):
        name = f"{NAMES[head.sop_class_uid]} {head.uid or f'without UID, file {number}'}"
        with head.path.open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found
