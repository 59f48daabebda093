"""Cuts of photons, electrons and positrons: their range, and what holds where."""

import pytest

from dosewright.core.errors import InputError
from dosewright.simulation.coupled_settings import CoupledSettings, MaterialCuts, RegionCuts


def test_the_defaults_are_those_for_patients() -> None:
    assert CoupledSettings().cuts_in("G4_WATER") == MaterialCuts(0.01, 0.2, 0.0)


def test_an_insert_wins_over_its_material_key_by_key() -> None:
    settings = CoupledSettings(
        regions=(
            RegionCuts("target", electron_cut_MeV=0.05),
            RegionCuts("G4_W", electron_cut_MeV=0.1, range_rejection_MeV=1.5),
        )
    )
    assert settings.cuts_in("G4_W", "target") == MaterialCuts(0.01, 0.05, 1.5)
    assert settings.cuts_in("G4_W") == MaterialCuts(0.01, 0.1, 1.5)
    assert settings.cuts_in("G4_Cu") == MaterialCuts(0.01, 0.2, 0.0)


def test_all_bad_values_are_listed_together() -> None:
    with pytest.raises(InputError) as refused:
        CoupledSettings(
            photon_cut_MeV=0.0005,
            electron_cut_MeV=float("nan"),
            range_rejection_MeV=-1,
            max_step_mm=0,
            step_deflection=0,
            step_loss=0.6,
            regions=(RegionCuts("target", photon_cut_MeV=60),),
            processes_off=("doppler", "nuclear"),
        )
    said = refused.value.problems
    assert len(said) == 8
    assert "photon_cut_MeV of region 'target' must lie between 0.001 and 50 MeV (given: 60)." in said
    assert said[-1].startswith("Unknown process 'nuclear' to switch off.")
