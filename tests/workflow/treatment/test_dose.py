"""Deliveries carried out: against a run file, turned, behind plates, moved with mothers, with regions away."""

from pathlib import Path

import numpy as np
import pytest
from tests.workflow.treatment.inputs import BEAM, FIELD, WATER, delivered, depth_dose, range80_mm, treatment

from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power
from dosewright.simulation.run import simulate
from dosewright.simulation.run_file.read import read_run_file
from dosewright.simulation.run_folder import goal_of
from dosewright.simulation.setup.prepare import prepare
from dosewright.simulation.setup.resolvers import WITHOUT_LIBRARY

MM = 1.0  # voxels of the water along the beam
RUN = """
[phantom]
material = "G4_WATER"
size_mm = [120, 120, 200]
voxel_mm = [20, 20, 1]
origin_mm = [-60, -60, 0]
[source]
kind = "spots"
particle = "proton"
direction = [0, 0, 1]
file = "{spots}"
position_mm = [0, 0, -300]
[goal]
histories = 200000
[[score]]
quantity = "dose"
"""


def range_mm(energy_MeV: float) -> float:
    """Return the range of slowing down in water."""
    energies = np.linspace(0.01, energy_MeV, 20_000)
    return float(10 * np.trapezoid(1 / proton_mass_stopping_power(named("water"), energies), energies))


def test_a_box_of_water_receives_what_a_run_file_gives(tmp_path: Path) -> None:
    """Different random numbers: laterally summed dose of 1 cm to the fall-off within 0.5 %, ranges within 0.1 mm.

    The summed dose of 1 cm has a standard error of about 0.1 % in each of the two.
    """
    spots = tmp_path / "spots.csv"
    sigma = 10.0 / 2.3548200450309493
    spots.write_text(
        "x_mm,y_mm,energy_MeV,particles,sigma_x_mm,sigma_y_mm,energy_spread_percent\n"
        f"0,0,120,1e6,{sigma},{sigma},{100 * 0.01 / 2.3548200450309493}\n"
        f"10,-20,100,5e5,{sigma},{sigma},0\n"
    )
    run = tmp_path / "run.toml"
    run.write_text(RUN.format(spots=spots))
    run_file = read_run_file(run)
    prepared = prepare(run_file, WITHOUT_LIBRARY)
    assert prepared.particles == 1.5e6
    theirs = simulate(prepared.problem, goal_of(run_file.goal), seed=5, threads=1).dose_Gy.sum(axis=(1, 2)) * 1.5e6
    second = "pb: 2 1 ; P = [1,-2,0] ; T = 100 ; Xsec = gauss ; FWHM = 1 ; N = 5e5\n"
    ours = depth_dose(delivered(tmp_path, WATER + FIELD + BEAM + second, 100_000))
    a, b = (dose[:100].reshape(-1, 10).sum(axis=1) for dose in (ours, theirs))
    np.testing.assert_allclose(a, b, rtol=0.005)
    assert ours.sum() == pytest.approx(theirs.sum(), rel=0.003)
    assert range80_mm(ours, MM) == pytest.approx(range80_mm(theirs, MM), abs=0.1)


def test_energy_and_range_are_those_of_protons_in_water(tmp_path: Path) -> None:
    """The depth of 80 % behind the peak is the range of the slowing down (Gottschalk, 2012) within 0.5 mm."""
    sums = delivered(tmp_path, WATER + FIELD + BEAM)
    assert range80_mm(depth_dose(sums), MM) == pytest.approx(range_mm(120.0), abs=0.5)
    assert 0.93 * 120e6 < sums.deposited_MeV < 120e6


def test_all_turned_together_is_the_same(tmp_path: Path) -> None:
    """The same seed in turned axes follows the same particles, but for rounding at faces: slabs of 1 mm within 2 %."""
    straight = delivered(tmp_path, WATER + FIELD + BEAM, 4000)
    turns = "group: both phantom field_1\ntransform: both rotate {} room\ntransform: both shift_by 1 -2 3"
    for axis in ("y 90", "x -90", "[1,1,0] 37"):
        turned = delivered(tmp_path, WATER + FIELD + BEAM + turns.format(axis), 4000)
        np.testing.assert_allclose(depth_dose(turned), depth_dose(straight), rtol=0.02, atol=1e-4)
        assert turned.deposited_MeV == pytest.approx(straight.deposited_MeV, rel=1e-3)


