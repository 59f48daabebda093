"""Weights become particles, with every assumption said."""

import math
from dataclasses import replace

import numpy as np
import pytest

from dosewright.core.beam_model import BeamAtEnergy, BeamModel
from dosewright.core.errors import InputError
from dosewright.core.plan import EnergyLayer, IonBeam
from dosewright.sources.meterset import meterset_audit, spot_particles

WEIGHTS = ([1.0, 2.0, 3.0], [0.5, 3.5])
ENERGIES = (150.0, 100.0)


def _layers(weights: tuple[list[float], ...] = WEIGHTS) -> tuple[EnergyLayer, ...]:
    return tuple(
        EnergyLayer(2 * i, e, np.zeros(len(w)), np.zeros(len(w)), np.array(w))
        for i, (e, w) in enumerate(zip(ENERGIES, weights, strict=True))
    )


BEAM = IonBeam(4, "b", "m", "PROTON", "NP", 1e9, 1e9, 0, 0, 0, 0, "HFS", (0.0, 0.0, 0.0), _layers())


def _model(*, calibrated: bool = True) -> BeamModel:
    def at(energy: float) -> BeamAtEnergy:
        return BeamAtEnergy(energy + 0.5, 0.8, (), 1e8 * (1 + energy / 1000) if calibrated else None)

    return BeamModel("pencil", "m", "PROTON", 400.0, (2000.0, 2500.0), (70.0, 230.0), at)


def test_in_np_a_weight_is_a_number_of_particles() -> None:
    beam = replace(BEAM, meterset=10.0, final_cumulative_weight=10.0)
    audit = meterset_audit(beam, _model(calibrated=False))
    assert (audit.unit, audit.scale) == ("NP", 1.0)
    assert [row.particles for row in audit.layers] == [6.0, 4.0]
    assert all(row.particles_per_mu is None for row in audit.layers)
    assert audit.particles == 10.0
    assert any("NP" in s and "number of particles" in s for s in audit.assumptions)
    assert not any("MU" in s for s in audit.assumptions)


def test_in_mu_every_layer_has_its_own_calibration() -> None:
    beam = replace(BEAM, meterset_unit="MU", meterset=10.0, final_cumulative_weight=10.0)
    audit = meterset_audit(beam, _model())
    assert [row.particles_per_mu for row in audit.layers] == pytest.approx([1.15e8, 1.1e8])
    assert [row.particles for row in audit.layers] == pytest.approx([6 * 1.15e8, 4 * 1.1e8])
    assert audit.particles == pytest.approx(6 * 1.15e8 + 4 * 1.1e8)
    assert any("Particles per MU are those of beam model 'pencil'" in s for s in audit.assumptions)
    assert not any("scale of their own" in s or "sum to" in s for s in audit.assumptions)


def test_a_polynomial_of_the_energy_multiplies_the_weights() -> None:
    """IDEAL's msw scaling: p(E), highest power first, here 2e-5 E^2 - 1e-3 E + 0.9 at 150 and 100 MeV."""
    beam = replace(BEAM, meterset_unit="MU", meterset=10.0, final_cumulative_weight=10.0)
    audit = meterset_audit(beam, _model(), (2e-5, -1e-3, 0.9))
    plain = meterset_audit(beam, _model())
    assert [row.weight_factor for row in audit.layers] == pytest.approx([1.2, 1.0])
    assert [row.particles for row in audit.layers] == pytest.approx([6 * 1.15e8 * 1.2, 4 * 1.1e8])
    assert [row.weight for row in audit.layers] == [row.weight for row in plain.layers]
    assert (audit.meterset, audit.sum_of_weights) == (plain.meterset, plain.sum_of_weights)
    assert audit.weight_factors == pytest.approx((1.0, 1.2))
    assert plain.weight_factors == (1.0, 1.0)
    spots = spot_particles(beam, audit)
    assert spots[0] == pytest.approx(np.array(WEIGHTS[0]) * 1.15e8 * 1.2)
    assert any("multiplies the spot weights by 1 to 1.2" in said for said in audit.assumptions)
    assert not any("polynomial" in said for said in plain.assumptions)


@pytest.mark.parametrize("polynomial", [(-1.0, 120.0), (0.0,), (math.nan,), (math.inf,)])
def test_a_polynomial_that_is_not_positive_is_refused_with_its_energies(polynomial: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match=r"weight polynomial for machine 'm' is not positive.*150 MeV"):
        meterset_audit(BEAM, _model(calibrated=False), polynomial)


