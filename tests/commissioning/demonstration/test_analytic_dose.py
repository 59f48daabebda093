"""The pencil-beam formula in water: absolute number, place, width, range shifter."""

import numpy as np
import pytest

from dosewright.commissioning.demonstration.analytic_dose import PencilBeam, PlacedSlab
from dosewright.commissioning.demonstration.beams_eye import BeamsEyeView, Seen
from dosewright.commissioning.demonstration.water_depth_dose import DepthDose, range_in_water_mm
from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics, RangeShifter
from dosewright.core.frame import gantry_to_patient
from dosewright.core.grid import Grid, Image
from dosewright.core.units import MEV_PER_G_IN_GY
from dosewright.materials.library import named

X_COV = np.array([[9.0, 0.004], [0.004, 9e-6]])
Y_COV = np.array([[16.0, -0.006], [-0.006, 4e-6]])


def model(medium: str = "vacuum", scanning_mm: tuple[float, float] = (1900.0, 2300.0)) -> BeamModel:
    def at(energy: float) -> BeamAtEnergy:
        return BeamAtEnergy(energy, 0.6, (Optics(1.0, X_COV, Y_COV),), 1e8)

    return BeamModel("m", "M", "PROTON", 400.0, scanning_mm, (70.0, 200.0), at, medium)


def plane(half_mm: float, z_mm: float, water_mm: float, step_mm: float = 2.0) -> tuple[Seen, float]:
    """Points of a plane across the field, in isocentre coordinates, and the area each stands for there."""
    line = np.arange(-half_mm, half_mm + 1e-9, step_mm)
    x, y = (g.ravel() for g in np.meshgrid(line, line))
    return Seen(x, y, np.full(x.size, z_mm), np.full(x.size, water_mm)), step_mm**2


@pytest.mark.parametrize("z_mm", [0.0, 80.0])
def test_the_integral_over_a_plane_is_the_depth_dose(z_mm: float) -> None:
    pencil = PencilBeam.of(model(), 130.0, air_mm=0.0, slab=None)
    at, area = plane(120.0, z_mm, 70.0)
    dose = pencil.dose_per_proton_Gy(at, np.array([5.0]), np.array([-8.0]))[:, 0]
    shrink = (1900.0 - z_mm) / 1900.0 * (2300.0 - z_mm) / 2300.0
    expected = float(np.sum(DepthDose.of(130.0, 0.6).at(np.array(70.0))))
    assert dose.sum() * area * shrink / 100.0 / MEV_PER_G_IN_GY == pytest.approx(expected, rel=1e-3)


def test_all_spots_together_are_the_sum_of_single_ones() -> None:
    pencil = PencilBeam.of(model(), 130.0, air_mm=0.0, slab=None)
    at, _ = plane(30.0, 10.0, 70.0, 5.0)
    x, y = np.array([0.0, 6.0, 6.0, -12.0]), np.array([3.0, 3.0, -9.0, 0.0])
    protons = np.array([1.0, 3.0, 2.0, 5.0])
    single = pencil.dose_per_proton_Gy(at, x, y) @ protons
    assert pencil.dose_Gy(at, x, y, protons) == pytest.approx(single, rel=1e-12)


def test_optics_drift_from_the_model_plane() -> None:
    pencil = PencilBeam.of(model(), 130.0, air_mm=0.0, slab=None)
    way = 400.0 - 30.0
    x, y = (float(pencil.sigma2_mm2(axis, np.array(30.0), np.array(0.0))) for axis in (0, 1))
    assert x == pytest.approx(9.0 + 2 * way * 0.004 + way**2 * 9e-6)
    assert y == pytest.approx(16.0 - 2 * way * 0.006 + way**2 * 4e-6)


def test_a_range_shifter_pulls_the_range_and_widens_the_spot() -> None:
    shifter = RangeShifter("RS", named("G4_WATER"), 30.0, None)
    slab = PlacedSlab.of(shifter, 150.0)
    assert slab.water_mm == pytest.approx(30.0)
    without = PencilBeam.of(model(), 130.0, air_mm=0.0, slab=None)
    behind = PencilBeam.of(model(), 130.0, air_mm=0.0, slab=slab)
    assert behind.upstream_mm - without.upstream_mm == pytest.approx(30.0)
    assert without.deepest_mm - behind.deepest_mm == pytest.approx(30.0)
    near, far = (behind.sigma2_mm2(0, np.array(z), np.array(0.0)) for z in (150.0, 0.0))
    same, drift = (without.sigma2_mm2(0, np.array(z), np.array(0.0)) for z in (150.0, 0.0))
    # 130 MeV through 3 cm of water: about 12.7 mrad (Highland: 14.1/pv sqrt(t/X0) (1 + log10(t/X0)/9), pv = 231 MeV)
    highland = 14.1 / 231.0 * np.sqrt(30.0 / 360.8) * (1 + np.log10(30.0 / 360.8) / 9)
    assert np.sqrt(far - drift) == pytest.approx(highland * (150.0 + 15.0), rel=0.1)
    assert np.sqrt(near - same) == pytest.approx(highland * 30.0 / np.sqrt(3.0), rel=0.15)