def test_a_phantom_turned_under_the_beam_receives_it_from_the_side(tmp_path: Path) -> None:
    """Turned by 90 degrees about the axis up through its middle the beam runs along its own -x: the room's z."""
    text = (
        "region: phantom ; L = [20,12,12] ; voxels = [200,6,6] ; material = water ; score = [dose]\n"
        "field: 1 ; O = [0,0,-40]\n" + BEAM + "transform: phantom rotate y 90 self\n"
    )
    dose = depth_dose(delivered(tmp_path, text), axis=0)
    assert range80_mm(dose[::-1], MM) == pytest.approx(range_mm(120.0), abs=0.5)


def test_a_range_shifter_shifts_by_its_water_equivalent_thickness(tmp_path: Path) -> None:
    """3 cm PMMA: thickness times the ratio of stopping powers at 105 MeV, the mean energy within; 0.3 mm."""
    plate = "region: RS ; O = [0,0,-5] ; L = [10,10,3] ; material = PMMA\n"
    open_mm, behind_mm = (
        range80_mm(depth_dose(delivered(tmp_path, WATER + FIELD + BEAM + more)), MM) for more in ("", plate)
    )
    pmma, water = named("PMMA"), named("water")
    ratio = float(proton_mass_stopping_power(pmma, 105.0) / proton_mass_stopping_power(water, 105.0))
    assert open_mm - behind_mm == pytest.approx(30.0 * 1.19 * ratio, abs=0.3)


def test_mothers_are_followed_and_what_is_not_active_is_not_there(tmp_path: Path) -> None:
    """A plate of 3 cm PMMA comes in with its mother, out of the beam; deactivated it is no longer there."""
    plate = (
        "region: nozzle ; L = [1,1,1] ; lAdaptiveSize = t ; material = vacuum\n"
        "region: RS ; O = [0,30,-5] ; L = [10,10,3] ; material = PMMA\nset_parent: nozzle RS\n"
    )
    base = WATER + FIELD + BEAM + plate
    aside = range80_mm(depth_dose(delivered(tmp_path, base)), MM)
    inside = range80_mm(depth_dose(delivered(tmp_path, base + "transform: nozzle shift_by 0 -30 0\n")), MM)
    absent = range80_mm(
        depth_dose(delivered(tmp_path, base + "transform: nozzle shift_by 0 -30 0\ndeactivate: RS\n")), MM
    )
    assert aside - inside > 30.0
    assert absent == pytest.approx(aside, abs=0.1)


def test_air_in_the_room_and_a_hole_of_vacuum_in_it(tmp_path: Path) -> None:
    """Two metres of air take 2 m x 1.2 mg/cm3 x 0.88 = 2.1 mm of water; a tube of vacuum along the way none."""
    far = "field: 1 ; O = [0,0,-200]\n"
    room = "region: Room ; material = air\n"
    tube = "region: tube ; O = [0,0,-100.1] ; L = [10,10,200] ; material = vacuum\n"
    in_vacuum, in_air, in_tube = (
        range80_mm(depth_dose(delivered(tmp_path, WATER + far + BEAM + more)), MM) for more in ("", room, room + tube)
    )
    assert in_vacuum - in_air == pytest.approx(2.1, abs=0.25)
    assert in_vacuum - in_tube == pytest.approx(0.0, abs=0.15)


def test_steps_add_up_and_particles_count(tmp_path: Path) -> None:
    """Twice the delivery is twice the dose with other random numbers; variances add."""
    once = delivered(tmp_path, WATER + FIELD + BEAM, 5000)
    twice = delivered(tmp_path, WATER + FIELD + BEAM + "deliver: all\ndeliver: all\n", 5000)
    assert twice.particles == 2e6 and twice.histories == 10_000
    assert twice.deposited_MeV == pytest.approx(2 * once.deposited_MeV, rel=0.01)
    assert twice.deposited_MeV != 2 * once.deposited_MeV
    assert twice.medium.variance.sum() == pytest.approx(2 * once.medium.variance.sum(), rel=0.25)


