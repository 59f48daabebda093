"""Histograms against shapes whose dose-volume curve is known in closed form."""

import lzma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq

from dosewright.analysis.dvh import conformity, dvh, homogeneity, structure_dvh
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.mask import volume_fraction
from dosewright.core.structures import Structure
from dosewright.formats.dicom.dose import read_dose
from dosewright.formats.dicom.structures import read_structures

RADIUS, SLOPE, CENTRE_GY = 20.0, 0.2, 60.0
GRID = Grid((88, 86, 90), (0.5, 0.5, 0.5), (-21.8, -21.3, -22.4))
HALF_LAYER_GY = 0.5 * SLOPE * 0.5  # a voxel counts at the dose of its centre, so the curve has steps of a layer


def ring(radius, z):
    angle = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.full(720, z)], axis=1)


def sphere(spacing=0.5):
    heights = np.arange(-RADIUS + spacing / 2, RADIUS, spacing)
    return Structure(1, "sphere", "PTV", tuple(ring(np.sqrt(RADIUS**2 - z**2), z) for z in heights))


def cylinder(spacing=2.0):
    return Structure(2, "cylinder", "PTV", tuple(ring(RADIUS, z) for z in np.arange(-RADIUS + 1, RADIUS, spacing)))


def gradient(axis):
    shape = [1, 1, 1]
    shape[2 - axis] = -1
    along = CENTRE_GY + SLOPE * GRID.centres_mm(axis)
    return Image(GRID, np.broadcast_to(along.reshape(shape), GRID.array_shape).astype(np.float32))


def sphere_above(h):
    return (RADIUS - h) ** 2 * (2 * RADIUS + h) / (4 * RADIUS**3)


def disc_above(h):
    return (np.arccos(h / RADIUS) - h / RADIUS * np.sqrt(1 - (h / RADIUS) ** 2)) / np.pi


def cylinder_above(h):
    return (RADIUS - h) / (2 * RADIUS)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(
    ("structure", "volume_mm3", "above"),
    [
        (sphere(), 4 / 3 * np.pi * RADIUS**3, (sphere_above,) * 3),
        (cylinder(), 2 * np.pi * RADIUS**3, (disc_above, disc_above, cylinder_above)),
    ],
    ids=["sphere", "cylinder"],
)
def test_a_linear_dose_in_a_known_shape(structure, volume_mm3, above, axis):
    result = dvh(gradient(axis), volume_fraction(structure, GRID))
    assert result.volume_cm3 == pytest.approx(volume_mm3 / 1000, rel=5e-4)
    assert result.mean_Gy == pytest.approx(CENTRE_GY, abs=0.002)
    for percent in (2, 5, 25, 50, 75, 95, 98):
        height = brentq(lambda h: 100 * above[axis](h) - percent, -RADIUS, RADIUS)  # noqa: B023
        assert result.dose_at_volume(percent) == pytest.approx(CENTRE_GY + SLOPE * height, abs=HALF_LAYER_GY + 0.01)
        volume_cm3 = percent / 100 * result.volume_cm3
        assert result.dose_at_volume_cm3(volume_cm3) == pytest.approx(result.dose_at_volume(percent), abs=1e-9)
    for height in (-15.0, -5.0, 0.0, 10.0, 18.0):
        expected = 100 * above[axis](height)
        assert result.volume_at_dose(CENTRE_GY + SLOPE * height) == pytest.approx(expected, abs=1.05)
    assert result.min_Gy == pytest.approx(CENTRE_GY - SLOPE * RADIUS, abs=2 * HALF_LAYER_GY)
    assert result.max_Gy == pytest.approx(CENTRE_GY + SLOPE * RADIUS, abs=2 * HALF_LAYER_GY)


def test_a_uniform_dose():
    dose = Image(GRID, np.full(GRID.array_shape, 2.0))
    result = dvh(dose, volume_fraction(sphere(), GRID))
    assert result.mean_Gy == result.min_Gy == result.max_Gy == 2.0
    assert result.volume_at_dose(2.0) == 100.0
    assert result.volume_at_dose(2.02) == 0.0
    for percent in (0, 2, 50, 98, 100):
        assert result.dose_at_volume(percent) == pytest.approx(2.0, abs=0.0025)


def test_small_doses_get_a_curve_of_their_own():
    dose = Image(GRID, gradient(2).values * 1e-12)
    result = dvh(dose, volume_fraction(cylinder(), GRID))
    assert result.dose_at_volume(50) == pytest.approx(60e-12, rel=2e-3)
    assert len(result.dose_Gy) > 1000


