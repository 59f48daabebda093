"""What belongs to a plan: by reference, by ever weaker ties said aloud, by choice; and every ambiguity refused."""

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.grid import Image
from dosewright.core.plan import IonPlan
from dosewright.core.structures import StructureSet
from dosewright.formats.dicom.ct import write_ct
from dosewright.formats.dicom.dose import DoseLabel, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import write_ion_plan
from dosewright.formats.dicom.structures import write_structures
from dosewright.formats.dicom.study import Chosen, find_study, look_for_study


@pytest.fixture
def folder(tmp_path: Path, ion_plan: IonPlan, structures: StructureSet, ct_image: Image, identity: Identity) -> Path:
    """A whole study with all references in order."""
    ct = write_ct(tmp_path / "study" / "ct", ct_image, identity)
    write_structures(tmp_path / "study" / "rs.dcm", structures, ct, identity)
    plan = replace(ion_plan, frame_of_reference_uid=identity.frame_of_reference_uid)
    write_ion_plan(tmp_path / "study" / "plan.dcm", plan, identity)
    dose = Image(ct_image.grid, abs(ct_image.values) / 1000.0)
    for name, label in (
        ("plan", DoseLabel(plan_uid=plan.uid, manufacturer="TPS")),
        ("left", DoseLabel("PHYSICAL", "BEAM", plan.uid, 1, 1, manufacturer="TPS")),
    ):
        write_dose(tmp_path / "study" / f"dose_{name}.dcm", dose, label, identity)
    return tmp_path / "study"


def edit_all(folder: Path, pattern: str, edit: Callable[[Dataset], None]) -> None:
    for path in folder.rglob(pattern):
        dataset = pydicom.dcmread(path)
        edit(dataset)
        dataset.save_as(path)


@pytest.mark.parametrize("place", [".", "plan.dcm"])
def test_everything_is_found_without_a_word(folder: Path, place: str, identity: Identity) -> None:
    study = find_study(folder / place)
    assert study.warnings == ()
    assert study.plan.label == "Head"
    assert study.ct is not None and study.ct.image.grid.shape == (5, 7, 4)
    assert study.structures is not None and len(study.structures.structures) == 2
    assert [(d.summation_type, d.beam_number) for d in study.doses] == [("BEAM", 1), ("PLAN", None)]
    assert study.identity.study_uid == identity.study_uid
    assert study.identity.frame_of_reference_uid == identity.frame_of_reference_uid


def test_every_file_used_has_its_hash(folder: Path) -> None:
    hashes = find_study(folder).input_sha256
    assert len(hashes) == 1 + 1 + 2 + 4
    assert hashes["RT Ion Plan 1.2.3.4.5"] == hashlib.sha256((folder / "plan.dcm").read_bytes()).hexdigest()
    assert not any("secret" in key.casefold() for key in hashes)


def test_nothing_personal_is_shown(folder: Path) -> None:
    study = find_study(folder)
    assert "secret" not in repr(study).casefold()
    assert repr(study.identity) == "Identity()"


def test_junk_is_passed_over(folder: Path, tmp_path: Path) -> None:
    (folder / "._plan.dcm").write_bytes((folder / "plan.dcm").read_bytes())
    (folder / "notes.txt").write_text("hello")
    (folder / "empty.dcm").write_bytes(b"")
    (folder / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 50)
    (folder / ".hidden").mkdir()
    shutil.copy(folder / "plan.dcm", folder / ".hidden" / "plan.dcm")
    assert find_study(folder).warnings == ()


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "elsewhere")
    (folder / "out").symlink_to(tmp_path / "elsewhere")
    (folder / "again.dcm").symlink_to(tmp_path / "elsewhere" / "plan.dcm")
    assert find_study(folder).warnings == ()


def test_several_plans(folder: Path) -> None:
    shutil.copy(folder / "plan.dcm", folder / "other.dcm")
    with pytest.raises(InputError, match=r"several RT Ion Plans; give the file of one.*other\.dcm \(Head\)"):
        find_study(folder)
    assert find_study(folder / "plan.dcm").plan.label == "Head"


def test_no_plan_at_all(folder: Path) -> None:
    with pytest.raises(InputError, match="no RT Ion Plan"):
        find_study(folder / "ct")
    with pytest.raises(InputError, match="no such file or folder"):
        find_study(folder / "missing")


def test_dangling_structure_reference(folder: Path) -> None:
    edit_all(folder, "rs.dcm", lambda d: setattr(d, "SOPInstanceUID", "1.2.77"))
    study = find_study(folder)
    assert study.structures is not None
    assert study.warnings == (
        "The structure set that the plan refers to is missing; another one was taken for the same study and frame of "
        "reference.",
    )


