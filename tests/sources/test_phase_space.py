"""Records of a phase space: whole histories, what is kept of them, and what the kernels emit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.sources.phase_spaces import InMemory, particles

from dosewright.core.errors import InputError
from dosewright.core.random import start_stream
from dosewright.sources import emit, phase_space, records
from dosewright.sources.emit import Source, species_and_weight
from dosewright.sources.phase_space import Bits, HistoryReader, Packing, Portion, Selection, uses_of

KERNEL = {1: 5, 2: 6, 3: 7}
NOTHING = np.zeros(0)
ALL = Packing(KERNEL)


def portions(reader: InMemory, least: int, first: int = 0, packing: Packing = ALL) -> list[Portion]:
    histories, found = HistoryReader(reader, packing, first), []
    while (portion := histories.take(least)) is not None:
        found.append(portion)
    return found


@given(
    marks=st.lists(st.integers(0, 3), min_size=1, max_size=60),
    least=st.integers(1, 70),
    at_once=st.integers(1, 9),
)
def test_every_record_comes_once_in_whole_histories(marks: list[int], least: int, at_once: int) -> None:
    """However the file is cut: nothing twice (nor the last record), nothing lost, no history in two portions."""
    n = len(marks)
    reader = InMemory(particles(n, x_cm=np.arange(n), histories=np.array(marks)), 100)
    before = phase_space.READ_AT_ONCE
    phase_space.READ_AT_ONCE = at_once
    try:
        found = portions(reader, least)
    finally:
        phase_space.READ_AT_ONCE = before
    np.testing.assert_array_equal(np.concatenate([p.rows[:, records.X] for p in found]), np.arange(n))
    assert [p.first for p in found] == [0, *(p.end for p in found[:-1])] and found[-1].end == n
    assert all(marks[p.first] > 0 for p in found[1:])
    assert all(p.end - p.first >= least for p in found[:-1])
    assert sum(p.begun for p in found) == np.count_nonzero(marks) + (marks[0] == 0)
    assert [p.at_end for p in found] == [False] * (len(found) - 1) + [True]
    assert sum(p.counts[phase_space.READ] for p in found) == n


def test_no_portion_ends_before_its_history_does() -> None:
    reader = InMemory(particles(7, histories=np.array([1, 0, 0, 0, 1, 0, 1])), 3)
    assert [(p.first, p.end, p.begun) for p in portions(reader, 2)] == [(0, 4, 1), (4, 6, 1), (6, 7, 1)]
    assert [(p.first, p.end, p.begun) for p in portions(reader, 2, first=1)] == [(1, 4, 1), (4, 6, 1), (6, 7, 1)]


def test_a_file_without_marks_is_not_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(phase_space, "MOST_OF_ONE_HISTORY", 50)
    monkeypatch.setattr(phase_space, "READ_AT_ONCE", 20)
    with pytest.raises(InputError, match="One original history has too many records"):
        portions(InMemory(particles(200, histories=0), 1), 10)


def test_rows_are_the_records() -> None:
    kinds = np.array([1, 2, 3, 2])
    seen = particles(4, species=kinds, energy_MeV=[1, 2, 3, 4], x_cm=[1, 2, 3, 4], y_cm=[5, 6, 7, 8],
                     z_cm=[9, 10, 11, 12], u=0.6, v=0.0, w=[0.8, -0.8, 0.8, 0.8], weight=[1, 0.5, 2, 3])  # fmt: skip
    (portion,) = portions(InMemory(seen, 4), 10, packing=Packing(KERNEL))
    rows = portion.rows
    assert rows.dtype == np.float32 and rows.flags.c_contiguous
    np.testing.assert_array_equal(rows[:, records.SPECIES], [5, 6, 7, 6])
    np.testing.assert_allclose(rows[:, records.WEIGHT], [1, 0.5, 2, 3])
    for column, name in ((records.X, "x_cm"), (records.Y, "y_cm"), (records.Z, "z_cm"), (records.U, "u"),
                         (records.V, "v"), (records.W, "w"), (records.ENERGY, "energy_MeV")):  # fmt: skip
        np.testing.assert_array_equal(rows[:, column], getattr(seen, name))
    assert portion.counts[[phase_space.PHOTONS, phase_space.ELECTRONS, phase_space.POSITRONS]].tolist() == [1, 2, 1]


def test_what_is_not_followed_is_counted() -> None:
    seen = particles(
        7, species=np.array([1, 4, 4, 1, 2, 1, 1]), energy_MeV=[1, 2, 3, 0, 5, 6, 1], weight=[1, 1, 0.5, 1, 1, 1, 0]
    )
    selection = Selection(energy_MeV=(0.0, 5.5))
    (portion,) = portions(InMemory(seen, 6), 10, packing=Packing(KERNEL, selection))
    counts = portion.counts
    assert counts[phase_space.NEUTRONS] == 2 and counts[phase_space.NEUTRON_MEV] == pytest.approx(3.5)
    assert counts[phase_space.FILTERED] == 1 and counts[phase_space.WITHOUT_ENERGY] == 2
    np.testing.assert_array_equal(portion.rows[:, records.ENERGY], [1, 5])


def test_protons_are_refused_unless_left_out() -> None:
    seen = InMemory(particles(3, species=np.array([1, 5, 5])), 3)
    with pytest.raises(InputError, match="2 protons"):
        portions(seen, 5)
    (portion,) = portions(seen, 5, packing=Packing(KERNEL, Selection(species=(1, 2, 3))))
    assert len(portion.rows) == 1 and portion.counts[phase_space.FILTERED] == 2


def test_bits_of_an_extra_number_choose() -> None:
    words = np.array([0b0001, 0b0011, 0b0111, 0b1000, -(1 << 63)], np.int64)
    seen = particles(5, extra={"latch": words})

    def kept(**bits: tuple[int, ...]) -> list[bool]:
        return Selection(bits=(Bits("latch", **bits),)).keeps(seen).tolist()

    assert kept(all=(0, 1)) == [False, True, True, False, False]
    assert kept(any=(2, 3)) == [False, False, True, True, False]
    assert kept(none=(0,)) == [False, False, False, True, True]
    assert kept(all=(0,), none=(1,)) == [True, False, False, False, False]
    assert kept(any=(63,)) == [False, False, False, False, True]


def test_a_number_of_32_bits_has_no_more() -> None:
    seen = particles(2, extra={"latch": np.array([-1, 1], np.int32)})
    assert Selection(bits=(Bits("latch", any=(31,)),)).keeps(seen).tolist() == [True, False]
    assert Selection(bits=(Bits("latch", any=(32,)),)).keeps(seen).tolist() == [False, False]


def test_only_what_is_followed_must_lie_within_the_tables() -> None:
    seen = InMemory(particles(2, species=np.array([1, 5]), energy_MeV=[1, 200]), 2)
    (portion,) = portions(seen, 5, packing=Packing(KERNEL, Selection(species=(1,)), highest_MeV=50.0))
    assert len(portion.rows) == 1


def test_species_and_energies_choose() -> None:
    seen = particles(4, species=np.array([1, 2, 1, 3]), energy_MeV=[1, 1, 3, 2])
    assert Selection(species=(1,)).keeps(seen).tolist() == [True, False, True, False]
    assert Selection(energy_MeV=(1.5, 2.5)).keeps(seen).tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("column", "value"),
    [("energy_MeV", np.nan), ("energy_MeV", 80.0), ("x_cm", np.inf), ("weight", -1.0), ("weight", np.nan), ("u", 0.5),
     ("w", 0.0), ("species", 9)],
)  # fmt: skip
def test_a_broken_record_is_refused_by_its_number(column: str, value: float) -> None:
    good = particles(30)
    broken = getattr(good, column).copy()
    broken[17] = value
    reader = InMemory(replace(good, **{column: broken}), 30)
    with pytest.raises(InputError, match="in record 18"):
        portions(reader, 10, packing=Packing(KERNEL, highest_MeV=50.0))


def test_uses_follow_each_other_and_are_mirrored_in_turn() -> None:
    def flips(uses: int, mirror: str) -> list[int]:
        codes = uses_of(2, uses, mirror)
        np.testing.assert_array_equal(codes >> records.ROW_SHIFT, np.repeat([0, 1], uses))
        assert codes[:uses].tolist() == (codes[uses:] - (1 << records.ROW_SHIFT)).tolist()
        return (codes[:uses] & 3).tolist()

    assert flips(3, "none") == [0, 0, 0]
    assert flips(5, "x") == [0, 1, 0, 1, 0]
    assert flips(4, "y") == [0, 2, 0, 2]
    assert flips(6, "xy") == [0, 1, 2, 3, 0, 1]


def test_the_kernel_emits_the_record_and_its_mirror_images() -> None:
    rows = np.zeros((2, records.COLUMNS), np.float32)
    rows[1] = [1, 2, 3, 0.48, 0.6, -0.64, 5.5, 0.25, 6]
    rows[0, records.W] = 1
    source = Source(emit.RECORDS, np.zeros((1, emit.PENCIL_COLUMNS)), np.zeros(3), np.array([0.001, 6.0]), NOTHING,
                    NOTHING, NOTHING, records=rows)  # fmt: skip
    stream = start_stream(np.uint64(1), np.uint64(7))
    for flips, (sx, sy) in enumerate([(1, 1), (-1, 1), (1, -1), (-1, -1)]):
        use = np.int64((1 << records.ROW_SHIFT) | flips)
        x, y, z, u, v, w, energy, _ = emit.emit(source, use, stream)
        assert (x, y, z, energy) == (sx * 1, sy * 2, 3, 5.5)
        assert (u, v, w) == pytest.approx((sx * 0.48, sy * 0.6, -0.64), abs=1e-7)
        assert u * u + v * v + w * w == pytest.approx(1.0, abs=1e-15)
        assert species_and_weight(source, use, 5) == (6, 0.25)
