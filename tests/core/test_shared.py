"""Named tuples by address: the same fields, the same numbers."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dosewright.core.jit import kernel
from dosewright.core.shared import shared, whole


class Inner(NamedTuple):
    values: NDArray[np.float64]
    number: int


class Outer(NamedTuple):
    inner: Inner
    factor: float
    tally: NDArray[np.float64]


@kernel
def scaled_sum(outer):
    total = 0.0
    for value in outer.inner.values:
        total += value * outer.factor
    outer.tally[0] += total
    return total


@kernel
def number_of(inner):
    return inner.number


@kernel
def by_address(outer):
    outer = shared(outer)
    return scaled_sum(outer) + number_of(outer.inner) + number_of(whole(outer.inner)) + len(shared(outer).tally)


def test_fields_are_those_of_the_tuple_and_arrays_its_own():
    outer = Outer(Inner(np.arange(5.0), 7), 2.0, np.zeros(4))
    assert by_address(outer) == 20.0 + 7 + 7 + 4
    assert outer.tally[0] == 20.0


def test_without_a_compiler_both_return_what_they_are_given():
    outer = Outer(Inner(np.arange(5.0), 7), 2.0, np.zeros(4))
    assert shared(outer) is outer
    assert whole(outer) is outer


@kernel
def whole_of_a_value(outer):
    return number_of(whole(outer.inner)) + shared(3)


def test_what_is_no_address_stays_what_it_is():
    assert whole_of_a_value(Outer(Inner(np.arange(5.0), 7), 2.0, np.zeros(4))) == 10
