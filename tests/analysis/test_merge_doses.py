"""Merged parts are the whole: against all histories taken together."""

import numpy as np
import pytest

from dosewright.analysis.merge_doses import merge_doses
from dosewright.analysis.scale_dose import absolute, per_history
from dosewright.core.dose_file import ABSOLUTE, DoseFile, mean_squares, uncertainty_of
from dosewright.core.errors import InputError

EDGES = (np.array([-10.0, 0.0, 10.0, 20.0]), np.array([0.0, 10.0, 20.0]), np.array([5.0, 10.0, 15.0]))
SHAPE = (2, 2, 3)
PARTS = (500, 1200, 37)


def histories() -> np.ndarray:
    numbers = np.random.default_rng(7)
    x = numbers.random((sum(PARTS), *SHAPE)) * (numbers.random((sum(PARTS), *SHAPE)) < 0.1)
    x[:, 0, 0, 0] = 0.0
    return x


def dose_of(x: np.ndarray, *, squares: bool) -> DoseFile:
    """A dose as a file would hold it: with squares, or with the uncertainty alone."""
    n = len(x)
    mean, squared = x.sum(0) / n, (x**2).sum(0) / n**2
    return DoseFile(EDGES, mean, uncertainty_of(mean, squared, n), float(n), squared if squares else None)


@pytest.mark.parametrize("squares", [True, False])
def test_parts_are_the_whole(squares: bool) -> None:
    x = histories()
    parts = [dose_of(part, squares=squares) for part in np.split(x, np.cumsum(PARTS)[:-1])]
    merged = merge_doses((f"part {i}", part) for i, part in enumerate(parts))
    whole = dose_of(x, squares=True)
    assert merged.histories == sum(PARTS)
    np.testing.assert_allclose(merged.dose, whole.dose, rtol=1e-12)
    np.testing.assert_allclose(merged.squares, whole.squares, rtol=1e-12)
    np.testing.assert_allclose(merged.uncertainty, whole.uncertainty, rtol=1e-9)
    scored = whole.dose > 0
    true = x.std(0, ddof=1)[scored] / np.sqrt(len(x)) / whole.dose[scored]
    np.testing.assert_allclose(merged.uncertainty[scored], true, rtol=1e-9)


def test_order_does_not_matter() -> None:
    parts = [(str(i), dose_of(p, squares=True)) for i, p in enumerate(np.split(histories(), np.cumsum(PARTS)[:-1]))]
    one, other = merge_doses(parts), merge_doses(parts[::-1])
    np.testing.assert_allclose(one.uncertainty, other.uncertainty, rtol=1e-12)


def test_what_is_refused() -> None:
    x = histories()
    a, b = dose_of(x[:500], squares=True), dose_of(x[500:], squares=True)
    with pytest.raises(InputError, match=r"there twice.*Given: again.*equals first"):
        merge_doses([("first", a), ("again", a)])
    with pytest.raises(InputError, match=r"without number of histories.*Where: b"):
        merge_doses([("a", a), ("b", DoseFile(EDGES, b.dose, b.uncertainty))])
    with pytest.raises(InputError, match="without uncertainty"):
        merge_doses([("a", a), ("b", DoseFile(EDGES, b.dose, None, 5.0))])
    with pytest.raises(InputError, match="different units"):
        merge_doses([("a", a), ("b", absolute(b, 1e6))])
    moved = DoseFile((EDGES[0], EDGES[1], EDGES[2] + 0.5), b.dose, b.uncertainty, b.histories)
    with pytest.raises(InputError, match=r"edge 0 along z lies at 5.5 mm instead of 5 mm"):
        merge_doses([("a", a), ("b", moved)])
    assert merge_doses([("a", a), ("b", moved)], tolerance_mm=0.6).histories == len(x)
    with pytest.raises(InputError, match="nothing to merge"):
        merge_doses([])


def test_empty_parts_are_not_the_same_dose() -> None:
    nothing = DoseFile(EDGES, np.zeros(SHAPE), np.ones(SHAPE), 10.0)
    assert merge_doses([("a", nothing), ("b", nothing)]).histories == 20


def test_units() -> None:
    """10.5 of the formats: a plain sum needs its primaries, a dose per history its particles."""
    dose = dose_of(histories(), squares=False)
    n = dose.histories or 0
    gray = absolute(dose, 1e9)
    assert gray.unit == ABSOLUTE
    np.testing.assert_allclose(gray.dose, dose.dose * 1e9)
    np.testing.assert_allclose(mean_squares(gray), mean_squares(dose) * 1e18)
    back = per_history(DoseFile(EDGES, dose.dose * n, dose.uncertainty, unit=ABSOLUTE), n)
    np.testing.assert_allclose(back.dose, dose.dose)
    assert back.histories == n
    with pytest.raises(InputError, match="in Gy already"):
        absolute(gray, 2.0)
    with pytest.raises(InputError, match="per history already"):
        per_history(dose, 5.0)
    with pytest.raises(InputError, match="another number"):
        per_history(gray, 5.0)
    with pytest.raises(InputError, match="must be positive"):
        absolute(dose, 0.0)
