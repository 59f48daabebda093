"""Beams by name or number; radiation that is not calculated is refused."""

import numpy as np
import pytest

from dosewright.core.plan import EnergyLayer, IonBeam, IonPlan
from dosewright.workflow.preprocess.beams import refused_radiation, select_beams


def beam(number: int, name: str, **changes: object) -> IonBeam:
    layer = EnergyLayer(0, 150.0, np.zeros(1), np.zeros(1), np.ones(1))
    values: dict[str, object] = {
        "machine": "M",
        "radiation": "PROTON",
        "meterset_unit": "MU",
        "meterset": 1.0,
        "final_cumulative_weight": 1.0,
        "gantry_deg": 0.0,
        "couch_deg": 0.0,
        "pitch_deg": 0.0,
        "roll_deg": 0.0,
        "patient_position": "HFS",
        "isocenter_mm": (0.0, 0.0, 0.0),
        "layers": (layer,),
    }
    return IonBeam(number, name, **{**values, **changes})  # type: ignore[arg-type]


PLAN = IonPlan("p", "1.2", "", "", 5, (beam(1, "Left"), beam(2, "3"), beam(3, "Right, top"), beam(4, "right, TOP")))


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ((), [1, 2, 3, 4]),
        (("left",), [1]),
        (("2", "1"), [1, 2]),
        (("3",), [2]),  # a name beats a number
        (("Right, top",), [3]),
        (("1,2",), [1, 2]),
        (("Left, 4",), [1, 4]),
    ],
)
def test_selection(wanted: tuple[str, ...], numbers: list[int]) -> None:
    beams, problems = select_beams(PLAN, wanted)
    assert [b.number for b in beams] == numbers
    assert problems == ()


def test_unknown_and_ambiguous_beams_are_listed_together_beside_those_that_are_known() -> None:
    beams, problems = select_beams(PLAN, ["Lefft", "RIGHT, TOP", "1"])
    assert [b.number for b in beams] == [1]
    assert len(problems) == 2
    assert "Did you mean 'Left'" in problems[0]
    assert "has 2 beams" in problems[1]


def test_other_radiation_is_refused() -> None:
    assert str(refused_radiation(beam(1, "C", radiation="ION_6_12_6"))).startswith("Beam 1 'C'")
    assert refused_radiation(beam(2, "p")) is None
