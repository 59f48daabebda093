"""A delivery made ready: what is refused before anything runs, and what each step is divided into."""

from pathlib import Path

import numpy as np
import pytest
from tests.workflow.treatment.inputs import BEAM, FIELD, WATER, treatment

from dosewright.core.errors import InputError
from dosewright.core.grid import Grid, Image
from dosewright.core.solids import Box
from dosewright.formats.dose.mhd import write_mhd

CT = (
    "region: ct ; CTscan = ct.mhd ; O = [0,0,10] ; score = [dose]\n"
    "matColumns: HU rho H O\nmat: -1000 0.001 11 89\nmat: 100 1.1 11 89\n"
)


def problems(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as refused:
        treatment(folder, text)
    return "\n".join(refused.value.problems)


def ct(folder: Path, numbers: np.ndarray) -> None:
    nz, ny, nx = numbers.shape
    write_mhd(folder / "ct.mhd", Image(Grid((nx, ny, nz), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0)), numbers), dtype="i2")


def test_everything_that_cannot_be_done_is_told_at_once(tmp_path: Path) -> None:
    text = WATER + FIELD + BEAM + "lTracking_nuc_el = f\npb: 2 1 ; particle = C12 ; N = 1\n"
    found = problems(tmp_path, text + "region: hole ; O = [50,0,0] ; material = blackhole\n")
    for words in ("lTracking_nuc_el", "only protons", "blackhole"):
        assert words in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("region: a ; material = water\n" + FIELD + BEAM, "No region scores"),
        ("region: a ; material = vacuum ; score = [dose]\n" + FIELD + BEAM, "Nothing can be scored in the vacuum"),
        (WATER + FIELD + "pb: 1 1 ; N = 0\n", "No particle is delivered"),
        (WATER + FIELD + BEAM + "region: b ; O = [0,0,-1] ; L = [4,4,4] ; material = air\n", "reaches into the box"),
        (WATER + FIELD + BEAM + "region: b ; O = [0,0,10] ; material = air\n", "reaches into the box"),
        (
            WATER + FIELD + BEAM + "region: b ; O=[0,0,-5] ; L=[2,2,2] ; material=air\n"
            "region: c ; O=[1,0,-5] ; L=[2,2,2] ; material=air\n",
            "overlap",
        ),
        (WATER + FIELD + BEAM + "region: g ; lAdaptiveSize = t ; material = PMMA\n", "takes the size of what"),
        (WATER.replace("phantom", "../phantom") + FIELD + BEAM, "cannot name a file"),
        (WATER + FIELD + BEAM + "lUseInternalHU2Mat = t\n", "own HU table"),
    ],
)  # fmt: skip
def test_what_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in problems(tmp_path, text)


def test_a_ct_takes_densities_of_the_hu_table(tmp_path: Path) -> None:
    numbers = np.zeros((4, 3, 2), np.int16)
    numbers[0, 1, 1], numbers[3] = -450, 100
    ct(tmp_path, numbers)
    (portion,) = treatment(tmp_path, CT + FIELD + BEAM).portions
    density = portion.voxels.density_g_cm3
    assert density.shape == (4, 3, 2)
    assert density[0, 1, 1] == pytest.approx(0.001 + 0.5 * 1.099) and density[3, 0, 0] == pytest.approx(1.1)
    np.testing.assert_allclose(portion.voxels.frame.translation, [0, 0, 100])
    np.testing.assert_allclose(portion.voxels.edges_mm[2], [-20, -10, 0, 10, 20])


def test_numbers_beyond_the_table_are_refused_or_clamped_and_told(tmp_path: Path) -> None:
    ct(tmp_path, np.full((2, 2, 2), 101, np.int16))
    assert "8 voxels above 100 HU" in problems(tmp_path, CT + FIELD + BEAM)
    found = treatment(tmp_path, CT + FIELD + BEAM + "lAllowHUClamping = t\n")
    assert any("8 voxels above 100 HU took the end" in one for one in found.said)


def test_two_regions_that_score_are_two_runs_and_a_ct_stands_alone(tmp_path: Path) -> None:
    plate = "region: plate ; O = [0,0,-5] ; L = [10,10,3] ; material = PMMA ; score = [Dose, LETd]\n"
    found = treatment(tmp_path, WATER + FIELD + BEAM + plate)
    first, second = found.portions
    assert (first.region, [one.id for one in first.around.devices], first.around.parts) == ("phantom", ["plate"], ())
    assert (second.region, [one.name for one in second.around.parts]) == ("plate", ["phantom"])  # it is behind
    assert len({one.seed for one in found.portions}) == 2
    assert found.scored["plate"] == ("dose", "letd") and found.portions[1].settings.let
    ct(tmp_path, np.zeros((2, 2, 2), np.int16))
    assert "one CT" in problems(tmp_path, CT + FIELD + BEAM + plate)


def test_seeds_differ_by_step_field_and_seed(tmp_path: Path) -> None:
    text = WATER + FIELD + BEAM + "deliver: all\ndeliver: all\n"
    seeds = [one.seed for seed in (1, 2) for one in treatment(tmp_path, text, seed).portions]
    assert len(set(seeds)) == 4


def test_a_region_lies_in_the_smallest_around_it_and_all_in_the_room(tmp_path: Path) -> None:
    boxes = (
        "region: Room ; material = air\n"
        "region: outer ; O = [0,0,-10] ; L = [10,10,10] ; material = vacuum\n"
        "region: inner ; O = [0,1,-10] ; L = [4,4,4] ; material = PMMA\n"
        "transform: inner rotate y 45 self\n"
    )
    (portion,) = treatment(tmp_path, WATER + FIELD + BEAM + boxes).portions
    by_name = {part.name: part for part in portion.around.parts}
    assert {name: part.parent for name, part in by_name.items()} == {"Room": None, "outer": "Room", "inner": "outer"}
    assert by_name["inner"].placement.centre_mm == pytest.approx((0.0, 10.0, 0.0))
    assert by_name["outer"].material is None
    room = by_name["Room"].shape
    assert isinstance(room, Box) and room.size_mm == pytest.approx((220.0, 220.0, 700.0))


def test_what_is_scored_and_not_done_is_told(tmp_path: Path) -> None:
    text = WATER.replace("[dose]", "[dose, spectra] ; lWriteDensity = t ; scoreij = [LETd]")
    found = treatment(tmp_path, text + FIELD + BEAM)
    assert found.scored["phantom"] == ("dose", "letd")
    assert any("spectra, lWriteDensity asked for and not written" in one for one in found.said)
    assert any("scoreij" in one for one in found.said)


def test_a_region_that_is_never_there_is_told(tmp_path: Path) -> None:
    second = "region: plate ; O = [0,0,-5] ; L = [10,10,3] ; material = PMMA ; score = [Dose]\ndeactivate: plate\n"
    found = treatment(tmp_path, WATER + FIELD + BEAM + second)
    assert [one.region for one in found.portions] == ["phantom"]
    assert any("plate is there in no step" in one for one in found.said)


def test_histories_are_whole_batches_that_can_be_continued(tmp_path: Path) -> None:
    (portion,) = treatment(tmp_path, WATER + FIELD + BEAM + "nprim = 1010\n").portions
    assert (portion.batch, portion.whole(1010), portion.whole(2020)) == (51, 1020, 2040)
