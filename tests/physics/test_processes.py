"""Each process alone through the whole transport, against theory and evaluated data."""

import numpy as np
import pytest
from scipy.stats import skew

from dosewright.core.units import AVOGADRO_PER_MOL
from dosewright.materials.elements import element
from dosewright.materials.library import named
from dosewright.materials.nuclear_cross_sections import elastic, nonelastic
from tests.physics.single_tracks import energy_in_columns, stopping_depths
from tests.physics.slab_scattering import share_seen, share_untouched
from tests.physics.theory import (
    csda_range_mm,
    energy_behind,
    loss_moments,
    range_straggling,
    share_losing_more,
    share_within,
    stopping_MeV_per_mm,
)
from tests.physics.water_runs import DEFAULTS, pencil_on_slabs

# CSDA ranges of protons in water, g/cm2: NIST PSTAR (I = 75 eV), and the integral of ICRU Report 90's electronic
# stopping powers (I = 78 eV, tables for water, 2016) with a spline through its nodes.
PSTAR_75_EV = {10.0: 0.1230, 50.0: 2.227, 100.0: 7.718, 150.0: 15.77, 200.0: 25.96, 250.0: 37.94}
ICRU_90_78_EV = {10.0: 0.1241, 50.0: 2.2411, 70.0: 4.1048, 150.0: 15.8616, 200.0: 26.0971, 250.0: 38.1347}
CASES = [(75.0, e, r) for e, r in PSTAR_75_EV.items()] + [(78.0, e, r) for e, r in ICRU_90_78_EV.items()]


@pytest.mark.parametrize(("water_eV", "energy", "range_cm"), CASES)
def test_tracks_end_at_the_csda_range(water_eV: float, energy: float, range_cm: float) -> None:
    """Mean losses down to 0.1 MeV (2 um) alone: the last bin that holds energy, of 0.05 % of the range, to 0.3 %."""
    depth = 10.1 * range_cm
    off = ("nuclear", "straggling", "scattering")
    run = pencil_on_slabs(energy, 20, depth, depth / 2000, off=off, dx_mm=100.0, water_eV=water_eV, cut_MeV=0.1)
    end = run.z_mm[np.nonzero(run.depth_dose)[0][-1]] + csda_range_mm("G4_WATER", 1.0, 0.1)
    assert end == pytest.approx(10 * range_cm, rel=0.003)


@pytest.mark.parametrize(
    ("name", "energy"),
    [
        ("G4_WATER", 100.0),
        *(pytest.param("G4_WATER", e, marks=pytest.mark.slow) for e in (70.0, 150.0, 200.0, 230.0)),
        pytest.param("G4_BONE_CORTICAL_ICRP", 150.0, marks=pytest.mark.slow),
        pytest.param("G4_Ti", 150.0, marks=pytest.mark.slow),
    ],
)
def test_range_straggling(name: str, energy: float) -> None:
    """Fluctuations alone: mean range to 0.1 %, its width to 1.5 % and its skewness to 0.05 of theory.

    Standard errors of some 65 000 tracks: 0.3 % of the width and 0.010. Theory is of first order in the losses, which
    is good to 0.5 % of the width; the bins add 0.2 %.
    """
    mean = float(csda_range_mm(name, named(name).density_g_cm3, energy))
    sigma, skewness = range_straggling(name, energy, DEFAULTS.proton_cut_MeV)
    depths = stopping_depths(name, energy, mean, sigma, columns=420)
    assert depths.size > 50_000
    assert depths.mean() == pytest.approx(mean, rel=0.001)
    assert depths.std() == pytest.approx(sigma, rel=0.015)
    assert skew(depths) == pytest.approx(skewness, abs=0.05)