def test_no_dose_at_all():
    result = dvh(Image(GRID, np.zeros(GRID.array_shape)), volume_fraction(sphere(), GRID))
    assert result.volume_at_dose(0.0) == 100.0
    assert result.volume_at_dose(0.01) == 0.0
    assert result.mean_Gy == result.max_Gy == 0.0


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 10_000), percent=st.floats(0.0, 100.0), size=st.integers(1, 40))
def test_curves_agree_with_sorted_voxels(seed, percent, size):
    rng = np.random.default_rng(seed)
    grid = Grid((size, 1, 1), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0))
    values, share = rng.uniform(0, 70, (1, 1, size)), rng.uniform(0.01, 1, (1, 1, size))
    result = dvh(Image(grid, values), share)
    assert np.all(np.diff(result.volume_cm3_at) <= 0)
    assert np.all(np.diff(result.dose_Gy) <= 0.01 + 1e-9)
    order = np.argsort(-values.ravel())
    reached = np.cumsum(share.ravel()[order])
    wanted = percent / 100 * share.sum()
    if np.abs(reached - wanted).min() > 1e-6:
        exact = values.ravel()[order][np.searchsorted(reached, wanted)]
        assert result.dose_at_volume(percent) == pytest.approx(exact, abs=0.0101)
    level = rng.uniform(0, 70)
    if np.abs(values - level).min() > 0.011:
        assert result.volume_at_dose(level) == pytest.approx(100 * share[values >= level].sum() / share.sum(), abs=1e-6)
    assert result.mean_Gy == pytest.approx(float((values * share).sum() / share.sum()))


def test_volumes_beyond_the_structure_have_no_dose():
    result = dvh(gradient(2), volume_fraction(sphere(), GRID))
    assert np.isnan(result.dose_at_volume_cm3(result.volume_cm3 + 0.1))
    assert result.dose_at_volume(0) == pytest.approx(64.0, abs=0.15)
    assert result.dose_at_volume(100) == pytest.approx(56.0, abs=0.15)


def test_refusals():
    dose, fraction = gradient(2), volume_fraction(sphere(), GRID)
    broken = Image(GRID, np.full(GRID.array_shape, np.nan))
    for given_dose, given_fraction, width in (
        (dose, np.zeros(GRID.array_shape), 0.01),
        (dose, fraction[1:], 0.01),
        (dose, fraction, 0.0),
        (broken, fraction, 0.01),
    ):
        with pytest.raises(InputError):
            dvh(given_dose, given_fraction, width)
    for wrong in (-1.0, 100.1):
        with pytest.raises(InputError):
            dvh(dose, fraction).dose_at_volume(wrong)


COARSE = Grid((30, 30, 30), (2.5, 2.5, 2.5), (-36.3, -36.2, -36.4))


def coarse_gradient(direction):
    index = np.stack(np.meshgrid(*(np.arange(30),) * 3, indexing="ij"), -1)[..., ::-1].astype(float)
    along = COARSE.to_patient(index) @ (np.array(direction) / np.linalg.norm(direction))
    return Image(COARSE, CENTRE_GY + SLOPE * along)


def small(radius, spacing):
    heights = np.arange(-radius + spacing / 2, radius, spacing)
    return Structure(3, "small", "ORGAN", tuple(ring(np.sqrt(radius**2 - z**2), z) for z in heights))


def cone(spacing=0.5):
    """A cone along z, tip up, of radius and height 20 mm."""
    heights = np.arange(spacing / 2, RADIUS, spacing)
    return Structure(4, "cone", "ORGAN", tuple(ring(RADIUS - z, z) for z in heights))


@pytest.mark.parametrize("direction", [(1, 0, 0), (0, 0, 1), (1, 2, 2)])
@pytest.mark.parametrize(("radius", "spacing"), [(20.0, 0.5), (5.0, 0.25), (1.0, 0.1), (0.5, 0.1)])
def test_spheres_down_to_a_fraction_of_a_voxel(radius, spacing, direction):
    """On a dose grid of 2.5 mm: D_x within a hundredth of the range of doses or 0.03 mm, volume within 1.2 percent."""
    found = structure_dvh(coarse_gradient(direction), small(radius, spacing))
    assert found.volume_cm3 == pytest.approx(4 / 3 * np.pi * radius**3 / 1000, rel=0.012)
    assert found.mean_Gy == pytest.approx(CENTRE_GY, abs=0.01 * SLOPE * radius)
    for percent in (98, 95, 50, 5, 2):
        h = brentq(lambda t, p=percent: (1 - t) ** 2 * (2 + t) / 4 - p / 100, -1, 1) * radius
        assert found.dose_at_volume(percent) == pytest.approx(
            CENTRE_GY + SLOPE * h, abs=max(0.02 * SLOPE * radius, 0.006)
        )


