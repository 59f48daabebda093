"""A beam model from measurements: energies and spreads, optics, particles per MU, each with its uncertainty."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from dosewright.commissioning.beam_fit.air import spread_mm2, water_equivalent_mm
from dosewright.commissioning.beam_fit.curve_fit import ENERGY_WINDOW, LARGEST_SPREAD, CurveFit, fit_curve
from dosewright.commissioning.beam_fit.depth_dose import SIGMAS, DepthDoses
from dosewright.commissioning.beam_fit.kernels import Kernels, kernels_for
from dosewright.commissioning.beam_fit.measurements import DOSE_UNITS, BeamMeasurements, Curve, SpotSizes
from dosewright.commissioning.beam_fit.monitor import particles_per_mu
from dosewright.commissioning.beam_fit.optics_fit import OpticsFit, as_size, fit_optics
from dosewright.commissioning.beam_fit.spots_in_air import air_factor
from dosewright.commissioning.demonstration.water_depth_dose import energy_for_range_MeV
from dosewright.core.beam_model import BeamModel
from dosewright.core.errors import refuse
from dosewright.formats.text.tabulated_beam import SpotAxis, SpotTable, TabulatedBeam
from dosewright.materials.library import named
from dosewright.materials.stopping import proton_mass_stopping_power

Array = NDArray[np.float64]
Tell = Callable[[str], None]

HISTORIES = 200_000  # of each depth dose that the fit rests on


@dataclass(frozen=True)
class ParticleFit:
    """Particles per MU at a nominal energy, and its 1 sigma."""

    nominal_MeV: float
    per_mu: float
    uncertainty: float


@dataclass(frozen=True)
class BeamFit:
    """A fitted beam model and everything it was fitted from; `notes` is what a reader should know."""

    model: BeamModel
    nominal_MeV: tuple[float, ...]
    measured: BeamMeasurements
    curves: tuple[CurveFit, ...]
    optics: tuple[OpticsFit, ...]
    particles: tuple[ParticleFit, ...]
    notes: tuple[str, ...]


def fit_beam(
    measured: BeamMeasurements, *, histories: int = HISTORIES, threads: int = 0, tell: Tell = lambda _: None
) -> BeamFit:
    """Fit a beam model to measurements.

    Raises
    ------
    InputError
        A depth dose that cannot be fitted, or spots measured upstream of the model plane.
    """
    kernels = kernels_for(*_reach(measured.curves), histories=histories, threads=threads, tell=tell)
    tell("fitting spot sizes, depth doses and particles per MU")
    optics = tuple(
        fit_optics(one, one.nominal_MeV, measured.file.plane_mm, measured.file.medium) for one in measured.spots
    )
    curves = tuple(_fit_curve(one, measured, kernels, optics) for one in measured.curves)
    first = _model(measured, curves, optics, ())
    # What air adds depends on energy and size of the spot, which are known only now.
    optics = tuple(_fit_optics(one, first, histories, threads, tell) for one in measured.spots)
    particles = _particles(measured, kernels, curves, optics)
    notes = _notes(curves, optics, particles)
    model = _model(measured, curves, optics, particles, notes)
    nominal = _nominal([one.nominal_MeV for one in curves], measured.file.largest_step_MeV)
    return BeamFit(model, nominal, measured, curves, optics, particles, notes)


def _model(
    measured: BeamMeasurements, curves: tuple[CurveFit, ...], optics: tuple[OpticsFit, ...],
    particles: tuple[ParticleFit, ...], notes: tuple[str, ...] = (),
) -> BeamModel:  # fmt: skip
    nominal = _nominal([one.nominal_MeV for one in curves], measured.file.largest_step_MeV)
    table = _table(measured.file.name, nominal, curves, optics, particles)
    return BeamModel(
        name=measured.file.name,
        machine=measured.file.machine,
        radiation=measured.file.radiation,
        plane_mm=measured.file.plane_mm,
        scanning_mm=(measured.file.scanning_mm[0], measured.file.scanning_mm[1]),
        energy_range_MeV=table.range_MeV,
        at=table,
        medium=measured.file.medium,
        source="fitted to measurements by dosewright fit beam",
        assumptions=notes,
    )


def _fit_optics(spots: SpotSizes, first: BeamModel, histories: int, threads: int, tell: Tell) -> OpticsFit:
    """Fit optics with what air adds by the transport itself, for the spot of a first model."""
    low, high = first.energy_range_MeV
    nominal = min(max(spots.nominal_MeV, low), high)
    tell(f"spots of {nominal:g} MeV in air")
    factor = 1.0
    if first.medium == "air":
        factor = air_factor(first, nominal, float(spots.z_mm.min()), histories=histories, threads=threads)
    energy = spots.nominal_MeV * first.at(nominal).mean_energy_MeV / nominal
    return fit_optics(spots, energy, first.plane_mm, first.medium, factor)


def _reach(curves: tuple[Curve, ...]) -> tuple[float, float]:
    """Return the lowest and highest energy that the runs must serve."""
    energies = [float(energy_for_range_MeV(one.range_mm)) for one in curves]
    beyond = (1 + ENERGY_WINDOW) * (1 + SIGMAS * LARGEST_SPREAD)
    return min(energies) / beyond, max(energies) * beyond


def _upstream(measured: BeamMeasurements, energy_MeV: float) -> float:
    """Return the water equivalent of the air between the model plane and the water."""
    air = measured.file.plane_mm - measured.file.depth_dose.surface_mm
    if air < 0:
        raise refuse("The water begins upstream of the model plane", given=measured.file.depth_dose.surface_mm,
                     allowed=f"surface_mm below plane_mm = {measured.file.plane_mm:g}")  # fmt: skip
    return water_equivalent_mm(energy_MeV, air) if measured.file.medium == "air" else 0.0


def spot_sigma_mm(
    measured: BeamMeasurements, optics: tuple[OpticsFit, ...], nominal_MeV: float, height_mm: float
) -> float:
    """Return the spot size at gantry z, mean of both axes, between the energies whose optics are known."""
    drift = measured.file.plane_mm - height_mm
    air = float(spread_mm2(nominal_MeV, np.array([drift]))[0]) if measured.file.medium == "air" else 0.0
    variance = []
    for axis in ("x", "y"):
        along = [getattr(one, axis).cov for one in optics]
        values = [c[0, 0] + 2 * drift * c[0, 1] + drift**2 * c[1, 1] for c in along]
        variance.append(float(np.interp(nominal_MeV, [one.nominal_MeV for one in optics], values)))
    return float(np.sqrt(max(float(np.mean(variance)) + air, 0.0)))


def _fit_curve(curve: Curve, measured: BeamMeasurements, kernels: Kernels, optics: tuple[OpticsFit, ...]) -> CurveFit:
    file = measured.file.depth_dose
    sigma = spot_sigma_mm(measured, optics, curve.nominal_MeV, file.surface_mm)
    doses = DepthDoses.seen_by(kernels, file.chamber_radius_mm, sigma)
    upstream = _upstream(measured, curve.nominal_MeV)
    return fit_curve(curve, doses, upstream, file.depth_uncertainty_mm)


def _particles(
    measured: BeamMeasurements, kernels: Kernels, curves: tuple[CurveFit, ...], optics: tuple[OpticsFit, ...]
) -> tuple[ParticleFit, ...]:
    """Return particles per MU by the best there is: absolute dose, the number itself, or the depth doses' own scale."""
    file = measured.file
    share = file.absolute.uncertainty_percent / 100 if file.absolute else 0.0
    if measured.per_mu:
        return tuple(ParticleFit(energy, value, share * value) for energy, value in sorted(measured.per_mu.items()))
    if measured.fields:
        ratio = _against([one.nominal_MeV for one in curves], [one.mean_MeV / one.nominal_MeV for one in curves])
        spread = _against([one.nominal_MeV for one in curves], [one.sigma_MeV for one in curves])
        found: dict[float, list[float]] = {}
        for field in measured.fields:
            energy = field.nominal_MeV
            if not curves[0].nominal_MeV <= energy <= curves[-1].nominal_MeV:
                continue
            value = particles_per_mu(
                field, kernels, energy * ratio(energy), spread(energy),
                spot_sigma_mm=spot_sigma_mm(measured, optics, energy, file.depth_dose.surface_mm - field.depth_mm),
                surface_mm=file.depth_dose.surface_mm, plane_mm=file.plane_mm,
                scanning_mm=(file.scanning_mm[0], file.scanning_mm[1]), medium=file.medium,
            )  # fmt: skip
            found.setdefault(energy, []).append(value)
        return tuple(
            ParticleFit(energy, float(np.mean(values)), share * float(np.mean(values)) / len(values) ** 0.5)
            for energy, values in sorted(found.items())
        )
    from_scale = DOSE_UNITS[file.depth_dose.dose_unit]
    if from_scale:
        return tuple(
            ParticleFit(one.nominal_MeV, from_scale * one.scale, from_scale * one.scale_uncertainty) for one in curves
        )
    return ()


