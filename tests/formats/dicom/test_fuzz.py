"""Whatever is in a file: a reader returns a value or raises InputError, and tells no patient's name."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset

from dosewright.core.errors import InputError
from dosewright.core.grid import Image
from dosewright.core.plan import IonPlan
from dosewright.core.structures import StructureSet
from dosewright.formats.dicom.ct import read_ct, write_ct
from dosewright.formats.dicom.dose import DoseLabel, read_dose, write_dose
from dosewright.formats.dicom.identity import Identity
from dosewright.formats.dicom.ion_plan import read_ion_plan, write_ion_plan
from dosewright.formats.dicom.structures import read_structures, write_structures
from dosewright.formats.dicom.study import find_study

JUNK = (
    b"",
    b"\0",
    b"abc ",
    b"-1",
    b"1\\2\\x",
    b"1e999",
    b"NaN ",
    b"\xff\xfe" * 5,
    b"9" * 40,
    b"1\\2\\3\\4\\5\\6\\7",
    b"1.5 ",
)
READERS: dict[str, Callable[[Path], object]] = {
    "plan": read_ion_plan,
    "structures": read_structures,
    "dose": read_dose,
    "ct": lambda path: read_ct(sorted(path.parent.glob("CT*.dcm"))),
}


@pytest.fixture
def study(tmp_path: Path, ion_plan: IonPlan, structures: StructureSet, ct_image: Image, identity: Identity) -> Path:
    ct = write_ct(tmp_path, ct_image, identity)
    write_structures(tmp_path / "structures.dcm", structures, ct, identity)
    write_ion_plan(tmp_path / "plan.dcm", ion_plan, identity)
    write_dose(tmp_path / "dose.dcm", Image(ct_image.grid, abs(ct_image.values)), DoseLabel(), identity)
    return tmp_path


def file_of(study: Path, kind: str) -> Path:
    return study / ("CT_0002.dcm" if kind == "ct" else f"{kind}.dcm")


def places(dataset: Dataset) -> list[tuple[Dataset, DataElement]]:
    """All elements of a data set and of its sequences."""
    found = []
    for element in dataset:
        found.append((dataset, element))
        if element.VR == "SQ":
            for item in element.value:
                found += places(item)
    return found


def spoil(holder: Dataset, element: DataElement, rng: random.Random) -> None:
    """Delete an element, or put junk bytes into it."""
    if rng.random() < 0.3:
        holder.pop(element.tag, None)
        return
    kind = element.VR if rng.random() < 0.5 and element.VR != "SQ" else rng.choice(["UN", "DS", "LO", "OB"])
    junk = rng.choice(JUNK)
    holder[element.tag] = pydicom.dataelem.RawDataElement(element.tag, kind, len(junk), junk, 0, False, True)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 6))
def test_spoiled_objects(study: Path, kind: str, seed: int, times: int) -> None:
    path = file_of(study, kind)
    whole = path.read_bytes()
    try:
        dataset, rng = pydicom.dcmread(path), random.Random(seed)  # noqa: S311
        for holder, element in rng.sample(places(dataset), times):
            spoil(holder, element, rng)
        raw = io.BytesIO()
        try:
            pydicom.dcmwrite(raw, dataset, enforce_file_format=False)
        except Exception:
            return  # this spoiling cannot be written down
        path.write_bytes(raw.getvalue())
        value_or_refusal(lambda: READERS[kind](path))
        value_or_refusal(lambda: find_study(study / "plan.dcm"))
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize("kind", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_spoiled_bytes(study: Path, kind: str, data: st.DataObject) -> None:
    path = file_of(study, kind)
    whole = path.read_bytes()
    try:
        spoiled = bytearray(whole)
        for _ in range(data.draw(st.integers(1, 8))):
            spoiled[data.draw(st.integers(0, len(spoiled) - 1))] = data.draw(st.integers(0, 255))
        cut = data.draw(st.one_of(st.none(), st.integers(0, len(spoiled))))
        path.write_bytes(bytes(spoiled[:cut]))
        value_or_refusal(lambda: READERS[kind](path))
        value_or_refusal(lambda: find_study(study / "plan.dcm"))
    finally:
        path.write_bytes(whole)


def test_an_object_without_sop_class(study: Path) -> None:
    path = file_of(study, "plan")
    dataset = pydicom.dcmread(path)
    del dataset.SOPClassUID
    pydicom.dcmwrite(path, dataset, enforce_file_format=False)
    with pytest.raises(InputError, match="no DICOM object: it has no SOP Class UID"):
        read_ion_plan(path)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.sampled_from([b"", b"\x08\x00", b"\0" * 128 + b"DICM"]), rest=st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, start: bytes, rest: bytes) -> None:
    path = tmp_path / "any.dcm"
    path.write_bytes(start + rest)
    for read in (read_ion_plan, read_structures, read_dose, find_study, lambda p: read_ct([p])):
        value_or_refusal(lambda read=read: read(path))


def value_or_refusal(read: Callable[[], object]) -> None:
    try:
        text = repr(read())
    except InputError as refused:
        text = str(refused)
    assert "secret" not in text.casefold()


def test_pydicom_logs_no_odd_values(study: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It would log values that break a rule, such as a name that is too long."""
    path = file_of(study, "plan")
    path.write_bytes(path.read_bytes().replace(b"MODULATED ", b"Secret\xff^. "))
    with pytest.raises(InputError):
        read_ion_plan(path)
    assert "Secret" not in caplog.text


@pytest.mark.parametrize("uid", ["Secret^Name", "1.2.3^Secret", "1." * 32 + "1"])
def test_what_is_no_uid_is_refused_unseen(study: Path, uid: str) -> None:
    """A spoiled length can put the bytes of a name where a UID belongs."""
    path = file_of(study, "structures")
    dataset = pydicom.dcmread(path)
    with pydicom.config.disable_value_validation():
        dataset.ReferencedFrameOfReferenceSequence[0].FrameOfReferenceUID = uid
        dataset.save_as(path)
    with pytest.raises(InputError, match="FrameOfReferenceUID is no UID") as refused:
        read_structures(path)
    assert uid not in str(refused.value)


def test_places_that_are_no_files(tmp_path: Path) -> None:
    for read in (read_ion_plan, read_structures, read_dose, find_study, lambda p: read_ct([p])):
        for path in (tmp_path, tmp_path / "missing"):
            with pytest.raises(InputError):
                read(path)


def test_a_transfer_syntax_that_is_none(study: Path) -> None:
    path = file_of(study, "dose")
    path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"9.2.840.10008.1.2.1\0", 1))
    with pytest.raises(InputError, match="cannot be decoded"):
        read_dose(path)


def test_a_grid_of_impossible_size(study: Path) -> None:
    path = file_of(study, "dose")
    dataset = pydicom.dcmread(path)
    dataset.Rows, dataset.Columns = 65535, 65535
    dataset.save_as(path)
    with pytest.raises(InputError, match=r"no possible size|cut short"):
        read_dose(path)
