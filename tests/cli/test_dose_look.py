"""dosewright dose compare, profile, plot; dosewright phantom: exit codes, files, messages."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from dosewright.cli.main import app
from dosewright.core.dose_file import DoseFile
from dosewright.core.grid import Grid, Image
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.formats.dose.egsphant import read_egsphant, write_egsphant
from dosewright.formats.dose.mhd import write_mhd
from dosewright.formats.dose.open import write_dose

X, Z = np.linspace(-30, 30, 16), np.linspace(0, 80, 41)


def dosewright(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def dose(path: Path, seed: int = 1, scale: float = 1.0) -> Path:
    a, d = (X[1:] + X[:-1]) / 2, (Z[1:] + Z[:-1]) / 2
    edge = 1.0 / (1.0 + np.exp((np.abs(a) - 15.0) / 2.0))
    exact = 1e-13 * np.clip((50 - d) / 10, 0, 1)[:, None, None] * edge[None, :, None] * edge[None, None, :]
    values = exact * (1 + 0.01 * np.random.default_rng(seed).standard_normal(exact.shape))
    write_dose(path, DoseFile((X, X, Z), scale * values, np.full(exact.shape, 0.01)))
    return path


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return dose(tmp_path / "a.3ddose")


def test_doses_that_agree(tmp_path: Path, first: Path) -> None:
    second = dose(tmp_path / "b.mhd", 2)
    done = dosewright("dose", "compare", first, second, "-o", tmp_path / "c.png", "--judge", "both", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["agrees"] is True
    assert said["statistics"]["chi_square_per_voxel"] == pytest.approx(1.0, abs=0.1)
    assert [one["criterion"] for one in said["gamma"]] == [
        "3 %/3 mm global, above 10 %",
        "2 %/2 mm global, above 10 %",
    ]
    assert (tmp_path / "c.png").read_bytes()[:4] == b"\x89PNG"


def test_doses_that_do_not_agree_have_an_exit_code_of_their_own(tmp_path: Path, first: Path) -> None:
    second = dose(tmp_path / "b.3ddose", 2, 1.1)
    done = dosewright("dose", "compare", first, second, "-g", "3/1", "--local", "--quick")
    assert done.exit_code == 4
    assert "The doses do not agree." in done.stdout
    assert dosewright("dose", "compare", first, second, "-g", "3/1", "--scale", "match", "--quick").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-g", "3%/3mm"], "--gamma cannot be read. Given: '3%/3mm'. Allowed: PERCENT/MM"),
        (["--scale", "macht"], "--scale cannot be read"),
        (["--judge", "gama"], "Did you mean 'gamma'?"),
        (["--no-gamma"], "Gamma cannot judge"),
        (["-o", "a.3ddose"], "is one of the files that are read"),
    ],
)
def test_mistakes_are_sentences(
    tmp_path: Path, first: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = dosewright("dose", "compare", first, first, *words)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_profile_has_figures_and_files(tmp_path: Path, first: Path) -> None:
    words = ("dose", "profile", first, "--along", "z", "--through", "0,0,10", "-o", tmp_path / "pdd")
    done = dosewright(*words, "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said["figures"]["R50_mm"]["value"] == pytest.approx(45, abs=0.5)
    assert said["figures"]["R80_mm"]["sigma"] < 0.5
    assert said["through_mm"] == pytest.approx([0, 0, 11])
    rows = (tmp_path / "pdd.csv").read_text().splitlines()
    assert rows[0].startswith("z_mm,low_mm,high_mm,dose (Gy per history),standard_error")
    assert len(rows) == 41
    assert (tmp_path / "pdd.png").is_file()
    assert dosewright(*words).exit_code == 2  # the files are there
    depth = json.loads(dosewright(*words[:7], "--surface", "60", "--backwards", "--json").stdout)
    assert depth["figures"]["rises_to_50_mm"]["value"] == pytest.approx(15, abs=0.5)


def test_a_profile_across(first: Path) -> None:
    done = dosewright("dose", "profile", first, "--along", "x", "--through", "0,0,20")
    assert done.exit_code == 0
    assert "width 50" in done.stdout
    assert "penumbra rising 80 20" in done.stdout
    assert "outside the dose" in dosewright("dose", "profile", first, "--through", "0,0,200").stderr
    assert "Allowed: x, y, z" in dosewright("dose", "profile", first, "--along", "depth").stderr


def test_a_plot_with_a_ct_behind(tmp_path: Path, first: Path) -> None:
    ct = tmp_path / "ct.mhd"
    write_mhd(ct, Image(Grid((30, 30, 40), (2.5, 2.5, 2.5), (-36, -36, 0)), np.zeros((40, 30, 30), np.int16)))
    for n, more in enumerate([["--through", "5,5,30"], ["--ct", ct, "--isodoses", "20,80"]]):
        done = dosewright("dose", "plot", first, "-o", tmp_path / f"{n}.png", *more)
        assert done.exit_code == 0, done.output
        assert (tmp_path / f"{n}.png").read_bytes()[:4] == b"\x89PNG"


def test_a_phantom_of_a_ct_and_a_look_at_it(tmp_path: Path) -> None:
    hu = np.full((4, 10, 10), -1000, np.int16)
    hu[:, :, 5:] = 30
    ct = tmp_path / "ct.mhd"
    write_mhd(ct, Image(Grid((10, 10, 4), (2, 2, 5), (1, 1, 2.5)), hu))
    made = dosewright("phantom", "from-dicom", ct, "-o", tmp_path / "p.egsphant", "--ramp", "default", "--json")
    assert made.exit_code == 0, made.output
    said = json.loads(made.stdout)
    assert said["hu_range"] == [-1000, 30]
    assert [(one["name"], one["volume_percent"]) for one in said["media"]] == [
        ("AIR521ICRU", 50),
        ("ICRUTISSUE521ICRU", 50),
    ]
    assert read_egsphant(tmp_path / "p.egsphant").shape == (10, 10, 4)
    seen = dosewright("phantom", "info", tmp_path / "p.egsphant")
    assert "AIR521ICRU" in seen.stdout
    assert "g/cm3: G4_TISSUE_SOFT_ICRU-4" in seen.stdout
    both = dosewright("phantom", "from-dicom", ct, "-o", tmp_path / "q.egsphant", "--ramp", "default", "-c", "generic")
    assert both.exit_code == 2
    assert "has no place beside them" in both.stderr


def test_a_phantom_whose_media_nobody_knows(tmp_path: Path) -> None:
    one = np.ones((2, 2, 2))
    edges = np.array([0.0, 1.0, 2.0])
    write_egsphant(tmp_path / "p.egsphant", VoxelPhantom((edges, edges, edges), ("STUFF",), one.astype(np.int16), one))
    assert "SAY WHAT IT IS in [phantom.media]" in dosewright("phantom", "info", tmp_path / "p.egsphant").stdout
    (tmp_path / "x.txt").write_text("no phantom")
    assert "no text phantom" in dosewright("phantom", "info", tmp_path / "x.txt").stderr
