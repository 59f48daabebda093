"""A run and its folder: what lies there, what the numbers add up to, what survives a kill, what is refused."""

import json
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.execution.artifact import file_sha256
from dosewright.formats.dose.mhd import read_mhd, read_mhd_header
from dosewright.simulation import RunFile, read_run_file, run_in_folder
from dosewright.simulation import run as engine
from dosewright.simulation.run import Progress
from dosewright.simulation.run_file.phantom_tables import Phantom, Slab, UnevenEdges
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PointSource, RectangleSource, SpotsSource, VolumeSource
from dosewright.simulation.run_file.tables import Goals, Run
from dosewright.simulation.run_file.transport_tables import Transport

BOX = Phantom(size_mm=(60, 60, 60), voxel_mm=(4, 4, 2), origin_mm=(-30, -30, 0), material="G4_WATER")
BEAM = RectangleSource(particle="proton", energy_MeV=70, position_mm=(0, 0, -10), field_mm=(20, 20))
FEW = Goals(histories=2000)


def run_of(**tables: Any) -> RunFile:
    return RunFile(**{"phantom": BOX, "source": BEAM, "goal": FEW, **tables})


def energy_of(folder: Path, name: str = "energy") -> np.ndarray:
    return read_mhd(folder / f"{name}.mhd").values.astype(float)


ALL = (Score(), Score(quantity="dose_to_water"), Score(quantity="energy"))


