"""Energy by distance from the axis, and what a chamber sees of it."""

import numpy as np
import pytest

from dosewright.commissioning.beam_fit.rings import RINGS_MM, edges_mm, ring_shares, seen


def test_every_voxel_is_shared_out_whole() -> None:
    shares = ring_shares()
    assert shares.shape == ((edges_mm().size - 1) ** 2, RINGS_MM.size - 1)
    assert np.allclose(shares.sum(axis=1), 1.0)


def test_a_large_chamber_sees_all_and_a_small_one_its_disc() -> None:
    assert np.all(seen(None, 5.0) == 1.0)
    assert np.allclose(seen(1000.0, 5.0), 1.0)
    pencil = seen(40.8, 0.0)
    assert pencil[0] == 1.0
    assert pencil[-1] == 0.0


def test_what_a_chamber_sees_of_a_wide_spot_is_that_of_a_sample() -> None:
    rng = np.random.default_rng(1)
    ring = 12  # 36 to 39 mm
    radius = np.sqrt(0.5 * (RINGS_MM[ring] ** 2 + RINGS_MM[ring + 1] ** 2))
    x, y = radius + rng.normal(0, 6.0, 400_000), rng.normal(0, 6.0, 400_000)
    inside = float(np.mean(x**2 + y**2 < 40.8**2))
    assert seen(40.8, 6.0)[ring] == pytest.approx(inside, abs=3e-3)  # four sigmas of the sample
