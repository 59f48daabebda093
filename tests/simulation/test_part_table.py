"""What parts received: rows, masses and doses, the file; and the sums behind them."""

import csv
from pathlib import Path

import numpy as np
import pytest

from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.scene import Part, Scene
from dosewright.core.shapes import Difference, Placement, Sphere
from dosewright.core.solids import Box, Tube
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.geometry.voxels import Voxels
from dosewright.materials.library import named
from dosewright.scoring.deposit import Scoring, empty_tally
from dosewright.simulation.part_table import COLUMNS, part_rows, write_parts
from dosewright.simulation.result import PartEnergies, energy_of_parts
from dosewright.simulation.setup.scene import PlacedScene
from dosewright.simulation.sums import RunSums

AIR, WATER, TUNGSTEN = named("G4_AIR"), named("G4_WATER"), named("G4_W")
ROOM = Part("room", Box((400, 400, 400)), AIR)
DISC = Part("disc, thin", Tube(20, 2), TUNGSTEN, Placement((0, 0, 150)), parent="room", density_g_cm3=18.0)
SHELL = Part("shell", Difference(Sphere(30), Sphere(20)), WATER, Placement((100, 0, 0)), parent="room")
HOLE = Part("hole", Box((1, 1, 1)), None, Placement((0, 0, 0)), parent="disc, thin")


def scene(fill: bool = True) -> PlacedScene:
    parts = (ROOM, DISC, SHELL, HOLE)
    to_run = Rigid(rotation_about("x", 180), np.array([0.0, 0.0, 50.0]))
    return PlacedScene(Scene(parts), parts, AIR if fill else None, to_run, {})


def energies() -> PartEnergies:
    return PartEnergies(tuple(part.name for part in scene().parts), np.array([1.0, 2.0, 3.0, 0.0, 0.5]),
                        np.array([0.1, 0.01, 0.02, 1.0, 0.3]))  # fmt: skip


def phantom() -> Voxels:
    """10 cm of water from z = 50 mm of the run on, which is z = 0 of the scene downwards."""
    edges = (np.linspace(-50, 50, 11), np.linspace(-50, 50, 11), np.linspace(50, 150, 11))
    shape = (10, 10, 10)
    return Voxels(edges, Rigid.identity(), np.zeros(shape, np.uint8), np.ones(shape, np.float32), (WATER,))


def test_masses_are_what_inner_parts_and_the_phantom_leave() -> None:
    room, disc, shell, hole, fill = part_rows(scene(), phantom(), energies())
    ball = 4 / 3 * np.pi * (30**3 - 20**3) / 1000
    plate = np.pi * 4 * 0.2
    assert room.mass_g == pytest.approx(AIR.density_g_cm3 * (64_000 - 1000 - ball - plate), rel=1e-3)
    assert disc.mass_g == pytest.approx(18.0 * (plate - 0.001), rel=3e-3)
    assert shell.mass_g == pytest.approx(ball, rel=5e-3)
    assert hole.mass_g == pytest.approx(AIR.density_g_cm3 * 0.001)
    assert hole.volume is not None and hole.volume.relative_error == 0
    assert shell.volume is not None and 0 < shell.volume.relative_error < 5e-3
    assert disc.dose_Gy == pytest.approx(2.0 * MEV_PER_G_IN_GY / disc.mass_g)
    assert (fill.material, fill.mass_g, fill.dose_Gy, fill.energy_MeV) == ("G4_AIR", None, None, 0.5)


def test_in_vacuum_there_is_no_mass_and_without_a_phantom_more_room() -> None:
    room, _, _, hole, fill = part_rows(scene(fill=False), None, energies())
    assert room.volume is not None
    assert room.volume.mm3 == pytest.approx(64e6 - 1000 * 4 / 3 * np.pi * (27 - 8) - np.pi * 800, rel=1e-3)
    assert (hole.material, hole.mass_g, fill.material) == ("vacuum", None, "vacuum")


def test_the_table_reads_back(tmp_path: Path) -> None:
    rows = part_rows(scene(), None, energies())
    path = write_parts(tmp_path, rows)
    with path.open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    assert tuple(found[0]) == COLUMNS
    assert [row["part"] for row in found] == ["room", "disc, thin", "shell", "hole", "(fill)"]
    assert float(found[1]["standard_error_percent"]) == pytest.approx(1.0)
    assert float(found[1]["dose_Gy_per_primary"]) == pytest.approx(rows[1].dose_Gy, rel=1e-8)
    assert found[4]["volume_cm3"] == found[4]["mass_g"] == found[4]["dose_Gy_per_primary"] == ""


def test_sums_of_parts_are_kept_and_taken_up_again() -> None:
    scoring = Scoring(True, np.zeros((3, 4), np.float32), np.array([1, 1, 1], np.int32), False, False)
    sums = RunSums.empty(scoring, 1, 0, 3)
    batches = np.array([[10.0, 0.0, 4.0], [14.0, 0.0, 0.0], [12.0, 0.0, 2.0]])
    for batch in batches:
        tally = empty_tally(scoring, 1, 0, 3)
        tally.parts[:] = batch
        sums.add(tally, 2, 0.1)
    again = RunSums.empty(scoring, 1, 0, 3)
    again.take({name: array.copy() for name, array in sums.arrays().items()}, 6, 3, 0.3)
    for one in (sums, again):
        assert one.parts is not None
        found = energy_of_parts(("a", "b"), one.parts)
        assert found.energy_MeV == pytest.approx([6.0, 0.0, 1.0])
        error = batches.std(axis=0, ddof=1) / np.sqrt(3) / 2
        assert found.relative_uncertainty == pytest.approx([error[0] / 6, 1.0, error[2] / 1.0])
    assert RunSums.empty(scoring, 1).parts is None
