"""Gamma per region, the ratio that nothing normalises, and doses that lie elsewhere."""

from dataclasses import replace

import numpy as np
import pytest

from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure
from dosewright.formats.text.site_settings import Calculation
from dosewright.workflow.postprocess.comparison import OTHER_WAY, Compared, compare, displacement_note, regions_on
from dosewright.workflow.postprocess.final_doses import FinalDose, singles
from dosewright.workflow.preprocess.tps_doses import TpsDose

GRID = Grid((24, 22, 20), (2.0, 2.0, 2.0), (-23.0, -21.0, -19.0))


def square(number: int, name: str, kind: str, half: float) -> Structure:
    corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
    levels = [z for z in GRID.centres_mm(2) if abs(z) <= half]
    return Structure(number, name, kind, tuple(np.array([(x, y, z) for x, y in corners]) for z in levels))


BODY, TARGET = square(1, "Body", "EXTERNAL", 16.0), square(2, "PTV", "PTV", 6.0)


def bump(scale: float = 1.0, x_mm: float = 0.0) -> Image:
    z, y, x = np.meshgrid(*(GRID.centres_mm(axis) for axis in (2, 1, 0)), indexing="ij")
    return Image(GRID, (scale * np.exp(-((x - x_mm) ** 2 + y**2 + z**2) / 200)).astype(np.float32))


def final(dose: Image) -> FinalDose:
    return FinalDose(dose, dose, Image(GRID, np.full(GRID.array_shape, 0.02, np.float32)))


GAMMAS = Calculation().gamma
REGIONS = regions_on(GRID, [BODY, TARGET], BODY)


def test_equal_doses_pass_everywhere_with_ratio_one() -> None:
    found = compare(Compared("Plan", final(bump()), TpsDose(bump(), None, ("said",))), REGIONS, BODY, GAMMAS)
    assert [g.criterion for g in found.gammas] == ["3 % / 3 mm global", "2 % / 2 mm global"]
    assert all(rate.pass_percent == 100 for g in found.gammas for rate in g.rates)
    assert [rate.region for rate in found.gammas[0].rates] == [
        "whole dose in Body",
        OTHER_WAY,
        "PTV",
        "outside PTV",
    ]
    assert found.ratio is not None
    assert found.ratio.ratio == pytest.approx(1)
    assert found.ratio.uncertainty == pytest.approx(0.02, rel=1e-3)
    assert found.notes == ("said",)


def test_a_wrong_absolute_dose_shows_in_the_ratio() -> None:
    found = compare(Compared("Plan", final(bump(1.04)), TpsDose(bump(), None, ())), REGIONS, BODY, GAMMAS)
    assert found.ratio is not None
    assert found.ratio.ratio == pytest.approx(1.04, rel=1e-4)
    target = found.gammas[1].rates[2]
    assert target.pass_percent is not None
    assert target.pass_percent < 100


def test_what_lies_outside_the_patient_is_not_compared() -> None:
    wild = bump()
    outside = np.where(REGIONS.external, singles(wild), np.float32(50.0))
    found = compare(Compared("Plan", final(Image(GRID, outside)), TpsDose(bump(), None, ())), REGIONS, BODY, GAMMAS)
    assert found.gammas[0].rates[0].pass_percent == 100
    assert found.ratio is not None
    assert found.ratio.ratio == pytest.approx(1)


def test_doses_in_different_places_are_told() -> None:
    found = compare(Compared("Beam 1", final(bump(x_mm=7.0)), TpsDose(bump(x_mm=-7.0), 1, ())), REGIONS, None, GAMMAS)
    assert "Do the planned dose and this plan belong together" in found.notes[0]
    assert compare(Compared("Beam 1", final(bump(x_mm=2.0)), TpsDose(bump(), 1, ())), REGIONS, BODY, GAMMAS).notes == ()


def test_air_and_noise_make_no_false_alarm() -> None:
    """Single particles stopping in a cavity make the highest doses, far from the target; 20 % noise elsewhere."""
    air = np.zeros(GRID.array_shape, bool)
    air[:, 3:8, 4:9] = True
    body = REGIONS.external & ~air
    random = np.random.default_rng(4)
    noisy = singles(bump()) * random.normal(1.0, 0.2, GRID.array_shape)
    spiked = np.where(air & (random.random(GRID.array_shape) < 0.3), 9.0, noisy).astype(np.float32)
    theirs = bump()
    assert displacement_note("Plan", Image(GRID, spiked), theirs, body) == ()
    assert displacement_note("Plan", Image(GRID, spiked), theirs, REGIONS.external) != ()
    moved = displacement_note("Plan", Image(GRID, np.roll(spiked, 6, axis=2)), theirs, body)
    assert "the doses lie" in moved[0]


def test_doses_are_placed_only_where_both_are_known() -> None:
    small = Grid((6, 6, 6), (2.0, 2.0, 2.0), (-5.0, -5.0, -5.0))
    part = Image(small, np.ones(small.array_shape, np.float32))
    lopsided = Image(GRID, np.where(np.arange(24) < 6, 5.0, 1.0).astype(np.float32) + 0 * singles(bump()))
    assert displacement_note("Plan", lopsided, part, REGIONS.external) == ()
    beside = Image(Grid((6, 6, 6), (2.0, 2.0, 2.0), (500.0, 0.0, 0.0)), part.values)
    assert "do not meet" in displacement_note("Plan", bump(), beside, REGIONS.external)[0]


def test_nothing_to_compare_is_said() -> None:
    nothing = replace(bump(), values=np.zeros(GRID.array_shape, np.float32))
    found = compare(Compared("Plan", final(bump()), TpsDose(nothing, None, ())), REGIONS, BODY, GAMMAS)
    assert found.gammas == ()
    assert found.ratio is None
    assert "no dose to compare" in found.notes[0]


def test_without_an_external_everything_is_compared() -> None:
    regions = regions_on(GRID, [TARGET], None)
    assert regions.whole == "whole dose"
    assert regions.external.all()


def test_noise_makes_one_direction_worse_and_the_other_better() -> None:
    noise = np.random.default_rng(1).normal(1.0, 0.12, GRID.array_shape)
    noisy = Image(GRID, (singles(bump()) * noise).astype(np.float32))
    found = compare(Compared("Plan", final(noisy), TpsDose(bump(), None, ())), REGIONS, BODY, GAMMAS)
    point_by_point, searched = (rate.pass_percent or 0.0 for rate in found.gammas[1].rates[:2])
    assert point_by_point < 97
    assert searched > point_by_point + 2
