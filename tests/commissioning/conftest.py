"""Libraries made in code: a site of our own form, and a tree of IDEAL with everything in it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from dosewright.commissioning.site.library_folder import PACKAGED

SYSTEM_CFG = """# our own clinic
[directories]
input dicom = /clinic/in
tmpdir jobs = /clinic/work
first output dicom = /clinic/out
second output dicom =
logging = /clinic/logs
commissioning = ../commissioning

[mc stats]
n minutes per job = 5 20 10080 5
n ions per beam = 100 1000000 1000000000 100
x pct unc in target = 0.1 1. 99. 0.1 default
n top voxels for mean dose max = 100
dose threshold as fraction in percent of mean dose max = 50.

[simulation]
number of cores = 8
RBE factor protons = 1.1
Air box margin [mm] = 12

[(tmp) correction factors]
default = 1.0
IR2 proton = 0.97371

[msw scaling]
default = 0.0 1.0

[materials]
materials database = Clinic.db
hu density tolerance [g/cm3] = 0.01
G4_WATER = 1.0
PMMA = 1.195

[user roles]
OKE, obiwan = clinical
OKE_C, obiwan_commissioning = commissioning
"""

# Every number differs from its neighbours; the emittances are areas below pi sigma theta.
SOURCE = """# of our own making
1300
6700
7420
# mean energy
1
1.0
0.5
# spread
MeV
0
{spread}
# sigma x, theta, sigma y, phi
0
{sigma}
0
0.003
0
5.0
0
0.0035
# emittances
0
0.02
0
0.03
# monitor calibration
0
1.1e8
"""

DETAILS = """/control/alias PROTON_CONVERGENCE_XTHETA true
/control/alias PROTON_CONVERGENCE_YPHI false
/control/alias ION_6_12_6_CONVERGENCE_XTHETA false
/control/alias ION_6_12_6_CONVERGENCE_YPHI true
/control/execute ./data/chamber.mac
"""

CHAMBER = """/gate/world/daughters/name chamber
/gate/world/daughters/insert box
/gate/chamber/setMaterial G4_AIR
/gate/chamber/geometry/setXLength 300 mm
/gate/chamber/geometry/setYLength 200 mm
/gate/chamber/geometry/setZLength 300 mm
/gate/chamber/placement/setTranslation 0 -1000 0 mm
/gate/chamber/daughters/name foil
/gate/chamber/daughters/insert box
/gate/foil/setMaterial G4_KAPTON
/gate/foil/geometry/setXLength 280 mm
/gate/foil/geometry/setYLength 0.2 mm
/gate/foil/geometry/setZLength 280 mm
/gate/chamber/vis/setColor blue
/gate/physics/Gamma/SetCutInRegion chamber 1 m
"""

ELEMENT = """/gate/world/daughters/name {name}
/gate/world/daughters/insert box
/gate/{name}/setMaterial {material}
/gate/{name}/geometry/setXLength 250 mm
/gate/{name}/geometry/setYLength {thickness} mm
/gate/{name}/geometry/setZLength 250 mm
/gate/{name}/placement/setTranslation 0 -400 0 mm
"""

HLUT = """[Schneider Head]
density = curve.txt
composition = tissues.txt
SeriesDescription = "Head"
KVP = 120

[artificial]
-1024,-500 = G4_AIR
-500,3000 = G4_WATER
SeriesDescription = "QA"
"""

DENSITY = (
    "# HU density\n-1000 1.21e-3\n-98 0.93\n-97 0.930486\n14 1.03\n23 1.031\n100 1.1199\n101 1.0762\n1600 1.9642\n"
)

COMPOSITION = """[Elements]
Hydrogen Carbon Nitrogen Oxygen Calcium
[/Elements]
-1050 0 0 76.0 24.0 0 Air
-950 10.3 10.5 3.1 76.1 0 Lung
-120 11.0 50.0 1.5 37.5 0 Soft
120 8.0 45.0 2.5 36.5 8.0 Bone
"""

WATER_BOX_CFG = """# WATER BOX
[documentation]
GUI name = Water Phantom
tooltip = water box of 50 x 50 x 40 cm3
help text = water phantom
 with a second line

[dose grid]
x grid size [mm] = 200
y grid size [mm] = 160
z grid size [mm] = 100
number of x voxels = 50
number of y voxels = 40
number of z voxels = 20
dose to water = no
"""

WATER_BOX_MAC = """/gate/world/daughters/name water_box
/gate/world/daughters/insert box
/gate/water_box/setMaterial G4_WATER
/gate/water_box/geometry/setXLength 200 mm
/gate/water_box/geometry/setYLength 160 mm
/gate/water_box/geometry/setZLength 100 mm
/gate/water_box/placement/setTranslation {water_box_move_x} {water_box_move_y} {water_box_move_z} mm
/gate/water_box/vis/setColor blue
/gate/water_box/daughters/name rod
/gate/water_box/daughters/insert cylinder
/gate/rod/setMaterial PMMA
/gate/rod/geometry/setRmax 20 mm
/gate/rod/geometry/setHeight 80 mm
/gate/rod/placement/setTranslation 50 0 0 mm
"""

DATABASE = """[Elements]
Hydrogen:   S= H   ; Z=  1. ; A=   1.008 g/mole
Carbon:     S= C   ; Z=  6. ; A=  12.011 g/mole
Oxygen:     S= O   ; Z=  8. ; A=  15.999 g/mole

