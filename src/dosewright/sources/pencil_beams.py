"""The spots of a plan as pencil beams that start on a plane across the beam, in gantry axes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dosewright.core.beam_model import BeamAtEnergy, BeamModel
from dosewright.core.errors import refuse
from dosewright.core.plan import EnergyLayer, IonBeam
from dosewright.core.solids import Field
from dosewright.core.units import MM_PER_CM
from dosewright.sources import emit
from dosewright.sources.meterset import AS_PLANNED, MetersetAudit, meterset_audit, spot_particles

Array = NDArray[np.float64]

REACH_SIGMAS = 4.0  # 3 in 100 000 of a Gaussian lie beyond along one axis
SCATTER_MM = 20.0  # and what scatters on the way: 60 mrad over a third of a metre


@dataclass(frozen=True)
class PencilBeams:
    """Gaussian pencils ready for sampling.

    Parameters
    ----------
    rows
        Shape (n, 19), columns as in `sources.emit` (cm, rad, MeV), in gantry axes.
    particles
        Particles per fraction of each pencil.
    start_mm
        Distance of the start plane from the isocentre, upstream positive.
    medium
        ``"air"`` or ``"vacuum"``: what lies between the plane and the patient.
    audit
        How the particles were counted; None for pencils that no plan asked for.
    assumptions
        What a report must repeat.
    """

    rows: Array
    particles: Array
    start_mm: float
    medium: str
    audit: MetersetAudit | None
    assumptions: tuple[str, ...]


def pencil_beams(
    beam: IonBeam,
    model: BeamModel,
    *,
    start_mm: float | None = None,
    weight_polynomial: Sequence[float] = AS_PLANNED,
) -> PencilBeams:
    """Turn the spots of a beam into pencil beams; spots of a tune with a beam model of its own take that.

    `start_mm` moves the start plane upstream or downstream of the model's plane by a drift in vacuum; a device above
    the model plane needs that. `weight_polynomial` as in `meterset_audit`.
    """
    audit = meterset_audit(beam, model, weight_polynomial)
    start = model.plane_mm if start_mm is None else start_mm
    rows, particles, said = [], [], list(_tune_sentences(beam, model))
    for layer, counts in zip(beam.layers, spot_particles(beam, audit), strict=True):
        tuned = model.tuned(layer.spot_tune_id)
        if tuned.medium != model.medium:
            raise refuse(
                f"The beam model of spot tune {layer.spot_tune_id!r} has another medium between its plane and the "
                f"patient than beam model {model.name!r}",
                given=tuned.medium,
                allowed=model.medium,
            )
        scanning, also = _scanning_distances(beam, tuned)
        said += also
        if start != tuned.plane_mm:
            said.append(
                f"The beam starts {start:g} mm from the isocentre; the model's optics ({tuned.plane_mm:g} mm) were "
                "drifted."
            )
        at = tuned.at(layer.nominal_energy_MeV)
        for optics in at.optics:
            rows.append(_rows(layer, at, optics.cov_x, optics.cov_y, scanning, start, tuned.plane_mm - start))
            particles.append(counts * optics.weight)
    assumptions = tuple(dict.fromkeys(said))
    return PencilBeams(np.concatenate(rows), np.concatenate(particles), start, model.medium, audit, assumptions)


def _tune_sentences(beam: IonBeam, model: BeamModel) -> list[str]:
    """Say which spot tunes were calculated with a beam model of their own, and which have none."""
    asked = sorted({tune for layer in beam.layers if (tune := layer.spot_tune_id.strip())})
    said = [
        f"Spot tune {tune!r} was calculated with its own beam model {model.tunes[tune].name!r}."
        for tune in asked
        if tune in model.tunes
    ]
    said += [statement for tune in asked if tune in model.tunes for statement in model.tunes[tune].assumptions]
    without = [repr(tune) for tune in asked if tune not in model.tunes]
    if without:
        has = "have no beam models" if len(without) > 1 else "has no beam model"
        said.append(f"Spot tune {', '.join(without)} {has} of its own: {model.name!r} was used.")
    return said


def reach_mm(
    pencils: PencilBeams, lowest_mm: float, *, sigmas: float = REACH_SIGMAS, margin_mm: float = SCATTER_MM
) -> Field:
    """Return the span of the beam along x and y, from its start down to a height: so many sigmas, and a margin."""
    spans = []
    columns = ((emit.X, emit.SLOPE_X, emit.XX, emit.XS, emit.SS_X), (emit.Y, emit.SLOPE_Y, emit.YY, emit.YS, emit.SS_Y))
    for place, slope, width, along, rest in columns:
        ends = []
        for way in (0.0, (pencils.start_mm - lowest_mm) / MM_PER_CM):
            middle = pencils.rows[:, place] + way * pencils.rows[:, slope]
            sigma = np.hypot(pencils.rows[:, width] + way * pencils.rows[:, along], way * pencils.rows[:, rest])
            ends += [middle - sigmas * sigma, middle + sigmas * sigma]
        low, high = float(np.min(ends)) * MM_PER_CM, float(np.max(ends)) * MM_PER_CM
        spans.append((low - margin_mm, high + margin_mm))
    return spans[0], spans[1]


def _scanning_distances(beam: IonBeam, model: BeamModel) -> tuple[tuple[float, float], list[str]]:
    """Distances of the scanning magnets: the model's, or the plan's where the model leaves them open."""
    if not np.any(np.isnan(model.scanning_mm)):
        return model.scanning_mm, []
    plan = beam.virtual_source_mm
    if plan is None or min(plan) <= 0:
        raise refuse(
            f"Beam {beam.number}: beam model {model.name!r} leaves the scanning distances to the plan, "
            "and the plan's virtual source-axis distances cannot be used",
            given=plan,
            allowed="two positive distances in mm",
        )
    said = f"Scanning distances {plan[0]:g} and {plan[1]:g} mm are the plan's virtual source-axis distances."
    return plan, [said]


def _rows(
    layer: EnergyLayer,
    at: BeamAtEnergy,
    cov_x: Array,
    cov_y: Array,
    scanning: tuple[float, float],
    start: float,
    drift: float,
) -> Array:
    """Rows of one layer and one Gaussian: straight lines from the scanning magnets through the spots."""
    rows = np.zeros((len(layer.weights), emit.PENCIL_COLUMNS))
    rows[:, emit.X] = layer.x_mm * (1 - start / scanning[0]) / MM_PER_CM
    rows[:, emit.Y] = layer.y_mm * (1 - start / scanning[1]) / MM_PER_CM
    rows[:, emit.SLOPE_X] = layer.x_mm / scanning[0]
    rows[:, emit.SLOPE_Y] = layer.y_mm / scanning[1]
    rows[:, [emit.XX, emit.XS, emit.SS_X]] = cholesky_cm(drifted(cov_x, drift))
    rows[:, [emit.YY, emit.YS, emit.SS_Y]] = cholesky_cm(drifted(cov_y, drift))
    rows[:, emit.MEAN_ENERGY] = at.mean_energy_MeV
    rows[:, emit.ENERGY_SIGMA] = at.energy_sigma_MeV
    rows[:, emit.START_Z] = start / MM_PER_CM
    return rows


def drifted(cov: Array, distance_mm: float) -> Array:
    """Return a covariance of (position, slope) after a drift in vacuum; negative goes upstream."""
    m = np.array([[1.0, distance_mm], [0.0, 1.0]])
    after: Array = m @ cov @ m.T
    return after


def cholesky_cm(cov: Array) -> tuple[float, float, float]:
    """Return the lower Cholesky factor of a covariance in mm and rad as (cm, rad, rad)."""
    sigma = float(np.sqrt(max(cov[0, 0], 0.0)))
    along = float(cov[0, 1] / sigma) if sigma > 0 else 0.0
    rest = float(np.sqrt(max(cov[1, 1] - along**2, 0.0)))
    return sigma / MM_PER_CM, along, rest
