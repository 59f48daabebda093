"""What a user may ask for to reduce variance, and how it is packed."""

import numpy as np
import pytest

from dosewright.core.errors import InputError
from dosewright.core.frame import Rigid, rotation_about
from dosewright.core.xy_limits import XyLimits
from dosewright.simulation.reduction_settings import (
    DirectionalSplitting,
    ReductionSettings,
    UniformSplitting,
    pack_reduction,
)
from dosewright.transport.reduction import NO_REDUCTION, beyond_plane, directs, fat, outside_limits

LIMITS = XyLimits(((-10.0, 20.0, 30.0), (50.0, 5.0, 6.0), (60.0, np.inf, 7.0)))


def test_nothing() -> None:
    packed = pack_reduction(ReductionSettings(), Rigid.identity())
    assert not ReductionSettings().reduces
    assert packed.splitting == packed.roulette == packed.directional == 1.0
    assert not directs(packed, 0.0)
    assert not beyond_plane(packed, 0.0)
    assert not outside_limits(packed, 1e9, 0.0, 0.0)
    assert not outside_limits(NO_REDUCTION, 1e9, 0.0, 0.0)


@pytest.mark.parametrize("beam", [-1, 1])
def test_directional(beam: int) -> None:
    split = DirectionalSplitting(100, (40.0, 60.0), (10.0, 20.0, 500.0 * beam), 100.0 * beam, equal_weight=True)
    packed = pack_reduction(ReductionSettings(split), Rigid.identity())
    assert packed.field == (-1.0, 3.0, -1.0, 5.0, 50.0 * beam)
    assert packed.downstream == beam
    assert packed.equal_weight
    assert [directs(packed, beam * z) for z in (-10.0, 49.9, 50.1)] == [True, True, False]
    assert [beyond_plane(packed, beam * z) for z in (-10.0, 9.9, 10.1)] == [False, False, True]
    assert [bool(fat(packed, w)) for w in (1.0, 0.021, 0.019, 0.01)] == [True, True, False, False]


def test_limits_follow_the_scene() -> None:
    to_box = Rigid(rotation_about("x", 180.0) @ rotation_about("z", 90.0), np.array([0.0, 100.0, 200.0]))
    packed = pack_reduction(ReductionSettings(xy_limits=LIMITS, roulette_value=20), to_box)
    assert packed.limit_roulette == 20.0
    for z, x, y, out in [
        (-500.0, 19.0, 29.0, False),
        (-10.1, 21.0, 0.0, True),
        (-10.1, 0.0, -31.0, True),
        (0.0, -5.1, 0.0, True),
        (0.0, -4.9, 5.9, False),
        (55.0, 1e6, 6.9, False),
        (55.0, 0.0, 7.1, True),
        (61.0, 1e6, 1e6, False),
    ]:
        assert outside_limits(packed, *to_box.points(np.array([x, y, z])) / 10.0) == out


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"Given: 1\. Allowed: 2 to 100000\. Where: .*bremsstrahlung_splitting"):
        UniformSplitting(1)
    with pytest.raises(InputError) as caught:
        DirectionalSplitting(0, (10.0, -1.0), (0.0, 0.0, 5.0), 5.0)
    assert len(caught.value.problems) == 3
    assert "electron plane" in caught.value.problems[2]
    split = DirectionalSplitting(10, (10.0, 1.0), (0.0, 0.0, 5.0), 4.0)
    with pytest.raises(InputError) as caught:
        ReductionSettings(split, russian_roulette=10, roulette_value=0.5)
    assert len(caught.value.problems) == 2
    with pytest.raises(InputError, match="must ascend"):
        XyLimits(((0.0, 1.0, 1.0), (0.0, 1.0, 1.0)))
    assert ReductionSettings(xy_limits=LIMITS).biased == ""
    assert "killed" in ReductionSettings(xy_limits=LIMITS, roulette_value=0).biased


def test_a_field_smaller_than_the_voxels_is_told() -> None:
    split = DirectionalSplitting(100, (240.0, 120.0), (0.0, 0.0, 0.0), -830.0)
    told = ReductionSettings(split).misses((-120.0, -120.0), (120.0, 120.0))
    assert told.startswith("The voxels reach 60 mm beyond the field that photons are aimed at")
    assert ReductionSettings(split).misses((-120.0, -60.0), (120.0, 60.0)) == ""
    assert "reach 20 mm" in ReductionSettings(split).misses((-120.0, -60.0), (140.0, 60.0))
    assert ReductionSettings(UniformSplitting(100)).misses((-120.0, -120.0), (120.0, 120.0)) == ""
