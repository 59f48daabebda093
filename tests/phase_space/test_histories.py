"""Histories keep their number whatever records are left out."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.phase_space.made import InMemory, joined, made

from dosewright.phase_space.histories import Kept, Numbering, begun


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 1000), st.floats(0, 1), st.integers(1, 50))
def test_histories_of_records_left_out_begin_with_the_next(seed: int, share: float, size: int) -> None:
    source, random, kept = made(30, seed), np.random.default_rng(seed), Kept()
    masks, batches = [], []
    for batch in source.batches(size=size):
        masks.append(random.random(len(batch)) < share)
        batches.append(kept.of(batch, masks[-1]))
    got, mask = joined(batches), np.concatenate(masks)
    total = np.cumsum(source.particles.histories)[mask]
    np.testing.assert_array_equal(np.cumsum(got.histories), total)
    assert got.histories.sum() + kept.owed == source.particles.histories.sum()


@settings(deadline=None)
@given(st.integers(1, 40))
def test_numbers_go_on_from_batch_to_batch(size: int) -> None:
    source, numbering = made(20), Numbering()
    numbers = np.concatenate([numbering.of(batch) for batch in source.batches(size=size)])
    np.testing.assert_array_equal(numbers, np.cumsum(source.particles.histories > 0) - 1)
    assert numbering.seen == 20


def test_the_first_record_begins_a_history() -> None:
    source = InMemory(made(5).particles[2:])
    source.particles.histories[0] = 0
    first = next(begun(source.batches()))
    assert first.histories[0] == 1
    assert source.particles.histories[0] == 0
    assert list(begun([source.particles[:0]])) == []
