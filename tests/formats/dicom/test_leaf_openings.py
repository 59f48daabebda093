"""Jaws and leaves of RT Plans: invented ones with every attribute, and real ones."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from tests.formats.dicom.test_conformance import Watch, with_sequences
from tests.formats.dicom.test_fuzz import places, spoil, value_or_refusal

from dosewright.core.errors import InputError
from dosewright.formats.dicom.conformance_table import READS
from dosewright.formats.dicom.leaf_openings import read_openings
from dosewright.formats.dicom.sop_classes import RT_PLAN


def item(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def position(kind: str, *values: float) -> Dataset:
    return item(RTBeamLimitingDeviceType=kind, LeafJawPositions=list(values))


def plan() -> Dataset:
    """One beam: jaws along x and y, three pairs of leaves along x, three control points."""
    devices = [
        item(RTBeamLimitingDeviceType="ASYMX", NumberOfLeafJawPairs=1),
        item(RTBeamLimitingDeviceType="Y", NumberOfLeafJawPairs=1),
        item(RTBeamLimitingDeviceType="MLCX", NumberOfLeafJawPairs=3, LeafPositionBoundaries=[-15.0, -5.0, 5.0, 15.0]),
    ]
    points = [
        item(
            CumulativeMetersetWeight=0.0,
            GantryAngle=270.0,
            BeamLimitingDeviceAngle=15.0,
            PatientSupportAngle=350.0,
            BeamLimitingDevicePositionSequence=[
                position("ASYMX", -40.0, 50.0),
                position("Y", -20.0, 20.0),
                position("MLCX", -31.0, -32.0, -33.0, 41.0, 42.0, 43.0),
            ],
        ),
        item(
            CumulativeMetersetWeight=0.25,
            GantryAngle=271.0,
            BeamLimitingDevicePositionSequence=[position("MLCX", -1.0, -2.0, -3.0, 4.0, 5.0, 6.0)],
        ),
        item(CumulativeMetersetWeight=1.0),
    ]
    beam = item(
        BeamNumber=7,
        BeamName="left",
        TreatmentMachineName="LINAC",
        NumberOfControlPoints=3,
        NumberOfWedges=1,
        NumberOfBlocks=0,
        NumberOfCompensators=0,
        NumberOfBoli=2,
        ApplicatorSequence=[item(ApplicatorID="A10")],
        BeamLimitingDeviceSequence=devices,
        ControlPointSequence=points,
    )
    return item(SOPClassUID=RT_PLAN, SOPInstanceUID="1.2.3", Modality="RTPLAN", BeamSequence=[beam])


def written(folder: Path, dataset: Dataset) -> Path:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = RT_PLAN
    dataset.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    path = folder / "plan.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path


def test_jaws_and_leaves_are_read(tmp_path: Path) -> None:
    """BeamNumber, BeamName, TreatmentMachineName, CumulativeMetersetWeight, GantryAngle, BeamLimitingDeviceAngle and
    PatientSupportAngle come along; so does what else is in the beam, by NumberOfWedges, NumberOfBlocks,
    NumberOfCompensators, NumberOfBoli and ApplicatorSequence."""
    (beam,) = read_openings(written(tmp_path, plan()))
    assert (beam.number, beam.name, beam.machine) == (7, "left", "LINAC")
    assert [point.cumulative_weight for point in beam.control_points] == [0.0, 0.25, 1.0]
    assert [point.gantry_deg for point in beam.control_points] == [270.0, 271.0, 271.0]
    assert {(point.collimator_deg, point.couch_deg) for point in beam.control_points} == {(15.0, 350.0)}
    assert beam.in_beam == ("wedges", "boli", "applicator")
    jaws, other, leaves = beam.control_points[0].devices
    assert (jaws.kind, jaws.orientation, jaws.leaves) == ("ASYMX", "X", False)
    assert (jaws.negative_mm, jaws.positive_mm) == ((-40.0,), (50.0,))
    assert (other.kind, other.orientation) == ("Y", "Y")
    assert leaves.leaves
    assert leaves.negative_mm == (-31.0, -32.0, -33.0)
    assert leaves.positive_mm == (41.0, 42.0, 43.0)
    assert leaves.boundaries_mm == (-15.0, -5.0, 5.0, 15.0)


def test_positions_hold_until_changed(tmp_path: Path) -> None:
    """LeafJawPositions that a control point leaves out are those of the one before."""
    (beam,) = read_openings(written(tmp_path, plan()))
    first, second, third = beam.control_points
    assert second.devices[:2] == first.devices[:2]
    assert second.devices[2].positive_mm == (4.0, 5.0, 6.0)
    assert third.devices == second.devices


def beam_of(dataset: Dataset) -> Dataset:
    beam: Dataset = dataset.BeamSequence[0]
    return beam


def device_of(dataset: Dataset, k: int) -> Dataset:
    device: Dataset = beam_of(dataset).BeamLimitingDeviceSequence[k]
    return device


def position_of(dataset: Dataset, k: int) -> Dataset:
    stated: Dataset = beam_of(dataset).ControlPointSequence[0].BeamLimitingDevicePositionSequence[k]
    return stated


WRONG: list[tuple[Callable[[Dataset], Any], str]] = [
    (lambda d: setattr(d, "SOPClassUID", "1.2.840.10008.5.1.4.1.1.481.8"), "The file is no RT Plan"),
    (lambda d: delattr(d, "BeamSequence"), "The plan has no beams"),
    (lambda d: setattr(beam_of(d), "NumberOfControlPoints", 4), "the file is cut short"),
    (lambda d: setattr(device_of(d, 0), "RTBeamLimitingDeviceType", "IRIS"), "Unknown kind of collimator"),
    (lambda d: setattr(device_of(d, 0), "RTBeamLimitingDeviceType", "Y"), "described twice"),
    (lambda d: delattr(device_of(d, 2), "NumberOfLeafJawPairs"), "MLCX needs a number of pairs"),
    (lambda d: delattr(device_of(d, 2), "LeafPositionBoundaries"), "Given: none. Allowed: 4, one more than pairs"),
    (
        lambda d: setattr(device_of(d, 2), "LeafPositionBoundaries", [-15.0, 5.0, -5.0, 15.0]),
        "needs ascending boundaries of its leaves (LeafPositionBoundaries). Given: 4, -15, 5, -5, 15",
    ),
    (lambda d: setattr(position_of(d, 2), "LeafJawPositions", [1.0, 2.0]), "Allowed: 6, two for each of 3 pairs"),
    (lambda d: setattr(position_of(d, 0), "RTBeamLimitingDeviceType", "X"), "of no collimator that the beam describes"),
    (lambda d: setattr(position_of(d, 0), "LeafJawPositions", [9.0, 8.0]), "negative edge is at 9 mm, the positive at"),
    (
        lambda d: beam_of(d).ControlPointSequence[0].BeamLimitingDevicePositionSequence.pop(0),
        "says nothing of where ASYMX stands",
    ),
]


@pytest.mark.parametrize(("edit", "said"), WRONG, ids=[said for _, said in WRONG])
def test_what_would_open_a_wrong_field_is_refused(tmp_path: Path, edit: Callable[[Dataset], Any], said: str) -> None:
    dataset = plan()
    edit(dataset)
    with pytest.raises(InputError) as told:
        read_openings(written(tmp_path, dataset))
    assert said in str(told.value)
    assert "plan.dcm" in str(told.value)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), times=st.integers(1, 6))
def test_a_spoiled_plan_is_read_or_refused(tmp_path: Path, seed: int, times: int) -> None:
    dataset, rng = plan(), random.Random(seed)  # noqa: S311
    for holder, element in rng.sample(places(dataset), times):
        spoil(holder, element, rng)
    try:
        path = written(tmp_path, dataset)
    except Exception:
        return  # this spoiling cannot be written down
    value_or_refusal(lambda: read_openings(path))


def test_places_that_are_no_files(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(InputError):
            read_openings(path)


def test_what_is_read_is_what_is_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    read_openings(written(tmp_path, plan()))
    assert watch.seen[RT_PLAN] == with_sequences({read.whole_path for read in READS if RT_PLAN in read.objects})


@pytest.mark.parametrize(
    ("file", "beams", "points", "devices"),
    [
        ("photon-monaco-elekta-plans/06MV_plan.dcm", 10, 2, {"ASYMY": 1, "MLCX": 80}),
        ("photon-monaco-elekta-plans/vmat_example.dcm", 2, 32, {"ASYMY": 1, "MLCX": 80}),
        ("photon-tps-variety/RP_FiF.dcm", 1, 4, {"ASYMX": 1, "ASYMY": 1, "MLCX": 60}),
        ("photon-varian-imrt-dicompyler/rtplan.dcm", 4, 92, {"ASYMX": 1, "ASYMY": 1, "MLCX": 60}),
    ],
)
def test_real_plans(shared_data: Path, file: str, beams: int, points: int, devices: dict[str, int]) -> None:
    found = read_openings(shared_data / file)
    assert len(found) == beams
    assert len(found[0].control_points) == points
    for beam in found:
        for point in beam.control_points:
            assert {device.kind: len(device.negative_mm) for device in point.devices} == devices


def test_every_position_of_a_real_arc(shared_data: Path) -> None:
    """Each position of each control point against the data set itself, with what is left out carried over."""
    path = shared_data / "photon-tps-variety/VMAT_PLAN_WITH_SETUP_FIELDS.dcm"
    beam = read_openings(path)[0]
    held: dict[str, list[float]] = {}
    points = pydicom.dcmread(path).BeamSequence[0].ControlPointSequence
    for read, stated in zip(beam.control_points, points, strict=True):
        for one in stated.get("BeamLimitingDevicePositionSequence", []):
            held[one.RTBeamLimitingDeviceType] = [float(value) for value in one.LeafJawPositions]
        assert {d.kind: [*d.negative_mm, *d.positive_mm] for d in read.devices} == held
    assert len({tuple(point.devices[-1].negative_mm) for point in beam.control_points}) > 150
    assert np.all(np.diff([point.cumulative_weight or 0.0 for point in beam.control_points]) >= 0)


def test_layers_with_numbers(shared_data: Path, tmp_path: Path) -> None:
    """A collimator of two layers, of a plan whose own object class is a vendor's."""
    (path,) = (shared_data / "photon-tps-variety/halcyon").glob("RP*.dcm")
    with pytest.raises(InputError, match="no RT Plan"):
        read_openings(path)
    dataset = pydicom.dcmread(path)
    dataset.SOPClassUID = RT_PLAN
    dataset.save_as(tmp_path / "plan.dcm")
    beams = read_openings(tmp_path / "plan.dcm")
    counts = {device.kind: len(device.negative_mm) for device in beams[0].control_points[0].devices}
    assert counts == {"X": 1, "Y": 1, "MLCX1": 28, "MLCX2": 29}