def test_a_medium_inside_another_takes_its_place(tmp_path: Path) -> None:
    """A plate in a tank of water in front of the phantom: 2 cm water + 3 cm PMMA in 5 cm."""
    tank = "region: tank ; O = [0,0,-5] ; L = [10,10,5] ; material = water\n"
    plate = "region: RS ; O = [0,0,-5] ; L = [10,10,3] ; material = PMMA\n"
    open_mm, behind_mm = (
        range80_mm(depth_dose(delivered(tmp_path, WATER + FIELD + BEAM + more)), MM) for more in ("", tank + plate)
    )
    assert open_mm - behind_mm == pytest.approx(20.0 + 30.0 * 1.19 * 0.9721, abs=0.4)


def test_the_fields_of_boxes_and_discs_are_even(tmp_path: Path) -> None:
    """Protons of 200 MeV in the first millimetre of water: even to 3 % (each voxel 0.6 %), nothing but halo beyond."""
    water = "region: phantom ; O = [0,0,0.05] ; L = [9,9,0.1] ; voxels = [9,9,1] ; material = water ; score = [edep]\n"
    x, y = np.meshgrid(np.arange(-4, 5), np.arange(-4, 5))
    for shape, inside, outside in (
        ("box ; FWHMx = 7 ; FWHMy = 3", (abs(x) < 3.5) & (abs(y) < 1.5), (abs(x) > 3.5) | (abs(y) > 1.5)),
        ("disc ; FWHM = 7 ; rmin = 1.5", (np.hypot(x, y) > 2.2) & (np.hypot(x, y) < 2.8), np.hypot(x, y) > 4.3),
    ):
        beam = f"pb: 1 1 ; T = 200 ; N = 1 ; Xsec = {shape}\n"
        dose = delivered(tmp_path, water + "field: 1 ; O = [0,0,-1]\n" + beam, 2_000_000).medium.dose_Gy[0]
        level = dose[inside].mean()
        np.testing.assert_allclose(dose[inside], level, rtol=0.03)
        assert dose[outside].max() < 0.01 * level
    assert dose[4, 4] < 0.01 * level  # the hole of the ring


def test_a_beam_that_misses_is_told(tmp_path: Path) -> None:
    sums = delivered(tmp_path, WATER + FIELD + BEAM.replace("; N", "; v = [0,1,0] ; N"), 100)
    assert sums.deposited_MeV == 0.0
    assert "nothing of field_1 reached region phantom" in sums.warnings[0]


def test_pencil_beams_may_start_inside(tmp_path: Path) -> None:
    """From the depth of 5 cm on 80 MeV go their range, with and without air around; nothing turns back."""
    for room in ("", "region: Room ; material = air\n"):
        text = WATER + "field: 1 ; O = [0,0,5]\n" + BEAM.replace("120", "80") + room
        dose = depth_dose(delivered(tmp_path, text, 5000))
        assert range80_mm(dose, MM) - 50.0 == pytest.approx(range_mm(80.0), abs=0.5)
        assert dose[:50].sum() < 1e-3 * dose.sum()


def test_processes_can_be_switched_off(tmp_path: Path) -> None:
    """Without nuclear interactions all energy stays; without any deflection all of it is on the axis."""
    straight = "lTracking_nuc = f\nlTracking_mcs = f\nlTracking_fluc = f\n"
    text = WATER + FIELD + BEAM.replace("Xsec = gauss ; FWHM = 1", "Xsec = pin") + straight
    found = treatment(tmp_path, text)
    assert [one for one in found.said if one.startswith("Switched off, as lTracking_nuc = f")]
    sums = delivered(tmp_path, text.replace("[6,6,200]", "[5,5,200]"), 2000)
    dose = sums.medium.dose_Gy
    assert sums.deposited_MeV == pytest.approx(120e6, rel=2e-3)
    assert dose[:, 2, 2].sum() == pytest.approx(dose.sum(), rel=1e-6)
    assert range80_mm(depth_dose(sums), MM) == pytest.approx(range_mm(120.0), abs=0.5)