def test_what_lies_in_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    result = run_in_folder(run_of(score=ALL), folder)
    images = [f"{n}{u}.{s}" for n in ("dose", "dose_to_water", "energy") for u in ("", "_uncertainty")
              for s in ("mhd", "raw")]  # fmt: skip
    assert sorted(p.name for p in folder.iterdir()) == sorted([*images, "run.toml", "summary.json", "parts"])
    assert all(stat.S_IMODE(p.stat().st_mode) == (0o700 if p.is_dir() else 0o600) for p in folder.rglob("*"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["files_sha256"] == {name: file_sha256(folder / name) for name in [*images, "run.toml"]}
    wanted = "version seed device threads histories batches wall_seconds cpu_seconds compile_seconds "
    wanted += "histories_per_cpu_second energy_MeV_per_primary goals warnings"
    assert set(wanted.split()) <= set(summary)
    assert summary["histories"] == result.histories == 2000
    assert summary["goals"]["reached"] is True
    energy = summary["energy_MeV_per_primary"]
    assert energy["started"] == pytest.approx(70)
    parts = ("deposited", "before_phantom", "escaped", "neutrals", "binding", "residual")
    assert sum(energy[p] for p in parts) == pytest.approx(70)
    assert abs(energy["residual"]) < 1e-4 * 70


def test_dose_mass_and_energy_agree(tmp_path: Path) -> None:
    result = run_in_folder(run_of(score=ALL), tmp_path)
    dose, energy = read_mhd(tmp_path / "dose.mhd"), energy_of(tmp_path)
    assert dose.grid.origin_mm == (-28, -28, 1)
    assert dose.grid.shape == (15, 15, 30)
    assert energy.sum() == pytest.approx(result.energy["deposited"], rel=1e-6)
    mass_g = 0.4 * 0.4 * 0.2
    assert dose.values.astype(float) * mass_g / MEV_PER_G_IN_GY == pytest.approx(energy, rel=1e-5, abs=1e-9)
    assert energy_of(tmp_path, "dose_to_water") == pytest.approx(dose.values, rel=1e-3, abs=1e-20)  # it is water
    assert read_mhd_header(tmp_path / "dose.mhd")["Unit"] == "Gy per primary"
    uncertainty = energy_of(tmp_path, "dose_uncertainty")
    assert np.array_equal(uncertainty, result.relative_uncertainty.astype(np.float32))
    assert uncertainty.min() > 0
    assert uncertainty[energy == 0] == pytest.approx(1)


def test_the_bragg_peak_lies_at_its_depth_from_any_side(tmp_path: Path) -> None:
    """The range of 70 MeV protons in water is 41 mm (NIST PSTAR: 40.8 mm with I = 75 eV)."""
    places = {(0.0, 0.0, 1.0): (0, 0, -50), (0.0, 0.0, -1.0): (0, 0, 150), (1.0, 0.0, 0.0): (-90, 0, 30),
              (0.0, -1.0, 0.0): (0, 90, 30)}  # fmt: skip
    cube = Phantom(size_mm=(60, 60, 60), voxel_mm=(1, 1, 1), origin_mm=(-30, -30, 0), material="G4_WATER")
    off = Transport(processes_off=("nuclear", "straggling"))
    for number, (direction, position) in enumerate(places.items()):
        source = RectangleSource(
            particle="proton", energy_MeV=70, position_mm=position, direction=direction, field_mm=(10, 10)
        )
        folder = tmp_path / str(number)
        run_in_folder(run_of(phantom=cube, source=source, transport=off, score=(Score(quantity="energy"),)), folder)
        energy = energy_of(folder)
        axis = int(np.argmax(np.abs(direction)))  # of (x, y, z)
        along = energy.sum(axis=tuple(a for a in range(3) if a != 2 - axis))
        along = along if direction[axis] > 0 else along[::-1]
        if axis == 2 and direction[2] < 0:
            assert energy[0].sum() < energy[-1].sum()
        last = np.flatnonzero(along > 0.5 * along.max())[-1]
        assert abs(last + 0.5 - 40.5) <= 1.0
        across = np.delete(np.argwhere(energy > 0.2 * energy.max()) - 29.5, 2 - axis, axis=1)
        assert np.abs(across.mean(axis=0)).max() < 0.3


def test_a_point_field_has_its_size_at_its_plane(tmp_path: Path) -> None:
    thin = Phantom(size_mm=(200, 200, 2), voxel_mm=(2, 2, 2), origin_mm=(-100, -100, 0), material="G4_WATER")
    source = PointSource(
        particle="proton", energy_MeV=200, position_mm=(20, 10, -500), field_mm=(80, 40), field_at_mm=(20, 10, 1)
    )
    off = Transport(processes_off=("nuclear", "scattering"))
    run = run_of(phantom=thin, source=source, transport=off, score=(Score(quantity="energy"),),
                 goal=Goals(histories=100_000))  # fmt: skip
    run_in_folder(run, tmp_path)
    flat = energy_of(tmp_path)[0]
    x, y = flat.sum(axis=0), flat.sum(axis=1)
    centres = np.arange(-99, 100, 2.0)
    inside_x, inside_y = np.abs(centres - 20) < 40, np.abs(centres - 10) < 20
    assert x[inside_x].sum() / x.sum() == pytest.approx(1, abs=2e-3)
    assert y[inside_y].sum() / y.sum() == pytest.approx(1, abs=2e-3)
    assert x[inside_x].min() / x[inside_x].mean() > 0.9


def test_spots_give_gray(tmp_path: Path) -> None:
    table = tmp_path / "spots.csv"
    table.write_text("x_mm,y_mm,energy_MeV,particles\n-10,10,60,3e7\n10,-10,70,1e7\n")
    source = SpotsSource(particle="proton", file=str(table), position_mm=(0, 0, -10))
    off = Transport(processes_off=("nuclear",))
    run = run_of(source=source, transport=off, score=(Score(), Score(quantity="energy")))
    result = run_in_folder(run, tmp_path / "out")
    energy = energy_of(tmp_path / "out")
    assert energy.sum() == pytest.approx(3e7 * 60 + 1e7 * 70, rel=1e-3)
    quarter = energy[:, 7:, :8].sum()  # x < 0, y > 0
    assert quarter == pytest.approx(3e7 * 60, rel=0.005)
    dose = energy_of(tmp_path / "out", "dose")
    assert dose == pytest.approx(result.dose_Gy * 4e7, rel=1e-5)
    assert read_mhd_header(tmp_path / "out" / "dose.mhd")["Unit"] == "Gy"
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["particles"] == 4e7


def test_a_grid_of_its_own_holds_the_same_energy(tmp_path: Path) -> None:
    own = {"size_mm": (64, 64, 64), "voxel_mm": (2, 2, 4), "origin_mm": (-32, -32, -2)}
    run_in_folder(run_of(score=(Score(quantity="energy"),)), tmp_path / "a")
    run_in_folder(run_of(score=(Score(quantity="energy", **own), Score(**own))), tmp_path / "b")
    a, b = energy_of(tmp_path / "a"), read_mhd(tmp_path / "b" / "energy.mhd")
    assert b.grid.shape == (32, 32, 16)
    assert b.values.sum() == pytest.approx(a.sum(), rel=1e-6)
    of_depth = a.sum(axis=(1, 2))  # planes of 2 mm from 0; own planes of 4 mm from -2
    shifted = np.concatenate([[0.0], of_depth, [0.0]]).reshape(-1, 2).sum(axis=1)
    assert b.values.sum(axis=(1, 2)) == pytest.approx(shifted, rel=1e-5, abs=1e-9)


def test_uneven_voxels_keep_their_edges(tmp_path: Path) -> None:
    uneven = BOX.model_copy(update={"edges_mm": UnevenEdges(z=(0, 10, 30, 36, 38, 40, 42, 44, 60))})
    run_in_folder(run_of(phantom=uneven, score=(Score(), Score(quantity="energy"))), tmp_path)
    header = read_mhd_header(tmp_path / "dose.mhd")
    assert header["EdgesMmZ"] == "0 10 30 36 38 40 42 44 60"
    assert float(header["ElementSpacing"].split()[2]) == 7.5
    assert "uneven" in json.loads((tmp_path / "summary.json").read_text())["warnings"][0]
    dose, energy = energy_of(tmp_path, "dose"), energy_of(tmp_path)
    assert (energy / np.where(dose > 0, dose, 1))[:2].max(axis=(1, 2)) == pytest.approx(
        np.array([0.16, 0.32]) / MEV_PER_G_IN_GY, rel=1e-5
    )


def test_density_stops_protons_sooner(tmp_path: Path) -> None:
    """A slab of water twice as dense takes its thickness from the range."""
    thin = BOX.model_copy(update={"voxel_mm": (60.0, 60.0, 0.5)})
    slabbed = thin.model_copy(update={"slab": (Slab(z_mm=(10, 20), material="G4_WATER", density_g_cm3=2.0),)})
    ranges = []
    for name, phantom in (("a", thin), ("b", slabbed)):
        run_in_folder(run_of(phantom=phantom), tmp_path / name)
        along = energy_of(tmp_path / name, "dose")[:, 0, 0]
        last = int(np.flatnonzero(along > 0.8 * along.max())[-1])
        share = (along[last] - 0.8 * along.max()) / (along[last] - along[last + 1])
        ranges.append(0.5 * (last + 0.5 + share))
    assert ranges[0] - ranges[1] == pytest.approx(10, abs=0.15)
    # NIST PSTAR: 40.8 mm with I = 75 eV; 78 eV adds half a percent.
    assert ranges[0] == pytest.approx(41.0, abs=0.25)


def test_the_resolved_run_and_any_number_of_threads_give_the_same_dose(tmp_path: Path) -> None:
    run_in_folder(run_of(), tmp_path / "a")
    again = read_run_file(tmp_path / "a" / "run.toml")
    run_in_folder(again.model_copy(update={"run": Run(threads=1)}), tmp_path / "b")
    other = again.model_copy(update={"run": Run(seed=2)})
    run_in_folder(other, tmp_path / "c")
    a, b, c = ((tmp_path / n / "dose.raw").read_bytes() for n in "abc")
    assert a == b != c


class Killed(BaseException):
    """Stands for a killed process."""


def test_a_killed_run_goes_on_and_ends_with_the_same_dose(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = run_of(goal=Goals(histories=40_000))
    whole = run_in_folder(run, tmp_path / "whole")
    monkeypatch.setattr("dosewright.simulation.run.SAVE_EVERY_SECONDS", -1.0)

    def kill(progress: Progress) -> None:
        if progress.histories > 25_000:
            raise Killed

    with pytest.raises(Killed):
        run_in_folder(run, tmp_path / "killed", on_progress=kill)
    assert not (tmp_path / "killed" / "summary.json").exists()
    first = []
    result = run_in_folder(run, tmp_path / "killed", on_progress=lambda p: first.append(p.histories))
    assert first[0] > 15_000
    assert result.histories == whole.histories == 40_000
    assert (tmp_path / "killed" / "dose.raw").read_bytes() == (tmp_path / "whole" / "dose.raw").read_bytes()
    summary = json.loads((tmp_path / "killed" / "summary.json").read_text())
    assert any("resumed" in one for one in summary["warnings"])
    assert summary["cpu_seconds"] > 0.5 * whole.cpu_seconds
    assert engine.SAVE_EVERY_SECONDS == -1.0


def test_a_folder_of_another_run_is_refused(tmp_path: Path) -> None:
    run_in_folder(run_of(), tmp_path / "a")
    before = (tmp_path / "a" / "dose.raw").read_bytes()
    with pytest.raises(InputError, match=r"another run.*run.seed is 1 there and 2 here"):
        run_in_folder(run_of(run=Run(seed=2)), tmp_path / "a")
    run_in_folder(run_of(run=Run(threads=1)), tmp_path / "a")  # threads do not change the dose
    assert (tmp_path / "a" / "dose.raw").read_bytes() == before
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "dose.raw").write_text("precious")
    with pytest.raises(InputError, match=r"no run.toml explains"):
        run_in_folder(run_of(), tmp_path / "b")
    (tmp_path / "c").write_text("")
    with pytest.raises(InputError, match="not a folder"):
        run_in_folder(run_of(), tmp_path / "c")


def test_changed_inputs_are_not_mixed_with_old_parts(tmp_path: Path) -> None:
    table = tmp_path / "spots.csv"
    table.write_text("x_mm,y_mm,energy_MeV,particles\n0,0,60,1e7\n")
    run = run_of(source=SpotsSource(particle="proton", file=str(table), position_mm=(0, 0, -10)))
    run_in_folder(run, tmp_path / "out")
    table.write_text("x_mm,y_mm,energy_MeV,particles\n0,0,61,1e7\n")
    with pytest.raises(InputError, match="other input files"):
        run_in_folder(run, tmp_path / "out")


def test_a_source_that_misses_is_said(tmp_path: Path) -> None:
    away = BEAM.model_copy(update={"direction": (0.0, 0.0, -1.0)})
    result = run_in_folder(run_of(source=away), tmp_path)
    assert result.energy["escaped"] == pytest.approx(70)
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert "No energy was left in the phantom. Does the source point at it?" in summary["warnings"]
    assert summary["goals"]["mean_uncertainty_percent"] is None


def test_the_time_limit_ends_a_run(tmp_path: Path) -> None:
    short = Goals(uncertainty_percent=0.01, max_minutes=1e-4)
    result = run_in_folder(run_of(goal=short), tmp_path)
    assert not result.goal_reached
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["goals"]["reached"] is False
    assert (tmp_path / "dose.raw").is_file()


def test_an_isotropic_volume_inside_the_phantom_stays_there(tmp_path: Path) -> None:
    """10 MeV protons reach 1.2 mm in water: all their energy stays near the source, evenly on all sides."""
    source = VolumeSource(particle="proton", energy_MeV=10, position_mm=(0, 0, 30), shape="sphere",
                          extent_mm=(8, 8, 8))  # fmt: skip
    off = Transport(processes_off=("nuclear",))
    run_in_folder(run_of(source=source, transport=off, score=(Score(quantity="energy"),)), tmp_path)
    energy = energy_of(tmp_path)
    assert energy.sum() == pytest.approx(10, rel=1e-3)
    centre = np.array([(energy * c).sum() for c in np.meshgrid(*(np.arange(n) for n in energy.shape), indexing="ij")])
    assert centre / energy.sum() == pytest.approx([14.5, 7, 7], abs=0.05)


def test_silent_cuts_and_verification_are_said(tmp_path: Path) -> None:
    transport = Transport(photon_cut_MeV=0.5, processes_off=("nuclear",))
    run_in_folder(run_of(transport=transport), tmp_path)
    said = json.loads((tmp_path / "summary.json").read_text())["warnings"]
    assert any("photon_cut_MeV = 0.5 changes nothing" in one for one in said)
    assert any("nuclear" in one and "not the true dose" in one for one in said)
    assert not any("electron_cut" in one for one in said)


def test_stopped_on_request_it_writes_what_it_has_and_goes_on(tmp_path: Path) -> None:
    looks = iter([False] * 5)
    run_in_folder(run_of(), tmp_path / "out", stop=lambda: next(looks, True))
    goals = json.loads((tmp_path / "out" / "summary.json").read_text())["goals"]
    assert (goals["reached"], goals["stopped_on_request"]) == (False, True)
    run_in_folder(run_of(), tmp_path / "out")
    run_in_folder(run_of(), tmp_path / "undisturbed")
    for name in ("dose.raw", "dose_uncertainty.raw"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()


def test_time_as_the_only_goal_is_not_reached_when_stopped(tmp_path: Path) -> None:
    looks = iter([False] * 3)
    run_in_folder(run_of(goal=Goals(max_minutes=5)), tmp_path / "out", stop=lambda: next(looks, True))
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["goals"]["reached"] is False


@pytest.mark.parametrize("particle", ["proton", "photon"])
def test_a_dose_error_for_a_goal(tmp_path: Path, particle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dosewright.simulation.goal.DEFAULT_BATCH", 200)
    monkeypatch.setattr("dosewright.simulation.goal.VOXELS_PER_HISTORY", 10**9)
    coarse = BOX.model_copy(update={"voxel_mm": (20.0, 20.0, 10.0)})
    goal = Goals(dose_error_percent=5, dose_error_type="local", dose_error_cutoff_percent=60)
    beam = BEAM.model_copy(update={"particle": particle, "energy_MeV": 70 if particle == "proton" else 6})
    run_in_folder(run_of(phantom=coarse, source=beam, goal=goal), tmp_path)
    goals = json.loads((tmp_path / "summary.json").read_text())["goals"]
    dose, relative = energy_of(tmp_path, "dose"), energy_of(tmp_path, "dose_uncertainty")
    high = relative[dose > 0.6 * dose.max()]
    assert (goals["reached"], goals["dose_error_percent"]) == (True, 5)
    told = goals["dose_errors"]
    assert (told["failing"], told["voxels"]) == (0, high.size)
    assert (told["largest_percent"], told["mean_percent"]) == pytest.approx(
        (100 * high.max(), 100 * high.mean()), rel=1e-4
    )
    assert 0.1 < told["mean_percent"] < told["largest_percent"] < 5.0
    assert told["of"] == "percent of their dose, voxels above 60 % of the maximum"
