"""Mistakes in the command, in the plan, and in what belongs to the patient."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset
from tests.journey.bench import COMMAND, PATIENT, PLAN, Bench, Edit, Mistake, asked, change, put

from dosewright.core.plan import Block, RangeShifterSetting


def whole(dataset: Dataset) -> Dataset:
    return dataset


def beam(dataset: Dataset) -> Dataset:
    return dataset.IonBeamSequence[0]


def point(dataset: Dataset) -> Dataset:
    return dataset.IonBeamSequence[0].IonControlPointSequence[0]


def in_plan(edit: Edit, *arguments: str) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in the plan."""
    return lambda bench: bench.calc(*arguments, case=bench.case(RN=edit))


def in_plan_of(changes: dict[str, Any], edit: Edit) -> Callable[[Bench], list[str]]:
    """Return the maker of a mistake in a plan whose first beam is changed."""

    def make(bench: Bench) -> list[str]:
        case = bench.planned(**changes)
        change(case / "RN.dcm", edit)
        return bench.calc(case=case)

    return make


def without(pattern: str) -> Callable[[Bench], Path]:
    """Return a maker of the case without some of its files."""

    def make(bench: Bench) -> Path:
        case = bench.case()
        for path in case.glob(pattern):
            path.unlink()
        return case

    return make


def item(**values: object) -> Dataset:
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, value)
    return made


APERTURE = Block(
    "A1", 1, "APERTURE", "brass", 65.0, 150.0, "PATIENT_SIDE", False, np.array([[2.0, -40], [40, -40], [40, 40]])
)
SHIFTER = RangeShifterSetting("RS_33", 1, "BINARY", 260.0)


def two_externals(dataset: Dataset) -> None:
    dataset.RTROIObservationsSequence[1].RTROIInterpretedType = "EXTERNAL"


def two_series(bench: Bench) -> list[str]:
    case = bench.case()
    change(case / "CT_0003.dcm", put(whole, SeriesInstanceUID="1.2.9"))
    (case / "RS.dcm").unlink()
    return bench.calc(case=case)


def two_plans(bench: Bench) -> list[str]:
    case = bench.case()
    shutil.copy(case / "RN.dcm", case / "RN2.dcm")
    return bench.calc(case=case)


def earlier(bench: Bench) -> list[str]:
    (bench.folder / "result").mkdir()
    (bench.folder / "result" / "notes.txt").write_text("mine")
    return bench.calc()


def no_patient(bench: Bench) -> list[str]:
    case = without("CT*.dcm")(bench)
    (case / "RS.dcm").unlink()
    return bench.calc(case=case)


def stray_doses(bench: Bench) -> list[str]:
    stray = put(lambda d: d.ReferencedRTPlanSequence[0], ReferencedSOPInstanceUID="1.2.88")
    return bench.assumed(bench.case(RD=stray))


def missing_slice(bench: Bench) -> list[str]:
    return bench.calc(case=without("CT_0009.dcm")(bench))


