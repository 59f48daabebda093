"""Decks of FRED (matRad, pyRadPlan), delivered by a text of our own, against FRED's doses beside them.

A weight of one is a million protons in both planning systems: FRED's dose of pyRadPlan's deck leaves 96.5 % of the
energy of so many in the water, as ours does. The dose of matRad's deck is from few histories, see the measured page.
"""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.formats.text.fred.fred_texts import deck

from dosewright.delivery.steps import read_delivery
from dosewright.formats.dose.mhd import read_mhd
from dosewright.workflow.treatment.deliver import deliver_all
from dosewright.workflow.treatment.treatment import treatment_of

PROTONS = 1e6  # per unit of weight
INSIDE = (slice(1, -1),) * 3  # the water, without the air around it


def both(shared_data: Path, folder: Path, name: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the dose in the water, ours and FRED's, on the same voxels."""
    delivery = read_delivery(deck(shared_data, folder, name), histories=10_000)
    treatment = treatment_of(delivery)
    theirs = read_mhd(shared_data / "fred-decks" / name / "out" / "score" / "Phantom.Dose.mhd")
    assert treatment.grids["Phantom"].matches(theirs.grid)
    ours = deliver_all(treatment.portions, folder / "parts")["Phantom"].medium.dose_Gy * PROTONS
    return ours[INSIDE], theirs.values.astype(float)[INSIDE]


def test_the_deck_of_pyradplan(shared_data: Path, tmp_path: Path) -> None:
    """Sum within 0.5 %, planes across the beams within 1.5 %; so planes along them, but for the outer ones.

    A fiftieth of the protons reach the outer ones: 2000 of ours, which alone leave 2 %.
    """
    ours, theirs = both(shared_data, tmp_path, "pyradplan")
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.005)
    np.testing.assert_allclose(ours.sum(axis=(0, 2)), theirs.sum(axis=(0, 2)), rtol=0.015)
    for axes in ((1, 2), (0, 1)):
        a, b = ours.sum(axis=axes), theirs.sum(axis=axes)
        high = b > 0.3 * b.max()
        np.testing.assert_allclose(a[high], b[high], rtol=0.015)


def test_the_deck_of_matrad(shared_data: Path, tmp_path: Path) -> None:
    """Sum within 4 %, three sigma of about a hundred histories."""
    ours, theirs = both(shared_data, tmp_path, "matrad")
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.04)
