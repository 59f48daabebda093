"""What writers are given, what they leave out, and what does not read back."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.formats.phase_space.made_particles import made

from dosewright.core.errors import InputError
from dosewright.core.particles import COLUMNS, Layout
from dosewright.formats.phase_space.egs import create_egs, open_egs
from dosewright.formats.phase_space.intake import Intake, check_written, chosen
from dosewright.formats.phase_space.totals import Sums


@given(
    st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=40),
    st.lists(st.integers(0, 40), max_size=5),
)
def test_no_history_is_lost_with_those_left_out(records: list[tuple[int, bool]], cuts: list[int]) -> None:
    particles = replace(made(len(records)), histories=np.array([count for count, _ in records], np.int64))
    kept = np.array([one for _, one in records], np.bool_)
    parts, begun = [], 0
    edges = sorted({0, len(records), *(min(cut, len(records)) for cut in cuts)})
    for first, last in pairwise(edges):
        part, begun = chosen(particles[first:last], kept[first:last], begun)
        parts.append(part)
    histories = np.concatenate([part.histories for part in parts]) if parts else np.zeros(0, np.int64)
    assert histories.sum() + begun == particles.histories.sum()
    whole, left = chosen(particles, kept)
    np.testing.assert_array_equal(whole.histories, histories)
    assert left == begun
    np.testing.assert_array_equal(whole.x_cm, particles.x_cm[kept])


def test_totals_do_not_depend_on_runs() -> None:
    particles = made(1000)
    at_once, in_runs = Sums(), Sums()
    at_once.add(particles)
    for start in range(0, 1000, 77):
        in_runs.add(particles[start : start + 77])
    assert at_once.differences(in_runs) == []
    assert at_once.particles == 1000
    assert at_once.begun == (particles.histories > 0).sum()
    assert at_once.energy_max_MeV == particles.energy_MeV.max()
    assert Sums().energy_max_MeV == 0


@pytest.mark.parametrize("name", [name for name in COLUMNS if name != "species"])
def test_every_column_counts(name: str) -> None:
    given, found = Sums(), Sums()
    particles = made(100)
    column = getattr(particles, name).copy()
    column[50] += 1 if name != "w" else -3 * column[50]
    given.add(particles)
    found.add(replace(particles, **{name: column}))
    assert found.differences(given)
    found = Sums()
    found.add(particles[:99])
    assert found.differences(given)


def test_what_does_not_read_back_is_refused(tmp_path: Path) -> None:
    particles = replace(made(50), species=np.ones(50, np.int8))
    with create_egs(tmp_path / "a.egsphsp1", Layout()) as writer:
        writer.write(particles)
        writer.finish(50)
    intake = Intake(tmp_path / "a", Layout())
    intake.take(particles)
    reader = open_egs(tmp_path / "a.egsphsp1", z_cm=100)
    assert check_written(reader, intake).particles == 50
    intake.take(particles[:1])
    with pytest.raises(InputError, match="51"):
        check_written(reader, intake)


def test_histories_that_cannot_be_true_are_told(tmp_path: Path) -> None:
    intake = Intake(tmp_path / "a", Layout())
    intake.take(replace(made(3), histories=np.array([5, 0, 1])))
    assert intake.problems(6) == ()
    assert "begin 6 histories" in intake.problems(5)[0]