MISTAKES = [
    Mistake(COMMAND, "`-t 18000`", asked("-t", "18000"), "give the unit"),
    Mistake(COMMAND, "`-n lots`", asked("-n", "lots")),
    Mistake(COMMAND, "`-u 0`", asked("-u", "0")),
    Mistake(COMMAND, "`-b Topp`", asked("-b", "Topp")),
    Mistake(COMMAND, "`-m PTV`", asked("-m", "PTV")),
    Mistake(COMMAND, "`-m Chord:G4_WATER`", asked("-m", "Chord:G4_WATER")),
    Mistake(COMMAND, "`-m Cord:G4_WATTER`", asked("-m", "Cord:G4_WATTER")),
    Mistake(COMMAND, "`-c generic -p water_box`", asked("-c", "generic", "-p", "water_box")),
    Mistake(COMMAND, "`-x 10 10 10 -f`", asked("-x", "10", "10", "10", "-f")),
    Mistake(COMMAND, "`-z genric`", asked("-z", "genric")),
    Mistake(COMMAND, "`-z RN.dcm`", lambda b: b.calc("-z", b.whole_case.folder / "RN.dcm")),
    Mistake(COMMAND, "`-c Head`", asked("-c", "Head")),
    Mistake(COMMAND, "`-p water_bx`", asked("-p", "water_bx")),
    Mistake(COMMAND, "`-l me:clinical`, where no users are listed", asked("-l", "me:clinical")),
    Mistake(COMMAND, "`-s /nowhere/library`", asked("-s", "/nowhere/library")),
    Mistake(COMMAND, "`--structures RN.dcm`", lambda b: b.calc("--structures", b.whole_case.folder / "RN.dcm")),
    Mistake(COMMAND, "`--fraction-group 3`", asked("--fraction-group", "3")),
    Mistake(COMMAND, "`--phantom-shift 0 0 5` without `-p`", asked("--phantom-shift", "0", "0", "5")),
    Mistake(COMMAND, "`-x 200 200 200`", asked("-x", "200", "200", "200"), "fewer, larger voxels"),
    Mistake(COMMAND, "`--write masks`", asked("--write", "masks")),
    Mistake(COMMAND, "`--per plann`", asked("--per", "plann")),
    Mistake(COMMAND, "`init` into a folder that holds something", lambda b: b.refused("init", b.whole_case.folder)),
    Mistake(COMMAND, "`jobs show 4711`", lambda b: b.refused("jobs", "show", "4711")),
    Mistake(COMMAND, "`-o` of a folder with other files", earlier, "an empty or a new folder"),
    Mistake(COMMAND, "`query -B` without a plan", lambda b: b.refused("query", "-B"), "name the plan"),
    Mistake(PLAN, "nothing: an empty folder", lambda b: b.refused("calc", b.folder), "give the right folder"),
    Mistake(PLAN, "another name than was typed", lambda b: b.refused("calc", b.folder / "RN.dmc")),
    Mistake(PLAN, "several plans", two_plans, "name the file"),
    Mistake(PLAN, "photons", in_plan(put(whole, SOPClassUID="1.2.840.10008.5.1.4.1.1.481.5"))),
    Mistake(PLAN, "line scanning", in_plan(put(beam, ScanMode="LINE")), "convert it in the planning system"),
    Mistake(
        PLAN,
        "an arc",
        in_plan(put(lambda d: beam(d).IonControlPointSequence[2], GantryAngle="3")),
        "fixed fields only",
    ),
    Mistake(
        PLAN,
        "no meterset",
        in_plan(put(lambda d: d.FractionGroupSequence[0].ReferencedBeamSequence[0], BeamMeterset=None)),
        "export again, or `-b` for the other beams",
    ),
    Mistake(PLAN, "a meterset without a unit", in_plan(put(beam, PrimaryDosimeterUnit=None)), "export again"),
    Mistake(
        PLAN,
        "spot weights that do not add up",
        in_plan(put(beam, FinalCumulativeMetersetWeight="54")),
        "export again",
    ),
    Mistake(PLAN, "a typo in the machine", in_plan(put(beam, TreatmentMachineName="GENERICK")), "`-z`, or the library"),
    Mistake(PLAN, "heavier ions", lambda b: b.calc(case=b.planned(radiation="ION_6_12_6"))),
    Mistake(PLAN, "an energy out of range", in_plan(put(point, NominalBeamEnergy="245")), "the right beam model"),
    Mistake(
        PLAN,
        "a range shifter without a setting",
        in_plan(
            put(beam, NumberOfRangeShifters=1, RangeShifterSequence=[item(RangeShifterNumber=1, RangeShifterID="40mm")])
        ),
        "export again",
    ),
    Mistake(PLAN, "an unknown range shifter", lambda b: b.calc(case=b.planned(range_shifters=(SHIFTER,)))),
    Mistake(PLAN, "a wedge", in_plan(put(beam, NumberOfWedges=1)), "`-b` for the other beams, or `--ignore-devices`"),
    Mistake(PLAN, "a block that is counted and not described", in_plan(put(beam, NumberOfBlocks=1)), "export again"),
    Mistake(
        PLAN,
        "an aperture of an unknown material",
        lambda b: b.calc(case=b.planned(blocks=(replace(APERTURE, material="G4_BRAS"),))),
        "the material's name in materials.toml",
    ),
    Mistake(
        PLAN,
        "an aperture without a side of its tray",
        in_plan_of({"blocks": (APERTURE,)}, put(lambda d: beam(d).IonBlockSequence[0], BlockMountingPosition=None)),
        "export again",
    ),
    Mistake(
        PLAN,
        "a snout that moves",
        in_plan_of({"blocks": (APERTURE,)}, put(lambda d: beam(d).IonControlPointSequence[2], SnoutPosition=120.0)),
        "one beam per place",
    ),
    Mistake(PATIENT, "a missing slice", missing_slice, "find the slice"),
    Mistake(PATIENT, "two CT series, and no structures that name one", two_series, "`--ct`"),
    Mistake(PATIENT, "two EXTERNALs", lambda b: b.calc(case=b.case(RS=two_externals)), "keep one"),
    Mistake(PATIENT, "neither CT nor EXTERNAL", no_patient, "the CT beside the plan, or `-p`"),
    Mistake(
        PATIENT,
        "a CT without Hounsfield numbers",
        lambda b: b.calc(case=b.case(CT_0001=put(whole, RescaleType="Z_EFF"))),
        "export the CT itself",
    ),
    Mistake(
        PATIENT,
        "a relative dose named with `--dose`",
        lambda b: b.calc("--dose", b.case(RD=put(whole, DoseUnits="RELATIVE")) / "RD.dcm"),
        "export absolute dose",
    ),
    Mistake(PATIENT, "a dose of a plan that is not there (a warning)", stray_doses, "look whether that is right"),
]