def test_a_spot_tune_has_the_calibration_of_its_own_model() -> None:
    tuned = replace(_model(), at=lambda energy: BeamAtEnergy(energy, 0.8, (), 7e7))
    first, second = BEAM.layers
    beam = replace(BEAM, meterset_unit="MU", layers=(first, replace(second, spot_tune_id="4.0")))
    audit = meterset_audit(beam, replace(_model(), tunes={"4.0": tuned}))
    assert [row.particles_per_mu for row in audit.layers] == pytest.approx([1.15e8, 7e7])


def test_a_scale_of_its_own_is_undone_and_said() -> None:
    """Some planning systems write weights that sum to the final weight, but not to the meterset."""
    beam = replace(BEAM, meterset_unit="MU", meterset=125.0, final_cumulative_weight=10.0)
    audit = meterset_audit(beam, _model())
    assert audit.scale == 12.5
    assert [row.meterset for row in audit.layers] == [75.0, 50.0]
    assert [row.weight for row in audit.layers] == [6.0, 4.0]
    assert audit.particles == pytest.approx(75 * 1.15e8 + 50 * 1.1e8)
    assert any("scale of their own: 12.5 MU per unit of weight" in s for s in audit.assumptions)


def test_weights_that_do_not_sum_to_the_final_weight_are_trusted_and_said() -> None:
    beam = replace(BEAM, meterset=20.0, final_cumulative_weight=12.0)
    audit = meterset_audit(beam, _model())
    assert audit.sum_of_weights == 10.0
    assert audit.final_cumulative_weight == 12.0
    assert audit.particles == pytest.approx(10.0 * 20.0 / 12.0)
    assert any("sum to 10, not to the final cumulative weight 12" in s for s in audit.assumptions)


def test_a_rounded_sum_is_not_worth_a_word() -> None:
    beam = replace(BEAM, meterset=10.0, final_cumulative_weight=10.0 * 1.0005)
    said = meterset_audit(beam, _model()).assumptions
    assert not any("sum to" in s or "scale of their own" in s for s in said)


def test_the_rule_is_always_said() -> None:
    said = meterset_audit(BEAM, _model()).assumptions
    assert said[0] == "Spot meterset = weight x BeamMeterset / FinalCumulativeMetersetWeight."


def test_rows_name_the_layer() -> None:
    first, second = meterset_audit(BEAM, _model()).layers
    assert (first.nominal_energy_MeV, first.mean_energy_MeV, first.spots) == (150.0, 150.5, 3)
    assert (second.nominal_energy_MeV, second.mean_energy_MeV, second.spots) == (100.0, 100.5, 2)


def test_spots_share_the_particles_of_their_layer_by_weight() -> None:
    beam = replace(BEAM, meterset_unit="MU", meterset=125.0, final_cumulative_weight=10.0)
    audit = meterset_audit(beam, _model())
    particles = spot_particles(beam, audit)
    for spots, weights, per_mu in zip(particles, WEIGHTS, (1.15e8, 1.1e8), strict=True):
        np.testing.assert_allclose(spots, np.array(weights) * 12.5 * per_mu, rtol=1e-12)
    assert sum(s.sum() for s in particles) == pytest.approx(audit.particles)


def test_a_layer_without_weight_has_no_particles() -> None:
    beam = replace(BEAM, layers=_layers(([1.0], [0.0, 0.0])))
    particles = spot_particles(beam, meterset_audit(beam, _model()))
    np.testing.assert_array_equal(particles[1], [0.0, 0.0])


@pytest.mark.parametrize("meterset", [None, 0.0, -1.0, math.nan])
def test_a_missing_meterset_is_refused(meterset: float | None) -> None:
    with pytest.raises(InputError, match="Beam 4 has no meterset"):
        meterset_audit(replace(BEAM, meterset=meterset), _model())


@pytest.mark.parametrize("weight", [0.0, -1.0, math.nan])
def test_a_missing_final_weight_is_refused(weight: float) -> None:
    with pytest.raises(InputError, match="Beam 4 has no final cumulative meterset weight"):
        meterset_audit(replace(BEAM, final_cumulative_weight=weight), _model())


@pytest.mark.parametrize("unit", ["", "MINUTE", "mu"])
def test_other_units_are_refused(unit: str) -> None:
    with pytest.raises(InputError, match="must be MU or NP"):
        meterset_audit(replace(BEAM, meterset_unit=unit), _model())


def test_mu_without_calibration_is_refused() -> None:
    with pytest.raises(InputError, match="meterset is in MU, but beam model 'pencil' holds no particles per MU"):
        meterset_audit(replace(BEAM, meterset_unit="MU"), _model(calibrated=False))


def test_all_that_is_missing_is_listed_together() -> None:
    with pytest.raises(InputError) as caught:
        meterset_audit(replace(BEAM, meterset=None, final_cumulative_weight=0.0, meterset_unit=""), _model())
    assert len(caught.value.problems) == 3
