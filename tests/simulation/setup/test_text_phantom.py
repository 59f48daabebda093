"""Text phantoms in a run: their media, densities and edges, and the same dose as in voxels of our own."""

from pathlib import Path

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.voxel_phantom import VoxelPhantom
from dosewright.formats.dose.egsphant import write_egsphant
from dosewright.simulation.run_file.phantom_tables import Phantom
from dosewright.simulation.run_file.read import read_run_file
from dosewright.simulation.run_folder import run_in_folder
from dosewright.simulation.setup.phantom import phantom_voxels

X = np.array([-20.0, -4.0, -2.0, 0.0, 2.0, 4.0, 20.0])  # broad at the border, as people make them
Z = np.linspace(0.0, 60.0, 21)
SOURCE = """
[source]
kind = "rectangle"
particle = "photon"
energy_MeV = 6
position_mm = [0, 0, -100]
field_mm = [20, 20]
[goal]
histories = 4000
[run]
threads = 1
"""
OWN = f"""
[phantom]
material = "G4_WATER"
[phantom.edges_mm]
x = {X.tolist()}
y = {X.tolist()}
z = {Z.tolist()}
[[phantom.slab]]
z_mm = [15, 30]
material = "G4_LUNG_ICRP"
density_g_cm3 = 0.26
"""


def slabs(**more: object) -> VoxelPhantom:
    number, density = np.ones((20, 6, 6), np.int16), np.ones((20, 6, 6))
    number[5:10], density[5:10] = 2, 0.26
    return VoxelPhantom(**{"edges_mm": (X, X, Z), "media": ("H2O521ICRU", "LUNG521ICRU"), "numbers": number,
                           "density_g_cm3": density, **more})  # type: ignore[arg-type]  # fmt: skip


def phantom(path: Path, **more: object) -> Phantom:
    return Phantom.model_validate({"egsphant": str(path), **more})


def run(folder: Path, text: str, name: str) -> bytes:
    file = folder / f"{name}.toml"
    file.write_text(text + SOURCE)
    run_in_folder(read_run_file(file), folder / name)
    return (folder / name / "dose.raw").read_bytes()


def test_the_dose_is_that_of_the_same_voxels_given_our_own_way(tmp_path: Path) -> None:
    write_egsphant(tmp_path / "s.egsphant", slabs())
    theirs = run(tmp_path, '[phantom]\negsphant = "s.egsphant"\n', "theirs")
    assert theirs == run(tmp_path, OWN, "own")
    summary = (tmp_path / "theirs" / "summary.json").read_text()
    assert "Medium LUNG521ICRU of the phantom was taken as G4_LUNG_ICRP" in summary
    assert '"phantom.egsphant"' in summary  # its hash
    again = tmp_path / "theirs" / "run.toml"
    run_in_folder(read_run_file(again), tmp_path / "again")
    assert (tmp_path / "again" / "dose.raw").read_bytes() == theirs


def test_a_gamos_phantom_gives_the_dose_of_its_voxels(tmp_path: Path) -> None:
    number = np.zeros((20, 4, 4), int)
    number[5:10] = 1
    density = np.where(number == 1, 0.26, 1.0)
    text = "2 0 G4_WATER 1 G4_LUNG_ICRP 4 4 20 -20 20 -20 20 0 60\n"
    (tmp_path / "p.g4dcm").write_text(text + " ".join(str(v) for v in [*number.ravel(), *density.ravel()]))
    own = (
        '[phantom]\nsize_mm = [40, 40, 60]\nvoxel_mm = [10, 10, 3]\norigin_mm = [-20, -20, 0]\nmaterial = "G4_WATER"\n'
    )
    theirs = run(tmp_path, '[phantom]\ng4dcm = "p.g4dcm"\n', "theirs")
    assert theirs == run(tmp_path, own + OWN[OWN.index("[[phantom.slab]]") :], "own")


