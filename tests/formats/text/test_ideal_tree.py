"""A whole commissioning folder of IDEAL, of our own making: every file is read, and one density serves all of them."""

from pathlib import Path

import pytest

from dosewright.core.matter import Material
from dosewright.core.solids import Box
from dosewright.formats.text.hounsfield import read_hlut_conf
from dosewright.formats.text.ideal.cut_parameters import read_cut_parameters
from dosewright.formats.text.ideal.gate_macro import read_macro
from dosewright.formats.text.ideal.gate_materials import read_gate_materials
from dosewright.formats.text.ideal.ideal_config import read_system_cfg, wrong_override_densities
from dosewright.formats.text.ideal.ideal_phantom import read_ideal_phantom
from dosewright.formats.text.ideal.ideal_source import read_ideal_source

FILES = {
    "system.cfg": "[directories]\ncommissioning = .\n[mc stats]\nx pct unc in target = 0.1 1. 99. 0.1 default\n"
    "[materials]\nmaterials database = Room.db\nLexite = 1.2\n[user roles]\nAB, ab_physics = commissioning\n",
    "material/Room.db": "[Elements]\nHydrogen: S=H; Z=1.; A=1.008 g/mole\nCarbon: S=C; Z=6.; A=12.011 g/mole\n"
    "Nitrogen: S=N; Z=7.; A=14.007 g/mole\n[Materials]\nLexite: d=1200 kg/m3; n=2; state=solid\n"
    "  +el: name=Carbon; n=8\n  +el: name=Hydrogen; n=8\nRoomAir: d=1.2 mg/cm3; n=1; state=gas\n"
    "  +el: name=Nitrogen; f=1\n",
    "material/ct-parameters.mac": "/gate/physics/Electron/SetCutInRegion patient 0.1 mm\n",
    "CT/hlut.conf": "[Abdomen]\nManufacturer = 'Any'\n-1024,-200 = RoomAir\n-200,3000 = Lexite\n",
    "beamlines/common/rs_plate_details.mac": "/gate/world/daughters/name plate\n/gate/world/daughters/insert box\n"
    "/gate/plate/setMaterial Lexite\n/gate/plate/geometry/setXLength 30 cm\n/gate/plate/geometry/setYLength 30 mm\n"
    "/gate/plate/geometry/setZLength 30 cm\n/gate/plate/placement/setTranslation 0 {plate_y} 0 mm\n",
    "beamlines/common/plate_place.mac": "/control/alias plate_y -500\n",
    "beamlines/Fix/Fix_beamline_details.mac": "/control/execute ./data/plate_place.mac\n"
    "/control/execute ./data/rs_plate_details.mac\n/control/alias PROTON_CONVERGENCE_XTHETA true\n"
    "/control/alias PROTON_CONVERGENCE_YPHI false\n",
    "beamlines/Fix/Fix_PROTON_source_properties.txt": "1000\n5000\n6000\n1\n1.0\n0.0\n0\n0.5\n0\n4\n0\n0.002\n0\n5\n0\n"
    "0.002\n0\n0.01\n0\n0.01\n",
    "phantoms/block.cfg": "[documentation]\nGUI name = Block\n[dose grid]\nx grid size [mm] = 100\n"
    "y grid size [mm] = 100\nz grid size [mm] = 100\nnumber of x voxels = 50\n"
    "number of y voxels = 50\nnumber of z voxels = 50\n"
    "dose to water = yes\n",
    "phantoms/block.mac": "/gate/world/daughters/name block\n/gate/world/daughters/insert box\n"
    "/gate/block/setMaterial Lexite\n/gate/block/geometry/setXLength 10 cm\n/gate/block/geometry/setYLength 10 cm\n"
    "/gate/block/geometry/setZLength 10 cm\n"
    "/gate/block/placement/setTranslation {block_move_x} {block_move_y} {block_move_z} mm\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_every_file_of_a_tree(tree: Path) -> None:
    config = read_system_cfg(tree / "system.cfg")
    media = read_gate_materials(config.commissioning / "material" / config.materials_database)

    def named(name: str) -> Material:
        return media[name]

    assert wrong_override_densities(config, named) == []
    abdomen = read_hlut_conf(tree / "CT" / "hlut.conf", named, lambda word: 0)["Abdomen"]
    assert abdomen.keywords == {"Manufacturer": "Any"}
    assert [one.density_g_cm3 for one in abdomen.table.materials] == pytest.approx([0.0012, 1.2])
    details = read_macro(tree / "beamlines" / "Fix" / "Fix_beamline_details.mac", root=tree / "beamlines")
    (plate,) = details.solids(named)
    assert (plate.shape, plate.centre_mm, plate.density_g_cm3) == (Box((300.0, 30.0, 300.0)), (0.0, -500.0, 0.0), 1.2)
    source = tree / "beamlines" / "Fix" / "Fix_PROTON_source_properties.txt"
    assert read_ideal_source(source, convergent=(True, False)).plane_mm == 1000.0
    phantom = read_ideal_phantom(tree / "phantoms" / "block.cfg", tree / "phantoms" / "block.mac", named)
    assert (phantom.counts, phantom.solids[0].density_g_cm3, phantom.dose_to_water) == ((50, 50, 50), 1.2, True)
    assert read_cut_parameters(tree / "material" / "ct-parameters.mac").regions["patient"].electron_cut_mm == 0.1


def test_a_density_of_the_database_is_the_one_of_every_file(tree: Path) -> None:
    database = tree / "material" / "Room.db"
    database.write_text(database.read_text().replace("d=1200 kg/m3", "d=1.25 g/cm3"))
    config = read_system_cfg(tree / "system.cfg")
    media = read_gate_materials(database)
    (problem,) = wrong_override_densities(config, media.__getitem__)
    assert "'Lexite' is given twice" in problem
    assert "1.2 g/cm3; the material's own: 1.25 g/cm3" in problem
    assert "system.cfg, line 7" in problem
