"""Figures and histograms of a dose, against sums written out."""

import numpy as np
import pytest

from dosewright.analysis.dose_histograms import cut_histogram, distributions, merged_cuts, plane_cuts
from dosewright.analysis.dose_summary import dose_summary
from dosewright.core.dose_file import DoseFile
from dosewright.core.histogram import DoseCut, Histogram

EDGES = (np.array([0.0, 1.0, 2.0, 4.0]), np.array([0.0, 10.0, 20.0]), np.arange(6.0))
DOSE = np.random.default_rng(8).random((5, 2, 3))
RELATIVE = np.random.default_rng(9).random((5, 2, 3)) / 5
FILE = DoseFile(EDGES, DOSE, RELATIVE, 100.0)


def test_errors_at_levels_of_the_maximum() -> None:  # trap 48
    """Levels of dose: with 90 of 100 voxels near the maximum a share of voxels would be another thing."""
    dose = np.linspace(0.0, 1.0, 11).reshape(1, 1, 11)
    relative = np.linspace(1.0, 0.0, 11).reshape(1, 1, 11)
    edges = (np.arange(12.0), np.arange(2.0), np.arange(2.0))
    summary = dose_summary(DoseFile(edges, dose, relative))
    assert [(e.percent, e.voxels) for e in summary.errors] == [(20, 8), (50, 5), (90, 1)]
    assert [e.mean for e in summary.errors] == pytest.approx([0.35, 0.2, 0.0], abs=1e-12)
    assert summary.errors[1].root_mean_square == pytest.approx(np.sqrt(0.3 / 5))
    assert (summary.minimum, summary.maximum, summary.scored_voxels, summary.voxels) == (0.1, 1.0, 10, 11)
    assert summary.total == pytest.approx(5.5)
    assert summary.total_relative_error == pytest.approx(np.sqrt(((dose * relative) ** 2).sum()) / 5.5)
    bare = dose_summary(DoseFile(edges, dose))
    assert (bare.errors, bare.total_relative_error) == ((), None)


def test_a_file_of_gamos(shared_data: object) -> None:
    from pathlib import Path

    from dosewright.formats.dose.open import open_dose

    dose = open_dose(Path(str(shared_data)) / "phsp-gamos" / "dose" / "3ddose.out.exercise3b")
    summary = dose_summary(dose)
    # Counted in the file by words: `awk` over the last 10000 numbers, where the dose exceeds the level.
    assert [e.voxels for e in summary.errors] == [84, 43, 3]
    assert summary.errors[1].mean == pytest.approx(0.1207561, rel=1e-6)


@pytest.mark.parametrize(
    ("kind", "shape"), [("1X", (2,)), ("1Y", (1,)), ("1Z", (3,)), ("2XY", (2, 1)), ("2XZ", (2, 3)), ("2YZ", (1, 3))]
)
def test_cuts(kind: str, shape: tuple[int, ...]) -> None:
    cut = DoseCut(kind, "name", ((1, 2), (1, 1), (2, 4)))
    histogram = cut_histogram(FILE, cut)
    values, squares = np.zeros(shape), np.zeros(shape)
    for i in (1, 2):
        for j in (1,):
            for k in (2, 3, 4):
                at = {"X": i - 1, "Y": j - 1, "Z": k - 2}
                bins = tuple(at[letter] for letter in kind[1:])
                values[bins] += DOSE[k, j, i]
                squares[bins] += (DOSE[k, j, i] * RELATIVE[k, j, i]) ** 2
    np.testing.assert_allclose(histogram.values, values)
    np.testing.assert_allclose(histogram.errors, np.sqrt(squares))
    limits = {"X": [1.0, 2.0, 4.0], "Y": [10.0, 20.0], "Z": [2.0, 3.0, 4.0, 5.0]}
    for edges, letter in zip(histogram.edges, kind[1:], strict=True):
        np.testing.assert_array_equal(edges, limits[letter])


def test_all_of_a_dose() -> None:
    histograms = [cut_histogram(FILE, cut) for cut in merged_cuts(FILE)]
    assert [h.name for h in histograms][:4] == [
        "RTPSPDoseHistos:Dose Profile X_merged",
        "RTPSPDoseHistos:Dose Profile Y_merged",
        "RTPSPDoseHistos:Dose Profile Z_merged",
        "RTPSPDoseHistos:Dose XY_merged",
    ]
    for histogram in histograms:
        assert histogram.values.sum() == pytest.approx(DOSE.sum())
    planes = [cut_histogram(FILE, cut) for cut in plane_cuts(FILE, "XZ")]
    np.testing.assert_allclose(np.stack([p.values for p in planes], axis=1), DOSE.T)
    assert planes[1].name == "RTPSPDoseHistos:Dose XZ Y 1 (15 mm)"


def named(histograms: tuple[Histogram, ...], name: str) -> Histogram:
    return next(h for h in histograms if h.name == f"RTPSPDoseHistos:{name}")


def test_dose_volume() -> None:
    found = distributions(FILE)
    dose, volume = named(found, "Dose"), named(found, "Dose-volume")
    assert dose.values.sum() == DOSE.size
    for low, count in zip(10.0 ** volume.edges[0][:-1], volume.values, strict=True):
        assert count == (low <= DOSE).sum()
    assert (volume.edges[0][0], volume.edges[0][-1]) == (np.floor(np.log10(DOSE.min())), 0.0)
    relative = named(found, "Dose Error REL")
    np.testing.assert_array_equal(relative.values, np.histogram(RELATIVE, np.linspace(0, 1, 101))[0])
    both = named(found, "log10(Dose) .vs. log10(Dose Error REL)")
    np.testing.assert_array_equal(both.values.sum(0), named(found, "log10(Dose Error REL)").values)
    limited = named(distributions(FILE, log_low=-1.0, log_high=1.0), "Dose")
    assert (limited.edges[0][0], limited.edges[0][-1]) == (-1.0, 1.0)


def test_nothing_at_all() -> None:
    nothing = DoseFile(EDGES, np.zeros_like(DOSE), np.ones_like(DOSE))
    assert all(not h.values.any() for h in distributions(nothing))
    assert dose_summary(nothing).minimum == dose_summary(nothing).total == 0.0
    assert len(distributions(DoseFile(EDGES, DOSE))) == 2
