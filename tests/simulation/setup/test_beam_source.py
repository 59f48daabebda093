"""Sampled positions, directions and energies against the formulas of each source."""

import contextlib
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dosewright.core.errors import InputError
from dosewright.core.random import start_stream
from dosewright.simulation.run_file.source_tables import (
    PencilSource,
    PointSource,
    RectangleSource,
    SpotsSource,
    VolumeSource,
)
from dosewright.simulation.setup.beam_source import BeamSource, beam_axes, beam_source
from dosewright.simulation.setup.spectrum import read_spectrum
from dosewright.simulation.setup.spot_table import read_spots
from dosewright.sources.emit import emit

Array = NDArray[np.float64]
N = 200_000


@numba.njit
def _fill(source, pencil, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        x, y, z, u, v, w, energy, _ = emit(source, pencil, start_stream(np.uint64(5), np.uint64(i)))
        out[i] = (x, y, z, u, v, w, energy)


def sampled(source: BeamSource, pencil: int = 0) -> tuple[Array, Array, Array]:
    """Return positions (mm) and directions in the axes of the run, and energies."""
    out = np.zeros((N, 7))
    _fill(source.packed, pencil, out)
    position = source.to_patient.points(10 * out[:, :3])
    return position, source.to_patient.directions(out[:, 3:6]), out[:, 6]


def test_a_pencil_has_its_moments() -> None:
    source = PencilSource(
        particle="proton",
        energy_MeV=150.0,
        energy_spread_percent=1.0,
        position_mm=(10.0, -20.0, -100.0),
        sigma_mm=(3.0, 5.0),
        divergence_mrad=(4.0, 2.0),
        correlation=(0.6, -0.8),
    )
    position, direction, energy = sampled(beam_source(source))
    slope = direction[:, :2] / direction[:, 2:]
    assert position.mean(axis=0) == pytest.approx([10, -20, -100], abs=0.05)
    assert position[:, 2] == pytest.approx(-100)
    assert position[:, :2].std(axis=0) == pytest.approx([3, 5], rel=0.006)
    assert 1000 * slope.std(axis=0) == pytest.approx([4, 2], rel=0.006)
    for axis, r in ((0, 0.6), (1, -0.8)):
        assert np.corrcoef(position[:, axis], slope[:, axis])[0, 1] == pytest.approx(r, abs=0.005)
    assert energy.mean() == pytest.approx(150, abs=0.02)
    assert energy.std() == pytest.approx(1.5, rel=0.006)
    assert np.linalg.norm(direction, axis=1) == pytest.approx(1)


def test_a_positive_correlation_diverges() -> None:
    """After a drift of L the variance is sigma^2 + 2 L r sigma theta + (L theta)^2."""
    source = PencilSource(
        particle="proton", energy_MeV=100, position_mm=(0, 0, 0), sigma_mm=(2, 2), divergence_mrad=(5, 5),
        correlation=(0.9, -0.9), direction=(1, 0, 0),
    )  # fmt: skip
    position, direction, _ = sampled(beam_source(source))
    after = position + direction * (400 / direction[:, :1])
    wide, narrow = 4 + 2 * 400 * 0.9 * 2 * 0.005 + 4, 4 - 2 * 400 * 0.9 * 2 * 0.005 + 4
    assert after[:, 2].var() == pytest.approx(wide, rel=0.012)  # own x is the run's -z
    assert after[:, 1].var() == pytest.approx(narrow, rel=0.012)


def test_a_rectangle_is_uniform_and_parallel() -> None:
    source = RectangleSource(
        particle="proton", energy_MeV=100, position_mm=(1, 2, 3), direction=(0, 0, -2), field_mm=(60, 20)
    )
    position, direction, energy = sampled(beam_source(source))
    assert position.mean(axis=0) == pytest.approx([1, 2, 3], abs=0.15)
    assert position.std(axis=0)[:2] == pytest.approx([60 / 12**0.5, 20 / 12**0.5], rel=0.005)
    assert np.abs(position - [1, 2, 3]).max(axis=0)[:2] == pytest.approx([30, 10], abs=0.01)
    assert direction == pytest.approx(np.tile([0.0, 0.0, -1.0], (N, 1)))
    assert np.all(energy == 100)


def _solid_angle(a: float, b: float, h: float) -> float:
    """Of a rectangle seen from above its centre."""
    return float(4 * np.arctan(a * b / (2 * h * np.sqrt(4 * h**2 + a**2 + b**2))))


@pytest.mark.parametrize("direction", [None, (0.0, 3.0, 0.0)])
def test_a_point_is_uniform_in_solid_angle(direction: tuple[float, float, float] | None) -> None:
    source = PointSource(
        particle="proton", energy_MeV=100, position_mm=(5, -100, 7), direction=direction, field_mm=(300, 200),
        field_at_mm=(5, 0, 7),
    )  # fmt: skip
    position, way, _ = sampled(beam_source(source))
    assert position == pytest.approx(np.tile([5.0, -100.0, 7.0], (N, 1)), abs=1e-9)
    hit = position + way * (100 / way[:, 1:2]) - [5, 0, 7]
    assert np.abs(hit).max(axis=0) == pytest.approx([150, 0, 100], abs=0.5)
    inner = (np.abs(hit[:, 0]) < 75) & (np.abs(hit[:, 2]) < 50)
    assert inner.mean() == pytest.approx(_solid_angle(150, 100, 100) / _solid_angle(300, 200, 100), abs=0.004)


@pytest.mark.parametrize(
    ("shape", "mean_squares"),
    [
        ("sphere", (20**2 / 20, 30**2 / 20, 40**2 / 20)),  # of a ball: R^2/5
        ("cylinder", (20**2 / 16, 30**2 / 16, 40**2 / 12)),  # of a disc: R^2/4
        ("box", (20**2 / 12, 30**2 / 12, 40**2 / 12)),
    ],
)
def test_volumes_are_filled_evenly_and_isotropic(shape: str, mean_squares: tuple[float, float, float]) -> None:
    source = VolumeSource(particle="proton", energy_MeV=10, position_mm=(1, 2, 3), shape=shape, extent_mm=(20, 30, 40))
    position, direction, _ = sampled(beam_source(source))
    assert position.mean(axis=0) == pytest.approx([1, 2, 3], abs=0.1)
    assert ((position - [1, 2, 3]) ** 2).mean(axis=0) == pytest.approx(mean_squares, rel=0.01)
    assert direction.mean(axis=0) == pytest.approx([0, 0, 0], abs=0.006)
    assert (direction**2).mean(axis=0) == pytest.approx([1 / 3] * 3, rel=0.01)


def test_a_volume_with_a_direction_keeps_its_axes() -> None:
    source = VolumeSource(
        particle="proton", energy_MeV=10, position_mm=(0, 0, 0), shape="box", extent_mm=(20, 30, 40),
        direction=(3, 0, 4),
    )  # fmt: skip
    position, direction, _ = sampled(beam_source(source))
    assert direction == pytest.approx(np.tile([0.6, 0, 0.8], (N, 1)))
    assert np.abs(position).max(axis=0) == pytest.approx([10, 15, 20], abs=0.01)


def test_spots_start_where_their_table_says(tmp_path: Path) -> None:
    path = tmp_path / "spots.csv"
    path.write_text(
        "x_mm,y_mm,energy_MeV,particles,sigma_x_mm,sigma_y_mm,divergence_y_mrad,correlation_y,energy_spread_percent\n"
        "5,-7,100,1e6,2,3,4,0.5,1\n-5,7,90,3e6,1,1,0,0,0\n"
    )
    source = beam_source(SpotsSource(particle="proton", file=str(path), position_mm=(0, 0, -50)))
    assert source.particles == 4e6
    assert list(source.weights) == [1e6, 3e6]
    position, direction, energy = sampled(source, 0)
    assert position.mean(axis=0) == pytest.approx([5, -7, -50], abs=0.03)
    assert position.std(axis=0)[:2] == pytest.approx([2, 3], rel=0.006)
    slope = direction[:, 1] / direction[:, 2]
    assert 1000 * slope.std() == pytest.approx(4, rel=0.006)
    assert np.corrcoef(position[:, 1], slope)[0, 1] == pytest.approx(0.5, abs=0.006)
    assert np.all(direction[:, 0] == 0)
    assert energy.std() == pytest.approx(1.0, rel=0.006)
    second = sampled(source, 1)
    assert second[0].mean(axis=0) == pytest.approx([-5, 7, -50], abs=0.02)
    assert np.all(second[2] == 90)


def test_a_turned_volume_flies_along_its_direction_in_the_run() -> None:
    """A long box turned about x, then z, lies along the x axis; its direction stays that of the run."""
    source = VolumeSource(particle="photon", energy_MeV=1, position_mm=(5, 6, 7), shape="box", extent_mm=(2, 4, 40),
                          rotation_deg=(90, 0, 90), direction=(0, 3, 4))  # fmt: skip
    position, direction, _ = sampled(beam_source(source))
    assert np.ptp(position, axis=0) == pytest.approx([40, 2, 4], rel=0.01)
    assert position.mean(axis=0) == pytest.approx([5, 6, 7], abs=0.2)
    assert direction == pytest.approx(np.broadcast_to([0, 0.6, 0.8], direction.shape))


def test_a_spectrum_is_uniform_in_its_bins_and_sharp_in_its_lines(tmp_path: Path) -> None:
    path = tmp_path / "spectrum.csv"
    path.write_text("low_MeV,high_MeV,weight\n50,60,1\n60,60,0\n70,70,2\n80,100,1\n")
    source = PencilSource(particle="proton", spectrum=str(path), position_mm=(0, 0, 0))
    energy = sampled(beam_source(source))[2]
    assert (energy == 70).mean() == pytest.approx(0.5, abs=0.004)
    assert (energy < 60).mean() == pytest.approx(0.25, abs=0.004)
    low, high = energy[energy < 61], energy[energy > 79]
    assert (low.mean(), high.mean()) == pytest.approx((55, 90), abs=0.1)
    assert (low.min(), low.max(), high.min(), high.max()) == pytest.approx((50, 60, 80, 100), abs=0.01)


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda d: np.linalg.norm(d) > 1e-3))
@example((0.0, 1e-5, -1.0))
@example((3e-9, -2e-9, -1.0))
def test_beam_axes_fly_along_the_direction(direction: tuple[float, float, float]) -> None:
    axes = beam_axes((1.0, 2.0, 3.0), direction)
    assert axes.directions(np.array([0.0, 0.0, -1.0])) == pytest.approx(direction / np.linalg.norm(direction), abs=1e-9)
    assert axes.points(np.zeros(3)) == pytest.approx([1, 2, 3])
    assert np.linalg.det(axes.rotation) == pytest.approx(1)


