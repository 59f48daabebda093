"""How a phase space is divided into batches: what it counts for, how often it is used, where it goes on."""

from typing import Any

import numpy as np
import pytest
from tests.sources.phase_spaces import InMemory, particles

from dosewright.core.errors import InputError
from dosewright.simulation import recorded as module
from dosewright.simulation.goal import Goal
from dosewright.simulation.recorded import Recorded, RecordedBatches
from dosewright.simulation.work import Work
from dosewright.sources import phase_space, records


class Packed:
    """What stands for a packed problem: something whose source takes records."""

    rows: Any = None

    @property
    def source(self) -> "Packed":
        return self

    def _replace(self, **changed: Any) -> "Packed":
        new = Packed()
        new.rows = changed.get("records", getattr(changed.get("source"), "rows", None))
        return new


def reader(n: int, original: float, per_history: int = 1) -> InMemory:
    return InMemory(particles(n, x_cm=np.arange(n), histories=(np.arange(n) % per_history == 0).astype(int)), original)


def batches(of: Recorded, goal: Goal, voxels: int = 1) -> RecordedBatches:
    return RecordedBatches(of, Packed(), goal, voxels)  # type: ignore[arg-type]


def all_work(division: RecordedBatches) -> list[Work]:
    found = []
    while (work := division.work(len(found))) is not None:
        found.append(work)
    return found


def places(work: list[Work]) -> np.ndarray:
    return np.concatenate([one.packed.rows[:, records.X] for one in work])  # type: ignore[union-attr]


def test_a_whole_file_is_its_original_histories() -> None:
    """Of 1000 particles by 12 345 histories each batch has its share, and together they are all."""
    work = all_work(batches(Recorded(reader(1000, 12345, 3), 12345.0), Goal(max_seconds=1)))
    assert sum(one.histories for one in work) == 12345
    assert sum(one.sent for one in work) == 334
    assert len(work) == 20 and [one.last for one in work] == [False] * 19 + [True] and work[-1].used_up
    np.testing.assert_array_equal(places(work), np.arange(1000))


def test_a_part_counts_as_particles_used_times_histories_per_particle() -> None:
    work = all_work(batches(Recorded(reader(1000, 5000), 5000.0), Goal(histories=1500)))
    assert sum(one.histories for one in work) == 1500
    np.testing.assert_array_equal(places(work), np.arange(300))
    assert work[-1].last and not work[-1].used_up


def test_reuse_is_automatic() -> None:
    of = Recorded(reader(1000, 5000), 5000.0)
    assert [of.uses(n) for n in (None, 1, 5000, 5001, 50_000)] == [1, 1, 1, 2, 10]
    division = batches(of, Goal(histories=50_000))
    work = all_work(division)
    assert division.uses == 10 and sum(one.histories for one in work) == 5000
    assert all(one.primaries == 10 * len(one.packed.rows) == len(one.pencils) for one in work)  # type: ignore
    assert all(one.weight == 0.1 for one in work)
    assert work[-1].last and not work[-1].used_up


def test_streams_of_random_numbers_do_not_overlap() -> None:
    work = all_work(batches(Recorded(reader(100, 100), 100.0, reuse=3, passes=2), Goal(max_seconds=1)))
    begins, ends = [one.first for one in work], [one.first + one.primaries for one in work]
    assert begins == [0, *ends[:-1]] and ends[-1] == 600


def test_reuse_on_request_needs_fewer_particles() -> None:
    work = all_work(batches(Recorded(reader(1000, 5000), 5000.0, reuse=5), Goal(histories=5000)))
    np.testing.assert_array_equal(places(work), np.arange(200))
    assert sum(one.histories for one in work) == 1000


def test_too_small_a_file_is_refused() -> None:
    with pytest.raises(InputError, match=r"too small for the histories asked for.*source\.reuse"):
        batches(Recorded(reader(10, 10), 10.0), Goal(histories=10 * module.MOST_USES + 1))


def test_what_is_skipped_does_not_count() -> None:
    """Records 0 to 3 are left out; what is left of the history they cut counts as one."""
    work = all_work(batches(Recorded(reader(30, 60, 3), 60.0, skip=4), Goal(max_seconds=1)))
    np.testing.assert_array_equal(places(work), np.arange(4, 30))
    assert sum(one.histories for one in work) == 52 and sum(one.sent for one in work) == 9


def test_recycling_reads_again_and_never_the_last_record_twice() -> None:
    of = Recorded(reader(50, 100), 100.0, passes=3)
    work = all_work(batches(of, Goal(max_seconds=1)))
    np.testing.assert_array_equal(places(work), np.tile(np.arange(50), 3))
    assert sum(one.histories for one in work) == 300 and work[-1].used_up
    asked = all_work(batches(of, Goal(histories=250, uncertainty_percent=1)))
    assert not any(one.last for one in asked[:-1])
    np.testing.assert_array_equal(places(asked), np.tile(np.arange(50), 3))


def test_the_histories_asked_for_end_a_recycled_run() -> None:
    of = Recorded(reader(50, 100), 100.0, reuse=1, passes=5)
    work = all_work(batches(of, Goal(histories=150)))
    np.testing.assert_array_equal(places(work), np.tile(np.arange(50), 2)[:75])
    assert sum(one.histories for one in work) == 150 and not work[-1].used_up


@pytest.mark.parametrize("at_once", [3, 1000])
def test_a_batch_is_the_same_whenever_it_is_asked_for(monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(phase_space, "READ_AT_ONCE", at_once)
    of = Recorded(reader(100, 200, 3), 200.0, passes=2)
    whole = all_work(batches(of, Goal(max_seconds=1)))
    for number in (0, 7, len(whole) - 1):
        resumed = batches(of, Goal(max_seconds=1))
        assert resumed.work(number).first == whole[number].first  # type: ignore[union-attr]
        again = resumed.work(number)
        assert again is not None
        np.testing.assert_array_equal(places([again]), places([whole[number]]))
        assert (again.histories, again.sent, again.last) == (whole[number].histories, whole[number].sent,
                                                             whole[number].last)  # fmt: skip
    back = batches(of, Goal(max_seconds=1))
    back.work(5)
    assert back.work(2).first == whole[2].first  # type: ignore[union-attr]
    assert back.work(len(whole)) is None


def test_batches_shrink_with_the_uses() -> None:
    of = Recorded(reader(100_000, 100_000), 100_000.0, reuse=100)
    assert batches(of, Goal(uncertainty_percent=1)).size == 100
    assert batches(of, Goal(uncertainty_percent=1), voxels=8_000_000).size == 400
    assert batches(of, Goal(uncertainty_percent=1, batch_histories=5000)).size == 50
