"""A CT as a phantom: means, regions, ramps and protocols."""

import numpy as np
import pytest

from dosewright.commissioning.ct_phantom import Region, ct_phantom
from dosewright.core.ct_ramp import CTCREATE_DEFAULT, DensityRamp
from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.matter import HounsfieldTable
from dosewright.materials.library import named

GRID = Grid((8, 6, 4), (1.0, 2.0, 5.0), (0.5, 1.0, 2.5))  # from 0 to 8, 12 and 20 mm
TABLE = HounsfieldTable(
    "two", np.array([-1000.0, 1000.0]), np.array([0.001, 2.001]), np.array([-1000.0, -500.0]), None,
    (named("G4_AIR"), named("SCHNEIDER_ADIPOSE_ADRENAL_1")),
)  # fmt: skip


def ct(values: object = None) -> Image:
    hu = np.zeros((4, 6, 8), np.int16)
    hu[..., :4] = -1000
    return Image(GRID, hu if values is None else np.asarray(values))


def test_the_voxels_of_the_ct_are_kept_without_a_size() -> None:
    made = ct_phantom(ct(), Region(), TABLE)
    assert made.phantom.shape == (8, 6, 4)
    assert made.phantom.edges_mm[1].tolist() == [0, 2, 4, 6, 8, 10, 12]
    assert made.phantom.media == ("G4_AIR", "SCHNEIDER_ADIPOSE_AD_002")
    assert made.renamed == {"SCHNEIDER_ADIPOSE_AD_002": "SCHNEIDER_ADIPOSE_ADRENAL_1"}
    assert made.phantom.numbers[0, 0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]
    assert made.phantom.density_g_cm3[0, 0] == pytest.approx([0.001] * 4 + [1.001] * 4, rel=1e-6)
    assert made.hu_range == (-1000, 0)


def test_a_voxel_has_the_mean_number_by_volume() -> None:
    made = ct_phantom(ct(), Region(voxel_mm=(3, 4, 10), low_mm=(0, 0, 0), high_mm=(8, 12, 20)), TABLE)
    assert made.phantom.shape == (2, 3, 2)
    # Second voxel: from 3 to 6 mm, a third of it air: -333 HU.
    assert made.phantom.density_g_cm3[0, 0] == pytest.approx([0.001, 0.668], rel=1e-3)
    assert made.said == ("Along x the phantom reaches from 0 to 6 mm, not from 0 to 8 mm: its voxels are whole.",)


def test_ramps_of_ctcreate() -> None:
    made = ct_phantom(ct(), Region(), None, CTCREATE_DEFAULT)
    assert made.phantom.media == ("AIR521ICRU", "ICRUTISSUE521ICRU")
    low = 0.001 + 24 / 50 * 0.043
    tissue = 0.302 + 724 / 825 * 0.799
    assert made.phantom.density_g_cm3[0, 0] == pytest.approx([low] * 4 + [tissue] * 4)
    shifted = ct_phantom(ct(), Region(), None, CTCREATE_DEFAULT, offset=-100.0)
    assert shifted.below == 4 * 6 * 4


def test_media_by_density() -> None:
    ramp = DensityRamp(("THIN", "DENSE"), np.array([0.0, 0.5]), np.array([0.5, 1.5]))
    made = ct_phantom(ct(), Region(), TABLE, ramp)
    assert made.phantom.media == ("THIN", "DENSE")
    assert made.phantom.numbers[0, 0].tolist() == [1, 1, 1, 1, 2, 2, 2, 2]


def test_a_ct_of_a_patient_on_the_stomach_is_turned_to_the_axes_of_the_patient() -> None:
    prone = Grid((8, 6, 4), (1.0, 2.0, 5.0), (7.5, 11.0, 2.5), np.diag([-1.0, -1.0, 1.0]))
    made = ct_phantom(Image(prone, ct().values[:, ::-1, ::-1]), Region(), TABLE)
    straight = ct_phantom(ct(), Region(), TABLE)
    np.testing.assert_array_equal(made.phantom.numbers, straight.phantom.numbers)
    np.testing.assert_allclose(made.phantom.edges_mm[0], straight.phantom.edges_mm[0], atol=1e-9)


def test_a_body_with_a_margin() -> None:
    hu = np.full((4, 6, 8), -1000, np.int16)
    hu[1:3, 2:4, 5] = 40
    made = ct_phantom(ct(hu), Region(body_margin_mm=1.5), TABLE)
    assert [(float(e[0]), float(e[-1])) for e in made.phantom.edges_mm] == [(4, 7), (4, 8), (5, 15)]
    with pytest.raises(InputError, match="denser than lung"):
        ct_phantom(ct(np.full((4, 6, 8), -1000)), Region(body_margin_mm=1.5), TABLE)


@pytest.mark.parametrize(
    ("region", "said"),
    [
        (Region(low_mm=(-1, 0, 0)), "along x reaches beyond the CT. Given: -1 to 8 mm. Allowed: 0 to 8 mm"),
        (Region(low_mm=(0, 5, 0), high_mm=(8, 5, 20)), "along y must ascend"),
        (Region(voxel_mm=(9, 1, 1)), "along x holds no voxel"),
        (Region(voxel_mm=(1, 0, 1)), "positive"),
        (Region(voxel_mm=(1e-3, 1e-3, 1e-3)), "too many voxels"),
        (Region(low_mm=(0.2, 0, 0), high_mm=(0.8, 12, 20)), "holds no voxel of the CT"),
    ],
)
def test_regions_that_do_not_fit_are_refused(region: Region, said: str) -> None:
    with pytest.raises(InputError, match=said):
        ct_phantom(ct(), region, TABLE)
