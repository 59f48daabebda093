"""Spots as pencil beams: straight lines from the scanning magnets through the spots of the plan."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamAtEnergy, BeamModel, Optics
from dosewright.core.errors import InputError
from dosewright.core.plan import EnergyLayer, IonBeam
from dosewright.sources import emit
from dosewright.sources.pencil_beams import cholesky_cm, drifted, pencil_beams, reach_mm

Array = NDArray[np.float64]

COV_X = np.array([[25.0, -0.009], [-0.009, 9e-6]])  # 5 mm, 3 mrad, convergent
COV_Y = np.array([[16.0, 0.004], [0.004, 4e-6]])  # 4 mm, 2 mrad, divergent
PLANE_MM = 400.0
SMX_MM, SMY_MM = 1900.0, 2300.0
X_MM, Y_MM = np.array([-80.0, 0.0, 35.0]), np.array([12.0, -60.0, 0.0])
LAYERS = (
    EnergyLayer(0, 150.0, X_MM, Y_MM, np.array([1.0, 2.0, 3.0])),
    EnergyLayer(2, 100.0, X_MM[:1], Y_MM[:1], np.array([4.0])),
)
BEAM = IonBeam(1, "b", "m", "PROTON", "NP", 10.0, 10.0, 0, 0, 0, 0, "HFS", (0.0, 0.0, 0.0), LAYERS)
ONE_GAUSSIAN = (Optics(1.0, COV_X, COV_Y),)


def _model(optics: tuple[Optics, ...] = ONE_GAUSSIAN, scanning: tuple[float, float] = (SMX_MM, SMY_MM)) -> BeamModel:
    def at(energy: float) -> BeamAtEnergy:
        return BeamAtEnergy(energy + 0.7, 0.006 * energy, optics, None)

    return BeamModel("model", "m", "PROTON", PLANE_MM, scanning, (70.0, 230.0), at)


def _covariances(row: Array) -> tuple[Array, Array]:
    """Covariances in mm and rad that the Cholesky factors of a row stand for."""
    found = []
    for columns in ((emit.XX, emit.XS, emit.SS_X), (emit.YY, emit.YS, emit.SS_Y)):
        sigma, along, rest = row[list(columns)] * (10.0, 1.0, 1.0)
        lower = np.array([[sigma, 0.0], [along, rest]])
        found.append(lower @ lower.T)
    return found[0], found[1]


def _at_height(row: Array, z_mm: float) -> tuple[float, float]:
    """Where the axis of a pencil is (mm), followed as a straight line in space."""
    flight_mm = 10 * row[emit.START_Z] - z_mm
    return (
        10 * row[emit.X] + row[emit.SLOPE_X] * flight_mm,
        10 * row[emit.Y] + row[emit.SLOPE_Y] * flight_mm,
    )


@pytest.mark.parametrize("start", [None, 650.0, 250.0, -20.0])
@pytest.mark.parametrize("scanning", [(1900.0, 2300.0), (2300.0, 1900.0), (math.inf, 1500.0), (math.inf, math.inf)])
def test_axes_pass_the_scanning_points_and_the_spots_of_the_plan(
    scanning: tuple[float, float], start: float | None
) -> None:
    beams = pencil_beams(BEAM, _model(scanning=scanning), start_mm=start)
    assert beams.start_mm == (PLANE_MM if start is None else start)
    for row, x, y in zip(beams.rows, [*X_MM, X_MM[0]], [*Y_MM, Y_MM[0]], strict=True):
        assert row[emit.START_Z] == pytest.approx(beams.start_mm / 10)
        assert _at_height(row, 0.0) == pytest.approx((x, y), abs=1e-10)
        for axis, (spot, distance) in enumerate(zip((x, y), scanning, strict=True)):
            if math.isinf(distance):
                assert row[(emit.SLOPE_X, emit.SLOPE_Y)[axis]] == 0.0
            else:
                assert _at_height(row, distance)[axis] == pytest.approx(0.0, abs=1e-10)
                assert row[(emit.SLOPE_X, emit.SLOPE_Y)[axis]] == pytest.approx(spot / distance)


def test_positions_at_the_plane_by_hand() -> None:
    row = pencil_beams(BEAM, _model()).rows[0]
    assert row[emit.X] == pytest.approx(-8.0 * 1500 / 1900)
    assert row[emit.Y] == pytest.approx(1.2 * 1900 / 2300)
    assert row[emit.SLOPE_X] == pytest.approx(-80 / 1900)
    assert row[emit.SLOPE_Y] == pytest.approx(12 / 2300)


def test_energies_and_particles_go_with_their_layer() -> None:
    beams = pencil_beams(BEAM, _model())
    np.testing.assert_allclose(beams.rows[:, emit.MEAN_ENERGY], [150.7] * 3 + [100.7])
    np.testing.assert_allclose(beams.rows[:, emit.ENERGY_SIGMA], [0.9] * 3 + [0.6])
    np.testing.assert_allclose(beams.particles, [1, 2, 3, 4])
    assert beams.audit is not None
    assert beams.particles.sum() == pytest.approx(beams.audit.particles)
    assert beams.medium == "air"


def test_at_the_model_plane_the_optics_are_the_model_s() -> None:
    for row in pencil_beams(BEAM, _model()).rows:
        cov_x, cov_y = _covariances(row)
        np.testing.assert_allclose(cov_x, COV_X, rtol=1e-12)
        np.testing.assert_allclose(cov_y, COV_Y, rtol=1e-12)
    assert pencil_beams(BEAM, _model()).assumptions == ()


@pytest.mark.parametrize("start", [900.0, 100.0])
def test_a_moved_start_drifts_the_optics_and_says_so(start: float) -> None:
    beams = pencil_beams(BEAM, _model(), start_mm=start)
    downstream = PLANE_MM - start
    for cov, given_cov in zip(_covariances(beams.rows[0]), (COV_X, COV_Y), strict=True):
        variance = given_cov[0, 0] + 2 * downstream * given_cov[0, 1] + downstream**2 * given_cov[1, 1]
        assert cov[0, 0] == pytest.approx(variance, rel=1e-9)
        assert cov[0, 1] == pytest.approx(given_cov[0, 1] + downstream * given_cov[1, 1], rel=1e-9)
        assert cov[1, 1] == pytest.approx(given_cov[1, 1], rel=1e-9)
    assert beams.start_mm == start
    assert any(f"starts {start:g} mm" in s and "400 mm" in s for s in beams.assumptions)


def test_a_convergent_beam_has_its_waist_downstream_and_a_divergent_one_upstream() -> None:
    distances = np.arange(-2000.0, 2001.0)
    for cov, sign in ((COV_X, 1), (COV_Y, -1)):
        sigma2 = [drifted(cov, d)[0, 0] for d in distances]
        waist = distances[int(np.argmin(sigma2))]
        assert np.sign(waist) == sign
        assert waist == pytest.approx(-cov[0, 1] / cov[1, 1], abs=1.0)


@given(d=st.floats(-3000, 3000))
def test_a_drift_keeps_the_emittance_and_can_be_undone(d: float) -> None:
    after = drifted(COV_X, d)
    assert np.linalg.det(after) == pytest.approx(np.linalg.det(COV_X), rel=1e-6)
    np.testing.assert_allclose(drifted(after, -d), COV_X, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(
    "cov",
    [
        COV_X,
        COV_Y,
        np.zeros((2, 2)),
        np.array([[0.0, 0.0], [0.0, 4e-6]]),  # a point source
        np.array([[9.0, 0.0], [0.0, 0.0]]),  # a parallel beam
        np.array([[9.0, 0.006], [0.006, 4e-6]]),  # no emittance
        np.array([[9.0, -0.006], [-0.006, 4e-6 - 1e-18]]),  # a little less than none
    ],
)
def test_cholesky_factors_give_the_covariance_back(cov: Array) -> None:
    sigma, along, rest = cholesky_cm(cov)
    lower = np.array([[10 * sigma, 0.0], [along, rest]])
    np.testing.assert_allclose(lower @ lower.T, cov, atol=1e-15, rtol=1e-9)


def test_two_gaussians_share_the_particles_of_a_spot() -> None:
    wide = Optics(0.1, 9 * COV_X, 9 * COV_Y)
    beams = pencil_beams(BEAM, _model((Optics(0.9, COV_X, COV_Y), wide)))
    assert len(beams.rows) == 8
    assert beams.particles.sum() == pytest.approx(10.0)
    is_wide = beams.rows[:, emit.XX] > 1.0
    assert beams.particles[is_wide].sum() == pytest.approx(1.0)
    for x in np.unique(beams.rows[:, emit.X]):
        there = beams.rows[:, emit.X] == x
        assert beams.particles[there & is_wide].sum() == pytest.approx(beams.particles[there].sum() * 0.1)


def test_open_scanning_distances_are_the_plan_s_and_that_is_said() -> None:
    beam = replace(BEAM, virtual_source_mm=(1800.0, 2200.0))
    beams = pencil_beams(beam, _model(scanning=(math.nan, math.nan)))
    assert beams.rows[0, emit.SLOPE_X] == pytest.approx(-80 / 1800)
    assert beams.rows[0, emit.SLOPE_Y] == pytest.approx(12 / 2200)
    assert any("1800 and 2200 mm" in s for s in beams.assumptions)


def test_the_model_s_scanning_distances_win_over_the_plan_s() -> None:
    beams = pencil_beams(replace(BEAM, virtual_source_mm=(1.0, 1.0)), _model())
    assert beams.rows[0, emit.SLOPE_X] == pytest.approx(-80 / SMX_MM)


@pytest.mark.parametrize("plan", [None, (0.0, 2000.0), (2000.0, -5.0)])
def test_open_distances_without_a_usable_plan_are_refused(plan: tuple[float, float] | None) -> None:
    with pytest.raises(InputError, match="leaves the scanning distances to the plan"):
        pencil_beams(replace(BEAM, virtual_source_mm=plan), _model(scanning=(math.nan, math.nan)))


def _tuned() -> tuple[IonBeam, BeamModel]:
    """A model with a tune of its own, closer and with other distances, for the second layer."""
    wide = (Optics(1.0, 4 * COV_X, 4 * COV_Y),)
    own = replace(_model(wide, (1000.0, 1200.0)), name="model, tune 4.0", plane_mm=300.0, assumptions=("Tuned.",))
    beam = replace(BEAM, layers=(replace(LAYERS[0], spot_tune_id="3.0"), replace(LAYERS[1], spot_tune_id=" 4.0")))
    return beam, replace(_model(), tunes={"4.0": own})


def test_spots_of_a_tune_take_its_own_model_and_that_is_said() -> None:
    beam, model = _tuned()
    beams = pencil_beams(beam, model)
    usual, tuned = beams.rows[0], beams.rows[3]
    np.testing.assert_allclose(_covariances(usual)[0], COV_X)
    np.testing.assert_allclose(_covariances(tuned)[0], drifted(4 * COV_X, 300.0 - PLANE_MM), atol=1e-12)
    assert tuned[emit.START_Z] == usual[emit.START_Z] == PLANE_MM / 10
    assert _at_height(tuned, 1000.0)[0] == pytest.approx(0.0, abs=1e-9)
    assert _at_height(usual, SMX_MM)[0] == pytest.approx(0.0, abs=1e-9)
    assert "Spot tune '4.0' was calculated with its own beam model 'model, tune 4.0'." in beams.assumptions
    assert "Tuned." in beams.assumptions, "what a tune's model assumes is said, too"
    assert "Spot tune '3.0' has no beam model of its own: 'model' was used." in beams.assumptions


def test_a_tune_has_its_own_particles_per_mu() -> None:
    beam, model = _tuned()

    def calibrated(per_mu: float) -> BeamModel:
        return replace(_model(), at=lambda e: BeamAtEnergy(e, 0.0, ONE_GAUSSIAN, per_mu))

    model = replace(calibrated(1e6), tunes={"4.0": calibrated(3e6)})
    beams = pencil_beams(replace(beam, meterset_unit="MU"), model)
    np.testing.assert_allclose(beams.particles, [1e6, 2e6, 3e6, 12e6])


def test_a_tune_with_another_medium_is_refused() -> None:
    beam, model = _tuned()
    other = replace(model, tunes={"4.0": replace(model.tunes["4.0"], medium="vacuum")})
    with pytest.raises(InputError, match=r"spot tune ' 4\.0' has another medium .*Given: vacuum\. Allowed: air"):
        pencil_beams(beam, other)


def test_plans_without_tunes_hear_nothing_of_them() -> None:
    assert not any("tune" in said for said in pencil_beams(BEAM, _model()).assumptions)


def test_the_reach_of_a_beam_holds_its_spots_with_their_widths_and_a_margin() -> None:
    (low, high), _ = reach_mm(pencil_beams(BEAM, _model()), 100.0)
    at_start, below = -80.0 * 1500 / 1900, -80.0 * 1800 / 1900
    assert low == pytest.approx(min(at_start - 20.0, below - 4 * np.sqrt(drifted(COV_X, 300.0)[0, 0])) - 20.0)
    assert high == pytest.approx(35.0 * 1800 / 1900 + 4 * np.sqrt(drifted(COV_X, 300.0)[0, 0]) + 20.0, abs=3.0)