def test_media_densities_and_edges(tmp_path: Path) -> None:
    path = tmp_path / "s.egsphant"
    write_egsphant(path, slabs(media=("H2O521ICRU", "MYBONE")))
    built = phantom_voxels(phantom(path, media={"MYBONE": "G4_BONE_CORTICAL_ICRP"}))
    voxels = built.voxels
    assert built.grid is None
    assert voxels.edges_mm[0].tolist() == X.tolist()
    assert [one.name for one in voxels.materials] == ["G4_WATER", "G4_BONE_CORTICAL_ICRP"]
    assert voxels.material[:, 0, 0].tolist() == [0] * 5 + [1] * 5 + [0] * 10
    assert voxels.density_g_cm3[7, 0, 0] == np.float32(0.26)
    assert built.warnings == ("Medium H2O521ICRU of the phantom was taken as G4_WATER, by its name alone.",)
    of_media = phantom_voxels(phantom(path, media={"MYBONE": "G4_BONE_CORTICAL_ICRP"}, densities="media")).voxels
    assert of_media.density_g_cm3[7, 0, 0] == np.float32(1.85)


def test_media_of_equal_meaning_and_inserts(tmp_path: Path) -> None:
    path = tmp_path / "s.egsphant"
    write_egsphant(path, slabs())
    box = {"x_mm": [-2, 2], "y_mm": [-2, 2], "z_mm": [0, 6], "material": "G4_Ti"}
    voxels = phantom_voxels(phantom(path, box=[box])).voxels
    assert voxels.materials[voxels.material[0, 3, 3]].name == "G4_Ti"
    assert voxels.materials[voxels.material[0, 0, 0]].name == "G4_WATER"


def test_vacuum_and_gas_without_density(tmp_path: Path) -> None:
    path = tmp_path / "s.egsphant"
    number, density = slabs().numbers.copy(), slabs().density_g_cm3.copy()
    number[0], density[0], density[6] = 0, 0.0, 0.0
    write_egsphant(path, slabs(media=("H2O521ICRU", "AIR521ICRU"), numbers=number, density_g_cm3=density))
    built = phantom_voxels(phantom(path))
    assert built.voxels.materials[built.voxels.material[0, 0, 0]].name == "G4_Galactic"
    assert built.voxels.density_g_cm3[6, 0, 0] == np.float32(1.20479e-3)
    assert any("36 voxels of gas with density 0" in said for said in built.warnings)
    assert any("vacuum, was taken as G4_Galactic" in said for said in built.warnings)


@pytest.mark.parametrize(
    ("change", "keys", "said"),
    [
        ({"media": ("H2O521ICRU", "MEDIUM_2")}, "", "The medium 'MEDIUM_2' of the phantom is none of ours"),
        ({}, 'media = {H2O52ICRU = "G4_WATER"}', "Did you mean 'H2O521ICRU'"),
        ({"density_g_cm3": np.zeros((20, 6, 6))}, "", "Voxels of the phantom have no density. Given: 0 in"),
        ({"density_g_cm3": np.full((20, 6, 6), 1000.0)}, "", "is the unit g/cm3"),
        ({}, 'material = "G4_WATER"', "phantom.material contradicts phantom.egsphant"),
        ({}, 'g4dcm = "s.egsphant"', "A phantom comes from one file"),
        ({}, 'hlut = "x"', "belongs to an image"),
        ({}, 'densities = "medium"', "Did you mean 'media'"),
    ],
)
def test_mistakes_are_refused_with_their_line(tmp_path: Path, change: dict[str, object], keys: str, said: str) -> None:
    write_egsphant(tmp_path / "s.egsphant", slabs(**change))
    file = tmp_path / "run.toml"
    file.write_text(f'[phantom]\negsphant = "s.egsphant"\n{keys}\n{SOURCE}')
    with pytest.raises(InputError, match=said) as refused:
        read_run_file(file)
    assert all("run.toml, line" in problem for problem in refused.value.problems)


def test_words_of_text_phantoms_belong_to_them(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text(OWN.replace("[phantom.edges_mm]", 'media = {A = "G4_WATER"}\n[phantom.edges_mm]') + SOURCE)
    with pytest.raises(InputError, match=r"phantom\.media belongs to a text phantom"):
        read_run_file(file)


def test_the_shared_phantom_of_egsnrc(shared_data: Path) -> None:
    path = shared_data / "phsp-egsnrc" / "ndgeom_egsphant.egsphant"
    voxels = phantom_voxels(phantom(path, media={"MEDIUM_1": "G4_WATER", "MEDIUM_2": "G4_AIR"})).voxels
    assert voxels.shape == (53, 53, 53)
    widths = np.diff(voxels.edges_mm[0])
    assert (widths[0], widths[26], widths[-1]) == pytest.approx((99.0, 2.0, 99.0))
    assert set(np.unique(voxels.density_g_cm3)) == {np.float32(0.0012), np.float32(0.998)}
