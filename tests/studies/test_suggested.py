"""Suggested cuts: each alone, one range for all regions, all together."""

import numpy as np
import pytest

from dosewright.studies.collected import Smallest
from dosewright.studies.suggested import common_ranges, cuts_of, rounded_down, together
from dosewright.studies.target import Target

MANY = 2000
PHOTONS, ELECTRONS = 0, 1


def target() -> Target:
    return Target(np.arange(MANY), np.full(MANY, 5), np.ones(MANY))


def smallest(*columns: tuple[int, int, np.ndarray, np.ndarray]) -> Smallest:
    """Return the energies of some target particles in a region, of a kind; ranges (cm) are energies (MeV)."""
    of, region, kind, energy = [], [], [], []
    for where, what, who, values in columns:
        of.append(who)
        region.append(np.full(len(who), where))
        kind.append(np.full(len(who), what))
        energy.append(values)
    energies = np.concatenate(energy)
    return Smallest(np.concatenate(of), np.concatenate(region), np.concatenate(kind), energies, energies.copy())


@pytest.fixture
def two() -> Smallest:
    """Photons in region 1, of all particles, and electrons in region 2, of another half than those that are soft."""
    rng = np.random.default_rng(3)
    everybody = np.arange(MANY)
    return smallest(
        (1, PHOTONS, everybody, rng.permutation(np.linspace(0.01, 2.0, MANY))),
        (2, ELECTRONS, everybody[::2], rng.permutation(np.linspace(0.1, 5.0, MANY // 2))),
    )


def test_each_cut_alone_loses_just_less_than_is_allowed(two: Smallest) -> None:
    photons, electrons = cuts_of(target(), two, 0.02)
    assert (photons.region, photons.kind, electrons.region, electrons.kind) == (1, PHOTONS, 2, ELECTRONS)
    assert photons.lost.value == pytest.approx(0.02 - 1 / MANY)
    assert photons.energy_MeV == pytest.approx(0.01 + 0.02 * 1.99, rel=0.02)
    assert electrons.met.value == 0.5
    assert electrons.energy_MeV == pytest.approx(0.1 + 0.04 * 4.9, rel=0.02)
    assert (photons.smallest_MeV, electrons.smallest_MeV) == (0.01, 0.1)
    assert photons.lost.error == pytest.approx(np.sqrt(0.02 * 0.98 / MANY), rel=0.05)


def test_where_fewer_were_met_any_cut_will_do(two: Smallest) -> None:
    few = smallest((3, PHOTONS, np.arange(10), np.full(10, 0.5)))
    (only,) = cuts_of(target(), few, 0.02)
    assert only.energy_MeV == np.inf
    assert only.lost.value == only.met.value == 0.005


def test_all_together_lose_less_than_is_allowed_though_the_sum_of_each_would_be_more(two: Smallest) -> None:
    alone = cuts_of(target(), two, 0.02)
    lost = np.zeros(MANY, np.bool_)
    for cut in alone:
        here = two.at(cut.region, cut.kind)
        lost |= target().lost_below(here.of, here.energy_MeV, cut.energy_MeV)
    assert target().share(lost).value > 0.03
    found = together(target(), two, 0.02)
    assert 0.018 < found.lost.value < 0.02
    assert found.allowed == pytest.approx(0.01, rel=0.1)
    assert found.energies_MeV[1, PHOTONS] < alone[0].energy_MeV


def test_together_any_cut_that_ends_all_is_counted(two: Smallest) -> None:
    soft = smallest((3, PHOTONS, np.arange(MANY - 10, MANY), np.full(10, 0.5)))
    both = Smallest._make(np.concatenate(columns) for columns in zip(two, soft, strict=True))
    found = together(target(), both, 0.02)
    assert (3, PHOTONS) not in found.energies_MeV
    lost = np.zeros(MANY, np.bool_)
    lost[soft.of] = True
    for (region, kind), energy in found.energies_MeV.items():
        here = both.at(region, kind)
        lost |= target().lost_below(here.of, here.energy_MeV, energy)
    assert found.lost.value == pytest.approx(lost.mean())
    assert found.lost.value < 0.02


def test_one_range_for_all_counts_each_particle_once(two: Smallest) -> None:
    twice = smallest((1, PHOTONS, np.arange(MANY), np.linspace(1, 2, MANY)),
                     (2, PHOTONS, np.arange(MANY), np.linspace(1, 2, MANY)),
                     (2, ELECTRONS, np.arange(10), np.full(10, 0.1)))  # fmt: skip
    photons, electrons, everything = common_ranges(target(), twice, 0.02, 2)
    assert photons.range_cm == pytest.approx(1.02, abs=0.001)
    assert photons.lost.value == pytest.approx(0.02 - 1 / MANY)
    assert electrons.range_cm == np.inf
    assert electrons.lost.value == pytest.approx(0.005)
    assert (everything.kind, everything.lost.value) == (None, pytest.approx(0.02 - 1 / MANY))


@pytest.mark.parametrize(("energy", "rounded"), [(0.123456, 0.123), (5.999, 5.99), (0.001, 0.001), (12.39, 12.3)])
def test_energies_are_rounded_down(energy: float, rounded: float) -> None:
    assert rounded_down(energy) == rounded


@pytest.mark.parametrize("energy", np.geomspace(0.001, 50, 50).tolist())
def test_rounded_energies_are_never_more(energy: float) -> None:
    assert energy * 0.989 < rounded_down(energy) <= energy
