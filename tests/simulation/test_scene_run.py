"""Runs with a scene in their folder: parts, doses on grids over solids, sources inside them, threads and resuming."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.execution.artifact import file_sha256
from dosewright.formats.dose.mhd import read_mhd
from dosewright.simulation import RunFile, run_in_folder
from dosewright.simulation import run as engine
from dosewright.simulation.result import Result
from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PencilSource, RectangleSource, VolumeSource
from dosewright.simulation.run_file.tables import Goals, Run
from dosewright.simulation.run_file.transport_tables import Directional, Region, Transport, VarianceReduction
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY

PLATES = """\
[scene]
fill = "vacuum"

[[part]]
name = "plate"
box = { size_mm = [60.0, 60.0, 10.0] }
material = "G4_Al"
centre_mm = [0.0, 0.0, 25.0]

[[part]]
name = "block"
box = { size_mm = [40.0, 40.0, 40.0] }
material = "G4_WATER"
centre_mm = [0.0, 0.0, -20.0]

[[part]]
name = "seed"
tube = { radius_mm = 2.0, length_mm = 4.0 }
material = "G4_Ti"
parent = "block"
centre_mm = [0.0, 0.0, -5.0]
"""
BOX = Phantom(size_mm=(40, 40, 40), voxel_mm=(10, 10, 5), origin_mm=(-20, -20, 0), material="G4_WATER")
GRID = Score(size_mm=(40, 40, 40), voxel_mm=(10, 10, 5), origin_mm=(-20, -20, 0))
BEAM = RectangleSource(particle="photon", energy_MeV=6, position_mm=(0, 0, -100), field_mm=(30, 30))
ONE = Run(threads=1)


def scene_of(folder: Path, text: str = PLATES, **keys: Any) -> Scene:
    """Return a scene with its beam turned to +z: what lies at z in the file lies at -z in the run."""
    path = folder / "scene.toml"
    path.write_text(text, encoding="utf-8")
    return Scene(file=str(path), rotation_deg=(180, 0, 0), **keys)


def alone(*names: str) -> str:
    """Return a scene of some of the parts."""
    head, *rest = PLATES.split("\n\n")
    return "\n\n".join([head, *(part for part in rest if any(f'name = "{name}"' in part for name in names))])


def run(folder: Path, histories: int = 4000, **tables: Any) -> Result:
    content = {"source": BEAM, "goal": Goals(histories=histories), "run": ONE, **tables}
    return run_in_folder(RunFile(**content), folder)


def parts(folder: Path) -> dict[str, dict[str, str]]:
    with (folder / "parts.csv").open(newline="", encoding="utf-8") as file:
        return {row["part"]: row for row in csv.DictReader(file)}


def test_without_phantom_and_scores_the_parts_are_told(tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run(out, scene=scene_of(tmp_path))
    assert sorted(path.name for path in out.iterdir()) == ["parts", "parts.csv", "run.toml", "summary.json"]
    found = parts(out)
    assert list(found) == ["plate", "block", "seed", "(fill)"]
    energy = {name: float(row["energy_MeV_per_primary"]) for name, row in found.items()}
    assert sum(energy.values()) == pytest.approx(result.energy["before_patient"], rel=1e-8)
    assert energy["(fill)"] == 0 and min(energy["plate"], energy["block"], energy["seed"]) > 0
    assert abs(result.energy["residual"]) < 1e-4 * result.energy["started"]
    assert float(found["plate"]["mass_g"]) == pytest.approx(36 * 2.699, rel=1e-6)
    titanium = np.pi * 0.04 * 0.4 * 4.54
    assert float(found["seed"]["mass_g"]) == pytest.approx(titanium, rel=1e-6)
    dose = energy["seed"] * MEV_PER_G_IN_GY / titanium
    assert float(found["seed"]["dose_Gy_per_primary"]) == pytest.approx(dose, rel=1e-6)
    summary = json.loads((out / "summary.json").read_text())
    assert summary["scene"]["parts"] == 3 and summary["scene"]["fill"] == "vacuum"
    assert summary["inputs_sha256"] == {"scene.file": file_sha256(tmp_path / "scene.toml")}
    assert set(summary["files_sha256"]) == {"parts.csv", "run.toml"}
    assert {cut["material"] for cut in summary["transport"]["cuts"]} == {"G4_Al", "G4_WATER", "G4_Ti"}
    assert not any("No energy" in warning for warning in summary["warnings"])
    again = run(tmp_path / "threads", scene=scene_of(tmp_path), run=Run(threads=2))
    assert again.parts is not None and result.parts is not None
    assert np.array_equal(again.parts.energy_MeV, result.parts.energy_MeV)
    assert np.array_equal(again.parts.relative_uncertainty, result.parts.relative_uncertainty)


def test_voxels_in_a_scene_have_the_dose_of_the_same_block_on_a_grid(tmp_path: Path) -> None:
    """A plate before water: as a phantom, and as a part with a grid over it. Within four standard errors, each 1 %."""
    voxels = run(tmp_path / "voxels", 30_000, scene=scene_of(tmp_path, alone("plate")), phantom=BOX)
    block = run(tmp_path / "block", 30_000, scene=scene_of(tmp_path, alone("plate", "block")), score=(GRID,))
    assert voxels.dose_Gy.shape == block.dose_Gy.shape == (8, 4, 4)
    ratio = block.dose_Gy.mean(axis=(1, 2)) / voxels.dose_Gy.mean(axis=(1, 2))
    assert ratio == pytest.approx(1.0, abs=0.06)
    assert block.dose_Gy.mean() / voxels.dose_Gy.mean() == pytest.approx(1.0, abs=0.02)
    energy = block.energy["before_patient"], voxels.energy["deposited"] + voxels.energy["before_patient"]
    assert energy[0] / energy[1] == pytest.approx(1.0, abs=0.02)


def test_a_grid_may_reach_over_phantom_and_solids(tmp_path: Path) -> None:
    """Energy on a grid over all is that of the phantom and its parts, and the plate is weighed where it lies."""
    grid = {"size_mm": (80, 80, 80), "voxel_mm": (10, 10, 10), "origin_mm": (-40, -40, -40)}
    scores = (Score(quantity="energy", **grid), Score(quantity="dose", **grid), Score(quantity="dose_to_water", **grid))
    result = run(tmp_path / "out", scene=scene_of(tmp_path, alone("plate")), phantom=BOX, score=scores)
    energy, dose = (read_mhd(tmp_path / "out" / f"{name}.mhd").values.astype(float) for name in ("energy", "dose"))
    account = result.energy
    assert energy.sum() == pytest.approx(account["deposited"] + account["before_patient"], rel=1e-4)
    assert account["deposited"] > 0 and account["before_patient"] > 0
    mass = np.divide(energy, dose, out=np.zeros_like(energy), where=dose > 0) * MEV_PER_G_IN_GY
    inner = mass[:, 2:6, 2:6]
    assert inner[1:2] == pytest.approx(2.699, rel=1e-4)  # the plate lies from -30 to -20 mm
    assert inner[4:] == pytest.approx(1.0, rel=1e-4)
    assert read_mhd(tmp_path / "out" / "dose_to_water.mhd").values[1].max() > 1.05 * dose[1].max()


def test_a_source_may_lie_inside_a_solid(tmp_path: Path) -> None:
    """Electrons of 1 MeV that start in the middle of a block stay there: all but what they radiate."""
    source = VolumeSource(particle="electron", energy_MeV=1, position_mm=(0, 0, 20), shape="cylinder",
                          extent_mm=(4, 4, 8), rotation_deg=(90, 0, 0))  # fmt: skip
    run(tmp_path / "out", 1000, scene=scene_of(tmp_path), source=source)
    energy = float(parts(tmp_path / "out")["block"]["energy_MeV_per_primary"])
    assert 0.98 < energy < 1.0
    inside = PencilSource(particle="photon", energy_MeV=0.1, position_mm=(0, 0, 5))
    run(tmp_path / "seed", 1000, scene=scene_of(tmp_path), source=inside)
    assert float(parts(tmp_path / "seed")["seed"]["energy_MeV_per_primary"]) > 0.005


def test_what_leaves_leaves_the_scene(tmp_path: Path) -> None:
    spectrum = Score(quantity="spectrum", particle="photon", angle_bins=2)
    result = run(tmp_path / "out", scene=scene_of(tmp_path), score=(spectrum,))
    assert result.leaving is not None
    assert result.leaving.energy_MeV.sum() == pytest.approx(result.energy["escaped"], rel=1e-4)
    assert result.leaving.counts[0, :, 0].sum() > 5 * result.leaving.counts[0, :, 1].sum()


def test_a_killed_run_goes_on_with_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = {"scene": scene_of(tmp_path), "source": BEAM, "goal": Goals(histories=4000), "run": ONE}
    whole = run_in_folder(RunFile(**content), tmp_path / "whole")
    monkeypatch.setattr(engine, "SAVE_EVERY_SECONDS", 0.0)
    calls = iter(range(1000))
    with pytest.raises(KeyboardInterrupt):
        run_in_folder(RunFile(**content), tmp_path / "again", on_progress=lambda _: _killed_at(next(calls), 12))
    again = run_in_folder(RunFile(**content), tmp_path / "again")
    assert "resumed" in " ".join(again.warnings)
    assert again.parts is not None and whole.parts is not None
    assert np.array_equal(again.parts.energy_MeV, whole.parts.energy_MeV)
    assert (tmp_path / "again" / "parts.csv").read_bytes() == (tmp_path / "whole" / "parts.csv").read_bytes()


def _killed_at(call: int, last: int) -> None:
    if call == last:
        raise KeyboardInterrupt


def test_a_phantom_that_a_part_cuts_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="The part 'seed' reaches into the box of voxels"):
        run(tmp_path / "out", scene=scene_of(tmp_path), phantom=BOX)
    assert not (tmp_path / "out").exists()


def test_parts_that_overlap_are_refused_before_anything_runs(tmp_path: Path) -> None:
    text = PLATES.replace("centre_mm = [0.0, 0.0, 25.0]", "centre_mm = [0.0, 0.0, 4.0]")
    with pytest.raises(InputError, match="The parts 'plate' and 'block' overlap: both hold the point"):
        run(tmp_path / "out", scene=scene_of(tmp_path, text))
    assert not (tmp_path / "out").exists()


def test_air_reaches_to_the_source_and_regions_to_their_parts(tmp_path: Path) -> None:
    scene = scene_of(tmp_path, fill="air")
    regions = Transport(region=(Region(name="seed", electron_cut_MeV=0.05), Region(name="G4_Al", photon_cut_MeV=0.02)))
    made = prepare(RunFile(scene=scene, source=BEAM, goal=Goals(histories=1), transport=regions), WITHOUT_LIBRARY)
    low, high = np.split(made.problem.scene.world, 2)
    assert np.all(low < [0, 0, -10]) and low[2] == pytest.approx(-11) and np.all(high > low)
    assert any("Between the parts of the scene is G4_AIR" in warning for warning in made.warnings)
    assert made.problem.part_names == ("plate", "block", "seed")
    cells = made.problem.scene.cells
    cuts = made.problem.packed.cuts
    material = {made.problem.part_names[cell[5]]: cell[6] for cell in cells}
    assert cuts.electron[material["seed"]] == pytest.approx(0.05)
    assert cuts.electron[material["block"]] == pytest.approx(0.2)
    assert cuts.photon[material["plate"]] == pytest.approx(0.02)


def test_protons_go_through_a_scene(tmp_path: Path) -> None:
    """100 MeV leave in the plate what they leave in the same plate of voxels (3 %: five standard errors)."""
    beam = PencilSource(particle="proton", energy_MeV=100, position_mm=(0, 0, -100))
    result = run(tmp_path / "out", 2000, scene=scene_of(tmp_path, alone("plate")), phantom=BOX, source=beam)
    in_plate = float(parts(tmp_path / "out")["plate"]["energy_MeV_per_primary"])
    assert in_plate == pytest.approx(result.energy["before_patient"], rel=1e-6)
    assert abs(result.energy["residual"]) < 1e-4 * result.energy["started"]
    plate = Phantom(size_mm=(60, 60, 10), voxel_mm=(10, 10, 5), origin_mm=(-30, -30, -30), material="G4_Al")
    voxels = run(tmp_path / "voxels", 2000, phantom=plate, source=beam)
    assert in_plate == pytest.approx(voxels.energy["deposited"], rel=0.03)


def test_a_scene_of_protons_needs_no_phantom(tmp_path: Path) -> None:
    beam = PencilSource(particle="proton", energy_MeV=60, position_mm=(0, 0, -100))
    result = run(tmp_path / "out", 500, scene=scene_of(tmp_path, alone("plate", "block")), score=(GRID,), source=beam)
    found = parts(tmp_path / "out")
    assert float(found["block"]["energy_MeV_per_primary"]) > 30
    assert result.dose_Gy[0].max() > 0


def test_reductions_arrive_in_the_axes_of_the_box(tmp_path: Path) -> None:
    """A field 100 mm wide along x, 1 m behind the origin, and a plane half way."""
    field = Directional(n=50, field_mm=(100, 60), at_mm=(10, 20, 1000), electron_plane_mm=500)
    limits = tmp_path / "limits.dat"
    limits.write_text("0 100 200\n50 300 400\n")
    table = VarianceReduction(equal_weight=field, xy_limits=str(limits), roulette_value=0)
    content = {"scene": scene_of(tmp_path), "goal": Goals(histories=1), "variance_reduction": table}
    electrons = PencilSource(particle="electron", energy_MeV=6, position_mm=(0, 0, -100))
    made = prepare(RunFile(source=electrons, **content), WITHOUT_LIBRARY)
    packed = made.problem.packed.reduction
    assert (packed.field.x0, packed.field.x1, packed.field.y0, packed.field.y1) == pytest.approx((-4, 6, -1, 5))
    assert (packed.field.z, packed.plane, packed.downstream) == pytest.approx((100, 50, 1))
    assert packed.equal_weight and packed.directional == 50
    assert packed.limits[:, 0] == pytest.approx([0, 5])
    assert packed.limit_axes[2, :3] == pytest.approx([0, 0, -1])
    assert any("are killed" in warning for warning in made.warnings)
    auto = VarianceReduction(xy_limits="auto", russian_roulette=20)
    made = prepare(RunFile(source=electrons, **{**content, "variance_reduction": auto}), WITHOUT_LIBRARY)
    assert made.problem.packed.reduction.roulette == 20
    assert len(made.problem.packed.reduction.limits) == 3
    assert not any("are killed" in warning for warning in made.warnings)


def test_directed_photons_keep_the_account(tmp_path: Path) -> None:
    """6 MeV electrons on the plate, photons into the phantom behind it."""
    table = VarianceReduction(directional=Directional(n=20, field_mm=(60, 60), at_mm=(0, 0, 0), electron_plane_mm=-10))
    beam = PencilSource(particle="electron", energy_MeV=6, position_mm=(0, 0, -100))
    scene = scene_of(tmp_path, alone("plate").replace("G4_Al", "G4_W"))
    content = {"scene": scene, "phantom": BOX, "source": beam}
    result = run(tmp_path / "out", 2000, variance_reduction=table, **content)
    energy = result.energy
    assert abs(energy["residual"]) < 1e-4 * energy["started"]
    assert energy["deposited"] > 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["scene"]["variance_reduction"]["directional"]["n"] == 20
    plain = run(tmp_path / "plain", 2000, **content)
    assert energy["deposited"] == pytest.approx(plain.energy["deposited"], rel=0.25)
