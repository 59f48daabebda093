"""Structures are found by name and kind."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.structures import Structure, StructureSet

SQUARE = (np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0]]),)
BODY = Structure(1, "Body", "EXTERNAL", SQUARE)
TARGET = Structure(2, "PTV", "PTV", SQUARE)
SHADOW = Structure(3, "ptv", "PTV", ())
SET = StructureSet("1.2", "1.3", (BODY, TARGET, SHADOW))


def test_an_exact_name_wins_over_its_like() -> None:
    assert SET.named("PTV") is TARGET
    assert SET.named("ptv") is SHADOW


def test_case_does_not_matter_where_only_one_fits() -> None:
    assert SET.named("BODY") is BODY


def test_an_ambiguous_name_is_refused() -> None:
    with pytest.raises(InputError, match="2 structures named 'Ptv'"):
        SET.named("Ptv")


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"has no structure named 'Bodi'\. Did you mean 'Body'"):
        SET.named("Bodi")


def test_kinds_leave_out_what_has_no_contour() -> None:
    assert SET.of_kind("PTV") == (TARGET,)
    assert SET.of_kind("EXTERNAL", "PTV") == (BODY, TARGET)
    assert SET.of_kind("BOLUS") == ()
