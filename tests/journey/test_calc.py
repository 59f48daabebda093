"""A tiny DICOM case through the whole calculation, read back by other software."""

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK

SEEN_BY_NOBODY = ("Secret", "Person", "IDENTITY")
PRIMARIES = "6000"
DOSES = [f"{name}_{kind}" for name in ("plan", "beam1", "beam2") for kind in ("physical", "effective")]


@pytest.fixture(scope="module")
def done(tiny: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output: Path = tmp_path_factory.mktemp("out") / "result"
    finished = tiny.calc(output, "-n", PRIMARIES, "-j", "2")
    assert finished.returncode == 0, finished.stderr
    assert "Report:" in finished.stdout
    return output


def values(path: Path) -> np.ndarray:
    dose = pydicom.dcmread(path)
    return np.asarray(dose.pixel_array * float(dose.DoseGridScaling))


def test_everything_promised_lies_in_the_folder(done: Path) -> None:
    names = {p.relative_to(done).as_posix() for p in done.rglob("*")}
    assert {f"dicom/{dose}.dcm" for dose in DOSES} <= names
    assert {f"mhd/{dose}.{end}" for dose in DOSES for end in ("mhd", "raw")} <= names
    assert {f"mhd/{name}_uncertainty.mhd" for name in ("plan", "beam1", "beam2")} <= names
    assert {"mhd/plan_gamma_3pc_3mm.mhd", "mhd/plan_gamma_2pc_2mm.mhd", "report.html", "log.txt"} <= names
    assert {f"stages/{stage}.json" for stage in ("prepare", "simulate-1", "simulate-2", "finish", "report")} <= names
    assert not any(name.startswith("parts") for name in names)


def test_only_the_owner_can_read_and_nobody_is_named(done: Path) -> None:
    for path in done.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
        assert not any(word in path.name for word in SEEN_BY_NOBODY)
    for name in ("log.txt", "summary.json", "request.json", "report.html"):
        text = (done / name).read_text()
        assert not any(word in text for word in SEEN_BY_NOBODY), name


def test_doses_fit_together(done: Path) -> None:
    physical = {name: values(done / "dicom" / f"{name}_physical.dcm") for name in ("plan", "beam1", "beam2")}
    top = physical["plan"].max()
    assert top > 0
    assert np.allclose(physical["plan"], physical["beam1"] + physical["beam2"], atol=1e-6 * top)
    effective = values(done / "dicom" / "plan_effective.dcm")
    assert np.allclose(effective, 1.1 * physical["plan"], atol=1e-6 * top)
    image = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(done / "mhd" / "plan_physical.mhd"))
    assert np.allclose(image, physical["plan"], atol=1e-6 * top)


def test_other_software_sees_the_right_geometry_and_peak(done: Path) -> None:
    dicom = SimpleITK.ReadImage(str(done / "dicom" / "beam1_physical.dcm"))
    mhd = SimpleITK.ReadImage(str(done / "mhd" / "beam1_physical.mhd"))
    for image in (dicom, mhd):
        assert image.GetSize() == (20, 22, 18)
        assert image.GetOrigin() == pytest.approx((-38.0, -42.0, -34.0))
        assert image.GetSpacing() == pytest.approx((4.0, 4.0, 4.0))
    for image in (dicom, mhd):
        array = SimpleITK.GetArrayFromImage(image)
        array[:, [0, 1, 2, -3, -2, -1], :] = 0.0  # the air: there a single stopping proton makes a peak of its own
        k, j, i = np.unravel_index(array.argmax(), array.shape)
        x, y, z = image.TransformIndexToPhysicalPoint((int(i), int(j), int(k)))
        # Gantry 0: from anterior (y = -33 mm). 80 MeV protons stop 51.8 mm deep (ICRU Report 49), at y = 18.8 mm.
        assert abs(x) <= 14
        assert abs(z) <= 14
        assert 2 <= y <= 20


