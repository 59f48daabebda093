"""Two dose files compared: units, scales, grids, noise, verdicts."""

from dataclasses import replace

import numpy as np
import pytest

from dosewright.analysis.gamma import GammaCriteria
from dosewright.core.dose_file import ABSOLUTE, DoseFile
from dosewright.core.errors import InputError
from dosewright.workflow.dose_files.compare import Asked, compare_doses
from dosewright.workflow.dose_files.pair import MATCH, paired
from dosewright.workflow.dose_files.say_comparison import as_numbers, as_text

GAMMA = (GammaCriteria(3, 3),)
QUICK = Asked(GAMMA, noise_of_gamma=False)
X, Z = np.linspace(-40, 40, 41), np.linspace(0, 60, 31)


def field(x: np.ndarray = X, z: np.ndarray = Z, shift_mm: float = 0.0) -> np.ndarray:
    """Return a dose of a field, mean over voxels by their centres."""
    a, d = (x[1:] + x[:-1]) / 2 - shift_mm, (z[1:] + z[:-1]) / 2
    edge = 1.0 / (1.0 + np.exp((np.abs(a) - 20.0) / 3.0))
    return np.exp(-d / 100)[:, None, None] * edge[None, :, None] * edge[None, None, :]


def dose(seed: int | None = None, percent: float = 1.0, level: float = 1e-12, **more: object) -> DoseFile:
    """Return a dose, with noise of so many percent at the maximum if there is a seed."""
    exact = field()
    sigma = 0.01 * percent * np.sqrt(exact)
    values = exact if seed is None else exact + sigma * np.random.default_rng(seed).standard_normal(exact.shape)
    relative = None if seed is None else sigma / np.abs(values)
    kept = {"edges_mm": (X, X, Z), "dose": level * values, "uncertainty": relative, "histories": 1e6} | more
    return DoseFile(**kept)  # type: ignore[arg-type]


def test_two_runs_of_one_dose_agree_in_all_ways() -> None:
    found = compare_doses(dose(1), dose(2), Asked(GAMMA, judge="both"))
    assert found.agrees
    assert found.noise is not None
    assert found.noise.verdict == "agree"
    expected = 100 * np.sqrt(2 * 1e-4 * field()[found.judged].mean()) * 1e-12 / found.normal
    assert found.differences.rms_percent == pytest.approx(expected, rel=0.02)
    assert found.gammas[0].percent == pytest.approx(100, abs=0.1)
    numbers = as_numbers(found)
    assert numbers["maximum"] == pytest.approx(1e-12, rel=0.05)
    assert "The doses" not in as_text(found, ("A", "B"))


def test_noise_alone_and_what_it_does_to_gamma_is_told() -> None:
    found = compare_doses(dose(1, 6.0), dose(2, 6.0), Asked(GAMMA))
    (one,) = found.gammas
    assert one.percent < 99
    assert one.of_noise_alone == pytest.approx(one.percent, abs=2.0)  # for the doses do differ by nothing else
    assert one.without_noise is None  # both are noisy


@pytest.mark.parametrize("noisy_is_reference", [True, False])
def test_the_noise_of_one_dose_is_taken_out(noisy_is_reference: bool) -> None:
    noisy, exact = dose(1, 4.0), dose()
    first, second = (noisy, exact) if noisy_is_reference else (exact, noisy)
    (one,) = compare_doses(first, second, Asked((GammaCriteria(2, 1),))).gammas
    assert one.corrected == ("reference" if noisy_is_reference else "evaluated")
    assert one.without_noise is not None
    assert abs(one.without_noise.percent - 100.0) <= max(3.0 * one.without_noise.uncertainty, 0.5)


def test_a_wrong_absolute_dose_is_found_by_statistics_though_gamma_passes() -> None:
    found = compare_doses(dose(1), dose(2, level=1.01e-12), Asked(GAMMA, judge="noise", noise_of_gamma=False))
    assert found.gammas[0].percent > 99
    assert found.noise is not None
    assert found.noise.verdict == "differ"
    assert found.noise.ratio == pytest.approx(1.01, abs=3 * found.noise.ratio_sigma)
    assert not found.agrees


def test_units_must_be_one_or_a_scale_given() -> None:
    planned = dose(level=2.0, unit=ABSOLUTE, histories=None)
    with pytest.raises(InputError, match="different units"):
        compare_doses(planned, dose(1), QUICK)
    found = compare_doses(planned, dose(1), replace(QUICK, scale=2e12))
    assert found.differences.ratio == pytest.approx(1.0, abs=1e-3)
    assert found.agrees
    matched = compare_doses(planned, dose(1), replace(QUICK, scale=MATCH))
    assert matched.pair.scale == pytest.approx(2e12, rel=1e-3)
    assert any("nothing here tells whether absolute doses do" in said for said in matched.said)
    assert not compare_doses(planned, dose(1), replace(QUICK, scale=1e12)).agrees


def test_other_voxels_are_brought_to_those_of_the_reference() -> None:
    fine_x, fine_z = np.linspace(-40, 40, 161), np.linspace(0, 60, 121)
    fine = DoseFile((fine_x, fine_x, fine_z), 1e-12 * field(fine_x, fine_z))
    found = compare_doses(dose(), fine, QUICK)
    assert np.abs(found.pair.evaluated - found.pair.reference).max() < 3e-3 * found.normal  # curvature inside a voxel
    assert any("brought to those of the reference" in said for said in found.said)
    back = compare_doses(fine, dose(), QUICK)
    assert any("voxels up to 4 times as large" in said for said in back.said)
    assert back.gammas[0].percent == 100


def test_uneven_voxels() -> None:
    uneven = np.array([-40.0, *np.arange(-30.0, 31.0, 2.0), 40.0])
    found = compare_doses(DoseFile((uneven, uneven, Z), field(uneven)), dose(level=1.0), QUICK)
    assert found.gammas[0].percent > 99
    assert any("uneven" in said for said in found.said)


def test_axes_of_a_patient_on_the_stomach() -> None:
    first = dose(level=1.0)
    turned = DoseFile((-X[::-1], -X[::-1], Z), field(shift_mm=4.0)[:, ::-1, ::-1], direction=np.diag([-1.0, -1.0, 1.0]))
    found = compare_doses(first, turned, replace(QUICK, judge="gamma"))
    assert not found.agrees
    straight = DoseFile((X, X, Z), field(shift_mm=4.0))
    pair, same = paired(first, turned), paired(first, straight)
    np.testing.assert_allclose(pair.evaluated, same.evaluated, atol=1e-12)


def test_what_lies_outside_fails() -> None:
    half = DoseFile((X[:21], X, Z), field()[:, :, :20])
    found = compare_doses(dose(level=1.0), half, QUICK)
    assert not found.agrees
    assert found.gammas[0].percent == pytest.approx(50, abs=8)
    assert any("lie outside the evaluated dose" in said for said in found.said)
    away = DoseFile((X + 200, X, Z), field())
    with pytest.raises(InputError, match="do not meet"):
        compare_doses(dose(level=1.0), away, QUICK)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (replace(QUICK, judge="noise"), "Noise cannot judge"),
        (replace(QUICK, criteria=()), "Gamma cannot judge"),
        (replace(QUICK, scale=-1.0), "scale must be positive"),
    ],
)
def test_what_cannot_be_is_refused(asked: Asked, said: str) -> None:
    with pytest.raises(InputError, match=said):
        compare_doses(dose(), dose(), asked)


def test_a_dose_of_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="nowhere above zero"):
        compare_doses(dose(level=0.0), dose(), QUICK)
