"""GATE's material database: densities and units, atoms and fractions, mixtures, mistakes with their line."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.errors import InputError, refuse
from dosewright.core.matter import Material
from dosewright.formats.text.ideal.gate_materials import read_gate_materials

DB = """[Elements]
Hydrogen:   S= H   ; Z=  1. ; A=   1.01  g/mole
Carbon:     S= C   ; Z=  6. ; A=  12.01  g/mole   # of life
Oxygen:     S= O   ; Z=  8. ; A=  16.00  g/mole
Titanium:   S= Ti  ; Z= 22. ; A=  47.867 g/mole
Deuterium:  S= D   ; Z=  1. ; A=   2.014 g/mole
Plutonium:  S= Pu  ; Z= 94. ; A= 239.05 g/mole

[Materials]
Titanium: d=4.54 g/cm3; n=1; state=solid
\t+el: name=auto ; n=1
Plate: d=1.2 g/cm3 ; n=2 ; state=Solid
   +mat: name=Resin ; f=0.7
   +mat: name=Titanium ; f=0.3
# a mixture may come before its parts
Resin: d=1190 kg/m3; n=3; T=293 kelvin; P=1 atm
   +el: name=Hydrogen; f=0.08
   +el: name=Carbon  , f=60 %
   +elem: name=Oxygen; f=0.32
Water: d=1.00 g/cm3; n=2 ; state=liquid
   +el: name=Hydrogen ; n=2
   +el: name=Oxygen; n=1
Vapour: d=0.6 mg/cm3; n=1; state=gas
   +mat: name=Water; f=1
