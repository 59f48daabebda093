"""Phase spaces that one run writes and the next starts from: the dose of a run without a file between."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.formats.phase_space.open import open_phase_space
from dosewright.simulation import RunFile, run_in_folder
from dosewright.simulation.result import Result
from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.score_tables import Score
from dosewright.simulation.run_file.source_tables import PhaseSpaceSource, RectangleSource
from dosewright.simulation.run_file.tables import Goals, Run

SCENE = """\
[scene]
fill = "vacuum"

[[part]]
name = "foil"
box = { size_mm = [200.0, 200.0, 4.0] }
material = "G4_Al"
centre_mm = [0.0, 0.0, -150.0]
"""
WATER = Phantom(size_mm=(200, 200, 60), voxel_mm=(200, 200, 10), origin_mm=(-100, -100, 0), material="G4_WATER")
BEAM = RectangleSource(particle="electron", energy_MeV=10, position_mm=(0, 0, -200), field_mm=(20, 20))


def run(folder: Path, out: str, histories: int, **tables: Any) -> tuple[Result, dict[str, Any]]:
    content = {"goal": Goals(histories=histories), "run": Run(threads=1), **tables}
    result = run_in_folder(RunFile(**content), folder / out)
    return result, json.loads((folder / out / "summary.json").read_text())


@pytest.mark.parametrize("word", ["iaea", "egs_mode0"])
def test_the_dose_from_a_file_is_that_of_the_direct_run(tmp_path: Path, word: str) -> None:
    """10 MeV electrons through a foil into water: all layers of dose within 1 %, known to that or better.

    The same electrons come to the phantom; what comes back from it to the foil is below 0.05 % of the energy.
    """
    scene = tmp_path / "scene.toml"
    scene.write_text(SCENE, encoding="utf-8")
    foil, histories = Scene(file=str(scene)), 30_000
    plane = Score(quantity="phase_space", z_mm=-50, kill=True, format=word, name="foil")
    direct, _ = run(tmp_path, "direct", histories, scene=foil, source=BEAM, phantom=WATER)
    _, said = run(tmp_path, "first", histories, scene=foil, source=BEAM, score=(plane,))
    file = tmp_path / "first" / said["phase_spaces"][0]["files"][0]
    moved = [["D", 0, 0, -50]] if word == "egs_mode0" else []  # such files do not say where their plane is
    source = PhaseSpaceSource(file=str(file), transform=moved, reuse=1)
    again, _ = run(tmp_path, "second", histories, source=source, phantom=WATER)
    assert again.histories == histories
    assert again.energy["deposited"] == pytest.approx(direct.energy["deposited"], rel=0.005)
    dose = direct.dose_Gy[:4, 0, 0]
    assert again.dose_Gy[:4, 0, 0] == pytest.approx(dose, rel=0.01)
    assert direct.relative_uncertainty[:4].max() < 0.01 and again.relative_uncertainty[:4].max() < 0.015


def test_a_phase_space_goes_through_vacuum_into_another(tmp_path: Path) -> None:
    """Read at one plane, twice each, and written at the next: the same particles, histories and weights."""
    scene = tmp_path / "scene.toml"
    scene.write_text(SCENE, encoding="utf-8")
    foil = Scene(file=str(scene))
    first = Score(quantity="phase_space", z_mm=-100, name="first", kill=True)
    run(tmp_path, "first", 1000, scene=foil, source=BEAM, score=(first,))
    (there,) = open_phase_space(tmp_path / "first" / "first.IAEAheader").batches()
    source = PhaseSpaceSource(file=str(tmp_path / "first" / "first.IAEAheader"), reuse=2)
    second = Score(quantity="phase_space", z_mm=-20, name="second")
    _, said = run(tmp_path, "second", 2000, source=source, phantom=WATER, score=(second,))
    reader = open_phase_space(tmp_path / "second" / "second.IAEAheader")
    (here,) = reader.batches()
    assert len(here) == 2 * len(there) and reader.info.original_histories == pytest.approx(1000, abs=2)
    assert np.count_nonzero(here.histories) == np.count_nonzero(there.histories)
    assert here.weight.sum() == pytest.approx(there.weight.sum(), rel=1e-5) and np.all(here.weight == 0.5)
    assert np.sort(here.energy_MeV)[::2] == pytest.approx(np.sort(there.energy_MeV))
    assert said["phase_spaces"][0]["per_original_history"] == pytest.approx(len(there) / 1000, rel=0.003)
