"""Polygons in convex pieces: area, convexity, and what is no polygon."""

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray
from tests.geometry.scene.inside import in_outline
from tests.geometry.scene.shapes_drawn import outlines

from dosewright.core.errors import InputError
from dosewright.geometry.scene.polygons import convex_pieces, tidy

# A leaf with tongue and groove on both sides, clockwise, with points on its sides: 27 points.
RIGHT = [(-2.5, 40), (0, 40), (2.5, 40), (2.5, 20), (2.9, 20), (2.9, 15), (2.9, 10), (2.5, 10), (2.5, 0), (2.2, 0)]
LOWER = [(2.2, -12), (2.5, -12), (2.5, -30), (1.5, -30), (1.5, -40), (-1.5, -40), (-1.5, -30), (-2.5, -30)]
LEFT = [(-2.5, -12.5), (-2.8, -12.5), (-2.8, -0.5), (-2.5, -0.5), (-2.5, 9.5), (-2.1, 9.5), (-2.1, 20.5)]
LEAF = np.array([*RIGHT, *LOWER, *LEFT, (-2.5, 20.5), (-2.5, 30)], float)


def area(points: NDArray[np.float64]) -> float:
    following = np.roll(points, -1, axis=0)
    return float(np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0])) / 2


def check(outline: NDArray[np.float64]) -> int:
    pieces = convex_pieces(outline)
    assert sum(area(piece) for piece in pieces) == pytest.approx(abs(area(outline)), rel=1e-9)
    low, high = outline.min(axis=0), outline.max(axis=0)
    x, y = (low + np.random.default_rng(2).uniform(0, 1, (500, 2)) * (high - low)).T
    held = np.zeros(500, int)
    for piece in pieces:
        sides = np.roll(piece, -1, axis=0) - piece
        turns = sides[:, 0] * np.roll(sides, -1, axis=0)[:, 1] - sides[:, 1] * np.roll(sides, -1, axis=0)[:, 0]
        assert np.all(turns > 0)
        held += in_outline(piece, x, y)
    assert np.array_equal(held, in_outline(outline, x, y).astype(int))
    return len(pieces)


@settings(max_examples=100, deadline=None)
@given(outlines())
def test_pieces_are_convex_and_make_up_the_outline(outline: NDArray[np.float64]) -> None:
    check(outline)


def test_a_leaf_with_tongue_and_groove_is_cut_into_few_pieces() -> None:
    assert len(LEAF) == 27
    assert check(LEAF) <= 10
    assert check(LEAF[::-1]) <= 10


def test_a_comb_and_a_spiral_are_cut() -> None:
    comb = [(0.0, 0.0), (11.0, 0.0)]
    for k in range(5, -1, -1):
        comb += [(2 * k + 1.0, 5.0), (float(2 * k), 5.0)]
        if k:
            comb += [(float(2 * k), 1.0), (2 * k - 1.0, 1.0)]
    check(np.array(comb[:2] + comb[2:]))
    spiral = np.array(
        [(0, 0), (10, 0), (10, 10), (2, 10), (2, 4), (6, 4), (6, 6), (4, 6), (4, 8), (8, 8), (8, 2), (0, 2)]
    )
    check(spiral.astype(float))


def test_points_given_twice_and_on_sides_are_left_out() -> None:
    square = np.array([(0, 0), (0, 0), (5, 0), (10, 0), (10, 10), (10, 10), (0, 10), (0, 5), (0, 0)], float)
    assert len(tidy(square)) == 4
    assert len(convex_pieces(square)) == 1


@pytest.mark.parametrize(
    "outline",
    [np.zeros((0, 2)), np.zeros((5, 2)), np.array([[0.0, 0.0], [1.0, 0.0]]), np.zeros((3, 3))],
)
def test_what_encloses_nothing_is_refused(outline: NDArray[np.float64]) -> None:
    with pytest.raises(InputError):
        convex_pieces(outline)
