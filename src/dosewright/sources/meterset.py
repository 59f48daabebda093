"""From spot meterset weights to numbers of particles, with every assumption said.

Spot meterset per fraction = weight x BeamMeterset / FinalCumulativeMetersetWeight (DICOM PS3.3 C.8.8.26); particles =
that, times the machine's particles per MU where the unit is MU. A site may multiply the weights by a polynomial p(E) of
the nominal energy (IDEAL's msw scaling).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, refuse
from dosewright.core.plan import IonBeam

WEIGHTS_TOLERANCE = 1e-3
AS_PLANNED = (1.0,)  # the polynomial that changes no weight


@dataclass(frozen=True)
class LayerMeterset:
    """One energy layer of the audit; metersets and particles are per fraction.

    `weight` and `meterset` are the plan's; `weight_factor` is p(E), which the particles include.
    """

    nominal_energy_MeV: float
    mean_energy_MeV: float
    spots: int
    weight: float
    meterset: float
    particles_per_mu: float | None
    particles: float
    weight_factor: float = 1.0


@dataclass(frozen=True)
class MetersetAudit:
    """How the plan's weights became particles, per fraction; `scale` is meterset per unit of weight."""

    unit: str
    meterset: float
    final_cumulative_weight: float
    sum_of_weights: float
    scale: float
    layers: tuple[LayerMeterset, ...]
    assumptions: tuple[str, ...]

    @property
    def particles(self) -> float:
        """Number of particles per fraction."""
        return float(sum(layer.particles for layer in self.layers))

    @property
    def weight_factors(self) -> tuple[float, float]:
        """Lowest and highest factor of the spot weights."""
        factors = [layer.weight_factor for layer in self.layers] or [1.0]
        return min(factors), max(factors)


def meterset_audit(beam: IonBeam, model: BeamModel, weight_polynomial: Sequence[float] = AS_PLANNED) -> MetersetAudit:
    """Turn the meterset of a beam into particles, layer by layer.

    `weight_polynomial` gives what weights are multiplied by, p(nominal energy in MeV per nucleon), highest power first.
    """
    factors = weight_factors(beam, weight_polynomial)
    meterset = _checked_meterset(beam)
    scale = meterset / beam.final_cumulative_weight
    layers = []
    for layer, factor in zip(beam.layers, factors, strict=True):
        at = model.tuned(layer.spot_tune_id).at(layer.nominal_energy_MeV)
        per_mu = at.particles_per_mu if beam.meterset_unit == "MU" else None
        if beam.meterset_unit == "MU" and per_mu is None:
            raise refuse(
                f"Beam {beam.number}: its meterset is in MU, but beam model {model.name!r} holds no particles per MU",
                allowed="a beam model with a monitor calibration, or a plan in NP",
            )
        weight = float(np.sum(layer.weights))
        particles = weight * factor * scale * (1.0 if per_mu is None else per_mu)
        layers.append(
            LayerMeterset(
                layer.nominal_energy_MeV,
                at.mean_energy_MeV,
                len(layer.weights),
                weight,
                weight * scale,
                per_mu,
                particles,
                factor,
            )
        )
    return MetersetAudit(
        beam.meterset_unit,
        meterset,
        beam.final_cumulative_weight,
        beam.sum_of_weights,
        scale,
        tuple(layers),
        (*_assumptions(beam, meterset, model), *_scaled_weights(beam, factors)),
    )


def weight_factors(beam: IonBeam, polynomial: Sequence[float]) -> list[float]:
    """Return what the weights of each layer are multiplied by; a factor that is not positive is refused."""
    energies = [layer.nominal_energy_MeV for layer in beam.layers]
    factors = [float(np.polyval(polynomial, energy)) for energy in energies]
    wrong = [f"{p:g} at {energy:g} MeV" for p, energy in zip(factors, energies, strict=True) if not 0 < p < np.inf]
    if wrong:
        raise refuse(
            f"Beam {beam.number}: the site's weight polynomial for machine {beam.machine!r} is not positive",
            given=", ".join(wrong),
            allowed="positive factors of the spot weights at every nominal energy",
        )
    return factors


def _checked_meterset(beam: IonBeam) -> float:
    problems = []
    if beam.meterset is None or not beam.meterset > 0:
        problems.append(f"Beam {beam.number} has no meterset (given: {beam.meterset}): its dose would have no scale.")
    if not beam.final_cumulative_weight > 0:
        problems.append(
            f"Beam {beam.number} has no final cumulative meterset weight (given: {beam.final_cumulative_weight})."
        )
    if beam.meterset_unit not in ("MU", "NP"):
        problems.append(
            f"Beam {beam.number}: the primary dosimeter unit must be MU or NP (given: {beam.meterset_unit!r})."
        )
    if problems or beam.meterset is None:
        raise InputError(*problems)
    return beam.meterset


def _assumptions(beam: IonBeam, meterset: float, model: BeamModel) -> tuple[str, ...]:
    said = ["Spot meterset = weight x BeamMeterset / FinalCumulativeMetersetWeight."]
    if beam.meterset_unit == "MU":
        said.append(f"Particles per MU are those of beam model {model.name!r} at the nominal energy of each layer.")
    else:
        said.append("The unit is NP: a spot's meterset is its number of particles.")
    if abs(meterset / beam.final_cumulative_weight - 1) > WEIGHTS_TOLERANCE:
        said.append(
            f"Weights are on a scale of their own: {meterset / beam.final_cumulative_weight:.6g} "
            f"{beam.meterset_unit} per unit of weight."
        )
    if abs(beam.sum_of_weights / beam.final_cumulative_weight - 1) > WEIGHTS_TOLERANCE:
        said.append(
            f"The spot weights sum to {beam.sum_of_weights:.6g}, not to the final cumulative weight "
            f"{beam.final_cumulative_weight:.6g}: single weights were trusted."
        )
    return tuple(said)


def _scaled_weights(beam: IonBeam, factors: Sequence[float]) -> tuple[str, ...]:
    if all(factor == 1.0 for factor in factors):
        return ()
    return (
        f"Beam {beam.number}: the site's weight polynomial multiplies the spot weights by {min(factors):.6g} to "
        f"{max(factors):.6g}, by nominal energy.",
    )


def spot_particles(beam: IonBeam, audit: MetersetAudit) -> list[NDArray[np.float64]]:
    """Return the particles per fraction of every spot, layer by layer."""
    return [
        layer.weights * (row.particles / row.weight if row.weight > 0 else 0.0)
        for layer, row in zip(beam.layers, audit.layers, strict=True)
    ]
