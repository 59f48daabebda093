"""CT to voxels: the table, air outside, overrides in order, the crop, and what is said about it."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.matter import HounsfieldTable, Material
from dosewright.core.structures import Structure, StructureSet
from dosewright.geometry.patient import patient_voxels
from dosewright.geometry.patient_report import Patient
from dosewright.geometry.water_patient import water_in_external

SOFT = Material("Soft", 1.05, {1: 0.1, 6: 0.2, 8: 0.7})
BONE = Material("Bone", 1.8, {1: 0.03, 6: 0.2, 8: 0.45, 20: 0.32})
TITANIUM = Material("Titanium", 4.54, {22: 1.0})
TABLE = HounsfieldTable(
    "test",
    density_hu=np.array([-1000.0, 0.0, 1000.0]),
    density_g_cm3=np.array([0.001, 1.0, 2.0]),
    lower_hu=np.array([-1000.0, 200.0]),
    upper_hu=None,
    materials=(SOFT, BONE),
)
GRID = Grid((40, 30, 20), (2.0, 2.0, 3.0), (-40.0, -30.0, 0.0))


def box(number: int, name: str, kind: str, low: tuple[float, ...], high: tuple[float, ...]) -> Structure:
    """A rectangle on every CT plane between two heights."""
    planes = [z for z in GRID.centres_mm(2) if low[2] <= z <= high[2]]
    (x0, y0, _), (x1, y1, _) = low, high
    return Structure(
        number, name, kind, tuple(np.array([(x0, y0, z), (x1, y0, z), (x1, y1, z), (x0, y1, z)]) for z in planes)
    )


EXTERNAL = box(1, "BODY", "EXTERNAL", (-21.0, -15.0, 15.0), (19.0, 17.0, 33.0))  # 20 x 16 x 7 voxels
COUCH = box(2, "Couch", "SUPPORT", (-39.0, 19.0, 15.0), (37.0, 25.0, 33.0))
CLIP = box(3, "Clip", "ORGAN", (-1.0, -1.0, 21.0), (7.0, 7.0, 27.0))  # 4 x 4 x 3 voxels
PLATE = box(4, "Plate", "ORGAN", (3.0, -1.0, 21.0), (11.0, 7.0, 27.0))  # overlaps half of it


def structures(*members: Structure) -> StructureSet:
    return StructureSet("1.2.3", "1.2.4", members)


def ct(dtype: type = np.int16, fill: float = 0) -> Image:
    return Image(GRID, np.full(GRID.array_shape, fill, dtype))


def at(patient: Patient, x: float, y: float, z: float) -> tuple[str, float]:
    i, j, k = np.round(patient.report.grid.to_index(np.array([x, y, z]))).astype(int)
    v = patient.voxels
    return v.materials[v.material[k, j, i]].name, float(v.density_g_cm3[k, j, i])


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_table_inside_and_air_outside(dtype: type) -> None:
    image = ct(dtype)
    image.values[8, 15, 20] = 600  # type: ignore[index]
    patient = patient_voxels(image, TABLE, structures(EXTERNAL))
    assert at(patient, 0, 0, 24) == ("Bone", pytest.approx(1.6))
    assert at(patient, 2, 0, 24) == ("Soft", pytest.approx(1.0))
    assert at(patient, -24, 0, 24) == ("G4_AIR", pytest.approx(0.00120479))
    assert patient.voxels.density_g_cm3.dtype == np.float32
    assert sum(m.voxels for m in patient.report.materials if m.name != "G4_AIR") == 20 * 16 * 7
    assert patient.report.hu_range == (0.0, 600.0)


def test_voxels_lie_where_the_ct_lies() -> None:
    patient = patient_voxels(ct(), TABLE, structures(EXTERNAL))
    first = patient.voxels.frame.points(np.zeros(3))
    assert first == pytest.approx(patient.report.grid.corner_mm)
    assert (GRID.to_index(np.array(patient.report.grid.origin_mm)) % 1.0) == pytest.approx([0, 0, 0], abs=1e-9)


def test_a_ct_with_reversed_axes_gives_the_same_patient() -> None:
    """Feet-first scans run along -x and -z of the patient: the same head, the same places."""
    values = np.random.default_rng(4).integers(-100, 900, GRID.array_shape).astype(np.int16)
    turned = np.diag([-1.0, 1.0, -1.0])
    last = GRID.to_patient(np.array([GRID.shape[0] - 1.0, 0.0, GRID.shape[2] - 1.0]))
    grid = Grid(GRID.shape, GRID.spacing_mm, tuple(last), turned)  # type: ignore[arg-type]
    straight = patient_voxels(Image(GRID, values), TABLE, structures(EXTERNAL, CLIP), [("Clip", TITANIUM)])
    reversed_ = patient_voxels(
        Image(grid, values[::-1, :, ::-1].copy()), TABLE, structures(EXTERNAL, CLIP), [("Clip", TITANIUM)]
    )
    for p in np.random.default_rng(5).uniform([-18, -12, 18], [16, 14, 30], (200, 3)):
        x, y, z = GRID.to_patient(np.round(GRID.to_index(p)))
        assert at(reversed_, x, y, z) == at(straight, x, y, z)


def test_crop_is_external_with_margin_and_the_dose_grid() -> None:
    patient = patient_voxels(ct(), TABLE, structures(EXTERNAL))
    low, high = np.array([-21.0 - 10, -15.0 - 10, 15.0 - 10]), np.array([19.0 + 10, 17.0 + 10, 33.0 + 10])
    corners = patient.report.grid.corners_mm()
    assert np.all(corners.min(axis=0) <= low) and np.all(corners.min(axis=0) > low - GRID.spacing_mm)
    assert np.all(corners.max(axis=0) >= high) and np.all(corners.max(axis=0) < high + GRID.spacing_mm)
    keep = Grid((5, 5, 5), (2.0, 2.0, 2.0), (28.0, 0.0, 2.0))
    wider = patient_voxels(ct(), TABLE, structures(EXTERNAL), keep=keep).report.grid.corners_mm()
    assert wider.max(axis=0)[0] >= 37.0 and wider.min(axis=0)[2] <= 1.0


def test_a_couch_stays_whole_and_keeps_its_ct() -> None:
    image = ct(fill=-1000)
    image.values[:, 10:28, :] = 100  # type: ignore[index]
    patient = patient_voxels(image, TABLE, structures(EXTERNAL, COUCH))
    assert at(patient, -36, 22, 24) == ("Soft", pytest.approx(1.1))
    assert at(patient, -36, 0, 24)[0] == "G4_AIR"
    assert any("Couch (SUPPORT)" in s for s in patient.report.assumptions)


def test_a_couch_that_is_not_in_the_ct_is_doubted() -> None:
    image = ct(fill=-1000)
    image.values[:, :24, :] = 0  # type: ignore[index]
    doubt = "Couch (SUPPORT) reads as air"
    assert any(doubt in w for w in patient_voxels(image, TABLE, structures(EXTERNAL, COUCH)).report.warnings)
    given = patient_voxels(image, TABLE, structures(EXTERNAL, COUCH), [("Couch", SOFT)])
    assert not any(doubt in w for w in given.report.warnings)
    assert at(given, -36, 22, 24) == ("Soft", pytest.approx(1.05))


def test_an_external_full_of_air_is_doubted() -> None:
    report = patient_voxels(ct(fill=-1000), TABLE, structures(EXTERNAL)).report
    assert any("do not belong to this CT" in w for w in report.warnings)


def test_clamped_voxels_are_counted_inside_the_patient_only() -> None:
    image = ct(fill=-3000)
    inside = np.s_[5:12, 7:24, 9:30]
    image.values[inside] = 10  # type: ignore[index]
    image.values[8, 15, 20:23] = 1500  # type: ignore[index]
    image.values[8, 16, 20] = -1200  # type: ignore[index]
    report = patient_voxels(image, TABLE, structures(EXTERNAL)).report
    assert (report.clamped_below, report.clamped_above) == (1, 3)
    assert report.hu_range == (-1200.0, 1500.0)
    assert sum("CT protocol 'test' and were given its end value" in w for w in report.warnings) == 2


def test_later_overrides_win_and_overlaps_are_counted() -> None:
    image = ct()
    image.values[7:10, 15:18, 20:22] = 3000  # type: ignore[index]  # an artefact below the clip: not read, not counted
    patient = patient_voxels(image, TABLE, structures(EXTERNAL, CLIP, PLATE), [("Clip", TITANIUM), ("Plate", SOFT)])
    clip, plate = patient.report.overrides
    assert (clip.voxels, clip.lost, clip.outside) == (2 * 4 * 3, {"Plate": 2 * 4 * 3}, 0)
    assert (plate.voxels, plate.lost) == (4 * 4 * 3, {})
    assert at(patient, 0, 2, 24) == ("Titanium", pytest.approx(4.54))
    assert at(patient, 4, 2, 24) == ("Soft", pytest.approx(1.05))
    assert patient.report.clamped_above == 0
    said = [use.sentence for use in patient.report.overrides]
    assert any("24 voxels overlap with Plate, which comes later and wins" in s for s in said)
    other = patient_voxels(image, TABLE, structures(EXTERNAL, CLIP, PLATE), [("Plate", SOFT), ("Clip", TITANIUM)])
    assert at(other, 4, 2, 24)[0] == "Titanium"


def test_an_override_outside_the_patient_counts_and_says_so() -> None:
    bag = box(9, "Bag", "ORGAN", (19.0, 0.0, 21.0), (25.0, 6.0, 27.0))
    patient = patient_voxels(ct(), TABLE, structures(EXTERNAL, bag), [("Bag", TITANIUM)])
    assert at(patient, 22, 2, 24)[0] == "Titanium"
    assert patient.report.overrides[0].outside == patient.report.overrides[0].voxels == 3 * 3 * 3


def test_only_materials_that_occur_are_listed() -> None:
    patient = patient_voxels(ct(), TABLE, structures(EXTERNAL))
    assert {m.name for m in patient.voxels.materials} == {"Soft", "G4_AIR"}


def test_without_external_the_whole_ct_is_used_and_said() -> None:
    for given in (None, structures(CLIP)):
        report = patient_voxels(ct(), TABLE, given).report
        assert report.grid.matches(GRID)
        assert any("whole CT is used" in w for w in report.warnings)


def test_two_externals_are_refused() -> None:
    twin = box(8, "BODY2", "EXTERNAL", (-1.0, -1.0, 21.0), (7.0, 7.0, 27.0))
    with pytest.raises(InputError, match=r"more than one EXTERNAL.*'BODY', 'BODY2'"):
        patient_voxels(ct(), TABLE, structures(EXTERNAL, twin))


def test_an_empty_second_external_does_not_count() -> None:
    patient_voxels(ct(), TABLE, structures(EXTERNAL, Structure(8, "old", "EXTERNAL", ())))


def test_an_external_beside_the_ct_is_refused() -> None:
    away = Structure(1, "BODY", "EXTERNAL", tuple(c + 500.0 for c in EXTERNAL.contours))
    with pytest.raises(InputError, match="beside the CT"):
        patient_voxels(ct(), TABLE, structures(away))


def test_dose_grid_and_external_beyond_the_ct_are_said_aloud() -> None:
    keep = Grid((10, 10, 10), (2.0, 2.0, 2.0), (30.0, 0.0, 0.0))
    report = patient_voxels(ct(), TABLE, structures(EXTERNAL), keep=keep).report
    assert any("dose grid reaches beyond the CT (10.0 mm left)" in w for w in report.warnings)
    cut = Structure(1, "BODY", "EXTERNAL", tuple(c - np.array([30.0, 0.0, 0.0]) for c in EXTERNAL.contours))
    report = patient_voxels(ct(), TABLE, structures(cut)).report
    assert any("EXTERNAL reaches beyond the CT (10.0 mm right)" in w for w in report.warnings)


def test_a_gap_in_the_external_is_said_aloud() -> None:
    torn = Structure(1, "BODY", "EXTERNAL", EXTERNAL.contours[:2] + EXTERNAL.contours[4:])  # 18 mm, then 27 mm
    report = patient_voxels(ct(), TABLE, structures(torn)).report
    assert any("BODY (EXTERNAL) has no contours between 18.0 and 27.0 mm" in w for w in report.warnings)
    assert not any(
        "no contours between" in w for w in patient_voxels(ct(), TABLE, structures(EXTERNAL)).report.warnings
    )


def test_all_problems_of_overrides_are_listed_together() -> None:
    empty = Structure(7, "Empty", "ORGAN", ())
    wrong = [("Klip", TITANIUM), ("Empty", SOFT), ("Clip", SOFT), ("Clip", BONE)]
    with pytest.raises(InputError) as caught:
        patient_voxels(ct(), TABLE, structures(EXTERNAL, CLIP, empty), wrong)
    assert len(caught.value.problems) == 3
    assert "Did you mean 'Clip'?" in caught.value.problems[0]
    with pytest.raises(InputError, match="there is none"):
        patient_voxels(ct(), TABLE, None, [("Clip", SOFT)])


def test_hounsfield_numbers_that_are_not_finite_are_refused() -> None:
    image = ct(np.float32)
    image.values[8, 15, 20] = np.nan  # type: ignore[index]
    with pytest.raises(InputError, match="not finite"):
        patient_voxels(image, TABLE, structures(EXTERNAL))


def test_water_in_external_has_the_mass_of_the_external() -> None:
    dose = Grid((8, 8, 6), (3.0, 3.0, 3.0), (-12.2, -10.4, 18.0))
    patient = water_in_external(structures(EXTERNAL, COUCH), dose)
    grid = patient.report.grid
    assert np.all(grid.corners_mm().min(axis=0) <= [-31.0, -25.0, 5.0])
    assert np.all(grid.corners_mm().max(axis=0) >= [29.0, 27.0, 43.0])
    assert (dose.to_index(np.array(grid.origin_mm)) % 1.0) == pytest.approx([0, 0, 0], abs=1e-6)
    air = 0.00120479
    water = (patient.voxels.density_g_cm3.astype(float).sum() - air * grid.size) / (1 - air)
    assert water * grid.voxel_volume_cm3 == pytest.approx(4.0 * 3.2 * 2.1, rel=0.004)  # 1.5 mm of end caps each
    # Along every row inside, the water adds up to the width of the EXTERNAL: what a beam crosses is right.
    row = patient.voxels.density_g_cm3[grid.shape[2] // 2, grid.shape[1] // 2].astype(float)
    assert 3.0 * (row.sum() - air * row.size) / (1 - air) == pytest.approx(40.0, abs=0.01)
    assert any("There is no CT" in w for w in patient.report.warnings)
    assert any("Couch" in w and "left out" in w for w in patient.report.warnings)


def test_without_ct_an_external_is_needed() -> None:
    with pytest.raises(InputError, match="none has contours"):
        water_in_external(structures(CLIP), GRID)
