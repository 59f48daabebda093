"""Regions of a run, and ranges in what they are made of."""

from pathlib import Path

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.simulation import RunFile
from dosewright.simulation.run_file.phantom_tables import Phantom, Scene
from dosewright.simulation.run_file.source_tables import PencilSource
from dosewright.simulation.run_file.tables import Goals
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY
from dosewright.studies.regions import Regions, regions_of
from dosewright.transport.tracks import ELECTRON, PHOTON, POSITRON

HEAD = """\
[scene]
fill = "air"

[[part]]
name = "target"
box = { size_mm = [60.0, 60.0, 1.0] }
material = "G4_W"
centre_mm = [0.0, 0.0, 25.0]

[[part]]
name = "water"
box = { size_mm = [40.0, 40.0, 40.0] }
material = "G4_WATER"
centre_mm = [0.0, 0.0, -20.0]

[[part]]
name = "hole"
tube = { radius_mm = 2.0, length_mm = 4.0 }
material = "G4_AIR"
parent = "water"
centre_mm = [0.0, 0.0, -5.0]

[[part]]
name = "guide"
box = { size_mm = [20.0, 20.0, 20.0] }
material = "G4_Galactic"
centre_mm = [0.0, 0.0, 60.0]

[[module]]
kind = "jaws"
name = "jaws"
orientation = "X"
tip = {kind = "STRAIGHT", travel_radius_mm = 406}
half_size_mm = [75, 115, 39]
focus_z_mm = 1000
centre_z_mm = 594
isocentre_z_mm = 0
negative_mm = -50
positive_mm = 50
material = "G4_W"
"""
SOURCE = PencilSource(particle="electron", energy_MeV=6, position_mm=(0, 0, 700), direction=(0, 0, -1))
BOX = Phantom(size_mm=(40, 40, 40), voxel_mm=(10, 10, 5), origin_mm=(-20, -20, -200), material="G4_Al")


@pytest.fixture(scope="module")
def run_file(tmp_path_factory: pytest.TempPathFactory) -> RunFile:
    path: Path = tmp_path_factory.mktemp("scene") / "scene.toml"
    path.write_text(HEAD, encoding="utf-8")
    return RunFile(scene=Scene(file=str(path)), phantom=BOX, source=SOURCE, goal=Goals(histories=10))


@pytest.fixture(scope="module")
def regions(run_file: RunFile) -> Regions:
    return regions_of(prepare(run_file, WITHOUT_LIBRARY))


def test_modules_are_one_region_each_and_every_part_has_its_own(regions: Regions) -> None:
    assert regions.names == ("(fill)", "target", "water", "hole", "guide", "jaws", "(phantom)")
    assert regions.of_part.tolist() == [1, 2, 3, 4, 5, 5, 0, 6]
    assert [region.materials for region in regions.regions] == [
        ("G4_AIR",), ("G4_W",), ("G4_WATER",), ("G4_AIR",), ("G4_Galactic",), ("G4_W",), ("G4_Al",),
    ]  # fmt: skip


def test_the_fill_has_no_name_of_its_own_where_a_part_is_made_of_it(regions: Regions) -> None:
    names = [region.run_name for region in regions.regions]
    assert names == [None, "target", "water", "hole", "guide", "jaws", "G4_Al"]


def test_electrons_have_their_csda_range(regions: Regions) -> None:
    # ICRU Report 37 (1984), CSDA ranges in water with I = 75 eV, here 78 eV: 0.4 % more.
    energy = np.array([1.0, 5.0, 10.0])
    found = regions.range_cm(np.full(3, 1), np.full(3, ELECTRON), energy)
    assert found == pytest.approx([0.4367, 2.550, 4.975], rel=0.01)
    positrons = regions.range_cm(np.full(3, 1), np.full(3, POSITRON), energy)
    assert positrons == pytest.approx(found, rel=0.05)
    assert not np.array_equal(positrons, found)


def test_photons_have_five_mean_free_paths_without_coherent_scattering(regions: Regions) -> None:
    # XCOM, NIST Standard Reference Database 8: mu/rho of water without coherent scattering (at 0.1 MeV 0.1627 by
    # incoherent scattering and 0.0028 by absorption).
    energy = np.array([0.1, 1.0, 5.0])
    found = regions.range_cm(np.full(3, 1), np.full(3, PHOTON), energy)
    assert found == pytest.approx(5.0 / np.array([0.1655, 0.07066, 0.03031]), rel=0.005)


def test_the_range_of_photons_does_not_fall_at_an_edge(regions: Regions) -> None:
    energy = np.geomspace(0.002, 20.0, 400)
    found = regions.range_cm(np.full(400, 0), np.full(400, PHOTON), energy)
    assert (np.diff(found) >= 0).all()
    at_edge, above = regions.range_cm(np.zeros(2, int), np.full(2, PHOTON), np.array([0.0697, 0.08]))
    assert at_edge == above  # the K edge of tungsten lies at 0.0695 MeV


@pytest.mark.parametrize("species", [PHOTON, ELECTRON])
def test_an_energy_is_found_from_its_range(regions: Regions, species: int) -> None:
    for energy in (0.02, 0.3, 2.0):
        range_cm = float(regions.range_cm(np.array([1]), np.array([species]), np.array([energy]))[0])
        assert regions.ranges.energy_MeV(1, species, range_cm) == pytest.approx(energy, rel=1e-6)
    assert regions.ranges.energy_MeV(1, species, 1e9) == np.inf


def test_unknown_names_are_refused_with_the_nearest(regions: Regions) -> None:
    assert regions.chosen(("jaws", "target")) == (1, 5)
    with pytest.raises(InputError, match=r"Did you mean 'target'\?.*\n.*Did you mean 'jaws'\?"):
        regions.chosen(("tarjet", "jaw"))


def test_a_vacuum_ends_nothing_and_needs_no_cut(regions: Regions) -> None:
    assert regions.chosen(()) == (0, 1, 2, 3, 5)
    assert regions.range_cm(np.array([3]), np.array([ELECTRON]), np.array([1.0])) == np.inf


def test_runs_without_a_scene_are_refused(run_file: RunFile) -> None:
    alone = prepare(run_file.model_copy(update={"scene": None}), WITHOUT_LIBRARY)
    with pytest.raises(InputError, match="studied in a scene"):
        regions_of(alone)
