"""Protons in water against Geant4 11.4, MCsquare, and CSDA ranges from ICRU 90 stopping powers.

The reference numbers are those of ../shared/reference (Geant4 11.4.0 option4-like with ICRU 90 water and binary
cascade; MCsquare of opentps-core 2.0.0), read there; the band is what these codes span, widened by the bound stated
at each test. Statistics: 40 000 primaries give 0.4 % in a 1 mm bin of the depth dose, so 5-bin means are known to
0.2 %.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.physics.water_runs import Run, core_sigma_mm, distal_mm, pencil_on_slabs

CASES = {100.0: (40_000, 90.0, 0.5), 200.0: (40_000, 290.0, 1.0)}


def reference(folder: Path, name: str) -> dict:
    return json.loads((folder / f"ion_{name}.json").read_text())


def mean_around(values: np.ndarray, z: np.ndarray, depth: float, half: float) -> float:
    return float(values[abs(z - depth) <= half].mean())


@pytest.mark.parametrize("energy", CASES)
def test_range_lies_in_the_band_of_the_codes(energy: float, shared_reference: Path) -> None:
    n, depth, dz = CASES[energy]
    run = pencil_on_slabs(energy, n, depth, dz)
    r80 = distal_mm(run.depth_dose, run.z_mm, 0.8)
    codes = [reference(shared_reference, f"{c}_p{energy:.0f}") for c in ("geant4", "mcsquare")]
    theirs = [distal_mm(np.array(c["idd"]), (np.arange(len(c["idd"])) + 0.5) * c["dz_mm"], 0.8) for c in codes]
    assert min(theirs) - 0.2 < r80 < max(theirs) + 0.2


@pytest.mark.parametrize("energy", CASES)
def test_depth_dose_agrees_to_two_percent(energy: float, shared_reference: Path) -> None:
    n, depth, dz = CASES[energy]
    run = pencil_on_slabs(energy, n, depth, dz)
    codes = [reference(shared_reference, f"{c}_p{energy:.0f}") for c in ("geant4", "mcsquare")]
    r80 = distal_mm(run.depth_dose, run.z_mm, 0.8)
    for fraction in (0.05, 0.25, 0.5, 0.75, 0.9):
        ours = mean_around(run.depth_dose, run.z_mm, fraction * r80, 2.5)
        theirs = [
            mean_around(np.array(c["idd"]), (np.arange(len(c["idd"])) + 0.5) * c["dz_mm"], fraction * r80, 2.5)
            for c in codes
        ]
        assert 0.98 * min(theirs) < ours < 1.02 * max(theirs), (fraction, ours, theirs)


@pytest.mark.parametrize("energy", CASES)
def test_peak_height_and_deposited_energy(energy: float, shared_reference: Path) -> None:
    n, depth, dz = CASES[energy]
    run = pencil_on_slabs(energy, n, depth, dz)
    codes = [reference(shared_reference, f"{c}_p{energy:.0f}") for c in ("geant4", "mcsquare")]
    peaks = [max(c["idd"]) for c in codes]
    assert 0.98 * min(peaks) < run.depth_dose.max() < 1.02 * max(peaks)
    deposited = [c["energy_deposited_MeV_per_primary"] for c in codes]
    assert 0.99 * min(deposited) < run.result.energy["deposited"] < 1.01 * max(deposited)


def test_electromagnetic_depth_dose_agrees_to_one_percent(shared_reference: Path) -> None:
    """Nuclear interactions off, 100 MeV: MCsquare's stopping power is the same evaluation (I = 78 eV)."""
    run = pencil_on_slabs(100.0, 40_000, 90.0, 0.5, off=("nuclear",))
    code = reference(shared_reference, "mcsquare-emonly_p100")
    theirs, z = np.array(code["idd"]), (np.arange(len(code["idd"])) + 0.5) * code["dz_mm"]
    for depth in (5.0, 20.0, 40.0, 60.0, 70.0):
        ours = mean_around(run.depth_dose, run.z_mm, depth, 2.0)
        assert ours == pytest.approx(mean_around(theirs, z, depth, 2.0), rel=0.01)
    assert distal_mm(run.depth_dose, run.z_mm, 0.8) == pytest.approx(distal_mm(theirs, z, 0.8), abs=0.15)
    width = distal_mm(run.depth_dose, run.z_mm, 0.2) - distal_mm(run.depth_dose, run.z_mm, 0.8)
    assert width == pytest.approx(distal_mm(theirs, z, 0.2) - distal_mm(theirs, z, 0.8), abs=0.1)


