"""Like with like: RBE, beams, fractions."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dosewright.core.grid import Grid, Image
from dosewright.core.plan import IonPlan
from dosewright.formats.dicom.dose import DicomDose
from dosewright.workflow.preprocess.tps_doses import TpsDose, comparable_doses, with_fractions_matched

GRID = Grid((4, 4, 4), (2, 2, 2), (0, 0, 0))


def image(value: float) -> Image:
    return Image(GRID, np.full(GRID.array_shape, value, np.float32))


def plan(*numbers: int) -> IonPlan:
    beams: Any = tuple(SimpleNamespace(number=n, name=f"B{n}") for n in numbers)
    return IonPlan("p", "1.2", "", "", 5, beams)


def dose(value: float, kind: str = "PHYSICAL", summation: str = "PLAN", number: int | None = None) -> DicomDose:
    return DicomDose(image(value), kind, summation, "1.2", number, "1.3", "1.4")


def test_the_rbe_is_divided_out_of_effective_doses_only_and_said() -> None:
    found = comparable_doses([dose(2.2, "EFFECTIVE"), dose(1.0, "PHYSICAL", "BEAM", 1)], plan(1, 2), 1.1)
    assert found.plan is not None
    assert found.plan.image.values.max() == pytest.approx(2.0)
    assert "divided by the RBE of 1.1" in found.plan.notes[0]
    assert found.beams[1].image.values.max() == pytest.approx(1.0)
    assert found.beams[1].notes == ()
    assert found.grid == GRID


def test_a_physical_dose_beats_an_effective_one_in_either_order() -> None:
    doses = [dose(2.2, "EFFECTIVE"), dose(1.9, "PHYSICAL")]
    for order in (doses, doses[::-1]):
        found = comparable_doses(order, plan(1), 1.1)
        assert found.plan is not None
        assert found.plan.image.values.max() == pytest.approx(1.9)


def test_doses_that_belong_to_no_beam_are_left_aside_aloud() -> None:
    doses = [dose(1, summation="BEAM", number=7), dose(1, summation="BEAM"), dose(1, "ERROR"), dose(1, summation="")]
    found = comparable_doses(doses, plan(1, 2), 1.1)
    assert found.plan is None
    assert found.beams == {}
    assert found.grid is None
    assert len(found.warnings) == 4


def test_a_beam_dose_without_number_belongs_to_the_only_beam() -> None:
    assert list(comparable_doses([dose(1, summation="BEAM")], plan(3), 1.1).beams) == [3]
    with_unread = replace(plan(3), unread_beams=((4, "B4"),))
    assert comparable_doses([dose(1, summation="BEAM")], with_unread, 1.1).beams == {}


def test_a_sum_of_several_plans_is_left_aside_aloud() -> None:
    of_several = replace(dose(1, summation="MULTI_PLAN"), plan_uid="")
    found = comparable_doses([of_several], plan(1), 1.1)
    assert found.plan is None
    assert "sums several plans" in found.warnings[0]
    assert comparable_doses([dose(1, summation="MULTI_PLAN")], plan(1), 1.1).plan is not None


@pytest.mark.parametrize(
    ("theirs", "factor", "said"), [(0.4, 5.0, "one fraction"), (2.0, 1.0, ""), (2.3, 1.0, ""), (10.0, 0.2, "5 times")]
)
def test_the_number_of_fractions_is_seen_in_the_size(theirs: float, factor: float, said: str) -> None:
    tps = comparable_doses([dose(theirs)], plan(1), 1.1).plan
    assert tps is not None
    matched = with_fractions_matched(tps, image(2.0), 5)
    assert matched.image.values.max() == pytest.approx(theirs * factor)
    assert (said in matched.notes[0]) if said else matched.notes == ()


def test_a_dose_wrong_by_another_factor_is_not_made_to_agree() -> None:
    tps = comparable_doses([dose(0.8)], plan(1), 1.1).plan
    assert tps is not None
    assert with_fractions_matched(tps, image(2.0), 5) is tps
    assert with_fractions_matched(tps, image(2.0), 1) is tps


def test_doses_in_different_places_are_not_made_to_agree() -> None:
    """Half the dose where the calculated one is high, but the same integral: displaced, not half the fractions."""
    ours, theirs = np.zeros(GRID.array_shape, np.float32), np.zeros(GRID.array_shape, np.float32)
    ours[:, :2], theirs[:, 1:3] = 2.0, 2.0
    tps = TpsDose(Image(GRID, theirs), 1, ())
    assert with_fractions_matched(tps, Image(GRID, ours), 2) is tps
