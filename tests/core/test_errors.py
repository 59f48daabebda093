"""Messages of refused input."""

import pytest

from dosewright.core.errors import DosewrightError, InputError, nearest, refuse


def test_all_problems_are_listed_once_and_in_order() -> None:
    error = InputError("No CT.", "No dose.", "No CT.")
    assert error.problems == ("No CT.", "No dose.")
    assert str(error) == "No CT.\nNo dose."
    assert isinstance(error, DosewrightError)


def test_a_refusal_says_what_was_given_what_is_allowed_and_where() -> None:
    error = refuse("Bad couch angle.", given=400, allowed="0 to 360", where="beam 2")
    assert str(error) == "Bad couch angle. Given: 400. Allowed: 0 to 360. Where: beam 2."
    assert str(refuse("No goal")) == "No goal."


def test_a_given_zero_is_said() -> None:
    assert str(refuse("Too thin", given=0)) == "Too thin. Given: 0."


@pytest.mark.parametrize(
    ("word", "hint"),
    [("g4_watr", " Did you mean 'G4_WATER'?"), ("G4_AIR", " Did you mean 'G4_AIR'?"), ("banana", "")],
)
def test_the_nearest_known_word(word: str, hint: str) -> None:
    assert nearest(word, ["G4_WATER", "G4_AIR"]) == hint


def test_nothing_is_near_where_nothing_is_known() -> None:
    assert nearest("water", []) == ""
