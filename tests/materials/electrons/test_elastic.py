"""Deflections split into condensed and single ones: nothing is lost, whatever the split."""

import numpy as np
import pytest

from dosewright.core.matter import Material
from dosewright.core.units import BETHE_K_MEV_CM2_PER_MOL, ELECTRON_MASS_MEV
from dosewright.materials.electrons.elastic import elastic, transport_coefficients
from dosewright.materials.electrons.lookup import ANGLE_NODES, COARSE, COARSE_NODES, LARGEST_Q, node_energies_MeV
from dosewright.materials.library import named
from dosewright.materials.stopping import electrons_per_gram_mol

ENERGIES = node_energies_MeV()
TUNGSTEN = Material("tungsten", 19.3, {74: 1.0})
WATER = named("G4_WATER")


def sampled(parts, row, xi):
    """What the step does with a cumulative probability, at a node or between coarse ones."""
    a, cut = parts.screening[row], parts.hard_cut[row]
    low, high = 1 / (cut + a), 1 / (LARGEST_Q + a)
    simple = 1 / (low + xi * (high - low)) - a
    at = np.clip(simple / LARGEST_Q, 0, 1) ** 0.25 * (ANGLE_NODES - 1)
    below, share = divmod(row, COARSE)
    ratio = (1 - share / COARSE) * parts.angle[below] + share / COARSE * parts.angle[below + 1]
    return np.clip(simple * np.interp(at, np.arange(ANGLE_NODES), ratio), 0, LARGEST_Q)


@pytest.mark.parametrize("positron", [False, True])
@pytest.mark.parametrize("material", [TUNGSTEN, WATER, Material("copper", 8.96, {29: 1.0})])
@pytest.mark.parametrize("cut", [0.01, 0.189])
def test_single_and_condensed_deflections_add_up(material, positron, cut):
    _, first, second = transport_coefficients(material, ENERGIES, positron, cut_MeV=cut)
    parts = elastic(material, ENERGIES, 0.1 / first, positron, cut_MeV=cut)
    assert parts.angle.shape == (COARSE_NODES, ANGLE_NODES)
    xi = (np.arange(100_000) + 0.5) / 100_000
    for row in range(0, ENERGIES.size - 1, COARSE + COARSE // 2):
        if not 0.004 < ENERGIES[row] < 50:
            continue
        q = sampled(parts, row, xi)
        assert parts.soft[row] / 2 + parts.hard[row] * q.mean() / 2 == pytest.approx(first[row], rel=0.003)
        if ENERGIES[row] > 0.01:  # condensed angles are small: 3/2 sin^2 is three times 1 - cos
            both = 1.5 * parts.soft[row] + parts.hard[row] * (1.5 * q * (1 - q / 4)).mean()
            assert both == pytest.approx(second[row], rel=0.003)


def test_single_deflections_are_as_far_apart_as_wanted_or_are_all_there_are():
    total, first, _ = transport_coefficients(TUNGSTEN, ENERGIES)
    parts = elastic(TUNGSTEN, ENERGIES, 0.1 / first, cut_MeV=0.0)
    assert parts.hard == pytest.approx(np.minimum(total, 10 * first), rel=1e-9)
    assert np.all((parts.hard_cut == 0) == (total <= 10 * first))
    assert parts.soft[parts.hard_cut == 0] == pytest.approx(0, abs=1e-9)


def test_without_single_deflections_all_are_condensed():
    _, first, _ = transport_coefficients(WATER, ENERGIES, cut_MeV=0.1)
    parts = elastic(WATER, ENERGIES, np.full(ENERGIES.shape, np.inf), cut_MeV=0.1)
    assert np.all(parts.hard == 0)
    assert parts.soft == pytest.approx(2 * first, rel=1e-6)


def test_the_split_itself_moves_nothing_between_angles():
    """A wanted path ten times as long leaves the same number of deflections beyond 60 degrees (q = 1)."""
    _, first, _ = transport_coefficients(WATER, ENERGIES)
    row = int(np.argmin(np.abs(ENERGIES - 1.0))) // COARSE * COARSE
    xi = (np.arange(400_000) + 0.5) / 400_000
    often, seldom = (elastic(WATER, ENERGIES, way / first, cut_MeV=0.0) for way in (0.1, 1.0))
    beyond = [p.hard[row] * np.mean(sampled(p, row, xi) > 1) for p in (often, seldom)]
    assert beyond[0] == pytest.approx(beyond[1], rel=0.01)


def test_collisions_below_the_cut_deflect_by_their_kinematics():
    """Between two cuts far above all binding, the integral of 1 - cos over Moller's cross section, over W instead."""
    t = 2.0 / ELECTRON_MASS_MEV
    energies = np.array([2.0])
    low, high = (transport_coefficients(WATER, energies, cut_MeV=cut)[1][0] for cut in (0.1, 0.8))
    w = np.geomspace(0.1, 0.8, 4001) / ELECTRON_MASS_MEV
    gamma2 = (t + 1) ** 2
    shape = 1 / w**2 + 1 / (t - w) ** 2 + 1 / gamma2 - (2 * t + 1) / (gamma2 * w * (t - w))
    scale = 0.5 * BETHE_K_MEV_CM2_PER_MOL / ELECTRON_MASS_MEV / (1 - 1 / gamma2) * electrons_per_gram_mol(WATER)
    cosine = np.sqrt((t - w) * (t + 2) / (t * (t - w + 2)))
    assert high - low == pytest.approx(scale * np.trapezoid(shape * (1 - cosine), w), rel=0.01)


def test_electrons_of_the_atoms_add_about_one_part_in_z():
    energies = np.array([0.1, 1.0, 10.0])
    for material, z in ((WATER, 7.2), (TUNGSTEN, 74)):
        alone = transport_coefficients(material, energies)[1]
        both = transport_coefficients(material, energies, cut_MeV=np.inf)[1]
        assert np.all((both / alone - 1) * z == pytest.approx(1.0, abs=0.35))
        assert transport_coefficients(material, energies, cut_MeV=0.0)[1] == pytest.approx(alone)
