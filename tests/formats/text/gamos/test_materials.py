"""Materials of geometry text, and mistakes in them."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.formats.text.gamos.geometry_texts import WORLD, scene_of

from dosewright.core.errors import InputError

MATERIALS = """
:ELEM Hydrogen H 1. 1.00794*g/mole
:ELEM Oxygen O 8 15.9994
:ISOT O16 8 16 15.9949
:ISOT O18 8 18 17.9992
:ELEM_FROM_ISOT Oxy O 2 O16 0.998 O18 0.002
:MATE Alu 13 26.98 2.7*g/cm3
:MATE Iron 26. 55.85 7.87
:MIXT_BY_NATOMS Water 1. 2  Hydrogen 2  O 1
:MIXT_BY_NATOMS Other 1000*kg/m3 2  H 2  Oxy 1
:MIXT Steel 7.8 2
   Iron 0.98
   G4_C 2*perCent
:MIXT_BY_WEIGHT Foam 0.3 3  Hydrogen 0.1 Alu 1./3. O 1-0.1-1./3.
:MIXT_BY_VOLUME Half (7.87+2.7)/2 2  Alu 0.5  Iron 0.5
:MATE_MEE Water 78.*eV
:MATE_STATE Water liquid
"""


def test_materials(tmp_path: Path) -> None:
    names = ("Alu", "Water", "Other", "Steel", "Foam", "Half")
    volumes = "".join(f":VOLU v{n} ORB 1 {n}\n:PLACE v{n} 1 world R0 {10 * i} 0 0\n" for i, n in enumerate(names))
    scene = scene_of(tmp_path, volumes + WORLD + MATERIALS)  # materials may come after the volumes
    media = {part.material.name: part.material for part in scene.parts if part.material}
    assert media["Alu"].mass_fractions == {13: 1.0}
    assert media["Alu"].density_g_cm3 == pytest.approx(2.7, rel=1e-12)
    hydrogen = 2 * 1.00794 / (2 * 1.00794 + 15.9994)
    assert media["Water"].mass_fractions[1] == pytest.approx(hydrogen, rel=1e-4)
    assert media["Water"].mean_excitation_eV == pytest.approx(78.0)
    assert media["Other"].mass_fractions[1] == pytest.approx(hydrogen, rel=1e-3)
    assert media["Other"].density_g_cm3 == pytest.approx(1.0, rel=1e-12)
    assert media["Steel"].mass_fractions == pytest.approx({6: 0.02, 26: 0.98})
    assert media["Foam"].mass_fractions == pytest.approx({1: 0.1, 8: 1 - 0.1 - 1 / 3, 13: 1 / 3})
    assert media["Half"].mass_fractions == pytest.approx({13: 2.7 / 10.57, 26: 7.87 / 10.57})
    assert media["Half"].density_g_cm3 == pytest.approx(5.285)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("G4_C 2*perCent", "G4_C 0.1", r"The fractions of 'Steel' do not add up to one. Given: 1.08.*line 11"),
        (":MIXT Steel 7.8 2", ":MIXT Steel 7.8 3", r":MIXT ends before the name of a component of 'Steel', of 3"),
        (":MIXT Steel 7.8 2", ":MIXT Steel 7.8 1", r"do not add up to one|more words than it needs"),
        ("Iron 0.98", "Irn 0.98", r"Unknown material.*Did you mean 'Iron'.*line 12"),
        ("Alu 13 26.98 2.7", "Alu 13 26.98 -2.7", r"density of 'Alu' must be positive. Given: -2.7\*g/cm3"),
        ("Alu 13 26.98", "Alu 13 30", r"not that of the natural element.*Given: 30"),
        ("Alu 13 26.98", "Alu 13.5 26.98", r"Expected an atomic number, a whole number from 1 to 92"),
        ("Alu 13 26.98 2.7*g/cm3", "Alu 13 26.98 2.7*g", r"Expected a density. Given: 2.7\*g, which measures mass"),
        ("Hydrogen 2  O 1", "Hydrogen 2  G4_O 1", r"by numbers of atoms is made of elements"),
        ("Hydrogen 2  O 1", "Hydrogen 1.5  O 1", r"whole number of atoms"),
        (":MATE Iron", ":MATE Alu", r"A material is defined twice. Given: 'Alu'"),
        ("Iron 0.98", "Steel 0.98", r"These materials are made of each other. Given: Steel"),
        ("O18 0.002", "O17 0.002", r"Unknown isotope. Did you mean 'O1[68]'"),
        (":MATE_MEE Water", ":MATE_MEE Wate", r"no material of this name. Did you mean 'Water'"),
    ],
)
def test_mistakes_of_materials(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in MATERIALS
    with pytest.raises(InputError, match=said):
        scene_of(tmp_path, MATERIALS.replace(old, new, 1) + WORLD)


@given(st.integers(0, len(MATERIALS) - 1), st.text(alphabet=':$*/()."- \n1aé\\', max_size=3))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_text_is_read_or_refused(tmp_path: Path, at: int, put: str) -> None:
    try:
        scene_of(tmp_path, WORLD + MATERIALS[:at] + put + MATERIALS[at + len(put) :])
    except InputError as error:
        assert error.problems
