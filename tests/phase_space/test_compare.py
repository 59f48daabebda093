"""Alike phase spaces are rarely told apart, and different ones surely."""

from dataclasses import replace

import numpy as np
import pytest
from tests.phase_space.made import InMemory, made

from dosewright.phase_space.compare import Side, Verdict, common_edges, compared, joined_bins, judged_together
from dosewright.phase_space.look import Look


def verdicts(a: InMemory, b: InMemory) -> list[Verdict]:
    edges = common_edges((Look.at(a), Look.at(b)))
    sides = Side(edges), Side(edges)
    for side, source in zip(sides, (a, b), strict=True):
        side.read(source.batches(size=5000), source.histories)
    return compared(*sides)


def differing(found: list[Verdict]) -> set[str]:
    return {verdict.quantity for verdict in found if verdict.word(0.01) == "differ"}


@pytest.mark.slow
def test_p_values_of_alike_ones_are_not_too_small() -> None:
    """Thirty pairs; a test that took particles as independent would find most of them different."""
    small, tests, told_apart = {0.05: 0, 0.01: 0}, 0, 0
    for seed in range(30):
        found = verdicts(made(2000, 2 * seed), made(1500, 2 * seed + 1))
        told_apart += bool(differing(found))
        for verdict in found:
            if verdict.p is not None:
                tests += 1
                for level in small:
                    small[level] += verdict.p < level
    # Tests of one pair are correlated, about six independent ones: three deviations of 180.
    assert small[0.05] / tests < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 180)
    assert small[0.01] / tests < 0.01 + 3 * np.sqrt(0.01 * 0.99 / 180)
    assert small[0.05] / tests > 0.005
    assert told_apart <= 1


def test_the_same_file_is_alike() -> None:
    found = verdicts(made(2000), made(2000))
    assert {verdict.word(0.01) for verdict in found} == {"alike"}
    assert all(verdict.p == pytest.approx(1.0) for verdict in found)


def test_a_shift_is_found_in_x_only() -> None:
    assert differing(verdicts(made(20_000, 1), made(20_000, 2, shift_cm=0.5))) == {"X"}


def test_more_particles_per_history_are_found_in_numbers_only() -> None:
    a, b = made(20_000, 1), made(20_000, 2)
    found = differing(verdicts(a, replace(b, histories=1.1 * (b.histories or 0))))
    assert found == {"number", "weight", "energy_MeV"}


def test_energies_three_percent_higher_are_found() -> None:
    a, b = made(100_000, 1), made(100_000, 2)
    higher = replace(b.particles, energy_MeV=b.particles.energy_MeV * np.float32(1.03))
    assert "Energy" in differing(verdicts(a, replace(b, particles=higher)))


def test_other_constant_weights_are_found() -> None:
    a, b = made(2000, 1), made(2000, 2)
    one, half = (replace(s.particles, weight=np.full_like(s.particles.weight, w)) for s, w in ((a, 1.0), (b, 0.5)))
    found = verdicts(replace(a, particles=one), replace(b, particles=half))
    assert differing(found) == {"weight", "energy_MeV", "Weight"}


def test_few_particles_say_so() -> None:
    found = verdicts(made(3, 1), made(5, 2))
    assert all(verdict.word(0.01) != "differ" for verdict in found)
    assert {verdict.word(0.01) for verdict in found if verdict.quantity == "X"} == {"too few"}


def test_an_empty_one_is_compared_too() -> None:
    empty = InMemory(made(5).particles[:0], 1e4)
    found = verdicts(made(2000), empty)
    assert "number" in differing(found)


def test_bins_are_joined_until_they_hold_enough() -> None:
    groups = joined_bins(np.array([0.1, 0.2, 0.3, 0.05, 0.25, 0.1]), 0.25)
    assert groups.tolist() == [[1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]
    assert joined_bins(np.array([1.0, 0.0]), 0.5).tolist() == [[1, 1]]


def test_all_together_are_judged_by_holm() -> None:
    tests = [Verdict("ALL", str(i), 0, 0, None, 1.0, 1, p) for i, p in enumerate((0.01, 0.04, None, 0.03))]
    assert [test.p_together for test in judged_together(tests)] == pytest.approx([0.03, 0.06, None, 0.06])