def test_headers_are_new_and_refer_to_the_plan(done: Path, tiny: Any) -> None:
    plan = pydicom.dcmread(tiny.folder / "RN.dcm")
    heads = [pydicom.dcmread(p, stop_before_pixels=True) for p in sorted((done / "dicom").glob("*.dcm"))]
    uids = [h.SOPInstanceUID for h in heads]
    assert len(set(uids)) == len(uids)
    given = {pydicom.dcmread(p, stop_before_pixels=True).SOPInstanceUID for p in tiny.folder.glob("*.dcm")}
    assert not given & set(uids)
    for head in heads:
        assert head.ReferencedRTPlanSequence[0].ReferencedSOPInstanceUID == plan.SOPInstanceUID
        assert head.FrameOfReferenceUID == plan.FrameOfReferenceUID
        assert head.StudyInstanceUID == plan.StudyInstanceUID
        assert head.DoseUnits == "GY"
        assert len(head.DoseComment) <= 64
    beam = pydicom.dcmread(done / "dicom" / "beam2_effective.dcm", stop_before_pixels=True)
    assert (beam.DoseType, beam.DoseSummationType) == ("EFFECTIVE", "BEAM")
    group = beam.ReferencedRTPlanSequence[0].ReferencedFractionGroupSequence[0]
    assert group.ReferencedBeamSequence[0].ReferencedBeamNumber == 2