def _against(energies: list[float], values: list[float]) -> Callable[[float], float]:
    """Return a quantity between the energies where it is known: monotone pieces, nothing overshoots."""
    if len(energies) == 1:
        return lambda _: values[0]
    through = PchipInterpolator(energies, values)
    return lambda energy: float(through(min(max(energy, energies[0]), energies[-1])))


def _nominal(measured: list[float], largest_step: float) -> tuple[float, ...]:
    """Return the measured energies and, between them, evenly as many as keep the steps small."""
    energies = [measured[0]]
    for low, high in pairwise(measured):
        steps = max(1, int(np.ceil((high - low) / largest_step - 1e-9)))
        energies += [low + (high - low) * n / steps for n in range(1, steps)] + [high]
    return tuple(round(one, 6) for one in energies)


def _table(
    name: str, nominal: tuple[float, ...], curves: tuple[CurveFit, ...], optics: tuple[OpticsFit, ...],
    particles: tuple[ParticleFit, ...],
) -> TabulatedBeam:  # fmt: skip
    """Return the model's rows; between measured energies every quantity is interpolated."""
    known = [one.nominal_MeV for one in curves]
    ratio = _against(known, [one.mean_MeV / one.nominal_MeV for one in curves])
    spread = _against(known, [one.sigma_MeV / one.mean_MeV for one in curves])
    mean = np.array([energy * ratio(energy) for energy in nominal])
    axes = [_axis(nominal, [one.nominal_MeV for one in optics], [getattr(one, axis).cov for one in optics])
            for axis in ("x", "y")]  # fmt: skip
    per_mu = None
    if particles:
        # Particles per MU go about as one over the stopping power of the chamber's gas; their product hardly changes.
        stopping = proton_mass_stopping_power(named("G4_AIR"), np.array([one.nominal_MeV for one in particles]))
        product = _against([one.nominal_MeV for one in particles],
                           [one.per_mu * float(s) for one, s in zip(particles, stopping, strict=True)])  # fmt: skip
        gas = proton_mass_stopping_power(named("G4_AIR"), np.array(nominal))
        per_mu = np.array([product(energy) for energy in nominal]) / gas
    sigma = mean * np.array([spread(energy) for energy in nominal])
    one_spot = SpotTable(np.ones(len(nominal)), axes[0], axes[1])
    return TabulatedBeam(name, np.array(nominal), mean, sigma, per_mu, (one_spot,))


