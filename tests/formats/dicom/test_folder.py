"""Headers: what an object is, what it belongs to, what it refers to."""

from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.grid import Image
from dosewright.core.plan import IonPlan
from dosewright.core.structures import StructureSet
from dosewright.formats.dicom import folder as folder_of_objects
from dosewright.formats.dicom.ct import write_ct
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.folder import read_header, scan
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import write_ion_plan
from dosewright.formats.dicom.sop_classes import CT_IMAGE, RT_DOSE, RT_ION_PLAN, RT_STRUCTURE_SET
from dosewright.formats.dicom.structures import write_structures


@pytest.fixture
def study(tmp_path: Path, ion_plan: IonPlan, structures: StructureSet, ct_image: Image, identity: Identity) -> Path:
    ct = write_ct(tmp_path, ct_image, identity)
    write_structures(tmp_path / "rs.dcm", structures, ct, identity)
    write_ion_plan(tmp_path / "plan.dcm", ion_plan, identity)
    label = DoseLabel("PHYSICAL", "BEAM", ion_plan.uid, 1, 1, manufacturer="TPS")
    write_dose(tmp_path / "dose.dcm", Image(ct_image.grid, abs(ct_image.values)), label, identity)
    return tmp_path


def test_what_a_header_says(study: Path, ion_plan: IonPlan) -> None:
    """SOPClassUID is the kind; RTPlanLabel, StructureSetLabel or DoseSummationType tell a user which object it is."""
    heads = {path.stem: read_header(path) for path in study.glob("*.dcm")}
    plan, drawn, dose, image = (heads[name] for name in ("plan", "rs", "dose", "CT_0001"))
    assert plan and drawn and dose and image
    kinds = [head.sop_class_uid for head in (plan, drawn, dose, image)]
    assert kinds == [RT_ION_PLAN, RT_STRUCTURE_SET, RT_DOSE, CT_IMAGE]
    assert [head.label for head in (plan, drawn, dose, image)] == ["Head", "Dosewright", "BEAM", ""]
    assert [head.manufacturer for head in (plan, dose)] == ["Dosewright", "TPS"]
    assert (plan.uid, dose.plan_uids) == (ion_plan.uid, (ion_plan.uid,))
    assert drawn.ct_series_uids == {image.series_uid}
    assert image.uid in drawn.ct_uids and len(drawn.ct_uids) == 4
    assert {head.identity.attributes["PatientID"] for head in (plan, drawn, dose, image)} == {"SECRET-4711"}


def test_the_manufacturer_and_label_can_be_anything(study: Path) -> None:
    def strange(dataset: Dataset) -> None:
        dataset.Manufacturer, dataset.RTPlanLabel = "  ", "two\r\nlines"

    dataset = pydicom.dcmread(study / "plan.dcm")
    strange(dataset)
    dataset.save_as(study / "plan.dcm")
    head = read_header(study / "plan.dcm")
    assert head and (head.manufacturer, head.label) == ("", "two lines")


def test_too_many_files_are_refused(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder_of_objects, "MAX_FILES", 6)
    with pytest.raises(InputError, match="too many files to be one study"):
        scan(study)