def test_mean_range_without_fluctuations_is_the_csda_range(shared_reference: Path) -> None:
    """All processes but mean losses off: the track ends where CSDA with ICRU 90 stopping powers ends, to 0.3 %."""
    rows = reference(shared_reference, "analytic_ranges")["protons"]
    for energy, depth in ((70.0, 45.0), (150.0, 165.0)):
        run = pencil_on_slabs(energy, 100, depth, 0.25, off=("nuclear", "straggling", "scattering"))
        end = run.z_mm[np.nonzero(run.depth_dose)[0][-1]]
        csda = 10 * next(r["csda_icru90_I78_cm"] for r in rows if r["E_MeV"] == energy)
        assert end == pytest.approx(csda, rel=0.003, abs=0.15)


@pytest.mark.parametrize(("energy", "dx"), [(100.0, 0.25), (200.0, 1.0)])
def test_lateral_core_agrees_to_five_percent(energy: float, dx: float, shared_reference: Path) -> None:
    n, depth, dz = CASES[energy]
    run = pencil_on_slabs(energy, n, depth, dz, dx_mm=dx)
    codes = [reference(shared_reference, f"{c}_p{energy:.0f}")["lateral"] for c in ("geant4", "mcsquare")]
    r80 = distal_mm(run.depth_dose, run.z_mm, 0.8)
    for fraction in (0.5, 0.75, 0.9):
        at = fraction * r80
        theirs = [np.interp(at, [r["depth_mm"] for r in c], [r["sigma_core_mm"] for r in c]) for c in codes]
        assert 0.95 * min(theirs) < core_sigma_mm(run, at) < 1.05 * max(theirs)


def test_halo_at_half_range_lies_between_the_codes() -> None:
    """Share of the energy beyond |x| = 10 mm at 200 MeV and half range: 0.06 to 0.10 among the reference codes."""
    n, depth, dz = CASES[200.0]
    run = pencil_on_slabs(200.0, n, depth, dz)
    window = abs(run.z_mm - 130.0) < 5.0
    profile = run.energy[window].sum(0)
    assert 0.06 < profile[abs(run.x_mm) > 10.0].sum() / profile.sum() < 0.10


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
    ours = mean_around(coarse.depth_dose, coarse.z_mm, 75.0, 5)
    assert ours == pytest.approx(mean_around(fine.depth_dose, fine.z_mm, 75.0, 5), rel=0.004)


def rms_mm(run: Run, depth_mm: float) -> float:
    profile = run.energy[int(np.argmin(abs(run.z_mm - depth_mm)))]
    return float(np.sqrt((profile * run.x_mm**2).sum() / profile.sum()))


@pytest.mark.slow
def test_titanium_slab(shared_reference: Path) -> None:
    """150 MeV, sigma 3 mm, 20 mm of titanium at 40 mm: range to 0.4 mm and plateaus to 2 % of the codes' band."""
    run = pencil_on_slabs(150.0, 200_000, 140.0, 0.5, slabs=((40.0, 60.0, "G4_Ti", 4.54),), sigma_mm=3.0, dx_mm=2.0)
    codes = [reference(shared_reference, f"{c}_ti150") for c in ("geant4", "mcsquare")]
    behind = run.z_mm > 60.0
    r80 = distal_mm(run.depth_dose[behind], run.z_mm[behind], 0.8)
    ranges = [c["metrics"]["R80_mm"] for c in codes]
    assert min(ranges) - 0.4 < r80 < max(ranges) + 0.4
    for i, zone in enumerate(codes[0]["zones"]):
        here = (run.z_mm > zone["from_mm"]) & (run.z_mm < zone["to_mm"])
        theirs = [c["zones"][i]["mean_idd"] for c in codes]
        assert 0.98 * min(theirs) < run.depth_dose[here].mean() < 1.02 * max(theirs)