def _axis(nominal: tuple[float, ...], known: list[float], covariances: list[Array]) -> SpotAxis:
    entries = [_against(known, [float(c[i, j]) for c in covariances]) for i, j in ((0, 0), (0, 1), (1, 1))]
    sizes = np.array([as_size(np.array([one(energy) for one in entries])) for energy in nominal])
    return SpotAxis(sizes[:, 0], sizes[:, 1], np.clip(sizes[:, 2], -1.0, 1.0))


def _notes(
    curves: tuple[CurveFit, ...], optics: tuple[OpticsFit, ...], particles: tuple[ParticleFit, ...]
) -> tuple[str, ...]:
    """Return what a reader of the model should know."""
    said = []
    if not particles:
        said.append("No absolute dose was measured: the model has no particles per MU and cannot give absolute doses.")
    edge = [f"{one.nominal_MeV:g} ({axis})" for one in optics for axis in "xy" if getattr(one, axis).at_edge]
    if edge:
        said.append(f"The spot sizes at {', '.join(edge)} MeV fit no possible beam; the nearest one was taken.")
    narrow = [f"{one.nominal_MeV:g}" for one in curves if one.sigma_MeV < 2 * one.sigma_uncertainty_MeV]
    if narrow:
        said.append(f"The energy spread at {', '.join(narrow)} MeV is not told from zero by its depth dose.")
    poor = [f"{one.nominal_MeV:g} ({one.chi2_per_point:.1f})" for one in curves if one.chi2_per_point > 2]
    if poor:
        said.append("Depth doses fit worse than their stated uncertainties, chi square per point above 2, at "
                    f"{', '.join(poor)} MeV.")  # fmt: skip
    return tuple(said)
