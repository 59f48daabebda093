"""Who and which study an object belongs to: read from one object, repeated in those we write."""

from dataclasses import dataclass, field
from typing import Final, Self

from pydicom.dataset import Dataset

from dosewright.formats.dicom.attributes import Attributes, quietly
from dosewright.formats.dicom.conformance import EVERY_OBJECT, Read, Write, declared
from dosewright.formats.dicom.saving import new_uid

PROOF: Final = "test_identity.py::test_every_attribute_is_repeated"
REPEATED: Final = (  # patient, general study and frame of reference modules (DICOM PS3.3 C.7.1.1, C.7.2.1, C.7.4.1)
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
)

TIES: Final = {  # those that also say whether two objects belong together
    "PatientID": ("an object of another one is said", "test_study.py::test_another_patients_objects"),
    "StudyInstanceUID": (
        "ties objects together where references fail",
        "test_study.py::test_another_patients_objects",
    ),
    "FrameOfReferenceUID": (
        "ties objects together where references fail",
        "test_study.py::test_structures_with_their_own_frame_of_reference",
    ),
}
READS: Final = declared(
    EVERY_OBJECT,
    "",
    [
        *(Read(keyword, *of) for keyword, of in TIES.items()),
        *(Read(keyword, "that of the plan is repeated in what is written", PROOF) for keyword in REPEATED),
    ],
)
WRITES: Final = declared(
    EVERY_OBJECT,
    "",
    [
        Write("SpecificCharacterSet", "ISO_IR 192 (UTF-8)"),
        *(Write(keyword, "that of the plan; a missing UID is new, else empty") for keyword in REPEATED),
    ],
)


@dataclass(frozen=True)
class Identity:
    """Patient, study and frame of reference attributes; printing it shows none of them."""

    attributes: dict[str, str] = field(default_factory=dict, repr=False, hash=False)

    @classmethod
    @quietly()
    def of(cls, dataset: Dataset) -> Self:
        """Take the identity of an object."""
        source = Attributes(dataset, "", [])
        return cls({keyword: source.text(keyword) for keyword in REPEATED})

    @classmethod
    def new(cls, patient_name: str, patient_id: str) -> Self:
        """Make the identity of an invented patient, with a new study and frame of reference."""
        uids = {"StudyInstanceUID": new_uid(), "FrameOfReferenceUID": new_uid()}
        return cls({"PatientName": patient_name, "PatientID": patient_id, **uids})

    @property
    def study_uid(self) -> str:
        """Study Instance UID, or empty."""
        return self.attributes.get("StudyInstanceUID", "")

    @property
    def frame_of_reference_uid(self) -> str:
        """Frame of Reference UID, or empty."""
        return self.attributes.get("FrameOfReferenceUID", "")

    def within(self, frame_of_reference_uid: str) -> "Identity":
        """Return the same identity in that frame of reference; UIDs that are missing are made up, once for all."""
        uids = {"StudyInstanceUID": self.study_uid, "FrameOfReferenceUID": frame_of_reference_uid}
        return Identity({**self.attributes, **{keyword: uid or new_uid() for keyword, uid in uids.items()}})

    def same_patient(self, other: "Identity") -> bool:
        """Say whether nothing speaks against both being of one patient (an empty Patient ID says nothing)."""
        mine, others = self.attributes.get("PatientID", ""), other.attributes.get("PatientID", "")
        return not mine or not others or mine == others

    @quietly()
    def stamp(self, dataset: Dataset) -> None:
        """Write the identity into an object, as UTF-8; missing UIDs are made up, other missing values stay empty."""
        dataset.SpecificCharacterSet = "ISO_IR 192"
        for keyword in REPEATED:
            value = self.attributes.get(keyword, "")
            setattr(dataset, keyword, value or (new_uid() if keyword.endswith("UID") else ""))
