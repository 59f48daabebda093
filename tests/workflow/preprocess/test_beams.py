"""Beams by name or number; radiation that is not calculated is refused."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
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
    assert [b.number for b in select_beams(PLAN, wanted)] == numbers


def test_unknown_and_ambiguous_beams_are_listed_together() -> None:
    with pytest.raises(InputError) as refused:
        select_beams(PLAN, ["Lefft", "RIGHT, TOP"])
    assert len(refused.value.problems) == 2
    assert "Did you mean 'Left'" in str(refused.value)
    assert "has 2 beams" in str(refused.value)


def test_other_radiation_is_refused() -> None:
    assert refused_radiation([beam(1, "C", radiation="ION_6_12_6"), beam(2, "p")])[0].startswith("Beam 1 'C'")
    assert refused_radiation([beam(2, "p")]) == []
