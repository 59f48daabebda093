"""Directed photons against those of many events as they are: number, energies and places in the field."""

from typing import NamedTuple

import numpy as np
import pytest

from dosewright.core.matter import Material
from dosewright.materials.electrons.lookup import ElectronTables
from dosewright.materials.electrons.radiation import radiating_z, radiation_shape
from dosewright.materials.library import named
from dosewright.materials.photons.compton import ComptonTables, compton_tables
from dosewright.materials.photons.rayleigh import RayleighTables, rayleigh_tables
from dosewright.transport.aim import Field
from tests.transport.directed_hits import (
    ANNIHILATION,
    BREMSSTRAHLUNG,
    COMPTON,
    ISOTROPIC,
    RAYLEIGH,
    Comparison,
    beam,
)

MATERIALS = (named("G4_WATER"), Material("W", 19.3, {74: 1.0}))
EVENTS = 300_000
NOTHING = np.zeros(1, np.float32)
AHEAD = Field(-10.0, 10.0, -10.0, 10.0, 100.0)
ASIDE = Field(5.0, 60.0, -40.0, 20.0, 50.0)
LARGE = Field(-80.0, 90.0, -70.0, 120.0, 30.0)


class Photons(NamedTuple):
    compton: ComptonTables
    rayleigh: RayleighTables


@pytest.fixture(scope="module")
def tables() -> tuple[ElectronTables, Photons]:
    electrons = ElectronTables(
        values=NOTHING,
        hard_angle=NOTHING,
        radiation_shape=np.concatenate([radiation_shape(m).ravel() for m in MATERIALS]).astype(np.float32),
        radiation_z=np.array([radiating_z(m) for m in MATERIALS]),
    )
    return electrons, Photons(compton_tables(MATERIALS), rayleigh_tables(MATERIALS))


def agrees(one: Comparison, least_hits: int) -> None:
    assert one.plain_hits > least_hits
    assert one.ratio == pytest.approx(1.0, abs=4 * one.error + 0.001)
    assert one.energy_ratio == pytest.approx(1.0, abs=4 * one.energy_error + 0.0005)
    assert one.chi2_energy < 2.4  # 20 degrees of freedom, 0.1 % is 2.27; a little for what the sampler clips
    assert one.chi2_place < 2.2  # 25 degrees of freedom, 0.1 % is 2.1


@pytest.mark.parametrize("material", [0, 1])
@pytest.mark.parametrize(
    ("energy", "cut", "field", "degrees"),
    [
        (6.0, 0.01, AHEAD, 0.0),
        (6.0, 0.01, AHEAD, 3.0),
        (6.0, 0.01, AHEAD, 30.0),
        (20.0, 0.1, AHEAD, 8.0),
        (1.0, 0.01, ASIDE, 30.0),
        (0.12, 0.01, ASIDE, 90.0),
        (0.12, 0.01, AHEAD, 90.0),
        (0.12, 0.01, LARGE, 150.0),
        (1.0, 0.01, LARGE, 178.0),
        (2.0, 0.5, LARGE, 20.0),
    ],
)
def test_bremsstrahlung(tables, material, energy, cut, field, degrees) -> None:  # type: ignore[no-untyped-def]
    agrees(Comparison(tables, BREMSSTRAHLUNG, material, energy, cut, field, beam(0.3, -0.2, 1.0, degrees), EVENTS), 100)


@pytest.mark.parametrize("material", [0, 1])
@pytest.mark.parametrize(
    ("energy", "field", "degrees"),
    [(2.0, AHEAD, 0.0), (6.0, AHEAD, 20.0), (0.06, ASIDE, 90.0), (0.03, LARGE, 150.0), (0.5, LARGE, 30.0)],
)
def test_compton(tables, material, energy, field, degrees) -> None:  # type: ignore[no-untyped-def]
    agrees(Comparison(tables, COMPTON, material, energy, 1e-9, field, beam(0.3, -0.2, 1.0, degrees), EVENTS), 100)


@pytest.mark.parametrize("material", [0, 1])
@pytest.mark.parametrize(
    ("energy", "field", "degrees"), [(0.06, AHEAD, 0.0), (0.02, ASIDE, 40.0), (0.03, LARGE, 150.0)]
)
def test_rayleigh(tables, material, energy, field, degrees) -> None:  # type: ignore[no-untyped-def]
    agrees(Comparison(tables, RAYLEIGH, material, energy, 1e-9, field, beam(0.3, -0.2, 1.0, degrees), EVENTS), 100)


@pytest.mark.parametrize("field", [AHEAD, ASIDE, LARGE])
def test_isotropic(tables, field) -> None:  # type: ignore[no-untyped-def]
    agrees(Comparison(tables, ISOTROPIC, 0, 0.511, 1e-9, field, beam(0.3, -0.2, 1.0, 70.0), EVENTS), 100)


@pytest.mark.parametrize(
    ("energy", "field", "degrees"), [(0.1, AHEAD, 60.0), (3.0, AHEAD, 2.0), (3.0, ASIDE, 40.0), (6.0, LARGE, 160.0)]
)
def test_annihilation_in_flight(tables, energy, field, degrees) -> None:  # type: ignore[no-untyped-def]
    agrees(Comparison(tables, ANNIHILATION, 0, energy, 1e-9, field, beam(0.3, -0.2, 1.0, degrees), EVENTS), 100)
