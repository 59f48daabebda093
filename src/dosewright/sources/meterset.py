"""From spot meterset weights to numbers of particles, with every assumption said.

Spot meterset per fraction = weight x BeamMeterset / FinalCumulativeMetersetWeight (DICOM PS3.3 C.8.8.26); particles =
that, times the machine's particles per MU where the unit is MU.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import InputError, refuse
from dosewright.core.plan import IonBeam

WEIGHTS_TOLERANCE = 1e-3


@dataclass(frozen=True)
class LayerMeterset:
    """One energy layer of the audit; metersets and particles are per fraction."""

    nominal_energy_MeV: float
    mean_energy_MeV: float
    spots: int
    weight: float
    meterset: float
    particles_per_mu: float | None
    particles: float


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


def meterset_audit(beam: IonBeam, model: BeamModel) -> MetersetAudit:
    """Turn the meterset of a beam into particles, layer by layer."""
    meterset = _checked_meterset(beam)
    scale = meterset / beam.final_cumulative_weight
    layers = []
    for layer in beam.layers:
        at = model.tuned(layer.spot_tune_id).at(layer.nominal_energy_MeV)
        per_mu = at.particles_per_mu if beam.meterset_unit == "MU" else None
        if beam.meterset_unit == "MU" and per_mu is None:
            raise refuse(
                f"Beam {beam.number}: its meterset is in MU, but beam model {model.name!r} holds no particles per MU",
                allowed="a beam model with a monitor calibration, or a plan in NP",
            )
        weight = float(np.sum(layer.weights))
        particles = weight * scale * (1.0 if per_mu is None else per_mu)
        layers.append(
            LayerMeterset(
                layer.nominal_energy_MeV,
                at.mean_energy_MeV,
                len(layer.weights),
                weight,
                weight * scale,
                per_mu,
                particles,
            )
        )
    return MetersetAudit(
        beam.meterset_unit,
        meterset,
        beam.final_cumulative_weight,
        beam.sum_of_weights,
        scale,
        tuple(layers),
        _assumptions(beam, meterset, model),
    )


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


def spot_particles(beam: IonBeam, audit: MetersetAudit) -> list[NDArray[np.float64]]:
    """Return the particles per fraction of every spot, layer by layer."""
    return [
        layer.weights * (row.particles / row.weight if row.weight > 0 else 0.0)
        for layer, row in zip(beam.layers, audit.layers, strict=True)
    ]
