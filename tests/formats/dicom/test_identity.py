"""Who and which study: repeated in what is written, and nowhere else."""

from pathlib import Path

import numpy as np
import pydicom

from dosewright.core.grid import Grid, Image
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import REPEATED, Identity

GIVEN = {
    "PatientName": "Secretname^Jürgen",
    "PatientID": "SECRET-4711",
    "PatientBirthDate": "19560217",
    "PatientSex": "O",
    "StudyInstanceUID": "1.2.3.1",
    "StudyDate": "20260131",
    "StudyTime": "101112",
    "StudyID": "S 7",
    "StudyDescription": "Head and neck",
    "AccessionNumber": "A 9",
    "ReferringPhysicianName": "Doctor^Secret",
    "FrameOfReferenceUID": "1.2.3.2",
    "PositionReferenceIndicator": "XY",
}


def written(path: Path, identity: Identity) -> pydicom.Dataset:
    grid = Grid((2, 3, 2), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    write_dose(path, Image(grid, np.ones(grid.array_shape)), DoseLabel(), identity)
    return pydicom.dcmread(path)


def test_every_attribute_is_repeated(tmp_path: Path) -> None:
    source = pydicom.Dataset()
    for keyword, value in GIVEN.items():
        setattr(source, keyword, value)
    dose = written(tmp_path / "dose.dcm", Identity.of(source))
    assert set(GIVEN) == set(REPEATED)
    assert {keyword: str(dose[keyword].value) for keyword in GIVEN} == GIVEN
    assert dose.SpecificCharacterSet == "ISO_IR 192"


def test_missing_uids_are_made_up_and_the_rest_stays_empty(tmp_path: Path) -> None:
    dose = written(tmp_path / "dose.dcm", Identity.of(pydicom.Dataset()))
    assert dose.StudyInstanceUID and dose.FrameOfReferenceUID
    assert {str(dose[k].value or "") for k in REPEATED if not k.endswith("UID")} == {""}
    within = Identity.of(pydicom.Dataset()).within("")
    assert within.study_uid and within.frame_of_reference_uid
    assert Identity(GIVEN).within("1.9").frame_of_reference_uid == "1.9"


def test_an_empty_patient_id_speaks_against_nobody() -> None:
    one, other, nobody = (Identity({"PatientID": value}) for value in ("A", "B", ""))
    assert not one.same_patient(other)
    assert one.same_patient(nobody) and nobody.same_patient(other)


def test_nothing_is_shown() -> None:
    assert repr(Identity(GIVEN)) == "Identity()"
