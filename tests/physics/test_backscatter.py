"""Electrons thrown back by thick metals, against fits to measurements.

Below 0.1 MeV measurements agree to a few percent, above to 10-15 % (Ali, McEwen and Rogers, Med. Phys. 41, 14 (2014),
who find EGSnrc at the upper end of 21 experiments, within 11 % of them). For light metals above 0.1 MeV the fit lies up
to a quarter below newer values, so they are left to the low energies.
"""

import numpy as np
import pytest

from dosewright.core.units import ELECTRON_MASS_MEV
from dosewright.materials.library import named
from dosewright.scoring.leaving import Leaving
from dosewright.simulation.coupled_settings import CoupledSettings
from tests.physics.coupled_runs import ELECTRONS, mean_and_error, narrow_beam, run, slabs

HISTORIES = 20_000


def thrown_back(name: str, energy_MeV: float, histories: int = HISTORIES) -> tuple[float, float]:
    """Return the share of electrons that a thick plate throws back at normal incidence, and its standard error."""
    plate = slabs([0.0, 2 * energy_MeV], [(0.0, 1e9, name, 0.0)], x_edges_cm=(-50, 50), y_edges_cm=(-50, 50))
    cut = min(0.05 * energy_MeV, 0.02)
    settings = CoupledSettings(photon_cut_MeV=max(0.3 * energy_MeV, 0.01), electron_cut_MeV=cut)
    done = run(plate, narrow_beam(energy_MeV), "electron", settings, histories, leaving=Leaving(1, energy_MeV, 2))
    mean, error = mean_and_error(done.leaving[:, ELECTRONS, :, 1].sum(1))
    return float(mean), float(error)


def reuter(z: int) -> float:
    """Return the share at 20 keV: fit of Reuter, Proc. 6th Int. Conf. X-ray Optics and Microanalysis (1972), 121."""
    return float(-0.0254 + 0.016 * z - 1.86e-4 * z**2 + 8.3e-7 * z**3)


def tabata(z: int, energy_MeV: float) -> float:
    """Return the share thrown back: fit of Tabata, Ito and Okabe, Nucl. Instrum. Methods 94, 509 (1971)."""
    height = 1.15 * np.exp(-8.35 * z**-0.525)
    fall, power = 0.0185 + 15.7 * z**-1.59, 1.56 - 4.42 / z
    return float(height / (1 + fall * (energy_MeV / ELECTRON_MASS_MEV) ** power))


@pytest.mark.parametrize("name", ["G4_Al", "G4_Cu", "G4_Ag", "G4_W", "G4_Au"])
def test_backscatter_at_20_keV(name: str) -> None:
    """Within 6 % of the fit to measurements, known to 1 %. Seen: 4 % (copper)."""
    measured = reuter(next(iter(named(name).mass_fractions)))
    share, error = thrown_back(name, 0.02, 4 * HISTORIES)
    assert error < 0.01 * measured
    assert share == pytest.approx(measured, rel=0.06)


@pytest.mark.parametrize("name", ["G4_Cu", "G4_Ag", "G4_W", "G4_Au"])
@pytest.mark.parametrize("energy_MeV", [0.1, 0.5, 2.0])
def test_backscatter_from_keV_to_MeV(name: str, energy_MeV: float) -> None:
    """Within 13 % of the fit to measurements."""
    measured = tabata(next(iter(named(name).mass_fractions)), energy_MeV)
    share, error = thrown_back(name, energy_MeV, 2 * HISTORIES)
    assert error < 0.02 * measured
    assert share == pytest.approx(measured, rel=0.13)