Slab: Z=22; A=47.867 g/mole; d=4.5*g/cm3
"""


def write(folder: Path, text: str = DB) -> Path:
    path = folder / "site.db"
    path.write_text(text)
    return path


def test_densities_fractions_and_atoms(tmp_path: Path) -> None:
    media = read_gate_materials(write(tmp_path))
    assert list(media) == ["Titanium", "Plate", "Resin", "Water", "Vapour", "Slab"]
    densities = [one.density_g_cm3 for one in media.values()]
    assert densities == pytest.approx([4.54, 1.2, 1.19, 1.0, 0.6e-3, 4.5], rel=1e-12)
    hydrogen = 2 * 1.01 / (2 * 1.01 + 16.0)
    assert media["Water"].mass_fractions == pytest.approx({1: hydrogen, 8: 1 - hydrogen}, rel=1e-12)
    assert media["Vapour"].mass_fractions == media["Water"].mass_fractions
    assert media["Plate"].mass_fractions == pytest.approx({1: 0.056, 6: 0.42, 8: 0.224, 22: 0.3}, rel=1e-12)
    assert media["Slab"].mass_fractions == {22: 1.0}
    assert media["Water"].mean_excitation_eV is None


def test_parts_outside_the_file_come_from_the_library(tmp_path: Path) -> None:
    def named(name: str) -> Material:
        if name != "G4_AIR":
            raise refuse("Unknown material", given=name)
        return Material(name, 0.0012, {7: 0.8, 8: 0.2})

    text = DB + "Foam: d=0.03 g/cm3; n=2\n+mat: name=G4_AIR; f=0.5\n+mat: name=Resin; f=0.5\n"
    assert read_gate_materials(write(tmp_path, text), named)["Foam"].mass_fractions[7] == pytest.approx(0.4)
    with pytest.raises(InputError, match=r"Unknown material.*G4_AIR.*line 27"):
        read_gate_materials(write(tmp_path, text))
    with pytest.raises(InputError, match=r"Unknown material.*G4_AIRR.*line 27"):
        read_gate_materials(write(tmp_path, text.replace("G4_AIR", "G4_AIRR")), named)


def test_the_materials_of_nist_are_not_replaced(tmp_path: Path) -> None:
    def named(name: str) -> Material:
        if name != "G4_WATER":
            raise refuse("Unknown material", given=name)
        return Material(name, 1.0, {1: 0.111894, 8: 0.888106}, 78.0)

    text = DB.replace("Water", "G4_WATER").replace("Resin", "G4_RESIN")
    media = read_gate_materials(write(tmp_path, text), named)
    assert "G4_WATER" not in media  # GATE takes that of NIST as well
    assert "G4_RESIN" in media
    assert media["Vapour"].mass_fractions == pytest.approx({1: 0.111894, 8: 0.888106})
    assert "G4_WATER" in read_gate_materials(write(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("d=4.54 g/cm3", "d=4.54", r"density of 'Titanium' with its unit.*mg/mm3, mg/cm3.*line 10"),
        ("d=4.54 g/cm3", "d=4,54 g/cm3", r"Unknown field.*'54 g/cm3'.*line 10"),
        ("d=4.54 g/cm3; ", "", r"'Titanium' has no density"),
        ("d=4.54 g/cm3", "d=4.54 g/cm3; density=4.5 g/cm3", r"density is given twice"),
        ("d=4.54 g/cm3", "d=-4.54 g/cm3", r"must be positive"),
        ("state=solid", "state=soild", r"Did you mean 'solid'\?.*line 10"),
        ("n=1; state", "n=2; state", r"another number of components.*n=2, then 1 lines.*line 10"),
        ("name=auto", "name=Titan", r"Unknown element. Did you mean 'Titanium'.*line 11"),
        ("name=Titanium ; f=0.3", "name=Plate ; f=0.3", r"'Plate' is made of itself.*line 12"),
        ("name=Titanium ; f=0.3", "name=Titanium ; f=0.2", r"'Plate' do not add up to one. Given: 0.9"),
        ("name=Titanium ; f=0.3", "name=Titanium ; n=3", r"mass fraction f=.*line 14"),
        ("name=Hydrogen; f=0.08", "name=Hydrogen; n=8", r"'Resin' mixes"),
        ("name=Hydrogen ; n=2", "name=Deuterium ; n=2", r"'Deuterium' cannot be used.*2.014.*isotopes.*line 21"),
        ("name=Hydrogen ; n=2", "name=Plutonium ; n=2", r"'Plutonium' cannot be used.*uranium"),
        ("Vapour:", "Water:", r"'Water' is given twice.*line 20.*line 23"),
        ("[Materials]", "[Material]", r"Did you mean 'Materials'"),
        ("+elem:", "+iso:", r"Unknown kind of component.*\+iso.*line 19"),
        ("A=   1.01  g/mole", "A=   1.01  kg/mole", r"molar mass in g/mole.*line 2"),
    ],
)
def test_mistakes_are_named_with_their_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in DB
    with pytest.raises(InputError, match=message):
        read_gate_materials(write(tmp_path, DB.replace(old, new, 1)))


def test_all_mistakes_together_and_no_echo(tmp_path: Path) -> None:
    text = DB.replace("d=1190 kg/m3", "d=1190 lb/ft3").replace("d=1.00 g/cm3", "d=0 g/cm3")
    with pytest.raises(InputError) as refused:
        read_gate_materials(write(tmp_path, text))
    assert len(refused.value.problems) == 2  # Plate and Vapour, which hold those two, say nothing of their own


def test_a_real_database(shared_data: Path) -> None:
    media = read_gate_materials(shared_data / "beam-models" / "gate-rtion" / "DoseActor" / "HFMaterials2014.db")
    assert media["PMMA"].density_g_cm3 == 1.195
    assert media["Air"].density_g_cm3 == pytest.approx(1.29e-3)
    assert media["Kapton"].mass_fractions[6] == pytest.approx(0.691133, rel=1e-5)
    assert media["Adipose"].mass_fractions[8] == pytest.approx(0.229)  # a comma stands for a semicolon there
    assert len(media) == 63


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=80), st.integers(0, 1300), st.integers(0, 60))
def test_garbage_is_refused_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, start: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("fuzz") / "a.db"
    good = DB.encode()
    for data in (noise, b"[Elements]\n" + noise, good[:start] + noise[:12] + good[start + cut :]):
        path.write_bytes(data)
        try:
            media = read_gate_materials(path)
        except InputError:
            continue
        assert all(one.density_g_cm3 > 0 for one in media.values())
