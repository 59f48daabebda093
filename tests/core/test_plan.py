"""What a beam knows of its spots."""

import numpy as np
import pytest

from dosewright.core.plan import EnergyLayer, IonBeam


def _layer(energy: float, weights: list[float]) -> EnergyLayer:
    zeros = np.zeros(len(weights))
    return EnergyLayer(0, energy, zeros, zeros, np.array(weights))


def test_sums_run_over_all_layers() -> None:
    layers = (_layer(120.0, [1.0, 2.5]), _layer(110.0, [0.25]))
    beam = IonBeam(1, "b", "m", "PROTON", "MU", 10.0, 3.75, 0, 0, 0, 0, "HFS", (0.0, 0.0, 0.0), layers)
    assert beam.sum_of_weights == pytest.approx(3.75)
    assert beam.spot_count == 3
