"""Spot optics are covariances."""

import numpy as np
import pytest

from dosewright.core.beam_model import Optics
from dosewright.core.errors import InputError

GOOD = np.array([[16.0, 0.01], [0.01, 9e-6]])


@pytest.mark.parametrize("cov", [GOOD, np.zeros((2, 2)), np.array([[16.0, -0.012], [-0.012, 9e-6]])])
def test_covariances_are_taken(cov: np.ndarray) -> None:
    assert Optics(1.0, cov, GOOD).cov_x is cov


@pytest.mark.parametrize(
    "cov",
    [
        np.array([[-1.0, 0.0], [0.0, 1e-6]]),
        np.array([[1.0, 0.0], [0.0, -1e-6]]),
        np.array([[16.0, 0.02], [0.02, 9e-6]]),  # correlation 1.67
        np.zeros((3, 3)),
    ],
)
def test_anything_else_is_refused_by_its_axis(cov: np.ndarray) -> None:
    with pytest.raises(InputError, match="along x"):
        Optics(1.0, cov, GOOD)
    with pytest.raises(InputError, match="along y"):
        Optics(1.0, GOOD, cov)
