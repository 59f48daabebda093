"""Histograms of structures, with their band and the figures of targets."""

import numpy as np
import pytest

from dosewright.core.grid import Grid, Image
from dosewright.core.structures import Structure
from dosewright.workflow.postprocess.dvh_rows import DosesInDvh, dvh_rows

GRID = Grid((24, 22, 20), (2.0, 2.0, 2.0), (-23.0, -21.0, -19.0))


def cube(number: int, name: str, kind: str, half: float, shift: float = 0.0) -> Structure:
    corners = [(-half, -half), (half, -half), (half, half), (-half, half)]
    levels = np.arange(-half + 1.0, half, 2.0)
    return Structure(number, name, kind, tuple(np.array([(x + shift, y, z) for x, y in corners]) for z in levels))


def doses(percent: float, planned: bool = True, shared: float = 0.0) -> DosesInDvh:
    z, y, x = np.meshgrid(*(GRID.centres_mm(axis) for axis in (2, 1, 0)), indexing="ij")
    smooth = (60 / (1 + np.exp((np.maximum.reduce([np.abs(x), np.abs(y), np.abs(z)]) - 12) / 1.0))).astype(np.float32)
    noise = np.random.default_rng(2).normal(1.0, percent / 100, GRID.array_shape)
    ours = Image(GRID, (smooth * noise).astype(np.float32))
    relative = Image(GRID, np.full(GRID.array_shape, percent / 100, np.float32))
    return DosesInDvh(ours, ours, relative, Image(GRID, smooth) if planned else None, 60.0, lambda _: shared)


def test_rows_have_bands_figures_without_noise_and_indices_of_targets() -> None:
    rows, said = dvh_rows([cube(1, "PTV", "PTV", 8.0), cube(2, "Cord", "ORGAN", 4.0, 6.0)], doses(3.0))
    assert said == ()
    target, organ = rows
    assert target.volume_cm3 == pytest.approx(16**3 / 1000, rel=0.01)
    assert target.tps is not None and target.mc.without_noise is not None
    label = "D2 (Gy)"
    value, sigma = target.mc.without_noise.metrics[label]
    assert target.mc.metrics[label] > 61.5
    assert value == pytest.approx(target.tps.metrics[label], abs=max(2.5 * sigma, 0.5))
    assert np.all(target.mc.without_noise.lower_percent <= target.mc.without_noise.upper_percent)
    assert list(target.mc.indices) == ["HI = (D2 − D98) / D50", "Paddick CI at 57 Gy"]
    assert not organ.mc.indices
    assert 0.3 < target.tps.indices["Paddick CI at 57 Gy"] < 1.0


def test_what_histories_share_is_in_the_uncertainty_of_the_mean() -> None:
    rows, _ = dvh_rows([cube(1, "PTV", "PTV", 8.0)], doses(3.0, shared=0.01))
    capped, _ = dvh_rows([cube(1, "PTV", "PTV", 8.0)], doses(3.0, planned=False, shared=9.0))
    quiet, _ = dvh_rows([cube(1, "PTV", "PTV", 8.0)], doses(3.0))
    sigmas = [row[0].mc.without_noise.mean_sigma_Gy for row in (rows, capped, quiet) if row[0].mc.without_noise]
    assert sigmas[0] == pytest.approx(0.01 * 60, rel=0.1)
    assert sigmas[1] == pytest.approx(0.03 * 60, rel=0.1)
    assert sigmas[2] < 0.15
    assert capped[0].tps is None


def test_structures_that_cannot_have_a_curve_are_named() -> None:
    rows, said = dvh_rows(
        [cube(1, "Far", "ORGAN", 4.0, 900.0), cube(2, "Cut", "ORGAN", 4.0, 24.0), Structure(3, "Empty", "", ())],
        doses(1.0),
    )
    assert [row.structure for row in rows] == ["Cut"]
    assert said[0].startswith("Far lies outside the dose grid")
    assert "reach beyond it: Far, Cut" in said[-1]