def test_structures_with_their_own_frame_of_reference(folder: Path) -> None:
    def other(dataset: Dataset) -> None:
        dataset.SOPInstanceUID, dataset.FrameOfReferenceUID = "1.2.77", "1.2.78"

    edit_all(folder, "rs.dcm", other)
    assert "was taken for the same study." in find_study(folder).warnings[0]


def test_rewritten_ct_uids(folder: Path) -> None:
    edit_all(folder, "CT*.dcm", lambda d: setattr(d, "SOPInstanceUID", d.SOPInstanceUID + ".9"))
    (warning,) = find_study(folder).warnings
    assert "CT slices by other UIDs; the CT series was taken for its series UID" in warning


def test_rewritten_ct_series(folder: Path) -> None:
    edit_all(folder, "CT*.dcm", lambda d: setattr(d, "SeriesInstanceUID", "1.2.9"))
    (warning,) = find_study(folder).warnings
    assert "the CT series was taken for the same study and frame of reference" in warning


def test_a_missing_end_slice_is_said(folder: Path) -> None:
    """The structure set names its slices: ReferencedSOPInstanceUID in every ContourImageSequence."""
    (folder / "ct" / "CT_0004.dcm").unlink()
    assert find_study(folder).warnings == ("1 of the 4 CT slices of the structure set are missing.",)


def test_two_ct_series_that_fit_equally(folder: Path, ct_image: Image, identity: Identity) -> None:
    second = write_ct(folder / "second", ct_image, identity)
    assert find_study(folder).warnings == ()  # the structure set refers to the first
    (folder / "rs.dcm").unlink()
    with pytest.raises(InputError, match="more than one CT series that may belong to the plan; name one with --ct"):
        find_study(folder)
    chosen = find_study(folder, Chosen(ct=folder / "second"))
    assert chosen.ct is not None and chosen.ct.series_uid == second.series_uid
    by_file = find_study(folder, Chosen(ct=folder / "second" / "CT_0001.dcm"))
    assert by_file.ct is not None and by_file.ct.series_uid == second.series_uid


def test_two_structure_sets_that_fit_equally(folder: Path) -> None:
    for number in (1, 2):
        shutil.copy(folder / "rs.dcm", folder / f"rs{number}.dcm")
        edit_all(folder, f"rs{number}.dcm", lambda d, n=number: setattr(d, "SOPInstanceUID", f"1.2.{n}"))
    assert find_study(folder).warnings == ()
    (folder / "rs.dcm").unlink()
    with pytest.raises(InputError, match="more than one structure set"):
        find_study(folder)
    chosen = find_study(folder, Chosen(structures=folder / "rs2.dcm"))
    assert chosen.structures is not None and chosen.structures.uid == "1.2.2"


def test_dangling_doses(folder: Path) -> None:
    def other(dataset: Dataset) -> None:
        dataset.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = "1.2.88"

    edit_all(folder, "dose*.dcm", other)
    study = find_study(folder)
    assert len(study.doses) == 2
    assert "2 doses with dangling references were taken for the same study and frame" in study.warnings[0]


def test_doses_of_another_plan_in_the_folder(folder: Path) -> None:
    shutil.copy(folder / "plan.dcm", folder / "other.dcm")
    edit_all(folder, "other.dcm", lambda d: setattr(d, "SOPInstanceUID", "1.2.88"))
    (folder / "dose_left.dcm").unlink()

    def other(dataset: Dataset) -> None:
        dataset.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = "1.2.88"

    edit_all(folder, "dose_plan.dcm", other)
    study = find_study(folder / "plan.dcm")
    assert study.doses == ()
    assert "No planned dose of this plan was found." in study.warnings


def test_a_stray_dose_is_left_aside_or_said(folder: Path, tmp_path: Path) -> None:
    """A dose of a plan that is not here: beside the plan's own it is left aside, alone it is taken aloud."""

    def other(dataset: Dataset) -> None:
        dataset.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID = "1.2.88"

    edit_all(folder, "dose_left.dcm", other)
    study = find_study(folder)
    assert [d.summation_type for d in study.doses] == ["PLAN"]
    assert "RT Doses in the folder that refer to another plan (1) were left aside." in study.warnings
    shutil.move(folder / "dose_plan.dcm", tmp_path / "dose_plan.dcm")
    study = find_study(folder)
    assert len(study.doses) == 1
    assert "1 dose with a dangling reference was taken" in study.warnings[0]
    assert "name the right ones with --dose" in study.warnings[0]
    chosen = find_study(folder, Chosen(doses=(folder / "dose_left.dcm",)))
    assert "Doses named with --dose that refer to another plan (1)" in chosen.warnings[0]
    assert find_study(folder, Chosen(doses=(tmp_path / "dose_plan.dcm",))).warnings == ()


