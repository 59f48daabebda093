"""CT tables of IDEAL and MCsquare, and plain density curves."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.hounsfield import (
    read_density_curve,
    read_hlut_conf,
    read_mcsquare_scanner,
    with_density_curve,
)

Z = {"Hydrogen": 1, "Carbon": 6, "Nitrogen": 7, "Oxygen": 8, "Sodium": 11, "Magnesium": 12, "Phosphor": 15}
Z |= {"Sulfur": 16, "Chlorine": 17, "Argon": 18, "Potassium": 19, "Calcium": 20, "Titanium": 22, "Copper": 29}
Z |= {"Zinc": 30, "Silver": 47, "Tin": 50}


def named(name: str) -> Material:
    if name not in ("G4_AIR", "G4_WATER"):
        raise refuse("Unknown material", given=name)
    return Material(name, 1.0 if name == "G4_WATER" else 0.0012, {1: 0.1, 8: 0.9})


def atomic_number(word: str) -> int:
    if word not in Z:
        raise refuse("Unknown element", given=word)
    return Z[word]


CONF = """# two protocols
[Head CT]
density = d.txt
composition = c.txt
seriesdescription = "Head"
KVP = 120

[direct]
-1024,-500 = G4_AIR
-500,3000 = G4_WATER  # all the rest
SeriesDescription = QA
"""
DENSITY = "# HU g/cm3\n-1000 1.21e-3\n0\t1.0\n\n1000 1.6\n"
COMPOSITION = """[Elements]
Hydrogen Carbon
Oxygen
[/Elements]
-1050 0 0 100 Air
-200 11.2 0 88.8 Water
200 5 40 55.2 Bone
"""


def write(folder: Path, conf: str = CONF, density: str = DENSITY, composition: str = COMPOSITION) -> Path:
    (folder / "density").mkdir(exist_ok=True)
    (folder / "density" / "d.txt").write_text(density)
    (folder / "c.txt").write_text(composition)
    (folder / "hlut.conf").write_text(conf)
    return folder / "hlut.conf"


def test_both_kinds_of_protocol(tmp_path: Path) -> None:
    protocols = read_hlut_conf(write(tmp_path), named, atomic_number)
    head, direct = protocols["Head CT"], protocols["direct"]
    assert head.keywords == {"SeriesDescription": "Head", "KVP": "120"}
    assert head.table.lower_hu.tolist() == [-1050, -200, 200]
    assert [m.name for m in head.table.materials] == ["Air", "Water", "Bone"]
    assert head.table.materials[2].mass_fractions == pytest.approx({1: 5 / 100.2, 6: 40 / 100.2, 8: 55.2 / 100.2})
    assert head.table.density_g_cm3.tolist() == [1.21e-3, 1.0, 1.6]
    assert head.table.materials[2].density_g_cm3 == pytest.approx(1.12)  # the curve at 200 HU
    assert head.table.upper_hu is None
    assert direct.keywords == {"SeriesDescription": "QA"}
    assert (direct.table.lower_hu.tolist(), direct.table.upper_hu) == ([-1024, -500], 3000)
    assert [m.name for m in direct.table.materials] == ["G4_AIR", "G4_WATER"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-500,3000", "-400,3000", r"contiguous.*a gap between -1024,-500 and -400,3000.*line 10"),
        ("-500,3000", "-600,3000", r"contiguous.*an overlap between -1024,-500 and -600,3000.*line 10"),
        ("-1024,-500", "-500,-1024", r"ascend.*line 9"),
        ("-1024,-500", "-1024.5,-500", r"two whole numbers.*line 9"),
        ("-500,3000 = G4_WATER  # all the rest\n", "", r"at least two.*one in \[direct\].*line 8"),
        ("density = d.txt\n", "", r"'Head CT' needs two files or intervals.*line 2"),
        ("density = d.txt", "density = ../../d.txt", r"missing.*line 3"),
        ("density = d.txt", "density = dd.txt", r"missing. Did you mean 'd.txt'.*line 3"),
        ("G4_AIR", "G4_ARI", r"Unknown material.*line 9"),
        ("[direct]", "[direct", r"closing bracket.*line 8"),
        ("KVP = 120", "KVP = 120\nKVP = 140", r"'KVP' stands twice.*line 6.*line 7"),
        ("KVP = 120", "KVP =", r"'KVP' needs the value.*line 6"),
        ("seriesdescription", "SeriesDescripton", r"Unknown label.*Did you mean 'SeriesDescription'.*line 5"),
    ],
)
def test_mistakes_of_the_configuration_are_named(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CONF
    with pytest.raises(InputError, match=message):
        read_hlut_conf(write(tmp_path, conf=CONF.replace(old, new, 1)), named, atomic_number)


def test_all_mistakes_come_together(tmp_path: Path) -> None:
    conf = CONF.replace("d.txt", "e.txt").replace("c.txt", "f.txt").replace("KVP", "KPV").replace("G4_AIR", "AIR")
    with pytest.raises(InputError) as refused:
        read_hlut_conf(write(tmp_path, conf=conf), named, atomic_number)
    assert len(refused.value.problems) == 4


@pytest.mark.parametrize(
    ("composition", "message"),
    [
        (COMPOSITION.replace("Carbon", "Karbon"), "Unknown element"),
        (COMPOSITION.replace("[/Elements]", ""), "between"),
        (COMPOSITION.replace("40 55.2", "40 5.2"), "add up"),
        (COMPOSITION.replace("-200", "-2000"), "ascending"),
        (COMPOSITION.replace(" Bone", ""), "mass percents and a name"),
    ],
)
def test_mistakes_of_the_compositions_are_named(tmp_path: Path, composition: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_hlut_conf(write(tmp_path, composition=composition), named, atomic_number)


def test_density_curves_as_csv(tmp_path: Path) -> None:
    path = tmp_path / "site.csv"
    path.write_text("HU, density [g/cm3]\n-1000, 0.0012\n0, 1.0\n3000, 2.8\n")
    hu, density = read_density_curve(path)
    assert (hu.tolist(), density.tolist()) == ([-1000, 0, 3000], [0.0012, 1.0, 2.8])
    base = read_hlut_conf(write(tmp_path), named, atomic_number)["Head CT"].table
    table = with_density_curve(base, path)
    assert table.materials == base.materials
    assert table.density_g_cm3[-1] == 2.8
    assert "Head CT" in table.source
    path.write_text("HU,density\n0,1\n-1,2\n")
    with pytest.raises(InputError, match="ascend"):
        read_density_curve(path)


def test_the_tables_of_ideal(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "beam-models" / "ideal-template"
    protocols = read_hlut_conf(folder / "hlut.conf", named, atomic_number)
    table = protocols["My CT Schneider protocol name"].table
    assert len(table.materials) == 27
    assert table.materials[7].mass_fractions[8] == pytest.approx(0.723, rel=2e-3)
    assert table.materials[24].mass_fractions == pytest.approx({29: 0.04, 30: 0.02, 47: 0.65, 50: 0.29})
    assert np.interp(50, table.density_hu, table.density_g_cm3) == pytest.approx(1.031 + 27 / 77 * 0.0889)
    assert protocols["protocol for artificial CTs, for commissioning"].keywords == {"SeriesDescription": "QA"}


@pytest.mark.parametrize("name", ["mcsquare-scanner-default", "opentps-scanner-UCL_Toshiba"])
def test_mcsquare_scanners(shared_data: Path, name: str) -> None:
    table = read_mcsquare_scanner(shared_data / "beam-models" / name, lambda code: Material(str(code), 1.0, {1: 1.0}))
    assert [m.name for m in table.materials] == [str(code) for code in range(39, 63)]
    assert np.interp(-26, table.density_hu, table.density_g_cm3) == pytest.approx(0.9885)


@settings(max_examples=120, deadline=None)
@given(st.binary(max_size=120), st.integers(0, 250), st.integers(0, 40), st.integers(0, 2))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int, which: int
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = write(folder)
    target = (path, folder / "density" / "d.txt", folder / "c.txt")[which]
    good = target.read_bytes()
    for data in (noise, good[:start] + noise[:10] + good[start + cut :]):
        target.write_bytes(data)
        try:
            read_hlut_conf(path, named, atomic_number)
        except InputError:
            continue
