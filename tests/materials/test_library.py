"""Named media: values of the reports, aliases, hints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dosewright.core.errors import InputError
from dosewright.materials.library import citation, known_names, mcsquare_material, named, written_exactly
from dosewright.materials.stopping import mean_excitation_eV, proton_mass_stopping_power


def test_water_is_that_of_icru_90() -> None:
    water = named("G4_WATER")
    assert (water.density_g_cm3, water.mean_excitation_eV) == (1.0, 78.0)
    assert water.mass_fractions == pytest.approx({1: 0.11190, 8: 0.88810}, abs=2e-5)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("water", "G4_WATER"),
        ("PMMA", "G4_PLEXIGLASS"),
        ("Lexan", "G4_POLYCARBONATE"),
        ("Titanium", "G4_Ti"),
        (" G4_Ti ", "G4_Ti"),
        ("Aluminum", "G4_Al"),
        ("cortical bone", "G4_BONE_CORTICAL_ICRP"),
    ],
)
def test_common_words_lead_to_proper_names(word: str, name: str) -> None:
    assert named(word).name == name


@pytest.mark.parametrize(
    ("word", "meant"), [("G4_Water", "G4_WATER"), ("g4_ti", "G4_Ti"), ("pmma", "PMMA"), ("Water", "water")]
)
def test_another_case_is_answered_with_what_is_meant(word: str, meant: str) -> None:
    with pytest.raises(InputError, match=f"Unknown material. Did you mean '{meant}'"):
        named(word)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match="Did you mean 'G4_WATER'"):
        named("G4_WATR")


@pytest.mark.parametrize("name", known_names())
def test_every_medium_is_complete_and_cited(name: str) -> None:
    medium = named(name)
    assert sum(medium.mass_fractions.values()) == pytest.approx(1.0)
    assert 8e-5 < medium.density_g_cm3 < 23 or name == "G4_Galactic"  # vacuum
    assert 15 < mean_excitation_eV(medium) < 900
    assert 0.5 < float(proton_mass_stopping_power(medium, 100.0)) < 22
    assert len(citation(name)) > 15


def test_braggs_rule_of_alloys_takes_the_elements_own_values() -> None:
    assert mean_excitation_eV(named("G4_STAINLESS-STEEL")) == pytest.approx(283.0, abs=0.5)
    assert mean_excitation_eV(named("G4_BRASS")) == pytest.approx(349.8, abs=0.5)


@pytest.mark.parametrize(
    ("name", "expected"), [("G4_PLEXIGLASS", 1.16), ("G4_POLYCARBONATE", 1.15), ("G4_POLYETHYLENE", 0.99)]
)
def test_stopping_power_ratios_of_plastics(name: str, expected: float) -> None:
    ratio = named(name).density_g_cm3 * proton_mass_stopping_power(named(name), 150.0)
    ratio /= proton_mass_stopping_power(named("water"), 150.0)
    assert float(ratio) == pytest.approx(expected, abs=0.015)


@given(st.text(max_size=30))
def test_any_word_is_known_or_refused(word: str) -> None:
    try:
        named(word)
    except InputError as refusal:
        assert "Unknown material" in str(refusal)


def test_mcsquare_codes() -> None:
    assert mcsquare_material(64).name == "G4_PLEXIGLASS"
    assert mcsquare_material(39).name == "SCHNEIDER_AIR"
    assert mcsquare_material(46).mass_fractions[8] == pytest.approx(0.723 / 1.0, rel=2e-3)
    assert mcsquare_material(62).mass_fractions[20] == pytest.approx(0.225, rel=5e-3)
    with pytest.raises(InputError, match="MCsquare material code"):
        mcsquare_material(14)


def test_words_of_other_programs_are_found_whatever_their_case() -> None:
    assert named(written_exactly("BRASS")) == named("G4_BRASS")
    assert written_exactly(" g4_water ") == "G4_WATER"
    assert written_exactly("PMMA") == "PMMA"
    assert written_exactly("unobtainium") == "unobtainium"