def test_a_cone_along_a_gradient():
    """Volume above a height h of a cone: (1 - h/H)^3."""
    found = structure_dvh(coarse_gradient((0, 0, 1)), cone())
    assert found.volume_cm3 == pytest.approx(np.pi * RADIUS**3 / 3000, rel=0.005)
    for percent in (98, 95, 50, 5, 2):
        height = RADIUS * (1 - (percent / 100) ** (1 / 3))
        assert found.dose_at_volume(percent) == pytest.approx(CENTRE_GY + SLOPE * height, abs=0.05)


def test_a_lone_plane_is_as_thick_as_a_slice_and_a_wide_gap_stays_open():
    lone = structure_dvh(coarse_gradient((1, 0, 0)), Structure(5, "lone", "", (ring(5.0, 0.0),)))
    assert lone.volume_cm3 == pytest.approx(np.pi * 25 * 2.5 / 1000, rel=0.01)
    heights = [-10.0, -8.0, -6.0, 6.0, 8.0, 10.0]
    gapped = structure_dvh(coarse_gradient((0, 0, 1)), Structure(6, "two", "", tuple(ring(5.0, z) for z in heights)))
    assert gapped.volume_cm3 == pytest.approx(np.pi * 25 * 12 / 1000, rel=0.01)
    low, high = (gapped.volume_at_dose(CENTRE_GY + SLOPE * z) for z in (-4.9, 4.9))
    assert low == pytest.approx(50.0, abs=0.5)
    assert high == pytest.approx(50.0, abs=0.5)


def test_homogeneity_and_conformity():
    found = structure_dvh(coarse_gradient((1, 0, 0)), small(20.0, 0.5))
    spread = found.dose_at_volume(2) - found.dose_at_volume(98)
    assert homogeneity(found) == pytest.approx(spread / CENTRE_GY, rel=0.01)
    whole = found.volume_cm3
    assert conformity(found, 50.0, whole) == pytest.approx(1.0)
    assert conformity(found, 50.0, 2 * whole) == pytest.approx(0.5)
    assert conformity(found, CENTRE_GY, whole) == pytest.approx(0.25, abs=0.01)
    assert conformity(found, 100.0, 0.0) == 0.0


@pytest.mark.parametrize("where", ["beside", "no contours", "a line"])
def test_structures_without_volume_are_refused(where):
    contours = {"beside": (ring(5.0, 0.0) + 900.0,), "no contours": (), "a line": (ring(5.0, 0.0)[:2],)}[where]
    with pytest.raises(InputError, match="thing"):
        structure_dvh(coarse_gradient((1, 0, 0)), Structure(7, "thing", "", contours))


# dicompyler-core 0.5.6, get_dvh without interpolation, bins of 0.01 Gy: volume (cm3), mean, D98, D95, D50, D2 (Gy).
# It counts pixels whose centre lies inside, so a small structure's volume is uncertain by about a percent.
DICOMPYLER = {
    "Heart": (440.231, 0.6475, 0.03, 0.04, 0.12, 2.71),
    "Tumor Bed": (13.069, 14.2917, 14.11, 14.13, 14.29, 14.48),
}


@pytest.mark.parametrize(("name", "expected"), DICOMPYLER.items())
def test_agrees_with_dicompyler(shared_data, tmp_path, name, expected):
    folder, unpacked = shared_data / "photon-varian-imrt-dicompyler", tmp_path / "rtdose.dcm"
    unpacked.write_bytes(lzma.decompress((folder / "rtdose.dcm.xz").read_bytes()))
    structure = read_structures(folder / "rtss.dcm").named(name)
    found = structure_dvh(read_dose(unpacked).image, structure)
    volume, mean, *doses = expected
    assert found.volume_cm3 == pytest.approx(volume, rel=0.01)
    assert found.mean_Gy == pytest.approx(mean, rel=0.002)
    for percent, dose in zip((98, 95, 50, 2), doses, strict=True):
        assert found.dose_at_volume(percent) == pytest.approx(dose, abs=0.015)
