"""Figures of a difference."""

import numpy as np
import pytest

from dosewright.analysis.dose_difference import differences
from dosewright.core.errors import InputError


def test_figures_of_known_differences() -> None:
    reference = np.full((2, 3, 4), 2.0)
    evaluated = reference.copy()
    evaluated[1, 2, 3], evaluated[0, 1, 2] = 2.079, 1.94
    judged = np.ones_like(reference, bool)
    judged[0, 0, 0] = False
    found = differences(reference, evaluated, judged, 4.0)
    assert (found.voxels, found.least_at, found.most_at) == (23, (2, 1, 0), (3, 2, 1))
    assert found.least_percent == pytest.approx(-1.5)
    assert found.most_percent == pytest.approx(1.975)
    assert found.mean_percent == pytest.approx(0.475 / 23)
    assert found.rms_percent == pytest.approx(np.sqrt((1.5**2 + 1.975**2) / 23))
    assert found.ratio == pytest.approx(1 + 0.019 / 46)
    assert found.within_percent == pytest.approx({1: 100 * 21 / 23, 2: 100, 3: 100, 5: 100})


def test_nothing_is_refused() -> None:
    one = np.ones((2, 2, 2))
    with pytest.raises(InputError, match="No voxel"):
        differences(one, one, np.zeros_like(one, bool), 1.0)
    with pytest.raises(InputError, match="nowhere above zero"):
        differences(one, one, np.ones_like(one, bool), 0.0)
