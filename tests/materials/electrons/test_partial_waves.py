"""Dirac's partial waves: against the free particle, sum rules, Born's second order, and ELSEPA."""

import numpy as np
import pytest

from dosewright.core.units import ELECTRON_MASS_MEV, FINE_STRUCTURE
from dosewright.materials.electrons.partial_waves import (
    Field,
    cross_section,
    field,
    mott_cross_section,
    nuclear_radius,
    phases,
    yukawa_rates,
)

BOHR2 = FINE_STRUCTURE**2  # a0^-2 in units of mc/hbar
# ELSEPA (Salvat, Jablonski and Powell, Comput. Phys. Commun. 165, 157 (2005)), version 2020, free atoms with exchange:
# total, first and second transport cross section, a0^2, and cross section at angles in degrees, a0^2/sr.
ELSEPA = {
    (79, 0.1): ((7.47618e-1, 5.14776e-3, 1.14708e-2), {3: 12.5375, 6: 1.54107, 120: 1.14492e-4, 180: 7.04605e-5}),
    (79, 0.01): ((2.89548, 1.62402e-1, 2.53766e-1), {3: 68.9592, 6: 14.3160}),
    (29, 0.1): ((2.10750e-1, 7.72844e-4, 1.97653e-3), {1: 40.9674, 3: 3.96406, 6: 0.378481}),
    (8, 0.01): ((2.50969e-1, 3.97090e-3, 9.62774e-3), {1: 12.9411, 3: 6.68693, 6: 1.64900}),
    (8, 1.0): ((1.10717e-2, 1.61290e-6, 4.54487e-6), {1: 0.781421, 3: 1.31136e-2, 6: 8.78893e-4}),
}


def momentum(kinetic):
    return np.sqrt(kinetic * (kinetic + 2))


def rutherford(z, kinetic, cosines):
    beta = momentum(kinetic) / (kinetic + 1)
    return (z * FINE_STRUCTURE / (momentum(kinetic) * beta * (1 - cosines))) ** 2


def test_a_free_particle_has_no_phases():
    nothing = Field(0, np.ones(16) / 16, yukawa_rates(1))
    up, down = phases(nothing, 0.05 / ELECTRON_MASS_MEV, False)
    assert max(np.abs(up).max(), np.abs(down).max()) < 1e-5


@pytest.mark.parametrize(("z", "energy"), list(ELSEPA))
def test_cross_sections_agree_with_elsepa(z, energy):
    kinetic = energy / ELECTRON_MASS_MEV
    up, down = phases(field(z), kinetic, False)
    q = np.geomspace(1e-10, 4, 3000)
    per_log_q = np.pi * q * cross_section(up, down, momentum(kinetic), 1 - q / 2) * BOHR2
    total, first, second = (np.trapezoid(per_log_q * f, np.log(q)) for f in (1, q / 2, 1.5 * q * (1 - q / 4)))
    wanted, angles = ELSEPA[z, energy]
    assert first == pytest.approx(wanted[1], rel=0.002)
    assert second == pytest.approx(wanted[2], rel=0.002)
    assert total == pytest.approx(wanted[0], rel=0.01)
    here = cross_section(up, down, momentum(kinetic), np.cos(np.radians(list(angles)))) * BOHR2
    assert here == pytest.approx(list(angles.values()), rel=0.006)


@pytest.mark.parametrize("positron", [False, True])
def test_the_cross_section_integrates_to_the_sum_over_waves(positron):
    kinetic = 0.02 / ELECTRON_MASS_MEV
    up, down = phases(field(29), kinetic, positron)
    wave = np.arange(up.size)
    summed = 4 * np.pi / momentum(kinetic) ** 2 * np.sum((wave + 1) * np.sin(up) ** 2 + wave * np.sin(down) ** 2)
    q = np.geomspace(1e-9, 4, 2000)
    integral = np.trapezoid(np.pi * q * cross_section(up, down, momentum(kinetic), 1 - q / 2), np.log(q))
    assert integral == pytest.approx(summed, rel=2e-4)


@pytest.mark.parametrize("positron", [False, True])
def test_light_nuclei_scatter_by_the_second_born_approximation(positron):
    """McKinley and Feshbach, Phys. Rev. 74, 1759 (1948), eq. 7: the third order is of (Z alpha)^2."""
    z, kinetic = 2, 1.0 / ELECTRON_MASS_MEV
    sine = np.sin(np.radians([10, 30, 60, 90, 120, 150]) / 2)
    cosines = 1 - 2 * sine**2
    beta = momentum(kinetic) / (kinetic + 1)
    odd = np.pi * FINE_STRUCTURE * z * beta * sine * (1 - sine)
    wanted = 1 - (beta * sine) ** 2 + (-odd if positron else odd)
    ratio = mott_cross_section(z, kinetic, positron, cosines) / rutherford(z, kinetic, cosines)
    assert ratio == pytest.approx(wanted, rel=1e-3)


def test_close_collisions_do_not_notice_the_screening():
    """The waves of a screened atom and the closed form for a point charge are two ways to one cross section."""
    cosines = np.cos(np.radians([60, 90, 120, 150]))
    for z, bound in ((8, 1e-3), (74, 0.012)):
        kinetic = 1.0 / ELECTRON_MASS_MEV
        up, down = phases(field(z), kinetic, False)
        screened = cross_section(up, down, momentum(kinetic), cosines)
        bare = mott_cross_section(z, kinetic, False, cosines, radius=nuclear_radius(z))
        assert screened == pytest.approx(bare, rel=bound)


def test_the_size_of_a_light_nucleus_is_its_form_factor():
    """Born: |F|^2 = 1 - (p^2 <r^2>/3) q for small nuclei; electrons are drawn in, positrons kept out a little."""
    kinetic, cosines = 10.0 / ELECTRON_MASS_MEV, np.cos(np.radians([60, 90, 120, 150]))
    change = []
    for positron in (False, True):
        bodies = [mott_cross_section(6, kinetic, positron, cosines, radius=r) for r in (nuclear_radius(6), 0.0)]
        change.append(1 - bodies[0] / bodies[1])
    born = momentum(kinetic) ** 2 * 3 / 5 * nuclear_radius(6) ** 2 / 3 * 2 * (1 - cosines)
    assert np.mean(change, axis=0) == pytest.approx(born, rel=0.05)
    assert np.all(change[0] > change[1])


def test_heavy_nuclei_attract_electrons_behind_and_repel_positrons():
    """No expansion in Z alpha holds here; the ratios at 90 degrees are far on either side of Born's 0.557."""
    kinetic, side = 1.0 / ELECTRON_MASS_MEV, np.array([0.0])
    both = [mott_cross_section(82, kinetic, p, side)[0] / rutherford(82, kinetic, side)[0] for p in (False, True)]
    assert both == pytest.approx([1.973, 0.434], abs=2e-3)
