"""Whether the spot weights of a beam add up to what its control points and totals say."""

from typing import Final

import numpy as np

from dosewright.formats.dicom.attributes import Attributes
from dosewright.formats.dicom.conformance import Read, declared
from dosewright.formats.dicom.control_points import Delivery
from dosewright.formats.dicom.sop_classes import RT_ION_PLAN

LAYER_TOLERANCE: Final = 1e-3  # relative; float32 spot weights and rounded cumulative weights stay far below
TOTAL_TOLERANCE: Final = 1e-2  # relative; beyond it the absolute dose of the beam is not known

READS: Final = declared(
    (RT_ION_PLAN,),
    "IonBeamSequence",
    [
        Read(
            "FinalCumulativeMetersetWeight",
            "meterset of a spot = its weight x BeamMeterset / this; more than 1 % from the sum of the spot weights is "
            "refused, more than 0.1 % is said",
            "test_ion_plan.py::test_the_total_of_the_weights",
            assumes="the sum of the spot weights",
        )
    ],
)


def final_weight(beam: Attributes, delivery: Delivery, warnings: list[str], name: str) -> float:
    """Return FinalCumulativeMetersetWeight, checked against the spot weights; adds problems and warnings."""
    total = float(delivery.sums.sum())
    final = beam.number("FinalCumulativeMetersetWeight")
    if total == 0:
        return 0.0
    if not final:
        warnings.append(
            f"Beam {name} states no final cumulative meterset weight; the sum of its spot weights, {total:g}, is taken."
        )
        return total
    if final < 0 or abs(total / final - 1) > TOTAL_TOLERANCE:
        beam.problem(
            "The spot weights do not add up to FinalCumulativeMetersetWeight, so the meterset of a spot is not known; "
            "export the plan again",
            given=f"sum {total:.8g}",
            allowed=f"{final:.8g}",
        )
        return final
    if abs(total / final - 1) > LAYER_TOLERANCE:
        warnings.append(
            f"The spot weights of beam {name} add up to {total:.6g}, not to its final cumulative meterset weight "
            f"{final:.6g}; spot metersets are weight x beam meterset / {final:.6g}."
        )
    _check_layers(delivery, final, warnings, name)
    return final


def _check_layers(delivery: Delivery, final: float, warnings: list[str], name: str) -> None:
    cumulative = delivery.cumulative
    if np.all(np.isnan(cumulative)):
        warnings.append(
            f"Beam {name} states no cumulative meterset weights; its spot weights cannot be checked by layer."
        )
        return
    steps = np.diff(np.append(cumulative, final))
    known = np.isfinite(steps)
    apart = np.abs(steps - delivery.sums)[known]
    usual = delivery.sums.sum() / len(delivery.layers)  # a rounded cumulative weight must not alarm at an empty step
    allowed = LAYER_TOLERANCE * np.maximum(np.maximum(np.abs(steps), delivery.sums), usual)[known]
    wrong = int(np.count_nonzero(apart > allowed))
    if wrong:
        warnings.append(
            f"At {wrong} of {len(steps)} control points of beam {name} the spot weights differ from the step of the "
            f"cumulative meterset weight, by up to {apart.max():.4g} of {final:.4g}; the spot weights are used."
        )