def test_a_beam_that_is_not_chosen_may_be_unreadable(folder: Path) -> None:
    """Its problems become warnings, which must not tell a file name; chosen, or with nothing chosen, it is refused."""
    edit_all(folder, "plan.dcm", lambda d: setattr(d.IonBeamSequence[1], "ScanMode", "LINE"))
    names = [(1, "Left"), (2, "Top")]
    study = find_study(folder, Chosen(beams=("1",)))
    assert [(b.number, b.name) for b in study.plan.beams] == names[:1]
    assert study.plan.unread_beams == tuple(names[1:])
    (said,) = [w for w in study.warnings if "not read" in w]
    assert said.startswith("Beam 2 was not read, and was not chosen: Scan mode LINE")
    assert "plan.dcm" not in said
    for beams in ((), ("2",), ("1", "Top"), ("1,2",)):
        with pytest.raises(InputError, match=r"Scan mode LINE.*Where: plan\.dcm, beam"):
            find_study(folder, Chosen(beams=beams))
    assert find_study(folder, Chosen(beams=("9",))).plan.all_beams == tuple(names)


def test_two_doses_that_say_the_same(folder: Path) -> None:
    shutil.copy(folder / "dose_plan.dcm", folder / "dose_again.dcm")
    with pytest.raises(InputError, match="say the same of themselves"):
        find_study(folder)
    study = find_study(folder, Chosen(doses=(folder / "dose_plan.dcm",)))
    assert [d.summation_type for d in study.doses] == ["PLAN"]


def test_a_relative_dose_is_left_out_unless_chosen(folder: Path) -> None:
    edit_all(folder, "dose_plan.dcm", lambda d: setattr(d, "DoseUnits", "RELATIVE"))
    study = find_study(folder)
    assert [d.summation_type for d in study.doses] == ["BEAM"]
    assert study.warnings[0].startswith("A planned dose was left out: The dose is not in Gy")
    assert "dose_plan" not in study.warnings[0]
    with pytest.raises(InputError, match="not in Gy"):
        find_study(folder, Chosen(doses=(folder / "dose_plan.dcm",)))


def test_our_own_earlier_results_are_no_planned_doses(folder: Path, ct_image: Image, identity: Identity) -> None:
    """They are known by their Manufacturer."""
    own = Image(ct_image.grid, abs(ct_image.values))
    write_dose(folder / "results" / "dose.dcm", own, DoseLabel(plan_uid="1.2.3.4.5"), identity)
    study = find_study(folder)
    assert len(study.doses) == 2
    assert "Earlier results of Dosewright in the folder (1)" in study.warnings[0]


def test_another_patients_objects(folder: Path) -> None:
    """By reference they are taken with a warning; for lack of anything better they are not."""
    edit_all(folder, "*.dcm", lambda d: setattr(d, "PatientID", "OTHER" if d.Modality != "RTPLAN" else "SECRET-4711"))
    said = " ".join(find_study(folder).warnings)
    assert said.count("names another patient than the plan") == 3
    assert "SECRET" not in said and "OTHER" not in said

    def loosen(dataset: Dataset) -> None:
        dataset.StudyInstanceUID, dataset.FrameOfReferenceUID = "1.2.90", "1.2.91"

    edit_all(folder, "plan.dcm", loosen)
    edit_all(folder, "rs.dcm", lambda d: setattr(d, "SOPInstanceUID", "1.2.92"))
    study = find_study(folder)
    assert (study.ct, study.structures) == (None, None)


def test_patient_position_falls_back_on_the_ct(folder: Path) -> None:
    edit_all(folder, "plan.dcm", lambda d: [setattr(s, "PatientPosition", "") for s in d.PatientSetupSequence] and None)
    edit_all(folder, "CT*.dcm", lambda d: setattr(d, "PatientPosition", "FFS"))
    study = find_study(folder)
    assert [b.patient_position for b in study.plan.beams] == ["FFS", "FFS"]
    assert "Patient position FFS was taken: that of the CT." in study.warnings


def test_patient_positions_that_disagree_are_said(folder: Path) -> None:
    edit_all(folder, "CT*.dcm", lambda d: setattr(d, "PatientPosition", "HFP"))
    assert "The CT was taken HFP, the plan treats HFS; the plan counts." in find_study(folder).warnings