def test_forward_and_backward_keep_x() -> None:
    assert beam_axes((0, 0, 0), (0, 0, 1)).rotation == pytest.approx(np.diag([1.0, -1.0, -1.0]))
    assert beam_axes((0, 0, 0), (0, 0, -1)).rotation == pytest.approx(np.eye(3))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line of column names"),
        ("x_mm,y_mm,energy_MeV\n1,2,3\n", "'particles' is missing"),
        ("x_mm,y_mm,energy_MeV,particle\n1,2,3,4\n", "Did you mean 'particles'?"),
        ("x_mm,y_mm,energy_MeV,particles\n1,2,3\n", "spots.csv, line 2"),
        ("x_mm,y_mm,energy_MeV,particles\n# a comment\n1,2,x,4\n", "spots.csv, line 3"),
        ("x_mm,y_mm,energy_MeV,particles\n1,2,900,4\n", "energy_MeV"),
        ("x_mm,y_mm,energy_MeV,particles\n1,2,100,-4\n", "negative"),
        ("x_mm,y_mm,energy_MeV,particles\n1,2,100,0\n", "no particles"),
        ("x_mm,y_mm,energy_MeV,particles,correlation_x\n1,2,100,1,0.5\n", "needs a sigma"),
    ],
)
def test_wrong_spots_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "spots.csv"
    path.write_text(text)
    with pytest.raises(InputError, match="(?s).*" + said):
        read_spots(path)


@given(st.binary(max_size=200) | st.text(alphabet="x_m,y1.eE-+\n#\"'", max_size=80).map(str.encode))
def test_garbage_is_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.csv"
    path.write_bytes(b"x_mm,y_mm,energy_MeV,particles\n" + data)
    for read in (read_spots, read_spectrum):
        with contextlib.suppress(InputError):
            read(path)
