"""LET in the files of a run: what stands in them, what they are called, and that they belong together."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.formats.dose.mhd import read_mhd, read_mhd_header
from dosewright.simulation import RunFile, read_run_file, run_in_folder
from dosewright.simulation.run import Progress
from dosewright.simulation.run_file.phantom_tables import Phantom, UnevenEdges
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PencilSource, SpotsSource
from dosewright.simulation.run_file.tables import Goals

BOX = Phantom(size_mm=(60, 60, 60), voxel_mm=(60, 60, 2), origin_mm=(-30, -30, 0), material="G4_WATER")
BEAM = PencilSource(particle="proton", energy_MeV=70, position_mm=(0, 0, -10))
BOTH = (Score(quantity="letd"), Score(quantity="lett", name="track"))
RUN = RunFile(phantom=BOX, source=BEAM, score=BOTH, goal=Goals(histories=4000))


def test_files_say_what_they_hold(tmp_path: Path) -> None:
    result = run_in_folder(RUN, tmp_path)
    assert result.let_d is not None
    letd, header = read_mhd(tmp_path / "letd.mhd"), read_mhd_header(tmp_path / "letd.mhd")
    assert np.array_equal(letd.values, result.let_d_keV_um.astype(np.float32))
    assert np.array_equal(read_mhd(tmp_path / "track.mhd").values, result.let_t_keV_um.astype(np.float32))
    uncertainty = read_mhd(tmp_path / "letd_uncertainty.mhd").values
    assert np.array_equal(uncertainty, result.let_d.relative_uncertainty.astype(np.float32))
    assert (header["Quantity"], header["Unit"]) == ("letd", "keV/um")
    for word in ("LETd", "protons (primary and secondary)", "unrestricted", "in unit-density water", "keV/um"):
        assert word in header["Definition"]
    assert read_mhd_header(tmp_path / "track.mhd")["Definition"].startswith("LETt (track-averaged)")
    assert 0.9 < letd.values[0, 0, 0] < 2.0
    summary = json.loads((tmp_path / "summary.json").read_text())
    first, second = summary["scores"]
    assert (first["name"], first["quantity"], first["unit"]) == ("letd", "letd", "keV/um")
    assert first["definition"] == header["Definition"]
    assert second["name"] == "track"


def test_the_resolved_run_scores_the_same_let(tmp_path: Path) -> None:
    run_in_folder(RUN, tmp_path / "a")
    run_in_folder(read_run_file(tmp_path / "a" / "run.toml"), tmp_path / "b")
    for name in ("letd.raw", "track.raw", "letd_uncertainty.raw", "track_uncertainty.raw"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_killed_run_ends_with_the_same_let(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_in_folder(RUN, tmp_path / "whole")
    monkeypatch.setattr("dosewright.simulation.run.SAVE_EVERY_SECONDS", -1.0)

    def kill(progress: Progress) -> None:
        if progress.histories > 2500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_in_folder(RUN, tmp_path / "killed", on_progress=kill)
    run_in_folder(RUN, tmp_path / "killed")
    for name in ("letd.raw", "letd_uncertainty.raw", "track_uncertainty.raw"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "killed" / name).read_bytes()


def test_particles_scale_doses_and_no_let(tmp_path: Path) -> None:
    table = tmp_path / "spots.csv"
    table.write_text("x_mm,y_mm,energy_MeV,particles\n0,0,70,1e9\n")
    source = SpotsSource(particle="proton", file=str(table), position_mm=(0, 0, -10))
    run = RUN.model_copy(update={"source": source, "score": (*BOTH, Score())})
    result = run_in_folder(run, tmp_path / "out")
    assert read_mhd(tmp_path / "out" / "dose.mhd").values.max() == pytest.approx(result.dose_Gy.max() * 1e9, rel=1e-6)
    assert read_mhd(tmp_path / "out" / "letd.mhd").values.max() == pytest.approx(result.let_d_keV_um.max(), rel=1e-6)
    assert read_mhd_header(tmp_path / "out" / "letd.mhd")["Unit"] == "keV/um"


def test_uneven_voxels_and_grids_of_their_own(tmp_path: Path) -> None:
    uneven = BOX.model_copy(update={"edges_mm": UnevenEdges(z=(0, 10, 30, 36, 38, 40, 42, 44, 60))})
    result = run_in_folder(RUN.model_copy(update={"phantom": uneven}), tmp_path / "uneven")
    assert result.let_d_keV_um.shape == (8, 1, 1)
    own: Any = {"size_mm": (60, 60, 40), "voxel_mm": (60, 60, 4), "origin_mm": (-30, -30, 0)}
    scores = (Score(quantity="letd", **own), Score(**own))
    result = run_in_folder(RUN.model_copy(update={"score": scores}), tmp_path / "own")
    assert read_mhd(tmp_path / "own" / "letd.mhd").grid.shape == (1, 1, 10)
    assert (np.diff(result.let_t_keV_um[:, 0, 0]) > 0).all()