[Materials]
PMMA: d=1.195 g/cm3 ; n=3 ; state=solid
    +el: name=Hydrogen ; f=0.080541
    +el: name=Carbon ; f=0.599846
    +el: name=Oxygen ; f=0.319613
"""

CUTS = """/gate/physics/Gamma/SetCutInRegion world 1 m
/gate/physics/SetMaxStepSizeInRegion patient 1 mm
/gate/physics/ActivateStepLimiter proton
"""


def make_ideal_tree(folder: Path) -> Path:
    """Make IDEAL's cfg/ and commissioning/ with everything in it; return the system.cfg."""
    tree = folder / "commissioning"
    own, carbon = SOURCE.format(spread=0.9, sigma=4.0), SOURCE.format(spread=1.7, sigma=3.0)
    files = {
        "cfg/system.cfg": SYSTEM_CFG,
        "commissioning/beamlines/IR2/IR2_PROTON_source_properties.txt": own,
        "commissioning/beamlines/IR2/IR2_PROTON_3.0_source_properties.txt": SOURCE.format(spread=0.9, sigma=7.0),
        "commissioning/beamlines/IR2/IR2_ION_6_12_6_source_properties.txt": carbon,
        "commissioning/beamlines/IR2/IR2_beamline_details.mac": DETAILS,
        "commissioning/beamlines/IR2/IR2_description.txt": "The horizontal beam line\nof room 2.\n",
        "commissioning/beamlines/IR2/IR2_rm_RIFI_details.mac": ELEMENT.format(
            name="rifi", material="PMMA", thickness=2
        ),
        "commissioning/beamlines/MyToy/MyToy_PROTON_source_properties.txt": SOURCE.format(spread=0.5, sigma=6.0),
        "commissioning/beamlines/common/chamber.mac": CHAMBER,
        "commissioning/beamlines/common/rs_RS30_details.mac": ELEMENT.format(
            name="shifter", material="G4_POLYCARBONATE", thickness=30
        ),
        "commissioning/CT/hlut.conf": HLUT,
        "commissioning/CT/density/curve.txt": DENSITY,
        "commissioning/CT/composition/tissues.txt": COMPOSITION,
        "commissioning/phantoms/water_box.cfg": WATER_BOX_CFG,
        "commissioning/phantoms/water_box.mac": WATER_BOX_MAC,
        "commissioning/material/Clinic.db": DATABASE,
        "commissioning/material/ct-parameters.mac": CUTS,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tree / "CT" / "cache").mkdir()
    return folder / "cfg" / "system.cfg"


def make_site(folder: Path) -> Path:
    """Make a library of our own form; return its folder."""
    (folder / "beam_models").mkdir(parents=True)
    shutil.copy(PACKAGED / "beam_models" / "generic.toml", folder / "beam_models" / "room1.toml")
    (folder / "ct").mkdir()
    shutil.copy(PACKAGED / "ct" / "generic.toml", folder / "ct" / "head.toml")
    (folder / "phantoms").mkdir()
    shutil.copy(PACKAGED / "phantoms" / "water_box.toml", folder / "phantoms" / "water_box.toml")
    (folder / "materials.toml").write_text(
        '[[material]]\nname = "Putty"\ndensity_g_cm3 = 1.5\nmass_fractions = {H = 0.1, Oxygen = 0.9}\n'
    )
    (folder / "settings.toml").write_text("[calculation]\nair_margin_mm = 12.0\n")
    (folder / "library.toml").write_text('name = "our clinic"\n[[machine]]\nname = "TR1"\nbeam_model = "room1"\n')
    for path in (folder, folder / "settings.toml"):
        path.chmod(path.stat().st_mode & ~0o022)
    return folder


@pytest.fixture(autouse=True)
def nothing_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    monkeypatch.delenv("DOSEWRIGHT_LIBRARY", raising=False)
    for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path_factory.mktemp("user")))


@pytest.fixture
def ideal(tmp_path: Path) -> Path:
    """The system.cfg of an IDEAL tree with everything in it, at ``tmp_path / "cfg"``."""
    return make_ideal_tree(tmp_path)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The folder of a library of our own form."""
    return make_site(tmp_path / "site")


Changed = Callable[[str, str, str], None]


@pytest.fixture
def change(tmp_path: Path) -> Changed:
    """Replace one text in a file below ``tmp_path``; an empty old text makes or overwrites the file."""

    def changed(file: str, old: str, new: str) -> None:
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        text = path.read_text() if old else ""
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1) if old else new)

    return changed
