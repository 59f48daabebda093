"""A phantom is moved in patient axes, head first supine; its own dose grid moves with it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.formats.dose.mhd import read_mhd

PHANTOM = """
name = "probe"
size_mm = [100.0, 100.0, 100.0]
voxel_mm = [4.0, 4.0, 4.0]
material = "G4_WATER"

[dose_grid]
size_mm = [80.0, 100.0, 60.0]
voxels = [20, 25, 15]

[[box]]
material = "G4_Ti"
x_mm = [40.0, 60.0]
y_mm = [40.0, 60.0]
z_mm = [40.0, 60.0]
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("library")
    (folder / "phantoms").mkdir()
    (folder / "phantoms" / "probe.toml").write_text(PHANTOM)
    (folder / "library.toml").write_text('name = "site"\nwith_packaged = true\n')
    (folder / "settings.toml").write_text("[output]\nmass = true\n")
    return folder


def calculated(tiny: Any, output: Path, library: Path, *arguments: str) -> Path:
    what = ("-p", "probe", "-s", str(library), "-n", "600", "-b", "2", *arguments)
    finished = tiny.calc(output, *what)
    assert finished.returncode == 0, finished.stderr
    return output


def centre_of_insert(output: Path) -> np.ndarray:
    """Return the centre of the titanium insert, mm, from the mass file."""
    image = read_mhd(output / "mhd" / "mass_density.mhd")
    where = np.argwhere(np.asarray(image.values) > 4.0)
    return np.asarray(image.grid.to_patient(where[:, ::-1].astype(float)).mean(axis=0))


def test_the_phantom_moves_by_the_shift_and_the_beam_does_not(tiny: Any, tmp_path: Path, library: Path) -> None:
    plain = calculated(tiny, tmp_path / "plain", library)
    moved = calculated(tiny, tmp_path / "moved", library, "--phantom-shift", "-12", "20", "8")
    assert centre_of_insert(plain) == pytest.approx([0, 0, 0], abs=1e-3)
    assert centre_of_insert(moved) == pytest.approx([-12, 20, 8], abs=1e-3)
    doses = [read_mhd(folder / "mhd" / "plan_physical.mhd") for folder in (plain, moved)]
    assert [dose.grid.shape for dose in doses] == [(20, 25, 15)] * 2
    assert doses[0].grid.corners_mm().mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-3)
    assert doses[1].grid.corners_mm().mean(axis=0) == pytest.approx([-12, 20, 8], abs=1e-3)
    summary = tiny.summary(moved)
    said = " ".join(summary["assumptions"])
    assert "moved from the isocentre by (-12, 20, 8) mm (--phantom-shift)" in said
    assert "the phantom's own dose grid" in summary["dose_grid"]["basis"]
    assert {one["kind"] for one in summary["models"]} >= {"phantom", "settings"}
    # The beam stays: across it (gantry 90: y and z) the dose lies around the isocentre in both.
    for dose in doses:
        values = np.asarray(dose.values, float)
        places = dose.grid.to_patient(np.argwhere(values > 0)[:, ::-1].astype(float))
        assert np.average(places[:, 1:], axis=0, weights=values[values > 0]) == pytest.approx([0, 0], abs=1.5)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--phantom-shift", "0", "1", "2"), "A shift (--phantom-shift) moves a phantom; name it with -p."),
        (("-p", "water_box", "--phantom-shift", "0", "left", "2"), "is three numbers in mm, such as 0 -20 0."),
        (("-p", "water_box", "--phantom-shift", "0", "1e9", "2"), "at most 10000 mm"),
        (("--dose-to", "watre"), "--dose-to takes water or medium. Did you mean 'water'? Given: 'watre'."),
        (("--per", "field"), "--per takes beam or plan."),
        (("--write", "dosemask"), "Unknown output 'dosemask' (--write). Did you mean 'dose_mask'?"),
        (("-x", "1000", "22", "18"), "the site's least size is 0.5 mm"),
    ],
)
def test_mistakes_in_these_options(tiny: Any, tmp_path: Path, wrong: tuple[str, ...], said: str) -> None:
    refused = tiny.calc(tmp_path / "out", *wrong)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not (tmp_path / "out").exists()
