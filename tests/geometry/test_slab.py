"""A slab has its upstream face above its downstream face."""

import math

import pytest

from dosewright.core.errors import InputError
from dosewright.geometry.slab import Slab
from dosewright.materials.library import named

PLASTIC = named("G4_POLYCARBONATE")


@pytest.mark.parametrize(("upstream", "downstream"), [(300.0, 257.0), (5.0, -5.0), (-10.0, -11.5)])
def test_thickness_is_the_distance_between_the_faces(upstream: float, downstream: float) -> None:
    assert Slab(PLASTIC, 1.2, upstream, downstream).thickness_mm == pytest.approx(upstream - downstream)


@pytest.mark.parametrize(("upstream", "downstream"), [(100.0, 100.0), (90.0, 100.0), (math.nan, 0.0), (0.0, math.nan)])
def test_faces_in_the_wrong_order_are_refused(upstream: float, downstream: float) -> None:
    with pytest.raises(InputError, match="upstream face must lie above"):
        Slab(PLASTIC, 1.2, upstream, downstream)
