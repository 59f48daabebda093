"""Histograms against numpy's, their errors against histories, their files against other readers."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import uproot
from tests.phase_space.made import InMemory, made

from dosewright.formats.histogram_files import write_histograms_csv, write_histograms_root
from dosewright.phase_space.histograms import THIRTEEN, Axis, Histogram, Histograms, axes_of
from dosewright.phase_space.look import Look, round_up
from dosewright.phase_space.picture import picture
from dosewright.phase_space.quantities import QUANTITIES
from dosewright.phase_space.scan import Scan

SOURCE = made(5000)
P = SOURCE.particles
LOOK = Look.at(SOURCE)


@pytest.fixture(scope="module")
def filled() -> list[Histogram]:
    histograms = Histograms(axes_of(LOOK.axes(bins=20)), LOOK.plane_mm())
    for batch in SOURCE.batches(size=999):
        histograms.add(batch)
    return histograms.filled(SOURCE.histories or 0)


def named(filled: list[Histogram], name: str) -> Histogram:
    return next(histogram for histogram in filled if histogram.name == name)


def test_thirteen_of_each_class_with_the_plane_in_their_names(filled: list[Histogram]) -> None:
    assert len(THIRTEEN) == 13
    assert len(filled) == 4 * 13
    assert filled[0].name == "PhaseSpace: -899: ALL: X at Zstop"
    assert {histogram.particles for histogram in filled} == {"ALL", "gamma", "e-", "e+"}
    assert len(Histograms(axes_of(LOOK.axes()), hadrons=True).filled(1.0)) == 6 * 13


@pytest.mark.parametrize(("particles", "species"), [("ALL", (1, 2)), ("gamma", (1,)), ("e-", (2,)), ("e+", ())])
def test_sums_are_those_of_numpy(filled: list[Histogram], particles: str, species: tuple[int, ...]) -> None:
    chosen = P[np.isin(P.species, species)]
    for name in THIRTEEN:
        histogram = named(filled, f"PhaseSpace: -899: {particles}: {name} at Zstop")
        values = [QUANTITIES[axis.quantity](chosen) for axis in histogram.axes]
        limits = [np.concatenate(([-np.inf], axis.edges(), [np.inf])) for axis in histogram.axes]
        places = [np.digitize(v, edges[1:-1]) for v, edges in zip(values, limits, strict=True)]
        expected = np.zeros_like(histogram.sums)
        np.add.at(expected, tuple(places), chosen.weight.astype(float))
        np.testing.assert_allclose(histogram.sums, expected, rtol=1e-9)


def test_errors_are_over_histories(filled: list[Histogram]) -> None:
    histogram = named(filled, "PhaseSpace: -899: ALL: Energy at Zstop")
    history = np.cumsum(P.histories > 0) - 1
    scores = np.zeros((int(SOURCE.histories or 0), 22))
    np.add.at(scores, (history, np.digitize(P.energy_MeV, histogram.axes[0].edges())), P.weight.astype(float))
    expected = scores.std(axis=0, ddof=1) * np.sqrt(len(scores))
    np.testing.assert_allclose(histogram.errors, expected, rtol=1e-6, atol=1e-12)
    # Particles of one history lie together: taken as independent, the error would be far too small.
    alone = np.sqrt(np.bincount(np.digitize(P.energy_MeV, histogram.axes[0].edges()), P.weight**2, 22))
    assert (histogram.errors[3:8] > 1.3 * alone[3:8]).all()


def test_theta_near_the_axis_is_not_rounded() -> None:
    u = np.float32([1e-5])
    one = P[:1]
    near = replace(one, u=u, v=u * 0, w=np.float32([1.0]))
    assert QUANTITIES["Direction Theta"](near)[0] == pytest.approx(np.degrees(1e-5), rel=1e-5)


def test_what_is_outside_or_no_number_is_counted_there() -> None:
    energies = np.array([0.9, 1.0, 1.99, 2.0, 3.0, np.inf, -np.inf, np.nan], np.float32)
    one = replace(P[np.zeros(8, int)], energy_MeV=energies, weight=2.0 ** np.arange(8, dtype=np.float32))
    histograms = Histograms({"Energy": (Axis("Energy", 1.0, 3.0, 2),)})
    histograms.add(one)
    assert histograms.filled(8.0)[0].sums.tolist() == [1 + 64 + 128, 2 + 4, 8, 16 + 32]


def test_limits_are_round_and_hold_nearly_all() -> None:
    axes = LOOK.axes(radius_cm=None, energy_MeV=None)
    assert np.mean(np.abs(P.x_cm) < axes["X"].high) > 0.99
    assert axes["Energy"].high >= P.energy_MeV.max()
    assert axes["Direction Theta"].high <= 90
    own = LOOK.axes(7, 3.0, 6.0)
    assert (own["R"].high, own["Energy"].high, own["X"].bins) == (3.0, 6.0, 7)
    assert [round_up(x) for x in (0.0, 1.0, 1.2, 6.1, 91.0, 0.031)] == [1.0, 1.0, 1.5, 8.0, 100.0, pytest.approx(0.04)]


def test_a_look_at_a_large_file_is_short_and_goes_all_over() -> None:
    p = made(300_000).particles
    look = Look.at(InMemory(p))
    seen = np.concatenate([batch.extra["latch"] for batch in look.seen])
    assert len(seen) == 1 << 18
    assert seen.min() == 0
    assert seen.max() == len(p) - 1


def test_a_csv_has_every_bin_with_its_limits(filled: list[Histogram], tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    write_histograms_csv(path, [histogram.as_written() for histogram in filled], "sums of weights")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "# sums of weights"
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    energy = [row for row in rows if row["histogram"] == "PhaseSpace: -899: gamma: Energy at Zstop"]
    histogram = named(filled, "PhaseSpace: -899: gamma: Energy at Zstop")
    assert [float(row["value"]) for row in energy] == pytest.approx(histogram.sums.tolist(), rel=1e-6)
    assert (energy[0]["x_low"], energy[-1]["x_high"]) == ("-inf", "inf")
    plane = [row for row in rows if row["histogram"] == "PhaseSpace: -899: ALL: XY at Zstop"]
    assert sum(float(row["value"]) for row in plane) == pytest.approx(float(P.weight.sum(dtype=float)), rel=1e-5)


def test_a_root_file_reads_back(filled: list[Histogram], tmp_path: Path) -> None:
    path = tmp_path / "h.root"
    write_histograms_root(path, [histogram.as_written() for histogram in filled])
    with uproot.open(path) as file:
        assert len(file.keys()) == 52
        for name in ("X", "R vs Energy"):
            ours = named(filled, f"PhaseSpace: -899: ALL: {name} at Zstop")
            theirs = file[ours.name]
            np.testing.assert_allclose(theirs.values(flow=True), ours.sums)
            np.testing.assert_allclose(theirs.errors(flow=True), ours.errors)
            np.testing.assert_allclose(theirs.axis(0).edges(), ours.axes[0].edges())
        assert file[ours.name].axis(1).member("fTitle") == "Energy (MeV)"


def test_a_picture_is_drawn_of_few_and_of_no_particles(filled: list[Histogram]) -> None:
    assert len(picture(filled, SOURCE.histories or 0, "made").axes) == 8
    empty = Histograms(axes_of(Look(()).axes())).filled(1.0)
    assert len(picture(empty, 1.0, "empty").axes) == 6


def test_a_scan_tells_what_contradicts_the_file() -> None:
    scan = Scan()
    for batch in SOURCE.batches(size=1000):
        scan.add(batch)
    assert scan.planes_mm() == [-899.0]
    assert scan.counts()[1] == int((P.species == 1).sum())
    assert scan.energy_max_MeV == P.energy_MeV.max()
    right = SOURCE.info
    assert scan.problems(right) == ()
    wrong = type(right)("iaea", right.particles + 1, 3.0, counts={1: 5})
    told = " ".join(scan.problems(wrong))
    assert "were read" in told
    assert "The file says it holds 5 photons" in told
    assert "original histories, more than the 3 that the file says" in told
    assert scan.original_histories(type(right)("iaea", 1, None)) == SOURCE.histories
