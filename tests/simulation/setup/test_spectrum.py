"""Energy spectra: their ends, and how much lies below an energy."""

from pathlib import Path

import pytest

from dosewright.simulation.run_file.source_tables import PencilSource
from dosewright.simulation.setup.spectrum import energies_MeV, read_spectrum


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "s.csv"
    path.write_text("low_MeV,high_MeV,weight\n0,0.5,0\n1,2,1\n3,3,2\n4,8,1\n9,20,0\n")
    return path


@pytest.mark.parametrize(("energy", "share"), [(1, 0), (1.5, 0.125), (3, 0.25), (3.01, 0.75), (5, 0.8125), (9, 1)])
def test_the_share_below_an_energy(table: Path, energy: float, share: float) -> None:
    assert read_spectrum(table).share_below(energy) == pytest.approx(share)


def test_bins_without_weight_do_not_count(table: Path) -> None:
    source = PencilSource(particle="photon", spectrum=str(table), position_mm=(0, 0, 0))
    assert energies_MeV(source) == (1, 8)


def test_a_spread_reaches_five_sigmas_and_not_below_a_twentieth() -> None:
    def ends(percent: float) -> tuple[float, float]:
        source = PencilSource(particle="electron", energy_MeV=10, energy_spread_percent=percent, position_mm=(0, 0, 0))
        return energies_MeV(source)

    assert ends(0) == (10, 10)
    assert ends(2) == pytest.approx((9, 11))
    assert ends(20) == pytest.approx((0.5, 20))