@pytest.mark.slow
def test_losses_in_a_thin_layer() -> None:
    """200 MeV, 0.5 mm of water in steps of half of it: spread of the losses to 2 %, and the tail beyond the delta cut.

    Shares that lose 0.3 and 0.4 MeV more than the mean, to 15 %: some 450 and 160 of 36 000 protons, standard errors
    5 and 8 %. Between, losses below the cut are condensed, and the tail is not that of single electrons.
    """
    losses = energy_in_columns("G4_WATER", 200.0, np.array([0.0, 0.5, 300.0]), max_step_mm=0.25)[0]
    second, _ = loss_moments(named("G4_WATER"), np.array(200.0))
    assert losses.std() == pytest.approx(np.sqrt(0.05 * second), rel=0.02)
    surplus = np.array([0.3, 0.4])
    seen = [(losses > losses.mean() + s).mean() for s in surplus]
    assert seen == pytest.approx(share_losing_more(named("G4_WATER"), 200.0, 0.05, surplus), rel=0.15)


THIN_AND_THICK = [
    ("G4_WATER", 5.0, 80.0),
    ("G4_BONE_CORTICAL_ICRP", 4.0, 40.0),
    ("G4_LUNG_ICRP", 5.0, 80.0),
    ("G4_Ti", 1.0, 15.0),
    ("G4_BRASS", 0.6, 8.0),
    ("G4_Pb", 0.5, 6.0),
]


@pytest.mark.parametrize("thickness", [1, 2], ids=["thin", "thick"])
@pytest.mark.parametrize("case", THIN_AND_THICK, ids=lambda case: case[0])
def test_slabs_scatter_as_theory_says(case: tuple[str, float, float], thickness: int) -> None:
    """160 MeV: shares within half, one, two and three widths to 0.01, two percent of the width of the core.

    The standard error of 40 000 projected angles is 0.0025 at most.
    """
    name, mm = case[0], case[thickness]
    angles = np.geomspace(1e-3, 0.2, 60)
    width = float(np.interp(0.6827, share_within(name, mm, 160.0, angles), angles))
    marks = width * np.array([0.5, 1.0, 2.0, 3.0])
    assert share_seen(name, mm, 160.0, marks, 40_000) == pytest.approx(share_within(name, mm, 160.0, marks), abs=0.01)


def untouched(name: str, thickness_mm: float, energy: float) -> float:
    """Share of protons without any nuclear interaction in a slab, from the cross sections."""
    material = named(name)
    e = np.linspace(energy_behind(name, material.density_g_cm3, thickness_mm, energy), energy, 2000)
    per_g = sum(
        AVOGADRO_PER_MOL * w / element(z).atomic_weight * (elastic(z, e) + nonelastic(z, e))
        for z, w in material.mass_fractions.items()
    )
    mfp = np.trapezoid(per_g * material.density_g_cm3 / 10 / stopping_MeV_per_mm(name, material.density_g_cm3, e), e)
    return float(np.exp(-mfp))


@pytest.mark.parametrize(
    ("name", "thickness", "energy"),
    [
        ("G4_WATER", 70.0, 100.0),
        ("G4_WATER", 130.0, 200.0),
        ("G4_WATER", 250.0, 200.0),
        ("G4_BONE_CORTICAL_ICRP", 80.0, 160.0),
        ("G4_LUNG_ICRP", 100.0, 160.0),
        ("G4_Ti", 40.0, 160.0),
        ("G4_BRASS", 22.0, 160.0),
        ("G4_Pb", 20.0, 160.0),
    ],
)
def test_primary_fluence_follows_the_cross_sections(name: str, thickness: float, energy: float) -> None:
    """Share of protons that pass a slab untouched, to 0.01; the standard error of 20 000 protons is 0.0035 at most."""
    expected = untouched(name, thickness, energy)
    assert share_untouched(name, thickness, energy, 20_000) == pytest.approx(expected, abs=0.01)


def test_losses_do_not_depend_on_the_delta_cut_on_average() -> None:
    """Energy behind 100 mm of water at 160 MeV, knock-on electrons sampled or condensed: the mean to 0.1 %."""
    depth = 100.0
    left = float(energy_behind("G4_WATER", 1.0, depth, 160.0))
    for off in (("nuclear", "scattering"), ("nuclear", "scattering", "delta")):
        run = pencil_on_slabs(160.0, 10_000, depth, 1.0, off=off, dx_mm=100.0)
        assert 160.0 - run.result.energy["deposited"] == pytest.approx(left, rel=0.001)