def test_chosen_files_of_the_wrong_kind(folder: Path) -> None:
    for chosen in (Chosen(ct=folder / "rs.dcm"), Chosen(structures=folder / "plan.dcm"), Chosen(doses=(folder / "x",))):
        with pytest.raises(InputError, match="is no"):
            find_study(folder, chosen)
    with pytest.raises(InputError) as refused:
        find_study(folder, Chosen(folder / "rs.dcm", folder / "plan.dcm", (folder / "x", folder / "ct")))
    assert len(refused.value.problems) == 4
    assert "What --structures names is no RT Structure Set. Given: RT Ion Plan" in str(refused.value)
    assert "What --dose names is no RT Dose. Given: no such file. Where: x." in str(refused.value)
    with pytest.raises(InputError, match="folder that --ct names holds no CT Image"):
        (folder / "empty").mkdir()
        find_study(folder, Chosen(ct=folder / "empty"))


def test_a_part_that_is_refused_hides_only_what_depends_on_it(folder: Path) -> None:
    look = look_for_study(folder, Chosen(structures=folder / "plan.dcm", doses=(folder / "x",)))
    assert look.plan is not None
    assert look.study is None
    assert look.unknown == {"structures", "CT", "doses"}
    assert len(look.problems) == 2
    look = look_for_study(folder, Chosen(ct=folder / "rs.dcm"))
    assert look.unknown == {"CT"}
    assert look.structures is not None
    look = look_for_study(folder / "absent", Chosen(ct=folder / "rs.dcm"))
    assert look.unknown == {"plan", "structures", "CT", "doses"}
    assert len(look.problems) == 2
    look = look_for_study(folder)
    assert look.study is not None
    assert look.unknown == frozenset()


def test_the_problems_of_all_objects_come_together(folder: Path) -> None:
    def no_slope(head: Dataset) -> None:
        head.RescaleSlope = 0

    edit_all(folder / "ct", "*.dcm", no_slope)
    edit_all(folder, "rs.dcm", lambda d: setattr(d.ROIContourSequence[0].ContourSequence[0], "ContourData", [1.0]))
    look = look_for_study(folder)
    assert look.plan is not None
    assert look.unknown == {"structures", "CT"}
    with pytest.raises(InputError) as refused:
        find_study(folder)
    assert refused.value.problems == look.problems


def test_own_results_named_as_doses_are_said(folder: Path, ct_image: Image, identity: Identity) -> None:
    own = Image(ct_image.grid, abs(ct_image.values))
    write_dose(folder / "own.dcm", own, DoseLabel(plan_uid=find_study(folder).plan.uid), identity)
    study = find_study(folder, Chosen(doses=(folder / "own.dcm",)))
    assert "A dose named with --dose was calculated by Dosewright: its own results are compared." in study.warnings


def test_head_phantom(headphantom: Path) -> None:
    study = find_study(headphantom)
    assert study.ct is not None and study.ct.image.grid.shape == (512, 512, 177)
    assert study.structures is not None and len(study.structures.structures) == 11
    assert [b.patient_position for b in study.plan.beams] == ["HFS"] * 3
    said = " ".join(study.warnings)
    assert "structure set that the plan refers to is missing" in said
    assert "CT slices by other UIDs" in said
    assert len(study.input_sha256) == 179


def test_ramped_plan(shared_data: Path) -> None:
    study = find_study(shared_data / "ion-dcpt-let-plans" / "plan03_ramp_full")
    assert (study.ct, len(study.doses)) == (None, 3)
    assert study.structures is not None and study.structures.of_kind("EXTERNAL")
    assert any("names another patient" in w for w in study.warnings)


def test_water_phantom_with_broken_references(shared_data: Path) -> None:
    study = find_study(shared_data / "ion-opentps-waterphantom")
    assert study.ct is not None and study.ct.image.grid.shape == (20, 20, 20)
    (dose,) = study.doses
    assert dose.image.values.max() == pytest.approx(25.083, rel=1e-4)
    assert study.plan.beams[0].patient_position == "HFS"
    said = " ".join(study.warnings)
    assert "1 dose with a dangling reference was taken for being the only one in the folder" in said
    assert "CT series was taken for being the only one in the folder" in said
    assert "Patient position HFS was taken: ASSUMED" in said


def test_several_and_photon_plans(shared_data: Path) -> None:
    with pytest.raises(InputError, match="several RT Ion Plans") as refused:
        find_study(shared_data / "ion-dcpt-let-plans" / "plan01_sobp")
    assert "1_SOBP_2Gy" in str(refused.value)
    with pytest.raises(InputError, match="photon or electron plan"):
        find_study(shared_data / "photon-monaco-elekta-plans" / "TinyVMAT")
    with pytest.raises(InputError, match="photon or electron plan"):
        find_study(shared_data / "photon-tps-variety" / "RP_FiF.dcm")
