"""Studies of the dose that cuts carry out of voxels."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.formats.dose.mhd import read_mhd
from dosewright.simulation import RunFile
from dosewright.simulation.run_file.phantom_tables import Phantom, Slab
from dosewright.simulation.run_file.source_tables import PencilSource
from dosewright.simulation.run_file.tables import Goals, Run
from dosewright.simulation.run_file.transport_tables import Transport, VarianceReduction
from dosewright.studies import dose_files
from dosewright.studies.collected import PRODUCTION, RUN
from dosewright.studies.dose_study import AskedCut, asked_cut, carried_of, study_dose

PHOTONS = PencilSource(particle="photon", energy_MeV=6, position_mm=(0, 0, -10))
BOX = Phantom(size_mm=(20, 20, 60), voxel_mm=(20, 20, 4), origin_mm=(-10, -10, 0), material="G4_WATER",
              slab=(Slab(z_mm=(20, 40), material="G4_LUNG_ICRP", density_g_cm3=0.26),))  # fmt: skip
ONE_MEV = AskedCut(1.0, False)


def run_file(**tables: Any) -> RunFile:
    content = {"phantom": BOX, "source": PHOTONS, "goal": Goals(histories=2000), "run": Run(threads=1), **tables}
    return RunFile(**content)


@pytest.mark.parametrize(
    ("text", "cut"),
    [("0.5", AskedCut(0.5, False)), ("0.5 MeV", AskedCut(0.5, False)), ("2mm", AskedCut(2.0, True)),
     ("1e-2MeV", AskedCut(0.01, False)), ("200 mm", AskedCut(200.0, True))],
)  # fmt: skip
def test_cuts_are_energies_or_ranges(text: str, cut: AskedCut) -> None:
    assert asked_cut(text, "--photon-cut") == cut


@pytest.mark.parametrize("text", ["", "much", "-1", "0", "1.2.3", ".", "60", "3 cm", "1e400"])
def test_what_is_no_cut_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"This is no cut.*--electron-cut"):
        asked_cut(text, "--electron-cut")


@pytest.mark.parametrize(
    ("tables", "photon", "electron", "said"),
    [
        ({}, None, None, "No cut is asked for"),
        ({}, AskedCut(0.005, False), None, "The photon cut is not above that of the run. Given: 0.005 MeV, 0.01 MeV"),
        ({}, None, AskedCut(0.01, True), "The electron cut is not above that of the run"),
        ({"variance_reduction": VarianceReduction(photon_splitting=10),
          "phantom": BOX.model_copy(update={"slab": ()})}, None, ONE_MEV, "one by one carry nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_studied_is_refused(
    tables: dict[str, Any], photon: AskedCut | None, electron: AskedCut | None, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        study_dose(run_file(**tables), photon, electron)


def test_a_range_is_an_energy_of_its_own_in_each_material() -> None:
    study = study_dose(run_file(goal=Goals(histories=20)), None, AskedCut(4.0, True), way=PRODUCTION)
    (water_photon, water), (_, lung) = (study.energies_MeV[name] for name in ("G4_WATER", "G4_LUNG_ICRP"))
    assert water_photon == 0.0
    # ICRU Report 37 (1984): electrons of 0.93 MeV travel 0.4 g/cm2 in water; lung has a quarter of its density.
    assert water == pytest.approx(0.93, rel=0.015)
    assert 0.3 < lung < 0.4


def test_files_say_what_was_carried(tmp_path: Path) -> None:
    run = tmp_path / "run.toml"
    run.write_text("# a run\n", encoding="utf-8")
    asked = run_file(goal=Goals(histories=20_000), transport=Transport(electron_cut_MeV=0.1))
    study = study_dose(asked, None, ONE_MEV, way=RUN)
    said = dose_files.write_study(study, tmp_path / "out", run)
    kept = json.loads((tmp_path / "out" / "carried.json").read_text(encoding="utf-8"))
    assert kept == said
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "carried.csv", "carried.json", "carried.mhd", "carried.png", "carried.raw", "dose.mhd", "dose.raw",
    ]  # fmt: skip
    assert read_mhd(tmp_path / "out" / "carried.mhd").values == pytest.approx(carried_of(study.result), rel=1e-6)
    assert 1.0 < said["carried_percent"] < 60.0
    assert 0.0 < said["carried_error_percent"] < 0.2 * said["carried_percent"]
    with (tmp_path / "out" / "carried.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["axis"] == "z"]
    assert [float(row["mm"]) for row in rows] == np.arange(2, 60, 4).tolist()
    layers = np.array(
        [[float(row[key]) for key in ("energy_MeV_per_primary", "carried_MeV_per_primary")] for row in rows]
    )
    assert 100 * layers[:, 1].sum() / layers[:, 0].sum() == pytest.approx(said["carried_percent"], rel=1e-6)
    share = layers[:, 1] / layers[:, 0]
    assert share[0] < 0.75 * share[10:].mean()  # into the first layer comes only what goes back or aside
    assert "% of all energy" in dose_files.table(said)
    with pytest.raises(InputError, match="holds a study already"):
        dose_files.write_study(study, tmp_path / "out", run)
