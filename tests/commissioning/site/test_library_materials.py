"""Media of a site: materials.toml, GATE databases, exact names."""

from pathlib import Path

import pytest

from dosewright.commissioning.site.catalog import Library
from dosewright.core.errors import InputError

DATABASE = """[Elements]
Hydrogen: S= H ; Z= 1. ; A= 1.008 g/mole
Oxygen: S= O ; Z= 8. ; A= 15.999 g/mole
[Materials]
Gel: d=1.02 g/cm3 ; n=2 ; state=liquid
    +el: name=Hydrogen ; f=0.11
    +el: name=Oxygen ; f=0.89
"""


def test_a_gate_database_lies_beside_materials_toml(site: Path) -> None:
    (site / "Clinic.db").write_text(DATABASE)
    library = Library.open(site)
    assert library.material("Gel").density_g_cm3 == 1.02
    assert library.material("Putty").density_g_cm3 == 1.5
    assert library.material_names()[:2] == ("Gel", "Putty")
    with pytest.raises(InputError, match="Did you mean 'Gel'"):
        library.material("gel")


def test_one_name_means_one_material(site: Path) -> None:
    (site / "Clinic.db").write_text(DATABASE.replace("Gel", "Putty"))
    with pytest.raises(
        InputError, match=r"describe one material differently. Given: Putty. .*Clinic\.db and materials"
    ):
        Library.open(site)


@pytest.mark.parametrize(("word", "meant"), [("G4_Water", "G4_WATER"), ("g4_air", "G4_AIR"), ("putty", "Putty")])
def test_case_matters(site: Path, word: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"Unknown material. Did you mean '{meant}'"):
        Library.open(site).material(word)


def test_problems_of_all_files_are_told_together(site: Path) -> None:
    (site / "materials.toml").write_text('[[material]]\nname = "a"\ndensity_g_cm3 = -1.0\nmass_fractions = {H = 1.0}\n')
    (site / "Clinic.db").write_text("nonsense\n")
    (site / "settings.toml").write_text("[calculaton]\n")
    (site / "library.toml").write_text('nmae = "x"\n')
    with pytest.raises(InputError) as refused:
        Library.open(site)
    for file in ("materials.toml", "Clinic.db", "settings.toml", "library.toml"):
        assert any(file in problem for problem in refused.value.problems), file