def test_the_missing_thickness_of_a_range_shifter_follows_from_its_material() -> None:
    by_size = PlacedSlab.of(RangeShifter("RS", named("G4_PLEXIGLASS"), 30.0, None), 100.0)
    assert by_size.water_mm == pytest.approx(30.0 * 1.163, rel=0.01)  # PMMA, 1.19 g/cm3: PSTAR 0.9772 of water per g
    by_water = PlacedSlab.of(RangeShifter("RS", named("G4_PLEXIGLASS"), None, by_size.water_mm), 100.0)
    assert by_water.thickness_mm == pytest.approx(30.0)


def test_air_before_the_patient_takes_its_share_of_the_range() -> None:
    open_air = PencilBeam.of(model("air"), 130.0, air_mm=300.0, slab=None)
    assert open_air.upstream_mm == pytest.approx(300.0 * 0.00120479 * 0.88, rel=0.02)  # 0.88 of water per g (PSTAR)
    assert PencilBeam.of(model(), 130.0, air_mm=300.0, slab=None).upstream_mm == 0.0


@pytest.mark.parametrize(("gantry", "couch"), [(0.0, 0.0), (90.0, 0.0), (65.0, 335.0), (310.0, 20.0)])
def test_rays_measure_the_water_before_a_point(gantry: float, couch: float) -> None:
    """A water ball of radius 60 mm about the isocentre; the ray enters it where a sphere and a line meet."""
    isocenter = np.array([12.0, -7.0, 30.0])
    grid = Grid((80, 80, 80), (2.0, 2.0, 2.0), tuple(isocenter - 79.0))
    k, j, i = np.meshgrid(*[np.arange(80.0)] * 3, indexing="ij")
    away = np.linalg.norm(grid.to_patient(np.stack([i, j, k], axis=-1)) - isocenter, axis=-1)
    ball = Image(grid, (away < 60.0).astype(np.float32))
    to_patient = gantry_to_patient(gantry_deg=gantry, couch_deg=couch, patient_position="HFS", isocenter_mm=isocenter)
    half = np.array([50.0, 50.0])
    view = BeamsEyeView.through(ball, to_patient, (np.inf, np.inf), (-half, half))
    g, t = np.deg2rad([gantry, couch])
    source = np.array([np.sin(g) * np.cos(t), -np.cos(g), -np.sin(g) * np.sin(t)])  # HFS, IEC 61217
    across_x = np.array([np.cos(g) * np.cos(t), np.sin(g), -np.cos(g) * np.sin(t)])
    across_y = np.array([np.sin(t), 0.0, np.cos(t)])
    for x, y, z in ((0.0, 0.0, 0.0), (20.0, -10.0, 15.0), (-15.0, 25.0, -30.0)):
        point = isocenter + x * across_x + y * across_y + z * source
        seen = view.look(point[None, :])
        assert (seen.x_mm[0], seen.y_mm[0], seen.z_mm[0]) == pytest.approx((x, y, z), abs=1e-9)
        entry = np.sqrt(60.0**2 - x**2 - y**2)
        assert seen.water_mm[0] == pytest.approx(entry - z, abs=0.7)


def test_divergent_rays_meet_in_the_scanning_magnets() -> None:
    grid = Grid((60, 60, 60), (4.0, 4.0, 4.0), (-118.0, -118.0, -118.0))
    water = Image(grid, np.ones(grid.array_shape, np.float32))
    to_patient = gantry_to_patient(gantry_deg=0.0, couch_deg=0.0, patient_position="HFS", isocenter_mm=np.zeros(3))
    half = np.array([40.0, 40.0])
    view = BeamsEyeView.through(water, to_patient, (1900.0, 2300.0), (-half, half))
    seen = view.look(np.array([[30.0, -95.0, 20.0]]))  # 95 mm above the isocentre, spots at x 30 and y 20
    assert seen.x_mm[0] == pytest.approx(30.0 * 1900.0 / 1805.0)
    assert seen.y_mm[0] == pytest.approx(20.0 * 2300.0 / 2205.0)
    assert seen.water_mm[0] == pytest.approx(120.0 - 95.0, abs=0.1)
    assert np.isnan(view.look(np.array([[60.0, 0.0, 0.0]])).water_mm[0])


def test_the_deepest_point_is_behind_the_range() -> None:
    pencil = PencilBeam.of(model(), 130.0, air_mm=0.0, slab=None)
    reach = float(range_in_water_mm(130.0))
    assert reach < pencil.deepest_mm < reach + 15.0