def overlap(centres: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return the share of 4 mm voxels between two planes."""
    return np.clip(np.minimum(centres + 2, high) - np.maximum(centres - 2, low), 0, 4) / 4


def test_absolute_dose_by_energy_and_meterset(done: Path, tiny: Any) -> None:
    """Dose times mass is the energy of all particles of all fractions, less what leaves and what frees nucleons."""
    summary = tiny.summary(done)
    x, y, z = (-38.0 + 4 * np.arange(20), -42.0 + 4 * np.arange(22), -34.0 + 4 * np.arange(18))
    share = overlap(z, -30, 30)[:, None, None] * overlap(y, -33, 33)[None, :, None] * overlap(x, -30, 30)[None, None, :]
    mass_kg = 0.064e-3 * share  # 4 mm cubes of water, 1 g/cm3
    for beam in summary["beams"]:
        # 20 MU at a weight scale of 27: nine spots of weight 1 at 72 MeV, nine of weight 2 at 80 MeV; particles per
        # MU of the generic model, linear between its nodes.
        per_mu = {72.0: 6.3389e7 + 0.2 * (7.023e7 - 6.3389e7), 80.0: 7.023e7}
        particles = {72.0: 20 * 9 / 27 * per_mu[72.0], 80.0: 20 * 18 / 27 * per_mu[80.0]}
        assert beam["particles_per_fraction"] == pytest.approx(sum(particles.values()), rel=1e-3)
        started = sum(n * e for e, n in particles.items()) * 2
        dose = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(done / "mhd" / f"beam{beam['number']}_to_medium.mhd"))
        deposited = float((dose * mass_kg).sum()) / 1.602176634e-13
        assert 0.955 < deposited / started < 0.985  # nuclear losses of 2 to 3 %, 0.5 MeV in half a metre of air


def test_the_summary_names_every_file_and_every_choice(done: Path, tiny: Any) -> None:
    summary = tiny.summary(done)
    for name, hashed in summary["files_sha256"].items():
        assert hashlib.sha256((done / name).read_bytes()).hexdigest() == hashed
    assert len(summary["files_sha256"]) > 30
    assert summary["goal_reached"] is True
    assert [beam["histories"] for beam in summary["beams"]] == [6000, 6000]
    assert {rate["criterion"] for rate in summary["gamma"]} == {"3 % / 3 mm global", "2 % / 2 mm global"}
    regions = summary["gamma"][0]["pass_percent"]
    assert list(regions)[:3] == ["whole dose in Body", "the same with the Monte Carlo dose searched", "Target <b>"]
    assert list(regions)[3:] == ["Cord", "outside Target <b>", "outside Cord"]
    assert [row["structure"] for row in summary["dvh"]] == ["Body", "Target <b>", "Cord"]
    assert {"mean_Gy", "min_Gy", "max_Gy", "D95 (Gy)"} <= set(summary["dvh"][0]["calculated"])
    assert any("research role" in said for said in summary["assumptions"])
    assert any("divided by the RBE" in said for said in summary["warnings"])


def test_names_from_dicom_are_escaped_in_the_report(done: Path) -> None:
    page = (done / "report.html").read_text()
    assert "<b>" not in page
    assert "Target &lt;b&gt;" in page
    assert "not for clinical use" in page.lower()


def test_the_same_request_again_does_nothing_again(done: Path, tiny: Any) -> None:
    before = {p: p.read_bytes() for p in (done / "dicom").iterdir()}
    again = tiny.calc(done, "-n", PRIMARIES)
    assert again.returncode == 0
    assert "finished already" in again.stderr
    assert {p: p.read_bytes() for p in (done / "dicom").iterdir()} == before


def test_a_damaged_file_is_made_again(done: Path, tiny: Any, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(done, copy)
    (copy / "mhd" / "plan_physical.raw").write_bytes(b"nonsense")
    again = tiny.calc(copy, "-n", PRIMARIES)
    assert again.returncode == 0
    assert "taken as it is" in again.stderr
    assert (copy / "mhd" / "plan_physical.raw").read_bytes() == (done / "mhd" / "plan_physical.raw").read_bytes()


def test_one_thread_gives_the_same_dose_as_two(done: Path, tiny: Any, tmp_path: Path) -> None:
    assert tiny.calc(tmp_path / "one", "-n", PRIMARIES, "-j", "1").returncode == 0
    for name in ("plan_physical.raw", "plan_uncertainty.raw", "beam2_to_medium.raw"):
        assert (tmp_path / "one" / "mhd" / name).read_bytes() == (done / "mhd" / name).read_bytes()


def test_json_on_the_output_stream_is_the_summary(done: Path, tiny: Any) -> None:
    import json

    shown = json.loads(tiny.calc(done, "-n", PRIMARIES, "--json").stdout)
    assert shown["folder"] == str(done)
    assert shown["seed"] == 1


def test_another_request_is_refused_in_this_folder(done: Path, tiny: Any) -> None:
    refused = tiny.calc(done, "-n", PRIMARIES, "--seed", "2")
    assert refused.returncode == 2
    assert "seed" in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "shape"), [(("-x", "10", "11", "9"), (9, 11, 10)), (("-f",), None), (("-b", "Side"), (18, 22, 20))]
)
def test_other_grids_and_single_beams(
    tiny: Any, tmp_path: Path, arguments: tuple[str, ...], shape: tuple[int, int, int] | None
) -> None:
    finished = tiny.calc(tmp_path / "out", "-n", "600", *arguments)
    assert finished.returncode == 0, finished.stderr
    dose = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(tmp_path / "out" / "mhd" / "plan_physical.mhd"))
    if shape:
        assert dose.shape == shape
    else:
        image = SimpleITK.ReadImage(tmp_path / "out" / "mhd" / "plan_physical.mhd")
        assert image.GetSpacing() == (3.0, 3.0, 3.0)
    summary = tiny.summary(tmp_path / "out")
    if "-b" in arguments:
        assert [beam["name"] for beam in summary["beams"]] == ["Side"]
        assert any("Not all beams" in said for said in summary["warnings"])
        assert summary["gamma"] == []


def test_without_planned_dose_ct_or_either(make_case: Callable[..., Any], tmp_path: Path) -> None:
    alone = make_case(doses=False)
    finished = alone.calc(tmp_path / "alone", "-n", "600")
    assert finished.returncode == 0, finished.stderr
    assert "2 mm grid" in finished.stderr
    assert "gamma is left out" in finished.stderr
    assert alone.summary(tmp_path / "alone")["dose_grid"]["spacing_mm"] == [2, 2, 2]

    no_ct = make_case(ct=False)
    finished = no_ct.calc(tmp_path / "water", "-n", "600")
    assert finished.returncode == 0, finished.stderr
    assert "There is no CT" in finished.stderr

    nothing = make_case(ct=False, structures=False)
    refused = nothing.calc(tmp_path / "nothing", "-n", "600")
    assert refused.returncode == 2
    assert "-p" in refused.stderr
    finished = nothing.calc(tmp_path / "phantom", "-n", "600", "-p", "water_box", "-b", "1")
    assert finished.returncode == 0, finished.stderr
    assert "water_box" in str(nothing.summary(tmp_path / "phantom")["assumptions"])
