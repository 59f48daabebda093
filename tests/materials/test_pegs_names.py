"""Names of PEGS4 data: what they are taken for, what users say, what is refused."""

import pytest

from dosewright.core.errors import InputError
from dosewright.materials.library import named
from dosewright.materials.pegs_names import known_pegs_names, media_of, pegs_medium


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("H2O521ICRU", "G4_WATER"),
        ("AIR700ICRU", "G4_AIR"),
        ("LUNG521ICRU", "G4_LUNG_ICRP"),
        ("ICRPBONE521ICRU", "G4_BONE_CORTICAL_ICRP"),
        ("ICRUTISSUE700ICRU", "G4_TISSUE_SOFT_ICRU-4"),
        ("W521ICRU", "G4_W"),
        ("vacuum", "G4_Galactic"),
    ],
)
def test_known_names(name: str, ours: str) -> None:
    found = pegs_medium(name)
    assert found is not None
    assert found.name == ours


@pytest.mark.parametrize("name", ["H2O", "H2O600ICRU", "G4_WATER", "521ICRU", "XX521ICRU", ""])
def test_other_names(name: str) -> None:
    assert pegs_medium(name) is None


def test_all_names_have_a_medium() -> None:
    assert all(pegs_medium(name) for name in known_pegs_names())


def test_what_users_say_wins_and_what_is_taken_by_name_is_told() -> None:
    media, said = media_of(("H2O521ICRU", "LUNG521ICRU", "G4_Ti", "X"), {"X": "PMMA", "H2O521ICRU": "RW3"}, named)
    assert [one.name for one in media] == ["RW3", "G4_LUNG_ICRP", "G4_Ti", "G4_PLEXIGLASS"]
    assert said == ("Medium LUNG521ICRU of the phantom was taken as G4_LUNG_ICRP, by its name alone.",)


def test_every_mistake_is_told_with_the_nearest_word() -> None:
    with pytest.raises(InputError) as refused:
        media_of(("AIR521ICRO", "MEDIUM_1"), {"MEDIM_1": "G4_WATER", "MEDIUM_1": "G4_WATR"}, named)

    told = " ".join(refused.value.problems)
    assert "Did you mean 'MEDIUM_1'?" in told
    assert "Did you mean 'G4_WATER'?" in told
    assert "Did you mean 'AIR521ICRU'?" in told
