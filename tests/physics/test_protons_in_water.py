"""Protons in water and titanium against Geant4 11.4 and MCsquare.

The reference doses are those of ../shared/reference (Geant4 11.4.0 option4-like with ICRU 90 water and binary cascade;
MCsquare of opentps-core 2.0.0), read there. Figures, bands and bounds are those of the measured page
(benchmarks/protons_in_water.py), here with a tenth of its primaries: depth doses are then known to 0.2 %.
"""

from pathlib import Path

import numpy as np
import pytest
from benchmarks.proton_figures import Row
from benchmarks.protons_in_water import EM_ONLY, FULL, OTHERS, TITANIUM, em_rows, full_rows, titanium_rows

from tests.physics.theory import csda_range_mm
from tests.physics.water_runs import Run, distal_mm, merged, pencil_on_slabs

SHARE = 0.1


def missed(rows: list[Row]) -> dict[str, str]:
    return {row.name: row.verdict for row in rows if row.outside > 0}


@pytest.mark.parametrize("energy", FULL)
def test_all_figures_lie_in_the_band_of_the_codes(energy: float, shared_reference: Path) -> None:
    """R80 to 0.2 mm, falloff to 0.1 mm, peak to 2 %, doses at five depths to 1.5 %, sigmas to 4 %, energy to 1 %."""
    assert missed(full_rows(energy, FULL[energy].run(SHARE))) == {}


@pytest.mark.parametrize("energy", EM_ONLY)
def test_electromagnetic_depth_dose_agrees_to_one_percent(energy: float, shared_reference: Path) -> None:
    """Nuclear interactions off: the dose everywhere up to 2 mm before R80 to 1 %, the peak to 2 %.

    To 1 % of the band where there are two codes, and of each code once the ranges are set equal: Geant4's lie 0.1 to
    0.3 % beyond those of ICRU 90's stopping powers, which alone makes 2 % near the peak. Range and falloff are held to
    the band of two codes; where Geant4 is alone the range is held to 0.9989 of the CSDA range, to 0.2 mm.
    """
    runs = EM_ONLY[energy].run(SHARE)
    held = [row for row in em_rows(energy, runs) if row.name.startswith(("peak", "the same")) or "band" in row.name]
    if len(EM_ONLY[energy].references()) > 1:
        held += em_rows(energy, runs)[:2]
    assert len(held) >= 2
    assert missed(held) == {}
    r80 = distal_mm(merged(runs).depth_dose, runs[0].z_mm, 0.8)
    assert r80 == pytest.approx(0.9989 * float(csda_range_mm("G4_WATER", 1.0, energy)), abs=0.2)


@pytest.mark.slow
def test_titanium_slab(shared_reference: Path) -> None:
    """20 mm at 40 mm of water, 150 MeV: R80 to 0.4 mm, plateaus to 2 %, widths to 4 %."""
    assert missed(titanium_rows(TITANIUM.run(0.4))) == {}


@pytest.mark.slow
@pytest.mark.parametrize("energy", OTHERS)
def test_range_meets_that_of_theory(energy: float) -> None:
    """R80 is 0.9989 of the CSDA range (detours; note of the reference figures) to 0.2 mm + 0.1 %."""
    case = OTHERS[energy]
    run = pencil_on_slabs(energy, 40_000, case.depth_mm, case.dz_mm)
    expected = 0.9989 * float(csda_range_mm("G4_WATER", 1.0, energy))
    assert distal_mm(run.depth_dose, run.z_mm, 0.8) == pytest.approx(expected, abs=0.2 + 0.001 * expected)


@pytest.mark.parametrize("off", [(), ("nuclear",), ("scattering",), ("straggling",)])
def test_energy_balance_closes(off: tuple[str, ...]) -> None:
    run = pencil_on_slabs(150.0, 4_000, 200.0, 2.0, off=off)
    assert abs(run.result.energy["residual"]) < 1e-6 * run.result.energy["started"]
    assert run.result.warnings == ()


def test_step_length_does_not_matter() -> None:
    """Five times shorter steps move range, plateau and spread by less than the statistics of 20 000 tracks.

    With all deflections condensed the spread is nearly Gaussian, so its rms is known to 0.5 %.
    """
    off = ("nuclear", "hard_scattering")
    coarse = pencil_on_slabs(150.0, 20_000, 170.0, 2.0, off=off, max_step_mm=2.0, dx_mm=0.5)
    fine = pencil_on_slabs(150.0, 20_000, 170.0, 2.0, off=off, max_step_mm=0.4, dx_mm=0.5)
    a, b = (distal_mm(r.depth_dose, r.z_mm, 0.8) for r in (coarse, fine))
    assert a == pytest.approx(b, abs=0.08)
    assert rms_mm(coarse, 121.0) == pytest.approx(rms_mm(fine, 121.0), rel=0.015)
    plateaus = [float(r.depth_dose[abs(r.z_mm - 75.0) <= 5].mean()) for r in (coarse, fine)]
    assert plateaus[0] == pytest.approx(plateaus[1], rel=0.004)


def rms_mm(run: Run, depth_mm: float) -> float:
    profile = run.energy[int(np.argmin(abs(run.z_mm - depth_mm)))]
    return float(np.sqrt((profile * run.x_mm**2).sum() / profile.sum()))
