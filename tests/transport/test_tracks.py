"""The stack of those that wait, the numbers of children, and turns."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dosewright.core.random import HIGH_SHIFT, Stream, draw_four
from dosewright.geometry.trace import PATIENT, Place, Ray
from dosewright.transport.tracks import (
    ALPHA,
    PHOTON,
    PROTON,
    STACK_ROWS,
    empty_stack,
    name_children,
    pop,
    push,
    push_copies,
    take,
    turned,
)

RAY, PLACE = Ray(0.1, 0.2, 0.3, 0.0, 0.6, -0.8), Place(PATIENT, 4, 5, 6)
SEED = np.uint64(7)


def test_what_is_pushed_is_popped_last_first() -> None:
    stack = empty_stack()
    waiting = push(stack, 0, RAY, PLACE, 12.5, PROTON)
    waiting = push(stack, waiting, RAY, Place(PATIENT, 1, 2, 3), 8.0, ALPHA)
    assert waiting == 2
    name_children(stack, 0, waiting, Stream(SEED, np.uint64(41), np.uint64(9)), 0.25)
    last, stream = pop(stack, waiting, SEED)
    assert (last.ray, last.place, last.energy, last.species) == (RAY, Place(PATIENT, 1, 2, 3), 8.0, ALPHA)
    assert (last.deflection_due, last.weight) == (0.0, 0.25)
    assert (stream.seed, stream.history) == (SEED, 41)
    first, _ = pop(stack, waiting - 1, SEED)
    assert (first.ray, first.place, first.energy, first.species) == (RAY, PLACE, 12.5, PROTON)


def test_a_child_draws_its_free_path_first() -> None:
    stack = empty_stack()
    push(stack, 0, RAY, PLACE, 12.5, PROTON)
    name_children(stack, 0, 1, Stream(SEED, np.uint64(41), np.uint64(9)), 1.0)
    track, after = pop(stack, 1, SEED)
    number = (after.draw >> HIGH_SHIFT) << HIGH_SHIFT
    assert number > 0
    u, _, _, _, wanted = draw_four(Stream(SEED, np.uint64(41), number))
    assert after == wanted
    assert track.free_paths == pytest.approx(-np.log(u))


def test_a_full_stack_takes_no_more() -> None:
    stack = empty_stack()
    before = stack.copy()
    assert push(stack, STACK_ROWS, RAY, PLACE, 12.5, PROTON) == STACK_ROWS
    np.testing.assert_array_equal(stack, before)
    assert push(stack, STACK_ROWS - 1, RAY, PLACE, 12.5, PROTON) == STACK_ROWS


def _numbers(parent: int, draw: int, children: int) -> list[int]:
    stack = empty_stack()
    for n in range(children):
        push(stack, n, RAY, PLACE, 1.0, PROTON)
    stream = Stream(SEED, np.uint64(3), (np.uint64(parent) << HIGH_SHIFT) + np.uint64(draw))
    name_children(stack, 0, children, stream, 1.0)
    return [int(pop(stack, n + 1, SEED)[1].draw >> HIGH_SHIFT) for n in range(children)]


def test_children_of_a_history_have_numbers_of_their_own() -> None:
    """300 collisions of a primary with five children each, and collisions of those: 1800 numbers of 31 bits."""
    children = [n for draw in range(3, 1503, 5) for n in _numbers(0, draw, 5)]
    grandchildren = [n for parent in children[:100] for n in _numbers(parent, 3, 3)]
    numbers = [0, *children, *grandchildren]
    assert len(set(numbers)) == len(numbers)
    assert max(numbers) < 2**31
    spread = np.histogram(children, bins=10, range=(0, 2**31))[0]
    assert spread.min() > 100, "150 expected"


def test_numbers_do_not_depend_on_where_on_the_stack_children_lie() -> None:
    stack = empty_stack()
    for n in range(5):
        push(stack, n, RAY, PLACE, 1.0, PROTON)
    name_children(stack, 3, 5, Stream(SEED, np.uint64(3), np.uint64(17)), 1.0)
    assert [int(pop(stack, n, SEED)[1].draw >> HIGH_SHIFT) for n in (4, 5)] == _numbers(0, 17, 2)


@settings(deadline=None)
@given(
    direction=st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda d: np.linalg.norm(d) > 1e-3),
    cosine=st.floats(-1, 1),
    phi=st.floats(0, 6.28),
)
def test_a_turned_ray_lies_at_the_angle(direction: tuple[float, float, float], cosine: float, phi: float) -> None:
    unit = np.array(direction) / np.linalg.norm(direction)
    after = turned(Ray(1.0, 2.0, 3.0, *unit), cosine, phi)
    assert tuple(after[:3]) == (1.0, 2.0, 3.0)
    assert np.linalg.norm(after[3:]) == pytest.approx(1.0, abs=1e-12)
    assert np.dot(after[3:], unit) == pytest.approx(cosine, abs=2e-6)  # within 1e-6 of the axis it counts as the axis


def test_copies_take_their_first_flights_from_equal_shares_of_all() -> None:
    """One of ten in each tenth of the distribution, wherever in it: the mean over histories is that of all flights."""
    paths = np.empty((400, 10))
    for history in range(len(paths)):
        stack = empty_stack()
        stream = Stream(SEED, np.uint64(history), np.uint64(9))
        waiting = push_copies(stack, 0, RAY, PLACE, 2.0, PHOTON, 10.0, 0.1, 0.0, stream)
        for copy in range(10):
            track, _, waiting = take(stack, waiting, SEED)
            paths[history, copy] = track.free_paths
        assert waiting == 0
    shares = np.exp(-paths)
    np.testing.assert_array_equal(np.sort(np.floor(10 * shares), axis=1), np.tile(np.arange(10.0), (400, 1)))
    within = np.sort(10 * shares, axis=1) - np.arange(10)
    assert within.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * within.size))
    assert paths.mean() == pytest.approx(1.0, abs=4 * paths.mean(axis=1).std() / np.sqrt(400))


def test_one_alone_takes_any_flight() -> None:
    stack, flights = empty_stack(), []
    for history in range(400):
        push_copies(stack, 0, RAY, PLACE, 2.0, PHOTON, 1.0, 1.0, 0.0, Stream(SEED, np.uint64(history), np.uint64(9)))
        flights.append(take(stack, 1, SEED)[0].free_paths)
    assert np.mean(flights) == pytest.approx(1.0, abs=4 / np.sqrt(400))
