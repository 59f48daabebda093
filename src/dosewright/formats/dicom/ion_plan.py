"""An RT Ion Plan: its treatment beams, spots and metersets."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian

from dosewright.core.beam_choice import NumberedName, choose_beams
from dosewright.core.errors import InputError, refuse
from dosewright.core.plan import IonBeam, IonPlan
from dosewright.formats.dicom.attributes import Attributes, open_dataset, quietly
from dosewright.formats.dicom.conformance import Read, Write, declared
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_beam import TREATED, PlanContext, read_beam
from dosewright.formats.dicom.ion_plan_items import beam_item, fraction_group_item, setup_items, structure_set_item
from dosewright.formats.dicom.saving import decimal, new_object, save
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN, RT_PLAN, name_of

MOST_REFUSED: Final = "test_ion_plan.py::test_what_would_make_a_wrong_dose_is_refused"
REPEATED: Final = "test_ion_plan_attributes.py::test_what_a_plan_says_of_itself"
READS: Final = declared(
    (RT_ION_PLAN,),
    "",
    [
        Read("SOPClassUID", "RT Ion Plan; photon and electron plans are refused by name", MOST_REFUSED),
        Read("SOPInstanceUID", "repeated in every dose", REPEATED),
        Read("FrameOfReferenceUID", "repeated in every dose", REPEATED),
        Read("RTPlanLabel", "shown in the report", REPEATED),
        Read("ApprovalStatus", "shown in the report", REPEATED),
        Read("PlanIntent", "shown in the report", REPEATED),
        Read(
            "RTPlanGeometry",
            "TREATMENT_DEVICE is said",
            "test_ion_plan_attributes.py::test_a_plan_without_a_patient_is_said",
        ),
        Read("ReferencedStructureSetSequence/ReferencedSOPInstanceUID", "finds the structure set", REPEATED),
        Read(
            "DoseReferenceSequence/TargetPrescriptionDose",
            "reference of the histograms, taken as RBE-weighted; of several the highest, said",
            "test_ion_plan_attributes.py::test_of_several_prescriptions_the_highest_counts",
        ),
        Read(
            "FractionGroupSequence/FractionGroupNumber",
            "several groups with beams need --fraction-group",
            "test_ion_plan.py::test_two_fraction_groups",
            assumes="1",
        ),
        Read(
            "FractionGroupSequence/NumberOfFractionsPlanned",
            "dose of the treatment",
            "test_ion_plan.py::test_empty_values_that_are_legal",
            assumes="doses per fraction only, said",
        ),
        Read(
            "FractionGroupSequence/ReferencedBeamSequence/ReferencedBeamNumber",
            "needed; each beam once",
            "test_ion_plan_attributes.py::test_beams_of_the_fraction_group_are_numbered",
        ),
        Read(
            "FractionGroupSequence/ReferencedBeamSequence/BeamMeterset",
            "needed, positive: MU or number of particles per fraction",
            MOST_REFUSED,
        ),
        Read(
            "PatientSetupSequence/PatientSetupNumber",
            "ties the position to its beams",
            "test_ion_plan_attributes.py::test_setups_are_tied_by_number",
            assumes="its place in the list",
        ),
        Read(
            "PatientSetupSequence/PatientPosition",
            "HFS, HFP, FFS, FFP, HFDR, HFDL, FFDR, FFDL; others are refused",
            MOST_REFUSED,
            assumes="that of the CT, else HFS, said",
        ),
        Read("IonBeamSequence/BeamNumber", "needed; numbers must differ", MOST_REFUSED),
        Read("IonBeamSequence/BeamName", "names must differ", MOST_REFUSED, assumes="'Beam' and its number"),
        Read(
            "IonBeamSequence/TreatmentDeliveryType",
            "TREATMENT and CONTINUATION are calculated; others (SETUP, ...) are skipped, said",
            "test_ion_plan.py::test_setup_beams_are_skipped",
            assumes="TREATMENT",
        ),
    ],
)
WRITES: Final = declared(
    (RT_ION_PLAN,),
    "",
    [
        Write("SOPInstanceUID", "as given, else new"),
        Write("FrameOfReferenceUID", "as given, else that of the study"),
        Write("RTPlanLabel", "label, 16 characters"),
        Write("PlanIntent", "intent"),
        Write("RTPlanGeometry", "PATIENT"),
        Write("RTPlanDate", "today"),
        Write("RTPlanTime", "now"),
        Write("DoseReferenceSequence/DoseReferenceNumber", "1"),
        Write("DoseReferenceSequence/DoseReferenceStructureType", "SITE"),
        Write("DoseReferenceSequence/DoseReferenceType", "TARGET"),
        Write("DoseReferenceSequence/TargetPrescriptionDose", "prescription, Gy"),
        Write("FractionGroupSequence", "one"),
        Write("PatientSetupSequence", "one per beam"),
        Write("IonBeamSequence", "the beams"),
        Write("ReferencedStructureSetSequence", "the structure set"),
        Write("ApprovalStatus", "as given, else UNAPPROVED"),
    ],
)


@quietly()
def read_ion_plan(
    path: Path,
    *,
    fraction_group: int | None = None,
    ignore_devices: bool = False,
    chosen_beams: Sequence[str] = (),
) -> IonPlan:
    """Read the treatment beams of an RT Ion Plan file.

    `fraction_group` chooses one where several have beams. `ignore_devices` leaves out apertures, compensators,
    modulators and collimators, which are refused otherwise. `chosen_beams` are names or numbers, empty for all: a beam
    beside them that cannot be read becomes a warning. Raises `InputError` with all problems of the plan.
    """
    plan = Attributes(open_dataset(path, pixels=False), path.name, [])
    _refuse_other_objects(plan)
    warnings: list[str] = []
    if plan.text("RTPlanGeometry") == "TREATMENT_DEVICE":
        warnings.append("The plan was made on the treatment device, not on a patient (RTPlanGeometry).")
    group = _fraction_group(plan, fraction_group)
    context = PlanContext(_positions(plan), _metersets(group) if group else None, ignore_devices, warnings)
    beams, unread = _beams(plan, context, chosen_beams)
    references = plan.items("ReferencedStructureSetSequence")
    ion_plan = IonPlan(
        label=plan.text("RTPlanLabel"),
        uid=plan.text("SOPInstanceUID"),
        frame_of_reference_uid=plan.text("FrameOfReferenceUID"),
        structure_set_uid=references[0].text("ReferencedSOPInstanceUID") if references else "",
        fractions=_fractions(group, warnings),
        beams=beams,
        prescription_Gy=_prescription(plan, warnings),
        warnings=tuple(dict.fromkeys(warnings)),
        fraction_group=(group.integer("FractionGroupNumber") if group else None) or 1,
        approval=plan.text("ApprovalStatus"),
        intent=plan.text("PlanIntent"),
        unread_beams=unread,
    )
    if plan.problems:
        raise InputError(*plan.problems)
    return ion_plan


def _refuse_other_objects(plan: Attributes) -> None:
    kind = plan.text("SOPClassUID")
    if kind == RT_PLAN:
        raise refuse(
            "This is a photon or electron plan (RT Plan); only scanned ion plans (RT Ion Plan) are calculated",
            where=plan.where,
        )
    if kind != RT_ION_PLAN:
        raise refuse("The file is no RT Ion Plan", given=name_of(kind), allowed=name_of(RT_ION_PLAN), where=plan.where)


def _fraction_group(plan: Attributes, wanted: int | None) -> Attributes | None:
    """Return the one fraction group to calculate."""
    groups = plan.items("FractionGroupSequence")
    numbers = [g.integer("FractionGroupNumber") for g in groups]
    if wanted is not None:
        chosen = [g for g, n in zip(groups, numbers, strict=True) if n == wanted]
    else:
        chosen = [g for g in groups if g.items("ReferencedBeamSequence")]
    if len(chosen) == 1:
        return chosen[0].at("fraction group")
    listed = ", ".join(str(n) for n in numbers) or "none"
    if not chosen:
        plan.problem(
            "The plan has no fraction group with beams, so no meterset"
            if wanted is None
            else "The plan has no such fraction group",
            given=wanted,
            allowed=listed,
        )
    else:
        plan.problem("Several fraction groups have beams; choose one by its number", given=listed)
    return None


def _metersets(group: Attributes) -> dict[int, float | None]:
    """Return the meterset of each beam of the fraction group, per fraction."""
    found: dict[int, float | None] = {}
    for item in group.items("ReferencedBeamSequence"):
        number = item.integer("ReferencedBeamNumber")
        if number is None:
            item.problem("A beam of the fraction group has no number (ReferencedBeamNumber)")
        elif number in found:
            item.problem("A beam is listed twice in the fraction group", given=number)
        else:
            found[number] = item.number("BeamMeterset")
    return found


def _positions(plan: Attributes) -> dict[int, str]:
    found: dict[int, str] = {}
    for item in plan.items("PatientSetupSequence"):
        number = item.integer("PatientSetupNumber")
        found[len(found) if number is None else number] = item.text("PatientPosition").upper()
    return found


def _beams(
    plan: Attributes, context: PlanContext, wanted: Sequence[str]
) -> tuple[tuple[IonBeam, ...], tuple[NumberedName, ...]]:
    """Read the treatment beams; return also those that could not be read and are not wanted, as number and name."""
    items = _treatment_beams(plan, context)
    named = [(number, name) for number, name, _ in items]
    for what, values in (("numbers", [number for number, _ in named]), ("names", [name for _, name in named])):
        if len(set(values)) < len(values):
            plan.problem(f"Several beams have the same {what}", given=", ".join(str(v) for v in values))
    chosen, _ = choose_beams(named, wanted)
    beams: list[IonBeam] = []
    unread: list[NumberedName] = []
    for number, name, item in items:
        # The warnings of a beam go into reports, where a file name may tell a patient's.
        where = f"{item.where}, beam {name!r}" if number in chosen else f"beam {name!r}"
        alone = Attributes(item.dataset, where, [])
        said: list[str] = []
        beam = read_beam(alone, number, replace(context, warnings=said))
        if alone.problems and number not in chosen:
            context.warnings.extend(f"Beam {number} was not read, and was not chosen: {p}" for p in alone.problems)
            unread.append((number, name))
            continue
        plan.problems.extend(alone.problems)
        context.warnings.extend(said)
        beams.append(beam)
    return tuple(beams), tuple(unread)


def _treatment_beams(plan: Attributes, context: PlanContext) -> list[tuple[int, str, Attributes]]:
    """Return number, name and item of each treatment beam; of several fraction groups one decides which."""
    items = plan.items("IonBeamSequence")
    groups = len(plan.items("FractionGroupSequence"))
    found: list[tuple[int, str, Attributes]] = []
    for place, item in enumerate(items, 1):
        number = item.integer("BeamNumber")
        name = item.text("BeamName") or (f"Beam {number}" if number is not None else f"number {place} of the list")
        purpose = item.text("TreatmentDeliveryType").upper()
        if purpose not in TREATED:
            context.warnings.append(f"Beam {name} is a {purpose} beam and was skipped.")
        elif groups > 1 and context.metersets is not None and number not in context.metersets:
            context.warnings.append(f"Beam {name} does not belong to the fraction group and was skipped.")
        elif number is None:
            item.at(f"beam {name!r}").problem("The beam has no BeamNumber")
        else:
            found.append((number, name, item))
    if not found and not plan.problems:
        plan.problem("The plan has no treatment beam", given=f"{len(items)} beams in the file")
    return found


def _fractions(group: Attributes | None, warnings: list[str]) -> int | None:
    planned = group.integer("NumberOfFractionsPlanned") if group else None
    if planned is None or planned < 1:
        warnings.append("The plan states no number of fractions; doses can be given per fraction only.")
        return None
    return planned


def _prescription(plan: Attributes, warnings: list[str]) -> float | None:
    doses = {d for item in plan.items("DoseReferenceSequence") if (d := item.number("TargetPrescriptionDose"))}
    if len(doses) > 1:
        listed = ", ".join(f"{d:g}" for d in sorted(doses))
        warnings.append(
            f"The plan prescribes several target doses ({listed} Gy); the highest is taken as the prescription."
        )
    return max(doses, default=None)


def write_ion_plan(path: Path, plan: IonPlan, identity: Identity) -> str:
    """Write an RT Ion Plan and return its SOP Instance UID (that of `plan` unless empty).

    Every layer becomes a pair of control points: the first carries the spots, the second repeats their positions with
    weights of zero while the cumulative weight reaches the end of the layer.
    """
    whole = new_object(RT_ION_PLAN, "RTPLAN")
    identity.stamp(whole)
    whole.SOPInstanceUID = plan.uid or whole.SOPInstanceUID
    whole.FrameOfReferenceUID = plan.frame_of_reference_uid or whole.FrameOfReferenceUID
    whole.RTPlanLabel, whole.PlanIntent, whole.RTPlanGeometry = plan.label[:16], plan.intent, "PATIENT"
    whole.RTPlanDate, whole.RTPlanTime = whole.InstanceCreationDate, whole.InstanceCreationTime
    if plan.prescription_Gy is not None:
        whole.DoseReferenceSequence = [_prescription_item(plan.prescription_Gy)]
    whole.FractionGroupSequence = [fraction_group_item(plan)]
    whole.PatientSetupSequence = setup_items(plan)
    whole.IonBeamSequence = [beam_item(beam, setup) for setup, beam in enumerate(plan.beams, 1)]
    if plan.structure_set_uid:
        whole.ReferencedStructureSetSequence = [structure_set_item(plan.structure_set_uid)]
    whole.ApprovalStatus = plan.approval or "UNAPPROVED"
    save(path, whole, ImplicitVRLittleEndian)
    return str(whole.SOPInstanceUID)


def _prescription_item(dose_Gy: float) -> Dataset:
    item = Dataset()
    item.DoseReferenceNumber, item.DoseReferenceStructureType = 1, "SITE"
    item.DoseReferenceType, item.TargetPrescriptionDose = "TARGET", decimal(dose_Gy)
    return item
