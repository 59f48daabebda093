"""Histograms as CSV and ROOT, read back by others."""

import csv
from pathlib import Path

import numpy as np
import uproot

from dosewright.core.histogram import Histogram
from dosewright.formats.histogram_files import write_histograms_csv, write_histograms_root

NUMBERS = np.random.default_rng(3)
ONE = Histogram("A:one/two", (np.array([0.0, 1.0, 4.0]),), ("x (mm)",), NUMBERS.random(2), NUMBERS.random(2), "Gy")
EVEN = Histogram("even", (np.linspace(0, 1, 4),), ("x (mm)",), NUMBERS.random(3), None, "Gy")
TWO = Histogram("two", (np.array([0.0, 1.0, 4.0]), np.array([5.0, 6.0, 7.0, 8.0])), ("x (mm)", "y (mm)"),
                NUMBERS.random((2, 3)), NUMBERS.random((2, 3)), "Gy")  # fmt: skip


def test_root(tmp_path: Path) -> None:
    write_histograms_root(tmp_path / "a.root", [ONE, EVEN, TWO])
    with uproot.open(tmp_path / "a.root") as file:
        one, even, two = file["A:one_two"], file["even"], file["two"]
        np.testing.assert_array_equal(one.values(), ONE.values)
        np.testing.assert_allclose(one.errors(), ONE.errors, rtol=1e-12)
        np.testing.assert_array_equal(one.axis().edges(), ONE.edges[0])
        np.testing.assert_allclose(even.axis().edges(), EVEN.edges[0], rtol=1e-12)
        np.testing.assert_array_equal(two.values(), TWO.values)
        np.testing.assert_allclose(two.errors(), TWO.errors, rtol=1e-12)
        np.testing.assert_array_equal(two.axis("y").edges(), TWO.edges[1])
        assert one.classname == "TH1D" and two.classname == "TH2D"


def test_csv(tmp_path: Path) -> None:
    write_histograms_csv(tmp_path / "a.csv", [ONE, TWO], "histories: 5")
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == "# histories: 5"
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == 2 + 6
    assert (rows[1]["histogram"], rows[1]["x_low"], rows[1]["x_high"], rows[1]["y_low"]) == ("A:one/two", "1", "4", "")
    np.testing.assert_allclose([float(r["value"]) for r in rows[2:]], TWO.values.ravel(), rtol=1e-8)
    np.testing.assert_allclose([float(r["error"]) for r in rows[2:]], TWO.errors.ravel(), rtol=1e-5)
    assert [(r["x_low"], r["y_high"]) for r in rows[2:4]] == [("0", "6"), ("0", "7")]
